// SPDX-License-Identifier: GPL-2.0

//! Multipath TCP over netlink, as a program in user space sees it.
//!
//! [`PathManager`] speaks the generic netlink family of the path manager: endpoints, limits, the commands of
//! a path manager in user space. [`Events`] listens to what happens to connections. The family is
//! `mptcp_pm` of the kernel's own Multipath TCP, or `mptcp_rs_pm` with the same commands and attributes.
//! [`tcp_sockets`] tells what TCP measures on each path.

mod error;
mod extended_ack;
mod family;
mod path_manager;
#[cfg(test)]
mod recorded;
mod tcp;
mod transport;

pub use error::{
    Error,
    Result, //
};
pub use path_manager::{
    Endpoint,
    Event,
    EventKind,
    Events,
    Flags,
    Limits,
    PathManager, //
};
pub use tcp::{
    tcp_sockets,
    KernelSubflow,
    TcpSocket, //
};
