// SPDX-License-Identifier: GPL-2.0

//! A box that repeats the past: whole old segments, or new ones with old options.

use super::{Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::segment::{Segment, Time};
use std::collections::VecDeque;

/// Segments that it remembers.
const MEMORY: usize = 16;

pub(super) struct Replay {
    often: u16,
    chance: Chance,
    past: [VecDeque<Segment>; 2],
}

impl Replay {
    pub(super) fn new(often: u16, chance: Chance) -> Self {
        Self {
            often,
            chance,
            past: [VecDeque::new(), VecDeque::new()],
        }
    }
}

impl Middlebox for Replay {
    fn pass(&mut self, way: Way, segment: Segment, _now: Time, out: &mut Passed) {
        let past = &mut self.past[way.index()];
        out.push((way, segment.clone()));
        if !past.is_empty() && self.chance.per_mille(self.often) {
            let index = self.chance.between(0, past.len() as u64 - 1) as usize;
            let old = past[index].clone();
            let again = match self.chance.percent(50) || segment.flags.syn || segment.flags.rst {
                true => old,
                // Only without data: data with a mapping that is not its own stays without one.
                false => Segment {
                    options: old.options,
                    data: Vec::new(),
                    flags: crate::segment::Flags {
                        fin: false,
                        ..segment.flags
                    },
                    ..segment.clone()
                },
            };
            out.push((way, again));
        }
        past.push_back(segment);
        if past.len() > MEMORY {
            past.pop_front();
        }
    }
}
