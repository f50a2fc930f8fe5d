// SPDX-License-Identifier: GPL-2.0

//! Handshakes with SYN cookies: the kernel keeps nothing of the SYN, so neither the request nor the
//! SYN/ACK tells what the client asked for.
//!
//! The SYN/ACK leaves on the CPU on which the SYN came, before anything else comes there. So the SYN
//! leaves a note, and the SYN/ACK finds it. Our key needs no note: it is made anew when the third ACK
//! brings both sequence numbers back.

use crate::netns::Namespace;
use crate::protocol::Meta;
use crate::subflow::handshake::{asked, offer, policy};
use core::sync::atomic::{AtomicU64, Ordering};
use knet::netns::{Net, PerNet};
use knet::segment::{CookieSynAck, OptionEdit, Syn};
use knet::sock::{Address, Tuple};
use mptcp_core::connection::handshake::{Agreed, Policy};

/// Notes of SYNs that were just received, each in the place that its [`fingerprint`] names.
pub(crate) struct Notes([AtomicU64; Notes::SLOTS]);

impl Notes {
    const SLOTS: usize = 64;

    /// No notes.
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; Self::SLOTS])
    }

    fn slot(&self, fingerprint: u64) -> Option<&AtomicU64> {
        self.0.get(fingerprint as usize % Self::SLOTS)
    }
}

/// In a note: the SYN asked for Multipath TCP.
const ASKED: u64 = 1;
/// In a note: it requires checksums.
const CHECKSUM: u64 = 2;

/// What tells a SYN from others that arrive within the same moment, with the lowest two bits free. It
/// need not be secret: whoever meets another's note gets an option in his SYN/ACK that he ignores.
fn fingerprint(tuple: &Tuple, remote_isn: u32) -> u64 {
    let fold = |address: &Address| match address {
        Address::V4(bytes) => u64::from(u32::from_be_bytes(*bytes)),
        Address::V6(bytes) => {
            let whole = u128::from_be_bytes(*bytes);
            (whole >> 64) as u64 ^ whole as u64
        }
    };
    let ports = u64::from(tuple.local_port) << 16 | u64::from(tuple.remote_port);
    let ends = fold(&tuple.remote).rotate_left(7) ^ fold(&tuple.local);
    let mixed = ends ^ ports << 32 ^ u64::from(remote_isn);
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) & !(ASKED | CHECKSUM)
}

/// A SYN with an option of kind 30 arrived.
pub(crate) fn syn_passes(net: &Net, syn: &Syn<'_>) {
    let Some(agreed) = asked(syn.options, Policy::default()) else {
        return;
    };
    let fingerprint = fingerprint(&syn.tuple, syn.remote_isn);
    let checksum = if agreed.checksum { CHECKSUM } else { 0 };
    if let Some(slot) = Namespace::of(net).and_then(|namespace| namespace.syns.slot(fingerprint)) {
        slot.store(fingerprint | ASKED | checksum, Ordering::Relaxed);
    }
}

/// A SYN is answered with a cookie.
pub(crate) fn answer(listener: &Meta, syn: &CookieSynAck, edit: &mut OptionEdit) {
    let sock = listener.sock();
    let fingerprint = fingerprint(&syn.handshake.tuple, syn.handshake.remote_isn);
    let note = Namespace::of(sock.net())
        .and_then(|namespace| namespace.syns.slot(fingerprint))
        .map_or(0, |slot| slot.load(Ordering::Relaxed));
    if note & !CHECKSUM != fingerprint | ASKED {
        return;
    }
    let policy = policy(sock);
    let agreed = Agreed {
        checksum: policy.checksum || note & CHECKSUM != 0,
        ..Agreed::default()
    };
    offer(listener, policy, agreed, &syn.handshake, syn.free, edit);
}
