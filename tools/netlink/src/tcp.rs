// SPDX-License-Identifier: GPL-2.0

//! What TCP tells of its sockets: NETLINK_SOCK_DIAG.

mod message;
mod upper_layer;

pub use upper_layer::KernelSubflow;

use crate::{
    error::Result,
    transport::{
        Transport,
        Wanted, //
    }, //
};
use message::{
    Family,
    Message, //
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use std::net::SocketAddr;

/// A connected TCP socket of the network namespace, and the figures of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// Its own address and port.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// Bytes received that nobody has read.
    pub receive_queue: u32,
    /// Bytes written that the peer has not acknowledged.
    pub send_queue: u32,
    /// Smoothed round-trip time in microseconds.
    pub rtt: u32,
    /// The smallest round-trip time in microseconds.
    pub min_rtt: u32,
    /// The congestion window in segments.
    pub congestion_window: u32,
    /// Payload bytes sent, repeated ones too.
    pub bytes_sent: u64,
    /// Payload bytes sent again.
    pub bytes_retransmitted: u64,
    /// Payload bytes received.
    pub bytes_received: u64,
    /// The algorithm of congestion control.
    pub congestion_control: Option<String>,
    /// What the kernel's own Multipath TCP says of its subflow.
    pub subflow: Option<KernelSubflow>,
}

/// The TCP sockets of this network namespace that are connected or about to be. Another namespace's are never seen.
pub fn tcp_sockets() -> Result<Vec<TcpSocket>> {
    let mut transport = Transport::open(NETLINK_SOCK_DIAG)?;
    let mut sockets = Vec::new();
    for family in [Family::Inet, Family::Inet6] {
        let answers = transport.ask(Message::Request(family), Wanted::Dump)?;
        sockets.extend(answers.into_iter().filter_map(Message::socket));
    }
    Ok(sockets)
}

/// Reads a datagram as the sockets in it.
#[cfg(test)]
pub(crate) fn parse_any(datagram: &[u8]) -> Vec<TcpSocket> {
    let answers: Vec<Message> = crate::transport::payloads(datagram).unwrap_or_default();
    answers.into_iter().filter_map(Message::socket).collect()
}

#[cfg(test)]
mod tests;
