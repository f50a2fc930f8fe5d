// SPDX-License-Identifier: GPL-2.0

//! Keys, tokens, initial sequence numbers and message authentication codes.

use super::{expect, Check};
use crate::crypto::{Derived, Key, KeyPair, Sha256, Token};
use crate::seq::Dsn;
use crate::wire::Address;

/// What SHA-256 (FIPS 180-4) makes of a key.
pub const DERIVED: [(&str, Key, Derived); 5] = [
    derived("zero", 0, 0xaf55_70f5, 0xe5b2_328d_e0e8_3dfc),
    derived("one", 1, 0xcd26_6215, 0x19ec_5090_83d0_0a50),
    derived(
        "ascending",
        0x0102_0304_0506_0708,
        0x6684_0dda,
        0xf5a1_01d3_d29d_6f72,
    ),
    derived(
        "descending",
        0x0706_0504_0302_0100,
        0x033f_c8b9,
        0x4c63_560d_71b8_a821,
    ),
    derived("all ones", u64::MAX, 0x12a3_ae44, 0x57fb_595b_bbac_f0ca),
];

pub(super) const fn derived(
    name: &'static str,
    key: u64,
    token: u32,
    idsn: u64,
) -> (&'static str, Key, Derived) {
    let derived = Derived {
        token: Token::new(token),
        idsn: Dsn::new(idsn),
    };
    (name, Key::new(key), derived)
}

/// A join HMAC: both keys, both nonces, and the whole digest.
pub struct JoinVector {
    /// What fails if it fails.
    pub name: &'static str,
    /// The keys as the sender of the code sees them.
    pub keys: KeyPair,
    /// The nonces, sender's first.
    pub nonces: (u32, u32),
    /// HMAC-SHA256.
    pub digest: [u8; 32],
}

/// The published vectors for HMAC-SHA256 over MPTCP keys and nonces. Keys and nonces are runs of
/// ASCII digits.
pub const JOIN: [JoinVector; 3] = [
    JoinVector {
        name: "keys 0b..., nonces 48692054",
        keys: keys(b"0b0b0b0b", b"0b0b0b0b"),
        nonces: nonces(b"4869", b"2054"),
        digest: [
            0x83, 0x85, 0xe2, 0x4f, 0xb4, 0x23, 0x5a, 0xc3, 0x75, 0x56, 0xb6, 0xb8, 0x86, 0xdb,
            0x10, 0x62, 0x84, 0xa1, 0xda, 0x67, 0x16, 0x99, 0xf4, 0x6d, 0xb1, 0xf2, 0x35, 0xec,
            0x62, 0x2d, 0xca, 0xfa,
        ],
    },
    JoinVector {
        name: "keys aa..., nonces dd...",
        keys: keys(b"aaaaaaaa", b"aaaaaaaa"),
        nonces: nonces(b"dddd", b"dddd"),
        digest: [
            0x2c, 0x5e, 0x21, 0x91, 0x64, 0xff, 0x1d, 0xca, 0x1c, 0x4a, 0x92, 0x31, 0x8d, 0x84,
            0x7b, 0xb6, 0xb9, 0xd4, 0x44, 0x92, 0x98, 0x4e, 0x1e, 0xb7, 0x1a, 0xff, 0x90, 0x22,
            0xf7, 0x10, 0x46, 0xe9,
        ],
    },
    JoinVector {
        name: "keys 01 to 08, nonces cd...",
        keys: keys(b"01020304", b"05060708"),
        nonces: nonces(b"cdcd", b"cdcd"),
        digest: [
            0xe7, 0x3b, 0x9b, 0xa9, 0x96, 0x99, 0x69, 0xce, 0xfb, 0x04, 0xaa, 0x0d, 0x6d, 0xf1,
            0x8e, 0xc2, 0xfc, 0xc0, 0x75, 0xb6, 0xf2, 0x3b, 0x4d, 0x8c, 0x4d, 0xa7, 0x36, 0xa5,
            0xdb, 0xbc, 0x6e, 0x7d,
        ],
    },
];

const fn keys(sender: &[u8; 8], receiver: &[u8; 8]) -> KeyPair {
    KeyPair {
        sender: Key::new(u64::from_be_bytes(*sender)),
        receiver: Key::new(u64::from_be_bytes(*receiver)),
    }
}

const fn nonces(sender: &[u8; 4], receiver: &[u8; 4]) -> (u32, u32) {
    (u32::from_be_bytes(*sender), u32::from_be_bytes(*receiver))
}

/// An ADD_ADDR HMAC under [`ADD_ADDR_KEYS`].
pub struct AddAddrVector {
    /// What fails if it fails.
    pub name: &'static str,
    /// The address id.
    pub address_id: u8,
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Option<u16>,
    /// The rightmost 64 bits of the digest.
    pub hmac: u64,
}

/// The keys of [`ADD_ADDR`].
pub const ADD_ADDR_KEYS: KeyPair = KeyPair {
    sender: Key::new(0x0102_0304_0506_0708),
    receiver: Key::new(0x1112_1314_1516_1718),
};

/// HMACs of ADD_ADDR.
pub const ADD_ADDR: [AddAddrVector; 3] = [
    AddAddrVector {
        name: "IPv4",
        address_id: 5,
        address: Address::V4([10, 0, 0, 2]),
        port: None,
        hmac: 0x441c_d8f7_887f_3573,
    },
    AddAddrVector {
        name: "IPv4 with port",
        address_id: 5,
        address: Address::V4([10, 0, 0, 2]),
        port: Some(8080),
        hmac: 0x1ad2_537f_ecf0_a516,
    },
    AddAddrVector {
        name: "IPv6 with port",
        address_id: 9,
        address: Address::V6([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        port: Some(443),
        hmac: 0x91a2_55c8_9276_8f32,
    },
];

/// Checks a provider of SHA-256 and everything derived with it against all vectors.
///
/// # Errors
/// The name of the first vector that does not hold.
pub fn check<H: Sha256>(sha: &H) -> Check {
    for (name, key, derived) in DERIVED {
        expect(key.derive(sha) == derived, name)?;
    }
    for vector in JOIN {
        check_join(sha, &vector)?;
    }
    for vector in ADD_ADDR {
        let hmac =
            ADD_ADDR_KEYS.add_addr_hmac(sha, vector.address_id, &vector.address, vector.port);
        expect(hmac == vector.hmac, vector.name)?;
    }
    Ok(())
}

fn check_join<H: Sha256>(sha: &H, vector: &JoinVector) -> Check {
    let (sender, receiver) = vector.nonces;
    let whole = vector.keys.join_hmac(sha, sender, receiver);
    expect(whole == vector.digest, vector.name)?;

    let leftmost = vector.keys.join_syn_ack_hmac(sha, sender, receiver);
    let expected = vector.digest.first_chunk::<8>();
    expect(Some(&leftmost.to_be_bytes()) == expected, vector.name)?;

    let longer = vector.keys.join_ack_hmac(sha, sender, receiver);
    expect(
        Some(&longer) == vector.digest.first_chunk::<20>(),
        vector.name,
    )
}
