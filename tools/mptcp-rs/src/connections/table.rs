// SPDX-License-Identifier: GPL-2.0

//! The file /proc/net/mptcp_rs/connections: a line of headings, then a line for each subflow.

use serde_json::{
    json,
    Map,
    Value, //
};

/// Columns that tell of the subflow; all others tell of its connection.
const OF_SUBFLOW: [&str; 2] = ["local", "remote"];
/// The column that tells which connection it is.
const TOKEN: &str = "token";

/// The line of a subflow: headings and values, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row(Vec<(String, String)>);

/// A connection and its subflows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    about: Row,
    subflows: Vec<Row>,
}

/// Reads the file. What a later version adds as columns is kept, lines that end early keep what they have.
pub(super) fn parse(text: &str) -> Vec<Row> {
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
pub(super) fn group(rows: Vec<Row>) -> Vec<Connection> {
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
    /// Our token of the connection.
    pub(super) fn token(&self) -> Option<u32> {
        u32::from_str_radix(self.value(TOKEN)?, 16).ok()
    }

    /// `LOCAL REMOTE token TOKEN`, and what else tells of the subflow.
    pub(super) fn line(&self) -> String {
        let (subflow, connection) = self.clone().split();
        let token = connection.value(TOKEN).unwrap_or("?");
        format!("{} token {token}", subflow.words())
    }

    pub(super) fn to_json(&self) -> Value {
        let (mut subflow, connection) = self.clone().split();
        subflow
            .0
            .extend(connection.0.into_iter().filter(|(name, _)| name == TOKEN));
        subflow.fields().into()
    }

    /// What tells of the subflow, and what tells of the connection.
    fn split(self) -> (Self, Self) {
        let (subflow, connection) = self
            .0
            .into_iter()
            .partition(|(name, _)| OF_SUBFLOW.contains(&name.as_str()));
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
            let number = value.parse::<u64>().ok().filter(|_| name != TOKEN);
            (
                name.clone(),
                number.map_or_else(|| json!(value), Value::from),
            )
        });
        fields.collect()
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(heading, _)| heading == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Connection {
    /// A line for the connection and, under it, one for each subflow.
    pub(super) fn lines(&self) -> String {
        let paths = self.subflows.iter().map(|row| format!("  {}", row.words()));
        let lines = [self.about.words()].into_iter().chain(paths);
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let mut fields = self.about.fields();
        let paths = self.subflows.iter().map(Row::fields).collect();
        fields.insert("paths".to_owned(), paths);
        fields.into()
    }
}

#[cfg(test)]
mod tests;
