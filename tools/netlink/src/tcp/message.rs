// SPDX-License-Identifier: GPL-2.0

//! A dump of sockets: `inet_diag_req_v2`, `inet_diag_msg` and their attributes, linux/inet_diag.h. Ports and addresses
//! are in network byte order, numbers in that of the host.

use super::{
    upper_layer::kernel_subflow,
    TcpSocket, //
};
use netlink_packet_core::{
    parse_ip,
    parse_string,
    parse_u16_be,
    parse_u32,
    parse_u64,
    DecodeError,
    ErrorContext,
    NetlinkDeserializable,
    NetlinkHeader,
    NetlinkSerializable,
    NlasIterator, //
};
use std::{
    net::SocketAddr,
    ops::Range, //
};

/// SOCK_DIAG_BY_FAMILY of linux/sock_diag.h.
const BY_FAMILY: u16 = 20;
/// IPPROTO_TCP of linux/in.h.
const TCP: u8 = 6;
/// All states but LISTEN (10) and TIME_WAIT (6), a bit for each; net/tcp_states.h.
const CONNECTED: u32 = 0xffe & !(1 << 10) & !(1 << 6);
/// INET_DIAG_INFO: `tcp_info`.
const INFO: u16 = 2;
/// INET_DIAG_CONG: the name of the algorithm of congestion control.
const CONGESTION: u16 = 4;
/// INET_DIAG_ULP_INFO: the upper layer of the socket.
const UPPER_LAYER: u16 = 19;
/// The bits that ask for INFO and CONGESTION.
const EXTENSIONS: u8 = 1 << (INFO - 1) | 1 << (CONGESTION - 1);
/// Length of `inet_diag_req_v2`; all but its first 8 bytes are a filter that is not used.
const REQUEST: usize = 56;

/// Places in `inet_diag_msg`.
mod answer {
    pub(super) const FAMILY: usize = 0;
    pub(super) const SOURCE_PORT: usize = 4;
    pub(super) const DESTINATION_PORT: usize = 6;
    pub(super) const SOURCE: usize = 8;
    pub(super) const DESTINATION: usize = 24;
    pub(super) const RECEIVE_QUEUE: usize = 56;
    pub(super) const SEND_QUEUE: usize = 60;
    pub(super) const END: usize = 72;
}

/// Places in `tcp_info`, linux/tcp.h.
mod info {
    pub(super) const RTT: usize = 68;
    pub(super) const CONGESTION_WINDOW: usize = 80;
    pub(super) const BYTES_RECEIVED: usize = 128;
    pub(super) const MIN_RTT: usize = 148;
    pub(super) const BYTES_SENT: usize = 200;
    pub(super) const BYTES_RETRANSMITTED: usize = 208;
}

/// An address family of address_families(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Inet,
    Inet6,
}

impl Family {
    fn number(self) -> u8 {
        match self {
            Self::Inet => 2,
            Self::Inet6 => 10,
        }
    }

    fn address_length(self) -> usize {
        match self {
            Self::Inet => 4,
            Self::Inet6 => 16,
        }
    }

    fn from_number(number: u8) -> Result<Self, DecodeError> {
        [Self::Inet, Self::Inet6]
            .into_iter()
            .find(|family| family.number() == number)
            .ok_or_else(|| format!("{number} is no address family of TCP").into())
    }
}

/// A request for all sockets of a family, or one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Request(Family),
    Socket(Box<TcpSocket>),
}

impl Message {
    pub(super) fn socket(self) -> Option<TcpSocket> {
        match self {
            Self::Socket(socket) => Some(*socket),
            Self::Request(_) => None,
        }
    }
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        BY_FAMILY
    }

    fn buffer_len(&self) -> usize {
        REQUEST
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let family = match self {
            Self::Request(family) => family.number(),
            Self::Socket(_) => 0,
        };
        buffer.fill(0);
        let start = [family, TCP, EXTENSIONS, 0].into_iter();
        let start = start.chain(CONNECTED.to_ne_bytes());
        buffer
            .iter_mut()
            .zip(start)
            .for_each(|(byte, value)| *byte = value);
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(_header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        let mut socket = parse_socket(payload).context("a socket")?;
        let attributes = payload.get(answer::END..).unwrap_or_default();
        for attribute in NlasIterator::new(attributes) {
            let attribute = attribute.context("an attribute of a socket")?;
            let value = attribute.value();
            match attribute.kind() {
                INFO => take_info(&mut socket, value).context("figures of TCP")?,
                CONGESTION => socket.congestion_control = Some(parse_string(value)?),
                UPPER_LAYER => socket.subflow = kernel_subflow(value),
                _ => {}
            }
        }
        Ok(Self::Socket(Box::new(socket)))
    }
}

fn parse_socket(answer: &[u8]) -> Result<TcpSocket, DecodeError> {
    let family = part(answer, answer::FAMILY, 1)?.iter().sum();
    let length = Family::from_number(family)?.address_length();
    // IPv4 in IPv6 is written as IPv4, as the path sees it.
    let end = |address, port| -> Result<_, DecodeError> {
        let address = parse_ip(part(answer, address, length)?)?.to_canonical();
        Ok(SocketAddr::new(
            address,
            parse_u16_be(part(answer, port, 2)?)?,
        ))
    };
    Ok(TcpSocket {
        local: end(answer::SOURCE, answer::SOURCE_PORT)?,
        remote: end(answer::DESTINATION, answer::DESTINATION_PORT)?,
        receive_queue: parse_u32(part(answer, answer::RECEIVE_QUEUE, 4)?)?,
        send_queue: parse_u32(part(answer, answer::SEND_QUEUE, 4)?)?,
        rtt: 0,
        min_rtt: 0,
        congestion_window: 0,
        bytes_sent: 0,
        bytes_retransmitted: 0,
        bytes_received: 0,
        congestion_control: None,
        subflow: None,
    })
}

fn take_info(socket: &mut TcpSocket, info: &[u8]) -> Result<(), DecodeError> {
    let number = |place| parse_u32(part(info, place, 4)?);
    let large_number = |place| parse_u64(part(info, place, 8)?);
    socket.rtt = number(info::RTT)?;
    socket.min_rtt = number(info::MIN_RTT)?;
    socket.congestion_window = number(info::CONGESTION_WINDOW)?;
    socket.bytes_received = large_number(info::BYTES_RECEIVED)?;
    socket.bytes_sent = large_number(info::BYTES_SENT)?;
    socket.bytes_retransmitted = large_number(info::BYTES_RETRANSMITTED)?;
    Ok(())
}

fn part(bytes: &[u8], place: usize, length: usize) -> Result<&[u8], DecodeError> {
    let range: Range<usize> = place..place.saturating_add(length);
    bytes
        .get(range)
        .ok_or_else(|| DecodeError::buffer_too_small(bytes.len(), place.saturating_add(length)))
}
