// SPDX-License-Identifier: GPL-2.0

//! The retransmission timeout (RFC 6298).

use crate::segment::{before, Time, SECOND};

const SHORTEST: Time = SECOND / 5;
const LONGEST: Time = 60 * SECOND;

/// Measures one segment at a time.
#[derive(Debug, Default)]
pub(super) struct Rtt {
    smoothed: Option<(Time, Time)>,
    least: Option<Time>,
    timed: Option<(u32, Time)>,
    backoff: u8,
}

impl Rtt {
    /// The timeout.
    pub(super) fn timeout(&self) -> Time {
        let timeout = match self.smoothed {
            None => SECOND,
            Some((srtt, variation)) => (srtt + 4 * variation).max(SHORTEST),
        };
        (timeout << self.backoff.min(12)).min(LONGEST)
    }

    /// The smoothed time and its variation; 0 if unknown.
    pub(super) fn smoothed(&self) -> (Time, Time) {
        self.smoothed.unwrap_or_default()
    }

    /// The least that was measured; 0 if nothing was.
    pub(super) fn least(&self) -> Time {
        self.least.unwrap_or_default()
    }

    /// A segment that ends before `end` left for the first time.
    pub(super) fn on_sent(&mut self, end: u32, now: Time) {
        self.timed.get_or_insert((end, now));
    }

    /// Something was sent again: what is being timed is ambiguous (Karn's algorithm).
    pub(super) fn forget(&mut self) {
        self.timed = None;
    }

    /// Everything before `ack` was acknowledged.
    pub(super) fn on_ack(&mut self, ack: u32, now: Time) {
        self.backoff = 0;
        let Some((_, since)) = self.timed.filter(|(end, _)| !before(ack, *end)) else {
            return;
        };
        self.timed = None;
        self.on_sample(now - since);
    }

    /// A segment took so long to be acknowledged.
    pub(super) fn on_sample(&mut self, sample: Time) {
        self.least = Some(self.least.map_or(sample, |least| least.min(sample)));
        self.smoothed = Some(match self.smoothed {
            None => (sample, sample / 2),
            Some((srtt, variation)) => (
                (7 * srtt + sample) / 8,
                (3 * variation + srtt.abs_diff(sample)) / 4,
            ),
        });
    }

    /// The timer fired.
    pub(super) fn back_off(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
        self.timed = None;
    }
}
