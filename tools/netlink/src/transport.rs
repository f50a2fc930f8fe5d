// SPDX-License-Identifier: GPL-2.0

//! A netlink socket: a request goes out, its answers come in.

use crate::{
    error::{
        Error,
        Result,
        ENOBUFS, //
    },
    extended_ack::{
        refusal_of_dump,
        refusal_of_error, //
    }, //
};
use netlink_packet_core::{
    NetlinkBuffer,
    NetlinkDeserializable,
    NetlinkHeader,
    NetlinkMessage,
    NetlinkPayload,
    NetlinkSerializable,
    Parseable,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_REQUEST, //
};
use netlink_sys::{
    Socket,
    SocketAddr, //
};

/// What a request wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One answer, or a refusal.
    Answer,
    /// Only whether it was done.
    Acknowledgement,
    /// All entries of a table.
    Dump,
}

impl Wanted {
    fn flags(self) -> u16 {
        match self {
            Self::Answer => NLM_F_REQUEST,
            Self::Acknowledgement => NLM_F_REQUEST | NLM_F_ACK,
            Self::Dump => NLM_F_REQUEST | NLM_F_DUMP,
        }
    }
}

/// A socket of one netlink protocol, connected to the kernel.
pub(crate) struct Transport {
    socket: Socket,
    sequence: u32,
}

impl Transport {
    /// Opens a socket of a protocol of linux/netlink.h.
    pub(crate) fn open(protocol: isize) -> Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Listens to a multicast group from now on.
    pub(crate) fn join(&mut self, group: u32) -> Result<()> {
        Ok(self.socket.add_membership(group)?)
    }

    /// Sends a request and collects the payloads of its answers.
    pub(crate) fn ask<M>(&mut self, request: M, wanted: Wanted) -> Result<Vec<M>>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
    {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = wanted.flags();
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answers = Answers::new(self.sequence, wanted);
        while !answers.take(&self.receive_bytes()?)? {}
        Ok(answers.collected)
    }

    /// Waits for the next datagram and gives the payloads in it.
    pub(crate) fn receive<M: NetlinkDeserializable>(&mut self) -> Result<Vec<M>> {
        payloads(&self.receive_bytes()?)
    }

    fn receive_bytes(&self) -> Result<Vec<u8>> {
        match self.socket.recv_from_full() {
            Ok((bytes, _)) => Ok(bytes),
            Err(error) if error.raw_os_error() == Some(ENOBUFS) => Err(Error::Overrun),
            Err(error) => Err(error.into()),
        }
    }
}

/// The answers to one request, until they are complete.
struct Answers<M> {
    sequence: u32,
    wanted: Wanted,
    collected: Vec<M>,
}

impl<M: NetlinkDeserializable> Answers<M> {
    fn new(sequence: u32, wanted: Wanted) -> Self {
        Self {
            sequence,
            wanted,
            collected: Vec::new(),
        }
    }

    /// Takes a datagram; true when no other is to come.
    fn take(&mut self, datagram: &[u8]) -> Result<bool> {
        let mut complete = false;
        for message in messages::<M>(datagram) {
            let message = message?;
            if message.header.sequence_number != self.sequence {
                continue;
            }
            match message.payload {
                NetlinkPayload::Error(error) if error.code.is_some() => {
                    let errno = error.raw_code().saturating_abs();
                    return Err(refusal_of_error(errno, &error.header));
                }
                NetlinkPayload::Done(done) if done.code < 0 => {
                    let errno = done.code.saturating_abs();
                    return Err(refusal_of_dump(errno, &done.extended_ack));
                }
                NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => complete = true,
                NetlinkPayload::InnerMessage(answer) => {
                    self.collected.push(answer);
                    complete |= self.wanted == Wanted::Answer;
                }
                NetlinkPayload::Overrun(_) => return Err(Error::Overrun),
                _ => {}
            }
        }
        Ok(complete)
    }
}

/// The payloads of a datagram that nobody asked for.
pub(crate) fn payloads<M: NetlinkDeserializable>(datagram: &[u8]) -> Result<Vec<M>> {
    let mut found = Vec::new();
    for message in messages(datagram) {
        if let NetlinkPayload::InnerMessage(payload) = message?.payload {
            found.push(payload);
        }
    }
    Ok(found)
}

/// The messages of a datagram, one after the other; an error ends them.
fn messages<M: NetlinkDeserializable>(
    datagram: &[u8],
) -> impl Iterator<Item = Result<NetlinkMessage<M>>> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let parsed = split_message(&mut rest).and_then(|bytes| {
            let buffer = NetlinkBuffer::new_checked(&bytes)?;
            Ok(NetlinkMessage::parse(&buffer)?)
        });
        if parsed.is_err() {
            rest = &[];
        }
        Some(parsed)
    })
}

/// The bytes of the first message; `rest` is then what follows it and its padding (linux/netlink.h, NLMSG_ALIGN).
fn split_message<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = usize::try_from(NetlinkBuffer::new_checked(*rest)?.length())
        .map_err(|_| Error::Malformed("its length is too large".into()))?;
    let (message, _) = rest.split_at(length);
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Ok(message)
}

#[cfg(test)]
mod tests;
