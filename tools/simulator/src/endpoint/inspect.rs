// SPDX-License-Identifier: GPL-2.0

//! What a witness may see of an end.

use super::subflow::Subflow;
use super::{Endpoint, Mode};
use crate::segment::{Place, Segment};
use mptcp_core::connection::arrival::{announced, implied};
use mptcp_core::mapping::RxMapping;
use mptcp_core::path_manager::SubflowId;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{Received, Version};

impl Endpoint {
    /// How the connection speaks to its peer.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether what is delivered now is verified by checksums.
    pub fn checks_sums(&self) -> bool {
        self.mode == Mode::Mptcp && self.agreed.checksum && !self.aborted
    }

    /// The subflow that a segment of ours belongs to, and the relative number of its first byte.
    pub fn subflow_of(&self, segment: &Segment) -> Option<(SubflowId, Ssn)> {
        let belongs = |one: &&Subflow| one.is_between(segment.from, segment.to);
        let subflow = self.subflows.iter().find(belongs)?;
        Some((subflow.id, subflow.sent(segment.seq)))
    }

    /// Between which places data can be given to subflows: local, then remote.
    pub fn usable_between(&self) -> impl Iterator<Item = (Place, Place)> + '_ {
        let usable = self.subflows.iter().filter(|one| one.is_writable());
        let places = usable.map(|one| one.tcp.places());
        places.filter(|(local, _)| !self.has_lost(local.address))
    }

    /// What is spoken, if it is MPTCP.
    pub fn version(&self) -> Version {
        self.agreed.version
    }

    /// How many subflows joined.
    pub fn joined(&self) -> u32 {
        self.joins
    }

    /// How many subflows ended before the connection.
    pub fn lost(&self) -> u32 {
        self.losses
    }

    /// What the options of a segment of ours say.
    pub fn said_by(&self, segment: &Segment) -> Received {
        segment.received_as(self.agreed.version)
    }

    /// The mapping that a segment of ours tells.
    pub fn mapping_said(&self, segment: &Segment) -> Option<RxMapping> {
        let received = self.said_by(segment);
        let first = self.local.idsn.plus(1);
        let sums = self.agreed.checksum;
        match received.dss {
            Some(dss) => announced(&dss, first, segment.payload_len(), self.agreed).mapping,
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
        self.kind.send_buffer as usize + self.subflows.len() * self.kind.tcp.send_buffer as usize
    }

    /// Bytes that wait to be acknowledged, at both levels.
    pub fn memory_of_sender(&self) -> usize {
        let of_subflow = |one: &Subflow| {
            let partial = one.partial.as_ref().map_or(0, |(_, bytes)| bytes.len());
            one.tcp.sending().memory() + partial
        };
        self.queue.len() + self.subflows.iter().map(of_subflow).sum::<usize>()
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
        let waits = |one: &Subflow| {
            let sending = one.tcp.sending();
            sending.in_flight() && sending.deadline().is_none()
        };
        if self.subflows.iter().any(waits) {
            return Err("what TCP has in flight has no timer".into());
        }
        Ok(())
    }
}
