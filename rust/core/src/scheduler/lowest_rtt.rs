// SPDX-License-Identifier: GPL-2.0

//! The path that delivers first.

use super::blest::faster_and_busy;
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
        // The one that delivers first.
        match paths.cheapest(segment, Path::delivery_us) {
            Some((path, _)) if segment.last && outdone(paths, path, segment) => Decision::Wait,
            Some(chosen) => carry(chosen),
            None => Decision::Wait,
        }
    }

    fn forget(&mut self, path: PathId) {
        self.penalties.forget(path);
    }
}

/// Among the paths that can take some of `segment` the one with the lowest round-trip time, and how much it
/// takes.
#[inline]
pub(super) fn fastest<'a>(paths: &PathsView<'a>, segment: &Segment) -> Option<(&'a Path, u32)> {
    paths.cheapest(segment, |path| u64::from(path.rtt_us()))
}

/// The decision to send so many bytes on this path.
#[inline]
pub(super) fn carry((path, len): (&Path, u32)) -> Decision {
    Decision::Send { path: path.id, len }
}

/// Whether a faster path, which has no room only for the moment, delivers all that waits, and nothing follows,
/// before `path` delivers anything: given the end of a stream, `path` would finish last.
#[inline]
fn outdone(paths: &PathsView<'_>, path: &Path, segment: &Segment) -> bool {
    let fast = faster_and_busy(paths, path).filter(|_| segment.is_new());
    fast.and_then(|fast| fast.done_us(segment.unsent))
        .is_some_and(|done| done < path.delivery_us())
}
