// SPDX-License-Identifier: GPL-2.0

//! Multipath TCP (RFC 8684) as a loadable kernel module.
//!
//! Crate `mptcp_core` decides, crate `knet` reaches into the kernel, this crate joins them. It has no
//! `unsafe` code.

mod blackhole;
mod congestion;
mod connection;
mod counters;
mod crypto;
mod keys;
mod netns;
mod path_manager;
mod proc;
mod protocol;
mod scheduler;
mod socket;
mod steering;
mod subflow;
mod sysctl;
mod timer;

use kernel::{
    prelude::*,
    sync::rcu, //
};
use knet::cpu::Watch;
use knet::netns::Registration;
use protocol::Mptcp;
use steering::Processors;

/// Protocol numbers that a socket may ask for, apart from those of IP: up to MPTCP's own.
const PROTOCOLS: core::ops::RangeInclusive<i32> = 256..=262;

/// The loaded module: all registrations. Fields are dropped in this order.
struct MptcpRs {
    /// New sockets are ours as long as this lives.
    _sockets: knet::transport::Registration<Mptcp>,
    /// Sockets may choose these as long as this lives; each that did holds the module.
    _algorithms: congestion::Algorithms,
    /// Programs configure endpoints.
    _netlink: knet::genetlink::Registration,
    /// The host tells of its addresses.
    _notifier: knet::notifier::Registration<path_manager::notifier::Host>,
    /// Tells us of processors that come and go.
    _processors: Watch<Processors>,
    /// Last of what others can reach us by: data that all of the above use.
    _namespaces: Registration<netns::Namespace>,
    /// Subflows carry our hooks as long as they live; each holds the module.
    _subflows: knet::UlpRegistration<Mptcp>,
    /// Pages that nobody will write to any more.
    _spares: knet::spares::Kept,
    /// Last of all: callbacks that wait for a grace period are part of the module's code.
    _callbacks: PendingCallbacks,
}

impl kernel::Module for MptcpRs {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let protocol = knet::param::protocol();
        if !PROTOCOLS.contains(&protocol) {
            pr_err!(
                "protocol={protocol} cannot be asked for by a socket: choose a number from {} to {}\n",
                PROTOCOLS.start(),
                PROTOCOLS.end()
            );
            return Err(EINVAL);
        }
        let number = u16::try_from(protocol).map_err(|_| EINVAL)?;
        if let Err(difference) = knet::layout::check() {
            pr_err!(
                "built for another kernel: {} is at {} here, not at {}\n",
                difference.name,
                difference.actual,
                difference.bound
            );
            return Err(EINVAL);
        }
        knet::hooks::prepare::<Mptcp>()?;
        let subflows = knet::UlpRegistration::new(module)?;
        let namespaces = Registration::new()?;
        let notifier = knet::notifier::Registration::new()?;
        let netlink = path_manager::netlink::FAMILY.register(module)?;
        let algorithms = congestion::Algorithms::register(module)?;
        let processors = Watch::new()?;
        Ok(Self {
            _sockets: knet::transport::Registration::new(module, number)?,
            _algorithms: algorithms,
            _netlink: netlink,
            _notifier: notifier,
            _processors: processors,
            _namespaces: namespaces,
            _subflows: subflows,
            _spares: knet::spares::Kept,
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
}
