// SPDX-License-Identifier: GPL-2.0

//! Which addresses are announced, and which subflows are opened and closed
//! (RFC 8684 sections 3.2, 3.3.8, 3.4 and 3.6).
//!
//! [`Endpoints`] are the addresses that the administrator of a network namespace configured, and
//! [`Settings`] what else is configured there. Each connection has a [`PathManager`]. It is told
//! [`Event`]s and asked for [`Action`]s:
//!
//! ```text
//!   handle(event) ──►┌─────────────┐──► poll() until it answers None
//!    admit(join)  ──►│ PathManager │
//! command(order)  ──►└─────────────┘──► deadline(): when to poll without an event
//! ```
//!
//! It compares the subflows that there should be with those that there are, so the order of
//! events does not matter: an endpoint that appears, a limit that rises, a subflow that dies and
//! a rest that is over all lead to the same question.
//!
//! Everything is bounded. A peer can neither make it grow nor make this host open subflows faster
//! than a fixed rate.

mod action;
mod admission;
mod allowance;
mod announcement;
mod command;
mod endpoint;
mod event;
mod ids;
mod known;
mod list;
mod path;
mod remote;
mod settings;
mod voice;
mod wanted;

pub use action::{Action, Farewell, LocalSide, Open};
pub use admission::{Admitted, JoinRequest, Refusal};
pub use announcement::Announcement;
pub use command::{Command, CommandError};
pub use endpoint::{Endpoint, EndpointError, EndpointFlags, EndpointView, Endpoints, NewEndpoint};
pub use event::Event;
pub use known::KnownAddresses;
pub use path::{End, SocketAddress, SubflowId};
pub use settings::{Context, Limits, Mode, Settings};

use crate::wire::{Address, Version};
use allowance::Allowance;
use announcement::Announced;
use ids::IdSet;
use list::List;
use path::{Origin, Path, State};
use remote::Remote;
use voice::Voice;

/// The most subflows of a connection, the first and those that rest after a failure included.
pub const MAX_SUBFLOWS: usize = 32;
/// The most addresses that a connection announces.
pub const MAX_ANNOUNCED: usize = 16;
/// The most addresses announced by the peer that a connection uses.
pub const MAX_REMOTES: usize = 8;

/// Which end of a connection this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It sent the first SYN.
    Client,
    /// It answered it.
    Server,
}

/// The address families that a connection may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

/// What is known of a connection when its first subflow was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Opened {
    /// The version that the handshake agreed on.
    pub version: Version,
    /// Which end this is.
    pub role: Role,
    /// The local side of the first subflow; its address has the id 0.
    pub local: SocketAddress,
    /// The remote side of the first subflow; its address has the id 0.
    pub remote: SocketAddress,
    /// The families that later subflows may use.
    pub families: Families,
    /// Whether the peer forbade joins to its first address and port (the C flag,
    /// RFC 8684 section 3.1).
    pub denied: bool,
    /// Whether we did.
    pub denies: bool,
}

/// The addresses and subflows of one connection.
#[derive(Clone, Copy, Debug)]
pub struct PathManager {
    version: Version,
    role: Role,
    local: SocketAddress,
    remote: SocketAddress,
    families: Families,
    denied: bool,
    denies: bool,
    established: bool,
    ended: bool,
    /// The host lost the first local address.
    first_local_gone: bool,
    /// The peer removed its first address.
    first_remote_gone: bool,
    paths: List<Path, MAX_SUBFLOWS>,
    last_id: SubflowId,
    announced: List<Announced, MAX_ANNOUNCED>,
    remotes: List<Remote, MAX_REMOTES>,
    /// Announcements of the peer that are to be confirmed.
    echoes: List<Announcement, MAX_REMOTES>,
    /// Our address ids that are to be removed at the peer.
    departing: IdSet,
    allowance: Allowance,
    /// When the allowance lets the next subflow be opened, if one waits for it.
    allowed_at: Option<u64>,
    /// When the next segment without data may go out, if an option waits for it.
    speech_at: Option<u64>,
}

impl PathManager {
    /// How many ids are put into one REMOVE_ADDR. Linux peers ignore the option if it has more.
    const IDS_PER_OPTION: usize = 8;

    /// Of a connection that [`begin`](Self::begin) has not told of yet, which asks for nothing.
    pub const VACANT: Self = Self {
        version: Version::V1,
        role: Role::Client,
        local: SocketAddress::UNKNOWN,
        remote: SocketAddress::UNKNOWN,
        families: Families {
            v4: false,
            v6: false,
        },
        denied: false,
        denies: false,
        established: false,
        ended: false,
        first_local_gone: false,
        first_remote_gone: false,
        paths: List::new(),
        last_id: SubflowId::FIRST,
        announced: List::new(),
        remotes: List::new(),
        echoes: List::new(),
        departing: IdSet::EMPTY,
        allowance: Allowance::new(),
        allowed_at: None,
        speech_at: None,
    };

    /// A connection with its first subflow, at the time `now` in microseconds.
    pub fn new(opened: &Opened, now: u64) -> Self {
        let mut manager = Self::VACANT;
        manager.begin(opened, now);
        manager
    }

    /// Makes a [vacant](Self::VACANT) one that of a connection with its first subflow, at the time
    /// `now` in microseconds. It is large: who has little stack copies a static one in place.
    // rfc8684:3.2-12
    pub fn begin(&mut self, opened: &Opened, now: u64) {
        self.version = opened.version;
        self.role = opened.role;
        self.local = opened.local;
        self.remote = opened.remote;
        self.families = opened.families;
        self.denied = opened.denied;
        self.denies = opened.denies;
        self.paths.push(Path {
            id: SubflowId::FIRST,
            origin: Origin::First,
            local_id: Some(0),
            remote_id: 0,
            remote: opened.remote,
            local_backup: false,
            remote_backup: false,
            priority_due: false,
            worked: true,
            failures: 0,
            voice: Voice::FRESH,
            state: State::Live {
                since: now,
                probe: None,
            },
        });
    }

    /// How many subflows there are beside the first, those that are being opened included.
    #[inline]
    pub fn extra_subflows(&self) -> usize {
        self.paths.count(Path::is_extra)
    }

    /// Whether a subflow is to be used only when no other works, because either end said so
    /// (RFC 8684 section 3.3.8); `None` if there is no such subflow.
    #[inline]
    pub fn is_backup(&self, subflow: SubflowId) -> Option<bool> {
        let path = self.paths.iter().find(|path| path.id == subflow)?;
        Some(path.local_backup || path.remote_backup)
    }

    /// Our id of an endpoint on this connection: 0 if it is the first address.
    #[inline]
    fn local_id(&self, endpoint: &Endpoint) -> u8 {
        let first_port = endpoint.port.is_none_or(|port| port == self.local.port);
        match endpoint.address == self.local.address && first_port {
            true => 0,
            false => endpoint.id,
        }
    }

    #[inline]
    fn path_mut(&mut self, subflow: SubflowId) -> Option<&mut Path> {
        self.paths.iter_mut().find(|path| path.id == subflow)
    }
}

impl Families {
    #[inline]
    const fn include(self, address: &Address) -> bool {
        match address {
            Address::V4(_) => self.v4,
            Address::V6(_) => self.v6,
        }
    }
}

#[cfg(test)]
mod tests;
