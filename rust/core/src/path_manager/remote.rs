// SPDX-License-Identifier: GPL-2.0

//! The addresses of the peer.

use super::announcement::Announcement;
use super::endpoint::EndpointFlags;
use super::path::{SocketAddress, State, SubflowId};
use super::settings::Context;
use super::{IdSet, PathManager};
use crate::wire::Version;

/// An address that the peer announced and to which subflows may be opened.
// rfc8684:3.2-1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Remote {
    /// The peer's id of it.
    pub(super) id: u8,
    pub(super) place: SocketAddress,
}

impl PathManager {
    /// Takes an announcement: confirms it, and uses it if the limits allow.
    // rfc8684:3.4.1-6 rfc8684:3.4.1-11
    pub(super) fn on_announced(
        &mut self,
        announcement: &Announcement,
        on: SubflowId,
        context: &Context<'_>,
    ) {
        // RFC 8684 section 3.4.1: every announcement is confirmed, whether or not it is used.
        // What finds no place is announced again.
        let known = self.echoes.iter().any(|echo| echo == announcement);
        if self.version != Version::V0 && !known {
            self.echoes.push(*announcement);
        }
        if !context.decides() || self.contradicts(announcement) {
            return;
        }
        // RFC 8684 section 3.4.1: without a port, it is that of the subflow that carries the option.
        let carrier = self.paths.iter().find(|path| path.id == on);
        let carrier = carrier.map_or(self.remote, |path| path.remote);
        let place = SocketAddress {
            address: announcement.address,
            port: announcement.port.unwrap_or(carrier.port),
        };
        let id = announcement.address_id;
        self.refresh(id, place);
        if id == 0 {
            self.first_remote_gone = false;
        } else if self.accepts(id, place, context) {
            self.remotes.push(Remote { id, place });
        }
    }

    /// How many addresses that the peer announced are in use.
    pub(super) fn accepted(&self) -> usize {
        // One id may stand for several ports.
        let mut seen = IdSet::default();
        self.remotes.count(|remote| {
            let new = !seen.contains(remote.id);
            seen.insert(remote.id);
            new
        })
    }

    /// RFC 8684 section 3.4.1: an id keeps its address until it is removed, and 0 is the address
    /// of the first subflow.
    // rfc8684:3.4.1-3
    fn contradicts(&self, announcement: &Announcement) -> bool {
        let of_id = |remote: &&Remote| remote.id == announcement.address_id;
        let known = match announcement.address_id {
            0 => Some(self.remote.address),
            _ => self.remotes.iter().find(of_id).map(|one| one.place.address),
        };
        known.is_some_and(|address| address != announcement.address)
    }

    /// RFC 8684 section 3.4.1: a peer that announces an address again wants another attempt.
    fn refresh(&mut self, id: u8, place: SocketAddress) {
        let same = |remote_id, remote| remote_id == id && remote == place;
        for path in self.paths.iter_mut() {
            if same(path.remote_id, path.remote) && path.is_memory() {
                path.state = State::Rested;
            }
        }
    }

    // rfc8684:3.4.1-4 rfc8684:3.4.1-12
    fn accepts(&self, id: u8, place: SocketAddress, context: &Context<'_>) -> bool {
        let known = |remote: &Remote| remote.id == id && remote.place == place;
        let has_id = self.remotes.iter().any(|remote| remote.id == id);
        let limit = match self.must_use_announced(context) {
            true => 1,
            false => usize::from(context.settings.limits.accepted_addresses),
        };
        let counted = self.accepted();
        !self.remotes.iter().any(known) && (has_id || counted < limit)
    }

    /// Whether subflow endpoints have nothing to connect to but announced addresses, which the
    /// limits do not provide for: the peer sits behind a load balancer, so it refuses joins to its
    /// first address (the C flag, RFC 8684 section 3.1) and announces another.
    pub(super) fn must_use_announced(&self, context: &Context<'_>) -> bool {
        let mut leaving = context.endpoints.leaving(EndpointFlags::SUBFLOW);
        self.denied && context.settings.limits.accepted_addresses == 0 && leaving.next().is_some()
    }
}
