// SPDX-License-Identifier: GPL-2.0

//! Growing the receive buffer with the speed of the connection (dynamic right-sizing).

/// Measures how many bytes the application takes per round-trip time.
///
/// A sender whose congestion window doubles each round trip needs, in the coming one, room for
/// twice what it delivered in the last; that is the window this asks for. It never shrinks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RightSizing {
    round_start_us: u64,
    copied: u64,
    window: u64,
}

impl RightSizing {
    /// Starts at time `now_us` (microseconds of any monotonic clock) with a window of `window`
    /// bytes.
    #[inline]
    pub const fn new(now_us: u64, window: u32) -> Self {
        Self {
            round_start_us: now_us,
            copied: 0,
            window: window as u64,
        }
    }

    /// Takes note of `bytes` copied to the application at `now_us`.
    ///
    /// `rtt_us` is the largest round-trip time of any subflow, `mss` the largest segment, `cap` the
    /// most that may be asked for, all in microseconds and bytes. At the end of a round trip in
    /// which more was copied than ever before returns the window to provide from now on, which
    /// is larger than all before.
    #[inline]
    pub fn on_copied(
        &mut self,
        bytes: u32,
        now_us: u64,
        rtt_us: u32,
        mss: u32,
        cap: u32,
    ) -> Option<u32> {
        self.copied = self.copied.saturating_add(u64::from(bytes));
        let elapsed = now_us.saturating_sub(self.round_start_us);
        if rtt_us == 0 || elapsed < u64::from(rtt_us) {
            return None;
        }
        let per_round = per_round_trip(self.copied, elapsed, rtt_us);
        self.round_start_us = now_us;
        self.copied = 0;
        // Sixteen segments of slack keep a sender busy that bursts at the end of a round.
        let slack = u64::from(mss).saturating_mul(16);
        let wanted = per_round.saturating_mul(2).saturating_add(slack);
        let wanted = wanted.min(u64::from(cap));
        if wanted <= self.window {
            return None;
        }
        self.window = wanted;
        u32::try_from(wanted).ok()
    }
}

/// `copied` bytes in `elapsed_us` as bytes per round-trip time. An application that reads rarely
/// measures several round trips at once; they must not count as one.
#[inline]
fn per_round_trip(copied: u64, elapsed_us: u64, rtt_us: u32) -> u64 {
    let rtt_us = u64::from(rtt_us);
    if elapsed_us < rtt_us.saturating_mul(2) {
        return copied;
    }
    copied
        .saturating_mul(rtt_us)
        .checked_div(elapsed_us)
        .unwrap_or(copied)
}
