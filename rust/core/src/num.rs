// SPDX-License-Identifier: GPL-2.0

//! Number conversions that say in their names what they lose.

/// The least significant 32 bits.
#[inline]
pub(crate) const fn low32(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// The least significant 16 bits.
#[inline]
pub(crate) const fn low16(value: u32) -> u16 {
    (value & 0xffff) as u16
}

/// A 64-bit count of bytes as 32 bits; what does not fit becomes the largest value.
#[inline]
pub(crate) const fn saturate32(value: u64) -> u32 {
    if value > 0xffff_ffff {
        u32::MAX
    } else {
        low32(value)
    }
}
