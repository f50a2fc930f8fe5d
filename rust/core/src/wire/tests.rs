// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::crypto::{Key, Token};
use crate::seq::{Dsn, Ssn};
use crate::vectors::{captured, options, reading, version0};
use proptest::prelude::*;

const ACK: SegmentKind = SegmentKind::ACK;

#[test]
fn vectors_round_trip() {
    assert_eq!(options::check_round_trips(), Ok(()));
    assert_eq!(version0::check_round_trips(), Ok(()));
    assert_eq!(captured::check(), Ok(()));
    assert_eq!(reading::check(), Ok(()));
}

// rfc8684:3-1
#[test]
fn malformed_options_are_counted_and_ignored() {
    assert_eq!(options::check_malformed(), Ok(()));
    assert_eq!(version0::check_malformed(), Ok(()));
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
