// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::crypto::{Key, Token};
use crate::seq::{Dsn, Ssn};
use crate::vectors::{captured, options, version0};
use proptest::prelude::*;
use std::vec::Vec;

const ACK: SegmentKind = SegmentKind::ACK;

#[test]
fn vectors_round_trip() {
    assert_eq!(options::check_round_trips(), Ok(()));
    assert_eq!(version0::check_round_trips(), Ok(()));
    assert_eq!(captured::check(), Ok(()));
}

// rfc8684:3-1
#[test]
fn malformed_options_are_counted_and_ignored() {
    assert_eq!(options::check_malformed(), Ok(()));
    assert_eq!(version0::check_malformed(), Ok(()));
}

#[test]
fn walk_skips_padding_and_stops_at_the_end_of_the_list() {
    let bytes = [1, 1, 8, 4, 9, 9, 1, 30, 3, 0x50, 0, 30, 3, 0x51];
    let mut walk = walk(&bytes);
    let seen: Vec<_> = walk.by_ref().map(|o| (o.kind, o.body.len())).collect();
    assert_eq!(seen, [(8, 2), (30, 1)]);
    assert!(!walk.broken());
    assert_eq!(walk.next(), None);
}

#[test]
fn first_option_of_a_subtype_counts() {
    let bytes = [30, 4, 0x80, 1, 30, 4, 0x81, 2, 30, 3, 0x51];
    let received = Received::parse(&bytes, ACK);
    let reset = received.tcp_rst.map(|reset| reset.reason);
    assert_eq!(reset, Some(ResetReason::MPTCP_SPECIFIC));
    assert_eq!(received.malformed, 1);
    assert_eq!(received.mp_prio, Some(MpPrio { backup: true }));
    assert!(received.has_mptcp() && received.has_other_than_dss());
}

// rfc8684:3-1
#[test]
fn form_of_handshake_options_must_fit_the_segment() {
    let (syn, syn_ack) = (SegmentKind::SYN, SegmentKind::SYN_ACK);
    let segments = [syn, syn_ack, ACK];
    for (name, option, bytes) in options::MP_CAPABLE {
        let right = match option.content {
            CapableContent::Syn => syn,
            CapableContent::SynAck { .. } => syn_ack,
            CapableContent::Ack { .. } | CapableContent::AckData { .. } => ACK,
        };
        for segment in segments {
            let received = Received::parse(bytes, segment);
            assert_eq!(received.mp_capable.is_some(), segment == right, "{name}");
            assert_eq!(received.malformed, u8::from(segment != right), "{name}");
        }
    }
    for (name, option, bytes) in options::MP_JOIN {
        let right = match option {
            MpJoin::Syn { .. } => syn,
            MpJoin::SynAck { .. } => syn_ack,
            MpJoin::Ack { .. } => ACK,
        };
        for segment in segments {
            let received = Received::parse(bytes, segment);
            assert_eq!(received.mp_join.is_some(), segment == right, "{name}");
        }
    }
}

#[test]
fn version_zero_has_its_key_in_the_syn() {
    for (name, option, bytes) in version0::MP_CAPABLE {
        let has_both = matches!(option.content, CapableContent::Ack { .. });
        for (syn, ack) in [(true, false), (true, true), (false, true)] {
            let segment = SegmentKind { syn, ack };
            let received = Received::parse(bytes, segment);
            assert_eq!(received.mp_capable.is_some(), syn != has_both, "{name}");
        }
    }
}

#[test]
fn version_zero_cannot_deny_joins() {
    let bytes = [30, 12, 0x00, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
    let mut option = MpCapable::parse(&bytes[2..]).unwrap();
    assert!(!option.flags.deny_join && option.flags.hmac_sha256);
    option.flags.deny_join = true;
    let mut room = [0; OPTION_SPACE];
    assert_eq!(option.emit(&mut room), Some(12));
    assert_eq!(room[3], 0x01);
}

#[test]
fn versions_that_differ_do_not_read_each_other() {
    for (name, _, bytes) in version0::ADD_ADDR {
        // Version 1 sees no echo, and too few bytes for an HMAC.
        let other = Received::parse(bytes, ACK).add_addr;
        assert_eq!(other, None, "{name}");
    }
    for (name, _, bytes) in options::ADD_ADDR {
        let other = Received::parse_as(Version::V0, bytes, ACK).add_addr;
        assert_eq!(other, None, "{name}");
    }
    let (_, _, prio) = version0::MP_PRIO[2];
    assert_eq!(Received::parse(prio, ACK).mp_prio, None);
}

#[test]
fn timestamps_are_read_beside_a_dss() {
    let mut bytes = std::vec![1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4];
    let (_, dss, wire) = options::DSS[8];
    bytes.extend_from_slice(wire);
    let received = Received::parse(&bytes, ACK);
    assert_eq!(received.dss, Some(dss));
    let timestamp = Timestamp {
        value: 0x0102,
        echo: 0x0304,
    };
    assert_eq!(received.timestamp, Some(timestamp));
    assert!(received.has_mptcp() && !received.has_other_than_dss());

    let short = Received::parse(&[8, 6, 1, 2, 3, 4], ACK);
    assert_eq!((short.timestamp, short.malformed), (None, 0));
}

// rfc8684:3.3-3
#[test]
fn a_data_fin_is_the_last_number_of_its_mapping() {
    let near = Dsn::new(0x2122_2324_0000_0000);
    let with_fin = |len, data_fin| Dss {
        map: Some(DssMap {
            dsn: WireSeq::Short(0x10),
            ssn: Ssn::new(0),
            len,
            checksum: None,
        }),
        data_fin,
        data_ack: None,
    };
    for (len, fin, at, data) in [
        (1, true, Some(0x10), None),
        (11, true, Some(0x1a), Some(10)),
        (11, false, None, Some(11)),
        (0, false, None, Some(0)),
        (0, true, None, Some(0)),
    ] {
        let dss = with_fin(len, fin);
        let expected = at.map(|offset| near.plus(offset));
        assert_eq!(dss.data_fin_at(near), expected, "{len}");
        assert_eq!(dss.data_len(), data, "{len}");
    }
    let unmapped = Dss {
        data_fin: true,
        ..Dss::default()
    };
    assert_eq!(
        (unmapped.data_fin_at(near), unmapped.data_len()),
        (None, None)
    );
}

#[test]
fn remove_addr_holds_all_that_fits_an_option_and_no_more() {
    let ids: Vec<u8> = (0..38).collect();
    assert_eq!(RemoveAddr::new(&[]), None);
    assert_eq!(RemoveAddr::new(&ids), None);
    let full = RemoveAddr::new(&ids[..37]).unwrap();
    let mut room = [0; OPTION_SPACE];
    assert_eq!(full.emit(&mut room), Some(OPTION_SPACE));
    assert_eq!(RemoveAddr::parse(&room[2..]), Ok(full));
}

#[test]
fn padding_is_made_of_no_operations() {
    let mut room = [9; 3];
    assert_eq!(pad(&mut room), 3);
    assert_eq!(room, [1, 1, 1]);
    for (length, rounded) in [(0, 0), (1, 4), (4, 4), (26, 28), (28, 28), (37, 40)] {
        assert_eq!(padded(length), rounded);
    }
}

fn wire_seq() -> impl Strategy<Value = WireSeq> {
    prop_oneof![
        any::<u32>().prop_map(WireSeq::Short),
        any::<u64>().prop_map(WireSeq::Long),
    ]
}

prop_compose! {
    fn map()(dsn in wire_seq(), ssn: u32, len: u16, checksum: Option<u16>) -> DssMap {
        DssMap { dsn, ssn: Ssn::new(ssn), len, checksum }
    }
}

prop_compose! {
    fn dss()(ack in proptest::option::of(wire_seq()), map in proptest::option::of(map()), fin: bool)
        -> Dss {
        Dss { data_ack: ack, map, data_fin: fin }
    }
}

prop_compose! {
    fn add_addr()(id: u8, v4: [u8; 4], v6: Option<[u8; 16]>, port: Option<u16>, hmac: Option<u64>)
        -> AddAddr {
        let address = v6.map_or(Address::V4(v4), Address::V6);
        AddAddr { address_id: id, address, port, hmac }
    }
}

prop_compose! {
    fn capable()(version in 0..16_u8, flags: u8, one: u64, two: u64, len: u16, sum: Option<u16>,
                 form in 0..4) -> MpCapable {
        let (sender, receiver) = (Key::new(one), Key::new(two));
        let mut flags = CapableFlags::from_byte(flags);
        flags.deny_join &= version != 0;
        let content = match form {
            0 | 3 if version == 0 => CapableContent::Ack { sender, receiver },
            0 => CapableContent::Syn,
            1 => CapableContent::SynAck { sender },
            2 => CapableContent::Ack { sender, receiver },
            _ => CapableContent::AckData { sender, receiver, data_len: len, checksum: sum },
        };
        MpCapable { version, flags, content }
    }
}

prop_compose! {
    fn join()(backup: bool, id: u8, token: u32, nonce: u32, hmac: u64, long: [u8; 20],
              form in 0..3) -> MpJoin {
        match form {
            0 => MpJoin::Syn { backup, address_id: id, token: Token::new(token), nonce },
            1 => MpJoin::SynAck { backup, address_id: id, hmac, nonce },
            _ => MpJoin::Ack { hmac: long },
        }
    }
}

macro_rules! assert_round_trip {
    ($option:expr, $type:ty) => {
        let mut room = [0; OPTION_SPACE];
        let length = $option.emit(&mut room).unwrap();
        prop_assert_eq!(length, usize::from($option.length()));
        prop_assert_eq!(usize::from(room[1]), length);
        prop_assert_eq!(<$type>::parse(&room[2..length]), Ok($option));
    };
}

proptest! {
    // rfc8684:3.3.2-5
    // rfc8684:3.3.1-6
    #[test]
    fn every_dss_round_trips(dss in dss()) {
        assert_round_trip!(dss, Dss);
    }

    #[test]
    fn every_add_addr_round_trips(option in add_addr()) {
        assert_round_trip!(option, AddAddr);
    }

    #[test]
    fn every_add_addr_of_version_zero_round_trips(option in add_addr()) {
        let mut room = [0; OPTION_SPACE];
        let written = option.emit_as(Version::V0, &mut room);
        prop_assert_eq!(written.is_some(), option.hmac.is_none());
        if let Some(length) = written {
            prop_assert_eq!(AddAddr::parse_as(Version::V0, &room[2..length]), Ok(option));
        }
    }

    #[test]
    fn every_mp_capable_round_trips(option in capable()) {
        assert_round_trip!(option, MpCapable);
    }

    #[test]
    fn every_mp_join_round_trips(option in join()) {
        assert_round_trip!(option, MpJoin);
    }

    #[test]
    fn small_options_round_trip(dsn: u64, transient: bool, reason: u8) {
        assert_round_trip!(MpFail { dsn: Dsn::new(dsn) }, MpFail);
        assert_round_trip!(MpFastclose { receiver: Key::new(dsn) }, MpFastclose);
        assert_round_trip!(MpTcpRst { transient, reason: ResetReason(reason) }, MpTcpRst);
    }

    #[test]
    fn any_bytes_parse_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..=40),
                                    syn: bool, ack: bool, zero: bool) {
        let segment = SegmentKind { syn, ack };
        let version = if zero { Version::V0 } else { Version::V1 };
        let received = Received::parse_as(version, &bytes, segment);
        let options = walk(&bytes).filter(|option| option.kind == kind::MPTCP).count();
        let taken = [
            received.mp_capable.is_some(), received.mp_join.is_some(), received.dss.is_some(),
            received.add_addr.is_some(), received.remove_addr.is_some(),
            received.mp_prio.is_some(), received.mp_fail.is_some(),
            received.fastclose.is_some(), received.tcp_rst.is_some(),
        ];
        let taken = taken.into_iter().filter(|taken| *taken).count();
        // Each option is either taken or counted; a broken end counts once more.
        let counted = taken + usize::from(received.malformed);
        prop_assert!(counted == options || counted == options + 1);
    }

    /// The short way for data segments says the same as the long way.
    #[test]
    fn both_ways_of_parsing_agree(dss in dss(), stamped: bool, padding in 0..4_usize,
                                  noise in proptest::option::weighted(0.3, (0..40_usize, any::<u8>()))) {
        let mut bytes = match stamped {
            true => std::vec![1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
            false => std::vec![],
        };
        let mut room = [0; OPTION_SPACE];
        let length = dss.emit(&mut room).unwrap();
        bytes.extend_from_slice(&room[..length]);
        bytes.extend(std::iter::repeat_n(1, padding));
        match noise {
            Some((at, byte)) => if let Some(place) = bytes.get_mut(at) { *place = byte },
            None => {
                prop_assert_eq!(Received::parse(&bytes, ACK).dss, Some(dss));
                prop_assert_eq!(Received::parse(&bytes, ACK).timestamp.is_some(), stamped);
            }
        }
        prop_assert_eq!(Received::parse(&bytes, ACK), Received::parse_any(Version::V1, &bytes, ACK));
    }

    #[test]
    fn option_shaped_bytes_parse_without_harm(subtype in 0..16_u8,
                                              body in proptest::collection::vec(any::<u8>(), 1..37),
                                              syn: bool, ack: bool, zero: bool) {
        let mut bytes = std::vec![30, body.len() as u8 + 2];
        bytes.extend_from_slice(&body);
        bytes[2] = subtype << 4 | bytes[2] & 0xf;
        let segment = SegmentKind { syn, ack };
        let version = if zero { Version::V0 } else { Version::V1 };
        let received = Received::parse_as(version, &bytes, segment);
        prop_assert_ne!(received.has_mptcp(), received.malformed == 1);
    }
}
