// SPDX-License-Identifier: GPL-2.0

//! Draws how the core's work grows: `growth SVG` reads the table of `scripts/bench-core` and writes the picture.

use anyhow::{anyhow, Context as _, Result};
use plotters::prelude::*;
use std::io::Read as _;
use std::path::Path;

/// A heading, what the horizontal axis counts and how far, and the lines: their name, and what stands before and
/// after the number in the names of the benches.
type Panel = (&'static str, &'static str, u32, &'static [Line]);
type Line = (&'static str, &'static str, &'static str);

const PANELS: [Panel; 2] = [
    (
        "a segment, its mapping, its place in the stream",
        "mappings in flight, runs behind gaps",
        4096,
        &[
            ("all for a segment", "segment/", ""),
            ("its mapping", "mapping/receive-", ""),
            ("looking up any sent", "mapping/send-", ""),
            ("joining any run", "reassembly/join-one-of-", "-runs"),
            ("a new run", "reassembly/renew-one-of-", "-runs"),
        ],
    ),
    (
        "who gets the next data, and how much",
        "paths",
        32,
        &[
            ("default", "scheduler/default-", "-paths"),
            ("blest", "scheduler/blest-", "-paths"),
            ("redundant", "scheduler/redundant-", "-paths"),
            ("lia", "congestion/lia-", "-subflows"),
            ("olia", "congestion/olia-", "-subflows"),
        ],
    ),
];

const TEXT: (&str, u32) = ("sans-serif", 15);

fn main() -> Result<()> {
    let picture = std::env::args().nth(1).context("usage: growth SVG")?;
    let mut table = String::new();
    std::io::stdin().read_to_string(&mut table)?;
    draw(&rows(&table), Path::new(&picture)).with_context(|| format!("cannot draw {picture}"))
}

/// Name and instructions of each bench.
fn rows(table: &str) -> Vec<(&str, u32)> {
    let cells = |line| str::split(line, '|').map(str::trim);
    let row = |line| {
        let mut cells = cells(line).skip(1);
        Some((cells.next()?, cells.next()?.parse().ok()?))
    };
    table.lines().filter_map(row).collect()
}

/// The points of a line: what is counted, and instructions.
fn points(rows: &[(&str, u32)], (_, before, after): Line) -> Vec<(u32, u32)> {
    let point = |(name, instructions): &(&str, u32)| {
        let count = name.strip_prefix(before)?.strip_suffix(after)?;
        Some((count.parse().ok()?, *instructions))
    };
    rows.iter().filter_map(point).collect()
}

fn draw(rows: &[(&str, u32)], picture: &Path) -> Result<()> {
    let root = SVGBackend::new(picture, (1200, 480)).into_drawing_area();
    draw_on(rows, &root).map_err(|error| anyhow!("{error}"))
}

fn draw_on(
    rows: &[(&str, u32)],
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
) -> Result<(), Box<dyn std::error::Error>> {
    root.fill(&WHITE)?;
    for (area, (heading, counted, end, lines)) in root.split_evenly((1, 2)).iter().zip(PANELS) {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| (line.0, points(rows, *line)))
            .collect();
        let all = lines.iter().flat_map(|(_, points)| points);
        let top = all.map(|(_, instructions)| *instructions).max();
        let top = top.ok_or("the table has none of these benches")?;
        let mut chart = ChartBuilder::on(area)
            .caption(heading, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d((1..end).log_scale().base(2.0), 0..top + top / 3)?;
        chart
            .configure_mesh()
            .label_style(TEXT)
            .axis_desc_style(TEXT)
            .x_desc(counted)
            .y_desc("instructions")
            .light_line_style(WHITE)
            .draw()?;
        for (place, (name, points)) in lines.into_iter().enumerate() {
            let colour = Palette99::pick(place).to_rgba();
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points, style).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        chart
            .configure_series_labels()
            .label_font(TEXT)
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_benches_that_differ_in_the_number_alone() {
        let table = "| a step of | instructions | time |\n|---|---|---|\n\
            | segment/merged | 3 | 1 ns |\n| segment/16 | 5 | 2 ns |\n| segment/64 | 6 | ? |\n\
            | scheduler/default-8-paths | 9 | 1 ns |\n";
        let rows = rows(table);
        assert_eq!(rows.len(), 4);
        assert_eq!(points(&rows, ("", "segment/", "")), [(16, 5), (64, 6)]);
        assert_eq!(
            points(&rows, ("", "scheduler/default-", "-paths")),
            [(8, 9)]
        );
        assert!(points(&rows, ("", "scheduler/blest-", "-paths")).is_empty());
    }
}
