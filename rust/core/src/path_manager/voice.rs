// SPDX-License-Identifier: GPL-2.0

//! How often a subflow may say something in a segment without data.

/// So many such segments go out in a row.
const IN_A_ROW: u8 = 2;
/// The shortest pause after them in microseconds: TCP's shortest retransmission timeout.
const SHORTEST_PAUSE: u64 = 200_000;

/// Segments that a subflow sends for options alone.
///
/// To everybody who does not read the options they are repeated acknowledgements, and the third in a
/// row is a sign of congestion. After a retransmission timeout nothing that they could refer to is in
/// flight any more.
// rfc8684:3.4.1-10
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Voice {
    said: u8,
    /// When the row is over, in microseconds.
    rested: u64,
}

impl Voice {
    /// Of a subflow that said nothing.
    pub(super) const FRESH: Self = Self { said: 0, rested: 0 };

    /// When the next segment may go out; `None` means at once.
    #[inline]
    pub(super) fn ready_at(&self, now: u64) -> Option<u64> {
        (self.said >= IN_A_ROW && now < self.rested).then_some(self.rested)
    }

    /// Notes that a segment goes out. `rto` is the subflow's retransmission timeout in microseconds.
    pub(super) fn speak(&mut self, now: u64, rto: u32) {
        if now >= self.rested {
            self.said = 0;
        }
        self.said = self.said.saturating_add(1);
        self.rested = now.saturating_add(u64::from(rto).max(SHORTEST_PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rfc8684:3.4.1-10
    #[test]
    fn no_more_than_two_go_out_in_a_row() {
        for (rto, pause) in [(0, SHORTEST_PAUSE), (1_000_000, 1_000_000)] {
            let mut voice = Voice::FRESH;
            let mut now = 1;
            for _ in 0..3 {
                assert_eq!(voice.ready_at(now), None);
                voice.speak(now, rto);
                assert_eq!(voice.ready_at(now), None);
                voice.speak(now + 5, rto);
                now += 5 + pause;
                assert_eq!(voice.ready_at(now - 1), Some(now));
            }
            // Who speaks seldom never waits.
            for _ in 0..9 {
                assert_eq!(voice.ready_at(now), None);
                voice.speak(now, rto);
                now += pause;
            }
        }
    }
}
