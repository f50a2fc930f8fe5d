// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::{PushError, TxMappings, TxRecord, TxTable};
use crate::mapping::testing::Many;
use crate::seq::{Dsn, Ssn};

fn record(ssn: u32, dsn: u64, len: u16) -> TxRecord {
    TxRecord {
        ssn: Ssn::new(ssn),
        dsn: Dsn::new(dsn),
        len,
        checksum: None,
    }
}

#[test]
fn table_is_bounded_and_freed_by_acknowledgement() {
    let mut table = TxMappings::<2>::new();
    assert!(table.is_empty());
    assert_eq!(table.push(record(1, 100, 10)), Ok(()));
    assert_eq!(table.push(record(11, 500, 10)), Ok(()));
    assert!(table.is_full());
    assert_eq!(table.push(record(21, 600, 10)), Err(PushError::Full));

    // A mapping is needed until its last byte is acknowledged.
    table.acked(Ssn::new(10));
    assert_eq!(table.len(), 2);
    table.acked(Ssn::new(11));
    assert_eq!(table.oldest(), Some(&record(11, 500, 10)));
    assert_eq!(table.covering(Ssn::new(10)), None);
    assert_eq!(table.push(record(21, 600, 10)), Ok(()));
    table.acked(Ssn::new(31));
    assert!(table.is_empty() && table.newest().is_none());
}

// rfc8684:3.3.1-18
#[test]
fn mappings_come_in_order_and_cover_something() {
    let mut table = TxMappings::<4>::new();
    assert_eq!(table.push(record(1, 1, 0)), Err(PushError::OutOfOrder));
    assert_eq!(table.push(record(1, 1, 5)), Ok(()));
    assert_eq!(table.push(record(5, 9, 5)), Err(PushError::OutOfOrder));
    assert_eq!(table.push(record(8, 9, 5)), Ok(()));
    assert_eq!(table.covering(Ssn::new(6)), None);
    assert_eq!(table.covering(Ssn::new(7)), None);
    assert_eq!(table.covering(Ssn::new(8)), Some(&record(8, 9, 5)));
    assert_eq!(table.covering(Ssn::new(13)), None);
}

#[test]
fn newest_mapping_grows_up_to_the_width_of_its_length() {
    let mut table = TxMappings::<4>::new();
    assert!(!table.extend_newest(1));
    table.push(record(1, 1, 65000)).unwrap();
    assert!(table.extend_newest(535));
    assert!(!table.extend_newest(1));
    assert_eq!(table.newest(), Some(&record(1, 1, 65535)));

    let fixed = TxRecord {
        checksum: Some(7),
        ..record(65536, 65536, 10)
    };
    table.push(fixed).unwrap();
    assert!(!table.extend_newest(1));
}

#[test]
fn both_spaces_wrap() {
    let mut table = TxMappings::<3>::new();
    table.push(record(u32::MAX - 4, u64::MAX - 2, 10)).unwrap();
    table.push(record(5, 7, 10)).unwrap();
    let wrapped = table.covering(Ssn::new(4)).copied();
    assert_eq!(wrapped, Some(record(u32::MAX - 4, u64::MAX - 2, 10)));
    assert_eq!(table.covering(Ssn::new(5)), Some(&record(5, 7, 10)));
    table.acked(Ssn::new(5));
    assert_eq!(table.covering(Ssn::new(4)), None);
    assert_eq!(table.len(), 1);
}

#[test]
fn mappings_move_to_more_slots_in_their_order() {
    let many = |count| Many(std::vec![TxRecord::FILLER; count]);
    let mut table = TxTable::with_slots(many(3));
    let numbered = |number: u32| record(number * 10, u64::from(number), 10);
    for number in 0..5_u32 {
        table.acked(Ssn::new(number.saturating_sub(2) * 10));
        assert_eq!(table.push(numbered(number)), Ok(()));
    }
    assert!(table.is_full());
    assert!(!table.move_to(many(2)));
    assert!(table.iter().eq(&[numbered(2), numbered(3), numbered(4)]));
    assert!(table.move_to(many(4)));
    assert_eq!(table.capacity(), 4);
    assert_eq!(table.push(numbered(5)), Ok(()));
    assert_eq!(table.push(numbered(6)), Err(PushError::Full));
    table.acked(Ssn::new(40));
    assert!(table.iter().eq(&[numbered(4), numbered(5)]));
    assert_eq!(table.covering(Ssn::new(59)), Some(&numbered(5)));
}

#[test]
fn what_a_subflow_carries_is_known_by_its_place_in_the_stream() {
    let mut table = TxMappings::<4>::new();
    let before_the_end = u64::MAX - 4;
    assert_eq!(table.push(record(1, before_the_end, 10)), Ok(()));
    assert_eq!(table.push(record(11, 100, 10)), Ok(()));
    let carried =
        |table: &TxMappings<4>, dsns: [u64; 8]| dsns.map(|dsn| table.carries(Dsn::new(dsn)));
    let ends = [
        before_the_end - 1,
        before_the_end,
        u64::MAX,
        0,
        4,
        5,
        100,
        110,
    ];
    let all = [false, true, true, true, true, false, true, false];
    assert_eq!(carried(&table, ends), all);
    // What is acknowledged in part is carried yet.
    table.acked(Ssn::new(10));
    assert_eq!(carried(&table, ends), all);
    table.acked(Ssn::new(11));
    assert_eq!(
        carried(&table, ends),
        [false, false, false, false, false, false, true, false]
    );
}
