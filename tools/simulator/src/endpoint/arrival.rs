// SPDX-License-Identifier: GPL-2.0

//! Segments of the subflows: their options are read before TCP has them.

use super::subflow::Stage;
use super::{Endpoint, Mode};
use crate::segment::{before, Segment};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::abort::is_told;
use mptcp_core::connection::arrival::{announced, implied, may_pass, shows_mptcp, trust, Trust};
use mptcp_core::connection::fallback::{may_have_failed, on_mp_fail, on_plain_ack, Answer};
use mptcp_core::connection::handshake::{establishes_client, establishes_server};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;
use mptcp_core::crypto::Key;
use mptcp_core::path_manager::End;
use mptcp_core::seq::Dsn;
use mptcp_core::wire::{Dss, Received, ResetReason};

impl Endpoint {
    pub(super) fn arrived(&mut self, segment: &Segment) {
        let belongs = |one: &super::Subflow| one.is_between(segment.to, segment.from);
        let Some(at) = self.subflows.iter().position(belongs) else {
            return match segment.flags.syn && !segment.flags.ack {
                true => self.asked(segment),
                false => self.refuse(segment, None),
            };
        };
        let state = self.subflows[at].tcp.state();
        match state {
            tcp::State::Closed => return self.refuse(segment, None),
            tcp::State::SynSent => {}
            tcp::State::SynReceived => {
                let answers = self.subflows[at].tcp.sending().una();
                let third = segment.flags.ack && !segment.flags.syn && !segment.flags.rst;
                if third && answers == segment.ack {
                    self.on_third_ack(at, segment);
                }
            }
            _ => {
                if !self.read_options(at, segment) {
                    return;
                }
            }
        }
        self.take(at, segment);
        let connected = self.subflows[at].tcp.state() == tcp::State::Established;
        if state == tcp::State::SynSent && connected {
            self.on_syn_ack(at, segment);
        }
    }

    /// Lets TCP have a segment.
    fn take(&mut self, at: usize, segment: &Segment) {
        let now = self.now;
        let subflow = &mut self.subflows[at];
        let una = subflow.tcp.sending().una();
        subflow.tcp.on_segment(segment, now);
        if segment.flags.rst && subflow.tcp.state() == tcp::State::Closed {
            let reason = segment.received_as(self.agreed.version).tcp_rst;
            subflow.end.get_or_insert(End::Reset(reason));
            return;
        }
        let progress = before(una, subflow.tcp.sending().una());
        if progress || !subflow.tcp.sending().in_flight() {
            self.on_progress(at);
        }
        if progress && self.mode == Mode::Mptcp {
            self.on_plain_ack(at);
        }
        self.on_heard(at);
    }

    /// Goes on as plain TCP if the peer has data and never showed that it understands it.
    fn on_plain_ack(&mut self, at: usize) {
        let subflow = &self.subflows[at];
        let sending = subflow.tcp.sending();
        let given = subflow.sent(sending.write_seq());
        let acked = subflow.sent(sending.una());
        if on_plain_ack(subflow.ever_heard, given, acked, || self.circumstances(at)) {
            self.fall_back(at);
        }
    }

    fn on_syn_ack(&mut self, at: usize, segment: &Segment) {
        match self.subflows[at].stage {
            Stage::First => self.on_first_syn_ack(at, segment),
            _ => self.on_join_syn_ack(at, segment),
        }
    }

    fn on_third_ack(&mut self, at: usize, segment: &Segment) {
        match self.subflows[at].stage {
            Stage::First => self.on_first_third_ack(at, segment),
            _ => self.on_join_third_ack(at, segment),
        }
    }

    /// Acts on the options of a segment. Returns whether TCP may have it.
    fn read_options(&mut self, at: usize, segment: &Segment) -> bool {
        let received = segment.received_as(self.agreed.version);
        if !received.has_mptcp() {
            return true;
        }
        let tcp = &self.subflows[at].tcp;
        let old = before(segment.seq, tcp.receiving().next());
        let verdict = tcp.judge(segment);
        match trust(
            verdict,
            segment.payload_len(),
            old,
            received.fastclose.is_some(),
        ) {
            Trust::Believe => {}
            Trust::Ignore => return true,
            // Plain TCP does not care what an option says.
            Trust::Drop => return self.mode == Mode::Fallback,
        }
        match self.mode {
            Mode::Mptcp => {
                self.hear_proof(at, &received);
                match self.subflows[at].is_established() {
                    true => self.believe(at, segment, &received),
                    false => true,
                }
            }
            Mode::Fallback => {
                self.hear_farewell(at, &received);
                true
            }
            Mode::Connecting => true,
        }
    }

    /// Acts on the options of a segment that is the peer's. Returns whether TCP may have it.
    pub(super) fn believe(&mut self, at: usize, segment: &Segment, received: &Received) -> bool {
        self.listen_for_mptcp(at, segment, received);
        if self.subflows[at].stage == Stage::First {
            self.fully_established |= match self.client {
                true => establishes_client(received),
                false => establishes_server(received),
            };
        }
        if is_told(received, Key::new(self.kind.key)) {
            self.abort();
            self.reset_all(Reset::Tcp);
            return true;
        }
        let fail = received.mp_fail;
        let checksums = self.agreed.checksum;
        if fail.is_some_and(|fail| may_have_failed(fail.dsn, checksums, &self.send)) {
            self.on_mp_fail(at);
            return true;
        }
        if !self.client && self.subflows[at].stage == Stage::First {
            let first = self.remote.idsn.plus(1);
            if let Some(mapping) = implied(received, first, self.agreed.checksum) {
                let subflow = &mut self.subflows[at];
                subflow.dss_seen |= subflow.rx.record(mapping).is_ok();
            }
        }
        self.hear_of_paths(at, received);
        received
            .dss
            .is_none_or(|dss| self.on_dss(at, segment, &dss))
    }

    /// Takes note of signs that the peer speaks MPTCP.
    fn listen_for_mptcp(&mut self, at: usize, segment: &Segment, received: &Received) {
        if shows_mptcp(received) {
            let subflow = &mut self.subflows[at];
            let all = subflow.tcp.sending().write_seq();
            subflow.ever_heard = true;
            subflow.heard |= !before(segment.ack, all);
        }
    }

    fn on_dss(&mut self, at: usize, segment: &Segment, dss: &Dss) -> bool {
        if let Some(ack) = dss.data_ack {
            self.timers.heard_at = self.now;
            let scale = self.subflows[at].tcp.peer_scale();
            let ack = ack.expand(self.send.una());
            self.acknowledge(ack, u32::from(segment.window) << scale);
        }
        let rcv_nxt = self.receive.rcv_nxt();
        let news = announced(dss, rcv_nxt, segment.payload_len(), self.agreed);
        if let Some(reason) = news.broken {
            self.break_subflow(at, Reset::Reason(reason));
            return false;
        }
        if let Some(fin) = news.fin {
            self.subflows[at].ended_with_stream |= segment.flags.fin;
            self.on_data_fin(at, fin);
        }
        let Some(mapping) = news.mapping else {
            return true;
        };
        let subflow = &mut self.subflows[at];
        subflow.dss_seen = true;
        may_pass(subflow.rx.record(mapping))
    }

    /// Takes note of a data acknowledgement and frees what it covers.
    pub(super) fn acknowledge(&mut self, ack: Dsn, window: u32) {
        let Ok(outcome) = self.send.on_data_ack(ack, window) else {
            return;
        };
        if outcome.acked > 0 || outcome.fin_acked {
            self.queue.drain(..outcome.acked as usize);
            self.timers.backoff = 0;
            self.on_data_acked();
            self.progressed();
        }
        if outcome.fin_acked {
            self.state = self.state.after(Event::FinAcked);
        }
    }

    fn on_data_fin(&mut self, at: usize, fin: Dsn) {
        // RFC 8684 section 3.3.3: it is acknowledged at the data level.
        self.subflows[at].tcp.acknowledge();
        let edge = self.window.edge();
        let result = self.reassembly.on_data_fin(&mut self.receive, fin, edge);
        if result == Ok(true) {
            self.end_of_stream();
        }
    }

    /// A checksum of ours was found wrong.
    fn on_mp_fail(&mut self, at: usize) {
        match on_mp_fail(&self.circumstances(at)) {
            Answer::FallBack => {
                self.fall_back(at);
                self.answer_fail(at);
            }
            Answer::Reset => self.break_subflow(at, Reset::Reason(ResetReason::MPTCP_SPECIFIC)),
            Answer::Ignore => {}
        }
    }

    /// Plain TCP listens for MP_FAIL only, and for the peer's answer to its own.
    fn hear_farewell(&mut self, at: usize, received: &Received) {
        if self.farewell.heard(received) {
            self.answer_fail(at);
        }
    }

    /// Says MP_FAIL too, at once.
    fn answer_fail(&mut self, at: usize) {
        self.farewell.answer(self.receive.rcv_nxt());
        self.subflows[at].tcp.acknowledge();
    }

    /// A SYN that belongs to no subflow.
    fn asked(&mut self, syn: &Segment) {
        if self.mode == Mode::Connecting && self.subflows.is_empty() && !self.client {
            let tcp = Tcp::answer(self.kind.tcp.clone(), syn, self.kind.isn, self.now);
            self.listen(tcp, syn);
        } else {
            self.asked_to_join(syn);
        }
    }
}
