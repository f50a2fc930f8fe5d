// SPDX-License-Identifier: GPL-2.0

//! Sequence numbers, which wrap.
//!
//! Two numbers are compared by the sign of their difference (RFC 9293 section 3.4), so an order
//! exists only between numbers less than half the number space apart. That is why neither type
//! implements `Ord`.

use crate::num::low32;

/// A data sequence number: the 64-bit position of a byte in the connection's stream
/// (RFC 8684 section 3.3.1). In host byte order.
// rfc8684:3.3.1-5
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Dsn(u64);

/// A subflow sequence number: the 32-bit position of a byte in one subflow's TCP stream, in host
/// byte order. In a DSS option it is relative to the initial sequence number of its direction
/// (RFC 8684 section 3.3.1), so the first byte of data has number 1; TCP's own absolute numbers
/// compare by the same rules and use this type too.
// rfc8684:3.3.1-1
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Ssn(u32);

impl Dsn {
    /// The number with this raw value.
    #[inline]
    pub const fn new(raw: u64) -> Self {
        Self(raw)
    }

    /// The raw 64-bit value.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The least significant 32 bits, as the short forms of the DSS option carry them.
    #[inline]
    pub const fn low32(self) -> u32 {
        low32(self.0)
    }

    /// The number `count` bytes later, wrapping.
    #[inline]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The number `count` bytes earlier, wrapping.
    #[inline]
    pub const fn minus(self, count: u64) -> Self {
        Self(self.0.wrapping_sub(count))
    }

    /// How many bytes `self` lies after `origin`; negative if it lies before.
    #[inline]
    pub const fn distance(self, origin: Self) -> i64 {
        self.0.wrapping_sub(origin.0) as i64
    }

    /// How many bytes `self` lies after `origin`, where it is known not to lie before; zero if it
    /// does lie before.
    #[inline]
    pub const fn since(self, origin: Self) -> u64 {
        if self.before(origin) {
            0
        } else {
            self.0.wrapping_sub(origin.0)
        }
    }

    /// Whether `self` comes strictly before `other`.
    #[inline]
    pub const fn before(self, other: Self) -> bool {
        self.distance(other) < 0
    }

    /// Whether `self` comes strictly after `other`.
    #[inline]
    pub const fn after(self, other: Self) -> bool {
        other.distance(self) < 0
    }

    /// Whether `low <= self < high`.
    #[inline]
    pub const fn between(self, low: Self, high: Self) -> bool {
        self.0.wrapping_sub(low.0) < high.0.wrapping_sub(low.0)
    }

    /// The later of two numbers.
    #[inline]
    pub const fn latest(self, other: Self) -> Self {
        if self.before(other) {
            other
        } else {
            self
        }
    }

    /// The earlier of two numbers.
    #[inline]
    pub const fn earliest(self, other: Self) -> Self {
        if self.before(other) {
            self
        } else {
            other
        }
    }

    /// The 64-bit number whose low half is `low` and that lies nearest to `reference`.
    ///
    /// RFC 8684 section 3.3.1: the upper half of a 32-bit number is what makes it fit the current
    /// window, with the wrap of the lower half taken into account.
    // rfc8684:3.3.1-8 rfc8684:3.3.1-9
    #[inline]
    pub const fn expand(low: u32, reference: Self) -> Self {
        let forward = low.wrapping_sub(reference.low32()) as i32;
        Self(reference.0.wrapping_add_signed(forward as i64))
    }
}

impl Ssn {
    /// The number with this raw value.
    #[inline]
    pub const fn new(raw: u32) -> Self {
        Self(raw)
    }

    /// The raw 32-bit value.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The number `count` bytes later, wrapping.
    #[inline]
    pub const fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The number `count` bytes earlier, wrapping.
    #[inline]
    pub const fn minus(self, count: u32) -> Self {
        Self(self.0.wrapping_sub(count))
    }

    /// How many bytes `self` lies after `origin`; negative if it lies before.
    #[inline]
    pub const fn distance(self, origin: Self) -> i32 {
        self.0.wrapping_sub(origin.0) as i32
    }

    /// How many bytes `self` lies after `origin`, where it is known not to lie before; zero if it
    /// does lie before.
    #[inline]
    pub const fn since(self, origin: Self) -> u32 {
        if self.before(origin) {
            0
        } else {
            self.0.wrapping_sub(origin.0)
        }
    }

    /// Whether `self` comes strictly before `other`.
    #[inline]
    pub const fn before(self, other: Self) -> bool {
        self.distance(other) < 0
    }

    /// Whether `self` comes strictly after `other`.
    #[inline]
    pub const fn after(self, other: Self) -> bool {
        other.distance(self) < 0
    }

    /// Whether `low <= self < high`.
    #[inline]
    pub const fn between(self, low: Self, high: Self) -> bool {
        self.0.wrapping_sub(low.0) < high.0.wrapping_sub(low.0)
    }

    /// The later of two numbers.
    #[inline]
    pub const fn latest(self, other: Self) -> Self {
        if self.before(other) {
            other
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests;
