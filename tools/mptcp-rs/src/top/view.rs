// SPDX-License-Identifier: GPL-2.0

//! The screen of `top`: a line for each connection, under it one for each path.

use super::sample::{
    bits,
    dash,
    milliseconds,
    ConnectionReport,
    PathReport,
    Report, //
};
use ratatui::{
    layout::{
        Constraint,
        Layout, //
    },
    style::{
        Modifier,
        Style, //
    },
    text::Line,
    widgets::{
        Row,
        Table, //
    },
    Frame, //
};

const HEADINGS: [&str; 6] = [
    "connection / path",
    "state",
    "out bit/s",
    "in bit/s",
    "rtt",
    "queue",
];

pub(super) fn draw(frame: &mut Frame<'_>, report: &Report) {
    let [title, body] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(frame.area());
    frame.render_widget(Line::from(summary(report)), title);
    let headings = HEADINGS.into_iter().chain(["cpu"]);
    let rows = report.connections.iter().flat_map(|connection| {
        let paths = connection.paths.iter().map(path_row);
        [connection_row(connection)].into_iter().chain(paths)
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(12),
        Constraint::Length(10),
        Constraint::Length(10),
        Constraint::Length(9),
        Constraint::Length(10),
        Constraint::Length(4),
    ];
    let table = Table::new(rows, widths)
        .header(Row::new(headings).style(Style::new().add_modifier(Modifier::REVERSED)));
    frame.render_widget(table, body);
}

fn summary(report: &Report) -> String {
    let connections = report.connections.iter();
    let (out, into) = connections.fold((0_u64, 0_u64), |(out, into), connection| {
        let (more_out, more_in) = connection.rates();
        (out.saturating_add(more_out), into.saturating_add(more_in))
    });
    let paths: usize = report
        .connections
        .iter()
        .map(|connection| connection.paths.len())
        .sum();
    format!(
        "connections {}, paths {paths}, out {}, in {}; q ends",
        report.connections.len(),
        bits(out),
        bits(into)
    )
}

fn connection_row(connection: &ConnectionReport) -> Row<'static> {
    let (out, into) = connection.rates();
    let queue = connection.queue;
    Row::new([
        connection.name(),
        connection.state.clone(),
        bits(out),
        bits(into),
        String::new(),
        queue.map_or_else(String::new, |queue| queue.to_string()),
        String::new(),
    ])
    .style(Style::new().add_modifier(Modifier::BOLD))
}

fn path_row(path: &PathReport) -> Row<'static> {
    let queue = path.queue;
    Row::new([
        format!("  {}", path.name()),
        String::new(),
        bits(path.rate_out),
        bits(path.rate_in),
        path.rtt.map_or_else(dash, milliseconds),
        queue.map_or_else(dash, |queue| queue.to_string()),
        path.cpu.clone().unwrap_or_else(dash),
    ])
}

#[cfg(test)]
mod tests;
