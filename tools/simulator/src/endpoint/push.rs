// SPDX-License-Identifier: GPL-2.0

//! Giving data to subflows.

use super::{Endpoint, Mode};
use mptcp_core::connection::ending::fin_goes_along;
use mptcp_core::connection::push::{next_step, Conditions, Step};
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::seq::Dsn;

impl Endpoint {
    /// Gives as much to the subflows as they and the peer's window take.
    pub(super) fn push(&mut self) {
        if self.mode == Mode::Connecting || self.ended {
            return;
        }
        match self.joined {
            true => self.schedule(),
            false => while self.push_next() {},
        }
    }

    /// Gives the only subflow something. Returns whether it may take more.
    fn push_next(&mut self) -> bool {
        let room = |one: &super::Subflow| one.is_writable() && one.tcp.room() > 0;
        let Some(at) = self.subflows.iter().position(room) else {
            return false;
        };
        if self.subflows[at].partial.is_some() {
            return self.finish_piece(at);
        }
        let conditions = self.conditions(at);
        match next_step(&self.send, &conditions) {
            Step::Again { from, len } => {
                self.send.on_retransmitted(len);
                self.retransmitted = true;
                self.map(at, from, len)
            }
            Step::New { from, len } => {
                self.send.on_segments_pushed(len, conditions.mss);
                self.map(at, from, len)
            }
            Step::Probe { from } => {
                self.send.on_pushed(1);
                self.map(at, from, 1)
            }
            Step::Fin => {
                self.send.on_fin_sent();
                self.give_fin(at);
                true
            }
            Step::Rest | Step::MappingsFull => false,
        }
    }

    /// What a subflow allows.
    pub(super) fn conditions(&mut self, at: usize) -> Conditions {
        let mptcp = self.mode == Mode::Mptcp;
        let subflow = &mut self.subflows[at];
        subflow.forget_acked();
        Conditions {
            mptcp,
            most: u32::MAX,
            mappings_full: subflow.tx.is_full(),
            mss: self.kind.tcp.mss,
            drained: subflow.tcp.sending().is_drained(),
            no_delay: self.no_delay,
            corked: false,
        }
    }

    /// A mapping that TCP has begun must be finished before anything else. Returns whether it is.
    pub(super) fn finish_piece(&mut self, at: usize) -> bool {
        let piece = self.subflows[at].partial.take();
        piece.is_none_or(|(dsn, bytes)| self.give(at, dsn, bytes))
    }

    /// Records the mapping of bytes and gives them to TCP. Returns whether it took all.
    pub(super) fn map(&mut self, at: usize, dsn: Dsn, len: u32) -> bool {
        let from = dsn.since(self.queue_start(dsn, len)) as usize;
        let bytes: Vec<u8> = self
            .queue
            .range(from..from + len as usize)
            .copied()
            .collect();
        let subflow = &mut self.subflows[at];
        if self.mode == Mode::Mptcp {
            let ssn = subflow.sent(subflow.tcp.sending().write_seq());
            let checksum = self.agreed.checksum.then(|| {
                let mut sum = DssChecksum::new();
                sum.add(&bytes);
                sum.finish(dsn, ssn, len as u16)
            });
            let record = TxRecord {
                ssn,
                dsn,
                len: len as u16,
                checksum,
            };
            subflow
                .tx
                .push(record)
                .expect("there was room for the mapping");
            self.scheduling.carriers.on_sent(dsn, len, subflow.number);
        }
        self.give(at, dsn, bytes)
    }

    /// The data sequence number of the first byte in the queue.
    fn queue_start(&self, dsn: Dsn, len: u32) -> Dsn {
        let start = self.send.una();
        debug_assert!(
            !dsn.before(start) && dsn.since(start) + u64::from(len) <= self.queue.len() as u64
        );
        start
    }

    /// Gives TCP what it takes of bytes that follow each other from `dsn` on. Returns whether it took
    /// all.
    fn give(&mut self, at: usize, dsn: Dsn, mut bytes: Vec<u8>) -> bool {
        let now = self.now;
        let subflow = &mut self.subflows[at];
        let rest = bytes.split_off(bytes.len().min(subflow.tcp.room()));
        if subflow.tcp.sending().is_drained() {
            subflow.progress_at = now;
        }
        subflow.tcp.write(&bytes);
        let end = dsn.plus(bytes.len() as u64);
        let all = rest.is_empty();
        subflow.partial = (!all).then_some((end, rest));
        subflow.heard = false;
        match self.mode {
            // TCP's own acknowledgements are enough; what it took is done with.
            Mode::Fallback => self.acknowledge(end, u32::MAX >> 1),
            _ => self.watch(),
        }
        all
    }

    /// Whether nobody needs the only subflow any more, and the peer is known to hear what its options say.
    fn may_close_with_stream(&self, at: usize) -> bool {
        let only = self.subflows.get(at).filter(|_| self.subflows.len() == 1);
        let heard = self.fully_established && only.is_some_and(|one| one.ever_heard);
        self.orphan && !self.several && heard
    }

    pub(super) fn give_fin(&mut self, at: usize) {
        self.closed_with_stream =
            self.may_close_with_stream(at) && fin_goes_along(&self.rest(), &self.send);
        if self.mode == Mode::Fallback {
            self.subflows[at].tcp.shut_down();
        } else if self.closed_with_stream {
            self.subflows[at].tcp.shut_down();
            self.watch();
        } else {
            self.acknowledge_on_all();
            self.watch();
        }
    }
}
