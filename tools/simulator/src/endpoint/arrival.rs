// SPDX-License-Identifier: GPL-2.0

//! Segments of the subflow: their options are read before TCP has them.

use super::{Endpoint, Mode};
use crate::segment::{before, Flags, Segment};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::arrival::{announced, implied, shows_mptcp, trust, Trust};
use mptcp_core::connection::fallback::{on_mp_fail, Answer};
use mptcp_core::connection::handshake::{establishes_client, establishes_server};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;
use mptcp_core::mapping::RecordError;
use mptcp_core::seq::Dsn;
use mptcp_core::wire::{Dss, Received, ResetReason};

impl Endpoint {
    pub(super) fn arrived(&mut self, segment: &Segment) {
        let Some(state) = self.tcp.as_ref().map(Tcp::state) else {
            return match segment.flags.syn && !segment.flags.ack {
                true => self.listen(segment),
                false => self.refuse(segment),
            };
        };
        match state {
            tcp::State::Closed => return self.refuse(segment),
            tcp::State::SynSent => {}
            tcp::State::SynReceived => {
                let answers = self.tcp.as_ref().map(|tcp| tcp.sending().una());
                let third = segment.flags.ack && !segment.flags.syn && !segment.flags.rst;
                if third && answers == Some(segment.ack) {
                    self.on_third_ack(segment);
                }
            }
            _ => {
                if !self.read_options(segment) {
                    return;
                }
            }
        }
        let now = self.now;
        if let Some(tcp) = self.tcp.as_mut() {
            tcp.on_segment(segment, now);
            if state == tcp::State::SynSent && tcp.state() == tcp::State::Established {
                self.on_syn_ack(segment);
            }
        }
    }

    /// Answers a segment of a connection that is not.
    fn refuse(&mut self, segment: &Segment) {
        if segment.flags.rst {
            return;
        }
        self.out.push(Segment {
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
        });
    }

    /// Acts on the options of a segment. Returns whether TCP may have it.
    fn read_options(&mut self, segment: &Segment) -> bool {
        let received = segment.received();
        let Some(tcp) = self.tcp.as_ref().filter(|_| received.has_mptcp()) else {
            return true;
        };
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
            Mode::Mptcp => self.believe(segment, &received),
            Mode::Fallback => {
                self.hear_farewell(&received);
                true
            }
            Mode::Connecting => true,
        }
    }

    fn believe(&mut self, segment: &Segment, received: &Received) -> bool {
        self.listen_for_mptcp(segment, received);
        self.fully_established |= match self.client {
            true => establishes_client(received),
            false => establishes_server(received),
        };
        // RFC 8684 section 3.5: our key proves that the sender is the peer.
        if received
            .fastclose
            .is_some_and(|option| option.receiver.raw() == self.kind.key)
        {
            self.abort();
            return true;
        }
        if received.mp_fail.is_some() && self.agreed.checksum {
            self.on_mp_fail();
            return true;
        }
        if !self.client {
            let first = self.remote.idsn.plus(1);
            if let Some(mapping) = implied(received, first, self.agreed.checksum) {
                self.dss_seen |= self.rx.record(mapping).is_ok();
            }
        }
        received.dss.is_none_or(|dss| self.on_dss(segment, &dss))
    }

    /// Takes note of signs that the peer speaks MPTCP.
    fn listen_for_mptcp(&mut self, segment: &Segment, received: &Received) {
        if shows_mptcp(received) {
            let all = self.tcp.as_ref().map(|tcp| tcp.sending().write_seq());
            self.timers.ever_heard = true;
            self.timers.heard |= all.is_some_and(|all| !before(segment.ack, all));
        }
    }

    fn on_dss(&mut self, segment: &Segment, dss: &Dss) -> bool {
        if let Some(ack) = dss.data_ack {
            let scale = self.tcp.as_ref().map_or(0, Tcp::peer_scale);
            let ack = ack.expand(self.send.una());
            self.acknowledge(ack, u32::from(segment.window) << scale);
        }
        let checksums = self.agreed.checksum;
        let news = announced(
            dss,
            self.receive.rcv_nxt(),
            segment.payload_len(),
            checksums,
        );
        if let Some(fin) = news.fin {
            self.on_data_fin(fin);
        }
        let Some(mapping) = news.mapping else {
            return true;
        };
        self.dss_seen = true;
        match self.rx.record(mapping) {
            Ok(_) | Err(RecordError::Outside) => true,
            Err(RecordError::Conflict | RecordError::Full) => false,
        }
    }

    /// Takes note of a data acknowledgement and frees what it covers.
    pub(super) fn acknowledge(&mut self, ack: Dsn, window: u32) {
        let Ok(outcome) = self.send.on_data_ack(ack, window) else {
            return;
        };
        if outcome.acked > 0 || outcome.fin_acked {
            self.queue.drain(..outcome.acked as usize);
            self.timers.backoff = 0;
            self.progressed();
        }
        if outcome.fin_acked {
            self.state = self.state.after(Event::FinAcked);
        }
    }

    fn on_data_fin(&mut self, fin: Dsn) {
        if let Some(tcp) = self.tcp.as_mut() {
            // RFC 8684 section 3.3.3: it is acknowledged at the data level.
            tcp.acknowledge();
        }
        let edge = self.window.edge();
        let result = self.reassembly.on_data_fin(&mut self.receive, fin, edge);
        if result == Ok(true) {
            self.end_of_stream();
        }
    }

    /// A checksum of ours was found wrong.
    fn on_mp_fail(&mut self) {
        match on_mp_fail(&self.circumstances()) {
            Answer::FallBack => {
                self.farewell.fail = Some(self.receive.rcv_nxt());
                self.fall_back();
                if let Some(tcp) = self.tcp.as_mut() {
                    tcp.acknowledge();
                }
            }
            Answer::Reset => self.break_subflow(Reset::Reason(ResetReason::MPTCP_SPECIFIC)),
            Answer::Ignore => {}
        }
    }

    /// Plain TCP listens for MP_FAIL only, and for the peer's answer to its own.
    fn hear_farewell(&mut self, received: &Received) {
        let infinite = received.dss.is_some_and(|dss| dss.data_len() == Some(0));
        if self.fail_unanswered && (received.mp_fail.is_some() || infinite) {
            self.fail_unanswered = false;
            self.farewell.fail = None;
        } else if received.mp_fail.is_some() && !self.failed {
            self.farewell.fail = Some(self.receive.rcv_nxt());
            if let Some(tcp) = self.tcp.as_mut() {
                tcp.acknowledge();
            }
        }
    }
}
