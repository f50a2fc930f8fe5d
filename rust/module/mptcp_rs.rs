// SPDX-License-Identifier: GPL-2.0

//! Multipath TCP (RFC 8684) as a loadable kernel module.

use kernel::prelude::*;

/// The loaded module: all registrations, undone in the order of the fields.
struct MptcpRs;

impl kernel::Module for MptcpRs {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("loaded\n");
        Ok(Self)
    }
}

module! {
    type: MptcpRs,
    name: "mptcp_rs",
    authors: ["mptcp_rs developers"],
    description: "Multipath TCP (RFC 8684)",
    license: "GPL",
}
