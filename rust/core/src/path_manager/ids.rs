// SPDX-License-Identifier: GPL-2.0

//! A set of address ids.

/// Any of the 256 address ids.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct IdSet([u8; 32]);

impl IdSet {
    /// None.
    pub(super) const EMPTY: Self = Self([0; 32]);

    #[inline]
    pub(super) fn insert(&mut self, id: u8) {
        if let Some(byte) = self.0.get_mut(usize::from(id >> 3)) {
            *byte |= 1 << (id & 7);
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, id: u8) {
        if let Some(byte) = self.0.get_mut(usize::from(id >> 3)) {
            *byte &= !(1 << (id & 7));
        }
    }

    #[inline]
    pub(super) fn contains(&self, id: u8) -> bool {
        let byte = self.0.get(usize::from(id >> 3));
        byte.is_some_and(|byte| byte & 1 << (id & 7) != 0)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0 == Self::EMPTY.0
    }

    /// The ids, smallest first.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|id| self.contains(*id))
    }
}
