// SPDX-License-Identifier: GPL-2.0

use super::{on_subflow_fin, position, streams_agree, Position, SubflowEnd};
use crate::connection::fallback::Circumstances;
use crate::mapping::{RxMapping, RxMappings, Span};
use crate::receive::ReceiveState;
use crate::seq::{Dsn, Ssn};
use crate::wire::ResetReason;

const FIRST: Dsn = Dsn::new(u64::MAX - 5);
const CONTIGUOUS: Circumstances = Circumstances {
    only_subflow: true,
    dss_seen: true,
    in_order: true,
    retransmitted: false,
    fell_back: false,
};

#[test]
fn mapped_data_belongs_where_the_mapping_says() {
    let span = Span {
        dsn: FIRST.plus(9),
        len_left: 40,
        infinite: false,
    };
    for circumstances in [CONTIGUOUS, Circumstances::default()] {
        let at = Position::At {
            dsn: span.dsn,
            len: 40,
        };
        assert_eq!(position(Some(span), FIRST, || circumstances), at);
    }
}

// rfc8684:3.3.1-3 rfc8684:3.7-8
#[test]
fn other_data_is_the_next_or_nothing() {
    let infinite = |dsn| {
        Some(Span {
            dsn,
            len_left: 40,
            infinite: true,
        })
    };
    let apart = Circumstances {
        retransmitted: true,
        ..CONTIGUOUS
    };
    let interfered = Position::Reset(ResetReason::MIDDLEBOX_INTERFERENCE);
    let wrong = Position::Reset(ResetReason::MPTCP_SPECIFIC);
    for (span, circumstances, expected) in [
        (None, CONTIGUOUS, Position::FallBack),
        (None, apart, interfered),
        (infinite(FIRST), CONTIGUOUS, Position::FallBack),
        (infinite(FIRST), apart, wrong),
        (infinite(FIRST.plus(1)), CONTIGUOUS, wrong),
        (infinite(FIRST.minus(1)), CONTIGUOUS, wrong),
    ] {
        assert_eq!(position(span, FIRST, || circumstances), expected);
    }
}

#[test]
fn streams_agree_while_every_byte_counts_once() {
    let agree = |receive: &ReceiveState, next| {
        streams_agree(receive, &RxMappings::<4>::new(), FIRST, Ssn::new(next))
    };
    let mut receive = ReceiveState::new(FIRST);
    assert!(agree(&receive, 1));
    receive.advance(10);
    assert!(agree(&receive, 11));
    // Thrown away, or received again.
    assert!(!agree(&receive, 12));
    // Received on another subflow.
    assert!(!agree(&receive, 10));
    let end = FIRST.plus(10);
    assert_eq!(receive.on_data_fin(end, end), Ok(true));
    assert!(agree(&receive, 11));
    // The subflow's numbers wrap after 4 GB.
    let mut long = ReceiveState::new(FIRST);
    long.advance(u32::MAX);
    long.advance(11);
    assert!(agree(&long, 11));
}

#[test]
fn streams_do_not_agree_with_what_is_about_to_come_again() {
    let mut receive = ReceiveState::new(FIRST);
    receive.advance(10);
    let mut table = RxMappings::<4>::starting_at(Ssn::new(11));
    let mapping = |ssn, dsn| RxMapping {
        ssn: Ssn::new(ssn),
        dsn,
        len: 5,
        checksum: Some(1),
        data_fin: false,
    };
    assert!(table.record(mapping(11, FIRST.plus(10))).is_ok());
    assert!(streams_agree(&receive, &table, FIRST, Ssn::new(11)));
    assert!(table.record(mapping(16, FIRST.plus(10))).is_ok());
    assert!(!streams_agree(&receive, &table, FIRST, Ssn::new(11)));
}

#[test]
fn a_fin_without_data_fin_ends_what_is_whole() {
    let mut receive = ReceiveState::new(FIRST);
    let apart = Circumstances {
        in_order: false,
        ..CONTIGUOUS
    };
    let fallen = Circumstances {
        fell_back: true,
        ..CONTIGUOUS
    };
    let end = |receive: &ReceiveState, circumstances| {
        [false, true].map(|speaks| on_subflow_fin(receive, speaks, circumstances))
    };
    assert_eq!(end(&receive, &CONTIGUOUS), [SubflowEnd::FallBack; 2]);
    assert_eq!(end(&receive, &apart), [SubflowEnd::Broken; 2]);
    assert_eq!(end(&receive, &fallen), [SubflowEnd::Expected; 2]);
    assert_eq!(
        receive.on_data_fin(FIRST.plus(3), FIRST.plus(100)),
        Ok(false)
    );
    assert_eq!(end(&receive, &CONTIGUOUS), [SubflowEnd::Broken; 2]);
    assert!(receive.advance(3));
    // The DATA_FIN is here; the peer has to acknowledge ours before it closes, unless its FIN came with it.
    let settled = SubflowEnd::Expected;
    assert_eq!(end(&receive, &CONTIGUOUS), [SubflowEnd::FallBack, settled]);
    assert_eq!(end(&receive, &apart), [SubflowEnd::Broken, settled]);
}
