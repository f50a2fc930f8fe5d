// SPDX-License-Identifier: GPL-2.0

//! Blocking estimation: a slow path is left out if it would keep a faster one from sending
//! (Ferlin et al., "BLEST: Blocking Estimation-based MPTCP Scheduler for Heterogeneous Networks",
//! IFIP Networking 2016).

use super::lowest_rtt::{carry, fastest};
use super::{Decision, Path, PathId, PathsView, Penalties, Scheduler, Segment};
use crate::num::saturate32;

/// The factor by which the estimate of the fast path's demand is corrected, in thousandths: how
/// it begins, its bounds, its steps after a round trip with and without a blocked window.
const LAMBDA: u32 = 1200;
const MIN_LAMBDA: u32 = 1000;
const MAX_LAMBDA: u32 = 1300;
const LAMBDA_UP: u32 = 40;
const LAMBDA_DOWN: u32 = 10;

/// No forecast reaches further than so many round trips of the fast path.
const MAX_ROUNDS: u64 = 16;

/// Sends on a slow path only what will be acknowledged before the fast path needs its share of the
/// peer's window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Blest {
    penalties: Penalties,
    lambda: u32,
    /// When the correction may be changed again, in microseconds.
    next_change_us: u64,
    /// Whether the window was blocked since the last change.
    was_blocked: bool,
}

impl Blest {
    /// A scheduler that has decided nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            penalties: Penalties::new(),
            lambda: LAMBDA,
            next_change_us: 0,
            was_blocked: false,
        }
    }

    /// How many of `len` bytes `slow` may take without taking from the peer's window what `fast`
    /// can fill until they are acknowledged: all, or a number of whole segments.
    fn spared(&self, paths: &PathsView<'_>, slow: &Path, fast: &Path, len: u32) -> u32 {
        let demand = demand(fast, slow.rtt_us());
        let corrected = demand.saturating_mul(u64::from(self.lambda)) / 1000;
        let spare = u64::from(paths.window)
            .saturating_sub(slow.outstanding())
            .saturating_sub(corrected);
        match saturate32(spare) {
            spare if spare >= len => len,
            spare => spare.saturating_sub(spare.checked_rem(slow.mss).unwrap_or(spare)),
        }
    }

    /// Once per round trip of the fast path: more caution if the window was blocked, less if not.
    fn adapt(&mut self, now_us: u64, fast: &Path) {
        if now_us < self.next_change_us {
            return;
        }
        self.lambda = if self.was_blocked {
            self.lambda.saturating_add(LAMBDA_UP).min(MAX_LAMBDA)
        } else {
            self.lambda.saturating_sub(LAMBDA_DOWN).max(MIN_LAMBDA)
        };
        self.was_blocked = false;
        self.next_change_us = now_us.saturating_add(u64::from(fast.rtt_us()));
    }
}

impl Default for Blest {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheduler for Blest {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        if segment.is_blocked() {
            let decision = self.penalties.unblock(paths, segment);
            self.was_blocked |= decision != Decision::Wait;
            return decision;
        }
        let Some((path, len)) = fastest(paths, segment) else {
            return Decision::Wait;
        };
        let Some(fast) = faster_and_busy(paths, path).filter(|_| segment.is_new()) else {
            return carry((path, len));
        };
        self.adapt(paths.now_us, fast);
        match self.spared(paths, path, fast, len) {
            0 => Decision::Wait,
            len => Decision::Send { path: path.id, len },
        }
    }

    fn forget(&mut self, path: PathId) {
        self.penalties.forget(path);
    }
}

/// The path with the lowest round-trip time, if it is faster than `path` and has no room only
/// because it waits for acknowledgements, so that waiting for it comes to an end.
#[inline]
pub(super) fn faster_and_busy<'a>(paths: &PathsView<'a>, path: &Path) -> Option<&'a Path> {
    let fastest = paths.eligible().min_by_key(|other| other.rtt_us())?;
    let worth_waiting = fastest.rtt_us() < path.rtt_us() && fastest.in_flight > 0;
    worth_waiting.then_some(fastest)
}

/// How many bytes `path` will send in `time_us`: a window in each round trip, which doubles with
/// each in slow start and later grows by a segment.
fn demand(path: &Path, time_us: u32) -> u64 {
    // Round trips, in 1024ths.
    let rounds = (u64::from(time_us) << 10)
        .checked_div(u64::from(path.rtt_us()))
        .unwrap_or(0)
        .min(MAX_ROUNDS << 10);
    let cwnd = u64::from(path.cwnd);
    let segments = if path.slow_start {
        let whole = rounds.div_ceil(1 << 10);
        cwnd.saturating_mul((1u64 << whole.min(MAX_ROUNDS)).saturating_sub(1))
    } else {
        let growth = rounds.saturating_sub(1 << 10) / 2;
        let mean = (cwnd << 10).saturating_add(growth);
        mean.saturating_mul(rounds) >> 20
    };
    segments.saturating_mul(u64::from(path.mss))
}
