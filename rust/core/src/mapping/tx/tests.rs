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
fn vectors_hold() {
    assert_eq!(crate::vectors::mapping::check_sent(), Ok(()));
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
