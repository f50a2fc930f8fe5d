// SPDX-License-Identifier: GPL-2.0

//! An endpoint and its nested attributes, MPTCP_PM_ADDR_ATTR_*.

use netlink_packet_core::{
    emit_i32,
    emit_u16,
    emit_u32,
    parse_i32,
    parse_ip,
    parse_u16,
    parse_u32,
    parse_u8,
    DecodeError,
    DefaultNla,
    ErrorContext,
    Nla,
    NlaBuffer,
    NlasIterator,
    Parseable, //
};
use std::net::IpAddr;

/// AF_INET of address_families(7).
const INET: u16 = 2;
/// AF_INET6 of address_families(7).
const INET6: u16 = 10;

const FAMILY: u16 = 1;
const ID: u16 = 2;
const ADDRESS4: u16 = 3;
const ADDRESS6: u16 = 4;
const PORT: u16 = 5;
const FLAGS: u16 = 6;
const DEVICE: u16 = 7;

bitflags::bitflags! {
    /// What an endpoint is for: MPTCP_PM_ADDR_FLAG_* of linux/mptcp.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// The address is announced to peers (ADD_ADDR).
        const SIGNAL = 1;
        /// Subflows are opened from the address.
        const SUBFLOW = 1 << 1;
        /// Subflows from the address are backups.
        const BACKUP = 1 << 2;
        /// Subflows are opened from the address to all addresses of the peer.
        const FULLMESH = 1 << 3;
        /// The kernel made the endpoint for a subflow that came in over the address; nobody can set it.
        const IMPLICIT = 1 << 4;
        /// Subflows are opened from the address in answer to announced addresses.
        const LAMINAR = 1 << 5;

        const _ = !0;
    }
}

/// A local address that connections may use, or one end of a subflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: Option<IpAddr>,
    /// The address id of RFC 8684, section 3.3.1.
    pub id: Option<u8>,
    /// The port that is announced with the address.
    pub port: Option<u16>,
    /// What it is for.
    pub flags: Flags,
    /// The index of the network device that it is bound to.
    pub device: Option<u32>,
}

impl Endpoint {
    pub(super) fn to_attributes(self) -> Vec<AddressAttribute> {
        let mut attributes = Vec::new();
        if let Some(address) = self.address {
            attributes.push(AddressAttribute::Family(match address {
                IpAddr::V4(_) => INET,
                IpAddr::V6(_) => INET6,
            }));
            attributes.push(AddressAttribute::Address(address));
        }
        attributes.extend(self.id.map(AddressAttribute::Id));
        attributes.extend(self.port.map(AddressAttribute::Port));
        if !self.flags.is_empty() {
            attributes.push(AddressAttribute::Flags(self.flags.bits()));
        }
        let device = self.device.and_then(|index| i32::try_from(index).ok());
        attributes.extend(device.map(AddressAttribute::Device));
        attributes
    }

    pub(super) fn from_attributes(attributes: &[AddressAttribute]) -> Self {
        let mut endpoint = Self::default();
        for attribute in attributes {
            match *attribute {
                AddressAttribute::Address(address) => endpoint.address = Some(address),
                AddressAttribute::Id(id) => endpoint.id = Some(id),
                AddressAttribute::Port(0) => {}
                AddressAttribute::Port(port) => endpoint.port = Some(port),
                AddressAttribute::Flags(bits) => endpoint.flags = Flags::from_bits_retain(bits),
                AddressAttribute::Device(index) => {
                    endpoint.device = u32::try_from(index).ok().filter(|index| *index != 0);
                }
                AddressAttribute::Family(_) | AddressAttribute::Other(_) => {}
            }
        }
        endpoint
    }
}

/// One nested attribute of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressAttribute {
    Family(u16),
    Id(u8),
    Address(IpAddr),
    Port(u16),
    Flags(u32),
    Device(i32),
    Other(DefaultNla),
}

impl AddressAttribute {
    /// All attributes in the value of a nest.
    pub(super) fn parse_all(value: &[u8]) -> Result<Vec<Self>, DecodeError> {
        NlasIterator::new(value)
            .map(|attribute| Self::parse(&attribute.context("a nested attribute")?))
            .collect()
    }
}

impl Nla for AddressAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Id(_) => 1,
            Self::Family(_) | Self::Port(_) => 2,
            Self::Flags(_) | Self::Device(_) | Self::Address(IpAddr::V4(_)) => 4,
            Self::Address(IpAddr::V6(_)) => 16,
            Self::Other(other) => other.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Family(_) => FAMILY,
            Self::Id(_) => ID,
            Self::Address(IpAddr::V4(_)) => ADDRESS4,
            Self::Address(IpAddr::V6(_)) => ADDRESS6,
            Self::Port(_) => PORT,
            Self::Flags(_) => FLAGS,
            Self::Device(_) => DEVICE,
            Self::Other(other) => other.kind(),
        }
    }

    /// Addresses are in network byte order, numbers in that of the host.
    fn emit_value(&self, buffer: &mut [u8]) {
        let fits = match self {
            Self::Id(id) => {
                buffer.fill(*id);
                Ok(())
            }
            Self::Address(IpAddr::V4(address)) => {
                buffer.copy_from_slice(&address.octets());
                Ok(())
            }
            Self::Address(IpAddr::V6(address)) => {
                buffer.copy_from_slice(&address.octets());
                Ok(())
            }
            Self::Family(value) | Self::Port(value) => emit_u16(buffer, *value),
            Self::Flags(value) => emit_u32(buffer, *value),
            Self::Device(value) => emit_i32(buffer, *value),
            Self::Other(other) => {
                other.emit_value(buffer);
                Ok(())
            }
        };
        debug_assert!(fits.is_ok(), "value_len() tells the size of each value");
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for AddressAttribute {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let value = buffer.value();
        Ok(match buffer.kind() {
            FAMILY => Self::Family(parse_u16(value).context("an address's family")?),
            ID => Self::Id(parse_u8(value).context("an address's id")?),
            ADDRESS4 | ADDRESS6 => Self::Address(parse_ip(value).context("an address")?),
            PORT => Self::Port(parse_u16(value).context("an address's port")?),
            FLAGS => Self::Flags(parse_u32(value).context("an address's flags")?),
            DEVICE => Self::Device(parse_i32(value).context("an address's device")?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}
