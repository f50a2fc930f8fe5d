// SPDX-License-Identifier: GPL-2.0

//! TCP segments on the simulated wire.

use mptcp_core::path_manager::SocketAddress;
use mptcp_core::seq::Ssn;
use mptcp_core::wire::{kind, walk, Address, Received, SegmentKind, Version, OPTION_SPACE};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Simulated time, in microseconds.
pub type Time = u64;

/// One simulated second.
pub const SECOND: Time = 1_000_000;

/// Where a segment comes from or goes to.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Place {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: u16,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            address: Address::V4([0; 4]),
            port: 0,
        }
    }
}

impl From<Place> for SocketAddress {
    fn from(Place { address, port }: Place) -> Self {
        Self { address, port }
    }
}

impl From<SocketAddress> for Place {
    fn from(SocketAddress { address, port }: SocketAddress) -> Self {
        Self { address, port }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Address::V4(octets) => write!(out, "{}:{}", Ipv4Addr::from(octets), self.port),
            Address::V6(octets) => write!(out, "[{}]:{}", Ipv6Addr::from(octets), self.port),
        }
    }
}

/// The flags of a segment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// SYN.
    pub syn: bool,
    /// ACK.
    pub ack: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
}

/// The option bytes of a segment.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Options {
    bytes: [u8; OPTION_SPACE],
    len: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bytes: [0; OPTION_SPACE],
            len: 0,
        }
    }
}

impl Options {
    /// The bytes, as they stand in the header.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Writes options by `emit`, which returns how many bytes it wrote.
    pub fn write(&mut self, emit: impl FnOnce(&mut [u8]) -> Option<usize>) {
        self.len = emit(&mut self.bytes).expect("the planned options fit");
    }

    /// Whether there is an option of Multipath TCP.
    pub fn has_mptcp(&self) -> bool {
        walk(self.bytes()).any(|option| option.kind == kind::MPTCP)
    }
}

/// A segment.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Segment {
    /// Where it comes from.
    pub from: Place,
    /// Where it goes to.
    pub to: Place,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// The window field.
    pub window: u16,
    /// The window scale option of a SYN.
    pub scale: u8,
    /// The options of Multipath TCP.
    pub options: Options,
    /// The data.
    pub data: Vec<u8>,
}

impl Segment {
    /// The bytes of data.
    pub fn payload_len(&self) -> u32 {
        self.data.len() as u32
    }

    /// How many sequence numbers the segment takes.
    pub fn numbers(&self) -> u32 {
        self.payload_len() + u32::from(self.flags.syn) + u32::from(self.flags.fin)
    }

    /// The sequence number after the segment.
    pub fn end(&self) -> u32 {
        self.seq.wrapping_add(self.numbers())
    }

    /// What its options say in version 1, or in the handshake of any version.
    pub fn received(&self) -> Received {
        self.received_as(Version::V1)
    }

    /// What its options say in a connection of `version`.
    pub fn received_as(&self, version: Version) -> Received {
        let kind = SegmentKind {
            syn: self.flags.syn,
            ack: self.flags.ack,
        };
        Received::parse_as(version, self.options.bytes(), kind)
    }

    /// Its bytes on the wire: IP and TCP header, options, data.
    pub fn wire_len(&self) -> u64 {
        let headers = match self.from.address {
            Address::V4(_) => 40,
            Address::V6(_) => 60,
        };
        (headers + self.options.len + self.data.len()) as u64
    }
}

/// How many numbers `seq` lies after `origin`; negative if before.
pub fn distance(seq: u32, origin: u32) -> i32 {
    Ssn::new(seq).distance(Ssn::new(origin))
}

/// Whether `seq` comes before `other`.
pub fn before(seq: u32, other: u32) -> bool {
    distance(seq, other) < 0
}

impl fmt::Debug for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (self.flags.syn, "SYN "),
            (self.flags.fin, "FIN "),
            (self.flags.rst, "RST "),
            (self.flags.ack, "ACK "),
        ];
        write!(out, "{:?} to {:?} ", self.from, self.to)?;
        for (set, name) in flags {
            out.write_str(if set { name } else { "" })?;
        }
        write!(out, "seq {} len {} ", self.seq, self.payload_len())?;
        write!(out, "ack {} win {}", self.ack, self.window)?;
        let said = self.received();
        if let Some(option) = said.mp_capable {
            write!(out, " {:?}", option.content)?;
        }
        if let Some(option) = said.mp_join {
            write!(out, " {option:x?}")?;
        }
        if let Some(dss) = said.dss {
            if let Some(ack) = dss.data_ack {
                write!(out, " data-ack {ack:x?}")?;
            }
            if let Some(map) = dss.map {
                let fin = if dss.data_fin { " DATA_FIN" } else { "" };
                write!(out, " map {:x?}", map.dsn)?;
                write!(out, "={}+{}{fin}", map.ssn.raw(), map.len)?;
            }
        }
        if let Some(fail) = said.mp_fail {
            write!(out, " {fail:x?}")?;
        }
        if let Some(option) = said.add_addr {
            write!(out, " {option:?}")?;
        }
        if let Some(option) = said.remove_addr {
            write!(out, " REMOVE_ADDR {:?}", option.ids())?;
        }
        if let Some(option) = said.mp_prio {
            write!(out, " {option:?}")?;
        }
        if said.fastclose.is_some() {
            out.write_str(" FASTCLOSE")?;
        }
        if let Some(option) = said.tcp_rst {
            write!(out, " {:?}", option.reason)?;
        }
        Ok(())
    }
}
