// SPDX-License-Identifier: GPL-2.0

//! What a witness may see of an end.

use super::{Endpoint, Mode};
use crate::segment::Segment;
use mptcp_core::connection::arrival::{announced, implied};
use mptcp_core::mapping::RxMapping;
use mptcp_core::seq::{Dsn, Ssn};

impl Endpoint {
    /// How the connection speaks to its peer.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether what is delivered now is verified by checksums.
    pub fn checks_sums(&self) -> bool {
        self.mode == Mode::Mptcp && self.agreed.checksum && !self.aborted
    }

    /// The relative number of a sequence number of ours.
    pub fn relative(&self, seq: u32) -> Ssn {
        self.sent(seq)
    }

    /// The mapping that a segment of ours tells.
    pub fn mapping_said(&self, segment: &Segment) -> Option<RxMapping> {
        let received = segment.received();
        let first = self.local.idsn.plus(1);
        let sums = self.agreed.checksum;
        match received.dss {
            Some(dss) => announced(&dss, first, segment.payload_len(), sums).mapping,
            None => implied(&received, first, sums),
        }
    }

    /// The oldest data sequence number of ours that is not acknowledged.
    pub fn acknowledged(&self) -> Dsn {
        self.send.una()
    }

    /// The right edge of the window that the peer told.
    pub fn window_told(&self) -> Dsn {
        self.send.wnd_end()
    }

    /// The next data sequence number that is expected.
    pub fn expected(&self) -> Dsn {
        self.receive.rcv_nxt()
    }

    /// The right edge of the window that the peer was promised.
    pub fn promised(&self) -> Dsn {
        self.window.edge()
    }

    /// Bytes that may wait to be read.
    pub fn receive_buffer(&self) -> usize {
        self.kind.receive_buffer as usize
    }

    /// Bytes that may wait to be acknowledged, at both levels.
    pub fn send_buffers(&self) -> usize {
        self.kind.send_buffer as usize + self.kind.tcp.send_buffer as usize
    }

    /// Bytes that wait to be acknowledged, at both levels.
    pub fn memory_of_sender(&self) -> usize {
        let tcp = self.tcp.as_ref().map_or(0, |tcp| tcp.sending().memory());
        let partial = self.partial.as_ref().map_or(0, |(_, bytes)| bytes.len());
        self.queue.len() + tcp + partial
    }

    /// Whether whatever waits for an answer has a timer.
    pub fn timers_are_set(&self) -> Result<(), String> {
        let alive = self.mode == Mode::Mptcp && !self.ended && !self.aborted;
        if alive && self.send.needs_retransmit() && self.timers.retransmit_at.is_none() {
            return Err("unacknowledged data has no timer".into());
        }
        if self.orphan && !self.ended && self.timers.give_up_at.is_none() {
            return Err("an orphan has no timer".into());
        }
        let waits = |tcp: &crate::tcp::Tcp| {
            let open = tcp.state() != crate::tcp::State::Closed;
            open && tcp.sending().in_flight() && tcp.sending().deadline().is_none()
        };
        if self.tcp.as_ref().is_some_and(waits) {
            return Err("what TCP has in flight has no timer".into());
        }
        Ok(())
    }
}
