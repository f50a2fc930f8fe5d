// SPDX-License-Identifier: GPL-2.0

//! Lines for people, or JSON for programs.

use anyhow::Result;
use serde_json::Value;
use std::io::{
    self,
    Write, //
};

/// Stands for a value that there is not.
const NONE: &str = "-";

/// Where a command writes to, and how.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints entries: a line each, or one array.
    pub(crate) fn list<T>(
        &self,
        entries: &[T],
        line: impl Fn(&T) -> String,
        json: impl Fn(&T) -> Value,
    ) -> Result<()> {
        self.lines(
            || entries.iter().map(line),
            || entries.iter().map(json).collect(),
        )
    }

    /// Prints one thing: a line, or one JSON value.
    pub(crate) fn one(
        &self,
        line: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<()> {
        self.lines(|| [line()].into_iter(), json)
    }

    /// Prints lines, or one JSON value on a line of its own.
    pub(crate) fn lines<I: Iterator<Item = String>>(
        &self,
        lines: impl FnOnce() -> I,
        json: impl FnOnce() -> Value,
    ) -> Result<()> {
        if self.json {
            return write(&json().to_string());
        }
        write_all(lines())
    }
}

/// Prints lines as they are.
pub(crate) fn write_all(mut lines: impl Iterator<Item = String>) -> Result<()> {
    lines.try_for_each(|line| write(&line))
}

/// A word of the kernel as JSON: a number, nothing for a dash, or a string.
pub(crate) fn value_of(word: &str) -> Value {
    match word.parse::<u64>() {
        Ok(number) => number.into(),
        Err(_) if word == NONE => Value::Null,
        Err(_) => word.into(),
    }
}

/// A line goes out at once, so that a reader behind a pipe need not wait for it.
fn write(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Whether the reader of the output went away, which is no fault.
pub(crate) fn is_closed(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
