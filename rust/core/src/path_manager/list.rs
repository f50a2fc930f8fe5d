// SPDX-License-Identifier: GPL-2.0

//! A bounded list of copyable items in the order in which they came.

use core::cell::Cell;

/// Up to `N` items.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct List<T, const N: usize> {
    /// Items first, then empty places.
    places: [Option<T>; N],
}

impl<T: Copy, const N: usize> List<T, N> {
    /// A list without items.
    #[inline]
    pub(super) const fn new() -> Self {
        Self { places: [None; N] }
    }

    /// The places, of which those behind the last item are empty.
    #[inline]
    pub(super) const fn places(&self) -> &[Option<T>] {
        &self.places
    }

    /// The items, oldest first.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().map_while(Option::as_ref)
    }

    /// The items, oldest first, to be changed.
    #[inline]
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().map_while(Option::as_mut)
    }

    /// How many items `chosen` chooses.
    #[inline]
    pub(super) fn count(&self, mut chosen: impl FnMut(&T) -> bool) -> usize {
        self.iter().fold(0, |count: usize, item| {
            count.wrapping_add(usize::from(chosen(item)))
        })
    }

    /// Whether there is no place for another item.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.places.last().is_none_or(Option::is_some)
    }

    /// Appends `item` and returns it in its place; `None` if the list is full.
    #[inline]
    pub(super) fn push(&mut self, item: T) -> Option<&mut T> {
        let place = self.places.iter_mut().find(|place| place.is_none())?;
        Some(place.insert(item))
    }

    /// Removes the items that `keep` refuses; the others stay in order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        // Items move towards the front, never over one that was not looked at yet.
        let places = Cell::from_mut(self.places.as_mut_slice()).as_slice_of_cells();
        let mut free = places.iter();
        for place in places {
            let Some(item) = place.take().filter(|item| keep(item)) else {
                continue;
            };
            if let Some(first_free) = free.next() {
                first_free.set(Some(item));
            }
        }
    }

    /// Removes the oldest item that `wanted` chooses and returns it.
    pub(super) fn take(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let mut taken = None;
        self.retain(|item| {
            let keep = taken.is_some() || !wanted(item);
            if !keep {
                taken = Some(*item);
            }
            keep
        });
        taken
    }
}

#[cfg(test)]
mod tests;
