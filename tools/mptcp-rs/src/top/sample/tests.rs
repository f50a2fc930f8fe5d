// SPDX-License-Identifier: GPL-2.0

use super::{
    bits,
    milliseconds,
    rate,
    Report,
    Sample, //
};
use crate::connections::{
    table,
    tests::socket,
    Path, //
};
use std::time::Duration;

const TEXT: &str = "\
local remote token state snd_una snd_end cpu
10.0.0.1:1 10.0.0.2:2 ab Established 100 150 1
10.0.1.1:1 10.0.1.2:2 ab Established 100 150 -
";

fn sample(seconds: u64, sent: u64) -> Sample {
    let paths = table::parse(TEXT).into_iter().map(|row| {
        let (local, remote) = row.ends().expect("both ends");
        let mut tcp = socket(&local.to_string(), &remote.to_string());
        tcp.bytes_sent = sent + 1000;
        tcp.bytes_retransmitted = 1000;
        Path {
            row,
            tcp: Some(tcp),
        }
    });
    Sample::new(Duration::from_secs(seconds), paths.collect())
}

/// Between two looks, two seconds apart, in which each path sent 250 kB.
pub(crate) fn report() -> Report {
    Report::between(&sample(1, 10_000), &sample(3, 260_000))
}

#[test]
fn paths_of_a_connection_together() {
    let report = report();
    assert_eq!(report.connections.len(), 1);
    let connection = &report.connections[0];
    assert_eq!((connection.token, connection.queue), (Some(0xab), Some(50)));
    assert_eq!(connection.rates(), (2_000_000, 0));
    assert_eq!(connection.paths[0].rate_out, 1_000_000);
    assert_eq!(connection.paths[0].cpu.as_deref(), Some("1"));
}

#[test]
fn lines_for_a_file() {
    assert_eq!(
        report().lines()[1],
        "3.000 10.0.1.1:1-10.0.1.2:2 token 000000ab out 1.0M in 0 rtt 3.0ms queue 2 cpu -"
    );
}

#[test]
fn values_for_a_figure() {
    let value = &report().to_json()[0];
    assert_eq!(value["time"], 3000);
    assert_eq!(value["path"], "10.0.0.1:1-10.0.0.2:2");
    assert_eq!(value["bytes"], 260_008);
}

#[test]
fn new_paths_count_from_nothing_and_gone_ones_are_gone() {
    let nothing = Sample::new(Duration::from_secs(1), Vec::new());
    let report = Report::between(&nothing, &sample(2, 1000));
    assert_eq!(report.connections[0].paths[0].rate_out, 8000);
    assert!(Report::between(&sample(1, 0), &nothing)
        .connections
        .is_empty());
}

#[test]
fn rates_of_any_time() {
    assert_eq!(rate(125, Duration::from_millis(1)), 1_000_000);
    assert_eq!(rate(125, Duration::ZERO), 0);
    assert_eq!(rate(u64::MAX, Duration::from_micros(1)), u64::MAX);
}

#[test]
fn short_figures() {
    let rates = [0, 999, 1000, 12_345_678, 999_999, 2_050_000_000].map(bits);
    assert_eq!(rates, ["0", "999", "1.0k", "12.3M", "999.9k", "2.0G"]);
    assert_eq!(
        [0, 99, 100, 25_678].map(milliseconds),
        ["0.0ms", "0.0ms", "0.1ms", "25.6ms"]
    );
}
