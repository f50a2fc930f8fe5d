// SPDX-License-Identifier: GPL-2.0

//! The hash functions of a connection, whichever version it speaks.

use super::{Derived, Key, KeyPair, Sha1, Sha256};
use crate::wire::Version;

/// What computes the codes by which both ends of a join prove that they know the keys: SHA-256 of
/// version 1 alone, or [`Hashes`].
pub trait JoinCodes {
    /// The leftmost 160 bits of the HMAC (RFC 8684 section 3.2), or all of it in version 0
    /// (RFC 6824 section 3.2). `keys` and nonces are those of the code's sender, then its
    /// receiver's.
    fn join_code(&self, keys: KeyPair, sender_nonce: u32, receiver_nonce: u32) -> [u8; 20];
}

impl<H: Sha256> JoinCodes for H {
    #[inline]
    fn join_code(&self, keys: KeyPair, sender_nonce: u32, receiver_nonce: u32) -> [u8; 20] {
        let digest = keys.join_hmac(self, sender_nonce, receiver_nonce);
        match digest.first_chunk::<20>() {
            Some(head) => *head,
            None => [0; 20],
        }
    }
}

/// The hash functions of all versions, for those who know the version only when they run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hashes<A, B> {
    /// The version that is spoken.
    pub version: Version,
    /// The function of version 1.
    pub sha256: A,
    /// The function of version 0.
    pub sha1: B,
}

impl<A: Sha256, B: Sha1> Hashes<A, B> {
    /// Token and initial data sequence number of `key`.
    // rfc8684:v0-2
    #[inline]
    pub fn derive(&self, key: Key) -> Derived {
        match self.version {
            Version::V0 => key.derive_v0(&self.sha1),
            Version::V1 => key.derive(&self.sha256),
        }
    }
}

// rfc8684:v0-2
impl<A: Sha256, B: Sha1> JoinCodes for Hashes<A, B> {
    #[inline]
    fn join_code(&self, keys: KeyPair, sender_nonce: u32, receiver_nonce: u32) -> [u8; 20] {
        match self.version {
            Version::V0 => keys.join_hmac_v0(&self.sha1, sender_nonce, receiver_nonce),
            Version::V1 => keys.join_ack_hmac(&self.sha256, sender_nonce, receiver_nonce),
        }
    }
}
