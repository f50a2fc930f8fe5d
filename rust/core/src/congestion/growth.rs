// SPDX-License-Identifier: GPL-2.0

//! Windows that grow by fractions of a segment.

use super::fixed::Fixed;
use super::{Ack, Window};

/// The part of a segment by which a window should have grown and has not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Growth {
    /// In 2⁻³² of a segment; negative if the window should have shrunk.
    credit: i64,
}

/// A change of the window for each segment that is acknowledged, in 2⁻³² of a segment.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Increase(pub(super) i64);

impl Increase {
    /// One segment per window (RFC 5681 section 3.1): what TCP alone does.
    #[inline]
    pub(super) fn of_tcp(cwnd: u32) -> Self {
        Self::from(Fixed::ratio(1, u64::from(cwnd)))
    }

    #[inline]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[inline]
    pub(super) const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// Rounded up, so that so many of one so-manieth make a segment.
impl From<Fixed> for Increase {
    #[inline]
    fn from(value: Fixed) -> Self {
        let steps = value.steps().saturating_add(1);
        Self(i64::try_from(steps).unwrap_or(i64::MAX))
    }
}

impl Growth {
    /// Nothing is owed.
    #[inline]
    pub(super) const fn new() -> Self {
        Self { credit: 0 }
    }

    /// Lets the window grow with an acknowledgement: in slow start by what was acknowledged
    /// (RFC 5681 section 3.1), beyond it as `increase` says for a given window.
    #[inline]
    pub(super) fn grow(
        &mut self,
        window: Window,
        ack: &Ack,
        increase: impl FnOnce(u32) -> Increase,
    ) -> Window {
        if !ack.cwnd_limited {
            return window;
        }
        let (window, left) = slow_start(window, ack.segments);
        if left == 0 {
            return window;
        }
        self.apply(window, left, increase(window.cwnd))
    }

    /// Forgets what is owed: the window is a new one.
    #[inline]
    pub(super) fn reset(&mut self) {
        self.credit = 0;
    }

    fn apply(&mut self, window: Window, segments: u32, increase: Increase) -> Window {
        let change = increase.0.saturating_mul(i64::from(segments));
        let credit = self.credit.saturating_add(change);
        // Whole segments, rounded towards zero; the rest stays owed.
        let whole = credit / (1 << 32);
        self.credit = credit % (1 << 32);
        let by = u32::try_from(whole.unsigned_abs()).unwrap_or(u32::MAX);
        let cwnd = if whole < 0 {
            window.cwnd.saturating_sub(by).max(1)
        } else {
            window.cwnd.saturating_add(by)
        };
        Window { cwnd, ..window }
    }
}

/// The window after slow start, and how many of the acknowledged segments lie beyond it.
#[inline]
pub(super) const fn slow_start(window: Window, segments: u32) -> (Window, u32) {
    let below = window.ssthresh.saturating_sub(window.cwnd);
    let used = if segments < below { segments } else { below };
    let cwnd = window.cwnd.saturating_add(used);
    (Window { cwnd, ..window }, segments.saturating_sub(used))
}

/// Half the window, but no less than `least`: the threshold after a loss (RFC 5681 section 3.1).
#[inline]
pub(super) const fn half(cwnd: u32, least: u32) -> u32 {
    if cwnd / 2 > least {
        cwnd / 2
    } else {
        least
    }
}
