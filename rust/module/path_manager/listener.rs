// SPDX-License-Identifier: GPL-2.0

//! Ports that endpoints announce.
//!
//! A subflow that joins is taken in whichever port it comes to, so the connection's peer needs no listener
//! there. This one keeps the port for the endpoint, shows it to the administrator, and resets whoever wants to
//! begin a connection there.

use crate::path_manager::event::{self, OfListener};
use crate::path_manager::{ends, kernel_address};
use crate::protocol::Mptcp;
use kernel::prelude::*;
use knet::address::SocketAddress;
use knet::netns::Net;
use knet::port::Port;
use mptcp_core::wire::Address;

/// A port of an address that the host listens on. Dropping closes it, in process context.
pub(super) struct Listener(Port);

impl Listener {
    /// Listens on a port. Process context.
    ///
    /// # Errors
    /// EADDRINUSE if somebody else has it, EADDRNOTAVAIL if the host does not have the address.
    pub(super) fn open(net: &Net, address: Address, port: u16) -> Result<Self> {
        let place = SocketAddress::new(&kernel_address(&address), port);
        let listener = Self(Port::listen::<Mptcp>(net, &place)?);
        event::of_listener(listener.0.sock(), OfListener::Created);
        Ok(listener)
    }

    /// Whether it listens there.
    pub(super) fn is_at(&self, address: Address, port: u16) -> bool {
        let (local, _) = ends(&self.0.sock().tuple());
        (local.address, local.port) == (address, port)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        event::of_listener(self.0.sock(), OfListener::Closed);
    }
}
