// SPDX-License-Identifier: GPL-2.0

//! How often the peer can make this host connect to somewhere.

/// Subflows opened to announced addresses at most in a row.
const BURST: u8 = 16;
/// After that, one in so many microseconds.
const INTERVAL: u64 = 1_000_000;

/// A token bucket. A peer may announce, remove and announce again without end, and its addresses
/// may be those of a third host, which must not be flooded with SYNs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Allowance {
    used: u8,
    /// When one of the used comes back.
    refill: u64,
}

impl Allowance {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { used: 0, refill: 0 }
    }

    /// Takes back what has come back by now.
    pub(super) fn wake(&mut self, now: u64) {
        while self.used > 0 && self.refill <= now {
            self.used = self.used.saturating_sub(1);
            self.refill = self.refill.saturating_add(INTERVAL);
        }
    }

    /// When another one is allowed; `None` means at once.
    #[inline]
    pub(super) const fn next(&self) -> Option<u64> {
        if self.used < BURST {
            None
        } else {
            Some(self.refill)
        }
    }

    /// Uses one.
    pub(super) fn take(&mut self, now: u64) {
        if self.used == 0 {
            self.refill = now.saturating_add(INTERVAL);
        }
        self.used = self.used.saturating_add(1);
    }
}
