// SPDX-License-Identifier: GPL-2.0

use super::{on_subflow_fin, position, streams_agree, Position, SubflowEnd};
use crate::connection::fallback::Circumstances;
use crate::mapping::Span;
use crate::receive::ReceiveState;
use crate::seq::{Dsn, Ssn};

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
        assert_eq!(position(Some(span), FIRST, &circumstances), at);
    }
}

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
    for (span, circumstances, expected) in [
        (None, CONTIGUOUS, Position::FallBack),
        (None, apart, Position::Reset),
        (infinite(FIRST), CONTIGUOUS, Position::FallBack),
        (infinite(FIRST), apart, Position::Reset),
        (infinite(FIRST.plus(1)), CONTIGUOUS, Position::Reset),
        (infinite(FIRST.minus(1)), CONTIGUOUS, Position::Reset),
    ] {
        assert_eq!(position(span, FIRST, &circumstances), expected);
    }
}

#[test]
fn streams_agree_while_every_byte_counts_once() {
    let mut receive = ReceiveState::new(FIRST);
    assert!(streams_agree(&receive, FIRST, Ssn::new(1)));
    receive.advance(10);
    assert!(streams_agree(&receive, FIRST, Ssn::new(11)));
    // Thrown away, or received again.
    assert!(!streams_agree(&receive, FIRST, Ssn::new(12)));
    // Received on another subflow.
    assert!(!streams_agree(&receive, FIRST, Ssn::new(10)));
    assert_eq!(
        receive.on_data_fin(FIRST.plus(10), FIRST.plus(100)),
        Ok(true)
    );
    assert!(streams_agree(&receive, FIRST, Ssn::new(11)));
    // The subflow's numbers wrap after 4 GB.
    let mut long = ReceiveState::new(FIRST);
    long.advance(u32::MAX);
    long.advance(11);
    assert!(streams_agree(&long, FIRST, Ssn::new(11)));
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
    assert_eq!(on_subflow_fin(&receive, &CONTIGUOUS), SubflowEnd::FallBack);
    assert_eq!(on_subflow_fin(&receive, &apart), SubflowEnd::Broken);
    assert_eq!(on_subflow_fin(&receive, &fallen), SubflowEnd::Expected);
    assert_eq!(
        receive.on_data_fin(FIRST.plus(3), FIRST.plus(100)),
        Ok(false)
    );
    assert_eq!(on_subflow_fin(&receive, &CONTIGUOUS), SubflowEnd::Broken);
    assert!(receive.advance(3));
    assert_eq!(on_subflow_fin(&receive, &apart), SubflowEnd::Expected);
}
