// SPDX-License-Identifier: GPL-2.0

//! The endpoints and limits of a network namespace.

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

    /// The id of an address that the host uses, configured or not; `None` if there is no free one.
    pub(crate) fn id_of(&self, address: Address) -> Option<u8> {
        let mut configured = self.configured.lock();
        let id = configured.endpoints.id_of(address).ok();
        self.recount(&configured);
        id
    }

    fn recount(&self, configured: &Configured) {
        let count = configured.view().iter().count();
        self.count.store(count, Ordering::Relaxed);
    }

    /// Adds an endpoint.
    pub(crate) fn add(&self, net: &Net, new: NewEndpoint) -> Result<Endpoint, EndpointError> {
        let usable = is_usable(net, &new.address);
        let mut configured = self.configured.lock();
        let endpoint = configured.endpoints.add(new)?;
        configured.endpoints.set_usable(&new.address, usable);
        self.recount(&configured);
        Ok(Endpoint { usable, ..endpoint })
    }

    /// Removes the endpoint with this id.
    pub(crate) fn remove(&self, id: u8) -> Result<Endpoint, EndpointError> {
        let mut configured = self.configured.lock();
        let removed = configured.endpoints.remove(id);
        self.recount(&configured);
        removed
    }

    /// Removes an endpoint, and all others at the next calls.
    pub(crate) fn remove_any(&self) -> Option<Endpoint> {
        let mut configured = self.configured.lock();
        let Some(id) = configured.view().iter().next().map(|endpoint| endpoint.id) else {
            configured.endpoints.flush();
            return None;
        };
        let removed = configured.endpoints.remove(id).ok();
        self.recount(&configured);
        removed
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
