// SPDX-License-Identifier: GPL-2.0

//! A joiner of segments, as receive offload or a normaliser.

use super::{Middlebox, Passed, Way};
use crate::segment::{Segment, Time};

/// The most data of a joined segment, in bytes.
const MOST: usize = 9000;

pub(super) struct Coalesce {
    wait: Time,
    last_options: bool,
    held: [Option<(Segment, Time)>; 2],
}

impl Coalesce {
    pub(super) fn new(wait: Time, last_options: bool) -> Self {
        Self {
            wait,
            last_options,
            held: [None, None],
        }
    }
}

impl Middlebox for Coalesce {
    fn pass(&mut self, way: Way, segment: Segment, now: Time, out: &mut Passed) {
        let held = &mut self.held[way.index()];
        let control = segment.flags.syn || segment.flags.rst || segment.payload_len() == 0;
        if let Some((mut first, until)) = held.take() {
            let follows = first.end() == segment.seq && !first.flags.fin;
            let fits = first.data.len() + segment.data.len() <= MOST;
            if control || !follows || !fits {
                out.push((way, first));
            } else {
                first.data.extend(&segment.data);
                first.flags.fin = segment.flags.fin;
                first.ack = segment.ack;
                first.window = segment.window;
                if self.last_options {
                    first.options = segment.options;
                }
                *held = Some((first, until));
                return;
            }
        }
        match control {
            true => out.push((way, segment)),
            false => *held = Some((segment, now + self.wait)),
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.held.iter().flatten().map(|(_, until)| *until).min()
    }

    fn on_timer(&mut self, now: Time, out: &mut Passed) {
        for way in Way::BOTH {
            let held = &mut self.held[way.index()];
            if let Some((segment, _)) = held.take_if(|(_, until)| now >= *until) {
                out.push((way, segment));
            }
        }
    }
}
