// SPDX-License-Identifier: GPL-2.0

//! The file /proc/net/mptcp_rs/connections: a line of headings, then a line for each subflow.

use crate::output::value_of;
use serde_json::{
    json,
    Map,
    Value, //
};
use std::net::SocketAddr;

/// Columns that tell of the subflow; all others tell of its connection.
const OF_SUBFLOW: [&str; 19] = [
    "local",
    "remote",
    "id",
    "local_id",
    "remote_id",
    "backup",
    "stale",
    "cpu",
    "steered",
    "strayed",
    "rtt",
    "min_rtt",
    "cwnd",
    "bytes_sent",
    "bytes_retrans",
    "bytes_received",
    "send_queue",
    "receive_queue",
    "congestion",
];
/// The column that tells which connection it is.
const TOKEN: &str = "token";

/// The line of a subflow: headings and values, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row(Vec<(String, String)>);

/// A connection and its subflows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    about: Row,
    subflows: Vec<Row>,
}

/// Reads the file. What a later version adds as columns is kept, lines that end early keep what they have.
pub(crate) fn parse(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let headings: Vec<_> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let values = line.split_whitespace().map(str::to_owned);
            let headings = headings.iter().map(|heading| (*heading).to_owned());
            Row(headings.zip(values).collect())
        })
        .collect()
}

/// Brings the subflows of each connection together, in the order in which the connections appear.
pub(crate) fn group(rows: Vec<Row>) -> Vec<Connection> {
    let mut connections: Vec<Connection> = Vec::new();
    for row in rows {
        let (subflow, about) = row.split();
        let known = connections
            .iter_mut()
            .find(|known| about.token().is_some() && known.about.token() == about.token());
        match known {
            Some(connection) => connection.subflows.push(subflow),
            None => connections.push(Connection {
                about,
                subflows: vec![subflow],
            }),
        }
    }
    connections
}

impl Row {
    pub(crate) fn new<const N: usize>(columns: [(&str, String); N]) -> Self {
        let mut row = Self(Vec::new());
        row.extend(columns);
        row
    }

    /// Adds columns.
    pub(crate) fn extend<'a>(&mut self, columns: impl IntoIterator<Item = (&'a str, String)>) {
        let columns = columns.into_iter();
        self.0
            .extend(columns.map(|(name, value)| (name.to_owned(), value)));
    }

    /// Our token of the connection.
    pub(crate) fn token(&self) -> Option<u32> {
        u32::from_str_radix(self.value(TOKEN)?, 16).ok()
    }

    /// Both ends of the subflow.
    pub(crate) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let end = |name| -> Option<SocketAddr> {
            let end: SocketAddr = self.value(name)?.parse().ok()?;
            Some(SocketAddr::new(end.ip().to_canonical(), end.port()))
        };
        Some((end("local")?, end("remote")?))
    }

    /// The value of a column.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(heading, _)| heading == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `LOCAL REMOTE token TOKEN`, and what else tells of the subflow.
    pub(crate) fn line(&self) -> String {
        self.without_connection().words()
    }

    pub(crate) fn to_json(&self) -> Value {
        self.without_connection().fields().into()
    }

    fn without_connection(&self) -> Self {
        let columns = self.0.iter();
        let kept = columns.filter(|(name, _)| name == TOKEN || is_of_subflow(name));
        Self(kept.cloned().collect())
    }

    /// What tells of the subflow, and what tells of the connection.
    fn split(self) -> (Self, Self) {
        let (subflow, connection) = self
            .0
            .into_iter()
            .partition(|(name, _)| is_of_subflow(name));
        (Self(subflow), Self(connection))
    }

    /// `LOCAL REMOTE`, then each name with its value.
    fn words(&self) -> String {
        let words = self.0.iter().map(|(name, value)| match name.as_str() {
            "local" | "remote" => value.clone(),
            _ => format!("{name} {value}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Values by their names: numbers as numbers, but tokens as they are printed.
    fn fields(&self) -> Map<String, Value> {
        let fields = self.0.iter().map(|(name, value)| {
            let value = match name.as_str() {
                TOKEN => json!(value),
                _ => value_of(value),
            };
            (name.clone(), value)
        });
        fields.collect()
    }
}

fn is_of_subflow(column: &str) -> bool {
    OF_SUBFLOW.contains(&column)
}

impl Connection {
    /// A line for the connection and, under it, one for each subflow.
    pub(crate) fn lines(&self) -> String {
        let paths = self.subflows.iter().map(|row| format!("  {}", row.words()));
        let lines = [self.about.words()].into_iter().chain(paths);
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut fields = self.about.fields();
        let paths = self.subflows.iter().map(Row::fields).collect();
        fields.insert("paths".to_owned(), paths);
        fields.into()
    }
}

#[cfg(test)]
mod tests;
