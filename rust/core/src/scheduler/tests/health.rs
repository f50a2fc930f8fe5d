// SPDX-License-Identifier: GPL-2.0

//! Stale paths and their return.

use super::*;

const RTO: u32 = 250_000;

fn stale_health(now_us: u64) -> Health {
    let mut health = Health::new();
    assert!(!health.is_stale() && health.on_dead(now_us, RTO) && health.is_stale());
    health
}

#[test]
fn a_path_becomes_stale_by_timeouts_in_succession() {
    let mut health = Health::new();
    for now in 1..=3 {
        assert!(!health.on_timeout(4, now * SECOND, RTO));
    }
    assert!(!health.on_progress());
    for now in 4..=6 {
        assert!(!health.on_timeout(4, now * SECOND, RTO));
        assert_eq!(health.standing(), Standing::Active);
    }
    assert!(health.on_timeout(4, 7 * SECOND, RTO));
    assert_eq!(health.standing(), Standing::Stale);
    assert!(!health.on_timeout(4, 8 * SECOND, RTO), "it is known");
}

#[test]
fn without_a_limit_no_timeout_makes_a_path_stale() {
    let mut health = Health::new();
    assert!((0..1000).all(|now| !health.on_timeout(0, now, RTO)));
    // A limit that is set later counts what was.
    assert!(health.on_timeout(4, 1000, RTO));
}

#[test]
fn a_stale_path_is_probed_ever_more_seldom_and_for_ever() {
    let mut health = stale_health(0);
    let mut probes = std::vec::Vec::new();
    while probes.len() < 40 {
        let now = health.next_probe_us().unwrap();
        assert!(!health.probe(now - 1, RTO), "too early");
        assert!(health.probe(now, RTO));
        assert!(!health.probe(now, RTO), "once is enough");
        probes.push(now / 1000);
    }
    let gaps: std::vec::Vec<_> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(
        (probes[0], &gaps[..5]),
        (250, &[500, 1000, 2000, 4000, 5000][..])
    );
    assert!(gaps[5..].iter().all(|gap| *gap == MAX_PROBE_GAP_US / 1000));
}

#[test]
fn only_stale_paths_are_probed() {
    let mut health = Health::new();
    assert_eq!(health.next_probe_us(), None);
    assert!(!health.probe(SECOND, RTO));
}

#[test]
fn an_answer_brings_a_path_back() {
    let mut health = stale_health(0);
    assert!(health.on_progress());
    assert_eq!(health.next_probe_us(), None);
    for _ in 0..RETURN_ANSWERS {
        assert_eq!(health.standing(), Standing::Returned);
        assert!(!health.on_progress(), "it has returned already");
    }
    assert_eq!(health.standing(), Standing::Active);
    assert!(!health.on_progress());
    assert_eq!(health.standing(), Standing::Active);

    // It begins anew with all its timeouts, and with short gaps between probes.
    assert!((0..3).all(|_| !health.on_timeout(4, 2 * SECOND, RTO)));
    assert!(health.on_timeout(4, 2 * SECOND, RTO));
    assert_eq!(health.next_probe_us(), Some(2 * SECOND + u64::from(RTO)));
}

#[test]
fn a_path_that_fails_again_is_probed_as_often_as_at_first() {
    let mut health = stale_health(0);
    let gap_after_probe = |health: &mut Health| {
        let now = health.next_probe_us().unwrap();
        assert!(health.probe(now, RTO));
        health.next_probe_us().unwrap() - now
    };
    let first = gap_after_probe(&mut health);
    (0..9).for_each(|_| assert!(gap_after_probe(&mut health) > first));
    health.on_progress();
    health.on_dead(61 * SECOND, RTO);
    assert_eq!(gap_after_probe(&mut health), first);
}

#[test]
fn a_link_that_goes_down_makes_its_path_stale_at_once() {
    let mut health = stale_health(5);
    assert_eq!(health.standing(), Standing::Stale);
    assert!(!health.on_dead(6, RTO), "it is known");
    assert_eq!(health.next_probe_us(), Some(5 + u64::from(RTO)));
}
