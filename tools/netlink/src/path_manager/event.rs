// SPDX-License-Identifier: GPL-2.0

//! What happens to connections: the group `mptcp_pm_events`.

use crate::{
    error::Result,
    family::Family,
    transport::Transport, //
};
use netlink_packet_core::{
    parse_i32,
    parse_ip,
    parse_u16,
    parse_u16_be,
    parse_u32,
    parse_u8,
    DecodeError,
    ErrorContext,
    NlaBuffer,
    NlasIterator,
    ParseableParametrized, //
};
use netlink_packet_generic::{
    GenlHeader,
    GenlMessage, //
};
use std::{
    collections::VecDeque,
    net::IpAddr, //
};

/// MPTCP_PM_EV_GRP_NAME of linux/mptcp.h.
const GROUP: &str = "mptcp_pm_events";
/// MPTCP_PM_EV_FLAG_DENY_JOIN_ID0 of linux/mptcp.h.
const DENY_JOIN_ID0: u16 = 1;
/// MPTCP_PM_EV_FLAG_SERVER_SIDE of linux/mptcp.h.
const SERVER_SIDE: u16 = 1 << 1;

/// MPTCP_ATTR_* of linux/mptcp_pm.h.
mod attribute {
    pub(super) const TOKEN: u16 = 1;
    pub(super) const LOCAL_ID: u16 = 3;
    pub(super) const REMOTE_ID: u16 = 4;
    pub(super) const SOURCE4: u16 = 5;
    pub(super) const SOURCE6: u16 = 6;
    pub(super) const DESTINATION4: u16 = 7;
    pub(super) const DESTINATION6: u16 = 8;
    pub(super) const SOURCE_PORT: u16 = 9;
    pub(super) const DESTINATION_PORT: u16 = 10;
    pub(super) const BACKUP: u16 = 11;
    pub(super) const ERROR: u16 = 12;
    pub(super) const FLAGS: u16 = 13;
    pub(super) const TIMEOUT: u16 = 14;
    pub(super) const DEVICE: u16 = 15;
    pub(super) const RESET_REASON: u16 = 16;
    pub(super) const RESET_FLAGS: u16 = 17;
    pub(super) const SERVER_SIDE: u16 = 18;
}

/// The kind of an event, MPTCP_EVENT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A connection began.
    Created,
    /// A connection may have more subflows from now on.
    Established,
    /// A connection ended.
    Closed,
    /// The peer announced an address.
    Announced,
    /// The peer took an address back.
    Removed,
    /// A subflow was established.
    SubflowEstablished,
    /// A subflow was closed.
    SubflowClosed,
    /// The priority of a subflow changed.
    SubflowPriority,
    /// The path manager listens on a port.
    ListenerCreated,
    /// The path manager listens on a port no more.
    ListenerClosed,
    /// A kind that this crate does not know, with its number.
    Unknown(u8),
}

impl Default for EventKind {
    fn default() -> Self {
        Self::Unknown(0)
    }
}

impl From<u8> for EventKind {
    fn from(number: u8) -> Self {
        match number {
            1 => Self::Created,
            2 => Self::Established,
            3 => Self::Closed,
            6 => Self::Announced,
            7 => Self::Removed,
            10 => Self::SubflowEstablished,
            11 => Self::SubflowClosed,
            13 => Self::SubflowPriority,
            15 => Self::ListenerCreated,
            16 => Self::ListenerClosed,
            other => Self::Unknown(other),
        }
    }
}

/// Something that happened; which fields are there depends on its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Our token of the connection.
    pub token: Option<u32>,
    /// The id of the peer's address.
    pub remote_id: Option<u8>,
    /// The id of our address.
    pub local_id: Option<u8>,
    /// Our address.
    pub source: Option<IpAddr>,
    /// The peer's address.
    pub destination: Option<IpAddr>,
    /// Our port.
    pub source_port: Option<u16>,
    /// The peer's port.
    pub destination_port: Option<u16>,
    /// 1 if the subflow is a backup.
    pub backup: Option<u8>,
    /// The error number that ended a subflow.
    pub error: Option<u8>,
    /// Time in milliseconds.
    pub timeout: Option<u32>,
    /// The index of the network device.
    pub device: Option<i32>,
    /// Why the subflow was reset, by RFC 8684, section 3.6.
    pub reset_reason: Option<u32>,
    /// The flags of MP_TCPRST.
    pub reset_flags: Option<u32>,
    /// We are the server of the connection.
    pub server_side: bool,
    /// The peer wants no subflow to its first address.
    pub deny_join_id0: bool,
    /// Flags that this crate does not know.
    pub flags: u16,
}

impl Event {
    fn take(&mut self, attribute: &NlaBuffer<&[u8]>) -> std::result::Result<(), DecodeError> {
        let value = attribute.value();
        match attribute.kind() {
            attribute::TOKEN => self.token = Some(parse_u32(value)?),
            attribute::LOCAL_ID => self.local_id = Some(parse_u8(value)?),
            attribute::REMOTE_ID => self.remote_id = Some(parse_u8(value)?),
            attribute::SOURCE4 | attribute::SOURCE6 => self.source = Some(parse_ip(value)?),
            attribute::DESTINATION4 | attribute::DESTINATION6 => {
                self.destination = Some(parse_ip(value)?);
            }
            attribute::SOURCE_PORT => self.source_port = Some(parse_u16_be(value)?),
            attribute::DESTINATION_PORT => self.destination_port = Some(parse_u16_be(value)?),
            attribute::BACKUP => self.backup = Some(parse_u8(value)?),
            attribute::ERROR => self.error = Some(parse_u8(value)?),
            attribute::FLAGS => {
                let flags = parse_u16(value)?;
                self.server_side |= flags & SERVER_SIDE != 0;
                self.deny_join_id0 = flags & DENY_JOIN_ID0 != 0;
                self.flags = flags & !(SERVER_SIDE | DENY_JOIN_ID0);
            }
            attribute::TIMEOUT => self.timeout = Some(parse_u32(value)?),
            attribute::DEVICE => self.device = Some(parse_i32(value)?),
            attribute::RESET_REASON => self.reset_reason = Some(parse_u32(value)?),
            attribute::RESET_FLAGS => self.reset_flags = Some(parse_u32(value)?),
            attribute::SERVER_SIDE => self.server_side |= parse_u8(value)? != 0,
            _ => {}
        }
        Ok(())
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Event {
    fn parse_with_param(
        bytes: &[u8],
        header: GenlHeader,
    ) -> std::result::Result<Self, DecodeError> {
        let mut event = Self {
            kind: header.cmd.into(),
            ..Self::default()
        };
        for attribute in NlasIterator::new(bytes) {
            let attribute = attribute.context("an event's attribute")?;
            let number = attribute.kind();
            event
                .take(&attribute)
                .context(format!("attribute {number} of an event"))?;
        }
        Ok(event)
    }
}

/// The events of a network namespace, as they come. It never ends by itself.
pub struct Events {
    transport: Transport,
    waiting: VecDeque<Event>,
}

impl Events {
    pub(super) fn listen(mut transport: Transport, family: &Family) -> Result<Self> {
        transport.join(family.group(GROUP)?)?;
        Ok(Self {
            transport,
            waiting: VecDeque::new(),
        })
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.waiting.is_empty() {
            match self.transport.receive::<GenlMessage<Event>>() {
                Ok(messages) => {
                    let events = messages.into_iter().map(|message| message.payload);
                    self.waiting.extend(events);
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests;
