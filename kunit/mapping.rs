// SPDX-License-Identifier: GPL-2.0

//! The mapping tables around the end of both sequence spaces, at their bound, and under contradiction.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_mapping)]
mod tests {
    use mptcp_core::mapping::{
        DssChecksum, PushError, RecordError, Recorded, RxMapping, RxMappings, Span, TxMappings,
        TxRecord,
    };
    use mptcp_core::seq::{Dsn, Ssn};

    #[test]
    fn sent_mappings_wrap_and_are_freed_by_acknowledgement() {
        let mut table = TxMappings::<2>::new();
        let first = sent(u32::MAX - 4, u64::MAX - 2);
        let second = sent(5, 7);
        assert_eq!(table.push(first), Ok(()));
        assert_eq!(table.push(second), Ok(()));
        assert_eq!(table.push(sent(15, 17)), Err(PushError::Full));
        assert_eq!(table.covering(Ssn::new(4)), Some(&first));
        assert_eq!(table.covering(Ssn::new(5)), Some(&second));
        assert!(table.covering(Ssn::new(15)).is_none());
        table.acked(Ssn::new(4));
        assert_eq!(table.len(), 2);
        table.acked(Ssn::new(5));
        assert_eq!(table.oldest(), Some(&second));
        assert_eq!(table.push(first), Err(PushError::OutOfOrder));
        table.acked(Ssn::new(15));
        assert!(table.is_empty());
    }

    #[test]
    fn received_mappings_merge_out_of_order() {
        let mut table = RxMappings::<2>::starting_at(Ssn::new(u32::MAX - 4));
        let start = u64::MAX - 4;
        assert_eq!(table.record(got(u32::MAX - 4, start)), Ok(Recorded::New));
        assert_eq!(table.record(got(15, 15)), Ok(Recorded::New));
        assert_eq!(table.record(got(35, 35)), Err(RecordError::Full));
        assert_eq!(table.record(got(5, 5)), Ok(Recorded::Merged));
        assert_eq!(table.record(got(5, 5)), Ok(Recorded::Known));
        assert_eq!(table.len(), 1);
        assert_eq!(table.lookup(Ssn::new(u32::MAX)), span(u64::MAX, 26));
        table.consumed(Ssn::new(20));
        assert_eq!(table.lookup(Ssn::new(20)), span(20, 5));
        assert_eq!(table.record(got(5, 5)), Ok(Recorded::Old));
        table.consumed(Ssn::new(25));
        assert!(table.is_empty());
    }

    // rfc8684:3.3.1-10
    #[test]
    fn the_first_mapping_of_a_byte_stands() {
        let mut table = RxMappings::<4>::new();
        assert_eq!(table.record(got(1, 1)), Ok(Recorded::New));
        assert_eq!(table.record(got(5, 6)), Err(RecordError::Conflict));
        assert_eq!(table.record(got(1 << 31, 6)), Ok(Recorded::Old));
        assert_eq!(table.record(got(1 << 30, 6)), Err(RecordError::Outside));
        assert_eq!(table.lookup(Ssn::new(5)), span(5, 6));
        let sealed = RxMapping {
            checksum: Some(7),
            ..got(11, 11)
        };
        assert_eq!(table.record(sealed), Ok(Recorded::New));
        assert_eq!(table.record(sealed), Ok(Recorded::Known));
        assert_eq!(table.record(got(11, 11)), Err(RecordError::Conflict));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn the_checksum_does_not_depend_on_how_the_data_is_cut() {
        // RFC 1071 section 3: these bytes sum up to 0xddf2.
        let mut whole = DssChecksum::new();
        whole.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        let mut cut = DssChecksum::new();
        cut.add(&[0x00]);
        cut.add(&[0x01, 0xf2]);
        cut.add(&[0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(whole.finish(Dsn::new(0), Ssn::new(0), 0), !0xddf2);
        assert_eq!(cut, whole);
        assert!(whole.verify(Dsn::new(0), Ssn::new(0), 0, !0xddf2));
        assert!(!whole.verify(Dsn::new(1), Ssn::new(0), 0, !0xddf2));
    }

    fn sent(ssn: u32, dsn: u64) -> TxRecord {
        TxRecord {
            ssn: Ssn::new(ssn),
            dsn: Dsn::new(dsn),
            len: 10,
            checksum: None,
        }
    }

    fn got(ssn: u32, dsn: u64) -> RxMapping {
        RxMapping {
            ssn: Ssn::new(ssn),
            dsn: Dsn::new(dsn),
            len: 10,
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
}
