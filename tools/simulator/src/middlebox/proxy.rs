// SPDX-License-Identifier: GPL-2.0

//! A proxy that acknowledges the client's data before the server has it, and then answers for it:
//! it keeps what it acknowledged and sends it again until the server has it.

use super::{Middlebox, Passed, Way};
use crate::segment::{before, Flags, Segment, Time};
use std::collections::VecDeque;

/// Bytes that it answers for at most.
const MOST: u32 = 64 * 1024;
/// How often it repeats, in microseconds.
const AGAIN: Time = 300_000;
/// How often before it gives up.
const TIMES: u8 = 100;

#[derive(Default)]
pub(super) struct Proxy {
    /// Up to where it acknowledged; it has seen the start of the stream if set.
    acked: Option<u32>,
    kept: VecDeque<Segment>,
    again_at: Option<Time>,
    times: u8,
    /// What the server said last, as a model for what the proxy says.
    last: Segment,
}

impl Proxy {
    fn on_data(&mut self, segment: &Segment, now: Time, out: &mut Passed) {
        if segment.flags.syn {
            self.acked = Some(segment.end());
            return;
        }
        let Some(acked) = self.acked.filter(|_| segment.payload_len() > 0) else {
            return;
        };
        let unsettled = acked.wrapping_sub(self.last.ack);
        let room = unsettled.wrapping_add(segment.payload_len()) < MOST.min(self.window());
        if segment.seq == acked && self.last.flags.ack && room {
            self.acked = Some(segment.seq.wrapping_add(segment.payload_len()));
            self.kept.push_back(segment.clone());
            self.again_at.get_or_insert(now + AGAIN);
        }
        if self.last.flags.ack && before(self.last.ack, self.acked.unwrap_or(acked)) {
            let answer = Segment {
                from: segment.to,
                to: segment.from,
                seq: segment.ack,
                ack: self.acked.unwrap_or(acked),
                flags: Flags {
                    ack: true,
                    ..Flags::default()
                },
                window: self.last.window,
                ..Segment::default()
            };
            out.push((Way::ToClient, answer));
        }
    }

    /// The server's window, in the smallest unit that it may have.
    fn window(&self) -> u32 {
        self.last.window.into()
    }

    fn on_answer(&mut self, segment: &mut Segment) {
        if !segment.flags.ack || segment.flags.rst {
            return;
        }
        if !segment.flags.syn && !before(segment.ack, self.last.ack) {
            self.last = Segment {
                data: Vec::new(),
                ..segment.clone()
            };
            self.times = 0;
        }
        while self
            .kept
            .front()
            .is_some_and(|kept| !before(segment.ack, kept.end()))
        {
            self.kept.pop_front();
        }
        if self.kept.is_empty() {
            self.again_at = None;
        }
        // What was acknowledged stays acknowledged.
        if let Some(acked) = self.acked.filter(|acked| before(segment.ack, *acked)) {
            segment.ack = acked;
        }
    }
}

impl Middlebox for Proxy {
    fn pass(&mut self, way: Way, mut segment: Segment, now: Time, out: &mut Passed) {
        match way {
            Way::ToServer => self.on_data(&segment, now, out),
            Way::ToClient => self.on_answer(&mut segment),
        }
        out.push((way, segment));
    }

    fn deadline(&self) -> Option<Time> {
        self.again_at
    }

    fn on_timer(&mut self, now: Time, out: &mut Passed) {
        if self.again_at.is_some_and(|at| now >= at) {
            self.times += 1;
            self.again_at = (self.times < TIMES).then_some(now + AGAIN);
            let again = self.kept.iter().take(4).cloned();
            out.extend(again.map(|segment| (Way::ToServer, segment)));
        }
    }
}
