// SPDX-License-Identifier: GPL-2.0

//! Balanced linked adaptation (draft-walid-mptcp-congestion-control-04; Peng et al., "Multipath TCP:
//! Analysis, Design, and Implementation", IEEE/ACM Transactions on Networking 2016).

use super::fixed::Fixed;
use super::growth::{Growth, Increase};
use super::{Ack, Members, Window};

/// Linked increases and decreases, balanced between friendliness to TCP and quick response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Balia {
    growth: Growth,
}

impl Balia {
    /// The state of a new subflow.
    #[inline]
    pub const fn new() -> Self {
        Self {
            growth: Growth::new(),
        }
    }

    /// The window after an acknowledgement.
    #[inline]
    pub fn on_ack(&mut self, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        self.growth
            .grow(window, ack, |cwnd| increase(cwnd, members))
    }

    /// The slow-start threshold after a loss: the window without `min(alpha, 1.5)` halves of it,
    /// where `alpha` is how many times faster the fastest subflow is. Where there are several
    /// subflows it may be a single segment.
    #[inline]
    pub fn ssthresh(&self, window: Window, members: &Members<'_>) -> u32 {
        let own = members.own();
        let alpha = members.most_in_round_of(own).per(Fixed::whole(own.cwnd));
        let alpha = alpha.min(Fixed::ratio(3, 2));
        let reduced = alpha.times(Fixed::ratio(u64::from(window.cwnd), 2));
        let least = if members.several() { 1 } else { 2 };
        window.cwnd.saturating_sub(reduced.rounded()).max(least)
    }

    /// Takes note of a loss.
    #[inline]
    pub fn on_loss(&mut self) {
        self.growth.reset();
    }
}

/// For each segment that is acknowledged, with `alpha` as above,
///
/// ```text
///     x / rtt      1 + alpha   4 + alpha
///   ------------ · --------- · ---------      where x = cwnd / rtt.
///    (Σ x_k)²          2           5
/// ```
///
/// Counted in segments per round-trip time of the subflow, with `s` as the sum and `m` as the
/// maximum, that is `(w + m) / 2s · (4w + m) / 5s / w`, in which the fractions are at most 1.
pub(super) fn increase(cwnd: u32, members: &Members<'_>) -> Increase {
    let own = members.own();
    if own.cwnd == 0 || own.srtt_us == 0 {
        return Increase::of_tcp(cwnd);
    }
    let window = Fixed::whole(own.cwnd);
    let most = members.most_in_round_of(own);
    let total = members.total_in_round_of(own);
    let first = window.plus(most).per(total.times(Fixed::whole(2)));
    let fourfold = window.times(Fixed::whole(4));
    let second = fourfold.plus(most).per(total.times(Fixed::whole(5)));
    Increase::from(first.times(second).per(window))
}
