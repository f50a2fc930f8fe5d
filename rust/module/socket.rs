// SPDX-License-Identifier: GPL-2.0

//! What applications do with meta-sockets. Process context.

pub(crate) mod close;
pub(crate) mod connect;
mod info;
mod leave;
pub(crate) mod listen;
pub(crate) mod options;
pub(crate) mod poll;
pub(crate) mod receive;
pub(crate) mod send;

use crate::congestion;
use crate::netns::Namespace;
use crate::protocol::{Meta, Mptcp, Owned, Shared};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use kernel::prelude::*;
use knet::meta::OwnerGuard;
use knet::netns::PerNet;
use knet::sock::Sock;
use knet::subflow::Subflow;

/// `socket(AF_INET or AF_INET6, SOCK_STREAM, IPPROTO_MPTCP)`.
pub(crate) fn open(sock: &Sock) -> Result<(Shared, Owned)> {
    let enabled = Namespace::of(sock.net()).is_some_and(|namespace| namespace.settings.enabled());
    if !enabled {
        return Err(ENOPROTOOPT);
    }
    Ok((Shared::default(), Owned::default()))
}

impl Shared {
    /// For a connection that a listener accepted: options are inherited, as TCP's are.
    pub(crate) fn inherit(listener: &Meta) -> Self {
        let from = listener.shared();
        Self {
            readable: AtomicU64::new(0),
            no_delay: AtomicBool::new(from.no_delay.load(Ordering::Relaxed)),
            corked: AtomicBool::new(from.corked.load(Ordering::Relaxed)),
            tells_readable: AtomicBool::new(from.tells_readable.load(Ordering::Relaxed)),
            steering: from.steering.inherit(),
            several: AtomicBool::new(false),
            scheduler: from.scheduler.inherit(),
        }
    }
}

/// The subflow of a socket that is not connected yet; it is made at the first need.
pub(crate) fn first_subflow<'o>(
    owner: &'o mut OwnerGuard<'_, Mptcp>,
    family: u16,
) -> Result<&'o Subflow<Mptcp>> {
    if owner.subflow.is_none() {
        let meta = owner.meta();
        let subflow = Subflow::open(meta, family)?;
        congestion::follow(meta, &mut subflow.lock());
        owner.subflow = Some(subflow);
    }
    owner.subflow.as_ref().ok_or(EINVAL)
}
