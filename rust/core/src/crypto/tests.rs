// SPDX-License-Identifier: GPL-2.0

use super::{same_code, Key, KeyPair, Sha256};
use crate::vectors::digests;
use hmac::{Hmac, Mac};
use sha2::Digest;

/// An implementation by others, so that vectors and code are checked against a third.
struct Published;

impl Sha256 for Published {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = sha2::Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

// rfc8684:3.1-8
#[test]
fn vectors_hold() {
    assert_eq!(digests::check(&Published), Ok(()));
}

#[test]
fn a_wrong_hash_is_noticed() {
    struct Wrong;
    impl Sha256 for Wrong {
        fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
            Published.hash(parts)
        }

        fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
            let mut digest = Published.hmac(key, message);
            digest[31] ^= 1;
            digest
        }
    }
    assert_eq!(digests::check(&Wrong), Err(digests::JOIN[0].name));
}

#[test]
fn the_senders_key_comes_first() {
    let pair = KeyPair {
        sender: Key::new(1),
        receiver: Key::new(2),
    };
    let bytes = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2];
    assert_eq!(pair.to_be_bytes(), bytes);
    assert_eq!(pair.reversed().to_be_bytes()[7], 2);
    // The end that checks the code holds the same keys the other way round.
    let checker = KeyPair {
        sender: Key::new(2),
        receiver: Key::new(1),
    };
    let sent = pair.join_ack_hmac(&Published, 3, 4);
    assert_eq!(sent, checker.reversed().join_ack_hmac(&Published, 3, 4));
    assert_ne!(sent, checker.join_ack_hmac(&Published, 3, 4));
    assert_ne!(sent, pair.reversed().join_ack_hmac(&Published, 4, 3));
}

#[test]
fn codes_compare_by_content_and_length() {
    assert!(same_code(&[1, 2, 3], &[1, 2, 3]));
    assert!(!same_code(&[1, 2, 3], &[1, 2, 4]));
    assert!(!same_code(&[1, 2, 3], &[1, 2]));
    assert!(same_code(&[], &[]));
}
