// SPDX-License-Identifier: GPL-2.0

//! The handshake of the first subflow (RFC 8684 section 3.1).

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
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{Address, MpCapable};
use sha2::Digest;

/// SHA-256 of a library.
struct Sha2;

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
            deny_join: false,
        }
    }

    /// Client: the option of the SYN.
    pub(super) fn syn_option(&mut self, repeated: u8) -> Option<MpCapable> {
        self.offered = self.kind.mptcp && repeated < SYNS_WITH_OPTION;
        self.offered.then(|| client_syn(self.policy()))
    }

    /// Client: TCP accepted the SYN/ACK.
    pub(super) fn on_syn_ack(&mut self, segment: &Segment) {
        match on_syn_ack(&segment.received(), self.policy()) {
            ClientOutcome::Mptcp { remote_key, agreed } if self.offered => {
                self.begin_mptcp(remote_key, agreed, segment.window.into());
            }
            _ => self.begin_fallback(),
        }
        self.begin();
    }

    /// Server: a SYN arrived.
    pub(super) fn listen(&mut self, syn: &Segment) {
        self.saved_syn = syn.clone();
        let tcp = Tcp::answer(self.kind.tcp.clone(), syn, self.kind.isn, self.now);
        self.tcp = Some(tcp);
    }

    /// Server: the option of the SYN/ACK, made anew from the SYN.
    pub(super) fn syn_ack_option(&self) -> Option<MpCapable> {
        let policy = self.policy();
        match on_syn(&self.saved_syn.received(), policy) {
            SynAnswer::Mptcp { agreed } if self.kind.mptcp => {
                Some(server_syn_ack(policy, agreed, self.key_again()))
            }
            _ => None,
        }
    }

    /// The server's key, made from what tells this attempt from others.
    fn key_again(&self) -> Key {
        let attempt = Attempt {
            local: Address::V4([10, 0, 0, 2]),
            remote: Address::V4([10, 0, 0, 1]),
            local_port: self.saved_syn.to,
            remote_port: self.saved_syn.from,
            local_isn: self.kind.isn,
            remote_isn: self.saved_syn.seq,
        };
        server_key(&attempt, |bytes| {
            let digest = Sha2.hmac(&self.kind.key.to_be_bytes(), &[bytes]);
            digest
                .first_chunk()
                .map_or(0, |head| u64::from_be_bytes(*head))
        })
    }

    /// Server: the first segment after the SYN.
    pub(super) fn on_third_ack(&mut self, segment: &Segment) {
        let key = self.key_again();
        self.local = derive(&self.kind, key);
        self.kind.key = key.raw();
        let outcome = on_third_ack(&segment.received(), self.policy(), key);
        match outcome {
            ServerOutcome::Mptcp {
                remote_key,
                agreed,
                first,
            } if self.kind.mptcp => {
                let scale = self.tcp.as_ref().map_or(0, Tcp::peer_scale);
                self.begin_mptcp(remote_key, agreed, u32::from(segment.window) << scale);
                if let Some(first) = first {
                    let mapping = RxMapping {
                        ssn: Ssn::new(1),
                        dsn: self.remote.idsn.plus(1),
                        len: first.len,
                        checksum: first.checksum,
                        data_fin: false,
                    };
                    self.dss_seen = self.rx.record(mapping).is_ok();
                }
            }
            _ => self.begin_fallback(),
        }
        self.begin();
    }

    fn begin_fallback(&mut self) {
        self.mode = Mode::Fallback;
        self.send = SendState::new(Dsn::new(1), u32::MAX);
        self.receive = ReceiveState::new(Dsn::new(1));
    }

    fn begin_mptcp(&mut self, remote_key: Key, agreed: Agreed, window: u32) {
        self.mode = Mode::Mptcp;
        self.remote_key = remote_key;
        self.remote = derive(&self.kind, remote_key);
        self.agreed = agreed;
        // RFC 8684 section 3.1: the SYN takes one data sequence number.
        self.send = SendState::new(self.local.idsn.plus(1), window);
        self.receive = ReceiveState::new(self.remote.idsn.plus(1));
    }

    /// What TCP promised in SYN and SYN/ACK holds for the connection too.
    fn begin(&mut self) {
        let promised = self.tcp.as_ref().map_or(0, |tcp| tcp.receiving().window());
        let first = self.receive.rcv_nxt();
        self.window = ReceiveWindow::new(first.plus(promised.min(0xffff).into()));
    }
}
