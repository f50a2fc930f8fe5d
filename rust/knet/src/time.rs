// SPDX-License-Identifier: GPL-2.0

//! The clock of timers and measurements.

use crate::bindings;

/// Microseconds of the monotonic clock. Any context.
pub fn now_us() -> u64 {
    // SAFETY: The clock may be read in any context.
    unsafe { bindings::knet_helper_now_us() }
}
