// SPDX-License-Identifier: GPL-2.0

//! Linked increases (RFC 6356).

use super::coupled::coupled_increase;
use super::growth::{half, Growth, Increase};
use super::{Ack, Member, Members, Window};

/// Linked increases, the algorithm of RFC 6356: all subflows together take as much as one TCP would
/// on the best path, and none more than a TCP on its path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lia {
    growth: Growth,
}

impl Lia {
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

    /// The slow-start threshold after a loss: as TCP's (RFC 6356 section 3).
    #[inline]
    pub const fn ssthresh(&self, window: Window) -> u32 {
        half(window.cwnd, 2)
    }

    /// Takes note of a loss.
    #[inline]
    pub fn on_loss(&mut self) {
        self.growth.reset();
    }
}

/// RFC 6356 section 3: for each segment that is acknowledged, the window grows by the lesser of
/// `alpha / cwnd_total` and `1 / cwnd`, where
///
/// ```text
///                        max(cwnd_k / rtt_k²)
/// alpha = cwnd_total · -----------------------
///                       (Σ cwnd_k / rtt_k)²
/// ```
///
/// so that the first of both is the common term of the subflow for which the maximum stands.
pub(super) fn increase(cwnd: u32, members: &Members<'_>) -> Increase {
    let alone = Increase::of_tcp(cwnd);
    let best = members
        .active()
        .reduce(|a, b| if is_better(b, a) { b } else { a });
    match best {
        Some(best) => alone.min(coupled_increase(members, *best).into()),
        None => alone,
    }
}

/// Whether `cwnd / rtt²` is greater for `a`.
#[inline]
fn is_better(a: &Member, b: &Member) -> bool {
    scaled(a, b) > scaled(b, a)
}

/// The window of one by the square of the round-trip time of the other.
#[inline]
fn scaled(window: &Member, time: &Member) -> u128 {
    let rtt = u128::from(time.srtt_us);
    u128::from(window.cwnd).wrapping_mul(rtt.wrapping_mul(rtt))
}
