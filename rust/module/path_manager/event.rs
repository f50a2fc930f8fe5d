// SPDX-License-Identifier: GPL-2.0

//! What programs are told that listen to the group `mptcp_pm_events` (`include/uapi/linux/mptcp_pm.h`).
//!
//! The data lock is held. A message is made only if somebody listens.

use crate::path_manager::ends;
use crate::path_manager::netlink::{is_listening, EVENTS, FAMILY};
use crate::protocol::Mptcp;
use crate::subflow::table::SubflowState;
use kernel::prelude::*;
use knet::genetlink::{Body, Message};
use knet::meta::DataGuard;
use knet::netns::Net;
use knet::sock::{self, Sock, AF_INET, AF_INET6};
use mptcp_core::path_manager::{Announcement, SocketAddress};
use mptcp_core::wire::Address;

/// What happened to a connection as a whole.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum OfConnection {
    /// Its first handshake is done.
    Created = 1,
    /// Other subflows may join.
    Established = 2,
    /// It is at its end.
    Closed = 3,
}

/// What happened to a subflow.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum OfSubflow {
    /// It joined the connection.
    Established = 10,
    /// It left the connection.
    Closed = 11,
    /// The peer changed whether it is a backup.
    Priority = 13,
}

/// What happened to a listening socket.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum OfListener {
    /// It listens.
    Created = 15,
    /// It listens no more.
    Closed = 16,
}

const ANNOUNCED: u8 = 6;
const REMOVED: u8 = 7;

/// Types of the attributes.
mod attribute {
    pub(super) const TOKEN: u16 = 1;
    pub(super) const FAMILY: u16 = 2;
    pub(super) const LOC_ID: u16 = 3;
    pub(super) const REM_ID: u16 = 4;
    pub(super) const SADDR4: u16 = 5;
    pub(super) const SADDR6: u16 = 6;
    pub(super) const DADDR4: u16 = 7;
    pub(super) const DADDR6: u16 = 8;
    pub(super) const SPORT: u16 = 9;
    pub(super) const DPORT: u16 = 10;
    pub(super) const BACKUP: u16 = 11;
    pub(super) const ERROR: u16 = 12;
    pub(super) const FLAGS: u16 = 13;
    pub(super) const RESET_REASON: u16 = 16;
    pub(super) const RESET_FLAGS: u16 = 17;
    pub(super) const SERVER_SIDE: u16 = 18;
}

/// In the flags: the peer forbade joins to its first address.
const DENY_JOIN_ID0: u16 = 1;
/// In the flags: we are the server.
const SERVER_SIDE: u16 = 2;

/// Tells what happened to a connection.
pub(crate) fn of_connection(connection: &DataGuard<'_, Mptcp>, event: OfConnection) {
    tell(connection, event as u8, |body| {
        if matches!(event, OfConnection::Closed) {
            return Ok(());
        }
        let mut flags = 0;
        if !connection.client {
            flags |= SERVER_SIDE;
            body.put_u8(attribute::SERVER_SIDE, 1)?;
        }
        if connection.agreed.deny_join {
            flags |= DENY_JOIN_ID0;
        }
        if flags != 0 {
            body.put_u16(attribute::FLAGS, flags)?;
        }
        match connection.subflows.first() {
            Some(first) => put_ends(body, &first.sock, first),
            None => Ok(()),
        }
    });
}

/// Tells what happened to a subflow.
pub(crate) fn of_subflow(
    connection: &DataGuard<'_, Mptcp>,
    subflow: &SubflowState,
    event: OfSubflow,
) {
    tell(connection, event as u8, |body| {
        put_ends(body, &subflow.sock, subflow)?;
        let backup = subflow.local_backup || subflow.remote_backup;
        body.put_u8(attribute::BACKUP, backup.into())?;
        if let Ok(errno @ 1..) = u8::try_from(subflow.sock.peek_error()) {
            body.put_u8(attribute::ERROR, errno)?;
        }
        if let (OfSubflow::Closed, Some(reset)) = (event, subflow.reset_by_peer) {
            body.put_u32(attribute::RESET_REASON, reset.reason.raw().into())?;
            body.put_u32(attribute::RESET_FLAGS, reset.transient.into())?;
        }
        Ok(())
    });
}

/// Tells of an address that the peer announced; `port` is that of the subflow it came on.
pub(crate) fn announced(connection: &DataGuard<'_, Mptcp>, announcement: &Announcement, port: u16) {
    tell(connection, ANNOUNCED, |body| {
        body.put_u8(attribute::REM_ID, announcement.address_id)?;
        let port = announcement.port.unwrap_or(port);
        body.put(attribute::DPORT, &port.to_be_bytes())?;
        match announcement.address {
            Address::V4(octets) => body.put(attribute::DADDR4, &octets),
            Address::V6(octets) => body.put(attribute::DADDR6, &octets),
        }
    });
}

/// Tells of an address that the peer removed.
pub(crate) fn removed(connection: &DataGuard<'_, Mptcp>, id: u8) {
    tell(connection, REMOVED, |body| {
        body.put_u8(attribute::REM_ID, id)
    });
}

/// Tells what happened to a listening TCP socket, an application's or one of an endpoint. Nothing needs to be
/// locked.
pub(crate) fn of_listener(sock: &Sock, event: OfListener) {
    send(sock.net(), event as u8, |body| {
        let tuple = sock.tuple();
        let family = match tuple.local {
            sock::Address::V4(_) => AF_INET,
            sock::Address::V6(_) => AF_INET6,
        };
        body.put_u16(attribute::FAMILY, family)?;
        body.put(attribute::SPORT, &tuple.local_port.to_be_bytes())?;
        match tuple.local {
            sock::Address::V4(octets) => body.put(attribute::SADDR4, &octets),
            sock::Address::V6(octets) => body.put(attribute::SADDR6, &octets),
        }
    });
}

/// Sends a message about a connection to who listens.
fn tell(connection: &DataGuard<'_, Mptcp>, number: u8, fill: impl FnOnce(&mut Body<'_>) -> Result) {
    let token = connection.local.token.raw();
    send(connection.meta().sock().net(), number, |body| {
        body.put_u32(attribute::TOKEN, token)?;
        fill(body)
    });
}

/// Sends a message to who listens in a namespace. Any context.
fn send(net: &Net, number: u8, fill: impl FnOnce(&mut Body<'_>) -> Result) {
    if !is_listening(net) {
        return;
    }
    let Ok(mut message) = Message::news(&FAMILY, number) else {
        return;
    };
    if fill(&mut message.body()).is_ok() {
        message.multicast(&FAMILY, net, EVENTS);
    }
}

/// Adds both ends of a subflow, and their ids.
fn put_ends(body: &mut Body<'_>, sock: &Sock, subflow: &SubflowState) -> Result {
    let (local, remote): (SocketAddress, SocketAddress) = ends(&sock.tuple());
    match (local.address, remote.address) {
        (Address::V4(from), Address::V4(to)) => {
            body.put_u16(attribute::FAMILY, AF_INET)?;
            body.put(attribute::SADDR4, &from)?;
            body.put(attribute::DADDR4, &to)?;
        }
        (Address::V6(from), Address::V6(to)) => {
            body.put_u16(attribute::FAMILY, AF_INET6)?;
            body.put(attribute::SADDR6, &from)?;
            body.put(attribute::DADDR6, &to)?;
        }
        _ => return Err(EINVAL),
    }
    body.put(attribute::SPORT, &local.port.to_be_bytes())?;
    body.put(attribute::DPORT, &remote.port.to_be_bytes())?;
    body.put_u8(attribute::LOC_ID, subflow.local_id)?;
    body.put_u8(attribute::REM_ID, subflow.remote_id)
}
