// SPDX-License-Identifier: GPL-2.0

//! Which subflows should exist and do not.

use super::action::{LocalSide, Open};
use super::announcement::{Announced, Announcement};
use super::endpoint::{Endpoint, EndpointFlags};
use super::path::{Origin, Path, SocketAddress, State, SubflowId};
use super::remote::Remote;
use super::settings::Context;
use super::{PathManager, Role};

/// A subflow that the configuration asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Wanted {
    local: Option<LocalSide>,
    backup: bool,
    remote: SocketAddress,
    remote_id: u8,
    /// How many such subflows there should be.
    copies: usize,
}

impl PathManager {
    /// Puts the endpoints that are to be announced, and are not, on the list.
    pub(super) fn note_signals(&mut self, context: &Context<'_>) {
        if !self.established || !context.decides() {
            return;
        }
        for endpoint in context.endpoints.usable(EndpointFlags::SIGNAL) {
            let what = Announcement {
                address_id: self.local_id(endpoint),
                address: endpoint.address,
                port: endpoint.port,
            };
            if !self.announced.iter().any(|one| one.what == what) {
                self.announced.push(Announced::new(what));
            }
        }
    }

    /// The next subflow to be opened, which then counts as being opened.
    // rfc8684:3.1-25
    pub(super) fn next_open(&mut self, context: &Context<'_>) -> Option<Open> {
        let limit = usize::from(context.settings.limits.extra_subflows);
        let waits = !self.established || self.removal_waits();
        if waits || !context.decides() || self.extra_subflows() >= limit {
            return None;
        }
        let wanted = self.next_wanted(context)?;
        if wanted.remote_id != 0 {
            self.allowed_at = self.allowance.next();
            if self.allowed_at.is_some() {
                return None;
            }
            self.allowance.take(context.now);
        }
        self.open(&wanted)
    }

    fn next_wanted(&self, context: &Context<'_>) -> Option<Wanted> {
        let due =
            |wanted: &Wanted| self.families.include(&wanted.remote.address) && self.lacks(wanted);
        self.first_pair(context)
            .filter(due)
            .or_else(|| self.joins_to_first(context).find(due))
            .or_else(|| {
                let mut remotes = self.remotes.iter();
                remotes.find_map(|to| self.joins_to_announced(to, context).find(due))
            })
    }

    /// More subflows between the addresses of the first, or that one again after it was lost.
    fn first_pair(&self, context: &Context<'_>) -> Option<Wanted> {
        let endpoint = context.endpoints.at(&self.local.address, None);
        let usable = !self.first_local_gone && endpoint.is_none_or(|endpoint| endpoint.usable);
        if self.role == Role::Server || !self.may_join_first() || !usable {
            return None;
        }
        Some(Wanted {
            local: Some(LocalSide {
                id: 0,
                address: self.local.address,
                interface: endpoint.map_or(0, |endpoint| endpoint.interface),
            }),
            backup: endpoint.is_some_and(|endpoint| endpoint.flags.has(EndpointFlags::BACKUP)),
            remote: self.remote,
            remote_id: 0,
            copies: context.settings.subflows_per_pair.max(1).into(),
        })
    }

    /// From every subflow endpoint to the peer's first address and port.
    // rfc8684:3.9.1-1
    fn joins_to_first<'a>(&'a self, context: &Context<'a>) -> impl Iterator<Item = Wanted> + 'a {
        context
            .endpoints
            .leaving(EndpointFlags::SUBFLOW)
            .filter(|endpoint| self.may_join_first() && self.local_id(endpoint) != 0)
            .filter_map(|endpoint| self.wanted_from(endpoint, self.remote, 0))
    }

    /// To an address that the peer announced: from every fullmesh endpoint, or else from one
    /// laminar endpoint, or from the subflow endpoints if they can go nowhere else, or from where
    /// routing likes.
    fn joins_to_announced<'a>(
        &'a self,
        to: &'a Remote,
        context: &Context<'a>,
    ) -> impl Iterator<Item = Wanted> + 'a {
        let endpoints = context.endpoints;
        let any = |flag| endpoints.leaving(flag).next().is_some();
        let forced = self.must_use_announced(context);
        let (flag, laminar, routed) = if any(EndpointFlags::FULLMESH) {
            (EndpointFlags::FULLMESH, false, false)
        } else if any(EndpointFlags::LAMINAR) {
            (EndpointFlags::LAMINAR, true, false)
        } else {
            (EndpointFlags::SUBFLOW, false, !forced)
        };
        let routed = routed.then_some(Wanted {
            local: None,
            backup: false,
            remote: to.place,
            remote_id: to.id,
            copies: 1,
        });
        let from = endpoints.leaving(flag).filter(move |endpoint| {
            let id = self.local_id(endpoint);
            match laminar {
                true => self.laminar_suits(id, to.place),
                // The first address has its subflow already when the peer is behind a balancer.
                false => !forced || flag == EndpointFlags::FULLMESH || id != 0,
            }
        });
        let from = from.filter_map(|endpoint| self.wanted_from(endpoint, to.place, to.id));
        let from = from.take_while(move |_| routed.is_none());
        routed.into_iter().chain(from)
    }

    /// Whether the laminar endpoint with this id is the one for this address of the peer: the one
    /// that was chosen before, or else one that is not in use.
    fn laminar_suits(&self, id: u8, to: SocketAddress) -> bool {
        let ours = |path: &&Path| path.origin == Origin::Ours && path.remote == to;
        match self.paths.iter().find(ours) {
            Some(chosen) => chosen.local_id == Some(id),
            None => {
                let used = |path: &Path| path.is_used() && path.local_id == Some(id);
                !self.paths.iter().any(used)
            }
        }
    }

    fn wanted_from(
        &self,
        endpoint: &Endpoint,
        remote: SocketAddress,
        remote_id: u8,
    ) -> Option<Wanted> {
        endpoint
            .address
            .same_family(&remote.address)
            .then_some(Wanted {
                local: Some(LocalSide {
                    id: self.local_id(endpoint),
                    address: endpoint.address,
                    interface: endpoint.interface,
                }),
                backup: endpoint.flags.has(EndpointFlags::BACKUP),
                remote,
                remote_id,
                copies: 1,
            })
    }

    /// RFC 8684 section 3.1: with the C flag the peer forbids joins to its first address and port;
    /// section 3.4.2: a removed address is not used for new subflows.
    // rfc8684:3.1-14 rfc8684:3.4.2-4
    const fn may_join_first(&self) -> bool {
        !self.denied && !self.first_remote_gone
    }

    /// Whether a wanted subflow is missing and may be opened now.
    fn lacks(&self, wanted: &Wanted) -> bool {
        let count = self.paths.count(|path| wanted.is_met_by(path));
        let missing = count < wanted.copies && !self.paths.is_full();
        let rested = |path: &Path| path.state == State::Rested && wanted.is_met_by(path);
        missing || self.paths.iter().any(rested)
    }

    fn open(&mut self, wanted: &Wanted) -> Option<Open> {
        let rested = |path: &Path| path.state == State::Rested && wanted.is_met_by(path);
        let before = self.paths.take(rested);
        let local_id = wanted.local.map(|local| local.id);
        let open = Open {
            subflow: self.new_id(),
            local: wanted.local,
            remote: wanted.remote,
            remote_id: wanted.remote_id,
            backup: wanted.backup,
        };
        self.paths.push(Path {
            local_id,
            failures: before.map_or(0, |path| path.failures),
            worked: before.is_some_and(|path| path.worked),
            ..Path::opened(&open)
        })?;
        // The join itself says what the id means now.
        if let Some(id) = local_id {
            self.departing.remove(id);
        }
        Some(open)
    }

    /// A name that no subflow has.
    pub(super) fn new_id(&mut self) -> SubflowId {
        loop {
            self.last_id = SubflowId(self.last_id.0.wrapping_add(1));
            let taken = |path: &Path| path.id == self.last_id;
            if !self.paths.iter().any(taken) {
                return self.last_id;
            }
        }
    }
}

impl Wanted {
    /// Whether a path is, or was, such a subflow.
    fn is_met_by(&self, path: &Path) -> bool {
        let same_place = path.remote == self.remote;
        let same_id = path.origin == Origin::Peer && path.remote_id == self.remote_id;
        match self.local {
            // One subflow to the address is enough, wherever it comes from.
            None => same_place,
            Some(local) => path.local_id == Some(local.id) && (same_place || same_id),
        }
    }
}
