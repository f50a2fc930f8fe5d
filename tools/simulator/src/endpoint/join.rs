// SPDX-License-Identifier: GPL-2.0

//! Subflows that join a connection (RFC 8684 section 3.2), both roles.

use super::handshake::{attempt, hashes};
use super::subflow::{Stage, Subflow};
use super::{Endpoint, Mode};
use crate::segment::{Flags, Place, Segment, Time, SECOND};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::join::{
    acknowledgement_due, client_syn, establishes_client, on_silence, on_syn, on_syn_ack,
    on_third_ack, server_nonce, server_syn_ack, third_ack_timeout, Refusal, Request, Secrets,
    LONGEST_WAIT, MOST_THIRD_ACKS,
};
use mptcp_core::connection::speech::Reset;
use mptcp_core::crypto::{Key, KeyPair};
use mptcp_core::path_manager::{End, Event, JoinRequest, Open};
use mptcp_core::scheduler::{PathId, MAX_PATHS};
use mptcp_core::wire::{MpJoin, MpTcpRst, Received, ResetReason};

impl Endpoint {
    /// Opens a subflow between two places.
    pub(super) fn join(&mut self, open: &Open, address_id: u8, places: (Place, Place)) {
        let nonce = self.chance.number() as u32;
        let syn = client_syn(&Request {
            token: self.remote.token,
            nonce,
            address_id,
            backup: open.backup,
        });
        let isn = self.chance.number() as u32;
        let tcp = Tcp::connect(self.kind.tcp.clone(), places, isn, self.now);
        self.add_subflow(open.subflow, Stage::Asking { syn, nonce }, tcp);
    }

    /// A SYN that belongs to no subflow came, and there is a connection already.
    pub(super) fn asked_to_join(&mut self, syn: &Segment) {
        let Some(request) = on_syn(&syn.received()) else {
            return match self.ended || self.client {
                true => self.refuse(syn, None),
                // Somebody else's application listens at the same port.
                false => self.answer_plainly(syn),
            };
        };
        if self.mode != Mode::Mptcp || self.ended || request.token != self.local.token {
            let why = MpTcpRst {
                transient: false,
                reason: Refusal::UnknownToken.reason(),
            };
            return self.refuse(syn, Some(why));
        }
        let asked = JoinRequest {
            local: syn.to.into(),
            remote: syn.from.into(),
            remote_id: request.address_id,
            backup: request.backup,
        };
        let admitted = match self.admit(&asked) {
            Ok(admitted) => admitted,
            Err(why) => return self.refuse(syn, Some(why)),
        };
        let isn = self.chance.number() as u32;
        let secrets = Secrets {
            keys: self.keys(),
            our_nonce: server_nonce(&attempt(syn, isn), request.token, |bytes| self.prf(bytes)),
            peer_nonce: request.nonce,
        };
        let stage = Stage::Answering {
            secrets,
            address_id: admitted.local_id,
            backup: admitted.backup,
        };
        let tcp = Tcp::answer(self.kind.tcp.clone(), syn, isn, self.now);
        self.add_subflow(admitted.subflow, stage, tcp);
    }

    /// Both keys, ours as the sender's.
    pub(super) fn keys(&self) -> KeyPair {
        KeyPair {
            sender: Key::new(self.kind.key),
            receiver: self.remote_key,
        }
    }

    /// The MP_JOIN of a SYN or SYN/ACK.
    pub(super) fn join_option(&self, at: usize) -> Option<MpJoin> {
        match self.subflows[at].stage {
            Stage::Asking { syn, .. } => Some(syn),
            Stage::Answering {
                secrets,
                address_id,
                backup,
            } => Some(server_syn_ack(
                &secrets,
                address_id,
                backup,
                &hashes(self.agreed.version),
            )),
            _ => None,
        }
    }

    /// Client: TCP accepted the SYN/ACK.
    pub(super) fn on_join_syn_ack(&mut self, at: usize, segment: &Segment) {
        let Stage::Asking { nonce, .. } = self.subflows[at].stage else {
            return;
        };
        match on_syn_ack(
            &segment.received(),
            self.keys(),
            nonce,
            &hashes(self.agreed.version),
        ) {
            Ok(accepted) => {
                self.several = true;
                let rto = self.subflows[at].tcp.sending().rto() as u32;
                let wait = third_ack_timeout(1, rto, LONGEST_WAIT);
                self.subflows[at].stage = Stage::Proving {
                    hmac: accepted.hmac,
                    sent: 1,
                    again_at: self.now + Time::from(wait),
                };
                if accepted.backup {
                    let subflow = self.subflows[at].id;
                    self.tell_paths(&Event::Priority {
                        subflow,
                        backup: true,
                    });
                }
            }
            Err(refusal) => self.break_subflow(at, Reset::Reason(refusal.reason())),
        }
    }

    /// Server: the first segment after the SYN.
    pub(super) fn on_join_third_ack(&mut self, at: usize, segment: &Segment) {
        let Stage::Answering { secrets, .. } = self.subflows[at].stage else {
            return;
        };
        let proof = on_third_ack(&segment.received(), &secrets, &hashes(self.agreed.version));
        match proof {
            Ok(()) if self.mode == Mode::Mptcp && !self.ended => {
                self.on_joined(at);
                self.subflows[at].tcp.acknowledge();
            }
            Ok(()) => self.break_subflow(at, Reset::Reason(Refusal::UnknownToken.reason())),
            Err(refusal) => self.break_subflow(at, Reset::Reason(refusal.reason())),
        }
    }

    /// A segment may show that the server has the third ACK, or want to know whether it has.
    pub(super) fn hear_proof(&mut self, at: usize, received: &Received) {
        let subflow = &mut self.subflows[at];
        match subflow.stage {
            Stage::Proving { .. } if establishes_client(received) => self.on_joined(at),
            Stage::Joined if acknowledgement_due(received) => subflow.tcp.acknowledge(),
            _ => {}
        }
    }

    fn on_joined(&mut self, at: usize) {
        self.several = true;
        self.joined = true;
        self.joins += 1;
        self.timers.alone_until = None;
        let now = self.now;
        let subflow = &mut self.subflows[at];
        subflow.stage = Stage::Joined;
        subflow.heard = true;
        subflow.ever_heard = true;
        subflow.progress_at = now;
        let subflow = subflow.id;
        self.tell_paths(&Event::Live { subflow });
        self.watch_anew();
    }

    /// When a third ACK is to be repeated.
    pub(super) fn proof_due(&self) -> Option<Time> {
        let due = |one: &Subflow| match one.stage {
            Stage::Proving { again_at, .. } => Some(again_at),
            _ => None,
        };
        self.subflows.iter().filter_map(due).min()
    }

    /// Repeats the third ACKs that are due.
    pub(super) fn prove_again(&mut self) {
        for at in 0..self.subflows.len() {
            let Stage::Proving {
                hmac,
                sent,
                again_at,
            } = self.subflows[at].stage
            else {
                continue;
            };
            if again_at > self.now {
                continue;
            }
            if let Err(refusal) = on_silence(sent, MOST_THIRD_ACKS) {
                self.break_subflow(at, Reset::Reason(refusal.reason()));
                continue;
            }
            let subflow = &mut self.subflows[at];
            let rto = subflow.tcp.sending().rto() as u32;
            let wait = third_ack_timeout(sent + 1, rto, LONGEST_WAIT);
            subflow.stage = Stage::Proving {
                hmac,
                sent: sent + 1,
                again_at: self.now + Time::from(wait),
            };
            subflow.tcp.acknowledge();
        }
    }

    /// The connection is no place to join any more.
    pub(super) fn stop_joins(&mut self) {
        for at in 0..self.subflows.len() {
            if !self.subflows[at].is_established() {
                self.break_subflow(at, Reset::Reason(ResetReason::UNSPECIFIED));
            }
        }
        self.tell_paths(&Event::Ended);
    }

    /// A number that no subflow has.
    pub(super) fn free_number(&self) -> PathId {
        (0..MAX_PATHS as u8)
            .filter_map(PathId::new)
            .find(|number| self.subflows.iter().all(|one| one.number != *number))
            .expect("the path manager admits no more subflows than that")
    }

    /// Answers as an application does that knows nothing of this connection.
    fn answer_plainly(&mut self, syn: &Segment) {
        self.send_out(Segment {
            from: syn.to,
            to: syn.from,
            seq: self.kind.isn,
            ack: syn.end(),
            flags: Flags {
                syn: true,
                ack: true,
                ..Flags::default()
            },
            window: 1000,
            ..Segment::default()
        });
    }

    /// Removes the subflows whose TCP is closed, with all that follows from it.
    pub(super) fn bury_subflows(&mut self) {
        let closed = |one: &Subflow| one.tcp.state() == tcp::State::Closed;
        while let Some(at) = self.subflows.iter().position(closed) {
            let subflow = self.subflows.remove(at);
            self.on_gone(&subflow);
        }
    }

    fn on_gone(&mut self, subflow: &Subflow) {
        self.forget_carrier(subflow);
        let error = subflow.tcp.error();
        let end = subflow.end.unwrap_or(match error {
            Some(tcp::Error::TimedOut) => End::Unreachable,
            Some(tcp::Error::Reset) => End::Reset(None),
            None => End::Finished,
        });
        self.tell_paths(&Event::SubflowEnded {
            subflow: subflow.id,
            end,
        });
        let others = self.subflows.iter().any(Subflow::is_established);
        if self.ended || self.aborted {
            return;
        }
        self.losses += u32::from(subflow.was_established());
        if others {
            return;
        }
        if self.waits_for_subflow() {
            let until = self.now + self.patience();
            self.timers.alone_until.get_or_insert(until);
        } else if subflow.end == Some(End::Refused) || self.breaks_by(subflow) {
            self.abort();
        }
    }

    /// How long a connection without subflows waits for one.
    fn patience(&self) -> Time {
        let paths = self.kind.paths.as_ref();
        paths.map_or(0, |paths| paths.patience).max(SECOND / 10)
    }
}
