// SPDX-License-Identifier: GPL-2.0

//! What each scheduler decides.

use super::*;

#[test]
fn blest_leaves_room_in_the_window_for_the_fast_path() {
    let paths = [full(path(0, 10)), path(1, 100)];
    // Of more data goes what fits beside ten round trips of the fast path, as in the table.
    let view = PathsView::new(&paths, 0, 145 * 1190 + 3500);
    assert_eq!(Blest::new().pick(&view, &fresh(3500)), send(1, 3500));
    assert_eq!(Blest::new().pick(&view, &fresh(9000)), send(1, 3000));

    // In slow start the window doubles each time.
    let starting = [
        Path {
            slow_start: true,
            ..paths[0]
        },
        path(1, 20),
    ];
    let decide = |window| Blest::new().pick(&PathsView::new(&starting, 0, window), &fresh(MSS));
    assert_eq!(decide(30 * 1190 + 1000), send(1, MSS));
    assert_eq!(decide(30 * 1190 + 999), Decision::Wait);
}

#[test]
fn blest_looks_no_further_than_sixteen_round_trips() {
    let paths = [full(path(0, 1)), path(1, 100)];
    let decide = |window| Blest::new().pick(&PathsView::new(&paths, 0, window), &fresh(MSS));
    // 16 times 10 and the half of 15 more.
    assert_eq!(decide(280 * 1190 + 1000), send(1, MSS));
    assert_eq!(decide(280 * 1190 + 999), Decision::Wait);
}

#[test]
fn blest_learns_from_blocked_windows() {
    let mut blest = Blest::new();
    let mut refused_window = |now: u64, blocked_before: bool| {
        let fast = Path {
            last_progress_us: now,
            ..path(0, 10)
        };
        let slow = path(1, 100);
        if blocked_before {
            blest.pick(&PathsView::new(&[fast, slow], now, 0), &blocked([1]));
        }
        let mut waits = |window| {
            let paths = [full(fast), slow];
            let view = PathsView::new(&paths, now, window);
            blest.pick(&view, &fresh(MSS)) == Decision::Wait
        };
        (0..300)
            .map(|k| k * 1000)
            .filter(|window| waits(*window))
            .max()
            .unwrap()
    };
    let mut now = SECOND;
    let mut next = |blocked_before| {
        now += 10_000;
        refused_window(now, blocked_before)
    };
    // 145 segments by the factor and one segment, rounded down to what was tried.
    assert_eq!(next(false), 173_000);
    assert_eq!(next(true), 179_000);
    for _ in 0..10 {
        next(true);
    }
    assert_eq!(next(true), 189_000, "the most caution");
    for _ in 0..50 {
        next(false);
    }
    assert_eq!(next(false), 145_000, "the least");
}

#[test]
fn ecf_changes_its_mind_by_a_quarter() {
    let decide = |ecf: &mut Ecf, unsent, slow_rtt| {
        let paths = [full(path(0, 10)), path(1, slow_rtt)];
        ecf.pick(
            &view(&paths),
            &Segment {
                unsent,
                ..fresh(MSS)
            },
        )
    };
    let (wait, slow) = (Decision::Wait, send(1, MSS));
    // Once it waits, the slow path must be better by a quarter.
    let mut ecf = Ecf::new();
    assert_eq!(decide(&mut ecf, 40_000, 51), wait);
    assert_eq!(decide(&mut ecf, 40_000, 41), wait);
    assert_eq!(decide(&mut ecf, 40_000, 40), slow);
    assert_eq!(decide(&mut ecf, 40_000, 41), slow);
}

#[test]
fn ecf_allows_for_deviation() {
    let decide = |unsent, deviation_ms: [u32; 2]| {
        let deviating = |path: Path, ms| Path {
            rttvar_us: ms * 1000,
            ..path
        };
        let paths = [
            deviating(full(path(0, 10)), deviation_ms[0]),
            deviating(path(1, 51), deviation_ms[1]),
        ];
        Ecf::new().pick(
            &view(&paths),
            &Segment {
                unsent,
                ..fresh(MSS)
            },
        )
    };
    let (wait, slow) = (Decision::Wait, send(1, MSS));
    // With 5 ms, whoever has them: the slow path may take 56 ms, the wait 25.
    for five in [[5, 0], [0, 5]] {
        assert_eq!([decide(45_000, [0, 0]), decide(45_000, five)], [slow, wait]);
        assert_eq!([decide(46_000, five), decide(4_901, five)], [slow, slow]);
        assert_eq!([decide(4_902, five), decide(3_922, [0, 0])], [wait, wait]);
    }
}

#[test]
fn what_was_sent_before_does_not_wait_for_a_faster_path() {
    let paths = [full(path(0, 10)), path(1, 100), path(2, 200)];
    for kind in [Kind::Blest, Kind::Ecf] {
        let mut scheduler = AnyScheduler::new(kind);
        let view = PathsView::new(&paths, SECOND, 10_000);
        let new = Segment {
            unsent: 40_000,
            ..fresh(MSS)
        };
        assert_eq!(scheduler.pick(&view, &new), Decision::Wait, "{kind:?}");
        let again = Segment {
            sent_on: set([2]),
            ..new
        };
        assert_eq!(scheduler.pick(&view, &again), send(1, MSS), "{kind:?}");
    }
}

#[test]
fn nobody_waits_for_a_path_from_which_nothing_will_come() {
    // The fast path has no room, and nothing in flight whose acknowledgement would make some.
    let stuck = Path {
        send_room: 0,
        ..path(0, 1)
    };
    for kind in [Kind::Blest, Kind::Ecf] {
        let segment = Segment {
            unsent: 50_000,
            ..fresh(MSS)
        };
        let mut scheduler = AnyScheduler::new(kind);
        let paths = [stuck, path(1, 500)];
        let decision = scheduler.pick(&PathsView::new(&paths, SECOND, 10_000), &segment);
        assert_eq!(decision, send(1, MSS), "{kind:?}");
        let paths = [
            Path {
                in_flight: 1,
                ..stuck
            },
            path(1, 500),
        ];
        let decision = scheduler.pick(&PathsView::new(&paths, SECOND, 10_000), &segment);
        assert_eq!(decision, Decision::Wait, "{kind:?}");
    }
}

#[test]
fn round_robin_gives_each_path_its_turn() {
    let wide = |number| Path {
        cwnd: 100,
        ..path(number, 10)
    };
    let mut scheduler = RoundRobin::new();
    let mut turn = |paths: &[Path]| match scheduler.pick(&view(paths), &fresh(50_000)) {
        Decision::Send { path, len } => (path.number(), len),
        other => panic!("{other:?}"),
    };
    let burst = BURST_SEGMENTS * MSS;
    let all = [wide(3), wide(1), wide(20)];
    let turns: std::vec::Vec<_> = (0..5).map(|_| turn(&all)).collect();
    assert_eq!(turns, [1, 3, 20, 1, 3].map(|number| (number, burst)));
    assert_eq!(turn(&[wide(3), wide(1), full(wide(20))]).0, 1);
    assert_eq!(turn(&[wide(3)]), (3, burst));
    assert_eq!(turn(&[wide(3)]), (3, burst));
}

#[test]
fn redundant_sends_on_all_that_have_room() {
    let small = Path {
        cwnd: 2,
        ..path(2, 30)
    };
    let paths = [path(0, 10), path(1, 20), small, full(path(3, 30))];
    let decide = |segment: &Segment| first_decision(Kind::Redundant, &paths, segment);
    let all = |paths, len| Decision::SendOnAll { paths, len };
    assert_eq!(decide(&fresh(2000)), all(set([0, 1, 2]), 2000));
    assert_eq!(
        decide(&fresh(2001)),
        all(set([0, 1]), 2001),
        "nobody waits for the small one"
    );
    let again = Segment {
        sent_on: set([0]),
        ..fresh(MSS)
    };
    assert_eq!(decide(&again), all(set([1, 2]), MSS));
}

#[test]
fn redundant_goes_at_the_pace_of_its_fastest_path() {
    let (fast, slow) = (path(0, 10), path(1, 100));
    let decide =
        |redundant: &mut AnyScheduler, paths: &[Path]| redundant.pick(&view(paths), &fresh(MSS));
    let all = |paths| Decision::SendOnAll { paths, len: MSS };
    assert_eq!(
        decide(&mut AnyScheduler::new(Kind::Redundant), &[full(fast), slow]),
        Decision::Wait
    );
    assert_eq!(
        decide(&mut AnyScheduler::new(Kind::Redundant), &[fast, full(slow)]),
        all(set([0]))
    );
    let stuck = Path {
        send_room: 0,
        ..fast
    };
    assert_eq!(
        decide(&mut AnyScheduler::new(Kind::Redundant), &[stuck, slow]),
        all(set([1])),
        "no end of waiting"
    );

    // Who leads, leads until another is faster by a quarter.
    let mut redundant = AnyScheduler::new(Kind::Redundant);
    let rival = |cwnd| Path {
        cwnd,
        ..path(1, 10)
    };
    assert_eq!(decide(&mut redundant, &[fast, rival(9)]), all(set([0, 1])));
    assert_eq!(
        decide(&mut redundant, &[full(fast), rival(12)]),
        Decision::Wait
    );
    assert_eq!(
        decide(&mut redundant, &[full(fast), rival(13)]),
        all(set([1]))
    );
    assert_eq!(
        decide(&mut redundant, &[fast, full(rival(13))]),
        Decision::Wait
    );
    redundant.forget(id(1));
    assert_eq!(
        decide(&mut redundant, &[fast, full(rival(9))]),
        all(set([0]))
    );
}
