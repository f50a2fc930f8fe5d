// SPDX-License-Identifier: GPL-2.0

use super::{plan, write, write_alone, write_dss, Room, Wanted};
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    AddAddr, Address, CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpFastclose,
    MpPrio, MpTcpRst, Received, RemoveAddr, ResetReason, SegmentKind, Version, WireSeq,
    OPTION_SPACE,
};
use proptest::prelude::*;

const TIMESTAMPS: usize = 12;

fn data(checksum: Option<u16>) -> Wanted {
    Wanted {
        dss: Some(Dss {
            data_ack: Some(WireSeq::Long(7)),
            map: Some(DssMap {
                dsn: WireSeq::Long(9),
                ssn: Ssn::new(1),
                len: 1420,
                checksum,
            }),
            data_fin: false,
        }),
        ..Wanted::default()
    }
}

fn add_addr(v6: bool) -> AddAddr {
    AddAddr {
        address_id: 1,
        address: match v6 {
            true => Address::V6([1; 16]),
            false => Address::V4([1; 4]),
        },
        port: Some(80),
        hmac: Some(5),
    }
}

#[test]
fn a_full_mapping_fits_beside_timestamps() {
    for checksum in [None, Some(1)] {
        let wanted = data(checksum);
        let plan = plan(&wanted, OPTION_SPACE - TIMESTAMPS);
        assert_eq!((plan.length, plan.missing, plan.waiting), (28, 0, false));
        assert_eq!(plan.carried, wanted);
    }
}

#[test]
fn a_mapping_that_does_not_fit_says_what_is_missing_and_goes_without_its_ack() {
    let wanted = data(None);
    // One selective acknowledgement block beside timestamps.
    let plan = plan(&wanted, OPTION_SPACE - TIMESTAMPS - 12);
    assert_eq!(plan.missing, 12);
    assert!(plan.waiting);
    assert_eq!(plan.carried.dss, None);
    assert_eq!(plan.length, 0);

    let tight = super::plan(&wanted, 20);
    assert_eq!((tight.missing, tight.length), (8, 20));
    let carried = tight.carried.dss.unwrap();
    assert_eq!((carried.data_ack, carried.map.is_some()), (None, true));
}

#[test]
fn version_zero_says_what_it_can() {
    let wanted = Wanted {
        tcp_rst: Some(MpTcpRst {
            transient: false,
            reason: ResetReason::UNSPECIFIED,
        }),
        add_addr: Some(add_addr(false)),
        mp_prio: Some(MpPrio { backup: true }),
        ..Wanted::default()
    };
    assert_eq!(wanted.in_version(Version::V1), wanted);
    let unfit = plan(&wanted, OPTION_SPACE);
    let mut room = [0; OPTION_SPACE];
    assert_eq!(unfit.emit_as(Version::V0, &mut room), None);

    let wanted = wanted.in_version(Version::V0);
    let plan = plan(&wanted, OPTION_SPACE);
    assert_eq!(plan.emit_as(Version::V0, &mut room), Some(16));
    let segment = SegmentKind::ACK;
    let received = Received::parse_as(Version::V0, &room[..16], segment);
    assert_eq!(received.add_addr, wanted.add_addr);
    assert_eq!(received.mp_prio, wanted.mp_prio);
    assert_eq!((received.tcp_rst, received.malformed), (None, 0));
}

#[test]
fn options_that_can_wait_do_so() {
    let wanted = Wanted {
        add_addr: Some(add_addr(true)),
        mp_prio: Some(MpPrio { backup: true }),
        ..data(None)
    };
    let plan = plan(&wanted, 28);
    assert!(plan.waiting);
    assert_eq!(plan.missing, 0);
    assert_eq!(plan.carried.dss, wanted.dss);
    assert_eq!((plan.carried.add_addr, plan.carried.mp_prio), (None, None));

    // ADD_ADDR for IPv6 with a port fits a pure ACK without timestamps (RFC 8684 section 3.4.1).
    let alone = Wanted {
        add_addr: Some(add_addr(true)),
        ..Wanted::default()
    };
    assert_eq!(super::plan(&alone, OPTION_SPACE).length, 32);
    assert!(super::plan(&alone, OPTION_SPACE - TIMESTAMPS).waiting);
    assert_eq!(super::plan(&alone, OPTION_SPACE - TIMESTAMPS).missing, 0);
}

#[test]
fn what_is_sent_alone_makes_tcp_give_way() {
    let wanted = |v6| Wanted {
        add_addr: Some(add_addr(v6)),
        ..Wanted::default()
    };
    let sack = 20;
    // The room, and what is written: length, selective acknowledgements, timestamps, waiting.
    for (v6, free, sack, timestamps, expected) in [
        (false, 28, 0, TIMESTAMPS, (20, false, false, false)),
        (false, 8, sack, TIMESTAMPS, (20, true, false, false)),
        (true, 40, 0, 0, (32, false, false, false)),
        (true, 28, 0, TIMESTAMPS, (32, false, true, false)),
        (true, 8, sack, TIMESTAMPS, (32, true, true, false)),
        (true, 28, 0, 0, (0, false, false, true)),
        (true, 8, sack, 0, (0, false, false, true)),
    ] {
        let room = Room {
            free,
            sack,
            timestamps,
        };
        let mut out = [0; OPTION_SPACE];
        let written = write_alone(&wanted(v6), &room, &mut out).unwrap();
        let found = (
            written.length,
            written.trimmed,
            written.without_timestamps,
            written.waiting,
        );
        assert_eq!(found, expected, "{room:?}");
    }
}

#[test]
fn a_mapping_may_take_the_room_of_selective_acknowledgements() {
    let wanted = data(None);
    let dss = wanted.dss.unwrap();
    let bare = Dss {
        data_ack: None,
        ..dss
    };
    // The room, and what is written: length, selective acknowledgements, waiting, and what is read again.
    for (free, droppable, expected, read) in [
        (28, None, (28, false, false), Some(dss)),
        (16, Some(12), (28, true, false), Some(dss)),
        (16, Some(11), (20, true, true), Some(bare)),
        (20, Some(0), (20, false, true), Some(bare)),
        (16, Some(0), (0, false, true), None),
    ] {
        let mut out = [0; OPTION_SPACE];
        let asked = || droppable.expect("there is room enough");
        let written = write_dss(&dss, free, asked, &mut out).unwrap();
        let found = (written.length, written.trimmed, written.waiting);
        assert_eq!(found, expected, "{free} {droppable:?}");
        let options = &out[..written.length];
        assert_eq!(Received::parse(options, SegmentKind::default()).dss, read);
        let mut again = [0; OPTION_SPACE];
        let long_way = write(&wanted, free, droppable.unwrap_or(0), &mut again);
        assert_eq!((long_way, again), (Some(written), out));
    }
}

#[test]
fn third_ack_fits_beside_timestamps_but_not_with_a_dss() {
    let wanted = Wanted {
        mp_capable: Some(MpCapable {
            version: 1,
            flags: CapableFlags::default(),
            content: CapableContent::Ack {
                sender: Key::new(1),
                receiver: Key::new(2),
            },
        }),
        ..data(None)
    };
    let plan = plan(&wanted, OPTION_SPACE - TIMESTAMPS);
    assert_eq!(plan.carried.mp_capable, wanted.mp_capable);
    assert_eq!((plan.carried.dss, plan.length), (None, 20));
    assert_eq!(plan.missing, 20);
}

#[test]
fn nothing_wanted_takes_no_space() {
    let plan = plan(&Wanted::default(), 0);
    assert_eq!((plan.length, plan.missing, plan.waiting), (0, 0, false));
    assert_eq!(plan.emit(&mut []), Some(0));
}

prop_compose! {
    fn wanted()(which in 0..64_u8, v6: bool, ids in proptest::collection::vec(any::<u8>(), 1..9))
        -> Wanted {
        let has = |bit: u8| which & 1 << bit != 0;
        Wanted {
            fastclose: has(0).then_some(MpFastclose { receiver: Key::new(3) }),
            tcp_rst: has(1).then_some(MpTcpRst {
                transient: true, reason: ResetReason::UNSPECIFIED,
            }),
            mp_fail: has(2).then_some(MpFail { dsn: Dsn::new(4) }),
            mp_prio: has(3).then_some(MpPrio { backup: false }),
            add_addr: has(4).then_some(add_addr(v6)),
            remove_addr: has(5).then(|| RemoveAddr::new(&ids).unwrap()),
            ..data(None)
        }
    }
}

proptest! {
    #[test]
    fn what_is_carried_is_what_arrives(wanted in wanted(), free in 0..=OPTION_SPACE / 4) {
        let free = free * 4;
        let plan = plan(&wanted, free);
        prop_assert!(plan.length <= free && plan.length % 4 == 0);
        let mut room = [0xaa; OPTION_SPACE];
        prop_assert_eq!(plan.emit(&mut room), Some(plan.length));
        prop_assert!(room[plan.length..].iter().all(|byte| *byte == 0xaa));

        let segment = SegmentKind::ACK;
        let received = Received::parse(&room[..plan.length], segment);
        prop_assert_eq!(received.malformed, 0);
        prop_assert_eq!(received.dss, plan.carried.dss);
        prop_assert_eq!(received.fastclose, plan.carried.fastclose);
        prop_assert_eq!(received.tcp_rst, plan.carried.tcp_rst);
        prop_assert_eq!(received.mp_fail, plan.carried.mp_fail);
        prop_assert_eq!(received.mp_prio, plan.carried.mp_prio);
        prop_assert_eq!(received.add_addr, plan.carried.add_addr);
        prop_assert_eq!(received.remove_addr, plan.carried.remove_addr);
    }

    #[test]
    fn the_missing_bytes_suffice(wanted in wanted(), free in 0..=OPTION_SPACE / 4) {
        let free = free * 4;
        let short = plan(&wanted, free);
        let enough = plan(&wanted, free + short.missing);
        prop_assert_eq!(enough.missing, 0);
        prop_assert_eq!(enough.carried.dss, wanted.dss);
        prop_assert_eq!(enough.carried.fastclose, wanted.fastclose);
        prop_assert_eq!(enough.carried.tcp_rst, wanted.tcp_rst);
    }
}
