// SPDX-License-Identifier: GPL-2.0

//! Data behind a lock that softirqs may take.
//!
//! C header: `include/linux/spinlock.h`.

use crate::bindings;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use kernel::prelude::*;

/// A value behind a spinlock. Softirqs are off while it is held, so that any context but hard
/// interrupts may take it.
pub struct SoftLock<T>(KBox<Inner<T>>);

/// # Invariants
///
/// The lock is initialised and stays where it is.
struct Inner<T> {
    raw: UnsafeCell<bindings::spinlock_t>,
    value: UnsafeCell<T>,
}

// SAFETY: The lock gives the value to one context at a time.
unsafe impl<T: Send> Send for SoftLock<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Sync for SoftLock<T> {}

/// The value, while it is locked.
pub struct SoftGuard<'a, T>(&'a Inner<T>);

impl<T> SoftLock<T> {
    /// Puts a value behind a lock. Process context.
    pub fn new(value: T) -> Result<Self> {
        let inner = KBox::new(
            Inner {
                raw: UnsafeCell::new(bindings::spinlock_t::default()),
                value: UnsafeCell::new(value),
            },
            GFP_KERNEL,
        )?;
        // SAFETY: Nobody else knows the lock yet.
        unsafe { bindings::knet_helper_spin_lock_init(inner.raw.get()) };
        // INVARIANT: It was just initialised, on the heap.
        Ok(Self(inner))
    }

    /// Takes the lock. Any context but hard interrupts; the holder must not sleep.
    pub fn lock(&self) -> SoftGuard<'_, T> {
        // SAFETY: By the type invariant.
        unsafe { bindings::knet_helper_spin_lock_bh(self.0.raw.get()) };
        SoftGuard(&self.0)
    }
}

impl<T> Deref for SoftGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The lock is held.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for SoftGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The lock is held, and there is one guard.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for SoftGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: The guard's maker took the lock in this context.
        unsafe { bindings::knet_helper_spin_unlock_bh(self.0.raw.get()) };
    }
}
