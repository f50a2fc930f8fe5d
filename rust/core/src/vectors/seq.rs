// SPDX-License-Identifier: GPL-2.0

//! What comes before what, and which full number a short one stands for.

use super::{expect, Check};
use crate::seq::{Dsn, Ssn};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_dsn()?;
    check_ssn()?;
    check_between()?;
    check_expansion()
}

/// A name; a number, another that is so much later, and that other.
type Later<T> = (&'static str, T, T, T);

const DSNS: [Later<u64>; 6] = [
    ("the same", 5, 0, 5),
    ("the next", 5, 1, 6),
    ("across the wrap", u64::MAX, 1, 0),
    ("far across the wrap", u64::MAX, 10, 9),
    (
        "half of the space less one",
        7,
        (1 << 63) - 1,
        (1 << 63) + 6,
    ),
    ("from the second half", 1 << 63, 1 << 62, 3 << 62),
];

// rfc8684:3.3.1-5
fn check_dsn() -> Check {
    for (name, raw, step, raw_later) in DSNS {
        let (number, later) = (Dsn::new(raw), Dsn::new(raw_later));
        expect(number.plus(step) == later, name)?;
        expect(later.minus(step) == number, name)?;
        let step_back = i64::try_from(step).ok().and_then(i64::checked_neg);
        expect(Some(number.distance(later)) == step_back, name)?;
        expect(Ok(later.distance(number)) == i64::try_from(step), name)?;
        let moved = step > 0;
        expect(number.before(later) == moved, name)?;
        expect(later.after(number) == moved, name)?;
        expect(!later.before(number) && !number.after(later), name)?;
        expect(later.since(number) == step, name)?;
        expect(number.latest(later) == later, name)?;
        expect(number.earliest(later) == number, name)?;
    }
    Ok(())
}

const SSNS: [Later<u32>; 5] = [
    ("the same", 5, 0, 5),
    ("across the wrap", u32::MAX, 1, 0),
    ("far across the wrap", u32::MAX, 7, 6),
    (
        "half of the space less one",
        7,
        (1 << 31) - 1,
        (1 << 31) + 6,
    ),
    ("to the end", 3, u32::MAX >> 1, (1 << 31) + 2),
];

fn check_ssn() -> Check {
    for (name, raw, step, raw_later) in SSNS {
        let (number, later) = (Ssn::new(raw), Ssn::new(raw_later));
        expect(number.plus(step) == later, name)?;
        expect(later.minus(step) == number, name)?;
        expect(later.since(number) == step, name)?;
        let moved = step > 0;
        // What is not later is so by nothing.
        expect(number.since(later) == 0, name)?;
        expect(number.before(later) == moved, name)?;
        expect(later.after(number) == moved, name)?;
        expect(!later.before(number), name)?;
        expect(number.latest(later) == later, name)?;
    }
    Ok(())
}

/// The numbers from two before the wrap to one behind it are between; the columns are a number and whether it is.
fn check_between() -> Check {
    let (low, high) = (Dsn::new(u64::MAX - 1), Dsn::new(2));
    for (name, raw, inside) in [
        ("before", u64::MAX - 2, false),
        ("the first", u64::MAX - 1, true),
        ("before the wrap", u64::MAX, true),
        ("behind the wrap", 0, true),
        ("the last", 1, true),
        ("behind", 2, false),
        ("far away", 1 << 63, false),
    ] {
        expect(Dsn::new(raw).between(low, high) == inside, name)?;
        expect(!Dsn::new(raw).between(low, low), name)?;
    }
    let (low, high) = (Ssn::new(u32::MAX), Ssn::new(1));
    for (name, raw, inside) in [
        ("Ssn before", u32::MAX - 1, false),
        ("Ssn before the wrap", u32::MAX, true),
        ("Ssn behind the wrap", 0, true),
        ("Ssn behind", 1, false),
    ] {
        expect(Ssn::new(raw).between(low, high) == inside, name)?;
    }
    Ok(())
}

/// Columns: the low half, a number nearby, the number.
// rfc8684:3.3.1-8
fn check_expansion() -> Check {
    for (name, low, reference, expanded) in [
        ("the same upper half", 5, 0x1_0000_0000, 0x1_0000_0005),
        (
            "the upper half before",
            0xffff_fff0,
            0x1_0000_0000,
            0xffff_fff0,
        ),
        ("the upper half behind", 0x10, 0xffff_fff0, 0x1_0000_0010),
        ("behind, not the first", 0x10, 0x7_ffff_fff0, 0x8_0000_0010),
        ("before the end", 0xffff_ffff, 0x7_ffff_fff0, 0x7_ffff_ffff),
        ("behind the last", 0x10, u64::MAX, 0x10),
        ("before the first", 0xffff_ffff, 0, u64::MAX),
        (
            "as far behind as can be",
            0x7fff_ffff,
            0x5_0000_0000,
            0x5_7fff_ffff,
        ),
        (
            "as far before as can be",
            0x8000_0001,
            0x5_0000_0000,
            0x4_8000_0001,
        ),
    ] {
        let number = Dsn::expand(low, Dsn::new(reference));
        expect(number == Dsn::new(expanded), name)?;
        expect(number.low32() == low, name)?;
    }
    Ok(())
}
