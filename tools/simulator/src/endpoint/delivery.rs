// SPDX-License-Identifier: GPL-2.0

//! Data on its way from the subflow to the application.

use super::{Bytes, Endpoint, Mode};
use crate::tcp::State as TcpState;
use mptcp_core::connection::delivery::{on_subflow_fin, position, Position, SubflowEnd};
use mptcp_core::connection::fallback::{on_checksum_failure, ChecksumAnswer};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;
use mptcp_core::mapping::DssChecksum;
use mptcp_core::reassembly::Verdict;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::ResetReason;

impl Endpoint {
    /// Takes what TCP has in order.
    pub(super) fn take_data(&mut self) {
        while self.take_next() {}
        let ended = self.tcp.as_ref().is_some_and(|tcp| tcp.receiving().ended());
        if ended && !self.finished && !self.ended {
            self.on_subflow_fin();
        }
    }

    fn take_next(&mut self) -> bool {
        let Some(tcp) = self.tcp.as_ref() else {
            return false;
        };
        let left = tcp.receiving().ready().len() as u32;
        if left == 0 || tcp.state() == TcpState::Closed && self.ended {
            return false;
        }
        if self.ended && !self.aborted && self.mode == Mode::Mptcp {
            // All of the stream is here, this is a repetition: the acknowledgement was lost.
            if let Some(tcp) = self.tcp.as_mut() {
                tcp.receiving_mut().take(left as usize);
            }
            return true;
        }
        if self.ended || self.aborted {
            // Nobody will read it: TCP answers with a reset.
            self.send_reset(Reset::Tcp);
            return false;
        }
        let ssn = self.received(tcp.receiving().copied());
        let Some((dsn, mapped)) = self.position(ssn, left) else {
            return false;
        };
        if self.mode == Mode::Mptcp && self.agreed.checksum && !self.verify(ssn) {
            // It waits for the rest of its mapping, or the mode has changed.
            return self.mode == Mode::Fallback;
        }
        let take = left.min(mapped);
        if let Some(tcp) = self.tcp.as_mut() {
            let bytes = tcp.receiving_mut().take(take as usize);
            self.rx.consumed(ssn.plus(take));
            self.place(dsn, bytes);
        }
        true
    }

    /// The data sequence number of the byte at `ssn`, and how many bytes follow it.
    fn position(&mut self, ssn: Ssn, left: u32) -> Option<(Dsn, u32)> {
        let next = self.receive.rcv_nxt();
        if self.mode != Mode::Mptcp {
            return Some((next, left));
        }
        match position(self.rx.lookup(ssn), next, || self.circumstances()) {
            Position::At { dsn, len } => Some((dsn, len)),
            Position::FallBack => {
                self.fall_back();
                Some((next, left))
            }
            Position::Reset => {
                self.break_subflow(Reset::Reason(ResetReason::MPTCP_SPECIFIC));
                None
            }
        }
    }

    /// Whether the checksum of the mapping at `ssn` is known to be right.
    fn verify(&mut self, ssn: Ssn) -> bool {
        let Some(&record) = self.rx.covering(ssn) else {
            return true;
        };
        let (Some(checksum), Some(tcp)) = (record.checksum, self.tcp.as_ref()) else {
            return true;
        };
        if self.verified == Some(record.ssn) {
            return true;
        }
        let ready = tcp.receiving().ready();
        let whole = record.end().since(ssn) as usize;
        if ready.len() < whole {
            if tcp.receiving().finished() {
                // The rest of the mapping will never come.
                self.on_checksum_failure(record.dsn);
            }
            return false;
        }
        let mut sum = DssChecksum::new();
        let bytes: Vec<u8> = ready.range(..whole).copied().collect();
        sum.add(&bytes);
        let len = record.len as u16 + u16::from(record.data_fin);
        if sum.verify(record.dsn, record.ssn, len, checksum) {
            self.verified = Some(record.ssn);
            return true;
        }
        self.on_checksum_failure(record.dsn);
        false
    }

    fn on_checksum_failure(&mut self, dsn: Dsn) {
        match on_checksum_failure(&self.circumstances()) {
            ChecksumAnswer::FailAndFallBack => {
                self.farewell.fail = Some(dsn);
                self.fail_unanswered = true;
                self.failed = true;
                self.fall_back();
                if let Some(tcp) = self.tcp.as_mut() {
                    tcp.acknowledge();
                }
            }
            ChecksumAnswer::FailAndReset => {
                self.break_subflow(Reset::Reason(ResetReason::MIDDLEBOX_INTERFERENCE));
            }
        }
    }

    /// Puts bytes where they belong in the connection's stream.
    fn place(&mut self, dsn: Dsn, bytes: Vec<u8>) {
        if self.mode == Mode::Mptcp && self.chance.per_mille(self.kind.prunes) {
            return;
        }
        let edge = match self.mode {
            Mode::Mptcp => self.window.edge(),
            _ => dsn.plus(u32::MAX.into()),
        };
        let len = bytes.len() as u32;
        let offer = self
            .reassembly
            .offer(&mut self.receive, edge, dsn, len, Bytes(bytes));
        let Verdict::Delivered { finished, .. } = offer.verdict else {
            return;
        };
        self.progressed();
        if self.orphan {
            // Nobody will read it: TCP would answer with a reset.
            self.aborted = true;
            return;
        }
        self.readable
            .extend(offer.ready.into_iter().flat_map(|ready| ready.0));
        if finished {
            self.end_of_stream();
        }
    }

    /// The peer's FIN was taken off the subflow.
    fn on_subflow_fin(&mut self) {
        self.finished = true;
        let fin_acked = self.send.fin_acked();
        match on_subflow_fin(&self.receive, fin_acked, &self.circumstances()) {
            SubflowEnd::Expected if self.mode != Mode::Fallback => {}
            SubflowEnd::FallBack => {
                self.fall_back();
                self.end_of_stream();
            }
            SubflowEnd::Expected => self.end_of_stream(),
            SubflowEnd::Broken => {
                self.break_subflow(Reset::Reason(ResetReason::MPTCP_SPECIFIC));
            }
        }
    }

    /// All data and the end are here.
    pub(super) fn end_of_stream(&mut self) {
        self.state = self.state.after(Event::FinReceived);
        self.receive_shut = true;
        self.progressed();
    }
}
