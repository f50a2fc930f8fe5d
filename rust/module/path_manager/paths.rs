// SPDX-License-Identifier: GPL-2.0

//! The path manager of a connection.
//!
//! Most connections have one subflow and nobody who wants to know about it. So a path manager is made
//! when there is something to tell it.

use crate::connection::{Connection, Mode};
use crate::netns::Namespace;
use crate::path_manager::endpoints::is_usable;
use crate::path_manager::ends;
use crate::path_manager::event::{self, OfConnection};
use crate::protocol::Mptcp;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::memory::boxed;
use knet::meta::DataGuard;
use knet::netns::{Net, PerNet};
use knet::sock;
use knet::subflow::rto_us;
use knet::time::now_us;
use mptcp_core::path_manager::{
    Admitted, Context, EndpointFlags, EndpointView, Event, Families, JoinRequest, KnownAddresses,
    Mode as Manager, Opened, PathManager, Refusal, Role, SocketAddress, SubflowId,
};
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::{Address, Version};

/// What a connection knows of its addresses and subflows.
#[derive(Default)]
pub(crate) struct Paths {
    manager: Option<KBox<PathManager>>,
    /// A program manages the paths of this connection, not we.
    by_program: bool,
    /// The addresses that the program made known, once there are any.
    known: Option<KBox<Known>>,
    /// The host did not have the first address when somebody looked last.
    first_lost: bool,
}

/// The addresses of a connection whose paths a program manages.
pub(crate) type Known = KnownAddresses<32>;

/// The connection is fully established (RFC 8684 section 3.1). The data lock is held, as for all functions
/// of this file.
pub(crate) fn established(connection: &mut DataGuard<'_, Mptcp>) {
    let Some(namespace) = connection.meta().namespace() else {
        return;
    };
    event::of_connection(connection, OfConnection::Established);
    connection.paths.by_program = namespace.managers.by_program();
    // The peer may have announced an address before.
    let wanted = connection.paths.manager.is_some()
        || connection.paths.by_program
        || namespace.settings.subflows_per_pair() > 1
        || namespace.configuration.count().load(Ordering::Relaxed) > 0;
    if wanted {
        tell(connection, &Event::FullyEstablished);
    }
}

/// Tells the path manager what happened. What is to be done then is done in process context.
pub(crate) fn tell(connection: &mut DataGuard<'_, Mptcp>, event: &Event) {
    if consult(connection, |manager, context| {
        manager.handle(event, context)
    })
    .is_some()
    {
        connection.meta().schedule_work();
    }
}

/// As [`tell`], if there is a path manager. Others have nothing to learn from it.
pub(crate) fn mention(connection: &mut DataGuard<'_, Mptcp>, event: &Event) {
    if connection.paths.manager.is_some() {
        tell(connection, event);
    }
}

/// Whether the peer may open a subflow, which then counts as being opened.
///
/// # Errors
/// Why not.
pub(crate) fn admit(
    connection: &mut DataGuard<'_, Mptcp>,
    request: &JoinRequest,
) -> Result<Admitted, Refusal> {
    let SocketAddress { address, port } = request.local;
    id_of(connection, address, Some(port)).ok_or(Refusal::UnknownAddress)?;
    // RFC 8684 section 3.2: who knows both keys has the SYN/ACK of the first handshake. That its data
    // arrived may not be known here yet, because the subflows' segments overtake each other.
    let admitted = consult(connection, |manager, context| {
        manager.handle(&Event::FullyEstablished, context);
        manager.admit(request, context)
    });
    admitted.unwrap_or_else(|| Err(cannot_manage(connection)))
}

/// Whether a subflow of the peer may come to a place of ours.
///
/// # Errors
/// Why it may not.
pub(crate) fn may_come_to(
    connection: &mut DataGuard<'_, Mptcp>,
    local: &SocketAddress,
) -> Result<(), Refusal> {
    // Nearly all come to the port of the first, about which there is nothing to ask.
    let expected = local.port == connection.meta().sock().tuple().local_port;
    if expected && !connection.policy.deny_join {
        return Ok(());
    }
    consult(connection, |manager, _| manager.may_come_to(local))
        .unwrap_or_else(|| Err(cannot_manage(connection)))
}

/// Why there is no path manager.
fn cannot_manage(connection: &Connection) -> Refusal {
    match connection.has_paths_to_manage() {
        true => Refusal::NoRoom,
        false => Refusal::Over,
    }
}

/// Our id of an address on this connection, and of a port of it if a subflow comes there. An address that
/// nobody configured becomes an endpoint.
pub(crate) fn id_of(
    connection: &mut DataGuard<'_, Mptcp>,
    address: Address,
    port: Option<u16>,
) -> Option<u8> {
    let sock = connection.meta().sock();
    let (first, _) = ends(&sock.tuple());
    if connection.paths.by_program {
        return match address == first.address {
            true => Some(0),
            false => connection.paths.known_mut()?.id_of(address).ok(),
        };
    }
    let configuration = &Namespace::of(sock.net())?.configuration;
    let other = port.filter(|port| *port != first.port);
    if address != first.address {
        return configuration.id_of(address, other);
    }
    let endpoint = other.and_then(|port| configuration.read().view().at(&address, Some(port)));
    Some(endpoint.map_or(0, |endpoint| endpoint.id))
}

/// Our id of an address that a subflow comes to, and whether its subflows are backups.
pub(crate) fn identify(connection: &mut DataGuard<'_, Mptcp>, local: SocketAddress) -> (u8, bool) {
    let id = id_of(connection, local.address, Some(local.port)).unwrap_or_default();
    let namespace = connection.meta().namespace();
    let endpoint = match connection.paths.by_program {
        true => connection.paths.known().of_address(&local.address),
        false => namespace.and_then(|namespace| {
            let configured = namespace.configuration.read();
            configured.view().serving(&local.address, local.port)
        }),
    };
    let backup = endpoint.is_some_and(|endpoint| endpoint.flags.has(EndpointFlags::BACKUP));
    (id, backup)
}

/// The host lost the first address of the connection, or got it back.
pub(crate) fn look_at_first(connection: &mut DataGuard<'_, Mptcp>, net: &Net) {
    let address = ends(&connection.meta().sock().tuple()).0.address;
    let lost = !is_usable(net, &address);
    if core::mem::replace(&mut connection.paths.first_lost, lost) != lost {
        match lost {
            true => tell(connection, &Event::AddressGone(address)),
            false => mention(connection, &Event::AddressReady(address)),
        }
    }
}

/// Asks the path manager, which is made if there is none. `None` if there cannot be one.
pub(crate) fn consult<R>(
    connection: &mut DataGuard<'_, Mptcp>,
    ask: impl FnOnce(&mut PathManager, &Context<'_>) -> R,
) -> Option<R> {
    if !connection.has_paths_to_manage() {
        return None;
    }
    let net = connection.meta().sock().net();
    let namespace = Namespace::of(net)?;
    let new = connection.paths.manager.is_none();
    if new {
        if !connection.fully_established {
            connection.paths.by_program = namespace.managers.by_program();
        }
        connection.paths.manager = Some(begin(connection)?);
    }
    let established = new && connection.fully_established;
    let mut settings = namespace.path_settings();
    if connection.paths.by_program {
        settings.mode = Manager::Userspace {
            listening: super::netlink::is_listening(net),
        };
    }
    let subflows = connection.subflows.live();
    let rto = subflows.map(|(_, subflow)| rto_us(&subflow.sock)).max();
    let Paths {
        manager,
        by_program,
        known,
        ..
    } = &mut connection.paths;
    let manager = manager.as_mut()?;
    let configured = namespace.configuration.read();
    settings.limits = configured.limits();
    let context = Context {
        endpoints: match (by_program, known) {
            (true, Some(known)) => known.view(),
            (true, None) => EndpointView::NONE,
            (false, _) => configured.view(),
        },
        settings: &settings,
        now: now_us(),
        rto: rto.unwrap_or_default(),
    };
    if established {
        manager.handle(&Event::FullyEstablished, &context);
    }
    Some(ask(manager, &context))
}

/// A path manager that knows of the first subflow.
fn begin(connection: &DataGuard<'_, Mptcp>) -> Option<KBox<PathManager>> {
    static VACANT: PathManager = PathManager::VACANT;
    let sock = connection.meta().sock();
    let (local, remote) = ends(&sock.tuple());
    let opened = Opened {
        version: Version::V1,
        role: match connection.client {
            true => Role::Client,
            false => Role::Server,
        },
        local,
        remote,
        families: Families {
            v4: true,
            v6: sock.family() == sock::AF_INET6,
        },
        denied: connection.agreed.deny_join,
        denies: connection.policy.deny_join,
    };
    let mut manager = boxed(&VACANT, GFP_ATOMIC).ok()?;
    manager.begin(&opened, now_us());
    Some(manager)
}

impl Paths {
    /// The path manager, if there is one.
    pub(crate) fn manager(&self) -> Option<&PathManager> {
        self.manager.as_deref()
    }

    /// Whether a program manages the paths of this connection.
    pub(crate) fn by_program(&self) -> bool {
        self.by_program
    }

    /// The addresses that the program made known.
    pub(crate) fn known(&self) -> &Known {
        static NONE: Known = Known::new();
        self.known.as_deref().unwrap_or(&NONE)
    }

    /// The same, to be changed; `None` without memory.
    pub(crate) fn known_mut(&mut self) -> Option<&mut Known> {
        static NONE: Known = Known::new();
        if self.known.is_none() {
            self.known = Some(boxed(&NONE, GFP_ATOMIC).ok()?);
        }
        self.known.as_deref_mut()
    }
}

impl Connection {
    /// Whether subflows may still be opened and addresses announced.
    pub(crate) fn has_paths_to_manage(&self) -> bool {
        self.mode == Mode::Mptcp && !self.aborted && !self.state.subflows_may_close()
    }

    /// The subflow that the path manager calls `name`.
    pub(crate) fn path_named(&self, name: SubflowId) -> Option<PathId> {
        if name == SubflowId::FIRST {
            return self.subflows.first().map(|_| PathId::FIRST);
        }
        let mut subflows = self.subflows.iter();
        subflows
            .find(|(_, subflow)| subflow.name == Some(name))
            .map(|(path, _)| path)
    }

    /// The path manager's name of a subflow.
    pub(crate) fn name_of(&self, path: PathId) -> Option<SubflowId> {
        match path {
            PathId::FIRST => Some(SubflowId::FIRST),
            _ => self.subflows.at(path)?.name,
        }
    }
}
