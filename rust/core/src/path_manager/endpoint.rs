// SPDX-License-Identifier: GPL-2.0

//! The addresses of this host that the administrator configured for MPTCP, one table per network
//! namespace.

use super::list::List;
use crate::wire::Address;

/// What an endpoint is used for. The numbers are those of the kernel's netlink interface
/// (`MPTCP_PM_ADDR_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct EndpointFlags(u8);

impl EndpointFlags {
    /// Announce the address to the peer by ADD_ADDR.
    pub const SIGNAL: Self = Self(1);
    /// Open a subflow from the address.
    pub const SUBFLOW: Self = Self(2);
    /// Subflows of the address are backups (the B bit, RFC 8684 section 3.3.8).
    pub const BACKUP: Self = Self(4);
    /// Open a subflow from the address to every address of the peer.
    pub const FULLMESH: Self = Self(8);
    /// Nobody configured the address: the host used it by itself.
    pub const IMPLICIT: Self = Self(16);
    /// Answer an address that the peer announced with one subflow from the address.
    pub const LAMINAR: Self = Self(32);

    /// All that there are.
    pub const ALL: Self = Self(63);

    /// The flags with these bits; `None` if one of them is unknown.
    #[inline]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let flags = Self(u8::try_from(bits).ok()?);
        Self::ALL.has(flags).then_some(flags)
    }

    /// The bits of the flags.
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether all flags of `other` are set.
    #[inline]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    #[inline]
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags without those of `other`.
    #[inline]
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// An address of this host.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Endpoint {
    /// Its address id, which is not 0: that is each connection's first address
    /// (RFC 8684 section 3.2).
    pub id: u8,
    /// The address.
    pub address: Address,
    /// The TCP port to announce, in host order, if it is another than the connection's. The host
    /// listens there.
    pub port: Option<u16>,
    /// What it is used for.
    pub flags: EndpointFlags,
    /// The index of the network interface to leave through; 0 leaves it to routing.
    pub interface: u32,
    /// Whether the host has the address now and its link is up.
    pub usable: bool,
}

/// An endpoint to be added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewEndpoint {
    /// The wanted address id; `None` takes a free one.
    pub id: Option<u8>,
    /// The address.
    pub address: Address,
    /// See [`Endpoint::port`].
    pub port: Option<u16>,
    /// What it is to be used for.
    pub flags: EndpointFlags,
    /// See [`Endpoint::interface`].
    pub interface: u32,
}

/// Why a table of endpoints was not changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointError {
    /// A port is announced, so it needs the signal flag, and no subflow leaves from it.
    PortNeedsSignal,
    /// An address that is announced is not a fullmesh one.
    SignalledFullmesh,
    /// The implicit flag is not the administrator's to set.
    Implicit,
    /// The address id 0 is each connection's first address.
    IdZero,
    /// The address id is taken.
    IdTaken,
    /// The address is an endpoint already.
    AddressTaken,
    /// The table is full.
    Full,
    /// There is no such endpoint.
    Unknown,
}

/// Up to `N` endpoints, of which no two share an id or an address and port.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<const N: usize> {
    list: List<Endpoint, N>,
    /// Where the search for a free id goes on: the highest id since the search last began anew.
    last_id: u8,
}

impl<const N: usize> Default for Endpoints<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Endpoints<N> {
    /// An empty table.
    #[inline]
    pub const fn new() -> Self {
        Self {
            list: List::new(),
            last_id: 0,
        }
    }

    /// The endpoints, to be looked at.
    #[inline]
    pub const fn view(&self) -> EndpointView<'_> {
        EndpointView(self.list.places())
    }

    /// Adds an endpoint, which takes the place of an implicit one with its address unless it asks
    /// for an id.
    ///
    /// # Errors
    /// Why it cannot be added; then nothing changed.
    pub fn add(&mut self, new: NewEndpoint) -> Result<Endpoint, EndpointError> {
        new.check()?;
        if new.id.is_some_and(|id| self.view().by_id(id).is_some()) {
            return Err(EndpointError::IdTaken);
        }
        match self.view().at(&new.address, new.port) {
            Some(old) if old.flags.has(EndpointFlags::IMPLICIT) && new.id.is_none() => {
                self.remove(old.id)?;
                self.insert(old.id, new)
            }
            Some(_) => Err(EndpointError::AddressTaken),
            None => {
                let id = match new.id {
                    Some(id) => id,
                    None => self.next_id().ok_or(EndpointError::Full)?,
                };
                self.insert(id, new)
            }
        }
    }

    /// The id of an address that the host uses whether or not it was configured: that of its
    /// endpoint, which becomes an implicit one if there was none.
    ///
    /// # Errors
    /// [`EndpointError::Full`].
    pub fn id_of(&mut self, address: Address) -> Result<u8, EndpointError> {
        if let Some(endpoint) = self.view().at(&address, None) {
            return Ok(endpoint.id);
        }
        let id = self.next_id().ok_or(EndpointError::Full)?;
        let implicit = NewEndpoint {
            id: None,
            address,
            port: None,
            flags: EndpointFlags::IMPLICIT,
            interface: 0,
        };
        self.insert(id, implicit).map(|endpoint| endpoint.id)
    }

    /// As [`id_of`](Self::id_of), for an address and port that a subflow comes to.
    ///
    /// # Errors
    /// [`EndpointError::Full`].
    pub fn id_at(&mut self, address: Address, port: u16) -> Result<u8, EndpointError> {
        match self.view().at(&address, Some(port)) {
            Some(endpoint) => Ok(endpoint.id),
            None => self.id_of(address),
        }
    }

    /// Removes the endpoint with this id and returns it.
    ///
    /// # Errors
    /// [`EndpointError::Unknown`].
    pub fn remove(&mut self, id: u8) -> Result<Endpoint, EndpointError> {
        self.list
            .take(|endpoint| endpoint.id == id)
            .ok_or(EndpointError::Unknown)
    }

    /// Removes all endpoints. Ids begin anew.
    #[inline]
    pub fn flush(&mut self) {
        self.list.retain(|_| false);
        self.last_id = 0;
    }

    /// Sets or clears the flags backup and fullmesh, which can change while an endpoint is used,
    /// and returns the endpoint as it is now.
    ///
    /// # Errors
    /// [`EndpointError::Unknown`], or [`EndpointError::SignalledFullmesh`].
    pub fn set_flags(
        &mut self,
        id: u8,
        backup: bool,
        fullmesh: bool,
    ) -> Result<Endpoint, EndpointError> {
        let endpoint = self.by_id(id).ok_or(EndpointError::Unknown)?;
        if fullmesh && endpoint.flags.has(EndpointFlags::SIGNAL) {
            return Err(EndpointError::SignalledFullmesh);
        }
        for (flag, on) in [
            (EndpointFlags::BACKUP, backup),
            (EndpointFlags::FULLMESH, fullmesh),
        ] {
            endpoint.flags = match on {
                true => endpoint.flags.with(flag),
                false => endpoint.flags.without(flag),
            };
        }
        Ok(*endpoint)
    }

    /// Notes that the host has an address now, or has it no more.
    pub fn set_usable(&mut self, address: &Address, usable: bool) {
        self.list
            .iter_mut()
            .filter(|endpoint| endpoint.address == *address)
            .for_each(|endpoint| endpoint.usable = usable);
    }

    pub(super) fn by_id(&mut self, id: u8) -> Option<&mut Endpoint> {
        self.list.iter_mut().find(|endpoint| endpoint.id == id)
    }

    pub(super) fn insert(&mut self, id: u8, new: NewEndpoint) -> Result<Endpoint, EndpointError> {
        let endpoint = Endpoint {
            id,
            address: new.address,
            port: new.port,
            flags: new.flags,
            interface: new.interface,
            usable: true,
        };
        let placed = *self.list.push(endpoint).ok_or(EndpointError::Full)?;
        self.last_id = self.last_id.max(id);
        Ok(placed)
    }

    /// A free id. The search goes on where the last one ended, so that an id rests for as long as
    /// possible before it names another address.
    // rfc8684:3.4.1-1
    fn next_id(&mut self) -> Option<u8> {
        let after = (self.last_id..=u8::MAX).skip(1);
        let id = after
            .chain(1..=self.last_id)
            .find(|id| self.view().by_id(*id).is_none())?;
        self.last_id = id;
        Some(id)
    }
}

impl NewEndpoint {
    /// Whether such an endpoint makes sense.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self) -> Result<(), EndpointError> {
        let has = |flag| self.flags.has(flag);
        if self.id == Some(0) {
            return Err(EndpointError::IdZero);
        }
        if has(EndpointFlags::IMPLICIT) {
            return Err(EndpointError::Implicit);
        }
        let signals_only = has(EndpointFlags::SIGNAL) && !has(EndpointFlags::SUBFLOW);
        if self.port.is_some() && !signals_only {
            return Err(EndpointError::PortNeedsSignal);
        }
        if has(EndpointFlags::SIGNAL) && has(EndpointFlags::FULLMESH) {
            return Err(EndpointError::SignalledFullmesh);
        }
        Ok(())
    }
}

/// Endpoints to look at, in the order in which they were added.
#[derive(Clone, Copy, Debug)]
pub struct EndpointView<'a>(&'a [Option<Endpoint>]);

impl<'a> EndpointView<'a> {
    /// No endpoints.
    pub const NONE: EndpointView<'static> = EndpointView(&[]);

    /// The endpoints.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = &'a Endpoint> {
        self.0.iter().map_while(Option::as_ref)
    }

    /// The endpoint with this id.
    #[inline]
    pub fn by_id(self, id: u8) -> Option<Endpoint> {
        self.iter().find(|endpoint| endpoint.id == id).copied()
    }

    /// The endpoint with this address and port.
    #[inline]
    pub fn at(self, address: &Address, port: Option<u16>) -> Option<Endpoint> {
        self.iter()
            .find(|endpoint| endpoint.address == *address && endpoint.port == port)
            .copied()
    }

    /// The endpoint that subflows belong to which come to this address and port: the one with the
    /// port, or else the one without any.
    #[inline]
    pub fn serving(self, address: &Address, port: u16) -> Option<Endpoint> {
        let with_port = self.at(address, Some(port));
        with_port.or_else(|| self.at(address, None))
    }

    /// The endpoints that can be used now and have all of `flags`.
    #[inline]
    pub fn usable(self, flags: EndpointFlags) -> impl Iterator<Item = &'a Endpoint> {
        self.iter()
            .filter(move |endpoint| endpoint.usable && endpoint.flags.has(flags))
    }

    /// The endpoints from which subflows can leave now, of those that have all of `flags`. One
    /// with a port is for subflows that come.
    #[inline]
    pub(super) fn leaving(self, flags: EndpointFlags) -> impl Iterator<Item = &'a Endpoint> {
        self.usable(flags)
            .filter(|endpoint| endpoint.port.is_none())
    }
}

#[cfg(test)]
mod tests;
