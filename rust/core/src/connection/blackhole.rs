// SPDX-License-Identifier: GPL-2.0

//! Networks that drop SYNs with MP_CAPABLE and let those without it pass (RFC 8684 section 3.7).

/// How often the time for which MP_CAPABLE is left out doubles.
const MOST_DOUBLINGS: u8 = 6;
/// How many SYNs with MP_CAPABLE are repeated before one goes without it, where nobody chose another number.
pub const SYN_REPETITIONS: u32 = 2;
/// From this number on there is no limit.
const ENDLESS: u32 = 128;

/// Whether the SYN of a client that sent it `again` times before has MP_CAPABLE. `limit` is how many are
/// repeated with it; 128 and more: all.
///
/// RFC 8684 section 3.1: the path may drop SYNs with options that it does not know, so after some the
/// connection is tried as plain TCP. How many is local policy.
// rfc8684:3.1-7
#[inline]
pub const fn offers_mptcp(again: u8, limit: u32) -> bool {
    limit >= ENDLESS || again as u32 <= limit
}

/// Whether a host's new connections are to leave MP_CAPABLE out, because others had to.
///
/// Each connection that is made only without the option costs its user the time of several lost
/// SYNs. So the ones after it do without it, for ever longer, until one is made with it again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Blackhole {
    /// How often the option was dropped since it last passed.
    times: u8,
    /// When that happened last, in microseconds.
    since: u64,
}

impl Blackhole {
    /// Nothing was dropped yet.
    #[inline]
    pub const fn new() -> Self {
        Self { times: 0, since: 0 }
    }

    /// Takes note that a connection was made at `now` (microseconds of any monotonic clock) without
    /// the option, after it was not made with it.
    #[inline]
    pub fn on_dropped(&mut self, now: u64) {
        self.times = self.times.saturating_add(1);
        self.since = now;
    }

    /// Takes note that a connection was made with the option. Whether that is news.
    #[inline]
    pub fn on_passed(&mut self) -> bool {
        core::mem::take(&mut self.times) > 0
    }

    /// Whether a connection that begins at `now` leaves the option out. `timeout` is how long that
    /// lasts after the first time, in microseconds; 0 never does.
    #[inline]
    pub fn avoids(&self, now: u64, timeout: u64) -> bool {
        let Some(doublings) = self.times.checked_sub(1) else {
            return false;
        };
        let wait = timeout.saturating_mul(1 << doublings.min(MOST_DOUBLINGS));
        now < self.since.saturating_add(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000;

    #[test]
    fn after_some_syns_the_option_is_left_out() {
        assert_eq!(crate::vectors::patience::check(), Ok(()));
    }

    #[test]
    fn the_option_is_left_out_for_ever_longer() {
        let mut blackhole = Blackhole::new();
        assert!(!blackhole.avoids(5, HOUR));
        let mut now = 5;
        for hours in [1, 2, 4, 8, 16, 32, 64, 64, 64] {
            blackhole.on_dropped(now);
            assert!(!blackhole.avoids(now, 0));
            now += hours * HOUR - 1;
            assert!(blackhole.avoids(now, HOUR));
            now += 1;
            assert!(!blackhole.avoids(now, HOUR));
        }
    }

    #[test]
    fn one_success_is_enough() {
        let mut blackhole = Blackhole::new();
        assert!(!blackhole.on_passed());
        blackhole.on_dropped(1);
        blackhole.on_dropped(2);
        assert!(blackhole.on_passed() && !blackhole.on_passed());
        assert!(!blackhole.avoids(3, HOUR));
        blackhole.on_dropped(4);
        assert!(blackhole.avoids(4 + HOUR - 1, HOUR) && !blackhole.avoids(4 + HOUR, HOUR));
        // No number of failures is too many.
        (0..1000).for_each(|_| blackhole.on_dropped(u64::MAX - 1));
        assert!(blackhole.avoids(u64::MAX - 1, u64::MAX));
    }
}
