// SPDX-License-Identifier: GPL-2.0

//! The published formulas in floating point, and tables that the integers are compared with.

#![expect(clippy::float_arithmetic, reason = "what the integers are measured by")]

use super::super::growth::Increase;
use super::super::{balia, lia, olia};
use super::*;
use crate::vectors::congestion as vectors;
use std::vec::Vec;

fn w(member: &Member) -> f64 {
    f64::from(member.cwnd)
}

/// In seconds.
fn rtt(member: &Member) -> f64 {
    f64::from(member.srtt_us) / 1e6
}

fn sum_of_rates(all: &[Member]) -> f64 {
    all.iter().map(|k| w(k) / rtt(k)).sum()
}

fn greatest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

/// RFC 6356 section 3.
fn lia_reference(all: &[Member], own: &Member) -> f64 {
    let total: f64 = all.iter().map(w).sum();
    let best = greatest(all.iter().map(|k| w(k) / rtt(k).powi(2)));
    let alpha = total * best / sum_of_rates(all).powi(2);
    f64::min(alpha / total, 1.0 / w(own))
}

/// draft-khalili-mptcp-congestion-control-05 section 2.
fn olia_reference(all: &[Member], own: &Member) -> f64 {
    let quality = |k: &Member| k.gap as f64 / rtt(k).powi(2);
    let best = greatest(all.iter().map(quality));
    let largest = all.iter().map(|k| k.cwnd).max().unwrap();
    let is_largest = |k: &&Member| k.cwnd == largest;
    let is_collected = |k: &&Member| quality(k) >= best * (1.0 - 1e-12) && !is_largest(k);
    let collected = all.iter().filter(is_collected).count() as f64;
    let paths = all.len() as f64;
    let alpha = if is_collected(&own) {
        1.0 / (paths * collected)
    } else if is_largest(&own) && collected > 0.0 {
        -1.0 / (paths * all.iter().filter(is_largest).count() as f64)
    } else {
        0.0
    };
    w(own) / rtt(own).powi(2) / sum_of_rates(all).powi(2) + alpha / w(own)
}

/// draft-walid-mptcp-congestion-control-04 section 3.
fn balia_reference(all: &[Member], own: &Member) -> f64 {
    let x = w(own) / rtt(own);
    let alpha = greatest(all.iter().map(|k| w(k) / rtt(k))) / x;
    let linked = x / rtt(own) / sum_of_rates(all).powi(2);
    linked * (1.0 + alpha) / 2.0 * (4.0 + alpha) / 5.0
}

fn balia_ssthresh_reference(all: &[Member], own: &Member) -> f64 {
    let x = w(own) / rtt(own);
    let alpha = greatest(all.iter().map(|k| w(k) / rtt(k))) / x;
    w(own) - w(own) / 2.0 * alpha.min(1.5)
}

/// The connections that are tested in the kernel too.
fn connections() -> Vec<Vec<Member>> {
    let members =
        |(_, subflows): vectors::Connection| subflows.iter().map(vectors::member).collect();
    vectors::CONNECTIONS.into_iter().map(members).collect()
}

fn as_float(increase: Increase) -> f64 {
    increase.0 as f64 / 2f64.powi(32)
}

/// Compares on all tables from the point of view of every subflow. What is allowed is a part in a
/// thousand, or the step in which increases are counted.
fn compare(
    what: &str,
    integer: impl Fn(u32, &Members<'_>) -> Increase,
    reference: impl Fn(&[Member], &Member) -> f64,
) {
    for all in connections() {
        for own in &all {
            let found = as_float(integer(own.cwnd, &Members::new(&all, *own)));
            let expected = reference(&all, own);
            let allowed = expected.abs() / 1000.0 + 4.0 / 2f64.powi(32);
            assert!(
                (found - expected).abs() <= allowed,
                "{what}: {found} instead of {expected} for {own:?} of {all:?}"
            );
        }
    }
}

#[test]
fn lia_increases_as_published() {
    compare("lia", lia::increase, lia_reference);
}

#[test]
fn olia_increases_as_published() {
    compare("olia", olia::increase, olia_reference);
}

#[test]
fn balia_increases_as_published() {
    compare("balia", balia::increase, balia_reference);
}

#[test]
fn balia_decreases_as_published() {
    for all in connections() {
        for own in &all {
            let members = Members::new(&all, *own);
            let found = Balia::new().ssthresh(avoiding(own.cwnd), &members);
            let least = if all.len() > 1 { 1.0 } else { 2.0 };
            let expected = balia_ssthresh_reference(&all, own).max(least);
            assert!(
                (f64::from(found) - expected).abs() <= 0.51,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn vectors_hold() {
    assert_eq!(vectors::check(), Ok(()));
    assert_eq!(vectors::check_extremes(), Ok(()));
}

/// The fraction of a segment that is owed is paid sooner or later.
#[test]
fn fractions_add_up() {
    let all = [member(50, 20), member(80, 30), member(30, 90)];
    for own in all {
        let mut lia = Lia::new();
        let mut gained = 0;
        for _ in 0..100_000 {
            // The window is reset, so that the increase stays the same.
            let window = lia.on_ack(avoiding(own.cwnd), &ack(1, 0), &Members::new(&all, own));
            gained += window.cwnd - own.cwnd;
        }
        let expected = 100_000.0 * lia_reference(&all, &own);
        assert!((f64::from(gained) - expected).abs() <= 1.0 + expected / 1000.0);
    }
}
