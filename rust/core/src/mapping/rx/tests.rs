// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::{RecordError, Recorded, RxMapping, RxMappings, RxRecord, RxTable, Span, REACH};
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

fn with_checksum(mapping: RxMapping, checksum: u16) -> RxMapping {
    RxMapping {
        checksum: Some(checksum),
        ..mapping
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
fn what_was_sent_again_does_not_continue_the_stream() {
    let mut table = RxMappings::<8>::starting_at(Ssn::new(u32::MAX - 9));
    let continues =
        |table: &RxMappings<8>| table.all_continue(Ssn::new(u32::MAX - 9), Dsn::new(u64::MAX - 19));
    let first = mapping(u32::MAX - 9, u64::MAX - 19, 50);
    assert!(continues(&table));
    assert!(table.record(with_checksum(first, 1)).is_ok());
    assert!(table.record(mapping(60, 50, 10)).is_ok());
    assert!(continues(&table));
    // The same data at another place of the subflow, the newest or in between.
    let again = mapping(45, u64::MAX - 19, 10);
    assert!(table.record(with_checksum(again, 1)).is_ok());
    assert!(!continues(&table));
    let from_there = (Ssn::new(45), Dsn::new(u64::MAX - 19));
    assert!(!table.all_continue(from_there.0, from_there.1));
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
fn a_gap_that_is_filled_joins_both_sides() {
    let mut table = RxMappings::<3>::starting_at(Ssn::new(1));
    assert_eq!(table.record(mapping(1, 1, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(21, 21, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(41, 41, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(61, 61, 10)), Err(RecordError::Full));
    assert_eq!(table.record(mapping(11, 11, 10)), Ok(Recorded::Merged));
    assert_eq!(table.len(), 2);
    assert_eq!(table.lookup(Ssn::new(5)), span(5, 26));
    assert_eq!(table.record(mapping(15, 15, 30)), Ok(Recorded::Merged));
    assert_eq!(table.len(), 1);
    assert_eq!(table.lookup(Ssn::new(1)), span(1, 50));
}

#[test]
fn the_last_entry_is_kept_for_the_next_byte() {
    let mut table = RxMappings::<3>::starting_at(Ssn::new(1));
    let piece = |ssn: u32| with_checksum(mapping(ssn, ssn.into(), 10), 7);
    // The first two were lost. Those behind them must not take their place.
    assert_eq!(table.record(piece(21)), Ok(Recorded::New));
    assert_eq!(table.record(piece(31)), Ok(Recorded::New));
    assert_eq!(table.record(piece(41)), Err(RecordError::Full));
    assert_eq!(table.record(piece(11)), Err(RecordError::Full));
    assert_eq!(table.record(piece(1)), Ok(Recorded::New));
    table.consumed(Ssn::new(11));
    assert_eq!(table.record(piece(41)), Err(RecordError::Full));
    assert_eq!(table.record(piece(11)), Ok(Recorded::New));
    table.consumed(Ssn::new(21));
    // It is there: the others can have all of the table.
    assert_eq!(table.record(piece(41)), Ok(Recorded::New));
    assert_eq!(table.record(piece(51)), Err(RecordError::Full));
}

#[test]
fn another_delta_is_another_entry_and_an_overlap_a_conflict() {
    let mut table = RxMappings::<4>::new();
    assert_eq!(table.record(mapping(1, 1, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(11, 500, 10)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(21, 21, 10)), Ok(Recorded::New));
    assert_eq!(table.len(), 3);
    assert_eq!(table.lookup(Ssn::new(10)), span(10, 1));
    assert_eq!(table.lookup(Ssn::new(11)), span(500, 10));
    assert_eq!(table.lookup(Ssn::new(21)), span(21, 10));
    for overlap in [
        mapping(5, 6, 1),
        mapping(11, 11, 1),
        mapping(20, 20, 2),
        mapping(5, 5, 20),
    ] {
        assert_eq!(table.record(overlap), Err(RecordError::Conflict));
    }
    assert_eq!(table.len(), 3);
    // The first mapping of each byte stands.
    assert_eq!(table.lookup(Ssn::new(11)), span(500, 10));
}

#[test]
fn a_mapping_with_checksum_stays_what_it_was() {
    let mut table = RxMappings::<4>::new();
    let first = with_checksum(mapping(1, 1, 10), 7);
    let second = with_checksum(mapping(11, 11, 10), 8);
    assert_eq!(table.record(second), Ok(Recorded::New));
    assert_eq!(table.record(first), Ok(Recorded::New));
    assert_eq!(table.len(), 2);
    assert_eq!(table.record(first), Ok(Recorded::Known));
    assert_eq!(table.record(second), Ok(Recorded::Known));
    let others = [
        with_checksum(mapping(1, 1, 10), 9),
        with_checksum(mapping(1, 1, 9), 7),
        mapping(1, 1, 10),
        mapping(5, 5, 10),
    ];
    for other in others {
        assert_eq!(table.record(other), Err(RecordError::Conflict));
    }
    // A DATA_FIN that is counted in later changes the checksum, not the mapping.
    let with_fin = RxMapping {
        data_fin: true,
        ..with_checksum(second, 5)
    };
    assert_eq!(table.record(with_fin), Ok(Recorded::Known));
    let entry = table.covering(Ssn::new(15)).unwrap();
    assert_eq!((entry.ssn, entry.len), (Ssn::new(11), 10));
    assert_eq!((entry.checksum, entry.data_fin), (Some(8), false));
}

#[test]
fn consumed_bytes_need_no_mapping() {
    let mut table = RxMappings::<4>::new();
    table.record(mapping(1, 1, 10)).unwrap();
    table.record(mapping(21, 21, 10)).unwrap();
    table.consumed(Ssn::new(5));
    assert_eq!(table.lookup(Ssn::new(5)), span(5, 6));
    table.consumed(Ssn::new(11));
    assert_eq!(table.len(), 1);
    assert_eq!(table.record(mapping(1, 1, 10)), Ok(Recorded::Old));
    assert_eq!(table.record(mapping(1, 9, 10)), Ok(Recorded::Old));
    assert_eq!(table.len(), 1);
    // Going back is impossible.
    table.consumed(Ssn::new(3));
    assert_eq!(table.record(mapping(1, 1, 10)), Ok(Recorded::Old));
    table.consumed(Ssn::new(31));
    assert!(table.is_empty());
}

#[test]
fn what_no_window_reaches_is_refused() {
    let mut table = RxMappings::<4>::new();
    let far = mapping(REACH, 1, 1);
    assert_eq!(table.record(far), Err(RecordError::Outside));
    assert_eq!(table.record(mapping(REACH - 1, 1, 1)), Ok(Recorded::New));
    // Half the number space away is neither before nor after.
    let opposite = mapping(0x8000_0000, 1, 1);
    assert_eq!(table.record(opposite), Ok(Recorded::Old));
}

#[test]
fn an_infinite_mapping_covers_all_that_follows() {
    let mut table = RxMappings::<4>::new();
    table.record(mapping(1, 101, 10)).unwrap();
    assert!(!table.is_infinite());
    assert_eq!(table.record(mapping(11, 111, 0)), Ok(Recorded::New));
    assert_eq!(table.record(mapping(31, 131, 0)), Ok(Recorded::Known));
    let other = mapping(31, 130, 0);
    assert_eq!(table.record(other), Err(RecordError::Conflict));
    assert!(table.is_infinite());
    assert_eq!(table.lookup(Ssn::new(10)), span(110, 1));
    let endless = |dsn| {
        Some(Span {
            dsn: Dsn::new(dsn),
            len_left: REACH,
            infinite: true,
        })
    };
    assert_eq!(table.lookup(Ssn::new(11)), endless(111));
    assert_eq!(table.lookup(Ssn::new(1_000_011)), endless(1_000_111));

    // Three times around the subflow's number space.
    let mut at = Ssn::new(11);
    let mut dsn = 111;
    for _ in 0..24 {
        at = at.plus(1 << 29);
        dsn += 1 << 29;
        table.consumed(at);
        assert_eq!(table.lookup(at), endless(dsn));
    }
    assert!(table.is_empty());
}

#[test]
fn an_entry_that_never_ends_stays_right_around_the_number_space() {
    let mut table = RxMappings::<2>::new();
    let mut end = 1_u64;
    for _ in 0..200_000 {
        let ssn = end as u32;
        table.record(mapping(ssn, 100 + end, 65535)).unwrap();
        let next = Ssn::new(ssn.wrapping_sub(5));
        end += 65535;
        if end > 65536 {
            assert_eq!(table.lookup(next), span(95 + end - 65535, 65540));
        }
        table.consumed(Ssn::new((end - 5) as u32));
        assert_eq!(table.len(), 1);
    }
    assert!(end > 3 << 32);
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
