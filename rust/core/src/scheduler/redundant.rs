// SPDX-License-Identifier: GPL-2.0

//! Everything on every path.

use super::{Decision, Path, PathId, PathsView, Scheduler, Segment};

/// Sends each byte on all paths that have room, so that the fastest decides when it arrives and a
/// loss on one costs no time.
///
/// One path, the one with the highest rate, leads: new data goes when it has room. Another that has
/// none then misses the data: nobody waits for it, and it does not carry later what has arrived
/// long ago. Another that has more gets nothing of its own, or the paths would share the data
/// instead of doubling it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Redundant {
    leader: Option<PathId>,
}

impl Redundant {
    /// A scheduler that has decided nothing.
    #[inline]
    pub const fn new() -> Self {
        Self { leader: None }
    }

    /// The path that leads until another is faster by a quarter; two that are alike must not
    /// take turns.
    fn leader<'a>(&mut self, paths: &PathsView<'a>) -> Option<&'a Path> {
        let mut eligible = paths.eligible();
        let leader = eligible.find(|path| Some(path.id) == self.leader);
        let faster = |a: &'a Path, b: &'a Path| if is_faster(b, a, 4) { b } else { a };
        let fastest = paths.eligible().reduce(faster);
        let leader = match (leader, fastest) {
            (Some(leader), Some(fastest)) if !is_faster(fastest, leader, 5) => Some(leader),
            _ => fastest,
        };
        self.leader = leader.map(|path| path.id);
        leader
    }
}

impl Scheduler for Redundant {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            return Decision::Wait;
        }
        let len = match self
            .leader(paths)
            .map(|path| (path, path.takes(segment.sendable())))
        {
            Some((leader, 0)) if segment.is_new() && leader.in_flight > 0 => 0,
            Some((_, len)) if segment.is_new() && len > 0 => len,
            _ => most_taken(paths, segment),
        };
        if len == 0 {
            return Decision::Wait;
        }
        let all = paths.ready(segment).filter(|path| path.takes(len) == len);
        Decision::SendOnAll {
            paths: all.map(|path| path.id).collect(),
            len,
        }
    }

    fn forget(&mut self, path: PathId) {
        self.leader = self.leader.filter(|leader| *leader != path);
    }
}

/// How much of `segment` any path takes.
#[inline]
fn most_taken(paths: &PathsView<'_>, segment: &Segment) -> u32 {
    let taken = paths
        .ready(segment)
        .map(|path| path.takes(segment.sendable()));
    taken.max().unwrap_or(0)
}

/// Whether the rate of `a`, congestion window by round-trip time, is more than `quarters` quarters
/// of that of `b`.
#[inline]
fn is_faster(a: &Path, b: &Path, quarters: u32) -> bool {
    let cross = |window: &Path, time: &Path, factor: u32| {
        let bytes = u128::from(window.cwnd_bytes());
        let us = u128::from(u64::from(time.rtt_us()).saturating_mul(u64::from(factor)));
        bytes.wrapping_mul(us)
    };
    cross(a, b, 4) > cross(b, a, quarters)
}
