// SPDX-License-Identifier: GPL-2.0

//! The addresses of this host that a program made known on one connection.

use super::endpoint::{
    Endpoint, EndpointError, EndpointFlags, EndpointView, Endpoints, NewEndpoint,
};
use crate::wire::Address;

/// Up to `N` addresses, each with its id on the connection: those that the program announced or
/// opened subflows from, and those that subflows of the peer came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownAddresses<const N: usize>(Endpoints<N>);

impl<const N: usize> KnownAddresses<N> {
    /// None.
    #[inline]
    pub const fn new() -> Self {
        Self(Endpoints::new())
    }

    /// The addresses, oldest first.
    #[inline]
    pub const fn view(&self) -> EndpointView<'_> {
        self.0.view()
    }

    /// Takes note of an address with its id, unless it is known by that id already. Whether it is
    /// new.
    ///
    /// # Errors
    /// [`EndpointError::IdTaken`] if the id is another address's or the address has another id,
    /// [`EndpointError::Full`].
    pub fn note(&mut self, id: u8, new: NewEndpoint) -> Result<bool, EndpointError> {
        let of_id = self.view().by_id(id);
        let of_address = self.view().at(&new.address, new.port);
        match (of_id, of_address) {
            (None, None) => self.0.insert(id, new).map(|_| true),
            (Some(known), Some(same)) if known.id == same.id => Ok(false),
            _ => Err(EndpointError::IdTaken),
        }
    }

    /// The id of an address that a subflow uses, known or not.
    ///
    /// # Errors
    /// [`EndpointError::Full`].
    pub fn id_of(&mut self, address: Address) -> Result<u8, EndpointError> {
        if let Some(known) = self.of_address(&address) {
            return Ok(known.id);
        }
        let id = (1..=u8::MAX).find(|id| self.view().by_id(*id).is_none());
        let new = NewEndpoint {
            id: None,
            address,
            port: None,
            flags: EndpointFlags::default(),
            interface: 0,
        };
        let id = id.ok_or(EndpointError::Full)?;
        self.0.insert(id, new).map(|known| known.id)
    }

    /// The oldest entry for an address, whatever its port.
    #[inline]
    pub fn of_address(&self, address: &Address) -> Option<Endpoint> {
        let mut all = self.view().iter();
        all.find(|known| known.address == *address).copied()
    }

    /// Forgets the address with this id, and returns it.
    ///
    /// # Errors
    /// [`EndpointError::Unknown`].
    #[inline]
    pub fn forget(&mut self, id: u8) -> Result<Endpoint, EndpointError> {
        self.0.remove(id)
    }

    /// Notes whether subflows of an address are backups.
    pub fn set_backup(&mut self, address: &Address, backup: bool) {
        let known = self.of_address(address);
        if let Some(known) = known.and_then(|known| self.0.by_id(known.id)) {
            known.flags = match backup {
                true => known.flags.with(EndpointFlags::BACKUP),
                false => known.flags.without(EndpointFlags::BACKUP),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Address {
        Address::V4([192, 0, 2, last])
    }

    fn new(last: u8, port: Option<u16>) -> NewEndpoint {
        NewEndpoint {
            id: None,
            address: address(last),
            port,
            flags: EndpointFlags::SIGNAL,
            interface: 0,
        }
    }

    #[test]
    fn an_address_keeps_its_id() {
        let mut known = KnownAddresses::<4>::new();
        assert_eq!(known.note(7, new(1, None)), Ok(true));
        assert_eq!(known.note(7, new(1, None)), Ok(false));
        assert_eq!(known.note(8, new(1, None)), Err(EndpointError::IdTaken));
        assert_eq!(known.note(7, new(2, None)), Err(EndpointError::IdTaken));
        assert_eq!(known.note(8, new(1, Some(80))), Ok(true));
        assert_eq!(known.note(0, new(2, None)), Ok(true));
        let ids: std::vec::Vec<_> = known.view().iter().map(|one| one.id).collect();
        assert_eq!(ids, [7, 8, 0]);
    }

    #[test]
    fn what_a_subflow_comes_to_gets_the_lowest_free_id() {
        let mut known = KnownAddresses::<4>::new();
        known.note(1, new(1, Some(80))).unwrap();
        known.note(3, new(3, None)).unwrap();
        assert_eq!(known.id_of(address(1)), Ok(1));
        assert_eq!(known.id_of(address(2)), Ok(2));
        assert_eq!(known.id_of(address(2)), Ok(2));
        assert_eq!(known.id_of(address(4)), Ok(4));
        assert_eq!(known.id_of(address(5)), Err(EndpointError::Full));
        assert_eq!(known.note(9, new(5, None)), Err(EndpointError::Full));
        assert_eq!(known.forget(2).map(|one| one.address), Ok(address(2)));
        assert_eq!(known.forget(2), Err(EndpointError::Unknown));
        assert_eq!(known.id_of(address(5)), Ok(2));
    }

    #[test]
    fn an_address_can_become_a_backup() {
        let mut known = KnownAddresses::<4>::new();
        known.note(7, new(1, None)).unwrap();
        let flags = |known: &KnownAddresses<4>| known.of_address(&address(1)).unwrap().flags;
        known.set_backup(&address(1), true);
        assert!(flags(&known).has(EndpointFlags::BACKUP.with(EndpointFlags::SIGNAL)));
        known.set_backup(&address(1), false);
        known.set_backup(&address(9), true);
        assert_eq!(flags(&known), EndpointFlags::SIGNAL);
    }
}
