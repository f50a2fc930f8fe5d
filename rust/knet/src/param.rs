// SPDX-License-Identifier: GPL-2.0

//! Parameters that the module was loaded with, readable below `/sys/module`.

use crate::bindings;

/// The protocol number that sockets ask for.
pub fn protocol() -> i32 {
    // SAFETY: Written before the module's first code runs, and never again.
    unsafe { (&raw const bindings::knet_protocol).read() }
}
