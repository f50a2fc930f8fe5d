// SPDX-License-Identifier: GPL-2.0

//! Which paths may be used, and how much they take.

use super::*;

#[test]
fn path_sets() {
    assert_eq!(PathId::new(32), None);
    let some = set([0, 5, 31]);
    assert_eq!(some.iter().map(PathId::number).sum::<u8>(), 36);
    assert_eq!(some.without(id(5)), set([0, 31]));
    assert!(some.contains(id(31)) && !some.contains(id(30)));
    assert!(PathSet::EMPTY.is_empty() && !some.is_empty());
    assert_eq!(PathSet::only(id(7)).with(id(7)), set([7]));
}

#[test]
fn what_is_outstanding_is_in_flight_or_queued() {
    let busy = Path {
        in_flight: 3,
        queued: 1234,
        ..path(0, 10)
    };
    assert_eq!((busy.outstanding(), busy.cwnd_bytes()), (4234, 10_000));
}

#[test]
fn what_is_queued_is_part_of_the_way() {
    let busy = Path {
        queued: 5000,
        pacing_rate: 250_000,
        ..path(0, 10)
    };
    assert_eq!(busy.delivery_us(), 30_000);
}

#[test]
fn no_more_than_so_many_paths_count() {
    let mut paths = [path(0, 20); MAX_PATHS + 1];
    paths[MAX_PATHS] = path(1, 10);
    assert!(view(&paths).those(set([1])).next().is_none());
    assert_eq!(
        first_decision(Kind::LowestRtt, &paths, &fresh(9)),
        send(0, 9)
    );
}

#[test]
fn the_retransmission_timeout_is_that_of_tcp() {
    let at_rest = path(0, 50);
    assert_eq!(at_rest.rto_us(), 250_000);
    let shaking = Path {
        rttvar_us: 100_000,
        ..at_rest
    };
    assert_eq!(shaking.rto_us(), 450_000);
    assert_eq!(path(0, 0).rto_us(), 1_000_000);
}

#[test]
fn a_path_that_returned_is_judged_by_its_good_times() {
    let returned = Path {
        standing: Standing::Returned,
        srtt_us: 900_000,
        ..path(0, 10)
    };
    assert_eq!(returned.rtt_us(), 10_000);
    assert_eq!(
        Path {
            min_rtt_us: 0,
            ..returned
        }
        .rtt_us(),
        900_000
    );
    assert_eq!(path(0, 0).rtt_us(), u32::MAX, "unknown");
    let paths = [
        path(0, 20),
        Path {
            id: id(1),
            ..returned
        },
    ];
    assert_eq!(
        first_decision(Kind::LowestRtt, &paths, &fresh(9)),
        send(1, 9)
    );
}

#[test]
fn silence_is_foreseen() {
    let paths = [
        Path {
            in_flight: 1,
            last_progress_us: SECOND - 5,
            ..path(0, 50)
        },
        Path {
            in_flight: 1,
            last_progress_us: SECOND - 9,
            ..path(1, 90)
        },
        path(2, 10),
        silent(path(3, 10)),
        stale(silent(path(4, 10))),
    ];
    assert_eq!(view(&paths).silent(), set([3]));
    assert_eq!(view(&paths).next_silence_us(), Some(SECOND - 5 + 250_000));
    let then = PathsView::new(&paths, SECOND - 5 + 250_000, 0);
    assert_eq!(then.silent(), set([0, 3]));
    assert_eq!(view(&paths[2..]).next_silence_us(), None);
}
