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
fn a_path_that_came_back_begins_anew() {
    let mut health = stale_health(0);
    assert!(health.on_progress());
    (0..=RETURN_ANSWERS).for_each(|_| assert!(!health.on_progress()));
    assert_eq!(health.standing(), Standing::Active);

    // With all its timeouts, and with short gaps between probes.
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
