// SPDX-License-Identifier: GPL-2.0

//! What the segments say: options and window.

use super::{Endpoint, Mode};
use crate::segment::Segment;
use crate::tcp::Tcp;
use mptcp_core::connection::speech::{of_plain_segment, of_reset, of_segment, Reset, Speaker};
use mptcp_core::crypto::{Key, KeyPair};
use mptcp_core::wire::plan::{plan, Wanted};
use mptcp_core::wire::OPTION_SPACE;

/// What timestamps leave of the option space.
const SPACE: usize = OPTION_SPACE - 12;

impl Endpoint {
    /// Lets TCP send what it has.
    pub(super) fn flush(&mut self) {
        let now = self.now;
        while let Some(mut segment) = self.tcp.as_mut().and_then(|tcp| tcp.poll(now)) {
            let wanted = self.speak(&mut segment);
            put(&mut segment, &wanted);
            self.out.push(segment);
        }
    }

    /// Resets the subflow.
    pub(super) fn send_reset(&mut self, reset: Reset) {
        let Some(mut segment) = self.tcp.as_mut().and_then(Tcp::abort) else {
            return;
        };
        if self.mode == Mode::Mptcp {
            put(&mut segment, &of_reset(reset, self.remote_key));
        }
        self.out.push(segment);
    }

    fn speak(&mut self, segment: &mut Segment) -> Wanted {
        if segment.flags.syn {
            let repeated = self.tcp.as_ref().map_or(0, Tcp::syn_retries);
            let mp_capable = match self.client {
                true => self.syn_option(repeated),
                false => self.syn_ack_option(),
            };
            return Wanted {
                mp_capable,
                ..Wanted::default()
            };
        }
        segment.window = self.window_of(segment);
        let has_data = segment.payload_len() > 0;
        match self.mode {
            Mode::Connecting => Wanted::default(),
            Mode::Mptcp => {
                let record = self.tx.covering(self.sent(segment.seq));
                of_segment(&self.speaker(), has_data, record)
            }
            Mode::Fallback => self.say_farewell(has_data),
        }
    }

    fn speaker(&self) -> Speaker {
        Speaker {
            client: self.client,
            fully_established: self.fully_established,
            policy: self.policy(),
            agreed: self.agreed,
            keys: KeyPair {
                sender: Key::new(self.kind.key),
                receiver: self.remote_key,
            },
            rcv_nxt: self.receive.rcv_nxt(),
            fin_in_flight: self.send.fin().filter(|_| self.send.fin_in_flight()),
        }
    }

    fn say_farewell(&mut self, has_data: bool) -> Wanted {
        let una = self.tcp.as_ref().map_or(0, |tcp| tcp.sending().una());
        let una = self.sent(una);
        // The peer's TCP has the byte at which the infinite mapping starts.
        self.farewell.infinite = self.farewell.infinite.filter(|(ssn, _)| !una.after(*ssn));
        let wanted = of_plain_segment(&self.farewell, has_data);
        if !self.fail_unanswered {
            self.farewell.fail = None;
        }
        wanted
    }

    /// The window field: what the connection has room for, within what TCP takes.
    ///
    /// RFC 8684 section 3.3.1: it is relative to the DATA_ACK.
    fn window_of(&mut self, segment: &Segment) -> u16 {
        let scale = self.tcp.as_ref().map_or(0, Tcp::scale);
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

fn put(segment: &mut Segment, wanted: &Wanted) {
    let chosen = plan(wanted, SPACE);
    segment.options.write(|out| chosen.emit(out));
}
