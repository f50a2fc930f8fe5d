// SPDX-License-Identifier: GPL-2.0

//! The path that delivers first.

use super::{Decision, Path, PathId, PathsView, Penalties, Scheduler, Segment};

/// Takes the path with the lowest round-trip time that has room, and unblocks the window when
/// slower paths hold it closed. The rule for any use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LowestRtt {
    penalties: Penalties,
}

impl LowestRtt {
    /// A scheduler that has decided nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            penalties: Penalties::new(),
        }
    }
}

impl Scheduler for LowestRtt {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            return self.penalties.unblock(paths, segment);
        }
        first_to_deliver(paths, segment).map_or(Decision::Wait, |path| path.carry(segment))
    }

    fn forget(&mut self, path: PathId) {
        self.penalties.forget(path);
    }
}

/// Among the paths that can take some of `segment` the one that delivers first.
#[inline]
pub(super) fn first_to_deliver<'a>(paths: &PathsView<'a>, segment: &Segment) -> Option<&'a Path> {
    paths.ready(segment).min_by_key(|path| path.delivery_us())
}

/// Among the paths that can take some of `segment` the one with the lowest round-trip time.
#[inline]
pub(super) fn fastest<'a>(paths: &PathsView<'a>, segment: &Segment) -> Option<&'a Path> {
    paths.ready(segment).min_by_key(|path| path.rtt_us())
}

impl Path {
    /// The decision to send on this path what it takes of `segment`.
    #[inline]
    pub(super) fn carry(&self, segment: &Segment) -> Decision {
        Decision::Send {
            path: self.id,
            len: self.takes(segment.sendable()),
        }
    }
}
