// SPDX-License-Identifier: GPL-2.0

//! Every MPTCP option as bytes and as a value, and the malformed neighbours of each.

use super::{expect, Check};
use crate::crypto::{Key, Token};
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    AddAddr, Address, CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpFastclose,
    MpJoin, MpPrio, MpTcpRst, Received, RemoveAddr, ResetReason, SegmentKind, WireSeq,
    OPTION_SPACE,
};

/// A name, a value and the whole option that it is on the wire.
pub type Vector<T> = (&'static str, T, &'static [u8]);

const SENDER: Key = Key::new(0x0102_0304_0506_0708);
const RECEIVER: Key = Key::new(0x1112_1314_1516_1718);
const NO_FLAGS: CapableFlags = CapableFlags::from_byte(0);
const H: CapableFlags = CapableFlags::from_byte(0x01);
const A_H: CapableFlags = CapableFlags::from_byte(0x81);
const B_H: CapableFlags = CapableFlags::from_byte(0x41);
const C_H: CapableFlags = CapableFlags::from_byte(0x21);
const DSN: u64 = 0x2122_2324_2526_2728;
const ACK: u64 = 0x3132_3334_3536_3738;
const V6: Address = Address::V6([
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
]);

const fn capable(version: u8, flags: CapableFlags, content: CapableContent) -> MpCapable {
    MpCapable {
        version,
        flags,
        content,
    }
}

const fn ack_data(data_len: u16, checksum: Option<u16>) -> CapableContent {
    CapableContent::AckData {
        sender: SENDER,
        receiver: RECEIVER,
        data_len,
        checksum,
    }
}

/// MP_CAPABLE (RFC 8684 section 3.1).
#[rustfmt::skip]
pub const MP_CAPABLE: [Vector<MpCapable>; 9] = [
    ("SYN", capable(1, H, CapableContent::Syn), &[0x1e, 4, 0x01, 0x01]),
    ("SYN with A", capable(1, A_H, CapableContent::Syn), &[0x1e, 4, 0x01, 0x81]),
    ("SYN with B", capable(1, B_H, CapableContent::Syn), &[0x1e, 4, 0x01, 0x41]),
    ("SYN with C", capable(1, C_H, CapableContent::Syn), &[0x1e, 4, 0x01, 0x21]),
    ("SYN of version 15 without flags", capable(15, NO_FLAGS, CapableContent::Syn),
     &[0x1e, 4, 0x0f, 0x00]),
    ("SYN/ACK", capable(1, H, CapableContent::SynAck { sender: SENDER }),
     &[0x1e, 12, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("ACK", capable(1, H, CapableContent::Ack { sender: SENDER, receiver: RECEIVER }),
     &[0x1e, 20, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8,
       0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
    ("ACK with data", capable(1, H, ack_data(1420, None)),
     &[0x1e, 22, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8,
       0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x05, 0x8c]),
    ("ACK with data and checksum", capable(1, A_H, ack_data(65535, Some(0xbeef))),
     &[0x1e, 24, 0x01, 0x81, 1, 2, 3, 4, 5, 6, 7, 8,
       0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0xff, 0xff, 0xbe, 0xef]),
];

/// MP_JOIN (RFC 8684 section 3.2).
#[rustfmt::skip]
pub const MP_JOIN: [Vector<MpJoin>; 4] = [
    ("join SYN",
     MpJoin::Syn {
         backup: false, address_id: 7, token: Token::new(0xa1a2_a3a4), nonce: 0xb1b2_b3b4,
     },
     &[0x1e, 12, 0x10, 7, 0xa1, 0xa2, 0xa3, 0xa4, 0xb1, 0xb2, 0xb3, 0xb4]),
    ("join SYN, backup",
     MpJoin::Syn { backup: true, address_id: 255, token: Token::new(1), nonce: 2 },
     &[0x1e, 12, 0x11, 255, 0, 0, 0, 1, 0, 0, 0, 2]),
    ("join SYN/ACK",
     MpJoin::SynAck {
         backup: true, address_id: 3, hmac: 0xc1c2_c3c4_c5c6_c7c8, nonce: 0xd1d2_d3d4,
     },
     &[0x1e, 16, 0x11, 3, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xd1, 0xd2, 0xd3, 0xd4]),
    ("join ACK",
     MpJoin::Ack {
         hmac: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
     },
     &[0x1e, 24, 0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
];

const fn map(dsn: WireSeq, ssn: u32, len: u16, checksum: Option<u16>) -> Option<DssMap> {
    Some(DssMap {
        dsn,
        ssn: Ssn::new(ssn),
        len,
        checksum,
    })
}

const fn dss(data_ack: Option<WireSeq>, map: Option<DssMap>, data_fin: bool) -> Dss {
    Dss {
        data_ack,
        map,
        data_fin,
    }
}

const LONG_ACK: Option<WireSeq> = Some(WireSeq::Long(ACK));
const SHORT_ACK: Option<WireSeq> = Some(WireSeq::Short(0x3536_3738));
const LONG_DSN: WireSeq = WireSeq::Long(DSN);
const SHORT_DSN: WireSeq = WireSeq::Short(0x2526_2728);

/// DSS (RFC 8684 section 3.3).
#[rustfmt::skip]
pub const DSS: [Vector<Dss>; 12] = [
    ("nothing", dss(None, None, false), &[0x1e, 4, 0x20, 0x00]),
    ("32-bit ack", dss(SHORT_ACK, None, false),
     &[0x1e, 8, 0x20, 0x01, 0x35, 0x36, 0x37, 0x38]),
    ("64-bit ack", dss(LONG_ACK, None, false),
     &[0x1e, 12, 0x20, 0x03, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38]),
    ("32-bit map", dss(None, map(SHORT_DSN, 0x4142_4344, 0x5152, None), false),
     &[0x1e, 14, 0x20, 0x04, 0x25, 0x26, 0x27, 0x28, 0x41, 0x42, 0x43, 0x44, 0x51, 0x52]),
    ("32-bit map with checksum", dss(None, map(SHORT_DSN, 1, 0x5152, Some(0x6162)), false),
     &[0x1e, 16, 0x20, 0x04, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 1, 0x51, 0x52, 0x61, 0x62]),
    ("64-bit map", dss(None, map(LONG_DSN, 1, 2, None), false),
     &[0x1e, 18, 0x20, 0x0c, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 1, 0, 2]),
    ("32-bit ack, 32-bit map", dss(SHORT_ACK, map(SHORT_DSN, 1, 2, None), false),
     &[0x1e, 18, 0x20, 0x05, 0x35, 0x36, 0x37, 0x38, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 1, 0, 2]),
    ("32-bit ack, 64-bit map", dss(SHORT_ACK, map(LONG_DSN, 1, 2, None), false),
     &[0x1e, 22, 0x20, 0x0d, 0x35, 0x36, 0x37, 0x38,
       0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 1, 0, 2]),
    ("64-bit ack, 64-bit map", dss(LONG_ACK, map(LONG_DSN, 0x4142_4344, 0x5152, None), false),
     &[0x1e, 26, 0x20, 0x0f, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
       0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x41, 0x42, 0x43, 0x44, 0x51, 0x52]),
    ("all of it, with checksum",
     dss(LONG_ACK, map(LONG_DSN, 0x4142_4344, 0x5152, Some(0x6162)), true),
     &[0x1e, 28, 0x20, 0x1f, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
       0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x41, 0x42, 0x43, 0x44, 0x51, 0x52,
       0x61, 0x62]),
    ("DATA_FIN alone", dss(LONG_ACK, map(LONG_DSN, 0, 1, None), true),
     &[0x1e, 26, 0x20, 0x1f, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
       0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 0, 0, 1]),
    ("infinite map", dss(None, map(LONG_DSN, 9, 0, Some(0)), false),
     &[0x1e, 20, 0x20, 0x0c, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0, 0, 0, 9, 0, 0,
       0, 0]),
];

const fn add(address: Address, port: Option<u16>, hmac: Option<u64>) -> AddAddr {
    AddAddr {
        address_id: 6,
        address,
        port,
        hmac,
    }
}

const V4: Address = Address::V4([192, 0, 2, 1]);
const HMAC: Option<u64> = Some(0x7172_7374_7576_7778);

/// ADD_ADDR (RFC 8684 section 3.4.1).
#[rustfmt::skip]
pub const ADD_ADDR: [Vector<AddAddr>; 8] = [
    ("IPv4", add(V4, None, HMAC),
     &[0x1e, 16, 0x30, 6, 192, 0, 2, 1, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("IPv4, port", add(V4, Some(0x1f90), HMAC),
     &[0x1e, 18, 0x30, 6, 192, 0, 2, 1, 0x1f, 0x90,
       0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("IPv4, echo", add(V4, None, None), &[0x1e, 8, 0x31, 6, 192, 0, 2, 1]),
    ("IPv4, port, echo", add(V4, Some(0x1f90), None),
     &[0x1e, 10, 0x31, 6, 192, 0, 2, 1, 0x1f, 0x90]),
    ("IPv6", add(V6, None, HMAC),
     &[0x1e, 28, 0x30, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
       0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("IPv6, port", add(V6, Some(0x1f90), HMAC),
     &[0x1e, 30, 0x30, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
       0x1f, 0x90, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("IPv6, echo", add(V6, None, None),
     &[0x1e, 20, 0x31, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a]),
    ("IPv6, port, echo", add(V6, Some(0x1f90), None),
     &[0x1e, 22, 0x31, 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a,
       0x1f, 0x90]),
];

/// REMOVE_ADDR (RFC 8684 section 3.4.2), the value as its ids.
#[rustfmt::skip]
pub const REMOVE_ADDR: [Vector<&[u8]>; 3] = [
    ("one id", &[4], &[0x1e, 4, 0x40, 4]),
    ("two ids", &[0, 255], &[0x1e, 5, 0x40, 0, 255]),
    ("nine ids", &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[0x1e, 12, 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
];

/// MP_PRIO (RFC 8684 section 3.3.8).
pub const MP_PRIO: [Vector<MpPrio>; 2] = [
    ("regular", MpPrio { backup: false }, &[0x1e, 3, 0x50]),
    ("backup", MpPrio { backup: true }, &[0x1e, 3, 0x51]),
];

/// MP_FAIL (RFC 8684 section 3.7).
#[rustfmt::skip]
pub const MP_FAIL: [Vector<MpFail>; 1] = [
    ("MP_FAIL", MpFail { dsn: Dsn::new(DSN) },
     &[0x1e, 12, 0x60, 0, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28]),
];

/// MP_FASTCLOSE (RFC 8684 section 3.5).
#[rustfmt::skip]
pub const MP_FASTCLOSE: [Vector<MpFastclose>; 1] = [
    ("MP_FASTCLOSE", MpFastclose { receiver: RECEIVER },
     &[0x1e, 12, 0x70, 0, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
];

/// MP_TCPRST (RFC 8684 section 3.6).
#[rustfmt::skip]
pub const MP_TCPRST: [Vector<MpTcpRst>; 2] = [
    ("transient", MpTcpRst { transient: true, reason: ResetReason::LACK_OF_RESOURCES },
     &[0x1e, 4, 0x81, 2]),
    ("lasting", MpTcpRst { transient: false, reason: ResetReason::MIDDLEBOX_INTERFERENCE },
     &[0x1e, 4, 0x80, 6]),
];

/// What the option space of a segment may hold that no MPTCP option can be read from, one fault
/// each.
#[rustfmt::skip]
pub const MALFORMED: [(&str, &[u8]); 31] = [
    ("kind without length", &[0x1e]),
    ("length 0", &[0x1e, 0, 0x20, 0]),
    ("length 1", &[0x1e, 1, 0x20, 0]),
    ("length 2, no subtype", &[0x1e, 2]),
    ("length beyond the end", &[0x1e, 12, 0x20, 0x03, 1, 2, 3, 4, 5, 6, 7]),
    ("length 255", &[0x1e, 255, 0x20, 0x00]),
    ("another option's length beyond the end", &[8, 10, 1, 2, 3, 4]),
    ("MP_CAPABLE without flags", &[0x1e, 3, 0x01]),
    ("MP_CAPABLE of 5 bytes", &[0x1e, 5, 0x01, 0x01, 0]),
    ("MP_CAPABLE of 21 bytes",
     &[0x1e, 21, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0]),
    ("MP_CAPABLE of 23 bytes",
     &[0x1e, 23, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0]),
    ("SYN's MP_CAPABLE in an ACK", &[0x1e, 4, 0x01, 0x01]),
    ("SYN/ACK's MP_CAPABLE in an ACK", &[0x1e, 12, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("SYN's MP_JOIN in an ACK", &[0x1e, 12, 0x10, 7, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("MP_JOIN of 20 bytes",
     &[0x1e, 20, 0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    ("DSS without flags", &[0x1e, 3, 0x20]),
    ("DSS of 5 bytes without fields", &[0x1e, 5, 0x20, 0x00, 0]),
    ("64-bit ack one byte short", &[0x1e, 11, 0x20, 0x03, 1, 2, 3, 4, 5, 6, 7]),
    ("32-bit ack in 8 bytes", &[0x1e, 12, 0x20, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("map without its length", &[0x1e, 12, 0x20, 0x04, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("half a checksum", &[0x1e, 15, 0x20, 0x04, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ("ADD_ADDR without HMAC", &[0x1e, 8, 0x30, 6, 192, 0, 2, 1]),
    ("echo with HMAC",
     &[0x1e, 16, 0x31, 6, 192, 0, 2, 1, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78]),
    ("ADD_ADDR of 4 bytes", &[0x1e, 4, 0x30, 6]),
    ("REMOVE_ADDR without ids", &[0x1e, 3, 0x40]),
    ("MP_PRIO of version 0", &[0x1e, 4, 0x51, 6]),
    ("MP_FAIL of 8 bytes", &[0x1e, 8, 0x60, 0, 1, 2, 3, 4]),
    ("MP_FASTCLOSE of 13 bytes", &[0x1e, 13, 0x70, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("MP_TCPRST without reason", &[0x1e, 3, 0x80]),
    ("subtype 9", &[0x1e, 4, 0x90, 0]),
    ("subtype 15", &[0x1e, 4, 0xf0, 0]),
];

macro_rules! check_table {
    ($table:expr, $option:ty) => {
        for (name, value, bytes) in $table {
            let body = bytes.get(2..).unwrap_or(&[]);
            expect(<$option>::parse(body) == Ok(value), name)?;
            expect(usize::from(value.length()) == bytes.len(), name)?;
            let mut room = [0xaa; OPTION_SPACE];
            expect(value.emit(&mut room) == Some(bytes.len()), name)?;
            expect(room.get(..bytes.len()) == Some(bytes), name)?;
            let spared = room.get(bytes.len()..).unwrap_or(&[]);
            expect(spared.iter().all(|byte| *byte == 0xaa), name)?;
            let short = room.get_mut(..bytes.len().saturating_sub(1));
            expect(short.and_then(|short| value.emit(short)).is_none(), name)?;
        }
    };
}

/// Checks that every vector is parsed to its value, that the value is written as its bytes and
/// no more, and that it is refused by a space one byte too short.
///
/// # Errors
/// The name of the first vector that does not hold.
#[inline]
pub fn check_round_trips() -> Check {
    check_table!(MP_CAPABLE, MpCapable);
    check_table!(MP_JOIN, MpJoin);
    check_table!(DSS, Dss);
    check_table!(ADD_ADDR, AddAddr);
    check_table!(MP_PRIO, MpPrio);
    check_table!(MP_FAIL, MpFail);
    check_table!(MP_FASTCLOSE, MpFastclose);
    check_table!(MP_TCPRST, MpTcpRst);
    for (name, ids, bytes) in REMOVE_ADDR {
        let option = RemoveAddr::new(ids).ok_or(name)?;
        expect(option.ids() == ids, name)?;
        check_table!([(name, option, bytes)], RemoveAddr);
    }
    Ok(())
}

/// Checks that every malformed vector is counted once and yields no option.
///
/// # Errors
/// The name of the first vector that does not hold.
#[inline]
pub fn check_malformed() -> Check {
    let segment = SegmentKind::ACK;
    for (name, bytes) in MALFORMED {
        let received = Received::parse(bytes, segment);
        expect(!received.has_mptcp() && received.malformed == 1, name)?;
        // A fault must not hide what came before it.
        let mut options = [0; OPTION_SPACE];
        let Some((prio, rest)) = options.split_at_mut_checked(3) else {
            return Err(name);
        };
        let prio_written = MpPrio { backup: true }.emit(prio).is_some();
        for (place, byte) in rest.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let both = options.get(..bytes.len().saturating_add(3)).unwrap_or(&[]);
        let received = Received::parse(both, segment);
        let prio = received.mp_prio == Some(MpPrio { backup: true });
        expect(prio_written && prio && received.malformed == 1, name)?;
    }
    Ok(())
}
