// SPDX-License-Identifier: GPL-2.0

//! Everything on every path.

use super::lowest_rtt::first_to_deliver;
use super::{Decision, PathId, PathsView, Scheduler, Segment};

/// Sends each byte on all paths that have room, so that the fastest decides when it arrives and a
/// loss on one costs no time. A path that has none misses the segment; nobody waits for it, and it
/// does not carry later what has arrived long ago.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Redundant;

impl Scheduler for Redundant {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            return Decision::Wait;
        }
        let Some(first) = first_to_deliver(paths, segment) else {
            return Decision::Wait;
        };
        let len = first.takes(segment.sendable());
        let all = paths.ready(segment).filter(|path| path.takes(len) == len);
        Decision::SendOnAll {
            paths: all.map(|path| path.id).collect(),
            len,
        }
    }

    fn forget(&mut self, _path: PathId) {}
}
