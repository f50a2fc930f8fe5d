// SPDX-License-Identifier: GPL-2.0

//! What the options of a segment say together, and in which segment they say it.

use super::{expect, options, version0, Check};
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    pad, padded, walk, CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpJoin, Received,
    RemoveAddr, SegmentKind, Timestamp, Version, WireSeq, OPTION_SPACE,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_walks()?;
    check_segments()?;
    check_forms()?;
    check_versions()?;
    check_data_fins()?;
    check_padding()?;
    check_removals()
}

/// A name; bytes; kind and length of the body of each option found; whether the list is broken.
type Walk = (&'static str, &'static [u8], &'static [(u8, usize)], bool);

#[rustfmt::skip]
const WALKS: [Walk; 7] = [
    ("nothing", &[], &[], false),
    ("padding", &[1, 1, 1, 1], &[], false),
    ("options behind padding", &[1, 1, 8, 4, 9, 9, 1, 30, 3, 0x50], &[(8, 2), (30, 1)], false),
    ("the end of the list", &[8, 4, 9, 9, 0, 30, 3, 0x51], &[(8, 2)], false),
    ("an option without length", &[30, 3, 0x50, 30], &[(30, 1)], true),
    ("an option that is too short", &[30, 3, 0x50, 8, 1, 1], &[(30, 1)], true),
    ("an option that is too long", &[30, 3, 0x50, 8, 4, 1], &[(30, 1)], true),
];

fn check_walks() -> Check {
    for (name, bytes, found, broken) in WALKS {
        let mut walk = walk(bytes);
        let seen = walk.by_ref().map(|option| (option.kind, option.body.len()));
        expect(seen.eq(found.iter().copied()), name)?;
        expect(walk.broken() == broken, name)?;
        expect(walk.next().is_none(), name)?;
    }
    Ok(())
}

/// A name; the options of an ACK; what is read: reason of a reset, backup, DSS, timestamps, options that do not count,
/// whether there is more than a DSS.
type Segment = (
    &'static str,
    &'static [u8],
    (Option<u8>, Option<bool>, bool, Option<Timestamp>, u8, bool),
);

const STAMP: Option<Timestamp> = Some(Timestamp {
    value: 0x0102,
    echo: 0x0304,
});

#[rustfmt::skip]
const SEGMENTS: [Segment; 5] = [
    ("the first of a subtype counts", &[30, 4, 0x80, 1, 30, 4, 0x81, 2, 30, 3, 0x51],
     (Some(1), Some(true), false, None, 1, true)),
    ("timestamps beside a DSS", &[1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 30, 8, 0x20, 1, 0, 0, 0, 9],
     (None, None, true, STAMP, 0, false)),
    ("timestamps elsewhere", &[8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 30, 8, 0x20, 1, 0, 0, 0, 9, 30, 3, 0x50],
     (None, Some(false), true, STAMP, 0, true)),
    ("timestamps that are none", &[8, 6, 1, 2, 3, 4], (None, None, false, None, 0, false)),
    ("no MPTCP", &[1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4], (None, None, false, STAMP, 0, false)),
];

fn check_segments() -> Check {
    for (name, bytes, expected) in SEGMENTS {
        let received = Received::parse(bytes, SegmentKind::ACK);
        let found = (
            received.tcp_rst.map(|reset| reset.reason.raw()),
            received.mp_prio.map(|prio| prio.backup),
            received.dss.is_some(),
            received.timestamp,
            received.malformed,
            received.has_other_than_dss(),
        );
        expect(found == expected, name)?;
        let (reset, prio, dss, ..) = expected;
        let has = reset.is_some() || prio.is_some() || dss;
        expect(received.has_mptcp() == has, name)?;
        // The short way of reading says the same as the long one.
        let long_way = Received::parse_any(Version::V1, bytes, SegmentKind::ACK);
        expect(received == long_way, name)?;
    }
    Ok(())
}

const SEGMENT_KINDS: [SegmentKind; 3] = [SegmentKind::SYN, SegmentKind::SYN_ACK, SegmentKind::ACK];

/// The form of handshake options must fit the segment.
// rfc8684:3-1
fn check_forms() -> Check {
    for (name, option, bytes) in options::MP_CAPABLE {
        let right = match option.content {
            CapableContent::Syn => SegmentKind::SYN,
            CapableContent::SynAck { .. } => SegmentKind::SYN_ACK,
            CapableContent::Ack { .. } | CapableContent::AckData { .. } => SegmentKind::ACK,
        };
        for segment in SEGMENT_KINDS {
            let received = Received::parse(bytes, segment);
            let fits = segment == right;
            expect(received.mp_capable.is_some() == fits, name)?;
            expect(received.malformed == u8::from(!fits), name)?;
        }
    }
    for (name, option, bytes) in options::MP_JOIN {
        let right = match option {
            MpJoin::Syn { .. } => SegmentKind::SYN,
            MpJoin::SynAck { .. } => SegmentKind::SYN_ACK,
            MpJoin::Ack { .. } => SegmentKind::ACK,
        };
        for segment in SEGMENT_KINDS {
            let received = Received::parse(bytes, segment);
            let fits = segment == right;
            expect(received.mp_join.is_some() == fits, name)?;
            expect(received.malformed == u8::from(!fits), name)?;
        }
    }
    for (name, option, bytes) in version0::MP_CAPABLE {
        let has_both = matches!(option.content, CapableContent::Ack { .. });
        for segment in SEGMENT_KINDS {
            let received = Received::parse(bytes, segment);
            let fits = segment.syn != has_both;
            expect(received.mp_capable.is_some() == fits, name)?;
        }
    }
    Ok(())
}

/// Options that differ between versions are not read by the other one.
fn check_versions() -> Check {
    for (name, _, bytes) in version0::ADD_ADDR {
        // Version 1 sees no echo, and too few bytes for an HMAC.
        let received = Received::parse(bytes, SegmentKind::ACK);
        expect(received.add_addr.is_none(), name)?;
    }
    for (name, _, bytes) in options::ADD_ADDR {
        let received = Received::parse_as(Version::V0, bytes, SegmentKind::ACK);
        expect(received.add_addr.is_none(), name)?;
    }
    let [.., (name, _, priority)] = version0::MP_PRIO;
    let received = Received::parse(priority, SegmentKind::ACK);
    expect(received.mp_prio.is_none(), name)?;

    let name = "version 0 cannot deny joins";
    let option = MpCapable {
        version: 0,
        flags: CapableFlags {
            deny_join: true,
            ..CapableFlags::from_byte(1)
        },
        content: CapableContent::SynAck {
            sender: Key::new(1),
        },
    };
    let mut room = [0; OPTION_SPACE];
    expect(option.emit(&mut room) == Some(12), name)?;
    expect(room.get(3) == Some(&1), name)?;
    let read = MpCapable::parse(&[0x00, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]);
    let reads = read.is_ok_and(|read| read.flags.hmac_sha256 && !read.flags.deny_join);
    expect(reads, name)
}

/// Columns: length of the mapping, the flag; where the DATA_FIN lies behind the mapping's first byte, bytes of data.
// rfc8684:3.3-3
fn check_data_fins() -> Check {
    let first = Dsn::new(0x2122_2324_0000_0010);
    for (name, len, data_fin, at, data) in [
        ("DATA_FIN alone", Some(1), true, Some(0), None),
        ("DATA_FIN behind data", Some(11), true, Some(10), Some(10)),
        ("data", Some(11), false, None, Some(11)),
        ("an infinite mapping", Some(0), false, None, Some(0)),
        (
            "an infinite mapping with the flag",
            Some(0),
            true,
            None,
            Some(0),
        ),
        ("the flag without a mapping", None, true, None, None),
        ("nothing", None, false, None, None),
    ] {
        let dss = Dss {
            map: len.map(|len| DssMap {
                dsn: WireSeq::Short(first.low32()),
                ssn: Ssn::new(0),
                len,
                checksum: None,
            }),
            data_fin,
            data_ack: None,
        };
        let expected = at.map(|offset| first.plus(offset));
        expect(dss.data_fin_at(first.minus(16)) == expected, name)?;
        expect(dss.data_len() == data, name)?;
    }
    Ok(())
}

fn check_padding() -> Check {
    for (name, length, rounded) in [
        ("nothing", 0, 0),
        ("a byte", 1, 4),
        ("a word", 4, 4),
        ("two bytes short", 26, 28),
        ("seven words", 28, 28),
        ("nearly all", 37, 40),
    ] {
        expect(padded(length) == rounded, name)?;
        let mut room = [9; 4];
        let rest = rounded.saturating_sub(length);
        let place = room.get_mut(..rest).ok_or(name)?;
        expect(pad(place) == rest, name)?;
        expect(place.iter().all(|byte| *byte == 1), name)?;
        expect(
            room.get(rest..)
                .is_some_and(|left| left.iter().all(|byte| *byte == 9)),
            name,
        )?;
    }
    Ok(())
}

/// A REMOVE_ADDR holds all ids that fit an option, and no more.
fn check_removals() -> Check {
    let ids = core::array::from_fn::<u8, 38, _>(|at| u8::try_from(at).unwrap_or(0));
    for (name, count, fits) in [
        ("no id", 0, false),
        ("one id", 1, true),
        ("all that fit", 37, true),
        ("one more", 38, false),
    ] {
        let some = RemoveAddr::new(ids.get(..count).ok_or(name)?);
        expect(some.is_some() == fits, name)?;
        let Some(option) = some else { continue };
        let mut room = [0; OPTION_SPACE];
        let length = option.emit(&mut room).ok_or(name)?;
        expect(length == count.saturating_add(3), name)?;
        let body = room.get(2..length).unwrap_or(&[]);
        expect(RemoveAddr::parse(body) == Ok(option), name)?;
    }
    Ok(())
}
