// SPDX-License-Identifier: GPL-2.0

//! The handshake of the first subflow (RFC 8684 section 3.1).

use super::subflow::Stage;
use super::{EndKind, Endpoint, Mode};
use crate::segment::Segment;
use crate::tcp::Tcp;
use hmac::{Hmac, Mac};
use mptcp_core::connection::handshake::{
    client_syn, on_syn, on_syn_ack, on_third_ack, server_key, server_syn_ack, Agreed, Attempt,
    ClientOutcome, Policy, ServerOutcome, SynAnswer,
};
use mptcp_core::crypto::{Derived, Key, Sha256};
use mptcp_core::mapping::RxMapping;
use mptcp_core::path_manager::{SocketAddress, SubflowId};
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::MpCapable;
use sha2::Digest;

/// SHA-256 of a library.
pub(super) struct Sha2;

impl Sha256 for Sha2 {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = sha2::Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
        let mut code = Hmac::<sha2::Sha256>::new_from_slice(key).expect("any length will do");
        message.iter().for_each(|part| code.update(part));
        code.finalize().into_bytes().into()
    }
}

/// After so many repetitions the SYN goes without option.
const SYNS_WITH_OPTION: u8 = 3;

/// Token and initial data sequence number of a key. Both ends must agree on the wrap.
pub(super) fn derive(kind: &EndKind, key: Key) -> Derived {
    let mut derived = key.derive(&Sha2);
    if let Some(before) = kind.wrap {
        derived.idsn = Dsn::new(u64::MAX - u64::from(before));
    }
    derived
}

impl Endpoint {
    pub(super) fn policy(&self) -> Policy {
        Policy {
            checksum: self.kind.checksum,
            deny_join: self.kind.paths.as_ref().is_some_and(|paths| paths.denies),
        }
    }

    /// Client: the option of the SYN.
    pub(super) fn syn_option(&mut self, repeated: u8) -> Option<MpCapable> {
        self.offered = self.kind.mptcp && repeated < SYNS_WITH_OPTION;
        self.offered.then(|| client_syn(self.policy()))
    }

    /// Client: TCP accepted the SYN/ACK.
    pub(super) fn on_first_syn_ack(&mut self, at: usize, segment: &Segment) {
        match on_syn_ack(&segment.received(), self.policy()) {
            ClientOutcome::Mptcp { remote_key, agreed } if self.offered => {
                self.begin_mptcp(at, remote_key, agreed, segment.window.into());
            }
            _ => self.begin_fallback(),
        }
        self.begin(at);
    }

    /// Server: a SYN arrived, which `tcp` answers.
    pub(super) fn listen(&mut self, tcp: Tcp, syn: &Segment) {
        self.add_subflow(SubflowId::FIRST, Stage::First, tcp);
        self.subflows[0].saved_syn = syn.clone();
    }

    /// Server: the option of the SYN/ACK, made anew from the SYN.
    pub(super) fn syn_ack_option(&self, at: usize) -> Option<MpCapable> {
        let policy = self.policy();
        let syn = &self.subflows[at].saved_syn;
        match on_syn(&syn.received(), policy) {
            SynAnswer::Mptcp { agreed } if self.kind.mptcp => {
                let key = server_key(&attempt(syn, self.kind.isn), |bytes| self.prf(bytes));
                Some(server_syn_ack(policy, agreed, key))
            }
            _ => None,
        }
    }

    /// A pseudo-random function of this host.
    pub(super) fn prf(&self, bytes: &[u8]) -> u64 {
        let digest = Sha2.hmac(&self.secret.to_be_bytes(), &[bytes]);
        digest
            .first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head))
    }

    /// Server: the first segment after the SYN.
    pub(super) fn on_first_third_ack(&mut self, at: usize, segment: &Segment) {
        let attempt = attempt(&self.subflows[at].saved_syn, self.kind.isn);
        let key = server_key(&attempt, |bytes| self.prf(bytes));
        self.local = derive(&self.kind, key);
        self.kind.key = key.raw();
        let outcome = on_third_ack(&segment.received(), self.policy(), key);
        match outcome {
            ServerOutcome::Mptcp {
                remote_key,
                agreed,
                first,
            } if self.kind.mptcp => {
                let scale = self.subflows[at].tcp.peer_scale();
                self.begin_mptcp(at, remote_key, agreed, u32::from(segment.window) << scale);
                if let Some(first) = first {
                    let mapping = RxMapping {
                        ssn: Ssn::new(1),
                        dsn: self.remote.idsn.plus(1),
                        len: first.len,
                        checksum: first.checksum,
                        data_fin: false,
                    };
                    let subflow = &mut self.subflows[at];
                    subflow.dss_seen = subflow.rx.record(mapping).is_ok();
                }
            }
            _ => self.begin_fallback(),
        }
        self.begin(at);
    }

    fn begin_fallback(&mut self) {
        self.mode = Mode::Fallback;
        self.send = SendState::new(Dsn::new(1), u32::MAX);
        self.receive = ReceiveState::new(Dsn::new(1));
    }

    fn begin_mptcp(&mut self, at: usize, remote_key: Key, agreed: Agreed, window: u32) {
        self.mode = Mode::Mptcp;
        self.remote_key = remote_key;
        self.remote = derive(&self.kind, remote_key);
        self.agreed = agreed;
        // RFC 8684 section 3.1: the SYN takes one data sequence number.
        self.send = SendState::new(self.local.idsn.plus(1), window);
        self.receive = ReceiveState::new(self.remote.idsn.plus(1));
        self.begin_managing(at);
    }

    /// What TCP promised in SYN and SYN/ACK holds for the connection too.
    fn begin(&mut self, at: usize) {
        let promised = self.subflows[at].tcp.receiving().window();
        let first = self.receive.rcv_nxt();
        self.window = ReceiveWindow::new(first.plus(promised.min(0xffff).into()));
    }
}

/// What tells a SYN, which is answered with `isn`, from others.
pub(super) fn attempt(syn: &Segment, isn: u32) -> Attempt {
    let local = SocketAddress::from(syn.to);
    let remote = SocketAddress::from(syn.from);
    Attempt {
        local: local.address,
        remote: remote.address,
        local_port: local.port,
        remote_port: remote.port,
        local_isn: isn,
        remote_isn: syn.seq,
    }
}
