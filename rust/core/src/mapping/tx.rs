// SPDX-License-Identifier: GPL-2.0

//! Mappings of what one subflow sends.

use super::ring::{Ring, Slots};
use crate::seq::{Dsn, Ssn};

/// The mapping of bytes given to a subflow. It is fixed once the first of them was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TxRecord {
    /// Subflow sequence number of the first byte.
    pub ssn: Ssn,
    /// Data sequence number of the first byte.
    pub dsn: Dsn,
    /// Bytes covered; at least one.
    pub len: u16,
    /// The DSS checksum, if checksums are in use.
    pub checksum: Option<u16>,
}

impl TxRecord {
    /// What lies in a slot that no mapping uses.
    pub const FILLER: Self = Self {
        ssn: Ssn::new(0),
        dsn: Dsn::new(0),
        len: 0,
        checksum: None,
    };

    /// The subflow sequence number after the last byte.
    #[inline]
    pub const fn end(&self) -> Ssn {
        self.ssn.plus(self.len as u32)
    }

    /// Whether the mapping covers the byte of the connection's stream at `dsn`.
    #[inline]
    pub const fn covers_dsn(&self, dsn: Dsn) -> bool {
        !dsn.before(self.dsn) && dsn.before(self.dsn.plus(self.len as u64))
    }

    /// Whether the mapping covers the byte at `ssn`.
    #[inline]
    pub const fn covers(&self, ssn: Ssn) -> bool {
        ssn.between(self.ssn, self.end())
    }
}

/// Why a mapping was not added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PushError {
    /// The table is full; wait for acknowledgements.
    Full,
    /// The mapping is empty or does not lie behind all others.
    OutOfOrder,
}

/// The mappings of up to `N` pieces that the subflow has not acknowledged yet.
pub type TxMappings<const N: usize> = TxTable<[TxRecord; N]>;

/// The mappings of pieces that the subflow has not acknowledged yet: as many as there are slots at most.
#[derive(Clone, Copy, Debug)]
pub struct TxTable<S> {
    ring: Ring<S>,
}

impl<const N: usize> Default for TxMappings<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> TxMappings<N> {
    /// An empty table.
    #[inline]
    pub const fn new() -> Self {
        Self::with_slots([TxRecord::FILLER; N])
    }
}

impl<S> TxTable<S> {
    /// An empty table; what is in the slots does not count.
    #[inline]
    pub const fn with_slots(slots: S) -> Self {
        Self {
            ring: Ring::new(slots),
        }
    }

    /// How many mappings the table has.
    #[inline]
    pub const fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether the table has no mapping.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }
}

impl<S: Slots<Entry = TxRecord>> TxTable<S> {
    /// Moves all mappings to other slots; `false`, and nothing happens, if those are too few.
    pub fn move_to(&mut self, slots: S) -> bool {
        self.ring.move_to(slots)
    }

    /// How many mappings the table can have.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Whether no mapping can be added.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// The mapping added last.
    #[inline]
    pub fn newest(&self) -> Option<&TxRecord> {
        self.ring.newest()
    }

    /// The oldest mapping not wholly acknowledged.
    #[inline]
    pub fn oldest(&self) -> Option<&TxRecord> {
        self.ring.get(0)
    }

    /// All mappings, the oldest first.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &TxRecord> {
        (0..self.len()).filter_map(|at| self.ring.get(at))
    }

    /// Whether the subflow carries the byte of the connection's stream at `dsn` and did not
    /// acknowledge it.
    #[inline]
    pub fn carries(&self, dsn: Dsn) -> bool {
        self.iter().any(|record| record.covers_dsn(dsn))
    }

    /// Adds a mapping behind all others.
    ///
    /// # Errors
    /// See [`PushError`].
    // rfc8684:3.3.1-11
    #[inline]
    pub fn push(&mut self, record: TxRecord) -> Result<(), PushError> {
        let behind = match self.newest() {
            Some(newest) => !record.ssn.before(newest.end()),
            None => true,
        };
        if record.len == 0 || !behind {
            return Err(PushError::OutOfOrder);
        }
        match self.ring.push(record) {
            true => Ok(()),
            false => Err(PushError::Full),
        }
    }

    /// The mapping that covers the byte at `ssn`.
    // rfc8684:3.3.1-18
    #[inline]
    pub fn covering(&self, ssn: Ssn) -> Option<&TxRecord> {
        // New data is the common case.
        let newest = self.newest()?;
        if newest.covers(ssn) {
            return Some(newest);
        }
        let at = self.ring.partition(|record| !record.end().after(ssn));
        self.ring.get(at).filter(|record| record.covers(ssn))
    }

    /// Drops the mappings of which the subflow acknowledged every byte: `ssn` is the next byte
    /// that the peer's TCP expects.
    #[inline]
    pub fn acked(&mut self, ssn: Ssn) {
        while self.oldest().is_some_and(|oldest| !oldest.end().after(ssn)) {
            self.ring.pop();
        }
    }
}

#[cfg(test)]
mod tests;
