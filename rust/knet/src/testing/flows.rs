// SPDX-License-Identifier: GPL-2.0

//! A table of receive flows that is not the kernel's.

use crate::steering::FlowTable;
use core::sync::atomic::AtomicU32;
use kernel::prelude::*;

/// A table of 64 entries on a system with some number of processors.
pub struct TestFlows {
    entries: KBox<Entries>,
    cpu_mask: u32,
}

/// Aligned so that the low bits of their address are free for the tag.
#[repr(align(32))]
struct Entries([AtomicU32; TestFlows::SIZE]);

impl TestFlows {
    /// The binary logarithm of the number of entries.
    const LOG: usize = 6;
    /// The number of entries.
    pub const SIZE: usize = 1 << Self::LOG;

    /// A table whose entries all hold `value`, with room for processors up to `cpu_mask` in each.
    pub fn filled(value: u32, cpu_mask: u32) -> Result<Self> {
        let entries = Entries([const { AtomicU32::new(0) }; Self::SIZE]);
        for entry in &entries.0 {
            entry.store(value, core::sync::atomic::Ordering::Relaxed);
        }
        Ok(Self {
            entries: KBox::new(entries, GFP_KERNEL)?,
            cpu_mask,
        })
    }

    /// The table as the kernel's pointer to it is read.
    pub fn table(&self) -> Option<FlowTable<'_>> {
        let address = core::ptr::from_ref(&*self.entries).expose_provenance();
        // SAFETY: As many entries as the tag says live as long as the reference to `self`.
        unsafe { FlowTable::from_tagged(address | Self::LOG, self.cpu_mask) }
    }

    /// What is read of a pointer to no table.
    pub fn none() -> Option<FlowTable<'static>> {
        // SAFETY: There is no table.
        unsafe { FlowTable::from_tagged(0, 0) }
    }
}
