// SPDX-License-Identifier: GPL-2.0

//! Earliest completion first: a slow path is left out if the fast one, after a wait, is done
//! sooner (Lim et al., "ECF: An MPTCP Path Scheduler to Manage Heterogeneous Paths", CoNEXT 2017).

use super::blest::faster_and_busy;
use super::lowest_rtt::{carry, fastest};
use super::{Decision, Path, PathId, PathsView, Penalties, Scheduler, Segment};

/// Who waits for the fast path goes on waiting until the slow one is better by a quarter, so that
/// the decision does not flap (the beta of the paper).
const HYSTERESIS_QUARTERS: u64 = 1;

/// Compares when all that waits is delivered: with the slow path now, or by the fast path alone as
/// soon as it has room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ecf {
    penalties: Penalties,
    waiting: bool,
}

impl Ecf {
    /// A scheduler that has decided nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            penalties: Penalties::new(),
            waiting: false,
        }
    }

    /// Whether to wait for `fast` instead of sending on `slow`.
    fn waits(&mut self, slow: &Path, fast: &Path, unsent: u64) -> bool {
        let deviation = u64::from(slow.rttvar_us.max(fast.rttvar_us));
        let fast_us = u64::from(fast.rtt_us());
        let slow_us = u64::from(slow.rtt_us());

        // What waits takes the fast path one round trip, and one more for each window of it. To
        // compare without dividing, both sides are multiplied by the window.
        let fast_done = product(unsent.saturating_add(fast.cwnd_bytes()), fast_us);
        let slow_done = product(fast.cwnd_bytes(), slow_us.saturating_add(deviation));
        let quarters = if self.waiting { HYSTERESIS_QUARTERS } else { 0 };
        let slow_done = scaled(slow_done, quarters.saturating_add(4));
        if scaled(fast_done, 4) >= slow_done {
            self.waiting = false;
            return false;
        }
        // The fast path is done sooner. That helps only if the slow one would take longer than
        // the wait and the round trip together.
        let by_slow = product(unsent, slow_us);
        let wait = fast_us.saturating_mul(2).saturating_add(deviation);
        if by_slow < product(slow.cwnd_bytes(), wait) {
            return false;
        }
        self.waiting = true;
        true
    }
}

impl Scheduler for Ecf {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            return self.penalties.unblock(paths, segment);
        }
        let Some((path, len)) = fastest(paths, segment) else {
            return Decision::Wait;
        };
        match faster_and_busy(paths, path) {
            Some(fast) if segment.is_new() && self.waits(path, fast, segment.unsent) => {
                Decision::Wait
            }
            _ => carry((path, len)),
        }
    }

    fn forget(&mut self, path: PathId) {
        self.penalties.forget(path);
    }
}

/// Bytes times microseconds; no such product overflows.
#[inline]
fn product(bytes: u64, us: u64) -> u128 {
    u128::from(bytes).wrapping_mul(u128::from(us))
}

#[inline]
fn scaled(value: u128, factor: u64) -> u128 {
    value.saturating_mul(u128::from(factor))
}
