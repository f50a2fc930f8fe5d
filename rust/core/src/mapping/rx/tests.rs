// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::{RecordError, Recorded, RxMapping, RxMappings, RxRecord, RxTable, Span};
use crate::mapping::testing::Many;
use crate::seq::{Dsn, Ssn};

fn mapping(ssn: u32, dsn: u64, len: u16) -> RxMapping {
    RxMapping {
        ssn: Ssn::new(ssn),
        dsn: Dsn::new(dsn),
        len,
        checksum: None,
        data_fin: false,
    }
}

fn span(dsn: u64, len_left: u32) -> Option<Span> {
    Some(Span {
        dsn: Dsn::new(dsn),
        len_left,
        infinite: false,
    })
}

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::mapping::check_received(), Ok(()));
}

#[test]
fn only_data_that_is_still_to_be_delivered_is_verified() {
    let record = |dsn, len| RxRecord {
        checksum: Some(7),
        ..RxRecord::from_mapping(mapping(1, dsn, len))
    };
    let near_the_end = u64::MAX - 49;
    for (dsn, len, rcv_nxt, due) in [
        (1000, 100, 1000, true),
        (1000, 100, 1099, true),
        (1000, 100, 1100, false),
        (1000, 100, 5000, false),
        (1000, 100, 500, true),
        (near_the_end, 100, 49, true),
        (near_the_end, 100, 50, false),
        // An infinite mapping never ends.
        (1000, 0, 5000, true),
    ] {
        let found = record(dsn, len).checksum_due(Dsn::new(rcv_nxt));
        assert_eq!(found, due.then_some(7), "{dsn} {len} {rcv_nxt}");
        let unverified = RxRecord {
            checksum: None,
            ..record(dsn, len)
        };
        assert_eq!(unverified.checksum_due(Dsn::new(rcv_nxt)), None);
    }
}

#[test]
fn contiguous_mappings_become_one() {
    let mut table = RxMappings::<2>::new();
    assert_eq!(table.record(mapping(1, 101, 100)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(1, 101, 100)), Ok(Recorded::Known));
    for piece in 1..1000 {
        let (ssn, dsn) = (1 + piece * 100, 101 + u64::from(piece) * 100);
        assert_eq!(table.record(mapping(ssn, dsn, 100)), Ok(Recorded::Merged));
        assert_eq!(table.record(mapping(ssn, dsn, 100)), Ok(Recorded::Known));
    }
    assert_eq!(table.len(), 1);
    assert_eq!(table.lookup(Ssn::new(1)), span(101, 100_000));
    assert_eq!(table.lookup(Ssn::new(100_000)), span(100_100, 1));
    assert_eq!(table.lookup(Ssn::new(100_001)), None);
    assert_eq!(table.lookup(Ssn::new(0)), None);
}

#[test]
fn mappings_move_to_more_slots_and_mean_the_same() {
    let many = |count| Many(std::vec![RxRecord::FILLER; count]);
    let mut table = RxTable::with_slots(many(2), Ssn::new(1));
    for (ssn, dsn) in [(1, 100), (21, 300)] {
        assert_eq!(table.record(mapping(ssn, dsn, 10)), Ok(Recorded::New));
    }
    assert_eq!(table.record(mapping(41, 500, 10)), Err(RecordError::Full));
    table.consumed(Ssn::new(5));
    assert!(!table.move_to(many(1)));
    assert_eq!((table.capacity(), table.len()), (2, 2));
    assert!(table.move_to(many(3)));
    assert_eq!((table.capacity(), table.len()), (3, 2));
    assert_eq!(table.record(mapping(41, 500, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(61, 700, 10)), Err(RecordError::Full));
    for (ssn, expected) in [
        (5, span(104, 6)),
        (11, None),
        (21, span(300, 10)),
        (50, span(509, 1)),
    ] {
        assert_eq!(table.lookup(Ssn::new(ssn)), expected, "{ssn}");
    }
}
