// SPDX-License-Identifier: GPL-2.0

//! Which path still works.

/// The longest time between two probes of a stale path, in microseconds.
pub const MAX_PROBE_GAP_US: u64 = 5_000_000;

/// For how many answers after its return a path is judged by its best round-trip time instead of the
/// smoothed one, which still holds what was measured in the outage. The smoothed time forgets an eighth
/// with each measurement (RFC 6298 section 2.3), and there is none without an answer: a time limit would
/// leave a path that is seldom used with what it had.
pub const RETURN_ANSWERS: u8 = 16;

/// What is known of a path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Standing {
    /// It works, for all we know.
    #[default]
    Active,
    /// It works again since a short time.
    Returned,
    /// Data was given to it several times, and nothing came back. Other paths carry the data.
    Stale,
}

/// Finds out whether a path works, from progress and the lack of it.
///
/// A path becomes stale by silence or because its link is known to be down. Then it is probed,
/// seldom but for ever: only an answer tells that it works again, and a path that gets no data
/// gives none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Health {
    standing: Standing,
    /// Data-level timeouts since the last progress.
    timeouts: u8,
    /// While stale: how often it was probed, and when to do so next.
    probes: u8,
    next_us: u64,
    /// While it counts as just returned: how many answers it does so yet.
    answers: u8,
}

impl Health {
    /// A path that just came to be.
    #[inline]
    pub const fn new() -> Self {
        Self {
            standing: Standing::Active,
            timeouts: 0,
            probes: 0,
            next_us: 0,
            answers: 0,
        }
    }

    /// What the path counts as.
    #[inline]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether other paths carry the data until this one shows that it works.
    #[inline]
    pub const fn is_stale(&self) -> bool {
        matches!(self.standing, Standing::Stale)
    }

    /// Takes note that a data-level retransmission timeout ended at `now_us` (microseconds of any monotonic
    /// clock) without progress on this path, while it had data in flight. `limit` is how many of those in
    /// succession make it stale, 0 that none do; `rto_us` its retransmission timeout in microseconds. Returns whether
    /// it became stale by this, so that its data must go over other paths.
    #[inline]
    pub fn on_timeout(&mut self, limit: u8, now_us: u64, rto_us: u32) -> bool {
        self.timeouts = self.timeouts.saturating_add(1);
        limit != 0 && self.timeouts >= limit && self.on_dead(now_us, rto_us)
    }

    /// Takes note that the path cannot work: its link went down at `now_us`. Returns whether it
    /// became stale by this.
    #[inline]
    pub fn on_dead(&mut self, now_us: u64, rto_us: u32) -> bool {
        if self.standing == Standing::Stale {
            return false;
        }
        self.standing = Standing::Stale;
        self.probes = 0;
        self.next_us = now_us.saturating_add(u64::from(rto_us));
        true
    }

    /// Takes note that the peer acknowledged something on this path, a probe or data. Returns whether the
    /// path returned by this and can be used again.
    #[inline]
    pub fn on_progress(&mut self) -> bool {
        self.timeouts = 0;
        match self.standing {
            Standing::Active => return false,
            Standing::Stale => {
                self.standing = Standing::Returned;
                self.answers = RETURN_ANSWERS;
                return true;
            }
            Standing::Returned => self.answers = self.answers.saturating_sub(1),
        }
        if self.answers == 0 {
            self.standing = Standing::Active;
        }
        false
    }

    /// When to ask [`Self::probe`] again; `None` if the path is not stale.
    #[inline]
    pub const fn next_probe_us(&self) -> Option<u64> {
        match self.standing {
            Standing::Stale => Some(self.next_us),
            Standing::Active | Standing::Returned => None,
        }
    }

    /// Whether to probe the path at `now_us`, that is, to send one segment that the peer must
    /// acknowledge. If so, counts the probe as sent. The gaps between probes begin with `rto_us`
    /// and double up to [`MAX_PROBE_GAP_US`].
    #[inline]
    pub fn probe(&mut self, now_us: u64, rto_us: u32) -> bool {
        if self.standing != Standing::Stale || now_us < self.next_us {
            return false;
        }
        self.probes = self.probes.saturating_add(1).min(16);
        let gap = u64::from(rto_us).max(1) << self.probes;
        self.next_us = now_us.saturating_add(gap.min(MAX_PROBE_GAP_US));
        true
    }
}
