// SPDX-License-Identifier: GPL-2.0

//! Processors as the kernel lists them and as it wants masks of them.

use anyhow::{
    Context,
    Result, //
};
use std::ops::RangeInclusive;

/// More processors than any Linux has.
const MOST: u32 = 1 << 16;

/// The mask of a list such as `0-3,8`: 32 processors a group in hexadecimal digits, the highest first.
pub(super) fn mask_of_list(list: &str) -> Result<String> {
    let ranges = list.trim().split(',').map(range);
    let ranges: Vec<_> = ranges
        .collect::<Option<_>>()
        .with_context(|| format!("{list:?} is no list of processors"))?;
    let highest = ranges.iter().map(|range| *range.end()).max();
    let groups = (0..=highest.unwrap_or_default() / 32).rev().map(|group| {
        let bits = (0..32_u32).filter(|bit| {
            let processor = group.saturating_mul(32).saturating_add(*bit);
            ranges.iter().any(|range| range.contains(&processor))
        });
        format!("{:08x}", bits.fold(0_u32, |mask, bit| mask | 1 << bit))
    });
    Ok(groups.collect::<Vec<_>>().join(","))
}

fn range(words: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = words.split_once('-').unwrap_or((words, words));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < MOST).then_some(first..=last)
}

#[cfg(test)]
mod tests;
