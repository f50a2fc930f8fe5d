// SPDX-License-Identifier: GPL-2.0

//! A bounded ring of copyable entries.

/// Up to `N` entries; index 0 is the oldest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring<T, const N: usize> {
    slots: [T; N],
    head: usize,
    len: usize,
}

impl<T: Copy, const N: usize> Ring<T, N> {
    /// An empty ring; `filler` is what unused slots hold.
    #[inline]
    pub(super) const fn new(filler: T) -> Self {
        Self {
            slots: [filler; N],
            head: 0,
            len: 0,
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        self.len >= N
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.slots.get(self.slot(index)?)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let slot = self.slot(index)?;
        self.slots.get_mut(slot)
    }

    #[inline]
    pub(super) fn newest(&self) -> Option<&T> {
        self.get(self.len.wrapping_sub(1))
    }

    #[inline]
    pub(super) fn newest_mut(&mut self) -> Option<&mut T> {
        self.get_mut(self.len.wrapping_sub(1))
    }

    /// Appends `entry`; `false` if the ring is full.
    #[inline]
    pub(super) fn push(&mut self, entry: T) -> bool {
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
                next if next >= N => 0,
                next => next,
            };
            self.len = self.len.wrapping_sub(1);
        }
    }

    /// Puts `entry` before the entry at `index`; `false` if the ring is full.
    pub(super) fn insert(&mut self, index: usize, entry: T) -> bool {
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
    pub(super) fn partition(&self, below: impl Fn(&T) -> bool) -> usize {
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
    const fn slot(&self, index: usize) -> Option<usize> {
        if index >= self.len {
            return None;
        }
        let slot = self.head.wrapping_add(index);
        Some(if slot >= N {
            slot.wrapping_sub(N)
        } else {
            slot
        })
    }
}
