// SPDX-License-Identifier: GPL-2.0

use super::Dsn;
use proptest::prelude::*;

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::seq::check(), Ok(()));
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
