// SPDX-License-Identifier: GPL-2.0

//! Windows that slow paths hold closed.

use super::*;

#[test]
fn slow_paths_that_block_the_window_are_penalised_and_passed_by() {
    let unblock = |retransmit: Option<u8>, penalise| Decision::Unblock {
        retransmit: retransmit.map(id),
        penalise,
    };
    let wait = Decision::Wait;
    let (fast, near, far) = (path(0, 10), path(1, 20), path(2, 40));
    for (what, paths, blocking, expected) in [
        (
            "much slower",
            [fast, near, far],
            set([2]),
            unblock(Some(0), set([2])),
        ),
        ("hardly slower", [fast, path(1, 19), far], set([1]), wait),
        (
            "a little slower",
            [fast, near, far],
            set([1]),
            unblock(None, set([1])),
        ),
        (
            "one is near",
            [fast, near, far],
            set([1, 2]),
            unblock(None, set([1, 2])),
        ),
        ("the fast one", [fast, near, far], set([0]), wait),
        ("it too has it", [fast, near, far], set([0, 2]), wait),
        ("no room", [full(fast), full(near), far], set([2]), wait),
        (
            "the next has room",
            [full(fast), near, far],
            set([2]),
            unblock(None, set([2])),
        ),
        (
            "tiny window",
            [fast, near, Path { cwnd: 2, ..far }],
            set([2]),
            unblock(Some(0), set([])),
        ),
        (
            "stale",
            [fast, stale(near), far],
            set([1]),
            unblock(Some(0), set([])),
        ),
        (
            "stale and faster",
            [stale(fast), near, far],
            set([0]),
            unblock(Some(1), set([])),
        ),
        (
            "gone",
            [fast, near, far],
            set([9]),
            unblock(Some(0), set([])),
        ),
        (
            "backup does not help",
            [backup(fast), near, far],
            set([2]),
            unblock(None, set([2])),
        ),
    ] {
        let segment = Segment {
            blocking,
            ..blocked([])
        };
        for kind in [Kind::LowestRtt, Kind::Blest, Kind::Ecf, Kind::RoundRobin] {
            assert_eq!(
                first_decision(kind, &paths, &segment),
                expected,
                "{what} {kind:?}"
            );
        }
        assert_eq!(
            first_decision(Kind::Redundant, &paths, &segment),
            wait,
            "{what}"
        );
    }
}

#[test]
fn a_path_that_is_as_fast_is_not_penalised() {
    let paths = [path(0, 10), path(1, 10)];
    let decision = first_decision(Kind::LowestRtt, &paths, &blocked([1]));
    assert_eq!(decision, Decision::Wait);
}

#[test]
fn who_is_gone_is_forgotten_by_all() {
    let paths = [path(0, 10), path(1, 90)];
    for kind in [Kind::LowestRtt, Kind::Blest, Kind::Ecf, Kind::RoundRobin] {
        let mut scheduler = AnyScheduler::new(kind);
        let penalises = |scheduler: &mut AnyScheduler| {
            let decision = scheduler.pick(&view(&paths), &blocked([1]));
            matches!(decision, Decision::Unblock { penalise, .. } if !penalise.is_empty())
        };
        assert!(penalises(&mut scheduler) && !penalises(&mut scheduler));
        scheduler.forget(id(0));
        assert!(!penalises(&mut scheduler), "{kind:?}");
        scheduler.forget(id(1));
        assert!(penalises(&mut scheduler), "{kind:?}");
    }
}

#[test]
fn a_path_is_penalised_once_per_round_trip_of_its_own() {
    let paths = [path(0, 10), path(1, 40)];
    let mut penalties = Penalties::new();
    let mut penalised_at = |now_us| {
        let view = PathsView::new(&paths, now_us, 0);
        match penalties.unblock(&view, &blocked([1])) {
            Decision::Unblock { penalise, .. } => !penalise.is_empty(),
            _ => false,
        }
    };
    assert!(penalised_at(SECOND));
    assert!(!penalised_at(SECOND));
    assert!(!penalised_at(SECOND + 39_999));
    assert!(penalised_at(SECOND + 40_000));
    // Another path with the same number begins anew.
    penalties.forget(id(1));
    let decision = penalties.unblock(&view(&paths), &blocked([1]));
    assert_ne!(decision, Decision::Wait);
    assert!(matches!(decision, Decision::Unblock { penalise, .. } if penalise == set([1])));
}

#[test]
fn a_penalty_halves() {
    for (before, after) in [
        ((20, 10), (10, 5)),
        ((20, u32::MAX), (10, u32::MAX)),
        ((3, 3), (2, 2)),
        ((2, 2), (2, 2)),
        ((1, 1), (1, 1)),
        ((0, 0), (0, 0)),
    ] {
        assert_eq!(penalised(before.0, before.1), after, "{before:?}");
    }
}
