// SPDX-License-Identifier: GPL-2.0

//! Windows that slow paths hold closed.

use super::*;

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
