// SPDX-License-Identifier: GPL-2.0

//! The commands about endpoints.

use super::address::{self, Described};
use super::{attribute, command, namespace, ENDPOINT, ENDPOINT_OF, SUBFLOW_OF};
use kernel::prelude::*;
use knet::genetlink::{Attribute, Command, Listing, Message, Page, Request, Rules};
use mptcp_core::path_manager::EndpointError;

/// Adds an endpoint.
pub(super) struct Add;

impl Command for Add {
    const NUMBER: u8 = command::ADD_ADDR;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = ENDPOINT.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let new = Described::read(request, from)?.endpoint(request, from)?;
        let added = namespace(request)?.configuration.add(request.net(), new);
        added
            .map(drop)
            .map_err(|error| refuse(request, from, error))
    }
}

/// Removes an endpoint.
pub(super) struct Remove;

impl Command for Remove {
    const NUMBER: u8 = command::DEL_ADDR;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = ENDPOINT.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let described = Described::read(request, from)?;
        let Some(id) = described.id else {
            // The id 0 is each connection's first address, which is no endpoint.
            return Ok(());
        };
        let removed = namespace(request)?.configuration.remove(id);
        removed
            .map(drop)
            .map_err(|error| refuse(request, from, error))
    }
}

/// Tells one endpoint, or all.
pub(super) struct Get;

impl Command for Get {
    const NUMBER: u8 = command::GET_ADDR;
    const ADMINISTRATOR: bool = false;
    const ATTRIBUTES: Rules = ENDPOINT_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let id = Described::read(request, from)?.id.unwrap_or_default();
        let found = namespace(request)?.configuration.read().view().by_id(id);
        let endpoint = found.ok_or_else(|| refuse(request, from, EndpointError::Unknown))?;
        let mut answer = Message::answer(request)?;
        address::put(&mut answer.body(), &endpoint)?;
        answer.send(request)
    }
}

impl Listing for Get {
    fn list(request: &Request<'_>, page: &mut Page<'_>) -> Result {
        let configured = namespace(request)?.configuration.read();
        loop {
            let position = page.position();
            let rest = configured.view().iter();
            let rest = rest.filter(|endpoint| isize::from(endpoint.id) > position);
            let Some(next) = rest.min_by_key(|endpoint| endpoint.id) else {
                return Ok(());
            };
            if page
                .entry(request, |body| address::put(body, next))
                .is_err()
            {
                return Ok(());
            }
            page.set_position(next.id.into());
        }
    }
}

/// Removes all endpoints.
pub(super) struct Flush;

impl Command for Flush {
    const NUMBER: u8 = command::FLUSH_ADDRS;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = ENDPOINT.rules();

    fn act(request: &Request<'_>) -> Result {
        while namespace(request)?.configuration.remove_any().is_some() {}
        Ok(())
    }
}

/// Changes the flags backup and fullmesh of an endpoint.
pub(super) struct SetFlags;

impl Command for SetFlags {
    const NUMBER: u8 = command::SET_FLAGS;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = SUBFLOW_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let described = Described::read(request, from)?;
        if described.address.is_none() && described.id.is_none() {
            return Err(request.refuse(EOPNOTSUPP, Some(from), "missing address ID"));
        }
        let changed = namespace(request)?
            .configuration
            .set_flags(described.flags, |endpoints| match described.address {
                Some(address) => endpoints.at(&address, described.port),
                None => endpoints.by_id(described.id?),
            });
        changed.map(drop).map_err(|error| match error {
            EndpointError::Unknown => refuse(request, from, error),
            _ => request.refuse(EINVAL, Some(from), "invalid addr flags"),
        })
    }
}

/// The error to end with, in the kernel's own words.
fn refuse<'a>(request: &Request<'a>, from: Attribute<'a>, error: EndpointError) -> Error {
    let wrong = |words| request.refuse(EINVAL, Some(from), words);
    let taken = |error: Error| {
        let number = error.to_errno();
        request.refuse(
            error,
            None,
            format_args!("too many addresses or duplicate one: {number}"),
        )
    };
    match error {
        EndpointError::PortNeedsSignal => {
            wrong("flags must have signal and not subflow when using port")
        }
        EndpointError::SignalledFullmesh => wrong("flags mustn't have both signal and fullmesh"),
        EndpointError::Implicit => wrong("can't create IMPLICIT endpoint"),
        EndpointError::Unknown | EndpointError::IdZero => wrong("address not found"),
        EndpointError::IdTaken => taken(EBUSY),
        EndpointError::AddressTaken => taken(EEXIST),
        EndpointError::Full => taken(ERANGE),
    }
}
