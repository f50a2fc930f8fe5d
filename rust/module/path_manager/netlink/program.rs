// SPDX-License-Identifier: GPL-2.0

//! The commands of a program that manages the paths of a connection.

use super::address::{self, Described};
use super::{attribute, command, namespace, ADDRESS_OF, REMOVE, SUBFLOW_OF};
use crate::path_manager::action;
use crate::path_manager::ends;
use crate::path_manager::paths::{consult, Known};
use crate::protocol::{Meta, Mptcp};
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::genetlink::{Attribute, Page, Request, Rules};
use knet::meta::OwnerGuard;
use mptcp_core::path_manager::{
    self as core_manager, Announcement, CommandError, Endpoint, EndpointError, EndpointFlags,
    LocalSide, NewEndpoint, Open, SocketAddress, SubflowId,
};

/// Announces an address.
pub(super) struct Announce;

impl knet::genetlink::Command for Announce {
    const NUMBER: u8 = command::ANNOUNCE;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = ADDRESS_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let meta = connection_of(request)?;
        let described = Described::read(request, from)?;
        let address = described.endpoint(request, from)?.address;
        let refuse = |words| request.refuse(EINVAL, Some(from), words);
        let address_id = described.id.ok_or_else(|| refuse("invalid addr id"))?;
        if !described.flags.has(EndpointFlags::SIGNAL) {
            return Err(refuse("invalid addr flags"));
        }
        let announcement = Announcement {
            address_id,
            address,
            port: described.port,
        };
        let mut owner = meta.lock();
        note(&meta, address_id, described.endpoint(request, from)?)
            .map_err(|_| refuse("did not match address and id"))?;
        order(&mut owner, &core_manager::Command::Announce(announcement))
            .map(drop)
            .map_err(|error| refuse(words_of(error)))
    }
}

/// Withdraws an address.
pub(super) struct Remove;

impl knet::genetlink::Command for Remove {
    const NUMBER: u8 = command::REMOVE;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = REMOVE.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::LOC_ID)?;
        let meta = connection_of(request)?;
        let [address_id] = from.octets().ok_or(EINVAL)?;
        let mut owner = meta.lock();
        let withdraw = core_manager::Command::Withdraw { address_id };
        // The id 0 is the first address, which nobody needs to make known.
        let done = match address_id {
            0 => order(&mut owner, &withdraw).is_ok(),
            _ => {
                let known = with_known(&meta, |known| known.forget(address_id).is_ok());
                // It may have been neither announced nor used.
                known && !matches!(order(&mut owner, &withdraw), Err(CommandError::NotNow))
            }
        };
        if done {
            return Ok(());
        }
        let words = "address with id";
        Err(request.refuse(
            EINVAL,
            Some(from),
            format_args!("{words} {address_id} not found"),
        ))
    }
}

/// Opens a subflow.
pub(super) struct Create;

impl knet::genetlink::Command for Create {
    const NUMBER: u8 = command::SUBFLOW_CREATE;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = SUBFLOW_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let to = request.require(attribute::ADDR_REMOTE)?;
        let meta = connection_of(request)?;
        let local = Described::read(request, from)?;
        let address = local.endpoint(request, from)?.address;
        if local.flags.has(EndpointFlags::SIGNAL) {
            return Err(request.refuse(EINVAL, Some(from), "invalid addr flags"));
        }
        let remote = Described::read(request, to)?;
        let (_, first) = ends(&meta.sock().tuple());
        let order_open = core_manager::Command::Open {
            local: LocalSide {
                id: local.id.unwrap_or_default(),
                address,
                interface: local.interface,
            },
            remote: SocketAddress {
                address: remote.endpoint(request, to)?.address,
                port: remote.port.unwrap_or(first.port),
            },
            remote_id: remote.id.unwrap_or_default(),
            backup: local.flags.has(EndpointFlags::BACKUP),
        };
        let mut owner = meta.lock();
        let id = local.id.unwrap_or_default();
        let mut noted = local.endpoint(request, from)?;
        noted.flags = noted.flags.with(EndpointFlags::SUBFLOW);
        let is_new = note(&meta, id, noted)
            .map_err(|_| request.refuse(EINVAL, Some(from), "did not match address and id"))?;
        let forget = || {
            if is_new {
                with_known(&meta, |known| known.forget(id).ok());
            }
        };
        let open = order(&mut owner, &order_open).map_err(|error| {
            forget();
            request.refuse(EINVAL, None, words_of(error))
        })?;
        match open.map(|open| action::open(&owner, &open)) {
            Some(Err(error)) => {
                forget();
                let number = error.to_errno();
                Err(request.refuse(error, None, format_args!("connect error: {number}")))
            }
            _ => Ok(()),
        }
    }
}

/// Closes a subflow.
pub(super) struct Destroy;

impl knet::genetlink::Command for Destroy {
    const NUMBER: u8 = command::SUBFLOW_DESTROY;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = SUBFLOW_OF.rules();

    fn act(request: &Request<'_>) -> Result {
        let from = request.require(attribute::ADDR)?;
        let to = request.require(attribute::ADDR_REMOTE)?;
        let meta = connection_of(request)?;
        let (local, remote) = (end(request, from)?, end(request, to)?);
        if !local.address.same_family(&remote.address) {
            return Err(request.refuse(EINVAL, None, "address families do not match"));
        }
        if local.port == 0 {
            return Err(request.refuse(EINVAL, Some(from), "missing local port"));
        }
        if remote.port == 0 {
            return Err(request.refuse(EINVAL, Some(to), "missing remote port"));
        }
        let mut owner = meta.lock();
        let subflow = named(&meta, |ends| ends == (local, remote));
        let unknown = || request.refuse(ESRCH, None, "subflow not found");
        let subflow = subflow.ok_or_else(unknown)?;
        with_known(&meta, |known| {
            let entry = known.of_address(&local.address)?;
            known.forget(entry.id).ok()
        });
        order(&mut owner, &core_manager::Command::Close { subflow })
            .map(drop)
            .map_err(|_| unknown())
    }
}

/// Changes whether a subflow of one connection is a backup.
pub(super) fn set_flags<'a>(
    request: &Request<'a>,
    from: Attribute<'a>,
    described: &Described,
) -> Result {
    let to = request.require(attribute::ADDR_REMOTE)?;
    let meta = connection_of(request)?;
    let local = described
        .address
        .ok_or_else(|| request.refuse(EINVAL, Some(from), "invalid local address family"))?;
    let remote = end(request, to)?;
    let fits = |place: SocketAddress, address, port| {
        place.address == address && (port == 0 || place.port == port)
    };
    let mut owner = meta.lock();
    let subflow = named(&meta, |(here, there)| {
        fits(here, local, described.port.unwrap_or_default())
            && fits(there, remote.address, remote.port)
    });
    let backup = described.flags.has(EndpointFlags::BACKUP);
    with_known(&meta, |known| known.set_backup(&local, backup));
    let unknown = || request.refuse(EINVAL, None, "subflow not found");
    let subflow = subflow.ok_or_else(unknown)?;
    order(
        &mut owner,
        &core_manager::Command::Priority { subflow, backup },
    )
    .map(drop)
    .map_err(|_| unknown())
}

/// Tells the address with this id that is known of a connection.
pub(super) fn get<'a>(request: &Request<'a>, from: Attribute<'a>, id: u8) -> Result<Endpoint> {
    let unknown = || request.refuse(EINVAL, Some(from), "address not found");
    let meta = connection_of(request).map_err(|_| unknown())?;
    let known = meta.lock_data().paths.known().view().by_id(id);
    known.ok_or_else(unknown)
}

/// Adds the addresses that are known of a connection to a part of a list, the oldest first.
pub(super) fn list(request: &Request<'_>, page: &mut Page<'_>) -> Result {
    let meta = connection_of(request)?;
    let connection = meta.lock_data();
    let told = usize::try_from(page.position()).unwrap_or_default();
    for known in connection.paths.known().view().iter().skip(told) {
        if page
            .entry(request, |body| address::put(body, known))
            .is_err()
        {
            break;
        }
        page.set_position(page.position().saturating_add(1));
    }
    Ok(())
}

/// Takes note of an address with its id, and of whether it is new.
fn note(meta: &Meta, id: u8, new: NewEndpoint) -> core::result::Result<bool, EndpointError> {
    let mut connection = meta.lock_data();
    let known = connection.paths.known_mut().ok_or(EndpointError::Full)?;
    known.note(id, new)
}

/// Lets `act` act on the known addresses of a connection, if there are any.
fn with_known<R: Default>(meta: &Meta, act: impl FnOnce(&mut Known) -> R) -> R {
    let mut connection = meta.lock_data();
    let any = connection.paths.known().view().iter().next().is_some();
    let known = any.then(|| connection.paths.known_mut()).flatten();
    known.map(act).unwrap_or_default()
}

/// The connection that a program speaks of, if it manages its paths.
fn connection_of(request: &Request<'_>) -> Result<ARef<Meta>> {
    let from = request.require(attribute::TOKEN)?;
    let token = request.u32(attribute::TOKEN).ok_or(EINVAL)?;
    let meta = namespace(request)?
        .tokens
        .find(token)
        .ok_or_else(|| request.refuse(EINVAL, Some(from), "invalid token"))?;
    if !meta.lock_data().paths.by_program() {
        return Err(request.refuse(EINVAL, Some(from), "userspace PM not selected"));
    }
    Ok(meta)
}

/// One end of a subflow; the port is 0 if the message has none.
fn end<'a>(request: &Request<'a>, from: Attribute<'a>) -> Result<SocketAddress> {
    let described = Described::read(request, from)?;
    Ok(SocketAddress {
        address: described.endpoint(request, from)?.address,
        port: described.port.unwrap_or_default(),
    })
}

/// The path manager's name of the first subflow whose ends `fit`, ours first.
fn named(meta: &Meta, fit: impl Fn((SocketAddress, SocketAddress)) -> bool) -> Option<SubflowId> {
    let connection = meta.lock_data();
    let mut subflows = connection.subflows.iter();
    let (path, _) = subflows.find(|(_, subflow)| fit(ends(&subflow.sock.tuple())))?;
    connection.name_of(path)
}

/// Has an order obeyed, but for opening a subflow.
fn order(
    owner: &mut OwnerGuard<'_, Mptcp>,
    order: &core_manager::Command,
) -> core::result::Result<Option<Open>, CommandError> {
    let meta = owner.meta();
    let obeyed = consult(&mut meta.lock_data(), |manager, context| {
        manager.command(order, context)
    });
    let open = obeyed.unwrap_or(Err(CommandError::NotNow))?;
    action::work(owner);
    Ok(open)
}

const fn words_of(error: CommandError) -> &'static str {
    match error {
        CommandError::NotInCharge => "userspace PM not selected",
        CommandError::NotNow => "the connection is not established, or ends",
        CommandError::NoRoom => "too many addresses or subflows",
        CommandError::Unknown => "subflow not found",
        CommandError::Family => "families mismatch",
    }
}
