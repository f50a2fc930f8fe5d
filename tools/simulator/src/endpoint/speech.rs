// SPDX-License-Identifier: GPL-2.0

//! What the segments say: options and window.

use super::subflow::{Saying, Stage};
use super::{Endpoint, Mode};
use crate::segment::{Flags, Segment};
use mptcp_core::connection::abort::of_ack;
use mptcp_core::connection::join::third_ack;
use mptcp_core::connection::speech::{of_reset, of_segment, Reset, Speaker};
use mptcp_core::wire::plan::{plan, Wanted};
use mptcp_core::wire::{MpTcpRst, OPTION_SPACE};

/// What timestamps leave of the option space.
const SPACE: usize = OPTION_SPACE - 12;

impl Endpoint {
    /// Lets the TCPs send what they have.
    pub(super) fn flush(&mut self) {
        let now = self.now;
        for at in 0..self.subflows.len() {
            while let Some(mut segment) = self.subflows[at].tcp.poll(now) {
                let wanted = self.speak(at, &mut segment);
                let carried = self.put(&mut segment, wanted);
                self.said(at, &carried);
                self.send_out(segment);
            }
        }
    }

    /// Resets a subflow.
    pub(super) fn send_reset(&mut self, at: usize, reset: Reset) {
        let Some(mut segment) = self.subflows[at].tcp.abort() else {
            return;
        };
        if self.mode == Mode::Mptcp {
            self.put(&mut segment, of_reset(reset, self.remote_key));
        }
        self.send_out(segment);
    }

    /// Answers a segment of a subflow that is not, or is not wanted.
    pub(super) fn refuse(&mut self, segment: &Segment, tcp_rst: Option<MpTcpRst>) {
        if segment.flags.rst {
            return;
        }
        let mut answer = Segment {
            from: segment.to,
            to: segment.from,
            seq: segment.ack,
            ack: segment.end(),
            flags: Flags {
                rst: true,
                ack: true,
                ..Flags::default()
            },
            ..Segment::default()
        };
        let wanted = Wanted {
            tcp_rst,
            ..Wanted::default()
        };
        self.put(&mut answer, wanted);
        self.send_out(answer);
    }

    /// What leaves from an address that the host lost leaves nowhere.
    pub(super) fn send_out(&mut self, segment: Segment) {
        if !self.has_lost(segment.from.address) {
            self.out.push(segment);
        }
    }

    /// Writes what fits, and returns it.
    fn put(&self, segment: &mut Segment, wanted: Wanted) -> Wanted {
        // An IPv6 address with port and HMAC fits no other way than without timestamps.
        let space = match wanted.add_addr {
            Some(_) => OPTION_SPACE,
            None => SPACE,
        };
        let chosen = plan(&wanted.in_version(self.agreed.version), space);
        let write = |out: &mut [u8]| chosen.emit_as(self.agreed.version, out);
        segment.options.write(write);
        chosen.carried
    }

    fn speak(&mut self, at: usize, segment: &mut Segment) -> Wanted {
        let subflow = &self.subflows[at];
        if segment.flags.syn {
            let repeated = subflow.tcp.syn_retries();
            let mp_capable = match (subflow.stage, self.client) {
                (Stage::First, true) => self.syn_option(repeated),
                (Stage::First, false) => self.syn_ack_option(at),
                _ => None,
            };
            return Wanted {
                mp_capable,
                mp_join: self.join_option(at),
                ..Wanted::default()
            };
        }
        segment.window = self.window_of(at, segment);
        let has_data = segment.payload_len() > 0;
        let subflow = &self.subflows[at];
        match (self.mode, subflow.stage) {
            (Mode::Connecting, _) => Wanted::default(),
            (Mode::Mptcp, Stage::Proving { hmac, .. }) => third_ack(hmac),
            (Mode::Mptcp, _) if self.fastclose.is_some() && !has_data => of_ack(self.remote_key),
            (Mode::Mptcp, stage) => {
                let record = subflow.tx.covering(subflow.sent(segment.seq));
                let errand = self.errand(at).filter(|_| !has_data);
                errand.unwrap_or_else(|| of_segment(&self.speaker(stage), has_data, record))
            }
            (Mode::Fallback, _) => self.say_farewell(at, segment.seq, has_data),
        }
    }

    /// What the subflow is to say once, in a segment to itself: the longest options have no room
    /// beside others.
    fn errand(&self, at: usize) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        match *self.subflows[at].sayings.front()? {
            Saying::Add(option) => wanted.add_addr = Some(option),
            Saying::Remove(option) => wanted.remove_addr = Some(option),
            Saying::Prio(option) => wanted.mp_prio = Some(option),
        }
        Some(wanted)
    }

    /// Takes note of what was said, so that it is not said again. Another acknowledgement says the
    /// rest, and what is acknowledged.
    fn said(&mut self, at: usize, carried: &Wanted) {
        let subflow = &mut self.subflows[at];
        let said = |saying: &Saying| match *saying {
            Saying::Add(option) => carried.add_addr == Some(option),
            Saying::Remove(option) => carried.remove_addr == Some(option),
            Saying::Prio(option) => carried.mp_prio == Some(option),
        };
        if subflow.sayings.front().is_some_and(said) {
            subflow.sayings.pop_front();
            subflow.tcp.acknowledge();
        }
    }

    fn speaker(&self, stage: Stage) -> Speaker {
        Speaker {
            // Only the first subflow has an MP_CAPABLE to repeat.
            client: self.client && stage == Stage::First,
            fully_established: self.fully_established,
            policy: self.policy(),
            agreed: self.agreed,
            keys: self.keys(),
            rcv_nxt: self.receive.rcv_nxt(),
            fin_in_flight: self.send.fin().filter(|_| self.send.fin_in_flight()),
        }
    }

    fn say_farewell(&mut self, at: usize, seq: u32, has_data: bool) -> Wanted {
        let subflow = &self.subflows[at];
        let una = subflow.sent(subflow.tcp.sending().una());
        self.farewell.say(subflow.sent(seq), has_data, una)
    }

    /// The window field: what the connection has room for, within what TCP takes.
    ///
    /// RFC 8684 section 3.3.1: it is relative to the DATA_ACK.
    fn window_of(&mut self, at: usize, segment: &Segment) -> u16 {
        let scale = self.subflows[at].tcp.scale();
        let subflow = u32::from(segment.window) << scale;
        let free = self.receive_space();
        let rcv_nxt = self.receive.rcv_nxt();
        self.window
            .advertise(rcv_nxt, free.min(subflow), scale)
            .min(segment.window)
    }

    /// Bytes of data for which there is room.
    pub(super) fn receive_space(&self) -> u32 {
        let used = self.memory_of_receiver() as u32;
        self.kind.receive_buffer.saturating_sub(used)
    }

    /// Bytes that wait to be read, in order or not.
    pub fn memory_of_receiver(&self) -> usize {
        self.readable.len() + self.reassembly.bytes() as usize
    }
}
