// SPDX-License-Identifier: GPL-2.0

//! Data on its way from the subflow to the application.

use super::subflow::Stage;
use super::{Bytes, Endpoint, Mode};
use crate::tcp::State as TcpState;
use mptcp_core::connection::delivery::{on_subflow_fin, position, Position, SubflowEnd};
use mptcp_core::connection::fallback::{on_checksum_failure, ChecksumAnswer};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;
use mptcp_core::mapping::DssChecksum;
use mptcp_core::path_manager::End;
use mptcp_core::reassembly::Verdict;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::ResetReason;

impl Endpoint {
    /// Takes what the TCPs have in order.
    pub(super) fn take_data(&mut self) {
        for at in 0..self.subflows.len() {
            while self.take_next(at) {}
            let subflow = &self.subflows[at];
            let news = subflow.tcp.receiving().ended() && !subflow.finished;
            if news && subflow.is_established() && !self.ended {
                self.on_subflow_fin(at);
            }
        }
        for subflow in &mut self.subflows {
            subflow.finished |= subflow.tcp.receiving().ended();
        }
    }

    fn take_next(&mut self, at: usize) -> bool {
        let subflow = &mut self.subflows[at];
        let left = subflow.tcp.receiving().ready().len() as u32;
        let closed = subflow.tcp.state() == TcpState::Closed;
        if left == 0 || closed && (self.ended || subflow.end == Some(End::Refused)) {
            return false;
        }
        if self.ended && !self.aborted && self.mode == Mode::Mptcp {
            // All of the stream is here, this is a repetition: the acknowledgement was lost.
            subflow.tcp.receiving_mut().take(left as usize);
            return true;
        }
        if self.ended || self.aborted {
            // Nobody will read it: TCP answers with a reset.
            self.send_reset(at, Reset::Tcp);
            return false;
        }
        if !matches!(subflow.stage, Stage::First | Stage::Joined) {
            return false;
        }
        let ssn = subflow.next();
        let Some((dsn, mapped)) = self.position(at, ssn, left) else {
            return false;
        };
        if self.mode == Mode::Mptcp && self.agreed.checksum && !self.verify(at, ssn) {
            // It waits for the rest of its mapping, or the mode has changed.
            return self.mode == Mode::Fallback;
        }
        let take = left.min(mapped);
        let subflow = &mut self.subflows[at];
        let bytes = subflow.tcp.receiving_mut().take(take as usize);
        subflow.rx.consumed(ssn.plus(take));
        self.place(dsn, bytes);
        true
    }

    /// The data sequence number of the byte at `ssn`, and how many bytes follow it.
    fn position(&mut self, at: usize, ssn: Ssn, left: u32) -> Option<(Dsn, u32)> {
        let next = self.receive.rcv_nxt();
        if self.mode != Mode::Mptcp {
            return Some((next, left));
        }
        let span = self.subflows[at].rx.lookup(ssn);
        match position(span, next, || self.circumstances(at)) {
            Position::At { dsn, len } => Some((dsn, len)),
            Position::FallBack => {
                self.fall_back(at);
                Some((next, left))
            }
            Position::Reset(reason) => {
                self.break_subflow(at, Reset::Reason(reason));
                None
            }
        }
    }

    /// Whether the checksum of the mapping at `ssn` is known to be right.
    fn verify(&mut self, at: usize, ssn: Ssn) -> bool {
        let subflow = &self.subflows[at];
        let Some(&record) = subflow.rx.covering(ssn) else {
            return true;
        };
        let due = record.checksum_due(self.receive.rcv_nxt());
        if due.is_none() || subflow.verified == Some(record.ssn) {
            return true;
        }
        let receiving = subflow.tcp.receiving();
        let ready = receiving.ready();
        let whole = record.end().since(ssn) as usize;
        if ready.len() < whole {
            if receiving.finished() {
                // The rest of the mapping will never come.
                self.on_checksum_failure(at, record.dsn);
            }
            return false;
        }
        let mut sum = DssChecksum::new();
        let bytes: Vec<u8> = ready.range(..whole).copied().collect();
        sum.add(&bytes);
        if sum.is_right(&record) {
            self.subflows[at].verified = Some(record.ssn);
            return true;
        }
        self.on_checksum_failure(at, record.dsn);
        false
    }

    fn on_checksum_failure(&mut self, at: usize, dsn: Dsn) {
        match on_checksum_failure(&self.circumstances(at)) {
            ChecksumAnswer::FailAndFallBack => {
                self.fall_back(at);
                self.farewell.complain(dsn);
                self.subflows[at].tcp.acknowledge();
            }
            ChecksumAnswer::FailAndReset => self.break_subflow(at, Reset::Fail(dsn)),
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

    /// The peer's FIN was taken off a subflow.
    fn on_subflow_fin(&mut self, at: usize) {
        self.subflows[at].finished = true;
        let speaks = self.send.fin_acked() || self.subflows[at].ended_with_stream;
        let circumstances = self.circumstances(at);
        match on_subflow_fin(&self.receive, speaks, self.joined, &circumstances) {
            SubflowEnd::EndsStream => self.end_of_stream(),
            // The peer has no more use for it.
            SubflowEnd::Leaves => self.leave(at),
            SubflowEnd::Expected => {}
            SubflowEnd::FallBack => {
                self.fall_back(at);
                self.end_of_stream();
            }
            SubflowEnd::Broken => {
                self.break_subflow(at, Reset::Reason(ResetReason::MPTCP_SPECIFIC));
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
