// SPDX-License-Identifier: GPL-2.0

//! `counters`: what happened in this network namespace.

use crate::{
    arguments::CounterSelection,
    output::Output,
    stack::Stack, //
};
use anyhow::{
    Context,
    Result, //
};
use serde_json::{
    Map,
    Value, //
};
use std::{
    fs,
    path::Path, //
};

/// The group of /proc/net/netstat in which the kernel's own Multipath TCP counts.
const KERNEL_GROUP: &str = "MPTcpExt:";

pub(crate) fn show(stack: Stack, selection: &CounterSelection, out: &Output) -> Result<()> {
    let counters: Vec<_> = read(stack)?
        .into_iter()
        .filter(|(name, value)| selection.has(name, *value))
        .collect();
    out.lines(
        || {
            counters
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
        },
        || {
            let fields = counters.iter();
            let fields: Map<_, _> = fields
                .map(|(name, value)| (name.clone(), Value::from(*value)))
                .collect();
            fields.into()
        },
    )
}

impl CounterSelection {
    fn has(&self, name: &str, value: u64) -> bool {
        let name = name.to_lowercase();
        let named = |pattern: &String| name.contains(&pattern.to_lowercase());
        (self.zeros || value != 0) && (self.patterns.is_empty() || self.patterns.iter().any(named))
    }
}

fn read(stack: Stack) -> Result<Vec<(String, u64)>> {
    match stack {
        Stack::Module => Ok(parse_pairs(&read_file(&Stack::module_file("counters"))?)),
        Stack::Kernel => parse_group(&read_file(Path::new("/proc/net/netstat"))?, KERNEL_GROUP)
            .context("neither the module is loaded nor has this kernel a Multipath TCP of its own"),
    }
}

fn read_file(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read: is the module loaded?", path.display()))
}

/// `Name value` lines; others are passed over.
fn parse_pairs(text: &str) -> Vec<(String, u64)> {
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        })
        .collect()
}

/// The group's line of names and its line of values.
fn parse_group(text: &str, group: &str) -> Option<Vec<(String, u64)>> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(group));
    let names = lines.next()?.split_whitespace();
    let values = lines.next()?.split_whitespace();
    names
        .zip(values)
        .map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
