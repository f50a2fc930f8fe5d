// SPDX-License-Identifier: GPL-2.0

//! A bounded ring of copyable entries.

/// Where a table keeps its entries: an array, or what can be exchanged for more room.
pub trait Slots {
    /// What lies in a slot.
    type Entry: Copy;

    /// All slots, used or not; always as many.
    fn slots(&self) -> &[Self::Entry];

    /// As [`slots`](Self::slots), to be changed.
    fn slots_mut(&mut self) -> &mut [Self::Entry];
}

impl<T: Copy, const N: usize> Slots for [T; N] {
    type Entry = T;

    #[inline]
    fn slots(&self) -> &[T] {
        self
    }

    #[inline]
    fn slots_mut(&mut self) -> &mut [T] {
        self
    }
}

/// As many entries as there are slots at most; index 0 is the oldest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring<S> {
    slots: S,
    head: usize,
    len: usize,
}

impl<S> Ring<S> {
    /// An empty ring; what is in the slots does not count.
    #[inline]
    pub(super) const fn new(slots: S) -> Self {
        Self {
            slots,
            head: 0,
            len: 0,
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl<S: Slots> Ring<S> {
    /// How many entries it can have.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.slots.slots().len()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.capacity()
    }

    /// Moves all entries to other slots; `false`, and nothing happens, if those are too few.
    pub(super) fn move_to(&mut self, mut slots: S) -> bool {
        let Some(places) = slots.slots_mut().get_mut(..self.len) else {
            return false;
        };
        for (index, place) in places.iter_mut().enumerate() {
            if let Some(entry) = self.get(index) {
                *place = *entry;
            }
        }
        (self.slots, self.head) = (slots, 0);
        true
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&S::Entry> {
        self.slots.slots().get(self.slot(index)?)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut S::Entry> {
        let slot = self.slot(index)?;
        self.slots.slots_mut().get_mut(slot)
    }

    #[inline]
    pub(super) fn newest(&self) -> Option<&S::Entry> {
        self.get(self.len.wrapping_sub(1))
    }

    #[inline]
    pub(super) fn newest_mut(&mut self) -> Option<&mut S::Entry> {
        self.get_mut(self.len.wrapping_sub(1))
    }

    /// Appends `entry`; `false` if the ring is full.
    #[inline]
    pub(super) fn push(&mut self, entry: S::Entry) -> bool {
        if self.is_full() {
            return false;
        }
        self.len = self.len.wrapping_add(1);
        match self.newest_mut() {
            Some(place) => *place = entry,
            None => return false,
        }
        true
    }

    /// Removes the oldest entry.
    #[inline]
    pub(super) fn pop(&mut self) {
        if self.len > 0 {
            self.head = match self.head.wrapping_add(1) {
                next if next >= self.capacity() => 0,
                next => next,
            };
            self.len = self.len.wrapping_sub(1);
        }
    }

    /// Puts `entry` before the entry at `index`; `false` if the ring is full.
    pub(super) fn insert(&mut self, index: usize, entry: S::Entry) -> bool {
        if !self.push(entry) {
            return false;
        }
        let mut at = self.len.wrapping_sub(1);
        while at > index {
            let before = at.wrapping_sub(1);
            self.copy_within(before, at);
            at = before;
        }
        if let Some(place) = self.get_mut(at) {
            *place = entry;
        }
        true
    }

    /// Removes `count` entries from `index` on.
    pub(super) fn remove(&mut self, index: usize, count: usize) {
        let count = count.min(self.len.saturating_sub(index));
        if count == 0 {
            return;
        }
        let mut to = index;
        let mut from = index.wrapping_add(count);
        while from < self.len {
            self.copy_within(from, to);
            to = to.wrapping_add(1);
            from = from.wrapping_add(1);
        }
        self.len = self.len.wrapping_sub(count);
    }

    /// The first index whose entry does not satisfy `below`, which must hold for a prefix.
    #[inline]
    pub(super) fn partition(&self, below: impl Fn(&S::Entry) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low.wrapping_add(high.wrapping_sub(low) / 2);
            if self.get(middle).is_some_and(&below) {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    #[inline]
    fn copy_within(&mut self, from: usize, to: usize) {
        if let Some(entry) = self.get(from).copied() {
            if let Some(place) = self.get_mut(to) {
                *place = entry;
            }
        }
    }

    #[inline]
    fn slot(&self, index: usize) -> Option<usize> {
        if index >= self.len {
            return None;
        }
        let slot = self.head.wrapping_add(index);
        let capacity = self.capacity();
        Some(if slot >= capacity {
            slot.wrapping_sub(capacity)
        } else {
            slot
        })
    }
}
