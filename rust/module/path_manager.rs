// SPDX-License-Identifier: GPL-2.0

//! Which addresses are announced, and which subflows opened and closed: what the administrator
//! configures, what the host tells about its addresses, and what becomes of it in each connection.
//! Crate `mptcp_core` decides.

pub(crate) mod action;
pub(crate) mod arrival;
pub(crate) mod endpoints;
pub(crate) mod event;
mod listener;
pub(crate) mod netlink;
pub(crate) mod notifier;
pub(crate) mod paths;
pub(crate) mod settings;

use knet::sock;
use knet::sock::Tuple;
use mptcp_core::path_manager::SocketAddress;
use mptcp_core::wire::Address;

/// An address as the core knows it; IPv4 addresses that an IPv6 socket sees are IPv4 addresses.
pub(crate) fn core_address(address: &sock::Address) -> Address {
    match address {
        sock::Address::V4(octets) => Address::V4(*octets),
        sock::Address::V6([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4 @ ..]) => Address::V4(*v4),
        sock::Address::V6(octets) => Address::V6(*octets),
    }
}

/// An address as the kernel knows it.
pub(crate) fn kernel_address(address: &Address) -> sock::Address {
    match address {
        Address::V4(octets) => sock::Address::V4(*octets),
        Address::V6(octets) => sock::Address::V6(*octets),
    }
}

/// Both ends of a subflow, ours first.
pub(crate) fn ends(tuple: &Tuple) -> (SocketAddress, SocketAddress) {
    let end = |address, port| SocketAddress {
        address: core_address(address),
        port,
    };
    (
        end(&tuple.local, tuple.local_port),
        end(&tuple.remote, tuple.remote_port),
    )
}
