// SPDX-License-Identifier: GPL-2.0

use super::{PushError, TxMappings, TxRecord};
use crate::seq::{Dsn, Ssn};
use proptest::prelude::*;
use std::vec::Vec;

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

#[derive(Clone, Debug)]
enum Step {
    Push { gap: u8, len: u16 },
    Extend(u16),
    Ack(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<bool>(), 0..20_u16)
            .prop_map(|(gap, len)| Step::Push { gap: u8::from(gap) * 3, len }),
        1 => (0..20_u16).prop_map(Step::Extend),
        2 => (0..60_u32).prop_map(Step::Ack),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    /// The table says the same as a plain list.
    #[test]
    fn table_is_a_list(start: u32, steps in steps()) {
        let mut table = TxMappings::<5>::new();
        let mut list: Vec<TxRecord> = Vec::new();
        let mut next = Ssn::new(start);
        let mut una = next;
        let mut dsn = 0;
        for step in steps {
            match step {
                Step::Push { gap, len } => {
                    dsn += 1000;
                    let ssn = next.plus(gap.into());
                    let new = record(ssn.raw(), dsn, len);
                    let expected = match (len, list.len()) {
                        (0, _) => Err(PushError::OutOfOrder),
                        (_, 5) => Err(PushError::Full),
                        _ => Ok(()),
                    };
                    prop_assert_eq!(table.push(new), expected);
                    if expected.is_ok() {
                        list.push(new);
                        next = new.end();
                    }
                }
                Step::Extend(more) => {
                    prop_assert_eq!(table.extend_newest(more), !list.is_empty());
                    if let Some(last) = list.last_mut() {
                        last.len += more;
                        next = last.end();
                    }
                }
                Step::Ack(ahead) => {
                    una = una.plus(ahead.min(next.since(una)));
                    table.acked(una);
                    list.retain(|old| old.end().after(una));
                }
            }
            prop_assert_eq!(table.len(), list.len());
            prop_assert_eq!(table.oldest(), list.first());
            prop_assert_eq!(table.newest(), list.last());
            for offset in 0..next.since(una) + 2 {
                let ssn = una.plus(offset);
                let expected = list.iter().find(|old| old.covers(ssn));
                prop_assert_eq!(table.covering(ssn), expected);
            }
        }
    }
}
