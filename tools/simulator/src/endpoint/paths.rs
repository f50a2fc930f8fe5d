// SPDX-License-Identifier: GPL-2.0

//! The core's path manager, and the host around it: addresses that come and go, orders of the
//! administrator.

mod kind;

pub use kind::{Happening, PathsKind};

use super::handshake::Library;
use super::subflow::Saying;
use super::{Endpoint, Mode};
use crate::segment::Time;
use mptcp_core::connection::departure;
use mptcp_core::connection::ending::may_be_rejoined;
use mptcp_core::connection::speech::Reset;
use mptcp_core::path_manager::{
    Action, Admitted, Announcement, Context, Endpoint as Configured, EndpointFlags, Endpoints,
    Event, Families, Farewell, JoinRequest, Limits, Mode as Decider, NewEndpoint, Open, Opened,
    PathManager, Role, Settings, SocketAddress, SubflowId,
};
use mptcp_core::wire::{Address, MpPrio, MpTcpRst, Received, ResetReason, Version};

/// The path manager of a connection and what it looks at.
#[derive(Debug)]
pub(super) struct Paths {
    manager: PathManager,
    endpoints: Endpoints<8>,
    settings: Settings,
    established: bool,
    /// The local address of the first subflow.
    first: Address,
    /// Addresses that the host lost.
    lost: Vec<Address>,
    /// The next of the happenings.
    next: usize,
    /// The next port to connect from.
    port: u16,
}

impl Paths {
    fn new(kind: &PathsKind, opened: &Opened, now: Time) -> Self {
        let mut endpoints = Endpoints::new();
        for &(address, port, flags) in &kind.endpoints {
            let new = NewEndpoint {
                id: None,
                address,
                port,
                flags,
                interface: 0,
            };
            endpoints.add(new).expect("no address is named twice");
        }
        let settings = Settings {
            mode: Decider::Kernel,
            limits: Limits {
                extra_subflows: kind.extra_subflows,
                accepted_addresses: kind.accepted_addresses,
            },
            subflows_per_pair: kind.subflows_per_pair,
            add_addr_timeout: kind.add_addr_timeout,
        };
        Self {
            manager: PathManager::new(opened, now),
            endpoints,
            settings,
            established: false,
            first: opened.local.address,
            lost: Vec::new(),
            next: 0,
            port: 20_000,
        }
    }

    fn ask<T>(
        &mut self,
        (now, rto): (Time, u32),
        ask: impl FnOnce(&mut PathManager, &Context<'_>) -> T,
    ) -> T {
        let context = Context {
            endpoints: self.endpoints.view(),
            settings: &self.settings,
            now,
            rto,
        };
        ask(&mut self.manager, &context)
    }
}

impl Endpoint {
    /// The connection speaks MPTCP from now on.
    pub(super) fn begin_managing(&mut self, at: usize) {
        let (local, remote) = self.subflows[at].tcp.places();
        let opened = Opened {
            version: self.agreed.version,
            role: if self.client {
                Role::Client
            } else {
                Role::Server
            },
            local: local.into(),
            remote: remote.into(),
            families: Families { v4: true, v6: true },
            denied: self.agreed.deny_join,
            denies: self.policy().deny_join,
        };
        let kind = self.kind.paths.as_ref();
        self.paths = kind.map(|kind| Paths::new(kind, &opened, self.now));
    }

    /// Whether the host lost an address.
    pub(super) fn has_lost(&self, address: Address) -> bool {
        let paths = self.paths.as_ref();
        paths.is_some_and(|paths| paths.lost.contains(&address))
    }

    /// Whether a subflow counts as a backup.
    pub(super) fn is_backup(&self, subflow: SubflowId) -> bool {
        let paths = self.paths.as_ref();
        paths.is_some_and(|paths| paths.manager.is_backup(subflow) == Some(true))
    }

    /// Time and longest retransmission timeout.
    fn moment(&self) -> (Time, u32) {
        let live = self.subflows.iter().filter(|one| one.is_established());
        let rto = live.map(|one| one.tcp.sending().rto()).max();
        (self.now, rto.unwrap_or(0) as u32)
    }

    pub(super) fn tell_paths(&mut self, event: &Event) {
        let moment = self.moment();
        if let Some(paths) = self.paths.as_mut() {
            paths.ask(moment, |manager, context| manager.handle(event, context));
        }
    }

    /// Whether a join is welcome.
    pub(super) fn admit(&mut self, request: &JoinRequest) -> Result<Admitted, MpTcpRst> {
        let moment = self.moment();
        let paths = self.paths.as_mut().ok_or(MpTcpRst {
            transient: false,
            reason: ResetReason::ADMINISTRATIVELY_PROHIBITED,
        })?;
        let admitted = paths.ask(moment, |manager, context| manager.admit(request, context));
        admitted.map_err(|refusal| refusal.rst())
    }

    /// Whether a connection without subflows may get another.
    pub(super) fn waits_for_subflow(&self) -> bool {
        self.paths.is_some() && may_be_rejoined(&self.rest(), self.fully_established)
    }

    /// What came on a subflow about addresses and priorities.
    pub(super) fn hear_of_paths(&mut self, at: usize, received: &Received) {
        let subflow = self.subflows[at].id;
        if let Some(option) = received.add_addr {
            let peer = self.keys().reversed();
            let announcement = match (self.agreed.version, option.hmac) {
                // RFC 6824 section 3.4.1: there is neither HMAC nor echo.
                (Version::V0, _) => Some(Announcement::of(&option)),
                (Version::V1, None) => {
                    self.tell_paths(&Event::Echoed(Announcement::of(&option)));
                    None
                }
                (Version::V1, Some(_)) => Announcement::verified(&option, peer, &Library),
            };
            if let Some(announcement) = announcement {
                self.tell_paths(&Event::Announced {
                    announcement,
                    on: subflow,
                });
            }
        }
        if let Some(option) = received.remove_addr {
            self.tell_paths(&Event::Removed(option));
        }
        if let Some(MpPrio { backup }) = received.mp_prio {
            self.tell_paths(&match received.mp_prio_address {
                Some(remote_id) => Event::AddressPriority { remote_id, backup },
                None => Event::Priority { subflow, backup },
            });
        }
    }

    /// A segment came on a subflow.
    pub(super) fn on_heard(&mut self, at: usize) {
        let subflow = self.subflows[at].id;
        self.tell_paths(&Event::Heard { subflow });
    }

    /// When the path manager or the host is due.
    pub(super) fn paths_due(&self) -> Option<Time> {
        let paths = self.paths.as_ref()?;
        let happenings = self.kind.paths.iter().flat_map(|kind| &kind.happenings);
        let mut happenings = happenings.skip(paths.next).map(|(at, _)| *at);
        let happening = happenings.next().filter(|_| !self.ended);
        let manager = paths.manager.deadline().filter(|_| !self.ended);
        happening.into_iter().chain(manager).min()
    }

    /// How much happened at the host.
    pub fn happened(&self) -> usize {
        self.paths.as_ref().map_or(0, |paths| paths.next)
    }

    /// Lets happen what is due at the host.
    pub(super) fn happen(&mut self) {
        while let Some(paths) = self.paths.as_mut() {
            let kind = self.kind.paths.as_ref();
            let due = kind.and_then(|kind| kind.happenings.get(paths.next));
            let Some(&(_, what)) = due.filter(|(at, _)| *at <= self.now) else {
                return;
            };
            paths.next += 1;
            if let Some(event) = paths.change(what) {
                self.tell_paths(&event);
            }
        }
    }

    /// Does what the path manager wants.
    pub(super) fn manage_paths(&mut self) {
        if self.ended || self.aborted || self.mode != Mode::Mptcp {
            return;
        }
        let moment = self.moment();
        let fully = self.fully_established;
        let Some(paths) = self.paths.as_mut() else {
            return;
        };
        if fully && !paths.established {
            paths.established = true;
            self.tell_paths(&Event::FullyEstablished);
        }
        while let Some(action) = self
            .paths
            .as_mut()
            .and_then(|paths| paths.ask(moment, PathManager::poll))
        {
            self.carry_out(&action);
        }
    }

    fn carry_out(&mut self, action: &Action) {
        let keys = self.keys();
        match *action {
            Action::Echo { announcement, via } => self.say(via, Saying::Add(announcement.echo())),
            Action::Announce { announcement, via } => {
                let option = match self.agreed.version {
                    // RFC 6824 section 3.4.1: there is no HMAC.
                    Version::V0 => announcement.echo(),
                    Version::V1 => announcement.signed(keys, &Library),
                };
                self.say(via, Saying::Add(option));
            }
            Action::Remove { option, via } => self.say(via, Saying::Remove(option)),
            Action::Priority { subflow, backup } => {
                self.say(subflow, Saying::Prio(MpPrio { backup }));
            }
            Action::Probe { subflow } => {
                if let Some(at) = self.subflow_named(subflow) {
                    self.subflows[at].tcp.ask();
                }
            }
            Action::Close { subflow, farewell } => self.close_subflow(subflow, farewell),
            Action::Open(open) => self.open(&open),
        }
    }

    fn subflow_named(&self, id: SubflowId) -> Option<usize> {
        self.subflows.iter().position(|one| one.id == id)
    }

    fn say(&mut self, via: SubflowId, saying: Saying) {
        if let Some(at) = self.subflow_named(via) {
            let subflow = &mut self.subflows[at];
            subflow.sayings.push_back(saying);
            subflow.tcp.acknowledge();
        }
    }

    fn close_subflow(&mut self, subflow: SubflowId, farewell: Farewell) {
        let Some(at) = self.subflow_named(subflow) else {
            return;
        };
        match departure::farewell(farewell, self.joined) {
            Farewell::Fin => self.leave(at),
            Farewell::Reset(reason) => {
                // What the REMOVE_ADDR has to say goes first.
                self.flush();
                self.send_reset(at, Reset::Reason(reason));
            }
        }
    }

    fn open(&mut self, open: &Open) {
        let routed = self.routed(&open.remote.address);
        let Some(paths) = self.paths.as_mut() else {
            return;
        };
        let (address, id) = match (open.local, routed) {
            (Some(local), _) => (local.address, local.id),
            (None, Some(address)) => {
                let id = match address == paths.first {
                    true => 0,
                    false => paths.endpoints.id_of(address).unwrap_or(0),
                };
                (address, id)
            }
            (None, None) => {
                return self.tell_paths(&Event::SubflowEnded {
                    subflow: open.subflow,
                    end: mptcp_core::path_manager::End::Unreachable,
                })
            }
        };
        paths.port = paths.port.wrapping_add(1).max(20_000);
        let local = SocketAddress {
            address,
            port: paths.port,
        };
        if open.local.is_none() {
            self.tell_paths(&Event::Bound {
                subflow: open.subflow,
                local_id: id,
            });
        }
        self.join(open, id, (local.into(), open.remote.into()));
    }

    /// The address that routing chooses: the first that the host has in the family of the remote
    /// one.
    fn routed(&self, remote: &Address) -> Option<Address> {
        let first = self.paths.as_ref()?.first;
        let kind = self.kind.paths.as_ref()?;
        let others = kind.endpoints.iter().map(|(address, ..)| *address);
        let mut all = std::iter::once(first).chain(others);
        all.find(|address| address.same_family(remote) && !self.has_lost(*address))
    }
}

impl Paths {
    /// The endpoint of an address, whatever port is announced with it.
    fn at(&self, address: Address) -> Option<Configured> {
        let mut all = self.endpoints.view().iter();
        all.find(|endpoint| endpoint.address == address).copied()
    }

    /// Takes note of a happening; returns what the path manager is told.
    fn change(&mut self, what: Happening) -> Option<Event> {
        match what {
            Happening::Gone(address) => {
                self.lost.push(address);
                self.endpoints.set_usable(&address, false);
                Some(Event::AddressGone(address))
            }
            Happening::Back(address) => {
                self.lost.retain(|one| *one != address);
                self.endpoints.set_usable(&address, true);
                Some(Event::AddressReady(address))
            }
            Happening::Backup(address, backup) => {
                let endpoint = self.at(address)?;
                let fullmesh = endpoint.flags.has(EndpointFlags::FULLMESH);
                let changed = self.endpoints.set_flags(endpoint.id, backup, fullmesh);
                changed.ok().map(Event::EndpointChanged)
            }
            Happening::Withdrawn(address) => {
                let endpoint = self.at(address)?;
                let removed = self.endpoints.remove(endpoint.id);
                removed.ok().map(Event::EndpointGone)
            }
        }
    }
}
