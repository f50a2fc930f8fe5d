// SPDX-License-Identifier: GPL-2.0

//! What to do when slow paths hold the connection's window closed: opportunistic retransmission
//! and penalisation (Raiciu et al., "How Hard Can It Be? Designing and Implementing a Deployable
//! Multipath TCP", NSDI 2012, section 4.2).

use super::{Decision, Path, PathId, PathSet, PathsView, Segment, MAX_PATHS};

/// How many times slower the paths that hold the oldest data must be for it to pay to send that
/// data again on the fast one; otherwise it arrives by itself before long.
pub const RETRANSMIT_MARGIN: u32 = 4;

/// How many times slower a path must be to be penalised. A window that paths of about the same length fill
/// is held closed by each of them in turn, and smaller congestion windows would only leave it unused.
pub const PENALTY_MARGIN: u32 = 2;

/// No congestion window is reduced below so many segments. One alone would wait for the delayed
/// acknowledgement each time.
pub const MIN_PENALISED_CWND: u32 = 2;

/// Remembers who was penalised when.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Penalties {
    /// By path: not again before this time, in microseconds.
    next_us: [u64; MAX_PATHS],
}

impl Penalties {
    /// Nobody was penalised.
    #[inline]
    pub const fn new() -> Self {
        Self {
            next_us: [0; MAX_PATHS],
        }
    }

    /// Decides about a closed window.
    ///
    /// If a fast path stands idle because paths half as fast hold the oldest data, they are penalised,
    /// each once per round-trip time of its own, so that they get less next time. If they are much
    /// slower, or do not answer, the fast path carries that data again.
    pub fn unblock(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        let Some(fast) = idle_path(paths, segment.blocking) else {
            return Decision::Wait;
        };
        let now_us = paths.now_us;
        let unreliable = |path: &Path| !path.responds(now_us);
        let slower = |path: &Path| path.rtt_us() > fast.rtt_us() || unreliable(path);
        let margin = fast.rtt_us().saturating_mul(RETRANSMIT_MARGIN);
        let much_slower = |path: &Path| path.rtt_us() >= margin || unreliable(path);

        let blocking = || paths.those(segment.blocking);
        if segment.blocking.is_empty() || !blocking().all(slower) {
            return Decision::Wait;
        }
        let margin = fast.rtt_us().saturating_mul(PENALTY_MARGIN);
        let penalise =
            blocking().filter(|path| path.rtt_us() >= margin && self.may_penalise(path, now_us));
        let penalise: PathSet = penalise.map(|path| path.id).collect();
        self.note(paths, penalise);
        let retransmit = blocking().all(much_slower).then_some(fast.id);
        match (retransmit, penalise) {
            (None, PathSet::EMPTY) => Decision::Wait,
            _ => Decision::Unblock {
                retransmit,
                penalise,
            },
        }
    }

    /// Takes note that `path` is gone.
    #[inline]
    pub fn forget(&mut self, path: PathId) {
        if let Some(next_us) = self.next_us.get_mut(path.index()) {
            *next_us = 0;
        }
    }

    #[inline]
    fn may_penalise(&self, path: &Path, now_us: u64) -> bool {
        let next_us = self.next_us.get(path.id.index());
        let reducible = path.cwnd > MIN_PENALISED_CWND && path.responds(now_us);
        reducible && next_us.is_some_and(|next_us| *next_us <= now_us)
    }

    #[inline]
    fn note(&mut self, paths: &PathsView<'_>, penalised: PathSet) {
        for path in paths.those(penalised) {
            if let Some(next_us) = self.next_us.get_mut(path.id.index()) {
                *next_us = paths.now_us.saturating_add(u64::from(path.rtt_us()));
            }
        }
    }
}

/// The fastest path that has room for a segment and does not hold the window closed itself.
#[inline]
fn idle_path<'a>(paths: &PathsView<'a>, blocking: PathSet) -> Option<&'a Path> {
    paths
        .eligible()
        .filter(|path| !blocking.contains(path.id) && path.takes(path.mss) > 0)
        .min_by_key(|path| path.rtt_us())
}

/// The congestion window and slow-start threshold of a path that is penalised, from those before
/// (segments). In slow start the threshold stands: the path was not at its limit.
#[inline]
pub const fn penalised(cwnd: u32, ssthresh: u32) -> (u32, u32) {
    let threshold = if cwnd < ssthresh {
        ssthresh
    } else {
        halved(ssthresh)
    };
    (halved(cwnd), threshold)
}

#[inline]
const fn halved(segments: u32) -> u32 {
    if segments <= MIN_PENALISED_CWND {
        segments
    } else if segments / 2 < MIN_PENALISED_CWND {
        MIN_PENALISED_CWND
    } else {
        segments / 2
    }
}
