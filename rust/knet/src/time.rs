// SPDX-License-Identifier: GPL-2.0

//! The clock of timers and measurements.

use crate::bindings;

/// Microseconds of the monotonic clock. Any context.
pub fn now_us() -> u64 {
    // SAFETY: The clock may be read in any context.
    unsafe { bindings::knet_helper_now_us() }
}

/// The kernel's tick count, modulo 2^32: it costs one load, and grows every 1 to 10 milliseconds. Any
/// context.
#[inline]
pub fn ticks() -> u32 {
    // SAFETY: The tick count may be read in any context.
    let ticks = unsafe { (&raw const bindings::jiffies).read_volatile() };
    (ticks & 0xffff_ffff) as u32
}

/// A moment that is cheap to note down and as coarse as the kernel's tick.
#[derive(Clone, Copy, Debug)]
pub struct Moment(u32);

impl Moment {
    /// Now. Any context.
    pub fn now() -> Self {
        Self(ticks())
    }

    /// The moment of a count of [`ticks`].
    pub fn at(ticks: u32) -> Self {
        Self(ticks)
    }

    /// Milliseconds since then, if that was within the last weeks.
    pub fn elapsed_ms(self) -> u32 {
        let ticks = Self::now().0.wrapping_sub(self.0);
        // SAFETY: A pure function.
        unsafe { bindings::knet_helper_jiffies_to_msecs(ticks) }
    }
}
