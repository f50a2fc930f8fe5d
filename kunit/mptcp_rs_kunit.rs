// SPDX-License-Identifier: GPL-2.0

//! KUnit suites of Multipath TCP: the decisions of crate `mptcp_core` as the kernel's compiler makes
//! them, and the abstractions of crate `knet` on the real kernel.
//!
//! The suites run when the module is loaded into a kernel with `CONFIG_KUNIT=y`. A failed assertion ends
//! its test without running destructors, so a test holds no lock and no reference while it asserts.

mod answer;
mod congestion;
mod connection;
mod crypto;
mod data;
mod header;
mod mapping;
mod packet_queue;
mod paths;
mod reassembly;
mod scheduling;
mod send_queue;
mod seq;
mod spares;
mod steering;
mod wire;

use kernel::prelude::*;

/// The loaded module. KUnit finds the suites in it by itself.
struct Suites;

impl kernel::Module for Suites {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}

module! {
    type: Suites,
    name: "mptcp_rs_kunit",
    authors: ["mptcp_rs developers"],
    description: "KUnit suites of Multipath TCP (RFC 8684)",
    license: "GPL",
}
