// SPDX-License-Identifier: GPL-2.0

//! The commands about endpoints.

use super::address::{self, Described};
use super::program;
use super::{attribute, command, namespace, ADDRESS_OF, ENDPOINT, SUBFLOW_OF};
use crate::netns::Namespace;
use crate::path_manager::endpoints::AddError;
use crate::path_manager::ends;
use crate::path_manager::notifier::{announce, for_each_connection};
use crate::path_manager::paths::tell;
use kernel::prelude::*;
use knet::genetlink::{Attribute, Command, Listing, Message, Page, Request, Rules};
use mptcp_core::path_manager::{EndpointError, Event};
use mptcp_core::wire::Address;

/// Adds an endpoint.
pub(super) struct Add;

impl Command for Add {
    const NUMBER: u8 = command::ADD_ADDR;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = ENDPOINT.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let new = Described::read(request, from)?.endpoint(request, from)?;
        let namespace = namespace(request)?;
        let added = namespace.configuration.add(request.net(), new);
        let endpoint = added.map_err(|error| match error {
            AddError::Endpoint(error) => refuse(request, from, error),
            AddError::Listen(error) => {
                let number = error.to_errno();
                request.refuse(
                    error,
                    None,
                    format_args!("create listen socket error: {number}"),
                )
            }
        })?;
        announce(namespace, &Event::EndpointReady(endpoint));
        Ok(())
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
        let namespace = namespace(request)?;
        let Some(id) = described.id else {
            remove_first(namespace, described.address);
            return Ok(());
        };
        let removed = namespace.configuration.remove(id);
        let endpoint = removed.map_err(|error| refuse(request, from, error))?;
        announce(namespace, &Event::EndpointGone(endpoint));
        Ok(())
    }
}

/// Tells one endpoint, or all.
pub(super) struct Get;

impl Command for Get {
    const NUMBER: u8 = command::GET_ADDR;
    const ADMINISTRATOR: bool = false;
    const ATTRIBUTES: Rules = ADDRESS_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let id = Described::read(request, from)?.id.unwrap_or_default();
        let endpoint = match request.get(attribute::TOKEN) {
            Some(_) => program::get(request, from, id)?,
            None => {
                let found = namespace(request)?.configuration.read().view().by_id(id);
                found.ok_or_else(|| refuse(request, from, EndpointError::Unknown))?
            }
        };
        let mut answer = Message::answer(request)?;
        address::put(&mut answer.body(), &endpoint)?;
        answer.send(request)
    }
}

impl Listing for Get {
    fn list(request: &Request<'_>, page: &mut Page<'_>) -> Result {
        if request.get(attribute::TOKEN).is_some() {
            return program::list(request, page);
        }
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
        let namespace = namespace(request)?;
        while let Some(endpoint) = namespace.configuration.remove_any() {
            announce(namespace, &Event::EndpointGone(endpoint));
        }
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
        if request.get(attribute::TOKEN).is_some() {
            return program::set_flags(request, from, &described);
        }
        if described.address.is_none() && described.id.is_none() {
            return Err(request.refuse(EOPNOTSUPP, Some(from), "missing address ID"));
        }
        let namespace = namespace(request)?;
        let changed =
            namespace
                .configuration
                .set_flags(described.flags, |endpoints| match described.address {
                    Some(address) => endpoints.at(&address, described.port),
                    None => endpoints.by_id(described.id?),
                });
        let endpoint = changed.map_err(|error| match error {
            EndpointError::Unknown => refuse(request, from, error),
            _ => request.refuse(EINVAL, Some(from), "invalid addr flags"),
        })?;
        announce(namespace, &Event::EndpointChanged(endpoint));
        Ok(())
    }
}

/// The id 0 is each connection's first address, which is no endpoint: it is withdrawn from those
/// connections whose first address this is.
fn remove_first(namespace: &Namespace, address: Option<Address>) {
    let Some(address) = address else { return };
    for_each_connection(namespace, |connection| {
        let (local, _) = ends(&connection.meta().sock().tuple());
        if local.address == address {
            tell(connection, &Event::FirstWithdrawn);
        }
    });
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
