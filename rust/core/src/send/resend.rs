// SPDX-License-Identifier: GPL-2.0

//! Data that has to be sent once more (RFC 8684 section 3.3.6).

use crate::seq::Dsn;

/// The most pieces of the stream that are remembered apart. What lies between pieces is sent again
/// too when there are more.
pub const MAX_RANGES: usize = 16;

/// The bytes from `from` up to `end`, that one not included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Range {
    pub(super) from: Dsn,
    pub(super) end: Dsn,
}

/// What has to be sent once more: pieces of the stream in ascending order, none of which touch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Resend {
    ranges: [Range; MAX_RANGES],
    count: usize,
}

impl Resend {
    /// Nothing.
    #[inline]
    pub(super) const fn new() -> Self {
        Self {
            ranges: [Range {
                from: Dsn::new(0),
                end: Dsn::new(0),
            }; MAX_RANGES],
            count: 0,
        }
    }

    /// The first piece.
    #[inline]
    pub(super) fn first(&self) -> Option<Range> {
        self.ranges.first().copied().filter(|_| self.count > 0)
    }

    /// Adds a piece, which may overlap others.
    pub(super) fn add(&mut self, from: Dsn, end: Dsn) {
        if !from.before(end) {
            return;
        }
        let mut added = Range { from, end };
        let mut waits = true;
        let mut all = Self::new();
        for range in self.ranges.iter().take(self.count) {
            if range.end.before(added.from) {
                all.push(*range);
            } else if added.end.before(range.from) {
                if waits {
                    all.push(added);
                    waits = false;
                }
                all.push(*range);
            } else {
                added.from = added.from.earliest(range.from);
                added.end = added.end.latest(range.end);
            }
        }
        if waits {
            all.push(added);
        }
        *self = all;
    }

    /// Forgets everything before `dsn`.
    #[inline]
    pub(super) fn forget_before(&mut self, dsn: Dsn) {
        if self.first().is_none_or(|first| !first.from.before(dsn)) {
            return;
        }
        let mut left = Self::new();
        for range in self.ranges.iter().take(self.count) {
            if range.end.after(dsn) {
                left.push(Range {
                    from: range.from.latest(dsn),
                    end: range.end,
                });
            }
        }
        *self = left;
    }

    /// Appends a piece behind all others; if there is no room, the last one reaches to its end.
    #[inline]
    fn push(&mut self, range: Range) {
        match self.ranges.get_mut(self.count) {
            Some(place) => {
                *place = range;
                self.count = self.count.saturating_add(1);
            }
            None => {
                if let Some(last) = self.ranges.last_mut() {
                    last.end = range.end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// The numbers wrap in the middle of the test's stream.
    const START: Dsn = Dsn::new(u64::MAX - 100);

    fn bytes(resend: &Resend) -> BTreeSet<u64> {
        let ranges = resend.ranges.iter().take(resend.count);
        ranges
            .flat_map(|range| range.from.since(START)..range.end.since(START))
            .collect()
    }

    fn is_sorted(resend: &Resend) -> bool {
        let ranges = resend
            .ranges
            .get(..resend.count)
            .expect("the count is right");
        ranges.iter().all(|range| range.from.before(range.end))
            && ranges.windows(2).all(|two| two[0].end.before(two[1].from))
    }

    proptest! {
        #[test]
        fn all_that_was_added_is_there_and_nothing_else_while_there_is_room(
            pieces in prop::collection::vec((0..300u64, 0..40u64), 0..12),
            acked in 0..340u64,
        ) {
            let mut resend = Resend::new();
            let mut model = BTreeSet::new();
            for (from, len) in pieces {
                resend.add(START.plus(from), START.plus(from + len));
                model.extend(from..from + len);
                prop_assert!(is_sorted(&resend));
            }
            prop_assert_eq!(bytes(&resend), model.clone());
            resend.forget_before(START.plus(acked));
            model.retain(|byte| *byte >= acked);
            prop_assert!(is_sorted(&resend));
            prop_assert_eq!(bytes(&resend), model);
        }

        #[test]
        fn without_room_nothing_is_lost(pieces in prop::collection::vec((0..5000u64, 1..9u64), 0..80)) {
            let mut resend = Resend::new();
            let mut model = BTreeSet::new();
            for (from, len) in pieces {
                resend.add(START.plus(from), START.plus(from + len));
                model.extend(from..from + len);
                prop_assert!(is_sorted(&resend));
                prop_assert!(bytes(&resend).is_superset(&model));
            }
        }
    }
}
