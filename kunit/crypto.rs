// SPDX-License-Identifier: GPL-2.0

//! The kernel's SHA-256 and HMAC, and what is derived with them, against published vectors.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_crypto)]
mod tests {
    use mptcp_core::crypto::{same_code, Key, Sha256};
    use mptcp_core::vectors::{captured, digests, joins};

    // rfc8684:3.1-8
    #[test]
    fn vectors_hold() {
        assert_eq!(digests::check(&Kernel), Ok(()));
    }

    // rfc8684:3.2-3 rfc8684:3.2-5
    #[test]
    fn a_join_proves_the_keys() {
        assert_eq!(joins::check(&Kernel), Ok(()));
    }

    // rfc8684:3.1-8 rfc8684:3.1-28 rfc8684:3.2-13
    #[test]
    fn the_kernels_own_mptcp_proves_its_keys() {
        assert_eq!(captured::check_proofs(&Kernel), Ok(()));
    }

    #[test]
    fn parts_are_hashed_as_one_message() {
        let (one, two) = (&[1_u8, 2, 3], &[4_u8, 5]);
        assert_eq!(Kernel.hash(&[one, two]), Kernel.hash(&[&[1, 2, 3, 4, 5]]));
        let whole = Kernel.hmac(b"key", &[&[1, 2, 3, 4, 5]]);
        assert_eq!(Kernel.hmac(b"key", &[one, &[], two]), whole);
        assert!(Kernel.hmac(b"kez", &[one, two]) != whole);
    }

    #[test]
    fn sha_256_of_the_standard() {
        // FIPS 180-4: "abc".
        let [a, b, c, d, .., y, z] = Kernel.hash(&[b"abc"]);
        assert_eq!([a, b, c, d], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!([y, z], [0x15, 0xad]);
    }

    #[test]
    fn a_wrong_code_is_not_the_same() {
        let code = Key::new(1).derive(&Kernel).token.raw().to_be_bytes();
        let [a, b, c, d] = code;
        assert!(same_code(&code, &[a, b, c, d]));
        assert!(!same_code(&code, &[a, b, c, d ^ 1]));
        assert!(!same_code(&code, &[a, b, c]));
    }

    struct Kernel;

    impl Sha256 for Kernel {
        fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
            knet::crypto::sha256(parts)
        }

        fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
            knet::crypto::hmac_sha256(key, message)
        }
    }
}
