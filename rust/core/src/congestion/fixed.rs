// SPDX-License-Identifier: GPL-2.0

//! Fractions without floating point.

/// A number from 0 to just below 2³² in steps of 2⁻³². What would be larger is the largest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Fixed(u64);

impl Fixed {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const ONE: Self = Self(1 << 32);

    #[inline]
    pub(super) const fn whole(value: u32) -> Self {
        Self((value as u64) << 32)
    }

    /// The number as a count of steps.
    #[inline]
    pub(super) const fn steps(self) -> u64 {
        self.0
    }

    /// The whole number in it.
    #[inline]
    pub(super) fn rounded_down(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }

    /// The next whole number.
    #[inline]
    pub(super) fn rounded(self) -> u32 {
        Self(self.0.saturating_add(1 << 31)).rounded_down()
    }

    /// `a / b`. To divide by nothing gives the largest.
    #[inline]
    pub(super) fn ratio(a: u64, b: u64) -> Self {
        let (Some(whole), Some(rest)) = (a.checked_div(b), a.checked_rem(b)) else {
            return Self(u64::MAX);
        };
        if whole > u64::from(u32::MAX) {
            return Self(u64::MAX);
        }
        // The rest is less than `b`. Where 32 bits more do not fit, both give up low bits.
        let spare = 32u32.saturating_sub(rest.leading_zeros());
        let rest = rest.wrapping_shr(spare) << 32;
        let fraction = rest.checked_div(b.wrapping_shr(spare)).unwrap_or(0);
        Self((whole << 32).saturating_add(fraction))
    }

    /// `self / other`.
    #[inline]
    pub(super) fn per(self, other: Self) -> Self {
        Self::ratio(self.0, other.0)
    }

    #[inline]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[inline]
    pub(super) const fn times(self, other: Self) -> Self {
        let product = (self.0 as u128).wrapping_mul(other.0 as u128) >> 32;
        if product > u64::MAX as u128 {
            Self(u64::MAX)
        } else {
            Self((product & u64::MAX as u128) as u64)
        }
    }
}
