// SPDX-License-Identifier: GPL-2.0

use super::{plan, Wanted};
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    AddAddr, Address, Dss, DssMap, MpFail, MpFastclose, MpPrio, MpTcpRst, Received, RemoveAddr,
    ResetReason, SegmentKind, WireSeq, OPTION_SPACE,
};
use proptest::prelude::*;

fn data() -> Wanted {
    Wanted {
        dss: Some(Dss {
            data_ack: Some(WireSeq::Long(7)),
            map: Some(DssMap {
                dsn: WireSeq::Long(9),
                ssn: Ssn::new(1),
                len: 1420,
                checksum: None,
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
fn vectors_hold() {
    assert_eq!(crate::vectors::plan::check(), Ok(()));
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
            ..data()
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
