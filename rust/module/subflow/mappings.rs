// SPDX-License-Identifier: GPL-2.0

//! The tables of mappings of a subflow.
//!
//! Most subflows never have more than a few mappings at a time: those lie in the subflow's own memory. Who
//! needs more gets an allocation for as many as there may be, and keeps it.

use kernel::prelude::*;
use mptcp_core::mapping::{
    RecordError, Recorded, RxMapping, RxRecord, RxTable, Slots, TxRecord, TxTable,
};
use mptcp_core::seq::Ssn;

/// Pieces that a subflow can have in flight, each with a mapping of its own.
const MOST_SENT: usize = 64;
/// Mappings of received data that do not merge.
const MOST_RECEIVED: usize = 24;
/// So many of each need no allocation. The table of what is received needs two at least.
const FEW_SENT: usize = 4;
const FEW_RECEIVED: usize = 2;

/// The mappings of what a subflow sends.
pub(crate) type Sent = TxTable<Growing<TxRecord, FEW_SENT>>;
/// The mappings of what a subflow receives.
pub(crate) type Received = RxTable<Growing<RxRecord, FEW_RECEIVED>>;

/// Slots of a table: few, or many in an allocation of their own.
pub(crate) struct Growing<T, const FEW: usize> {
    few: [T; FEW],
    /// Empty, or all slots.
    many: KVec<T>,
}

impl<T: Copy, const FEW: usize> Growing<T, FEW> {
    const fn few(filler: T) -> Self {
        Self {
            few: [filler; FEW],
            many: KVec::new(),
        }
    }

    /// Any context.
    fn many(filler: T, most: usize) -> Option<Self> {
        Some(Self {
            few: [filler; FEW],
            many: KVec::from_elem(filler, most, GFP_ATOMIC).ok()?,
        })
    }
}

impl<T: Copy, const FEW: usize> Slots for Growing<T, FEW> {
    type Entry = T;

    #[inline]
    fn slots(&self) -> &[T] {
        match self.many.is_empty() {
            true => &self.few,
            false => &self.many,
        }
    }

    #[inline]
    fn slots_mut(&mut self) -> &mut [T] {
        match self.many.is_empty() {
            true => &mut self.few,
            false => &mut self.many,
        }
    }
}

/// An empty table for what is sent.
pub(crate) const fn sent() -> Sent {
    TxTable::with_slots(Growing::few(TxRecord::FILLER))
}

/// An empty table for what is received from `first` on.
pub(crate) const fn received(first: Ssn) -> Received {
    RxTable::with_slots(Growing::few(RxRecord::FILLER), first)
}

/// Whether nothing can be sent before something is acknowledged: there are as many mappings as there may be.
#[inline]
pub(crate) fn is_exhausted(table: &Sent) -> bool {
    table.is_full() && table.capacity() >= MOST_SENT
}

/// Whether there is no mapping for what is to be sent, though the table was enlarged if it could be. Any context.
#[inline]
pub(crate) fn is_full(table: &mut Sent) -> bool {
    table.is_full() && !enlarge_sent(table)
}

/// As [`RxTable::record`]. Any context.
///
/// # Errors
/// [`RecordError`]; `Full` also if there is no memory.
#[inline]
pub(crate) fn record(
    table: &mut Received,
    mapping: RxMapping,
) -> core::result::Result<Recorded, RecordError> {
    match table.record(mapping) {
        Err(RecordError::Full) if enlarge_received(table) => table.record(mapping),
        result => result,
    }
}

#[cold]
fn enlarge_sent(table: &mut Sent) -> bool {
    table.capacity() < MOST_SENT
        && Growing::many(TxRecord::FILLER, MOST_SENT).is_some_and(|slots| table.move_to(slots))
}

#[cold]
fn enlarge_received(table: &mut Received) -> bool {
    table.capacity() < MOST_RECEIVED
        && Growing::many(RxRecord::FILLER, MOST_RECEIVED).is_some_and(|slots| table.move_to(slots))
}
