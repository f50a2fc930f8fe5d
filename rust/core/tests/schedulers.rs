// SPDX-License-Identifier: GPL-2.0

//! The schedulers in closed loops: what they reach over links of given rate and delay, and what
//! happens when a link dies and comes back.

#[path = "schedulers/connection.rs"]
mod connection;
#[path = "schedulers/subflow.rs"]
mod subflow;

use connection::Connection;
use mptcp_core::scheduler::{Kind, MAX_PROBE_GAP_US};
use std::ops::Range;
use subflow::Link;

/// Bytes of data in each segment.
const MSS: u32 = 1000;

/// A second in the unit of time.
const SECOND: u64 = 1_000_000;

/// A window that never closes, in bytes.
const WIDE: u32 = 10_000_000;

/// All that share data out between the paths.
const SHARING: [Kind; 4] = [Kind::LowestRtt, Kind::Blest, Kind::Ecf, Kind::RoundRobin];

/// When the paths have opened their windows, and the end.
const STEADY: Range<u64> = 2 * SECOND..10 * SECOND;

/// Pairs of links, and the goodput to expect in kbit/s.
fn pairs() -> [([Link; 2], u64); 3] {
    [
        ([Link::new(10, 10), Link::new(10, 10)], 20_000),
        ([Link::new(10, 1), Link::new(3, 25)], 13_000),
        ([Link::new(8, 20), Link::new(2, 150)], 10_000),
    ]
}

fn goodput(kind: Kind, links: &[Link], window: u32) -> u64 {
    Connection::run(kind, links, window, STEADY.end).goodput(STEADY)
}

/// Twice the product of all bandwidths and the longest round-trip time: what the NSDI 2012 paper
/// on Multipath TCP (section 4.2) finds a receiver needs, in bytes.
fn recommended_window(links: &[Link]) -> u32 {
    let rates: u64 = links.iter().map(|link| link.rate).sum();
    let longest = links.iter().map(|link| link.rtt).max().unwrap();
    u32::try_from(2 * rates * longest / 8).unwrap()
}

#[test]
fn all_links_are_filled() {
    for (links, sum) in pairs() {
        for kind in SHARING {
            let reached = goodput(kind, &links, WIDE);
            assert!(reached > sum * 99 / 100, "{kind:?}: {reached} of {sum}");
        }
    }
}

#[test]
fn the_recommended_window_suffices() {
    for (links, sum) in pairs() {
        let reached = goodput(Kind::LowestRtt, &links, recommended_window(&links));
        assert!(reached > sum * 95 / 100, "{reached} of {sum}");
    }
}

/// A window that both links fill together, but in which one that queues leaves nothing to the other.
#[test]
fn no_path_takes_the_window_from_the_others() {
    for (links, sum, window) in [
        ([Link::new(10, 20), Link::new(10, 20)], 20_000, 70_000),
        ([Link::new(10, 20), Link::new(3, 20)], 13_000, 46_000),
        ([Link::new(10, 2), Link::new(10, 50)], 20_000, 175_000),
        ([Link::new(10, 2), Link::new(3, 50)], 13_000, 114_000),
    ] {
        let links = links.map(|link| Link { queue: 100, ..link });
        // BLEST leaves the slower one of two out on purpose.
        for kind in [Kind::LowestRtt, Kind::Ecf, Kind::RoundRobin] {
            let reached = goodput(kind, &links, window);
            assert!(
                reached > sum * 95 / 100,
                "{kind:?} {window}: {reached} of {sum}"
            );
        }
    }
}

/// The case for which opportunistic retransmission and penalisation were made: Wi-Fi and 3G.
#[test]
fn a_slow_path_does_not_stall_the_fast_one_in_a_small_window() {
    let links = [Link::new(8, 20), Link::new(2, 150)];
    for window in [100_000, 60_000, 40_000] {
        let alone = goodput(Kind::LowestRtt, &links[..1], window);
        for (kind, percent) in [(Kind::LowestRtt, 88), (Kind::Blest, 99), (Kind::Ecf, 99)] {
            let reached = goodput(kind, &links, window);
            assert!(
                reached * 100 > percent * alone,
                "{kind:?} {window}: {reached} of {alone}"
            );
        }
    }
}

#[test]
fn penalties_end_where_the_window_is_wide() {
    let links = [Link::new(8, 20), Link::new(2, 150)];
    let small = Connection::run(Kind::LowestRtt, &links, 60_000, STEADY.end);
    // Once in the round-trip time of the slow path at most.
    let most = STEADY.end / links[1].rtt;
    assert!(small.penalties > 0 && u64::from(small.penalties) <= most);
    let wide = Connection::run(Kind::LowestRtt, &links, WIDE, STEADY.end);
    assert_eq!(wide.penalties, 0);
}

#[test]
fn redundant_is_as_fast_as_its_fastest_path_and_doubles_what_fits() {
    for (links, _) in pairs() {
        for window in [WIDE, 40_000] {
            let both = Connection::run(Kind::Redundant, &links, window, STEADY.end);
            let alone = Connection::run(Kind::LowestRtt, &links[..1], window, STEADY.end);
            let (reached, best) = (both.goodput(STEADY), alone.goodput(STEADY));
            assert!(reached.abs_diff(best) < best / 100, "{reached} of {best}");
            let second = Connection::run(Kind::LowestRtt, &links[1..], WIDE, STEADY.end);
            let (copied, capacity) = (both.carried(1, STEADY), second.carried(0, STEADY));
            assert!(copied * 100 > capacity * 99, "{copied} of {capacity}");
        }
    }
}

/// The end of runs with an interruption.
const END: u64 = 20 * SECOND;

/// A regular link that is down from 5 s to 10 s, and another.
fn interrupted(other: Link) -> [Link; 2] {
    let first = Link {
        down: 5 * SECOND..10 * SECOND,
        ..Link::new(10, 20)
    };
    [first, other]
}

#[test]
fn a_backup_carries_nothing_while_a_regular_path_lives() {
    let backup = Link {
        backup: true,
        ..Link::new(10, 5)
    };
    for kind in Kind::ALL {
        let links = interrupted(backup.clone());
        let connection = Connection::run(kind, &links, WIDE, END);
        assert_eq!(connection.carried(1, 0..5 * SECOND), 0, "{kind:?}");
        // The regular path was full all the time.
        assert!(connection.goodput(SECOND..5 * SECOND) > 9_900, "{kind:?}");
        // Without it the backup takes over, and gives way when it is back.
        assert!(
            connection.goodput(6 * SECOND..10 * SECOND) > 9_900,
            "{kind:?}"
        );
        let back = 10 * SECOND + MAX_PROBE_GAP_US;
        assert_eq!(connection.carried(1, back..END), 0, "{kind:?}");
        assert!(connection.goodput(back..END) > 9_900, "{kind:?}");
    }
}

#[test]
fn a_path_that_dies_is_left_after_one_timeout() {
    for kind in Kind::ALL {
        let links = interrupted(Link::new(10, 30));
        let connection = Connection::run(kind, &links, WIDE, END);
        let gap = connection.longest_gap(4 * SECOND..7 * SECOND);
        // Its timeout, 200 ms and a round-trip time in a full queue, and two of the other path's.
        assert!(gap < 230_000 + 2 * 40_000, "{kind:?}: {gap}");
        let last = connection.carried(0, 6 * SECOND..10 * SECOND);
        assert!(last <= 1, "{kind:?}: {last} segments into the void");
    }
}

#[test]
fn a_path_that_returns_gets_its_full_share() {
    for kind in SHARING {
        let links = interrupted(Link::new(10, 30));
        let connection = Connection::run(kind, &links, WIDE, END);
        let back = 10 * SECOND + MAX_PROBE_GAP_US;
        let reached = connection.goodput(back..END);
        assert!(reached > 19_800, "{kind:?}: {reached}");
    }
}
