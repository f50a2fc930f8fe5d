// SPDX-License-Identifier: GPL-2.0

//! Calls everything that depends on the version of the protocol.

use crate::Opaque;
use mptcp_core::connection::abort::{of_ack, step, Step};
use mptcp_core::connection::handshake::version0::{
    client_ack, client_syn, on_syn, on_syn_ack, on_third_ack, server_syn_ack, Offer,
};
use mptcp_core::connection::handshake::{ClientOutcome, Policy, Reason, ServerOutcome, Versions};
use mptcp_core::connection::join::{self, Accepted, Refusal, Secrets};
use mptcp_core::crypto::{Derived, Hashes, Key, KeyPair, Sha1};
use mptcp_core::wire::plan::{Plan, Wanted};
use mptcp_core::wire::{AddAddr, MpCapable, MpJoin, MpPrio, Received, SegmentKind, Version};

/// A hash function that the optimiser cannot see through.
pub struct Short(pub fn(&[&[u8]]) -> [u8; 20]);

impl Sha1 for Short {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20] {
        (self.0)(parts)
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20] {
        (self.0)(&[key, &(self.0)(message)])
    }
}

entry_points! {
    version_received(v: Version, options: &[u8], segment: SegmentKind) -> Received {
        Received::parse_as(v, options, segment)
    }
    version_add(v: Version, body: &[u8], out: &mut [u8]) -> Option<usize> {
        AddAddr::parse_as(v, body).ok()?.emit_as(v, out)
    }
    version_prio(v: Version, body: &[u8]) -> Option<(MpPrio, Option<u8>)> {
        MpPrio::parse_as(v, body).ok()
    }
    version_plan(v: Version, plan: &Plan, wanted: &Wanted, out: &mut [u8])
        -> (Wanted, Option<usize>) {
        (wanted.in_version(v), plan.emit_as(v, out))
    }
    version_choice(versions: Versions, syn: &Received) -> [Option<Version>; 2] {
        [versions.first_offer(), versions.answer(syn)]
    }
    version_capable(policy: Policy, offer: Offer, keys: KeyPair) -> [MpCapable; 3] {
        [
            client_syn(policy, keys.sender),
            server_syn_ack(offer.agreed, keys.sender),
            client_ack(offer.agreed, keys),
        ]
    }
    version_syn(r: &Received, policy: Policy) -> (Result<Offer, Reason>, ClientOutcome) {
        (on_syn(r, policy), on_syn_ack(r, policy))
    }
    version_third_ack(r: &Received, offer: Offer, key: Key) -> ServerOutcome {
        on_third_ack(r, offer, key)
    }
    version_abort(v: Version, sent: u8, key: Key) -> (Step, Wanted) { (step(v, sent), of_ack(key)) }
    version_join_answer(secrets: &Secrets, id: u8, hashes: &Hashes<Opaque, Short>) -> MpJoin {
        join::server_syn_ack(secrets, id, false, hashes)
    }
    version_join_conclusion(r: &Received, s: &Secrets, hashes: &Hashes<Opaque, Short>)
        -> (Result<Accepted, Refusal>, Result<(), Refusal>) {
        (join::on_syn_ack(r, s.keys, s.our_nonce, hashes), join::on_third_ack(r, s, hashes))
    }
    version_derive(key: Key, hashes: &Hashes<Opaque, Short>) -> Derived {
        hashes.derive(key)
    }
    version_join(keys: KeyPair, hashes: &Hashes<Opaque, Short>, one: u32, two: u32)
        -> (u64, [u8; 20]) {
        (keys.join_syn_ack_hmac(hashes, one, two), keys.join_ack_hmac(hashes, one, two))
    }
}
