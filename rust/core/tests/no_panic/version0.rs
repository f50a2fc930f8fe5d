// SPDX-License-Identifier: GPL-2.0

//! Calls everything that depends on the version of the protocol.

use crate::Opaque;
use mptcp_core::crypto::{Derived, Hashes, Key, KeyPair, Sha1};
use mptcp_core::wire::plan::{Plan, Wanted};
use mptcp_core::wire::{AddAddr, MpPrio, Received, SegmentKind, Version};

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
    version_derive(v: Version, key: Key, hashes: &Hashes<Opaque, Short>) -> Derived {
        hashes.derive(v, key)
    }
    version_join(v: Version, keys: KeyPair, hashes: &Hashes<Opaque, Short>, one: u32, two: u32)
        -> (u64, [u8; 20]) {
        (hashes.join_syn_ack_hmac(v, keys, one, two), hashes.join_ack_hmac(v, keys, one, two))
    }
}
