// SPDX-License-Identifier: GPL-2.0

//! The handshake of the first subflow (RFC 8684 section 3.1, RFC 6824 section 3.1).

use super::subflow::Stage;
use super::{EndKind, Endpoint, Mode};
use crate::segment::Segment;
use crate::tcp::Tcp;
use hmac::{Hmac, Mac};
use mptcp_core::connection::blackhole::{offers_mptcp, SYN_REPETITIONS};
use mptcp_core::connection::handshake::{
    client_syn, on_syn, on_syn_ack, on_third_ack, server_key, server_syn_ack, version0, Agreed,
    Attempt, ClientOutcome, Policy, ServerOutcome, SynAnswer,
};
use mptcp_core::crypto::{Derived, Hashes, Key, Sha1, Sha256};
use mptcp_core::mapping::RxMapping;
use mptcp_core::path_manager::{SocketAddress, SubflowId};
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{MpCapable, Version};
use sha2::Digest;

/// Hash functions of a library.
#[derive(Clone, Copy)]
pub(super) struct Library;

/// The hash functions of a version.
pub(super) const fn hashes(version: Version) -> Hashes<Library, Library> {
    Hashes {
        version,
        sha256: Library,
        sha1: Library,
    }
}

impl Sha256 for Library {
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

impl Sha1 for Library {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut hash = sha1::Sha1::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20] {
        let mut code = Hmac::<sha1::Sha1>::new_from_slice(key).expect("any length will do");
        message.iter().for_each(|part| code.update(part));
        code.finalize().into_bytes().into()
    }
}

/// Token and initial data sequence number of a key. Both ends must agree on the wrap.
pub(super) fn derive(kind: &EndKind, version: Version, key: Key) -> Derived {
    let mut derived = hashes(version).derive(key);
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
        let willing = offers_mptcp(repeated, SYN_REPETITIONS);
        self.offered = self.kind.versions.first_offer().filter(|_| willing);
        self.offered.map(|version| match version {
            Version::V0 => version0::client_syn(self.policy(), Key::new(self.kind.key)),
            Version::V1 => client_syn(self.policy()),
        })
    }

    /// Client: TCP accepted the SYN/ACK.
    pub(super) fn on_first_syn_ack(&mut self, at: usize, segment: &Segment) {
        let (received, policy) = (segment.received(), self.policy());
        let outcome = self.offered.map(|version| match version {
            Version::V0 => version0::on_syn_ack(&received, policy),
            Version::V1 => on_syn_ack(&received, policy),
        });
        match outcome {
            Some(ClientOutcome::Mptcp { remote_key, agreed }) => {
                let keys = (Key::new(self.kind.key), remote_key);
                self.begin_mptcp(at, keys, agreed, segment.window.into());
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
        let received = syn.received();
        let key = server_key(&attempt(syn, self.kind.isn), |bytes| self.prf(bytes));
        match self.kind.versions.answer(&received)? {
            Version::V0 => version0::on_syn(&received, policy)
                .ok()
                .map(|offer| version0::server_syn_ack(offer.agreed, key)),
            Version::V1 => match on_syn(&received, policy) {
                SynAnswer::Mptcp { agreed } => Some(server_syn_ack(policy, agreed, key)),
                SynAnswer::Plain(_) => None,
            },
        }
    }

    /// A pseudo-random function of this host.
    pub(super) fn prf(&self, bytes: &[u8]) -> u64 {
        let digest = Sha256::hmac(&Library, &self.secret.to_be_bytes(), &[bytes]);
        digest
            .first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head))
    }

    /// Server: the first segment after the SYN.
    pub(super) fn on_first_third_ack(&mut self, at: usize, segment: &Segment) {
        let attempt = attempt(&self.subflows[at].saved_syn, self.kind.isn);
        let key = server_key(&attempt, |bytes| self.prf(bytes));
        self.kind.key = key.raw();
        match self.outcome(at, segment, key) {
            Some(ServerOutcome::Mptcp {
                remote_key,
                agreed,
                first,
            }) => {
                let scale = self.subflows[at].tcp.peer_scale();
                let window = u32::from(segment.window) << scale;
                self.begin_mptcp(at, (key, remote_key), agreed, window);
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
        let received = segment.received();
        if self.mode == Mode::Mptcp && received.dss.is_some() {
            // Version 0: it is the first data, in the place of a third ACK that was lost.
            self.believe(at, segment, &received);
        }
    }

    /// Server: what comes of a third ACK, in the version of the SYN that it follows; `None` if that
    /// was answered as plain TCP does.
    fn outcome(&self, at: usize, ack: &Segment, key: Key) -> Option<ServerOutcome> {
        let (syn, policy) = (self.subflows[at].saved_syn.received(), self.policy());
        Some(match self.kind.versions.answer(&syn)? {
            Version::V0 => version0::on_syn(&syn, policy)
                .map_or_else(ServerOutcome::Fallback, |offer| {
                    version0::on_third_ack(&ack.received(), offer, key)
                }),
            Version::V1 => on_third_ack(&ack.received(), policy, key),
        })
    }

    fn begin_fallback(&mut self) {
        self.mode = Mode::Fallback;
        self.send = SendState::new(Dsn::new(1), u32::MAX);
        self.receive = ReceiveState::new(Dsn::new(1));
    }

    /// `keys` are ours and the peer's.
    fn begin_mptcp(&mut self, at: usize, keys: (Key, Key), agreed: Agreed, window: u32) {
        self.mode = Mode::Mptcp;
        self.local = derive(&self.kind, agreed.version, keys.0);
        self.remote_key = keys.1;
        self.remote = derive(&self.kind, agreed.version, keys.1);
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
