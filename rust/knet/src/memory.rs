// SPDX-License-Identifier: GPL-2.0

//! Memory for what is too large for a stack.

use core::mem::MaybeUninit;
use kernel::alloc::Flags;
use kernel::prelude::*;

/// A copy of `template` on the heap, which is made there and nowhere before.
pub fn boxed<T: Copy>(template: &'static T, flags: Flags) -> Result<KBox<T>> {
    let mut place: KBox<MaybeUninit<T>> = KBox::new_uninit(flags)?;
    // SAFETY: Both are as large as `T`, which is copied bit by bit, and then initialised.
    unsafe {
        core::ptr::copy_nonoverlapping(template, place.as_mut_ptr(), 1);
        Ok(place.assume_init())
    }
}
