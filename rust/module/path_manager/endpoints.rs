// SPDX-License-Identifier: GPL-2.0

//! The endpoints and limits of a network namespace.

use super::listener::Listener;
use core::sync::atomic::{AtomicUsize, Ordering};
use kernel::prelude::*;
use knet::lock::{SoftGuard, SoftLock};
use knet::memory::boxed;
use knet::netns::Net;
use knet::notifier::has_address;
use mptcp_core::path_manager::{
    Endpoint, EndpointError, EndpointFlags, EndpointView, Endpoints, Limits, NewEndpoint,
};
use mptcp_core::wire::Address;

/// As many endpoints as there are ids.
const MOST: usize = 255;

/// What is configured in a namespace. Its lock is the innermost one.
pub(crate) struct Configuration {
    configured: SoftLock<KBox<Configured>>,
    /// How many endpoints there are, to be read without lock.
    count: AtomicUsize,
    /// Those of endpoints with a port, with room for all there can be. The lock is never taken together with the
    /// other.
    listeners: SoftLock<KVec<Listener>>,
}

/// Why an endpoint was not added.
pub(crate) enum AddError {
    /// It does not fit the others, or makes no sense.
    Endpoint(EndpointError),
    /// The host cannot listen on its port.
    Listen(Error),
}

impl From<EndpointError> for AddError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

/// What the lock guards.
#[derive(Clone, Copy)]
pub(crate) struct Configured {
    endpoints: Endpoints<MOST>,
    limits: Limits,
}

impl Configuration {
    /// No endpoints, and the kernel's own limits.
    pub(crate) fn new() -> Result<Self> {
        static NOTHING: Configured = Configured {
            endpoints: Endpoints::new(),
            limits: Limits::DEFAULT,
        };
        Ok(Self {
            configured: SoftLock::new(boxed(&NOTHING, GFP_KERNEL)?)?,
            count: AtomicUsize::new(0),
            listeners: SoftLock::new(KVec::with_capacity(MOST, GFP_KERNEL)?)?,
        })
    }

    /// What is configured, which does not change as long as the guard lives.
    pub(crate) fn read(&self) -> SoftGuard<'_, KBox<Configured>> {
        self.configured.lock()
    }

    /// How many endpoints there are.
    pub(crate) fn count(&self) -> &AtomicUsize {
        &self.count
    }

    /// The id of an address that the host uses, configured or not, and of a port of it if that is another than
    /// the connection's; `None` if there is no free one.
    pub(crate) fn id_of(&self, address: Address, port: Option<u16>) -> Option<u8> {
        let mut configured = self.configured.lock();
        let endpoints = &mut configured.endpoints;
        let id = match port {
            Some(port) => endpoints.id_at(address, port).ok(),
            None => endpoints.id_of(address).ok(),
        };
        self.recount(&configured);
        id
    }

    fn recount(&self, configured: &Configured) {
        let count = configured.view().iter().count();
        self.count.store(count, Ordering::Relaxed);
    }

    /// Adds an endpoint, and listens on its port if it has one. Process context.
    ///
    /// # Errors
    /// Why not; then nothing changed.
    pub(crate) fn add(&self, net: &Net, new: NewEndpoint) -> Result<Endpoint, AddError> {
        new.check()?;
        let listener = new.port.map(|port| Listener::open(net, new.address, port));
        let listener = listener.transpose().map_err(AddError::Listen)?;
        let usable = is_usable(net, &new.address);
        let endpoint = {
            let mut configured = self.configured.lock();
            let endpoint = configured.endpoints.add(new)?;
            configured.endpoints.set_usable(&new.address, usable);
            self.recount(&configured);
            endpoint
        };
        if let Some(Err(listener)) = listener.map(|listener| self.keep(listener)) {
            drop(listener);
            self.remove(endpoint.id)?;
            return Err(AddError::Endpoint(EndpointError::Full));
        }
        Ok(Endpoint { usable, ..endpoint })
    }

    /// Keeps a listener, or gives it back for want of room.
    fn keep(&self, listener: Listener) -> Result<(), Listener> {
        let mut listeners = self.listeners.lock();
        listeners
            .push_within_capacity(listener)
            .map_err(|refused| refused.0)
    }

    /// Removes the endpoint with this id, and listens on its port no more. Process context.
    pub(crate) fn remove(&self, id: u8) -> Result<Endpoint, EndpointError> {
        let removed = {
            let mut configured = self.configured.lock();
            let removed = configured.endpoints.remove(id);
            self.recount(&configured);
            removed?
        };
        self.close(&removed);
        Ok(removed)
    }

    /// Removes an endpoint, and all others at the next calls. Process context.
    pub(crate) fn remove_any(&self) -> Option<Endpoint> {
        let first = self
            .configured
            .lock()
            .view()
            .iter()
            .next()
            .map(|endpoint| endpoint.id);
        match first {
            Some(id) => self.remove(id).ok(),
            None => {
                self.configured.lock().endpoints.flush();
                None
            }
        }
    }

    /// Listens no more for an endpoint that was removed.
    fn close(&self, endpoint: &Endpoint) {
        let Some(port) = endpoint.port else { return };
        let closed = {
            let mut listeners = self.listeners.lock();
            let of_endpoint = |listener: &Listener| listener.is_at(endpoint.address, port);
            let place = listeners.iter().position(of_endpoint);
            place.and_then(|place| listeners.remove(place).ok())
        };
        // It takes its time, so nothing is locked meanwhile.
        drop(closed);
    }

    /// Changes the flags backup and fullmesh of the endpoint that `choose` chooses.
    pub(crate) fn set_flags(
        &self,
        flags: EndpointFlags,
        choose: impl FnOnce(EndpointView<'_>) -> Option<Endpoint>,
    ) -> Result<Endpoint, EndpointError> {
        let mut configured = self.configured.lock();
        let chosen = choose(configured.view()).ok_or(EndpointError::Unknown)?;
        let fullmesh = flags.has(EndpointFlags::FULLMESH);
        if fullmesh && chosen.flags.has(EndpointFlags::IMPLICIT) {
            return Err(EndpointError::Implicit);
        }
        let backup = flags.has(EndpointFlags::BACKUP);
        configured.endpoints.set_flags(chosen.id, backup, fullmesh)
    }

    /// Changes the limits.
    pub(crate) fn set_limits(&self, change: impl FnOnce(&mut Limits)) {
        change(&mut self.configured.lock().limits);
    }

    /// Looks at the host for each endpoint, and tells of one whose address came or went since the
    /// last look; `None` if there is none any more.
    pub(crate) fn look_around(&self, net: &Net) -> Option<Endpoint> {
        let mut configured = self.configured.lock();
        let differs = |endpoint: &&Endpoint| is_usable(net, &endpoint.address) != endpoint.usable;
        let changed = configured.view().iter().find(differs).copied()?;
        let usable = !changed.usable;
        configured.endpoints.set_usable(&changed.address, usable);
        Some(Endpoint { usable, ..changed })
    }
}

impl Configured {
    /// The endpoints.
    pub(crate) fn view(&self) -> EndpointView<'_> {
        self.endpoints.view()
    }

    /// The limits.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

/// Whether the host has an address, and its link is up.
pub(crate) fn is_usable(net: &Net, address: &Address) -> bool {
    has_address(net, &super::kernel_address(address))
}
