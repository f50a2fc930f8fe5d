// SPDX-License-Identifier: GPL-2.0

//! `top`: connections and their paths, looked at again and again.

mod sample;
mod view;

use crate::{
    arguments::TopOptions,
    connections,
    output::{
        self,
        Output, //
    },
    stack::Stack, //
};
use anyhow::Result;
use ratatui::{
    crossterm::event::{
        self,
        Event,
        KeyCode,
        KeyEvent,
        KeyEventKind,
        KeyModifiers, //
    },
    DefaultTerminal, //
};
use sample::{
    Report,
    Sample, //
};
use serde_json::Value;
use std::{
    io::{
        self,
        IsTerminal, //
    },
    thread,
    time::{
        Duration,
        Instant, //
    }, //
};

pub(crate) fn run(options: &TopOptions, stack: Stack, out: &Output) -> Result<()> {
    let mut watch = Watch::start(options, stack)?;
    if out.is_json() || !io::stdout().is_terminal() {
        return print_reports(&mut watch, out);
    }
    let terminal = ratatui::init();
    let result = show_reports(&mut watch, terminal);
    ratatui::restore();
    result
}

/// The look that was taken last, and when the next is due.
struct Watch {
    stack: Stack,
    interval: Duration,
    left: Option<u32>,
    started: Instant,
    last: Sample,
}

impl Watch {
    fn start(options: &TopOptions, stack: Stack) -> Result<Self> {
        let started = Instant::now();
        Ok(Self {
            stack,
            interval: Duration::from_millis(options.interval),
            left: options.count,
            started,
            last: Sample::new(Duration::ZERO, connections::read(stack)?),
        })
    }

    /// Time until the next look.
    fn pause(&self) -> Duration {
        let due = self.last.time() + self.interval;
        due.saturating_sub(self.started.elapsed())
    }

    /// Takes a look and tells what changed since the last; nothing when it was the last that was wanted.
    fn look(&mut self) -> Result<Option<Report>> {
        if self.left == Some(0) {
            return Ok(None);
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        let paths = connections::read(self.stack)?;
        let now = Sample::new(self.started.elapsed(), paths);
        let report = Report::between(&self.last, &now);
        self.last = now;
        Ok(Some(report))
    }
}

/// Lines for a file or a pipe.
fn print_reports(watch: &mut Watch, out: &Output) -> Result<()> {
    loop {
        thread::sleep(watch.pause());
        let Some(report) = watch.look()? else {
            return Ok(());
        };
        if out.is_json() {
            output::write_all(report.to_json().iter().map(Value::to_string))?;
        } else {
            output::write_all(report.lines().into_iter())?;
        }
    }
}

/// A screen that is drawn anew, until somebody presses q.
fn show_reports(watch: &mut Watch, mut terminal: DefaultTerminal) -> Result<()> {
    let mut report = Report::default();
    loop {
        terminal.draw(|frame| view::draw(frame, &report))?;
        if event::poll(watch.pause())? {
            match event::read()? {
                Event::Key(key) if ends(key) => return Ok(()),
                _ => continue,
            }
        }
        match watch.look()? {
            Some(next) => report = next,
            None => return Ok(()),
        }
    }
}

fn ends(key: KeyEvent) -> bool {
    let interrupted =
        key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
    key.kind == KeyEventKind::Press
        && (interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}
