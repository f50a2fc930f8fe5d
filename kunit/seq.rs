// SPDX-License-Identifier: GPL-2.0

//! Sequence numbers around the end of their spaces.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_seq)]
mod tests {
    use mptcp_core::seq::{Dsn, Ssn};

    #[test]
    fn data_sequence_numbers_wrap() {
        let end = Dsn::new(u64::MAX);
        assert_eq!(end.plus(1), Dsn::new(0));
        assert!(end.before(end.plus(1)));
        assert!(end.plus(1).after(end));
        assert_eq!(end.plus(10).distance(end), 10);
        assert_eq!(end.distance(end.plus(10)), -10);
        assert_eq!(end.plus(10).since(end), 10);
        assert_eq!(end.since(end.plus(10)), 0);
        assert!(Dsn::new(0).between(end, Dsn::new(1)));
        assert!(!Dsn::new(1).between(end, Dsn::new(1)));
    }

    #[test]
    fn subflow_sequence_numbers_wrap() {
        let end = Ssn::new(u32::MAX);
        assert_eq!(end.plus(1), Ssn::new(0));
        assert_eq!(Ssn::new(0).minus(1), end);
        assert!(end.before(end.plus(1)));
        assert_eq!(end.plus(7).since(end), 7);
        assert!(Ssn::new(0).between(end, Ssn::new(1)));
    }

    // rfc8684:3.3.1-8
    #[test]
    fn short_numbers_expand_around_the_reference() {
        let reference = Dsn::new(0x7_ffff_fff0);
        assert_eq!(Dsn::expand(0xffff_ffff, reference), Dsn::new(0x7_ffff_ffff));
        assert_eq!(Dsn::expand(0x10, reference), Dsn::new(0x8_0000_0010));
        assert_eq!(Dsn::expand(0x10, Dsn::new(u64::MAX)), Dsn::new(0x10));
        assert_eq!(Dsn::expand(0xffff_ffff, Dsn::new(0)), Dsn::new(u64::MAX));
    }
}
