// SPDX-License-Identifier: GPL-2.0

//! Which paths may be used, and how much they take.

use super::*;

#[test]
fn path_sets() {
    assert_eq!(PathId::new(32), None);
    let some = set([0, 5, 31]);
    assert_eq!(some.iter().map(PathId::number).sum::<u8>(), 36);
    assert_eq!((some.len(), some.without(id(5)).len()), (3, 2));
    assert!(some.contains(id(31)) && !some.contains(id(30)));
    assert!(PathSet::EMPTY.is_empty() && !some.is_empty());
    assert_eq!(PathSet::only(id(7)).with(id(7)), set([7]));
}

#[test]
fn room_is_what_both_window_and_buffer_admit() {
    let idle = path(0, 10);
    for (what, path, room) in [
        ("the whole window", idle, 10 * MSS),
        ("window full", full(idle), 0),
        (
            "window shrunk",
            Path {
                in_flight: 11,
                ..idle
            },
            0,
        ),
        (
            "queue counts",
            Path {
                queued: 3 * MSS,
                ..idle
            },
            7 * MSS,
        ),
        ("whole segments", Path { queued: 1, ..idle }, 9 * MSS),
        (
            "buffer",
            Path {
                send_room: 2 * MSS + 9,
                ..idle
            },
            2 * MSS,
        ),
        (
            "less than one",
            Path {
                send_room: 999,
                ..idle
            },
            999,
        ),
        ("no segment size", Path { mss: 0, ..idle }, 0),
        (
            "huge",
            Path {
                cwnd: u32::MAX,
                send_room: u32::MAX,
                mss: 1,
                ..idle
            },
            u32::MAX,
        ),
    ] {
        assert_eq!(path.room(), room, "{what}");
    }
    let nearly_full = Path {
        send_room: 999,
        ..idle
    };
    assert_eq!(nearly_full.takes(999), 999);
    assert_eq!(nearly_full.takes(1001), 0, "no small pieces of large data");
    assert_eq!(idle.takes(20 * MSS), 10 * MSS);
}

#[test]
fn a_path_may_queue_a_burst_beyond_its_window() {
    let fast = Path {
        cwnd: 100,
        pacing_rate: 40_000_000,
        ..path(0, 2)
    };
    for (what, path, room, takes) in [
        ("idle", fast, 140, 140),
        ("no room in the window", full(fast), 40, 40),
        (
            "half of the burst waits",
            Path {
                queued: 20 * MSS,
                ..full(fast)
            },
            20,
            20,
        ),
        (
            "more than half waits",
            Path {
                queued: 21 * MSS,
                ..full(fast)
            },
            19,
            0,
        ),
        (
            "the send buffer has less room",
            Path {
                send_room: 3 * MSS,
                ..full(fast)
            },
            3,
            3,
        ),
        (
            "no more than a window",
            Path {
                pacing_rate: u64::MAX,
                ..full(fast)
            },
            100,
            100,
        ),
        (
            "no more than two pieces",
            Path {
                pacing_rate: u64::MAX,
                ..full(Path { cwnd: 1000, ..fast })
            },
            131,
            131,
        ),
        (
            "an eighth of the window",
            Path {
                pacing_rate: 1,
                ..full(fast)
            },
            12,
            12,
        ),
        (
            "less than two segments",
            Path {
                pacing_rate: 1_999_999,
                ..full(Path { cwnd: 15, ..fast })
            },
            0,
            0,
        ),
        (
            "unknown speed",
            Path {
                pacing_rate: 0,
                ..full(fast)
            },
            0,
            0,
        ),
    ] {
        assert_eq!(path.room(), room * MSS, "{what}");
        assert_eq!(path.takes(MSS * 1000), takes * MSS, "{what}");
    }
    let busy = Path {
        queued: 39 * MSS,
        ..full(fast)
    };
    assert_eq!(busy.takes(MSS), MSS, "the last of the data does not wait");
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
fn no_more_than_so_many_paths_count() {
    let mut paths = [path(0, 20); MAX_PATHS + 1];
    paths[MAX_PATHS] = path(1, 10);
    assert!(view(&paths).find(id(1)).is_none());
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
fn backup_paths_are_for_when_there_is_no_other() {
    let (fast, slow) = (path(0, 10), path(1, 90));
    for (what, paths, usable) in [
        ("backup is faster", [backup(fast), slow], set([1])),
        ("regular is full", [backup(fast), full(slow)], set([])),
        ("regular is stale", [backup(fast), stale(slow)], set([0])),
        ("regular is silent", [backup(fast), silent(slow)], set([0])),
        (
            "backup is stale too",
            [backup(stale(fast)), stale(slow)],
            set([1]),
        ),
        ("only backups", [backup(fast), backup(slow)], set([0, 1])),
        ("stale is faster", [stale(fast), slow], set([1])),
        ("all stale", [stale(fast), stale(slow)], set([0, 1])),
        ("silent is faster", [silent(fast), slow], set([1])),
    ] {
        for kind in Kind::ALL {
            let expected = match (usable.iter().next(), kind) {
                (None, _) => Decision::Wait,
                (Some(_), Kind::Redundant) => Decision::SendOnAll {
                    paths: usable,
                    len: 100,
                },
                (Some(first), _) => Decision::Send {
                    path: first,
                    len: 100,
                },
            };
            assert_eq!(
                first_decision(kind, &paths, &fresh(100)),
                expected,
                "{what} {kind:?}"
            );
        }
    }
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
