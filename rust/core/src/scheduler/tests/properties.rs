// SPDX-License-Identifier: GPL-2.0

//! What holds for all schedulers and all paths.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

const NOW: u64 = 10 * SECOND;

prop_compose! {
    fn any_path()(
        number in 0u8..32,
        srtt_us in prop_oneof![Just(0), 1u32..2_000_000, any::<u32>()],
        rttvar_us in prop_oneof![0u32..100_000, any::<u32>()],
        min_rtt_us in 0u32..2_000_000,
        (cwnd, in_flight) in prop_oneof![
            (0u32..100, 0u32..100),
            (any::<u32>(), any::<u32>()),
        ],
        slow_start: bool,
        mss in prop_oneof![Just(1460u32), 0u32..9000],
        (queued, send_room) in (0u32..20_000, prop_oneof![0u32..5_000, any::<u32>()]),
        pacing_rate in prop_oneof![Just(0u64), any::<u64>()],
        delivery_rate in prop_oneof![Just(0u64), 0u64..100_000_000, any::<u64>()],
        last_progress_us in 0u64..2 * NOW,
        backup: bool,
        standing in prop::sample::select(&[Standing::Active, Standing::Returned, Standing::Stale][..]),
    ) -> Path {
        Path {
            id: id(number), srtt_us, rttvar_us, min_rtt_us, cwnd, slow_start, in_flight, mss,
            queued, send_room, pacing_rate, delivery_rate, last_progress_us, backup, standing,
        }
    }
}

fn any_paths() -> impl Strategy<Value = Vec<Path>> {
    prop::collection::vec(any_path(), 0..12).prop_map(|mut paths| {
        paths.sort_by_key(|path| path.id);
        paths.dedup_by_key(|path| path.id);
        paths
    })
}

fn path_of(paths: &[Path], id: PathId) -> &Path {
    paths.iter().find(|path| path.id == id).unwrap()
}

fn any_set() -> impl Strategy<Value = PathSet> {
    prop_oneof![Just(0u32), any::<u32>()].prop_map(|bits| {
        let numbers = (0u8..32).filter(|number| bits & (1 << number) != 0);
        numbers.map(id).collect()
    })
}

prop_compose! {
    fn any_segment()(
        len in 1u32..200_000,
        more in prop_oneof![0u64..1_000_000, 0..u64::MAX / 2],
        window_left in prop_oneof![Just(0u32), any::<u32>()],
        sent_on in any_set(),
        blocking in any_set(),
    ) -> Segment {
        Segment { len, unsent: more + u64::from(len), window_left, again: false, last: false, sent_on, blocking }
    }
}

proptest! {
    #[test]
    fn decisions_are_sound(
        kind in prop::sample::select(&Kind::ALL[..]),
        rounds in prop::collection::vec((any_paths(), any_segment(), any::<u32>()), 1..8),
    ) {
        let mut scheduler = AnyScheduler::new(kind);
        for (paths, segment, window) in rounds {
            let view = PathsView::new(&paths, NOW, window);
            let (chosen, len) = match scheduler.pick(&view, &segment) {
                Decision::Send { path, len } => (PathSet::only(path), len),
                Decision::SendOnAll { paths, len } => (paths, len),
                Decision::Unblock { retransmit, penalise } => {
                    prop_assert!(segment.is_blocked());
                    prop_assert!(retransmit.is_some() || !penalise.is_empty());
                    prop_assert!(penalise.iter().all(|path| segment.blocking.contains(path)));
                    if let Some(path) = retransmit {
                        prop_assert!(!segment.blocking.contains(path));
                        let path = path_of(&paths, path);
                        prop_assert!(path.takes(1) > 0);
                        prop_assert!(view.eligible().any(|other| other == path));
                    }
                    continue;
                }
                Decision::Wait => continue,
            };
            prop_assert!(!segment.is_blocked());
            prop_assert!(len > 0 && len <= segment.sendable() && !chosen.is_empty());
            for path in chosen.iter() {
                prop_assert!(!segment.sent_on.contains(path));
                let path = path_of(&paths, path);
                prop_assert_eq!(path.takes(len), len, "{:?}", path);
                let responding = paths.iter().filter(|other| other.responds(NOW));
                let regular = responding.clone().any(|other| !other.backup);
                prop_assert!(path.responds(NOW) || responding.count() == 0);
                prop_assert!(!path.backup || !regular);
            }
        }
    }

    #[test]
    fn who_has_room_is_used_unless_a_faster_one_is_worth_the_wait(
        kind in prop::sample::select(&Kind::ALL[..]),
        paths in any_paths(),
        segment in any_segment(),
        window: u32,
    ) {
        prop_assume!(!segment.is_blocked());
        let view = PathsView::new(&paths, NOW, window);
        let decision = AnyScheduler::new(kind).pick(&view, &segment);
        let best = view.candidates(&segment).map(|(path, _)| path.rtt_us()).min();
        let mut busy = view.eligible().filter(|path| path.in_flight > 0);
        let may_wait = match kind {
            Kind::LowestRtt | Kind::RoundRobin => false,
            Kind::Blest | Kind::Ecf => busy.any(|path| Some(path.rtt_us()) < best),
            Kind::Redundant => busy.any(|path| path.takes(segment.sendable()) == 0),
        };
        if best.is_none() {
            prop_assert_eq!(decision, Decision::Wait);
        } else if !may_wait {
            prop_assert_ne!(decision, Decision::Wait);
        }
    }

    #[test]
    fn penalties_are_bounded_by_time(
        gaps in prop::collection::vec(0u64..30_000, 1..200),
        cwnd in 3u32..1000,
    ) {
        let mut penalties = Penalties::new();
        let mut slow = Path { cwnd, ..path(1, 100) };
        let (mut now, mut count) = (NOW, 0);
        for gap in gaps {
            now += gap;
            let paths = [path(0, 10), slow];
            let decision = penalties.unblock(&PathsView::new(&paths, now, 0), &blocked([1]));
            if matches!(decision, Decision::Unblock { penalise, .. } if !penalise.is_empty()) {
                count += 1;
                slow.cwnd = penalised(slow.cwnd, 0).0;
            }
        }
        prop_assert!(count <= (now - NOW) / 100_000 + 1);
        prop_assert!(slow.cwnd >= MIN_PENALISED_CWND);
    }

    #[test]
    fn a_penalty_never_raises_a_window(cwnd: u32, ssthresh: u32) {
        let (after, threshold) = penalised(cwnd, ssthresh);
        prop_assert!(after <= cwnd && after >= cwnd / 2 && threshold <= ssthresh);
        prop_assert!(after > 0 || cwnd == 0);
    }
}
