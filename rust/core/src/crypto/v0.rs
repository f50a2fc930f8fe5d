// SPDX-License-Identifier: GPL-2.0

//! What version 0 derives from keys (RFC 6824 sections 3.1 and 3.2): the same as version 1, with
//! another hash function.

use super::{ends, Derived, Key, KeyPair, Sha256, Token};
use crate::num::low32;
use crate::seq::Dsn;
use crate::wire::Version;

/// A provider of SHA-1 (FIPS 180-4) and HMAC-SHA1 (RFC 2104).
pub trait Sha1 {
    /// SHA-1 of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20];

    /// HMAC-SHA1 with `key` of the concatenation of `message`.
    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20];
}

/// The hash functions of all versions, for those who know the version only when they run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hashes<A, B> {
    /// That of version 1.
    pub sha256: A,
    /// That of version 0.
    pub sha1: B,
}

impl Key {
    /// Token and initial data sequence number in version 0, with one hash for both.
    ///
    /// RFC 6824 section 3.1: the token is the most significant 32 bits of SHA-1 of the key, the
    /// initial data sequence number is the least significant 64 bits.
    #[inline]
    pub fn derive_v0<H: Sha1>(self, sha: &H) -> Derived {
        let digest = sha.hash(&[&self.to_be_bytes()]);
        let (head, tail) = ends(&digest);
        Derived {
            token: Token::new(low32(head >> 32)),
            idsn: Dsn::new(tail),
        }
    }
}

impl KeyPair {
    /// The HMAC of the join handshake in version 0, whole as in the third ACK.
    ///
    /// RFC 6824 section 3.2: key is the sender's key then the receiver's, message is the sender's
    /// nonce then the receiver's.
    #[inline]
    pub fn join_hmac_v0<H: Sha1>(
        self,
        sha: &H,
        sender_nonce: u32,
        receiver_nonce: u32,
    ) -> [u8; 20] {
        sha.hmac(
            &self.to_be_bytes(),
            &[&sender_nonce.to_be_bytes(), &receiver_nonce.to_be_bytes()],
        )
    }
}

impl<A: Sha256, B: Sha1> Hashes<A, B> {
    /// Token and initial data sequence number of `key`.
    #[inline]
    pub fn derive(&self, version: Version, key: Key) -> Derived {
        match version {
            Version::V0 => key.derive_v0(&self.sha1),
            Version::V1 => key.derive(&self.sha256),
        }
    }

    /// The HMAC of the MP_JOIN SYN/ACK: the leftmost 64 bits in either version.
    #[inline]
    pub fn join_syn_ack_hmac(
        &self,
        version: Version,
        keys: KeyPair,
        sender_nonce: u32,
        receiver_nonce: u32,
    ) -> u64 {
        let longer = self.join_ack_hmac(version, keys, sender_nonce, receiver_nonce);
        ends(&longer).0
    }

    /// The HMAC of the MP_JOIN third ACK: 160 bits in either version.
    #[inline]
    pub fn join_ack_hmac(
        &self,
        version: Version,
        keys: KeyPair,
        sender_nonce: u32,
        receiver_nonce: u32,
    ) -> [u8; 20] {
        match version {
            Version::V0 => keys.join_hmac_v0(&self.sha1, sender_nonce, receiver_nonce),
            Version::V1 => keys.join_ack_hmac(&self.sha256, sender_nonce, receiver_nonce),
        }
    }
}
