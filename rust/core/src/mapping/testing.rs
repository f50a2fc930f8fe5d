// SPDX-License-Identifier: GPL-2.0

//! What the tests of both tables need.

use super::Slots;
use std::vec::Vec;

/// Slots as many as one likes.
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T: Copy> Slots for Many<T> {
    type Entry = T;

    fn slots(&self) -> &[T] {
        &self.0
    }

    fn slots_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
