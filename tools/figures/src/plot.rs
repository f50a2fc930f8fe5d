// SPDX-License-Identifier: GPL-2.0

//! The figure: a line for each path and, of several, one for their sum.

use crate::samples::Rates;
use anyhow::{
    anyhow,
    Result, //
};
use plotters::{
    backend::SVGBackend, //
    chart::{
        ChartBuilder,
        SeriesLabelPosition, //
    },
    drawing::IntoDrawingArea,
    element::PathElement,
    series::LineSeries,
    style::{
        Color,
        Palette,
        Palette99,
        RGBColor,
        BLACK,
        WHITE, //
    },
};
use std::collections::BTreeMap;

const SIZE: (u32, u32) = (960, 480);
const TEXT: (&str, u32) = ("sans-serif", 16);
const SUM: RGBColor = BLACK;
const MARK: RGBColor = RGBColor(128, 128, 128);

/// What stands around the lines.
pub(crate) struct Figure<'a> {
    pub(crate) title: &'a str,
    /// Times in milliseconds and what happened then.
    pub(crate) marks: &'a [(u64, String)],
}

impl Figure<'_> {
    /// The SVG document.
    pub(crate) fn draw(&self, paths: &[Rates]) -> Result<String> {
        let mut document = String::new();
        self.draw_into(&mut document, paths)
            .map_err(|error| anyhow!("the figure cannot be drawn: {error}"))?;
        Ok(document)
    }

    fn draw_into(
        &self,
        document: &mut String,
        paths: &[Rates],
    ) -> Result<(), Box<dyn std::error::Error + '_>> {
        let sum = sum_of(paths);
        let end = sum.last().map_or(1, |(time, _)| (*time).max(1));
        let top = sum.iter().map(|(_, rate)| *rate).max().unwrap_or_default();
        // The names stand above the lines.
        let top = top.saturating_add(top / 3).max(1000);
        let area = SVGBackend::with_string(document, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 22))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(0..end, 0..top)?;
        chart
            .configure_mesh()
            .label_style(TEXT)
            .axis_desc_style(TEXT)
            .x_desc("seconds")
            .y_desc("bit/s")
            .x_label_formatter(&|time| format!("{}.{}", time / 1000, time % 1000 / 100))
            .y_label_formatter(&|rate| short(*rate))
            .light_line_style(WHITE)
            .draw()?;
        for (time, words) in self.marks {
            let line = [(*time, 0), (*time, top)];
            chart
                .draw_series(LineSeries::new(line, MARK))?
                .label(format!("{}.{} s: {words}", time / 1000, time % 1000 / 100))
                .legend(|(x, y)| PathElement::new([(x + 8, y - 6), (x + 8, y + 6)], MARK));
        }
        if paths.len() > 1 {
            chart
                .draw_series(LineSeries::new(sum, SUM))?
                .label("all paths")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], SUM));
        }
        for (place, path) in paths.iter().enumerate() {
            let color = Palette99::pick(place).to_rgba();
            chart
                .draw_series(LineSeries::new(path.points.clone(), color.stroke_width(2)))?
                .label(&path.path)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .label_font(TEXT)
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        area.present()?;
        Ok(())
    }
}

/// The rates of all paths together at each time.
fn sum_of(paths: &[Rates]) -> Vec<(u64, u64)> {
    let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
    for (time, rate) in paths.iter().flat_map(|path| &path.points) {
        let sum = sums.entry(*time).or_default();
        *sum = sum.saturating_add(*rate);
    }
    sums.into_iter().collect()
}

/// `12.5 M` for an axis.
fn short(rate: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match units.into_iter().find(|(unit, _)| rate >= *unit) {
        Some((unit, letter)) => format!("{}.{} {letter}", rate / unit, rate % unit / (unit / 10)),
        None => rate.to_string(),
    }
}

#[cfg(test)]
mod tests;
