// SPDX-License-Identifier: GPL-2.0

//! Keys and what is derived from them (RFC 8684 sections 3.1, 3.2 and 3.4.1; for version 0 RFC 6824
//! sections 3.1 and 3.2).
//!
//! The hash function itself comes from the outside (the kernel has a fast one), through
//! [`Sha256`], or [`Sha1`] for version 0.

mod v0;
mod version;

pub use v0::Sha1;
pub use version::{Hashes, JoinCodes};

use crate::num::low32;
use crate::seq::Dsn;
use crate::wire::Address;

/// A provider of SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104).
pub trait Sha256 {
    /// SHA-256 of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32];

    /// HMAC-SHA256 with `key` of the concatenation of `message`.
    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32];
}

/// The 64-bit key of one end of a connection, exchanged in MP_CAPABLE (RFC 8684 section 3.1).
/// Held as the number that the eight bytes on the wire are in big-endian order.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Key(u64);

/// The 32-bit name of a connection at the host that owns the key (RFC 8684 section 3.2). Held as
/// the number that the four bytes on the wire are in big-endian order.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Token(u32);

/// What a key determines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Derived {
    /// The token of the connection at the key's owner.
    pub token: Token,
    /// The initial data sequence number of the key's owner. It is consumed by the handshake as
    /// TCP's SYN is, so the first byte of data has the number after it.
    pub idsn: Dsn,
}

impl Key {
    /// The key with this value (most significant byte first on the wire).
    #[inline]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value of the key.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The key in the order of the wire.
    #[inline]
    pub const fn to_be_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Token and initial data sequence number, with one hash for both.
    ///
    /// RFC 8684 section 3.2: the token is the most significant 32 bits of SHA-256 of the key.
    /// RFC 8684 section 3.1: the initial data sequence number is the least significant 64 bits.
    // rfc8684:3.1-8 rfc8684:3.1-28 rfc8684:3.1-29
    #[inline]
    pub fn derive<H: Sha256>(self, sha: &H) -> Derived {
        let digest = sha.hash(&[&self.to_be_bytes()]);
        let (head, tail) = ends(&digest);
        Derived {
            token: Token::new(low32(head >> 32)),
            idsn: Dsn::new(tail),
        }
    }
}

impl Token {
    /// The token with this value (most significant byte first on the wire).
    #[inline]
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The value of the token.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }
}

/// The two keys of a connection, seen from the end that computes a message authentication code:
/// its own key comes first in the HMAC key (RFC 8684 section 3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyPair {
    /// The key of the end that sends the code.
    pub sender: Key,
    /// The key of the end that checks it.
    pub receiver: Key,
}

impl KeyPair {
    /// The 16-byte HMAC key: sender's key, then receiver's.
    #[inline]
    pub const fn to_be_bytes(self) -> [u8; 16] {
        ((self.sender.0 as u128) << 64 | self.receiver.0 as u128).to_be_bytes()
    }

    /// The same pair seen from the other end.
    #[inline]
    pub const fn reversed(self) -> Self {
        Self {
            sender: self.receiver,
            receiver: self.sender,
        }
    }

    /// The full HMAC of the join handshake.
    ///
    /// RFC 8684 section 3.2: key is the sender's key then the receiver's, message is the sender's
    /// nonce then the receiver's.
    #[inline]
    pub fn join_hmac<H: Sha256>(self, sha: &H, sender_nonce: u32, receiver_nonce: u32) -> [u8; 32] {
        sha.hmac(
            &self.to_be_bytes(),
            &[&sender_nonce.to_be_bytes(), &receiver_nonce.to_be_bytes()],
        )
    }

    /// The HMAC of the MP_JOIN SYN/ACK: the leftmost 64 bits (RFC 8684 section 3.2).
    #[inline]
    pub fn join_syn_ack_hmac<H: JoinCodes>(
        self,
        hash: &H,
        sender_nonce: u32,
        receiver_nonce: u32,
    ) -> u64 {
        ends(&self.join_ack_hmac(hash, sender_nonce, receiver_nonce)).0
    }

    /// The HMAC of the MP_JOIN third ACK: the leftmost 160 bits (RFC 8684 section 3.2), which in
    /// version 0 are all there are.
    #[inline]
    pub fn join_ack_hmac<H: JoinCodes>(
        self,
        hash: &H,
        sender_nonce: u32,
        receiver_nonce: u32,
    ) -> [u8; 20] {
        hash.join_code(self, sender_nonce, receiver_nonce)
    }

    /// The HMAC of ADD_ADDR: the rightmost 64 bits.
    ///
    /// RFC 8684 section 3.4.1: the message is address id, address and port in network byte order,
    /// and the port is zero where the option has none.
    #[inline]
    pub fn add_addr_hmac<H: Sha256>(
        self,
        sha: &H,
        address_id: u8,
        address: &Address,
        port: Option<u16>,
    ) -> u64 {
        let port = port.unwrap_or(0).to_be_bytes();
        let digest = sha.hmac(
            &self.to_be_bytes(),
            &[&[address_id], address.octets(), &port],
        );
        ends(&digest).1
    }
}

/// Whether two codes are equal, in a time that does not depend on where they differ.
#[inline]
pub fn same_code(left: &[u8], right: &[u8]) -> bool {
    let differing = left
        .iter()
        .zip(right)
        .fold(0, |seen, (one, other)| seen | (one ^ other));
    left.len() == right.len() && core::hint::black_box(differing) == 0
}

/// The first and the last eight bytes of a digest, as big-endian numbers.
#[inline]
fn ends(digest: &[u8]) -> (u64, u64) {
    let head = digest
        .first_chunk::<8>()
        .map_or(0, |b| u64::from_be_bytes(*b));
    let tail = digest
        .last_chunk::<8>()
        .map_or(0, |b| u64::from_be_bytes(*b));
    (head, tail)
}

#[cfg(test)]
pub(crate) mod tests;
