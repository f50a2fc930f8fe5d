// SPDX-License-Identifier: GPL-2.0

//! What version 0 derives from keys (RFC 6824 sections 3.1 and 3.2): the same as version 1, with
//! another hash function.

use super::{ends, Derived, Key, KeyPair, Token};
use crate::num::low32;
use crate::seq::Dsn;

/// A provider of SHA-1 (FIPS 180-4) and HMAC-SHA1 (RFC 2104).
pub trait Sha1 {
    /// SHA-1 of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20];

    /// HMAC-SHA1 with `key` of the concatenation of `message`.
    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20];
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
