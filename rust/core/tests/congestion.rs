// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control in closed loops, against TCP and alone.

#[path = "congestion/network.rs"]
mod network;

use mptcp_core::congestion::{Algorithm, TOTAL_ALPHA};
use network::{Link, Network};
use std::ops::Range;

/// Bytes of data in each segment.
const MSS: u32 = 1000;

/// A second in the unit of time.
const SECOND: u64 = 1_000_000;

/// The time after all have found their rates.
const STEADY: Range<u64> = 20 * SECOND..80 * SECOND;

/// With a single subflow each of these is a TCP.
const LOSS_BASED: [Algorithm; 3] = [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia];
const TCP: Algorithm = Algorithm::Lia;

#[test]
fn two_subflows_over_one_link_take_the_share_of_one_tcp() {
    for algorithm in LOSS_BASED {
        let mut network = Network::new(vec![Link::new(20, 40)]);
        let coupled = network.connect(algorithm, &[0, 0]);
        let tcp = network.connect(TCP, &[0]);
        network.run(STEADY.end);
        let taken = network.goodput(coupled, 0, STEADY);
        let left = network.goodput(tcp, 0, STEADY);
        assert!((8_000..12_000).contains(&taken), "{algorithm:?}: {taken}");
        assert!(left + taken > 19_000, "{algorithm:?}: {left}");
    }
}

/// What coupling prevents, and the proof that the network above can tell.
#[test]
fn two_that_are_not_coupled_take_two_shares() {
    let mut network = Network::new(vec![Link::new(20, 40)]);
    let two = [(); 2].map(|()| network.connect(TCP, &[0]));
    network.connect(TCP, &[0]);
    network.run(STEADY.end);
    let taken: u64 = two.iter().map(|one| network.goodput(*one, 0, STEADY)).sum();
    assert!(taken > 12_500, "{taken}");
}

#[test]
fn links_without_rivals_are_filled() {
    for (algorithm, percent) in [
        (Algorithm::Lia, 92),
        (Algorithm::Olia, 92),
        // It gives up three quarters of the slower subflow's window at each loss.
        (Algorithm::Balia, 78),
        (Algorithm::Wvegas, 99),
    ] {
        let mut network = Network::new(vec![Link::new(10, 40), Link::new(5, 20)]);
        let connection = network.connect(algorithm, &[0, 1]);
        network.run(STEADY.end);
        for (link, rate) in [(0, 10_000), (1, 5_000)] {
            let reached = network.goodput(connection, link, STEADY);
            assert!(
                reached * 100 >= rate * percent,
                "{algorithm:?} {link}: {reached}"
            );
        }
    }
}

#[test]
fn wvegas_fills_links_with_almost_no_queue() {
    let mut network = Network::new(vec![Link::new(10, 40), Link::new(5, 20)]);
    network.connect(Algorithm::Wvegas, &[0, 1]);
    network.run(STEADY.end);
    // A segment takes 800 µs of the one link, 1600 µs of the other.
    let waiting = [network.mean_delay(0) / 800, network.mean_delay(1) / 1600];
    assert!(
        waiting.iter().sum::<u64>() <= u64::from(TOTAL_ALPHA),
        "{waiting:?}"
    );
}

#[test]
fn traffic_moves_to_the_link_with_fewer_rivals() {
    for algorithm in LOSS_BASED {
        let mut network = Network::new(vec![Link::new(20, 40), Link::new(20, 40)]);
        let coupled = network.connect(algorithm, &[0, 1]);
        let crowd = [(); 4].map(|()| network.connect(TCP, &[0]));
        let rival = network.connect(TCP, &[1]);
        network.run(STEADY.end);
        let crowded = network.goodput(coupled, 0, STEADY);
        let free = network.goodput(coupled, 1, STEADY);
        let each = crowd.iter().map(|tcp| network.goodput(*tcp, 0, STEADY));
        let least = each.min().unwrap();
        assert!(
            crowded < least / 2,
            "{algorithm:?}: {crowded}, they {least}"
        );
        // All in all it gets what a TCP on the better link gets (RFC 6356 section 2).
        let tcp = network.goodput(rival, 1, STEADY);
        assert!(
            (crowded + free) * 100 > tcp * 80,
            "{algorithm:?}: {crowded} {free} {tcp}"
        );
        assert!(free * 100 < tcp * 110, "{algorithm:?}: {free} {tcp}");
    }
}

#[test]
fn wvegas_leaves_a_crowded_link_to_those_who_have_no_other() {
    let mut network = Network::new(vec![Link::new(20, 40), Link::new(20, 40)]);
    let coupled = network.connect(Algorithm::Wvegas, &[0, 1]);
    let crowd = [(); 3].map(|()| network.connect(Algorithm::Wvegas, &[0]));
    network.run(STEADY.end);
    let crowded = network.goodput(coupled, 0, STEADY);
    let free = network.goodput(coupled, 1, STEADY);
    assert!(free > 19_500 && crowded < 2_000, "{free} {crowded}");
    for one in crowd {
        let share = network.goodput(one, 0, STEADY);
        assert!((5_000..8_000).contains(&share), "{share}");
    }
}

/// RFC 6356 section 2, the second goal.
#[test]
fn no_subflow_takes_more_than_a_tcp_on_its_link() {
    for algorithm in LOSS_BASED {
        let mut network = Network::new(vec![Link::new(20, 20), Link::new(20, 100)]);
        let coupled = network.connect(algorithm, &[0, 1]);
        let tcps = [0, 1].map(|link| network.connect(TCP, &[link]));
        network.run(STEADY.end);
        for (link, tcp) in tcps.into_iter().enumerate() {
            let taken = network.goodput(coupled, link, STEADY);
            let left = network.goodput(tcp, link, STEADY);
            assert!(
                taken * 100 < left * 110,
                "{algorithm:?} {link}: {taken} {left}"
            );
        }
    }
}
