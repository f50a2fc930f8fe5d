// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::{PushError, TxRecord, TxTable};
use crate::mapping::testing::Many;
use crate::seq::{Dsn, Ssn};

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::mapping::check_sent(), Ok(()));
}

#[test]
fn mappings_move_to_more_slots_in_their_order() {
    let many = |count| Many(std::vec![TxRecord::FILLER; count]);
    let mut table = TxTable::with_slots(many(3));
    let numbered = |number: u32| TxRecord {
        ssn: Ssn::new(number * 10),
        dsn: Dsn::new(number.into()),
        len: 10,
        checksum: None,
    };
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
