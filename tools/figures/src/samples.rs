// SPDX-License-Identifier: GPL-2.0

//! Counts of bytes at some times, and the rates between them.

use anyhow::{
    bail,
    Context,
    Result, //
};
use serde::Deserialize;

/// What a path had carried at a time.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Milliseconds since the start.
    pub(crate) time: u64,
    /// The name of the path.
    pub(crate) path: String,
    /// Bytes carried until then.
    pub(crate) bytes: u64,
}

/// The rates of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) path: String,
    /// Times in milliseconds, and the bits per second around each.
    pub(crate) points: Vec<(u64, u64)>,
}

/// Reads lines of JSON.
pub(crate) fn parse(text: &str) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let sample = serde_json::from_str(line)
            .with_context(|| format!("line {number} is no sample: {line:?}"))?;
        samples.push(sample);
    }
    if samples.is_empty() {
        bail!("there are no samples to draw");
    }
    Ok(samples)
}

/// The mean rate of each path in each step of so many milliseconds, paths in the order in which they appear. A path
/// that is silent has the rate 0 from its first sample to the last of all.
pub(crate) fn rates(samples: &[Sample], step: u64) -> Vec<Rates> {
    let times = samples.iter().map(|sample| sample.time);
    let last = times.clone().max().unwrap_or_default();
    let first = times.min().unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for sample in samples {
        if !names.contains(&sample.path.as_str()) {
            names.push(&sample.path);
        }
    }
    let rates = names.into_iter().map(|name| {
        let mut counts: Vec<_> = samples
            .iter()
            .filter(|sample| sample.path == name)
            .map(|sample| (sample.time, sample.bytes))
            .collect();
        counts.sort_unstable();
        Rates {
            path: name.to_owned(),
            points: points(&counts, first, last, step),
        }
    });
    rates.collect()
}

fn points(counts: &[(u64, u64)], first: u64, last: u64, step: u64) -> Vec<(u64, u64)> {
    let mut points = Vec::new();
    let mut begin = first;
    while begin < last {
        let end = begin.saturating_add(step).min(last);
        let carried = carried_until(counts, end).saturating_sub(carried_until(counts, begin));
        let bits = u128::from(carried).saturating_mul(8000);
        let rate = bits.checked_div(u128::from(end.saturating_sub(begin)));
        let middle = begin.midpoint(end);
        points.push((
            middle,
            u64::try_from(rate.unwrap_or_default()).unwrap_or(u64::MAX),
        ));
        begin = end;
    }
    points
}

/// Bytes carried until a time, as if they had flown evenly between two samples.
fn carried_until(counts: &[(u64, u64)], time: u64) -> u64 {
    let after = counts.partition_point(|(sampled, _)| *sampled <= time);
    let before = after.checked_sub(1).and_then(|place| counts.get(place));
    match (before, counts.get(after)) {
        (Some(&(begin, low)), Some(&(end, high))) => {
            let grown = u128::from(high.saturating_sub(low));
            let part = grown.saturating_mul(u128::from(time.saturating_sub(begin)));
            let part = part.checked_div(u128::from(end.saturating_sub(begin)));
            low.saturating_add(u64::try_from(part.unwrap_or_default()).unwrap_or(u64::MAX))
        }
        (Some(&(_, low)), None) => low,
        (None, Some(&(_, high))) => high,
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests;
