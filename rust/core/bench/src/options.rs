// SPDX-License-Identifier: GPL-2.0

//! Reading and writing options.

use crate::Case;
use mptcp_core::crypto::{Key, Token};
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::plan::{plan, write, Wanted};
use mptcp_core::wire::{
    AddAddr, Address, CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpFastclose,
    MpJoin, MpPrio, MpTcpRst, Received, RemoveAddr, ResetReason, SegmentKind, WireSeq,
    OPTION_SPACE,
};
use std::hint::black_box;

/// Timestamps as every stack lays them out.
pub(crate) const TIMESTAMPS: [u8; 12] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

/// A segment in the middle of a connection.
pub(crate) const ESTABLISHED: SegmentKind = SegmentKind::ACK;

/// The usual DSS: both numbers in 64 bits.
pub(crate) fn dss(dsn: Dsn, ssn: Ssn, checksum: Option<u16>) -> Dss {
    Dss {
        data_ack: Some(WireSeq::long(Dsn::new(1 << 40))),
        map: Some(DssMap {
            dsn: WireSeq::long(dsn),
            ssn,
            len: 1448,
            checksum,
        }),
        data_fin: false,
    }
}

/// One option to read and to write, as part of a segment with timestamps.
fn pair(name: &str, segment: SegmentKind, wanted: Wanted) -> [Case; 2] {
    let mut header = TIMESTAMPS.to_vec();
    let chosen = plan(&wanted, OPTION_SPACE);
    assert_eq!(chosen.carried, wanted, "{name} fits a segment");
    let mut room = vec![0; chosen.length];
    chosen.emit(&mut room).expect("there is room");
    header.extend(room);
    header.truncate(OPTION_SPACE);
    let parse = move |steps| {
        for _ in 0..steps {
            black_box(Received::parse(black_box(&header), segment));
        }
    };
    let emit = move |steps| {
        let mut room = [0; OPTION_SPACE];
        for _ in 0..steps {
            black_box(write(
                black_box(&wanted),
                OPTION_SPACE,
                0,
                black_box(&mut room),
            ));
        }
    };
    [
        Case::new(format!("parse/{name}"), parse),
        Case::new(format!("emit/{name}"), emit),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    let none = Wanted::default();
    let capable = |content| {
        Some(MpCapable {
            version: 1,
            flags: CapableFlags::from_byte(1),
            content,
        })
    };
    let (sender, receiver) = (Key::new(1), Key::new(2));
    let syn = SegmentKind::SYN;
    let join = MpJoin::Syn {
        backup: false,
        address_id: 1,
        token: Token::new(3),
        nonce: 4,
    };
    let map = dss(Dsn::new(1 << 40), Ssn::new(1), None);
    let acknowledgement = Dss { map: None, ..map };
    let add_addr = AddAddr {
        address_id: 1,
        address: Address::V4([10, 0, 0, 1]),
        port: None,
        hmac: Some(5),
    };
    let tcp_rst = MpTcpRst {
        transient: false,
        reason: ResetReason(1),
    };
    [
        pair(
            "dss-map",
            ESTABLISHED,
            Wanted {
                dss: Some(map),
                ..none
            },
        ),
        pair(
            "dss-ack",
            ESTABLISHED,
            Wanted {
                dss: Some(acknowledgement),
                ..none
            },
        ),
        pair(
            "mp-capable-syn",
            syn,
            Wanted {
                mp_capable: capable(CapableContent::Syn),
                ..none
            },
        ),
        pair(
            "mp-capable-ack",
            ESTABLISHED,
            Wanted {
                mp_capable: capable(CapableContent::Ack { sender, receiver }),
                ..none
            },
        ),
        pair(
            "mp-join-syn",
            syn,
            Wanted {
                mp_join: Some(join),
                ..none
            },
        ),
        pair(
            "add-addr",
            ESTABLISHED,
            Wanted {
                add_addr: Some(add_addr),
                ..none
            },
        ),
        pair(
            "remove-addr",
            ESTABLISHED,
            Wanted {
                remove_addr: RemoveAddr::new(&[1, 2]),
                ..none
            },
        ),
        pair(
            "mp-prio",
            ESTABLISHED,
            Wanted {
                mp_prio: Some(MpPrio { backup: true }),
                ..none
            },
        ),
        pair(
            "mp-fail",
            ESTABLISHED,
            Wanted {
                mp_fail: Some(MpFail { dsn: Dsn::new(6) }),
                ..none
            },
        ),
        pair(
            "mp-fastclose",
            ESTABLISHED,
            Wanted {
                fastclose: Some(MpFastclose { receiver }),
                ..none
            },
        ),
        pair(
            "mp-tcprst",
            ESTABLISHED,
            Wanted {
                tcp_rst: Some(tcp_rst),
                ..none
            },
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
