// SPDX-License-Identifier: GPL-2.0

use super::{same_code, Hashes, Key, KeyPair, Sha1, Sha256};
use crate::vectors::{captured, digests, version0};
use crate::wire::Version;
use hmac::{Hmac, Mac};
use sha2::Digest;

/// An implementation by others, so that vectors and code are checked against a third.
pub(crate) struct Published;

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

impl Sha1 for Published {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut hash = sha1::Sha1::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20] {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).unwrap();
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

// rfc8684:3.1-8 rfc8684:3.1-28 rfc8684:3.2-13
#[test]
fn the_kernels_own_mptcp_proves_its_keys() {
    assert_eq!(captured::check_proofs(&Published), Ok(()));
}

// rfc8684:3.1-8 rfc8684:3.1-28 rfc8684:3.1-29
#[test]
fn vectors_hold() {
    assert_eq!(digests::check(&Published), Ok(()));
    assert_eq!(version0::check_digests(&Published), Ok(()));
}

// rfc8684:v0-2
#[test]
fn every_version_has_its_own_hash() {
    let hashes = |version| Hashes {
        version,
        sha256: Published,
        sha1: Published,
    };
    let (_, key, derived) = digests::DERIVED[2];
    let (_, same_key, derived_v0) = version0::DERIVED[2];
    assert_eq!(key, same_key);
    assert_eq!(hashes(Version::V1).derive(key), derived);
    assert_eq!(hashes(Version::V0).derive(key), derived_v0);

    let vector = &digests::JOIN[2];
    let digest_v0 = version0::JOIN_DIGESTS[2];
    let (sender, receiver) = vector.nonces;
    for (version, digest) in [
        (Version::V1, &vector.digest[..]),
        (Version::V0, &digest_v0[..]),
    ] {
        let hashes = hashes(version);
        let whole = vector.keys.join_ack_hmac(&hashes, sender, receiver);
        assert_eq!(whole, digest[..20]);
        let short = vector.keys.join_syn_ack_hmac(&hashes, sender, receiver);
        assert_eq!(short.to_be_bytes(), digest[..8]);
    }
}

#[test]
fn a_wrong_hash_is_noticed() {
    struct Wrong;
    impl Sha256 for Wrong {
        fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
            Sha256::hash(&Published, parts)
        }

        fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
            let mut digest = Sha256::hmac(&Published, key, message);
            digest[31] ^= 1;
            digest
        }
    }
    assert_eq!(digests::check(&Wrong), Err(digests::JOIN[0].name));

    impl Sha1 for Wrong {
        fn hash(&self, parts: &[&[u8]]) -> [u8; 20] {
            let mut digest = Sha1::hash(&Published, parts);
            digest[19] ^= 1;
            digest
        }

        fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 20] {
            Sha1::hmac(&Published, key, message)
        }
    }
    assert_eq!(version0::check_digests(&Wrong), Err(version0::DERIVED[0].0));
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
