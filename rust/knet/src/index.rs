// SPDX-License-Identifier: GPL-2.0

//! Meta-sockets by a number that no two of them have.
//!
//! C header: `include/linux/rhashtable.h`.

use crate::bindings;
use crate::meta::{DataGuard, Meta, Protocol};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::aref::ARef;

/// A hash table of meta-sockets, which grows and shrinks with them. It owns a reference to each, until
/// the number is given back.
///
/// # Invariants
///
/// The pointer is to an initialised hash table that belongs to this value. All its entries are those of
/// live meta-sockets of `P`, one reference to each of which it owns.
pub struct Index<P: Protocol>(NonNull<bindings::rhashtable>, PhantomData<Meta<P>>);

// SAFETY: The table has its own locks.
unsafe impl<P: Protocol> Send for Index<P> {}
// SAFETY: As above.
unsafe impl<P: Protocol> Sync for Index<P> {}

/// A meta-socket's place in an [`Index`]. Guarded by the data lock.
pub(crate) struct Entry {
    raw: UnsafeCell<bindings::knet_index_entry>,
    /// The table that it is in; null for none.
    index: *mut bindings::rhashtable,
}

impl Entry {
    /// Where the kernel's part of the entry lies in it, in bytes.
    pub(crate) const RAW_OFFSET: usize = core::mem::offset_of!(Self, raw);

    /// In no table.
    pub(crate) const fn new() -> Self {
        Self {
            raw: UnsafeCell::new(bindings::knet_index_entry {
                next: null_mut(),
                key: 0,
            }),
            index: null_mut(),
        }
    }
}

impl<P: Protocol> Index<P> {
    /// An empty table. Process context.
    pub fn new() -> Result<Self> {
        // SAFETY: The table is initialised before anybody else knows it.
        unsafe {
            let table = NonNull::new(bindings::knet_helper_index_alloc()).ok_or(ENOMEM)?;
            if let Err(error) = to_result(bindings::knet_helper_index_init(table.as_ptr())) {
                bindings::kfree(table.as_ptr().cast());
                return Err(error);
            }
            // INVARIANT: It is initialised and empty.
            Ok(Self(table, PhantomData))
        }
    }

    /// Gives the number `key` to a meta-socket, which must live no longer than the table. Any context.
    ///
    /// # Errors
    /// EEXIST if another one has the number, EBUSY if this one has a number, ENOMEM or E2BIG if there is
    /// no room.
    // rfc8684:3.1-2
    pub fn insert(&self, data: &mut DataGuard<'_, P>, key: u32) -> Result {
        let meta = data.meta();
        let entry = data.entry();
        if !entry.index.is_null() {
            return Err(EBUSY);
        }
        entry.raw.get_mut().key = key;
        // SAFETY: The entry is in no table. It stays where it is while the meta-socket lives, which the
        // reference sees to that the table owns from here on.
        to_result(unsafe { bindings::knet_helper_index_insert(self.0.as_ptr(), entry.raw.get()) })?;
        entry.index = self.0.as_ptr();
        // INVARIANT: The reference is the table's.
        core::mem::forget(meta.hold());
        Ok(())
    }
}

impl<P: Protocol> Index<P> {
    /// The meta-socket that has the number `key`. Any context, without lock.
    pub fn find(&self, key: u32) -> Option<ARef<Meta<P>>> {
        let _reading = kernel::sync::rcu::read_lock();
        // SAFETY: The table is initialised. An entry that is found lives at least until the end of the
        // read-side section, for meta-sockets are freed a grace period after their last reference is
        // gone; the reference is taken only if there still is one.
        unsafe {
            let entry = bindings::knet_helper_index_find(self.0.as_ptr(), key);
            if entry.is_null() {
                return None;
            }
            let meta = entry.byte_sub(Meta::<P>::INDEX_OFFSET).cast::<Meta<P>>();
            bindings::knet_helper_sock_try_hold(meta.cast())
                .then(|| ARef::from_raw(NonNull::new_unchecked(meta)))
        }
    }
}

impl<P: Protocol> Index<P> {
    /// Looks at every meta-socket that is in the table all the time. Process context.
    pub fn for_each(&self, mut look: impl FnMut(&Meta<P>)) {
        let mut walk = bindings::rhashtable_iter::default();
        // SAFETY: The table is initialised and outlives the walk. What is found lives until the walk is
        // stopped, and the reference that is taken outlives `look`.
        unsafe {
            bindings::rhashtable_walk_enter(self.0.as_ptr(), &mut walk);
            loop {
                // It tells only that the table was resized, so that some are seen twice.
                bindings::rhashtable_walk_start_check(&mut walk);
                let found = Self::walk_on(&mut walk);
                bindings::rhashtable_walk_stop(&mut walk);
                match found {
                    Some(meta) => look(&meta),
                    None => break,
                }
                bindings::knet_helper_cond_resched();
            }
            bindings::rhashtable_walk_exit(&mut walk);
        }
    }

    /// The next one to which a reference can be had.
    ///
    /// # Safety
    ///
    /// The walk is through a table of this type, and started.
    unsafe fn walk_on(walk: &mut bindings::rhashtable_iter) -> Option<ARef<Meta<P>>> {
        const AGAIN: isize = -(bindings::EAGAIN as isize);
        loop {
            // SAFETY: By the caller's promise.
            let entry = unsafe { bindings::rhashtable_walk_next(walk) };
            if entry.is_null() {
                return None;
            }
            if entry as isize == AGAIN {
                continue;
            }
            // SAFETY: As in `find`.
            unsafe {
                let meta = entry.byte_sub(Meta::<P>::INDEX_OFFSET).cast::<Meta<P>>();
                if bindings::knet_helper_sock_try_hold(meta.cast()) {
                    return Some(ARef::from_raw(NonNull::new_unchecked(meta)));
                }
            }
        }
    }
}

impl<P: Protocol> Drop for Index<P> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Whoever had a number has given it back: meta-sockets live no
        // longer than the table.
        unsafe {
            bindings::rhashtable_destroy(self.0.as_ptr());
            bindings::kfree(self.0.as_ptr().cast());
        }
    }
}

impl<P: Protocol> DataGuard<'_, P> {
    /// Gives the meta-socket's number back, if it has one. Any context.
    pub fn leave_index(&mut self) {
        let meta = NonNull::from(self.meta());
        let entry = self.entry();
        let index = core::mem::replace(&mut entry.index, null_mut());
        if index.is_null() {
            return;
        }
        // SAFETY: The entry is in that table, which lives as long as it has entries. The table's reference
        // is not the last one: the caller got to the meta-socket by another.
        unsafe {
            bindings::knet_helper_index_remove(index, entry.raw.get());
            drop(ARef::from_raw(meta));
        }
    }
}
