// SPDX-License-Identifier: GPL-2.0

//! Arithmetic of fractions.

use super::super::fixed::Fixed;
use proptest::prelude::*;

#[test]
fn known_fractions() {
    for (a, b, steps) in [
        (0, 7, 0),
        (1, 1, 1 << 32),
        (1, 2, 1 << 31),
        (1, 3, 0x5555_5555),
        (7, 2, 7 << 31),
        (u64::MAX, u64::MAX, 1 << 32),
        (1, u64::MAX, 0),
        (1 << 32, 1, u64::MAX),
        (5, 0, u64::MAX),
        (0, 0, u64::MAX),
    ] {
        assert_eq!(Fixed::ratio(a, b).steps(), steps, "{a}/{b}");
    }
}

#[test]
fn what_is_too_large_is_the_largest() {
    let large = Fixed::whole(u32::MAX);
    assert_eq!(large.times(large).steps(), u64::MAX);
    assert_eq!(large.plus(large).steps(), u64::MAX);
    assert_eq!(large.per(Fixed::ratio(1, 2)).steps(), u64::MAX);
    assert_eq!(large.per(Fixed::ZERO).steps(), u64::MAX);
    assert_eq!(large.times(large).rounded(), u32::MAX);
}

#[test]
fn rounding() {
    let (low, high) = (Fixed::ratio(149, 100), Fixed::ratio(3, 2));
    assert_eq!((low.rounded(), high.rounded()), (1, 2));
    assert_eq!((low.rounded_down(), high.rounded_down()), (1, 1));
}

proptest! {
    /// Exact where all bits fit, else to 31 bits.
    #[test]
    fn ratios_are_right(a: u64, b in 1u64.., small_a: u32, small_b in 1u32..) {
        let exact = |a: u64, b: u64| (u128::from(a) << 32) / u128::from(b);
        let small = Fixed::ratio(small_a.into(), small_b.into()).steps();
        prop_assert_eq!(u128::from(small), exact(small_a.into(), small_b.into()));

        let expected = exact(a, b).min(u64::MAX.into());
        let error = u128::from(Fixed::ratio(a, b).steps()).abs_diff(expected);
        prop_assert!(error <= 2 + (expected >> 31).min(1 << 32), "{error} of {expected}");
    }

    #[test]
    fn products_are_right(a: u64, b: u64) {
        let of = |steps: u64| Fixed::ratio(steps >> 32, 1).plus(Fixed::ratio(steps & 0xffff_ffff, 1 << 32));
        prop_assert_eq!(of(a).steps(), a);
        let expected = ((u128::from(a) * u128::from(b)) >> 32).min(u64::MAX.into());
        prop_assert_eq!(u128::from(of(a).times(of(b)).steps()), expected);
    }
}
