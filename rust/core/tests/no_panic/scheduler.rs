// SPDX-License-Identifier: GPL-2.0

//! Entry points of packet scheduling.

use mptcp_core::scheduler::{
    penalised, AnyScheduler, Blest, Decision, Ecf, Health, Kind, LowestRtt, Path, PathId, PathSet,
    PathsView, Penalties, Redundant, RoundRobin, Scheduler, Segment, Standing,
};

entry_points! {
    scheduler_kind(name: &[u8]) -> Option<(Kind, &'static str)> {
        Kind::from_name(name).map(|kind| (kind, kind.name()))
    }
    scheduler_new(kind: Kind) -> (AnyScheduler, Kind) {
        let scheduler = AnyScheduler::new(kind);
        (scheduler, scheduler.kind())
    }
    scheduler_any(any: &mut AnyScheduler, view: &PathsView<'_>, segment: &Segment) -> Decision {
        any.pick(view, segment)
    }
    scheduler_lowest_rtt(one: &mut LowestRtt, view: &PathsView<'_>, s: &Segment) -> Decision {
        one.pick(view, s)
    }
    scheduler_blest(one: &mut Blest, view: &PathsView<'_>, s: &Segment) -> Decision {
        one.pick(view, s)
    }
    scheduler_ecf(one: &mut Ecf, view: &PathsView<'_>, s: &Segment) -> Decision {
        one.pick(view, s)
    }
    scheduler_round_robin(one: &mut RoundRobin, view: &PathsView<'_>, s: &Segment) -> Decision {
        one.pick(view, s)
    }
    scheduler_redundant(one: &mut Redundant, view: &PathsView<'_>, s: &Segment) -> Decision {
        one.pick(view, s)
    }
    scheduler_forget(any: &mut AnyScheduler, path: PathId) { any.forget(path); }
    scheduler_unblock(penalties: &mut Penalties, view: &PathsView<'_>, s: &Segment) -> Decision {
        penalties.unblock(view, s)
    }
    scheduler_penalised(cwnd: u32, ssthresh: u32) -> (u32, u32) { penalised(cwnd, ssthresh) }
    scheduler_path(path: &Path, len: u32, now: u64) -> (u32, u64, [u64; 2], bool) {
        let sums = [path.outstanding(), path.cwnd_bytes()];
        (path.takes(len), path.delivery_us(), sums, path.responds(now))
    }
    scheduler_set(set: PathSet, number: u8) -> (PathSet, PathSet, Option<PathId>) {
        let path = PathId::new(number);
        let changed = path.map_or(set, |path| set.with(path).without(path));
        (set.iter().chain(path).collect(), changed, set.iter().last())
    }
    scheduler_view(paths: &[Path], now: u64, set: PathSet) -> (PathSet, Option<u64>, usize) {
        let view = PathsView::new(paths, now, 0);
        (view.silent(), view.next_silence_us(), view.those(set).fold(0, |count, _| count | 1))
    }
    scheduler_health(health: &mut Health, now: u64, us: u32, limit: u8) -> ([bool; 4], Standing) {
        let changes = [
            health.on_timeout(limit, now, us),
            health.on_dead(now, us),
            health.probe(now, us),
            health.on_progress(),
        ];
        (changes, health.standing())
    }
}
