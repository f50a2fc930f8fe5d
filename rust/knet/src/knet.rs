// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions over the networking C API of the kernel.
//!
//! This crate is the only place of the project with `unsafe` code, and the only one that sees the
//! generated C declarations. It knows nothing of Multipath TCP.

pub mod crypto;
pub mod netns;
pub mod percpu;
pub mod procfs;
pub mod sysctl;

use knet_bindings as bindings;
