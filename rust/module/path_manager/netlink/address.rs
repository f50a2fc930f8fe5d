// SPDX-License-Identifier: GPL-2.0

//! Addresses in netlink messages.

use super::attribute;
use crate::path_manager::core_address;
use kernel::prelude::*;
use knet::genetlink::{Attribute, Body, Kind, Policy, Request};
use knet::sock::{self, AF_INET, AF_INET6};
use mptcp_core::path_manager::{Endpoint, EndpointFlags, NewEndpoint};
use mptcp_core::wire::Address;

const FAMILY: u16 = 1;
const ID: u16 = 2;
const ADDR4: u16 = 3;
const ADDR6: u16 = 4;
const PORT: u16 = 5;
const FLAGS: u16 = 6;
const IF_IDX: u16 = 7;

/// What the attributes must be.
pub(super) static POLICY: Policy<8> = Policy::new([
    Kind::None,
    Kind::U16,
    Kind::U8,
    Kind::Be32,
    Kind::Octets(16),
    Kind::U16,
    Kind::U32,
    Kind::S32,
]);

/// An address as a program describes it.
pub(super) struct Described {
    /// `None` if the message has no family.
    pub(super) address: Option<Address>,
    /// `None` if it has no id, or 0, which stands for none.
    pub(super) id: Option<u8>,
    pub(super) port: Option<u16>,
    /// Without the bits that mean nothing.
    pub(super) flags: EndpointFlags,
    pub(super) interface: u32,
}

impl Described {
    /// Reads the attribute `from`.
    ///
    /// # Errors
    /// EINVAL or ERANGE; the answer to the request says what is wrong.
    pub(super) fn read<'a>(request: &Request<'a>, from: Attribute<'a>) -> Result<Self> {
        let refuse = |words| request.refuse(EINVAL, Some(from), words);
        let attributes = from.nested(&POLICY, request)?;
        let address = match attributes.u16(FAMILY) {
            None => None,
            Some(family) => {
                let octets = match family {
                    AF_INET => attributes
                        .get(ADDR4)
                        .map(|octets| octets.octets().map(Address::V4)),
                    // An IPv4 address written as IPv6 is that IPv4 address.
                    AF_INET6 => attributes.get(ADDR6).map(|octets| {
                        let octets = octets.octets()?;
                        Some(core_address(&sock::Address::V6(octets)))
                    }),
                    _ => return Err(refuse("unknown address family")),
                };
                Some(
                    octets
                        .flatten()
                        .ok_or_else(|| refuse("missing address data"))?,
                )
            }
        };
        // What the kernel's own does not know it ignores.
        let flags = attributes.u32(FLAGS).unwrap_or_default() & EndpointFlags::ALL.bits();
        Ok(Self {
            address,
            id: attributes.u8(ID).filter(|id| *id != 0),
            port: attributes.u16(PORT).filter(|port| *port != 0),
            flags: EndpointFlags::from_bits(flags).unwrap_or_default(),
            interface: attributes.u32(IF_IDX).unwrap_or_default(),
        })
    }

    /// The endpoint that it asks for.
    ///
    /// # Errors
    /// EINVAL without an address; the answer to the request says so.
    pub(super) fn endpoint<'a>(
        &self,
        request: &Request<'a>,
        from: Attribute<'a>,
    ) -> Result<NewEndpoint> {
        let address = self
            .address
            .ok_or_else(|| request.refuse(EINVAL, Some(from), "missing family"))?;
        Ok(NewEndpoint {
            id: self.id,
            address,
            port: self.port,
            flags: self.flags,
            interface: self.interface,
        })
    }
}

/// Adds an endpoint to a message.
pub(super) fn put(body: &mut Body<'_>, endpoint: &Endpoint) -> Result {
    body.nest(attribute::ADDR, |body| {
        let family = match endpoint.address {
            Address::V4(_) => AF_INET,
            Address::V6(_) => AF_INET6,
        };
        body.put_u16(FAMILY, family)?;
        body.put_u16(PORT, endpoint.port.unwrap_or_default())?;
        body.put_u8(ID, endpoint.id)?;
        body.put_u32(FLAGS, endpoint.flags.bits())?;
        if endpoint.interface != 0 {
            body.put_u32(IF_IDX, endpoint.interface)?;
        }
        match endpoint.address {
            Address::V4(octets) => body.put(ADDR4, &octets),
            Address::V6(octets) => body.put(ADDR6, &octets),
        }
    })
}
