// SPDX-License-Identifier: GPL-2.0

//! An application gateway: it replaces bytes of one stream by others, of another length, and
//! corrects the sequence numbers of everything behind.

use super::{Middlebox, Passed, Way};
use crate::segment::{before, Segment, Time};

/// What is put in.
pub const INSERTED: u8 = b'#';

pub(super) struct Rewrite {
    way: Way,
    at: u32,
    remove: u32,
    insert: u32,
    isn: u32,
    /// The highest number that has passed, as the sender counts.
    passed: u32,
}

impl Rewrite {
    pub(super) fn new(way: Way, at: u32, remove: u32, insert: u32) -> Self {
        Self {
            way,
            at,
            remove,
            insert,
            isn: 0,
            passed: 0,
        }
    }

    /// The position that `position` of the sender's stream has for the receiver.
    fn forward(&self, position: u32) -> u32 {
        if position <= self.at {
            position
        } else if position < self.at + self.remove {
            self.at + self.insert
        } else {
            position - self.remove + self.insert
        }
    }

    /// The position of the sender's stream up to which the receiver has everything.
    fn backward(&self, position: u32) -> u32 {
        if position <= self.at {
            position
        } else if position < self.at + self.insert {
            self.at
        } else {
            position - self.insert + self.remove
        }
    }

    fn rewrite(&mut self, segment: &mut Segment) {
        let start = segment.seq.wrapping_sub(self.isn).wrapping_sub(1);
        // A keepalive lies before the stream.
        if start > 1 << 31 {
            return;
        }
        let end = start + segment.payload_len();
        if segment.flags.fin && end > self.at {
            // There are no more bytes to be taken out.
            self.remove = self.remove.min(end - self.at);
        }
        let highest = segment.end();
        if before(self.passed, highest) {
            self.passed = highest;
        }
        let data = std::mem::take(&mut segment.data);
        for (position, byte) in (start..end).zip(data) {
            if position == self.at {
                let put_in = std::iter::repeat_n(INSERTED, self.insert as usize);
                segment.data.extend(put_in);
            }
            if !(self.at..self.at + self.remove).contains(&position) {
                segment.data.push(byte);
            }
        }
        let start = self.forward(start);
        segment.seq = self.isn.wrapping_add(1).wrapping_add(start);
    }
}

impl Middlebox for Rewrite {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        if way == self.way {
            if segment.flags.syn {
                self.isn = segment.seq;
                self.passed = segment.end();
            } else {
                self.rewrite(&mut segment);
            }
        } else if segment.flags.ack {
            let position = segment.ack.wrapping_sub(self.isn).wrapping_sub(1);
            if position < 1 << 31 {
                let known = self.isn.wrapping_add(1);
                let ack = known.wrapping_add(self.backward(position));
                segment.ack = match before(self.passed, ack) {
                    true => self.passed,
                    false => ack,
                };
            }
        }
        out.push((way, segment));
    }
}
