// SPDX-License-Identifier: GPL-2.0

//! Multipath TCP (RFC 8684) as a loadable kernel module.
//!
//! Crate `mptcp_core` decides, crate `knet` reaches into the kernel, this crate joins them. It has no
//! `unsafe` code.

mod counters;
mod crypto;
mod netns;
mod proc;
mod sysctl;

use kernel::{
    prelude::*,
    sync::rcu, //
};
use knet::netns::Registration;

/// Protocol numbers that a socket may ask for, apart from those of IP: up to MPTCP's own.
const PROTOCOLS: core::ops::RangeInclusive<i32> = 256..=262;

/// The loaded module: all registrations. Fields are dropped in this order.
struct MptcpRs {
    /// Last of what others can reach us by: data that all of the above use.
    _namespaces: Registration<netns::Namespace>,
    /// Last of all: callbacks that wait for a grace period are part of the module's code.
    _callbacks: PendingCallbacks,
}

impl kernel::Module for MptcpRs {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let protocol = *module_parameters::protocol.value_ref();
        if !PROTOCOLS.contains(&protocol) {
            pr_err!(
                "protocol={protocol} cannot be asked for by a socket: choose a number from {} to {}\n",
                PROTOCOLS.start(),
                PROTOCOLS.end()
            );
            return Err(EINVAL);
        }
        Ok(Self {
            _namespaces: Registration::new()?,
            _callbacks: PendingCallbacks,
        })
    }
}

/// Waits at the end of the module for callbacks that it has handed to RCU.
struct PendingCallbacks;

impl Drop for PendingCallbacks {
    fn drop(&mut self) {
        rcu::rcu_barrier();
    }
}

module! {
    type: MptcpRs,
    name: "mptcp_rs",
    authors: ["mptcp_rs developers"],
    description: "Multipath TCP (RFC 8684)",
    license: "GPL",
    params: {
        protocol: i32 {
            default: 262,
            description: "Protocol number of our sockets: 262 shadows the kernel's own, 256 to 261 leave it reachable",
        },
    },
}
