// SPDX-License-Identifier: GPL-2.0

//! What a path manager is told.

use super::action::Farewell;
use super::announcement::Announcement;
use super::endpoint::{Endpoint, EndpointFlags};
use super::path::{Consequence, End, Origin, Path, State, SubflowId};
use super::settings::Context;
use super::{PathManager, Role};
use crate::wire::{Address, RemoveAddr};

/// What happened to a connection or its surroundings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The connection is fully established: other subflows may join (RFC 8684 section 3.1).
    FullyEstablished,
    /// The connection closes or became plain TCP: nothing more is to be done for it.
    Ended,
    /// A subflow that was being opened is ready to carry data.
    Live {
        /// Which.
        subflow: SubflowId,
    },
    /// Routing chose the local address of a subflow that is being opened.
    Bound {
        /// Which.
        subflow: SubflowId,
        /// Our id of the address; see [`Endpoints::id_of`](super::Endpoints::id_of).
        local_id: u8,
    },
    /// A subflow ended, or could not be opened.
    SubflowEnded {
        /// Which.
        subflow: SubflowId,
        /// How.
        end: End,
    },
    /// A segment came on a subflow.
    Heard {
        /// Which.
        subflow: SubflowId,
    },
    /// An ADD_ADDR came and was found authentic.
    Announced {
        /// What it announces.
        announcement: Announcement,
        /// The subflow on which it came.
        on: SubflowId,
    },
    /// An echo of an ADD_ADDR came.
    Echoed(Announcement),
    /// A REMOVE_ADDR came.
    Removed(RemoveAddr),
    /// An MP_PRIO came.
    Priority {
        /// The subflow on which it came.
        subflow: SubflowId,
        /// Whether the subflow is a backup now.
        backup: bool,
    },
    /// An MP_PRIO with an address id came (version 0 only, RFC 6824 section 3.3.8).
    AddressPriority {
        /// The peer's id of the address.
        remote_id: u8,
        /// Whether the subflows of the address are backups now.
        backup: bool,
    },
    /// An endpoint is new, or its address came back. The table has it already.
    EndpointReady(Endpoint),
    /// Flags of an endpoint changed; this is the new state. The table has it already.
    EndpointChanged(Endpoint),
    /// An endpoint was removed. The table has it no more.
    EndpointGone(Endpoint),
    /// The administrator withdraws our address of the first subflow, which has the id 0.
    FirstWithdrawn,
    /// The host has the address again. The endpoints are marked already.
    AddressReady(Address),
    /// The host lost the address, or its link went down. The endpoints are marked already.
    AddressGone(Address),
}

/// What becomes of the subflows of a local address that goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Left {
    /// The host still has the address: they end in order.
    InOrder,
    /// It has it no more.
    Cut,
    /// It has it no more, but no other subflow works: those that do are left as they are.
    Alone,
}

impl PathManager {
    /// Takes note of an event. [`poll`](Self::poll) tells what is to be done after it.
    pub fn handle(&mut self, event: &Event, context: &Context<'_>) {
        match *event {
            Event::FullyEstablished => self.on_established(context),
            Event::Ended => self.ended = true,
            Event::Live { subflow } => {
                if let Some(path) = self.path_mut(subflow) {
                    path.on_live(context.now);
                }
            }
            Event::Bound { subflow, local_id } => {
                if let Some(path) = self.path_mut(subflow) {
                    path.local_id.get_or_insert(local_id);
                }
            }
            Event::SubflowEnded { subflow, end } => self.on_ended(subflow, end, context),
            Event::Heard { subflow } => {
                if let Some(path) = self.path_mut(subflow) {
                    path.on_heard();
                }
            }
            Event::Announced { announcement, on } => self.on_announced(&announcement, on, context),
            Event::Echoed(echo) => self.announced.iter_mut().for_each(|one| one.on_echo(&echo)),
            Event::Removed(option) => self.on_removed(&option, context.now),
            Event::Priority { subflow, backup } => {
                if let Some(path) = self.path_mut(subflow) {
                    path.remote_backup = backup;
                }
            }
            Event::AddressPriority { remote_id, backup } => {
                let of_address = self.paths.iter_mut().filter(|p| p.remote_id == remote_id);
                of_address.for_each(|path| path.remote_backup = backup);
            }
            Event::EndpointReady(endpoint) => self.on_endpoint_ready(&endpoint),
            Event::EndpointChanged(endpoint) => self.on_endpoint_changed(&endpoint, context),
            Event::EndpointGone(endpoint) => {
                let left = match endpoint.usable {
                    true => Left::InOrder,
                    false => Left::Cut,
                };
                self.on_endpoint_gone(&endpoint, left, context);
            }
            Event::FirstWithdrawn => {
                if context.decides() {
                    self.on_local_gone(0, true, Left::InOrder);
                }
            }
            Event::AddressReady(address) => {
                if address == self.local.address {
                    self.on_local_ready(0);
                }
                let of_address = context.endpoints.iter().filter(|e| e.address == address);
                of_address.for_each(|endpoint| self.on_endpoint_ready(endpoint));
            }
            Event::AddressGone(address) => {
                let left = match self.can_do_without(&address, context) {
                    true => Left::Cut,
                    false => Left::Alone,
                };
                if address == self.local.address && context.decides() {
                    self.on_local_gone(0, true, left);
                }
                let of_address = context.endpoints.iter().filter(|e| e.address == address);
                of_address.for_each(|endpoint| self.on_endpoint_gone(endpoint, left, context));
            }
        }
    }

    /// Whether a subflow works that comes from another address of ours. The last one stays when its
    /// address goes: as with plain TCP, the address may come back in time.
    fn can_do_without(&self, address: &Address, context: &Context<'_>) -> bool {
        self.paths.iter().filter(|path| path.is_live()).any(|path| {
            let id = path.local_id.unwrap_or_default();
            let of_endpoint = context.endpoints.by_id(id).map(|endpoint| endpoint.address);
            let from = match id {
                0 => Some(self.local.address),
                _ => of_endpoint,
            };
            from != Some(*address)
        })
    }

    fn on_established(&mut self, context: &Context<'_>) {
        self.established = true;
        if let Some(endpoint) = context.endpoints.at(&self.local.address, None) {
            self.on_endpoint_changed(&endpoint, context);
        }
    }

    fn on_ended(&mut self, subflow: SubflowId, end: End, context: &Context<'_>) {
        let (decides, role) = (context.decides(), self.role);
        let remotes = self.remotes;
        let first_gone = self.first_remote_gone;
        let Some(path) = self.path_mut(subflow).filter(|path| !path.is_memory()) else {
            return;
        };
        // An address that the peer removed is none to come back to. Announced again, it is another.
        let removed = match path.remote_id {
            0 => first_gone,
            id => !remotes.iter().any(|remote| remote.id == id),
        };
        // To where the client came from, only the client's own port answers.
        let no_return = path.origin == Origin::First && role == Role::Server;
        let lost = !path.is_used() || removed || no_return;
        let consequence = match decides && !lost {
            true => path.consequence(end),
            false => Consequence::Forget,
        };
        match consequence {
            Consequence::Forget => self.paths.retain(|path| path.id != subflow),
            Consequence::Retry => path.rest(context.now, end),
            Consequence::GiveUp => path.state = State::GivenUp,
        }
    }

    /// RFC 8684 section 3.4.2: a removed address is not used for new subflows, and those that use
    /// it are closed unless a keep-alive shows that they work: who removes an address closes its
    /// subflows, and others may send a REMOVE_ADDR that is not theirs.
    // rfc8684:3.4.2-2 rfc8684:3.4.2-7
    fn on_removed(&mut self, option: &RemoveAddr, now: u64) {
        for id in option.ids() {
            self.echoes
                .retain(|announcement| announcement.address_id != *id);
            self.remotes.retain(|remote| remote.id != *id);
            self.first_remote_gone |= *id == 0;
            self.paths
                .retain(|path| path.remote_id != *id || !path.is_memory());
            for path in self.paths.iter_mut().filter(|path| path.remote_id == *id) {
                match path.state {
                    State::Opening if path.origin == Origin::Ours => {
                        path.state = State::Leaving(Farewell::RESET);
                    }
                    _ => path.doubt(now),
                }
            }
        }
    }

    fn on_endpoint_ready(&mut self, endpoint: &Endpoint) {
        self.on_local_ready(self.local_id(endpoint));
    }

    /// What failed from the address may work now.
    fn on_local_ready(&mut self, id: u8) {
        self.first_local_gone &= id != 0;
        self.paths
            .retain(|path| path.local_id != Some(id) || !path.is_memory());
    }

    fn on_endpoint_changed(&mut self, endpoint: &Endpoint, context: &Context<'_>) {
        if !context.decides() {
            return;
        }
        let id = self.local_id(endpoint);
        let backup = endpoint.flags.has(EndpointFlags::BACKUP);
        for path in self
            .paths
            .iter_mut()
            .filter(|path| path.local_id == Some(id))
        {
            path.priority_due |= path.local_backup != backup;
            path.local_backup = backup;
        }
    }

    fn on_endpoint_gone(&mut self, endpoint: &Endpoint, left: Left, context: &Context<'_>) {
        if context.decides() {
            let tell = !endpoint.flags.has(EndpointFlags::IMPLICIT);
            self.on_local_gone(self.local_id(endpoint), tell, left);
        }
    }

    /// Forgets all about a local address, and says so to the peer if the peer may know it and
    /// `tell` is set.
    // rfc8684:3.4.2-1 rfc8684:3.4.2-6 rfc8684:3.4.2-9
    fn on_local_gone(&mut self, id: u8, tell: bool, left: Left) {
        let keep = left == Left::Alone;
        let announced = self
            .announced
            .iter()
            .any(|one| one.what.address_id == id && one.sent > 0);
        let used = self
            .paths
            .iter()
            .any(|path| path.local_id == Some(id) && path.is_used());
        let told = announced || used && tell && !keep;
        if told {
            self.departing.insert(id);
        }
        self.first_local_gone |= id == 0;
        self.announced.retain(|one| one.what.address_id != id);
        self.paths
            .retain(|path| path.local_id != Some(id) || !path.is_memory());
        let stays = |path: &Path| keep && path.is_live();
        let leaves = |path: &&mut Path| path.local_id == Some(id) && path.is_used() && !stays(path);
        let lost = left != Left::InOrder;
        let leaving = self.paths.iter_mut().filter(leaves);
        leaving.for_each(|path| path.leave(lost));
    }
}
