// SPDX-License-Identifier: GPL-2.0

//! Giving data to the subflow.

use super::{Endpoint, Mode};
use mptcp_core::connection::push::{next_step, Conditions, Step};
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::seq::Dsn;

impl Endpoint {
    /// Gives as much to the subflow as it and the peer's window take.
    pub(super) fn push(&mut self) {
        while self.mode != Mode::Connecting && !self.ended && self.push_next() {}
    }

    fn push_next(&mut self) -> bool {
        let Some(tcp) = self.tcp.as_ref().filter(|tcp| tcp.room() > 0) else {
            return false;
        };
        // A mapping that TCP has begun must be finished before anything else.
        if let Some((dsn, bytes)) = self.partial.take() {
            return self.give(dsn, bytes);
        }
        let acked = self.sent(tcp.sending().una());
        self.tx.acked(acked);
        let conditions = Conditions {
            most: u32::MAX,
            mptcp: self.mode == Mode::Mptcp,
            mappings_full: self.tx.is_full(),
            mss: self.kind.tcp.mss,
            drained: tcp.sending().is_drained(),
            no_delay: self.no_delay,
            corked: false,
        };
        match next_step(&self.send, &conditions) {
            Step::Again { from, len } => {
                self.send.on_retransmitted(len);
                self.retransmitted = true;
                self.map(from, len)
            }
            Step::New { from, len } => {
                self.send.on_pushed(len);
                self.map(from, len)
            }
            Step::Probe { from } => {
                self.send.on_pushed(1);
                self.map(from, 1)
            }
            Step::Fin => {
                self.send.on_fin_sent();
                self.give_fin();
                true
            }
            Step::Rest | Step::MappingsFull => false,
        }
    }

    /// Records the mapping of bytes and gives them to TCP.
    fn map(&mut self, dsn: Dsn, len: u32) -> bool {
        let from = dsn.since(self.queue_start(dsn, len)) as usize;
        let bytes: Vec<u8> = self
            .queue
            .range(from..from + len as usize)
            .copied()
            .collect();
        if self.mode == Mode::Mptcp {
            let seq = self.tcp.as_ref().map_or(0, |tcp| tcp.sending().write_seq());
            let ssn = self.sent(seq);
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
            self.tx
                .push(record)
                .expect("there was room for the mapping");
        }
        self.give(dsn, bytes)
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
    fn give(&mut self, dsn: Dsn, mut bytes: Vec<u8>) -> bool {
        let Some(tcp) = self.tcp.as_mut() else {
            return false;
        };
        let rest = bytes.split_off(bytes.len().min(tcp.room()));
        tcp.write(&bytes);
        let end = dsn.plus(bytes.len() as u64);
        let all = rest.is_empty();
        self.partial = (!all).then_some((end, rest));
        self.timers.heard = false;
        match self.mode {
            // TCP's own acknowledgements are enough; what it took is done with.
            Mode::Fallback => self.acknowledge(end, u32::MAX >> 1),
            _ => self.watch(),
        }
        all
    }

    fn give_fin(&mut self) {
        let Some(tcp) = self.tcp.as_mut() else {
            return;
        };
        if self.mode == Mode::Fallback {
            tcp.shut_down();
        } else {
            tcp.acknowledge();
            self.watch();
        }
    }
}
