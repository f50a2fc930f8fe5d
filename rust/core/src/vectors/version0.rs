// SPDX-License-Identifier: GPL-2.0

//! What is different in version 0 (RFC 6824): digests, options, and what is no option there.

use super::digests::{derived, JOIN};
use super::options::Vector;
use super::{expect, Check};
use crate::crypto::{Derived, Key, Sha1};
use crate::wire::{
    AddAddr, Address, CapableContent, CapableFlags, MpCapable, MpPrio, Received, SegmentKind,
    Version, OPTION_SPACE,
};

const SENDER: Key = Key::new(0x0102_0304_0506_0708);
const RECEIVER: Key = Key::new(0x1112_1314_1516_1718);

/// What SHA-1 (FIPS 180-4) makes of a key.
pub const DERIVED: [(&str, Key, Derived); 5] = [
    derived("zero", 0, 0x05fe_4057, 0xac55_8654_f107_c7e9),
    derived("one", 1, 0xcb47_3678, 0x38f1_1011_007a_d27d),
    derived(
        "ascending",
        0x0102_0304_0506_0708,
        0xdd57_83bc,
        0x3a95_ed6e_4ebb_4ad5,
    ),
    derived(
        "descending",
        0x0706_0504_0302_0100,
        0x9c62_f634,
        0x4c22_88a5_4513_dd15,
    ),
    derived("all ones", u64::MAX, 0xbe67_3e8a, 0x8667_01c1_1ef8_e089),
];

/// HMAC-SHA1 over the keys and nonces of [`JOIN`], in its order.
pub const JOIN_DIGESTS: [[u8; 20]; 3] = [
    [
        0x45, 0x0c, 0x72, 0xfd, 0x6a, 0x1e, 0xc0, 0xb3, 0xd3, 0x7f, 0x11, 0x84, 0xab, 0xe6, 0xc6,
        0x73, 0xc4, 0x61, 0x27, 0x76,
    ],
    [
        0xb7, 0x4b, 0xe1, 0x34, 0xe2, 0xff, 0x0f, 0x92, 0xe1, 0x9a, 0x35, 0x7f, 0xdf, 0x36, 0xb3,
        0xce, 0x01, 0xd6, 0x14, 0x0f,
    ],
    [
        0x12, 0x34, 0xa3, 0x14, 0xbf, 0xc7, 0xcc, 0xbb, 0x15, 0x02, 0x9c, 0x93, 0x3f, 0x02, 0x93,
        0x26, 0x33, 0x53, 0x8e, 0x19,
    ],
];

/// Checks a provider of SHA-1 and everything derived with it against all vectors, the second of
/// RFC 2202 included.
///
/// # Errors
/// The name of the first vector that does not hold.
pub fn check_digests<H: Sha1>(sha: &H) -> Check {
    let published = sha.hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
    let expected = [
        0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84, 0xdf,
        0x9c, 0x25, 0x9a, 0x7c, 0x79,
    ];
    expect(published == expected, "RFC 2202")?;
    for (name, key, derived) in DERIVED {
        expect(key.derive_v0(sha) == derived, name)?;
    }
    for (vector, digest) in JOIN.iter().zip(JOIN_DIGESTS) {
        let (sender, receiver) = vector.nonces;
        let found = vector.keys.join_hmac_v0(sha, sender, receiver);
        expect(found == digest, vector.name)?;
    }
    Ok(())
}

const fn capable(flags: u8, content: CapableContent) -> MpCapable {
    MpCapable {
        version: 0,
        flags: CapableFlags::from_byte(flags),
        content,
    }
}

const ONE_KEY: CapableContent = CapableContent::SynAck { sender: SENDER };
const BOTH_KEYS: CapableContent = CapableContent::Ack {
    sender: SENDER,
    receiver: RECEIVER,
};

/// MP_CAPABLE (RFC 6824 section 3.1).
#[rustfmt::skip]
pub const MP_CAPABLE: [Vector<MpCapable>; 3] = [
    ("version 0, SYN or SYN/ACK", capable(0x01, ONE_KEY),
     &[0x1e, 12, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("version 0, SYN or SYN/ACK with A", capable(0x81, ONE_KEY),
     &[0x1e, 12, 0x00, 0x81, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("version 0, ACK", capable(0x01, BOTH_KEYS),
     &[0x1e, 20, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8,
       0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
];

const fn add(address: Address, port: Option<u16>) -> AddAddr {
    AddAddr {
        address_id: 6,
        address,
        port,
        hmac: None,
    }
}

const V4: Address = Address::V4([192, 0, 2, 1]);
const V6: Address = Address::V6([
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
]);

/// ADD_ADDR (RFC 6824 section 3.4.1).
// rfc8684:v0-3
#[rustfmt::skip]
pub const ADD_ADDR: [Vector<AddAddr>; 4] = [
    ("version 0, IPv4", add(V4, None), &[0x1e, 8, 0x34, 6, 192, 0, 2, 1]),
    ("version 0, IPv4, port", add(V4, Some(0x1f90)),
     &[0x1e, 10, 0x34, 6, 192, 0, 2, 1, 0x1f, 0x90]),
    ("version 0, IPv6", add(V6, None),
     &[0x1e, 20, 0x36, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a]),
    ("version 0, IPv6, port", add(V6, Some(0x1f90)),
     &[0x1e, 22, 0x36, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
       0x1f, 0x90]),
];

/// MP_PRIO (RFC 6824 section 3.3.8), with the address id that may stand there.
// rfc8684:v0-7
#[rustfmt::skip]
pub const MP_PRIO: [Vector<(MpPrio, Option<u8>)>; 3] = [
    ("version 0, regular", (MpPrio { backup: false }, None), &[0x1e, 3, 0x50]),
    ("version 0, backup", (MpPrio { backup: true }, None), &[0x1e, 3, 0x51]),
    ("version 0, address", (MpPrio { backup: true }, Some(6)), &[0x1e, 4, 0x51, 6]),
];

/// What no option of version 0 can be read from, some of which version 1 understands.
// rfc8684:v0-5
#[rustfmt::skip]
pub const MALFORMED: [(&str, &[u8]); 10] = [
    ("version 0, MP_CAPABLE without key", &[0x1e, 4, 0x00, 0x01]),
    ("version 0, MP_CAPABLE with data length",
     &[0x1e, 22, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1]),
    ("version 0, MP_CAPABLE with data length and checksum",
     &[0x1e, 24, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3]),
    ("version 0, ADD_ADDR of no family", &[0x1e, 8, 0x30, 6, 192, 0, 2, 1]),
    ("version 0, echo", &[0x1e, 8, 0x31, 6, 192, 0, 2, 1]),
    ("version 0, ADD_ADDR with HMAC",
     &[0x1e, 16, 0x34, 6, 192, 0, 2, 1, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("version 0, IPv4 address called IPv6", &[0x1e, 8, 0x36, 6, 192, 0, 2, 1]),
    ("version 0, half a port", &[0x1e, 9, 0x34, 6, 192, 0, 2, 1, 0x1f]),
    ("version 0, MP_PRIO of 5 bytes", &[0x1e, 5, 0x51, 6, 7]),
    ("version 0, MP_TCPRST", &[0x1e, 4, 0x80, 6]),
];

/// Checks that every vector is parsed to its value, and that the value is written as its bytes.
///
/// # Errors
/// The name of the first vector that does not hold.
pub fn check_round_trips() -> Check {
    let mut room = [0xaa; OPTION_SPACE];
    for (name, value, bytes) in MP_CAPABLE {
        let body = bytes.get(2..).unwrap_or(&[]);
        expect(MpCapable::parse(body) == Ok(value), name)?;
        expect(value.emit(&mut room) == Some(bytes.len()), name)?;
        expect(room.starts_with(bytes), name)?;
    }
    for (name, value, bytes) in ADD_ADDR {
        let body = bytes.get(2..).unwrap_or(&[]);
        expect(AddAddr::parse_as(Version::V0, body) == Ok(value), name)?;
        expect(usize::from(value.length()) == bytes.len(), name)?;
        let written = value.emit_as(Version::V0, &mut room);
        expect(written == Some(bytes.len()), name)?;
        expect(room.starts_with(bytes), name)?;
        let short = room.get_mut(..bytes.len().saturating_sub(1));
        let fits = short.and_then(|short| value.emit_as(Version::V0, short));
        expect(fits.is_none(), name)?;
    }
    for (name, (option, address), bytes) in MP_PRIO {
        let received = Received::parse_as(Version::V0, bytes, ACK);
        expect(received.mp_prio == Some(option), name)?;
        expect(received.mp_prio_address == address, name)?;
    }
    Ok(())
}

/// Checks that every malformed vector is counted once and yields no option.
///
/// # Errors
/// The name of the first vector that does not hold.
pub fn check_malformed() -> Check {
    for (name, bytes) in MALFORMED {
        for segment in [SYN, ACK] {
            let received = Received::parse_as(Version::V0, bytes, segment);
            expect(!received.has_mptcp() && received.malformed == 1, name)?;
            expect(received.mp_prio_address.is_none(), name)?;
        }
    }
    Ok(())
}

const SYN: SegmentKind = SegmentKind::SYN;

const ACK: SegmentKind = SegmentKind::ACK;
