// SPDX-License-Identifier: GPL-2.0

use super::{
    parse,
    rates,
    Sample, //
};
use proptest::prelude::*;

fn sample(time: u64, path: &str, bytes: u64) -> Sample {
    Sample {
        time,
        path: path.to_owned(),
        bytes,
    }
}

#[test]
fn lines_with_more_than_is_needed() {
    let text = "{\"time\":5,\"path\":\"a\",\"bytes\":6,\"rtt\":null}\n\n";
    assert_eq!(parse(text).expect("a sample"), [sample(5, "a", 6)]);
}

#[test]
fn lines_that_are_no_samples() {
    let error =
        parse("{\"time\":5,\"path\":\"a\",\"bytes\":6}\n{\"time\":-5}\n").expect_err("a line");
    assert!(error.to_string().starts_with("line 2 is no sample"));
    assert!(parse("\n").is_err());
}

#[test]
fn mean_rates_in_steps() {
    let samples = [
        sample(0, "a", 0),
        sample(0, "b", 500),
        sample(1000, "a", 1000),
        sample(1000, "b", 500),
        sample(2000, "a", 3000),
    ];
    let rates = rates(&samples, 1000);
    assert_eq!(rates[0].path, "a");
    assert_eq!(rates[0].points, [(500, 8000), (1500, 16000)]);
    assert_eq!(rates[1].points, [(500, 0), (1500, 0)]);
}

#[test]
fn samples_between_the_steps() {
    let samples = [
        sample(0, "a", 0),
        sample(300, "a", 300),
        sample(700, "a", 300),
    ];
    let points = &rates(&samples, 200)[0].points;
    assert_eq!(points, &[(100, 8000), (300, 4000), (500, 0), (650, 0)]);
}

#[test]
fn a_counter_that_falls_has_no_rate() {
    let samples = [sample(0, "a", 1000), sample(100, "a", 10)];
    assert_eq!(rates(&samples, 100)[0].points, [(50, 0)]);
}

proptest! {
    #[test]
    fn no_byte_is_lost(mut counts in prop::collection::vec((0..5000_u64, 0..1_000_000_u64), 2..30), step in 1..2000_u64) {
        counts.sort_unstable();
        let mut bytes: Vec<_> = counts.iter().map(|(_, bytes)| *bytes).collect();
        bytes.sort_unstable();
        let samples: Vec<_> = counts
            .iter()
            .zip(&bytes)
            .map(|((time, _), bytes)| sample(*time, "a", *bytes))
            .collect();
        let (first, last) = (samples[0].time, samples[samples.len() - 1].time);
        prop_assume!(samples.iter().filter(|sample| sample.time == first).count() == 1);
        let points = &rates(&samples, step)[0].points;
        let mut begin = first;
        let mut carried = 0;
        for (_, rate) in points {
            let end = (begin + step).min(last);
            carried += u128::from(*rate) * u128::from(end - begin);
            begin = end;
        }
        prop_assert_eq!(begin, last);
        let total = u128::from(bytes[bytes.len() - 1] - bytes[0]) * 8000;
        // Each step's rate is rounded down to whole bits per second.
        prop_assert!(carried <= total);
        prop_assert!(total - carried <= u128::from(last - first) + 8000 * points.len() as u128);
    }
}
