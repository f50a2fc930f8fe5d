// SPDX-License-Identifier: GPL-2.0

//! One path after the other.

use super::{Decision, PathId, PathsView, Penalties, Scheduler, Segment};

/// How many segments at most go to a path before the next has its turn.
pub const BURST_SEGMENTS: u32 = 10;

/// Lets the paths take turns; who has no room loses his. For tests and for paths that are alike.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RoundRobin {
    penalties: Penalties,
    last: Option<PathId>,
}

impl RoundRobin {
    /// A scheduler that has decided nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            penalties: Penalties::new(),
            last: None,
        }
    }
}

impl Scheduler for RoundRobin {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            return self.penalties.unblock(paths, segment);
        }
        // The next higher number, or after the highest the lowest.
        let turn = paths
            .candidates(segment)
            .min_by_key(|(path, _)| (Some(path.id) <= self.last, path.id));
        let Some((path, len)) = turn else {
            return Decision::Wait;
        };
        self.last = Some(path.id);
        let burst = path.mss.saturating_mul(BURST_SEGMENTS);
        Decision::Send {
            path: path.id,
            len: len.min(burst),
        }
    }

    fn forget(&mut self, path: PathId) {
        self.penalties.forget(path);
    }
}
