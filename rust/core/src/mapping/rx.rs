// SPDX-License-Identifier: GPL-2.0

//! Mappings of what one subflow receives.

use super::ring::{Ring, Slots};
use crate::seq::{Dsn, Ssn};

/// A mapping as a received DSS option states it, with its data sequence number expanded and its
/// DATA_FIN, if any, taken off the length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RxMapping {
    /// Subflow sequence number of the first byte.
    pub ssn: Ssn,
    /// Data sequence number of the first byte.
    pub dsn: Dsn,
    /// Bytes of data covered. Zero means that the mapping is infinite (RFC 8684 section 3.7); a
    /// lone DATA_FIN covers no data and must not be recorded.
    pub len: u16,
    /// The DSS checksum, if checksums are in use.
    pub checksum: Option<u16>,
    /// Whether the option counted a DATA_FIN behind the data; the checksum's pseudo-header does.
    pub data_fin: bool,
}

/// A mapping in the table: one that was received, or the union of several without checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RxRecord {
    /// Subflow sequence number of the first byte.
    pub ssn: Ssn,
    /// Data sequence number of the first byte.
    pub dsn: Dsn,
    /// Bytes covered.
    pub len: u32,
    /// The DSS checksum of exactly these bytes, if checksums are in use.
    pub checksum: Option<u16>,
    /// Whether the checksum counts a DATA_FIN behind the data.
    pub data_fin: bool,
}

impl RxRecord {
    /// What lies in a slot that no mapping uses.
    pub const FILLER: Self = Self {
        ssn: Ssn::new(0),
        dsn: Dsn::new(0),
        len: 0,
        checksum: None,
        data_fin: false,
    };

    #[inline]
    const fn from_mapping(mapping: RxMapping) -> Self {
        Self {
            ssn: mapping.ssn,
            dsn: mapping.dsn,
            len: mapping.len as u32,
            checksum: mapping.checksum,
            // Without a checksum it means nothing here and must not tell apart what can merge.
            data_fin: mapping.data_fin && mapping.checksum.is_some(),
        }
    }

    /// The checksum that is to be verified before any of its bytes is delivered; `rcv_nxt` is the next data sequence
    /// number expected.
    ///
    /// RFC 8684 section 3.3.1: not one of data that all came another way before. Nobody gets it any more, and what is
    /// missing of it may never come: a subflow that ends leaves out what others carried.
    #[inline]
    pub const fn checksum_due(&self, rcv_nxt: Dsn) -> Option<u16> {
        let received = self.len > 0 && !self.dsn.plus(self.len as u64).after(rcv_nxt);
        if received {
            None
        } else {
            self.checksum
        }
    }

    /// The subflow sequence number after the last byte.
    #[inline]
    pub const fn end(&self) -> Ssn {
        self.ssn.plus(self.len)
    }

    /// Whether the record covers the byte at `ssn`.
    #[inline]
    pub const fn covers(&self, ssn: Ssn) -> bool {
        ssn.between(self.ssn, self.end())
    }

    /// Whether two records are the same mapping. When it is sent again, a DATA_FIN that followed
    /// meanwhile can be counted in, with another checksum; the first one stands.
    #[inline]
    fn is_again(&self, other: &Self) -> bool {
        let first = Self {
            checksum: other.checksum,
            data_fin: other.data_fin,
            ..*self
        };
        *self == *other
            || (first == *other
                && self.data_fin != other.data_fin
                && self.checksum.is_some() == other.checksum.is_some())
    }

    /// Whether two records agree on the data sequence number of every subflow sequence number and
    /// neither is bound to its extent by a checksum.
    #[inline]
    const fn mergeable(&self, other: &Self) -> bool {
        self.checksum.is_none() && other.checksum.is_none() && {
            let apart = other.ssn.distance(self.ssn) as i64;
            other.dsn.distance(self.dsn) == apart
        }
    }
}

/// What recording a mapping did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// It takes an entry of its own.
    New,
    /// It extended an entry that agrees with it.
    Merged,
    /// The table said so already.
    Known,
    /// All of its bytes were consumed before.
    Old,
}

/// Why a mapping was not recorded. The table is unchanged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordError {
    /// It contradicts a mapping of the same bytes that came first (RFC 8684 section 3.3.1: a
    /// mapping must not change).
    Conflict,
    /// The table is full. Drop the segment before TCP sees it; the peer will send it again.
    Full,
    /// It lies further ahead than any TCP window reaches.
    Outside,
}

/// Where a received byte belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// Its data sequence number.
    pub dsn: Dsn,
    /// How many bytes from it on are known to continue in both sequence spaces; all that TCP can
    /// deliver if the mapping is infinite.
    pub len_left: u32,
    /// Whether this comes from an infinite mapping.
    pub infinite: bool,
}

/// The mappings of up to `N` pieces that were received and not consumed yet.
pub type RxMappings<const N: usize> = RxTable<[RxRecord; N]>;

/// The mappings of pieces that were received and not consumed yet: as many as there are slots at most. One
/// of them is the piece with the next byte to be consumed, so there are at least two slots.
#[derive(Clone, Copy, Debug)]
pub struct RxTable<S> {
    ring: Ring<S>,
    floor: Ssn,
    infinite: Option<(Ssn, Dsn)>,
}

impl<const N: usize> Default for RxMappings<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The largest TCP window (RFC 7323 section 2.3): how far ahead a mapping may lie.
const REACH: u32 = 1 << 30;

impl<const N: usize> RxMappings<N> {
    /// An empty table of a subflow that has received nothing, for relative sequence numbers.
    #[inline]
    pub const fn new() -> Self {
        Self::starting_at(Ssn::new(0))
    }

    /// An empty table of a subflow all of whose bytes before `floor` were consumed.
    #[inline]
    pub const fn starting_at(floor: Ssn) -> Self {
        Self::with_slots([RxRecord::FILLER; N], floor)
    }
}

impl<S> RxTable<S> {
    /// As [`RxMappings::starting_at`]; what is in the slots does not count.
    #[inline]
    pub const fn with_slots(slots: S, floor: Ssn) -> Self {
        Self {
            ring: Ring::new(slots),
            floor,
            infinite: None,
        }
    }

    /// How many entries the table has.
    #[inline]
    pub const fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether the table has no entry.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }
}

impl<S: Slots<Entry = RxRecord>> RxTable<S> {
    /// Moves all entries to other slots; `false`, and nothing happens, if those are too few.
    pub fn move_to(&mut self, slots: S) -> bool {
        self.ring.move_to(slots)
    }

    /// How many entries the table can have.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Records a mapping.
    ///
    /// Identical mappings, which every segment of a large piece carries, are recognised. Mappings
    /// without checksum that touch or overlap and agree are merged.
    ///
    /// # Errors
    /// See [`RecordError`].
    // rfc8684:3.3.1-10
    #[inline]
    pub fn record(&mut self, mapping: RxMapping) -> Result<Recorded, RecordError> {
        if mapping.len == 0 {
            return self.record_infinite(mapping);
        }
        let record = RxRecord::from_mapping(mapping);
        if !record.end().after(self.floor) {
            return Ok(Recorded::Old);
        }
        if record.end().distance(self.floor).unsigned_abs() > REACH {
            return Err(RecordError::Outside);
        }
        // In-order arrival is the common case: the mapping repeats the newest or lies behind it.
        if let Some(newest) = self.ring.newest_mut() {
            if newest.is_again(&record) {
                return Ok(Recorded::Known);
            }
            if record.ssn.before(newest.end()) {
                return self.record_anywhere(record);
            }
            if newest.end() == record.ssn && newest.mergeable(&record) {
                newest.len = newest.len.wrapping_add(record.len);
                return Ok(Recorded::Merged);
            }
        }
        match self.has_place_for(&record) && self.ring.push(record) {
            true => Ok(Recorded::New),
            false => Err(RecordError::Full),
        }
    }

    /// The data sequence number of the byte at `ssn`, and how far it continues.
    #[inline]
    pub fn lookup(&self, ssn: Ssn) -> Option<Span> {
        match self.covering(ssn) {
            Some(record) => {
                let into = ssn.since(record.ssn);
                Some(Span {
                    dsn: record.dsn.plus(u64::from(into)),
                    len_left: record.len.saturating_sub(into),
                    infinite: false,
                })
            }
            None => {
                let (start, dsn) = self.infinite.filter(|(start, _)| !ssn.before(*start))?;
                Some(Span {
                    dsn: dsn.plus(u64::from(ssn.since(start))),
                    len_left: REACH,
                    infinite: true,
                })
            }
        }
    }

    /// Whether every entry continues the stream in which the byte at `ssn` has the number `dsn`, so
    /// that one infinite mapping describes them all. What the peer sent again does not.
    #[inline]
    pub fn all_continue(&self, ssn: Ssn, dsn: Dsn) -> bool {
        let continues = |record: &RxRecord| {
            let apart = i64::from(record.ssn.distance(ssn));
            record.dsn.distance(dsn) == apart
        };
        (0..self.ring.len()).all(|index| self.ring.get(index).is_some_and(continues))
    }

    /// The entry that covers the byte at `ssn`; with checksums it is exactly what the peer sent.
    #[inline]
    pub fn covering(&self, ssn: Ssn) -> Option<&RxRecord> {
        // Data is consumed in order, so the oldest entry is the common case.
        let oldest = self.ring.get(0)?;
        if oldest.covers(ssn) {
            return Some(oldest);
        }
        let at = self.ring.partition(|record| !record.end().after(ssn));
        self.ring.get(at).filter(|record| record.covers(ssn))
    }

    /// Takes note that all bytes before `ssn` were consumed, and drops their entries.
    #[inline]
    pub fn consumed(&mut self, ssn: Ssn) {
        self.floor = self.floor.latest(ssn);
        while self
            .ring
            .get(0)
            .is_some_and(|oldest| !oldest.end().after(self.floor))
        {
            self.ring.pop();
        }
        // What is left of the oldest entry and the anchor of an infinite mapping must stay near,
        // or they would not be comparable any more when the numbers wrap.
        if let Some(oldest) = self.ring.get_mut(0) {
            if oldest.checksum.is_none() {
                let passed = self.floor.since(oldest.ssn);
                oldest.ssn = oldest.ssn.plus(passed);
                oldest.dsn = oldest.dsn.plus(u64::from(passed));
                oldest.len = oldest.len.saturating_sub(passed);
            }
        }
        if let Some((start, dsn)) = self.infinite {
            let passed = self.floor.since(start);
            self.infinite = Some((start.plus(passed), dsn.plus(u64::from(passed))));
        }
    }

    /// The last free entry is for the mapping of the next byte to be consumed. Without it no byte
    /// could be consumed any more, and no entry would become free.
    #[inline]
    fn has_place_for(&self, record: &RxRecord) -> bool {
        self.ring.len().saturating_add(1) < self.ring.capacity()
            || record.covers(self.floor)
            || self.covering(self.floor).is_some()
    }

    fn record_infinite(&mut self, mapping: RxMapping) -> Result<Recorded, RecordError> {
        match self.infinite {
            None => {
                self.infinite = Some((mapping.ssn, mapping.dsn));
                Ok(Recorded::New)
            }
            Some((start, dsn)) => {
                let apart = i64::from(mapping.ssn.distance(start));
                match mapping.dsn.distance(dsn) == apart {
                    true => Ok(Recorded::Known),
                    false => Err(RecordError::Conflict),
                }
            }
        }
    }

    /// Records what is not behind all others: out of order, or repeated.
    fn record_anywhere(&mut self, record: RxRecord) -> Result<Recorded, RecordError> {
        let mut union = record;
        // The first entry that may touch the new one: those before it end before it starts.
        let from = self.ring.partition(|old| old.end().before(record.ssn));
        let mut to = from;
        let mut first_joined = None;
        while let Some(old) = self.ring.get(to) {
            if old.ssn.after(record.end()) {
                break;
            }
            let touching = old.end() == record.ssn || old.ssn == record.end();
            if old.is_again(&record) {
                return Ok(Recorded::Known);
            } else if old.mergeable(&record) {
                if covers_all(old, &record) {
                    return Ok(Recorded::Known);
                }
                first_joined.get_or_insert(to);
                union = join(&union, old);
            } else if !touching {
                return Err(RecordError::Conflict);
            } else if first_joined.is_some() || old.ssn == record.end() {
                break;
            }
            to = to.wrapping_add(1);
        }
        match first_joined {
            Some(first) => {
                if let Some(place) = self.ring.get_mut(first) {
                    *place = union;
                }
                let rest = first.wrapping_add(1);
                self.ring.remove(rest, to.wrapping_sub(rest));
                Ok(Recorded::Merged)
            }
            None => {
                let at = self.ring.partition(|old| old.ssn.before(record.ssn));
                match self.has_place_for(&record) && self.ring.insert(at, record) {
                    true => Ok(Recorded::New),
                    false => Err(RecordError::Full),
                }
            }
        }
    }
}

/// Whether every byte of `inner` is one of `outer`.
#[inline]
fn covers_all(outer: &RxRecord, inner: &RxRecord) -> bool {
    !inner.ssn.before(outer.ssn) && !inner.end().after(outer.end())
}

/// The smallest record that covers two mergeable ones that touch.
#[inline]
fn join(left: &RxRecord, right: &RxRecord) -> RxRecord {
    let first = match right.ssn.before(left.ssn) {
        true => right,
        false => left,
    };
    let end = left.end().latest(right.end());
    RxRecord {
        len: end.since(first.ssn),
        ..*first
    }
}

#[cfg(test)]
mod tests;
