// SPDX-License-Identifier: GPL-2.0

//! A firewall that gives connections other initial sequence numbers.

use super::{Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::segment::{Segment, Time};

pub(super) struct Renumber {
    offset: [u32; 2],
}

impl Renumber {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let offset = [chance.number() as u32, chance.number() as u32];
        Self { offset }
    }
}

impl Middlebox for Renumber {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        segment.seq = segment.seq.wrapping_add(self.offset[way.index()]);
        if segment.flags.ack {
            segment.ack = segment.ack.wrapping_sub(self.offset[way.back().index()]);
        }
        out.push((way, segment));
    }
}
