// SPDX-License-Identifier: GPL-2.0

//! Draws what the cache plugin counted: `caches SVG PHASES CACHES [PHASES CACHES]...` reads, for each run, a line of
//! JSON for each measurement and for each phase, writes the picture, and prints the numbers as tables in Markdown.
//! Of several runs it takes the medians.

use anyhow::{anyhow, Context as _, Result};
use plotters::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is drawn: heading, and the names of the counts that are summed.
const PANELS: [(&str, &[&str]); 4] = [
    ("first-level misses", &["l1_misses"]),
    ("of these after a write elsewhere", &["coherence_misses"]),
    ("second-level misses", &["l2_misses"]),
    ("copies taken from other processors", &["invalidations"]),
];

/// In the order of the table's columns.
const MODES: [&str; 5] = ["off", "builtin", "follow", "pin", "spread"];

const COLOURS: [RGBColor; 5] = [
    RGBColor(120, 120, 120),
    RGBColor(214, 111, 39),
    RGBColor(31, 104, 173),
    RGBColor(44, 140, 76),
    RGBColor(140, 66, 158),
];

/// By panel, mode and number of subflows: events per MiB received.
type Numbers = BTreeMap<(usize, usize, u64), u32>;

/// What was counted, by run.
#[derive(Default)]
struct Counted {
    /// By panel, mode and number of subflows, on all receiving processors.
    together: BTreeMap<(usize, usize, u64), Vec<u32>>,
    /// By panel, number of subflows, processor and mode.
    apart: BTreeMap<(usize, u64, usize, usize), Vec<u32>>,
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let usage = "usage: caches SVG PHASES CACHES [PHASES CACHES]...";
    let (picture, files) = arguments.split_first().context(usage)?;
    let mut counted = Counted::default();
    for run in files.chunks(2) {
        let [phases, caches] = run else {
            return Err(anyhow!(usage));
        };
        counted.add(&lines(phases)?, &lines(caches)?)?;
    }
    let numbers: Numbers = counted.together.iter().map(with_median).collect();
    draw(&numbers, Path::new(picture)).with_context(|| format!("cannot draw {picture}"))?;
    print!("{}\n{}", table(&numbers), table_apart(&counted));
    Ok(())
}

fn with_median<K: Copy>((key, values): (&K, &Vec<u32>)) -> (K, u32) {
    (*key, median(values))
}

/// The middle one, or the lower of the two in the middle.
fn median(values: &[u32]) -> u32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or_default()
}

fn lines(path: &str) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{path}: {line}")))
        .collect()
}

impl Counted {
    /// Joins a run's measurements with what was counted in their phases. Processor 0 sends, so it does not count.
    fn add(&mut self, phases: &[Value], caches: &[Value]) -> Result<()> {
        for phase in phases {
            let number = |name: &str| {
                let value = phase[name].as_u64();
                value.with_context(|| format!("a measurement without {name}"))
            };
            let (id, subflows, bytes) = (number("phase")?, number("subflows")?, number("bytes")?);
            let Some(mode) = MODES.iter().position(|mode| phase["mode"] == **mode) else {
                continue;
            };
            let counted = caches.iter().find(|line| line["phase"] == id);
            let counted = counted.with_context(|| format!("phase {id} was not counted"))?;
            let processors = counted["processors"].as_array();
            for (panel, (_, names)) in PANELS.iter().enumerate() {
                let mut together = 0u64;
                for (processor, counts) in processors.into_iter().flatten().enumerate().skip(1) {
                    let events = names.iter().filter_map(|name| counts[*name].as_u64()).sum();
                    let apart = self.apart.entry((panel, subflows, processor, mode));
                    apart.or_default().push(per_mebibyte(events, bytes)?);
                    together = together.saturating_add(events);
                }
                let sums = self.together.entry((panel, mode, subflows));
                sums.or_default().push(per_mebibyte(together, bytes)?);
            }
        }
        Ok(())
    }
}

/// Rounded down: there are thousands.
fn per_mebibyte(events: u64, bytes: u64) -> Result<u32> {
    let shifted = events
        .checked_mul(1 << 20)
        .and_then(|events| events.checked_div(bytes));
    Ok(u32::try_from(shifted.context("no bytes were counted")?)?)
}

fn subflows(numbers: &Numbers) -> Vec<u64> {
    let mut all: Vec<_> = numbers.keys().map(|(_, _, subflows)| *subflows).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn table(numbers: &Numbers) -> String {
    let mut text = format!(
        "| events per MiB received | subflows | {} |\n",
        MODES.join(" | ")
    );
    text += "|---|---|---|---|---|---|---|\n";
    for (panel, (heading, _)) in PANELS.iter().enumerate() {
        for count in subflows(numbers) {
            let cells: Vec<_> = (0..MODES.len())
                .map(|mode| match numbers.get(&(panel, mode, count)) {
                    Some(number) => format!("{number}"),
                    None => String::new(),
                })
                .collect();
            text += &format!("| {heading} | {count} | {} |\n", cells.join(" | "));
        }
    }
    text
}

/// The same by processor.
fn table_apart(counted: &Counted) -> String {
    let mut text = format!(
        "| events per MiB received | subflows | processor | {} |\n|---|---|---|---|---|---|---|---|\n",
        MODES.join(" | ")
    );
    let rows: BTreeSet<_> = counted
        .apart
        .keys()
        .map(|(a, b, c, _)| (*a, *b, *c))
        .collect();
    for (panel, subflows, processor) in rows {
        let cells = (0..MODES.len()).map(|mode| {
            let values = counted.apart.get(&(panel, subflows, processor, mode));
            values.map_or_else(String::new, |values| median(values).to_string())
        });
        let cells: Vec<_> = cells.collect();
        let heading = PANELS[panel].0;
        let row = cells.join(" | ");
        text += &format!("| {heading} | {subflows} | {processor} | {row} |\n");
    }
    text
}

fn draw(numbers: &Numbers, path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, (900, 680)).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((2, 2));
    let counts = subflows(numbers);
    for (panel, area) in panels.iter().enumerate() {
        let of_panel = numbers.iter().filter(|((of, _, _), _)| *of == panel);
        let highest = of_panel.map(|(_, number)| *number).max().unwrap_or(0);
        let top = f64::from(highest.saturating_add(highest / 10).max(1));
        let mut chart = ChartBuilder::on(area)
            .caption(PANELS[panel].0, ("sans-serif", 17))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..place(counts.len(), 0)?, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_desc("per MiB received")
            .draw()?;
        for (mode, name) in MODES.iter().enumerate() {
            let colour = COLOURS[mode];
            let bars = counts.iter().enumerate().filter_map(|(group, count)| {
                let (left, right) = (place(group, mode).ok()?, place(group, mode + 1).ok()?);
                let top = f64::from(*numbers.get(&(panel, mode, *count))?);
                Some(Rectangle::new([(left, 0.0), (right, top)], colour.filled()))
            });
            let series = chart.draw_series(bars)?;
            if panel == 0 {
                series.label(*name).legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled())
                });
            }
        }
        if panel == 0 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE.mix(0.8))
                .draw()?;
        }
        name_groups(area, &counts)?;
    }
    root.present()?;
    Ok(())
}

/// Where the bar of a mode begins in its group.
fn place(group: usize, mode: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(group * (MODES.len() + 1) + mode)?))
}

/// Writes the number of subflows under each group of bars.
fn name_groups(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    counts: &[u64],
) -> Result<()> {
    let (width, height) = area.dim_in_pixel();
    let (left, right) = (72, i32::try_from(width)? - 10);
    let step = (right - left) / i32::try_from(counts.len().max(1))?;
    for (group, count) in counts.iter().enumerate() {
        let middle = left + step * i32::try_from(group)? + step * 5 / 12;
        let words = match count {
            1 => "1 subflow".to_owned(),
            more => format!("{more} subflows"),
        };
        let style = ("sans-serif", 13).into_text_style(area);
        area.draw_text(&words, &style, (middle - 28, i32::try_from(height)? - 36))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{median, Counted};
    use serde_json::json;

    #[test]
    fn the_median_is_one_of_the_values() {
        for (values, middle) in [
            (&[][..], 0),
            (&[7][..], 7),
            (&[9, 1][..], 1),
            (&[9, 1, 4][..], 4),
        ] {
            assert_eq!(median(values), middle, "{values:?}");
        }
    }

    #[test]
    fn runs_are_counted_apart_and_the_sender_not_at_all() {
        let mut counted = Counted::default();
        for misses in [3, 5] {
            let phases = [json!({"phase": 1, "mode": "pin", "subflows": 2, "bytes": 1 << 20})];
            let of = |misses: u64| json!({"l1_misses": misses, "l2_misses": 1});
            let caches = [json!({"phase": 1, "processors": [of(99), of(misses), of(10)]})];
            counted.add(&phases, &caches).unwrap();
        }
        assert_eq!(counted.together[&(0, 3, 2)], [13, 15]);
        assert_eq!(counted.apart[&(0, 2, 1, 3)], [3, 5]);
        assert_eq!(counted.apart[&(0, 2, 2, 3)], [10, 10]);
        assert!(!counted.apart.contains_key(&(0, 2, 0, 3)));
        assert!(counted
            .add(&[json!({"phase": 1, "mode": "pin"})], &[])
            .is_err());
    }
}
