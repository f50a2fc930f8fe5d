// SPDX-License-Identifier: GPL-2.0

//! The kernel's table of receive flows, and the hash by which a socket's packets are looked up in it.
//!
//! The table is one for the whole system and as large as `net.core.rps_sock_flow_entries` says. It may
//! be exchanged or taken away at any time. Entries are written one by one without lock, by whoever
//! knows where a flow's data is wanted.
//!
//! C header: [`include/net/rps.h`](srctree/include/net/rps.h)

use crate::bindings;
use crate::sock::Sock;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::sync::rcu::Guard;

/// The low bits of a tagged pointer to a table: the binary logarithm of its size.
const TAG: usize = 31;

/// The table as it was in an RCU read-side section, while that lasts.
///
/// # Invariants
///
/// `entries` are as many words as `size` says, which live at least as long as `'section`.
pub struct FlowTable<'section> {
    entries: *const AtomicU32,
    size: u32,
    cpu_mask: u32,
    section: PhantomData<&'section AtomicU32>,
}

/// The table, if there is one. Any context.
pub fn flow_table(_section: &Guard) -> Option<FlowTable<'_>> {
    // SAFETY: The section is open. What is behind a pointer that is read in it is freed a grace period
    // after the pointer was exchanged.
    unsafe { FlowTable::from_tagged(tagged(), bindings::knet_helper_flow_cpu_mask()) }
}

/// Whether there is a table. Any context.
#[inline]
pub fn is_configured() -> bool {
    tagged() != 0
}

/// The kernel's tagged pointer to the table of now, or zero.
#[inline]
#[cfg(CONFIG_RPS)]
fn tagged() -> usize {
    // SAFETY: The word may be read at any time, and is changed as a whole.
    unsafe { (&raw const bindings::net_hotdata.rps_sock_flow_table).read_volatile() }
}

/// As if there were no table: this kernel knows none.
#[inline]
#[cfg(not(CONFIG_RPS))]
fn tagged() -> usize {
    0
}

impl<'section> FlowTable<'section> {
    /// What the kernel's tagged pointer stands for; `None` for none.
    ///
    /// # Safety
    ///
    /// The pointer is zero, or the table that it stands for lives during `'section` and is changed as a
    /// whole word at a time.
    pub(crate) unsafe fn from_tagged(tagged: usize, cpu_mask: u32) -> Option<Self> {
        // INVARIANT: By the caller's promise.
        (tagged != 0).then_some(Self {
            entries: core::ptr::with_exposed_provenance(tagged & !TAG),
            size: 1 << (tagged & TAG),
            cpu_mask,
            section: PhantomData,
        })
    }

    /// Entries, a power of two.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// One more than the largest number of a processor that an entry has room for.
    pub fn cpus(&self) -> u32 {
        self.cpu_mask.saturating_add(1)
    }

    fn entry(&self, index: u32) -> Option<&'section AtomicU32> {
        // SAFETY: By the type invariant there is such an entry, and nobody accesses it in another way.
        (index < self.size).then(|| unsafe { &*self.entries.add(index as usize) })
    }

    /// What an entry says; `None` if there is no such entry.
    pub fn get(&self, index: u32) -> Option<u32> {
        Some(self.entry(index)?.load(Ordering::Relaxed))
    }

    /// Lets an entry say `value`. What says so already is not written, so that its cache line can stay
    /// with all processors. Returns whether it was written; nothing happens if there is no such entry.
    pub fn set(&self, index: u32, value: u32) -> bool {
        let other = self
            .entry(index)
            .filter(|entry| entry.load(Ordering::Relaxed) != value);
        if let Some(entry) = other {
            entry.store(value, Ordering::Relaxed);
        }
        other.is_some()
    }
}

impl Sock {
    /// The hash of the packets that were received last, by which their flow is looked up; zero if
    /// nobody computed one.
    #[inline]
    pub fn receive_hash(&self) -> u32 {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { bindings::knet_helper_receive_hash(self.as_ptr()) }
    }
}
