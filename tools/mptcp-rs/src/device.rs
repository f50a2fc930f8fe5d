// SPDX-License-Identifier: GPL-2.0

//! Network devices of this network namespace, by name and by index.

use anyhow::{
    Context,
    Result, //
};
use rustix::{
    fd::OwnedFd,
    net::{
        netdevice,
        socket,
        AddressFamily,
        SocketType, //
    }, //
};

/// The index of a device.
pub(crate) fn index_of(name: &str) -> Result<u32> {
    netdevice::name_to_index(any_socket()?, name)
        .with_context(|| format!("there is no network device {name}"))
}

/// The name of a device, if it is still there.
pub(crate) fn name_of(index: u32) -> Option<String> {
    netdevice::index_to_name(any_socket().ok()?, index).ok()
}

/// The kernel answers for the namespace of the socket that asks.
fn any_socket() -> Result<OwnedFd> {
    socket(AddressFamily::INET, SocketType::DGRAM, None).context("no socket to ask for devices")
}
