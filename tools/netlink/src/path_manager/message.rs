// SPDX-License-Identifier: GPL-2.0

//! Commands of the path manager and their attributes, MPTCP_PM_CMD_* and MPTCP_PM_ATTR_*.

use super::{
    address::{
        AddressAttribute,
        Endpoint, //
    },
    Limits, //
};
use crate::error::Error;
use netlink_packet_core::{
    emit_u32,
    parse_u32,
    parse_u8,
    DecodeError,
    DefaultNla,
    Emitable,
    ErrorContext,
    Nla,
    NlaBuffer,
    NlasIterator,
    Parseable,
    ParseableParametrized,
    NLA_F_NESTED, //
};
use netlink_packet_generic::{
    GenlFamily,
    GenlHeader, //
};

/// MPTCP_PM_VER: the version of the family.
const VERSION: u8 = 1;

const ADDRESS: u16 = 1;
const ACCEPTED_ADDRESSES: u16 = 2;
const SUBFLOWS: u16 = 3;
const TOKEN: u16 = 4;
const LOCAL_ID: u16 = 5;
const REMOTE_ADDRESS: u16 = 6;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    AddAddress,
    DeleteAddress,
    GetAddress,
    FlushAddresses,
    SetLimits,
    GetLimits,
    SetFlags,
    Announce,
    Remove,
    CreateSubflow,
    DestroySubflow,
}

impl Command {
    fn number(self) -> u8 {
        match self {
            Self::AddAddress => 1,
            Self::DeleteAddress => 2,
            Self::GetAddress => 3,
            Self::FlushAddresses => 4,
            Self::SetLimits => 5,
            Self::GetLimits => 6,
            Self::SetFlags => 7,
            Self::Announce => 8,
            Self::Remove => 9,
            Self::CreateSubflow => 10,
            Self::DestroySubflow => 11,
        }
    }
}

/// A request, or the answer to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    command: u8,
    attributes: Vec<Attribute>,
}

impl Message {
    pub(super) fn new(command: Command, attributes: Vec<Attribute>) -> Self {
        Self {
            command: command.number(),
            attributes,
        }
    }

    /// The endpoint in an answer.
    pub(super) fn endpoint(&self) -> Result<Endpoint, Error> {
        let nest = self
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                Attribute::Address(nest) => Some(nest),
                _ => None,
            });
        nest.map(|nest| Endpoint::from_attributes(nest))
            .ok_or_else(|| Error::Malformed("it has no endpoint".into()))
    }

    /// The limits in an answer.
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for attribute in &self.attributes {
            match attribute {
                Attribute::AcceptedAddresses(count) => limits.add_addr_accepted = Some(*count),
                Attribute::Subflows(count) => limits.subflows = Some(*count),
                _ => {}
            }
        }
        limits
    }
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        "mptcp_pm"
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Message {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        let attributes = NlasIterator::new(bytes)
            .map(|attribute| Attribute::parse(&attribute.context("an attribute")?))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            command: header.cmd,
            attributes,
        })
    }
}

/// One attribute of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Address(Vec<AddressAttribute>),
    AcceptedAddresses(u32),
    Subflows(u32),
    Token(u32),
    LocalId(u8),
    RemoteAddress(Vec<AddressAttribute>),
    Other(DefaultNla),
}

impl Nla for Attribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Address(nest) | Self::RemoteAddress(nest) => nest.as_slice().buffer_len(),
            Self::AcceptedAddresses(_) | Self::Subflows(_) | Self::Token(_) => 4,
            Self::LocalId(_) => 1,
            Self::Other(other) => other.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Address(_) => ADDRESS | NLA_F_NESTED,
            Self::AcceptedAddresses(_) => ACCEPTED_ADDRESSES,
            Self::Subflows(_) => SUBFLOWS,
            Self::Token(_) => TOKEN,
            Self::LocalId(_) => LOCAL_ID,
            Self::RemoteAddress(_) => REMOTE_ADDRESS | NLA_F_NESTED,
            Self::Other(other) => other.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Address(nest) | Self::RemoteAddress(nest) => nest.as_slice().emit(buffer),
            Self::AcceptedAddresses(value) | Self::Subflows(value) | Self::Token(value) => {
                let fits = emit_u32(buffer, *value);
                debug_assert!(fits.is_ok(), "value_len() tells the size of each value");
            }
            Self::LocalId(id) => buffer.fill(*id),
            Self::Other(other) => other.emit_value(buffer),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Attribute {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let value = buffer.value();
        Ok(match buffer.kind() {
            ADDRESS => Self::Address(AddressAttribute::parse_all(value)?),
            ACCEPTED_ADDRESSES => {
                Self::AcceptedAddresses(parse_u32(value).context("the limit of addresses")?)
            }
            SUBFLOWS => Self::Subflows(parse_u32(value).context("the limit of subflows")?),
            TOKEN => Self::Token(parse_u32(value).context("a token")?),
            LOCAL_ID => Self::LocalId(parse_u8(value).context("a local id")?),
            REMOTE_ADDRESS => Self::RemoteAddress(AddressAttribute::parse_all(value)?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

#[cfg(test)]
mod tests;
