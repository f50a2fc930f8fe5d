// SPDX-License-Identifier: GPL-2.0

//! Weighted Vegas (Cao et al., "Delay-based Congestion Control for Multipath TCP", ICNP 2012;
//! draft-xu-mptcp-congestion-control-05).

use super::fixed::Fixed;
use super::growth::{half, slow_start, Growth, Increase};
use super::{Ack, Members, Window};
use crate::seq::Ssn;

/// How many segments all subflows of a connection together keep in queues.
pub const TOTAL_ALPHA: u32 = 10;

/// How many segments a subflow keeps there at least.
const MIN_ALPHA: u32 = 2;

/// How many segments in queues end slow start.
const GAMMA: u32 = 1;

/// Measurements in a round trip that are too few to tell what the queue does.
const TOO_FEW: u32 = 2;

/// The smallest window.
const MIN_CWND: u32 = 2;

/// Feels congestion by delay instead of loss: once per round trip it estimates how many segments of
/// the subflow wait in queues, and keeps that number at its share of [`TOTAL_ALPHA`]. Subflows that
/// cross less loaded links have higher rates at that, and get larger shares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wvegas {
    growth: Growth,
    /// Where the current round trip ends.
    round_end: Option<Ssn>,
    /// The least round-trip time ever, and the sum and count of those in this round trip.
    base_rtt_us: u32,
    count: u32,
    sum_us: u64,
    /// Segments of this subflow that may wait in queues.
    alpha: u32,
    /// The least queueing delay with a full share since the queue was drained; 0 if there was none.
    queue_us: u32,
    /// The rate at which the last share was found, in 2⁻³² segments per microsecond.
    rate: u64,
    /// Whether TCP recovers from a loss. Delays say nothing then.
    recovering: bool,
}

impl Wvegas {
    /// The state of a new subflow.
    #[inline]
    pub const fn new() -> Self {
        Self {
            growth: Growth::new(),
            round_end: None,
            base_rtt_us: u32::MAX,
            count: 0,
            sum_us: 0,
            alpha: MIN_ALPHA,
            queue_us: 0,
            rate: 0,
            recovering: false,
        }
    }

    /// Takes note of a measured round-trip time in microseconds.
    #[inline]
    pub fn on_rtt(&mut self, rtt_us: u32) {
        let rtt_us = rtt_us.max(1);
        self.base_rtt_us = self.base_rtt_us.min(rtt_us);
        self.sum_us = self.sum_us.saturating_add(u64::from(rtt_us));
        self.count = self.count.saturating_add(1);
    }

    /// The window after an acknowledgement.
    pub fn on_ack(&mut self, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        if self.recovering {
            return self.growth.grow(window, ack, Increase::of_tcp);
        }
        let round_end = *self.round_end.get_or_insert(ack.nxt);
        if !ack.una.after(round_end) {
            return self.within_round(window, ack);
        }
        let mean_us = mean(self.sum_us, self.count);
        let window = match mean_us {
            Some(rtt_us) if self.count > TOO_FEW => self.at_round_end(window, ack, rtt_us, members),
            _ => self.growth.grow(window, ack, Increase::of_tcp),
        };
        self.round_end = Some(ack.nxt);
        self.count = 0;
        self.sum_us = 0;
        window
    }

    /// The slow-start threshold after a loss: as TCP's.
    #[inline]
    pub const fn ssthresh(&self, window: Window) -> u32 {
        half(window.cwnd, MIN_CWND)
    }

    /// Takes note of a loss, from which TCP recovers until [`Self::on_recovered`].
    #[inline]
    pub fn on_loss(&mut self) {
        self.recovering = true;
        self.growth.reset();
        self.rate = 0;
    }

    /// Takes note that TCP has recovered: what was measured and shared before is void.
    #[inline]
    pub fn on_recovered(&mut self) {
        *self = Self {
            base_rtt_us: self.base_rtt_us,
            ..Self::new()
        };
    }

    /// Takes note that the subflow was idle: the path may have changed.
    #[inline]
    pub fn on_restart(&mut self) {
        *self = Self::new();
    }

    /// See [`Member::rate`](super::Member::rate).
    #[inline]
    pub const fn rate(&self) -> u64 {
        self.rate
    }

    #[inline]
    fn within_round(&self, window: Window, ack: &Ack) -> Window {
        if ack.cwnd_limited {
            slow_start(window, ack.segments).0
        } else {
            window
        }
    }

    /// Once per round trip, in which `rtt_us` was the mean round-trip time.
    fn at_round_end(
        &mut self,
        window: Window,
        ack: &Ack,
        rtt_us: u32,
        members: &Members<'_>,
    ) -> Window {
        let delay_us = rtt_us.saturating_sub(self.base_rtt_us);
        let waiting = scale(window.cwnd, delay_us, rtt_us);
        let changed = if window.cwnd >= window.ssthresh {
            self.update_share(window, rtt_us, waiting, members);
            let window = self.steer(window, ack, waiting);
            self.drain(window, rtt_us, waiting)
        } else if waiting > GAMMA {
            // Out of slow start, to a window that leaves one segment in the queue.
            let fitting = scale(window.cwnd, self.base_rtt_us, rtt_us).saturating_add(1);
            below_itself(Window {
                cwnd: window.cwnd.min(fitting),
                ..window
            })
        } else {
            self.within_round(window, ack)
        };
        let cwnd = changed.cwnd.max(MIN_CWND);
        // Three quarters of the window at least, so that slow start soon leads back to it.
        let ssthresh = changed.ssthresh.max((cwnd / 2).saturating_add(cwnd / 4));
        Window { cwnd, ssthresh }
    }

    /// Finds the subflow's share anew once it has used up the one before.
    fn update_share(&mut self, window: Window, rtt_us: u32, waiting: u32, members: &Members<'_>) {
        if waiting >= self.alpha {
            let rate = Fixed::ratio(u64::from(window.cwnd), u64::from(rtt_us));
            self.rate = rate.steps();
            self.alpha = share(self.rate, members).max(MIN_ALPHA);
        }
    }

    /// Steers the number of waiting segments to the subflow's share.
    fn steer(&self, window: Window, ack: &Ack, waiting: u32) -> Window {
        if waiting > self.alpha {
            below_itself(Window {
                cwnd: window.cwnd.saturating_sub(1),
                ..window
            })
        } else if waiting < self.alpha && ack.cwnd_limited {
            Window {
                cwnd: window.cwnd.saturating_add(1),
                ..window
            }
        } else {
            window
        }
    }

    /// Lets the queue run empty when the delay becomes twice the least with which the subflow had
    /// its share, so that the least round-trip time can be seen again: those that do not see it
    /// would outbid each other. While it has less than its share, its delay says nothing of that.
    fn drain(&mut self, window: Window, rtt_us: u32, waiting: u32) -> Window {
        let delay_us = rtt_us.saturating_sub(self.base_rtt_us);
        if waiting < self.alpha {
            return window;
        }
        if self.queue_us == 0 || delay_us < self.queue_us {
            self.queue_us = delay_us;
        }
        if delay_us < self.queue_us.saturating_mul(2) {
            return window;
        }
        self.queue_us = 0;
        Window {
            cwnd: scale(window.cwnd, self.base_rtt_us, rtt_us) / 2,
            ..window
        }
    }
}

impl Default for Wvegas {
    fn default() -> Self {
        Self::new()
    }
}

/// The part of [`TOTAL_ALPHA`] for a subflow with this rate.
fn share(own_rate: u64, members: &Members<'_>) -> u32 {
    let own_before = members.own().rate;
    let rates = members.active().map(|member| member.rate);
    let others = rates
        .fold(0, u64::saturating_add)
        .saturating_sub(own_before);
    let weight = Fixed::ratio(own_rate, others.saturating_add(own_rate));
    weight.times(Fixed::whole(TOTAL_ALPHA)).rounded_down()
}

/// With a slow-start threshold below the window, so that slow start is over.
#[inline]
fn below_itself(window: Window) -> Window {
    Window {
        ssthresh: window.ssthresh.min(window.cwnd.saturating_sub(1)),
        ..window
    }
}

#[inline]
fn mean(sum_us: u64, count: u32) -> Option<u32> {
    let mean = sum_us.checked_div(u64::from(count))?;
    u32::try_from(mean).ok().filter(|mean| *mean > 0)
}

/// `segments · part / whole`, for a part that is not more than the whole.
#[inline]
fn scale(segments: u32, part: u32, whole: u32) -> u32 {
    let product = u64::from(segments).saturating_mul(u64::from(part.min(whole)));
    let scaled = product.checked_div(u64::from(whole)).unwrap_or(0);
    u32::try_from(scaled).unwrap_or(segments)
}
