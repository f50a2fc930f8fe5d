// SPDX-License-Identifier: GPL-2.0

//! Two looks at the same paths, and what happened in between.

use crate::connections::{
    table::Row,
    Path, //
};
use serde_json::{
    json,
    Value, //
};
use std::{
    net::SocketAddr,
    time::Duration, //
};

/// The paths at one time.
pub(super) struct Sample {
    time: Duration,
    paths: Vec<Path>,
}

impl Sample {
    /// `time` counts from the first look.
    pub(super) fn new(time: Duration, paths: Vec<Path>) -> Self {
        Self { time, paths }
    }

    pub(super) fn time(&self) -> Duration {
        self.time
    }
}

/// What a path did since the look before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathReport {
    pub(super) ends: Option<(SocketAddr, SocketAddr)>,
    /// Payload bytes sent once, and received, since the path began.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Bits per second since the look before.
    pub(super) rate_out: u64,
    pub(super) rate_in: u64,
    /// Microseconds.
    pub(super) rtt: Option<u32>,
    /// Bytes that the peer has not acknowledged.
    pub(super) queue: Option<u32>,
    pub(super) cpu: Option<String>,
}

/// What a connection did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectionReport {
    pub(super) token: Option<u32>,
    pub(super) state: String,
    /// Bytes written and not acknowledged at the data level.
    pub(super) queue: Option<u64>,
    pub(super) paths: Vec<PathReport>,
}

/// All connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) time: Duration,
    pub(super) connections: Vec<ConnectionReport>,
}

impl Report {
    pub(super) fn between(before: &Sample, now: &Sample) -> Self {
        let elapsed = now.time.saturating_sub(before.time);
        let mut connections: Vec<ConnectionReport> = Vec::new();
        for path in &now.paths {
            let earlier = before
                .paths
                .iter()
                .find(|earlier| earlier.row.ends() == path.row.ends());
            let report = PathReport::between(earlier, path, elapsed);
            let token = path.row.token();
            let known = connections
                .iter_mut()
                .find(|known| known.token.is_some() && known.token == token);
            match known {
                Some(connection) => connection.paths.push(report),
                None => connections.push(ConnectionReport {
                    token,
                    state: path.row.value("state").unwrap_or("-").to_owned(),
                    queue: data_queue(&path.row),
                    paths: vec![report],
                }),
            }
        }
        Self {
            time: now.time,
            connections,
        }
    }

    /// Lines for a file: one for each path.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.each_path().map(|(connection, path)| {
            let words = [
                format!("{}.{:03}", self.time.as_secs(), self.time.subsec_millis()),
                path.name(),
                format!("token {}", connection.name()),
                format!("out {}", bits(path.rate_out)),
                format!("in {}", bits(path.rate_in)),
                format!("rtt {}", path.rtt.map_or_else(dash, milliseconds)),
                format!(
                    "queue {}",
                    path.queue.map_or_else(dash, |queue| queue.to_string())
                ),
                format!("cpu {}", path.cpu.clone().unwrap_or_else(dash)),
            ];
            words.join(" ")
        });
        lines.collect()
    }

    /// A value for each path: time in seconds, its name and the payload bytes that it carried since it began.
    pub(super) fn to_json(&self) -> Vec<Value> {
        let millis = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX);
        let values = self.each_path().map(|(connection, path)| {
            json!({
                "time": millis,
                "path": path.name(),
                "bytes": path.sent.saturating_add(path.received),
                "token": connection.name(),
                "sent": path.sent,
                "received": path.received,
                "rate_out": path.rate_out,
                "rate_in": path.rate_in,
                "rtt": path.rtt,
                "queue": path.queue,
                "cpu": path.cpu,
            })
        });
        values.collect()
    }

    fn each_path(&self) -> impl Iterator<Item = (&ConnectionReport, &PathReport)> {
        self.connections.iter().flat_map(|connection| {
            let paths = connection.paths.iter();
            paths.map(move |path| (connection, path))
        })
    }
}

impl PathReport {
    fn between(before: Option<&Path>, now: &Path, elapsed: Duration) -> Self {
        let before = before.and_then(carried).unwrap_or_default();
        let (sent, received) = carried(now).unwrap_or_default();
        let tcp = now.tcp.as_ref();
        Self {
            ends: now.row.ends(),
            sent,
            received,
            rate_out: rate(sent.saturating_sub(before.0), elapsed),
            rate_in: rate(received.saturating_sub(before.1), elapsed),
            rtt: tcp.map(|tcp| tcp.rtt),
            queue: tcp.map(|tcp| tcp.send_queue),
            cpu: now.row.value("cpu").map(str::to_owned),
        }
    }

    /// `LOCAL-REMOTE`.
    pub(super) fn name(&self) -> String {
        match self.ends {
            Some((local, remote)) => format!("{local}-{remote}"),
            None => dash(),
        }
    }
}

impl ConnectionReport {
    /// The token as it is printed everywhere.
    pub(super) fn name(&self) -> String {
        self.token.map_or_else(dash, |token| format!("{token:08x}"))
    }

    /// Bits per second of all paths, out and in.
    pub(super) fn rates(&self) -> (u64, u64) {
        self.paths.iter().fold((0, 0), |(out, into), path| {
            (
                out.saturating_add(path.rate_out),
                into.saturating_add(path.rate_in),
            )
        })
    }
}

/// Payload bytes that a path sent, repeated ones not counted, and received.
fn carried(path: &Path) -> Option<(u64, u64)> {
    let tcp = path.tcp.as_ref()?;
    let sent = tcp.bytes_sent.saturating_sub(tcp.bytes_retransmitted);
    Some((sent, tcp.bytes_received))
}

fn data_queue(row: &Row) -> Option<u64> {
    let number = |name| row.value(name)?.parse::<u64>().ok();
    Some(number("snd_end")?.wrapping_sub(number("snd_una")?))
}

/// Bits per second.
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    let bits = u128::from(bytes).saturating_mul(8_000_000);
    let rate = bits.checked_div(elapsed.as_micros()).unwrap_or_default();
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// `12.3M`: bits per second in the unit that keeps it short.
pub(super) fn bits(rate: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match units.into_iter().find(|(unit, _)| rate >= *unit) {
        Some((unit, letter)) => format!("{}.{}{letter}", rate / unit, rate % unit / (unit / 10)),
        None => rate.to_string(),
    }
}

/// `12.3ms` of microseconds.
pub(super) fn milliseconds(microseconds: u32) -> String {
    format!("{}.{}ms", microseconds / 1000, microseconds % 1000 / 100)
}

pub(super) fn dash() -> String {
    "-".to_owned()
}

#[cfg(test)]
pub(crate) mod tests;
