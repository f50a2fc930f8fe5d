// SPDX-License-Identifier: GPL-2.0

use super::{Dsn, Ssn};
use proptest::prelude::*;

// rfc8684:3.3.1-5
#[test]
fn order_survives_the_wrap_of_either_space() {
    let end = Dsn::new(u64::MAX);
    assert!(end.before(end.plus(1)));
    assert!(end.plus(1).after(end));
    assert_eq!(end.plus(1), Dsn::new(0));
    assert_eq!(end.plus(10).distance(end), 10);
    assert_eq!(end.distance(end.plus(10)), -10);
    assert_eq!(end.distance(end), 0);
    assert!(!end.before(end) && !end.after(end));

    let end = Ssn::new(u32::MAX);
    assert!(end.before(end.plus(1)));
    assert_eq!(end.plus(1), Ssn::new(0));
    assert_eq!(end.plus(7).since(end), 7);
    assert_eq!(end.since(end.plus(7)), 0);
    assert_eq!(Ssn::new(3).minus(5), Ssn::new(u32::MAX - 1));
}

#[test]
fn between_is_half_open_and_wraps() {
    let (low, high) = (Dsn::new(u64::MAX - 1), Dsn::new(2));
    for (raw, inside) in [
        (u64::MAX - 2, false),
        (u64::MAX - 1, true),
        (u64::MAX, true),
        (0, true),
        (1, true),
        (2, false),
    ] {
        assert_eq!(Dsn::new(raw).between(low, high), inside, "{raw}");
    }
    assert!(!low.between(low, low));
    assert!(Ssn::new(0).between(Ssn::new(u32::MAX), Ssn::new(1)));
    assert!(!Ssn::new(1).between(Ssn::new(u32::MAX), Ssn::new(1)));
}

// rfc8684:3.3.1-8
#[test]
fn short_numbers_expand_around_the_reference() {
    for (low, reference, expanded) in [
        (5, 0x1_0000_0000, 0x1_0000_0005),
        (0xffff_fff0, 0x1_0000_0000, 0xffff_fff0),
        (0x10, 0xffff_fff0, 0x1_0000_0010),
        (0x10, u64::MAX, 0x10),
        (0xffff_ffff, 0, u64::MAX),
        (0x7fff_ffff, 0x5_0000_0000, 0x5_7fff_ffff),
        (0x8000_0001, 0x5_0000_0000, 0x4_8000_0001),
    ] {
        assert_eq!(Dsn::expand(low, Dsn::new(reference)), Dsn::new(expanded));
    }
}

proptest! {
    // rfc8684:3.3.1-9
    #[test]
    fn expansion_undoes_truncation(raw: u64, near in -0x7fff_ffff_i64..=0x7fff_ffff) {
        let number = Dsn::new(raw);
        let reference = Dsn::new(raw.wrapping_add_signed(near));
        prop_assert_eq!(Dsn::expand(number.low32(), reference), number);
    }

    #[test]
    fn exactly_one_order_holds(raw: u64, step in 1..u64::MAX / 2) {
        let (number, later) = (Dsn::new(raw), Dsn::new(raw).plus(step));
        prop_assert!(number.before(later) && !later.before(number) && later.after(number));
        prop_assert_eq!(later.since(number), step);
        prop_assert_eq!(later.minus(step), number);
        prop_assert_eq!(number.latest(later), later);
        prop_assert_eq!(number.earliest(later), number);
    }
}
