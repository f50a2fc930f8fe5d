// SPDX-License-Identifier: GPL-2.0

//! The kernel's table of receive flows (`net.core.rps_sock_flow_entries`).
//!
//! An entry is a 32-bit word that holds two things: in its low bits, as many as number all
//! possible processors, the processor; in the others the bits of the flow's hash there. A packet
//! whose hash disagrees in those bits takes no notice of the entry.

use super::Cpu;

/// What an entry holds that no flow has claimed.
pub const EMPTY_ENTRY: u32 = 0xffff;

/// The largest table that the kernel makes, in entries.
pub const MAX_TABLE_SIZE: u32 = 1 << 29;

/// The size that the kernel gives a table for which `wanted` entries are asked; `None` if it makes
/// none.
#[inline]
pub const fn round_table_size(wanted: u32) -> Option<u32> {
    match wanted {
        1..=MAX_TABLE_SIZE => wanted.checked_next_power_of_two(),
        _ => None,
    }
}

/// The shape of the table, which says where and what to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FlowTable {
    index_mask: u32,
    cpu_mask: u32,
}

impl FlowTable {
    /// A table of `size` entries, a power of two, on a machine whose processors have numbers below
    /// `cpus`; `None` if there is no such table.
    #[inline]
    pub const fn new(size: u32, cpus: u32) -> Option<Self> {
        if !size.is_power_of_two() || size > MAX_TABLE_SIZE || cpus == 0 {
            return None;
        }
        match cpus.checked_next_power_of_two() {
            Some(rounded) => Some(Self {
                index_mask: size.wrapping_sub(1),
                cpu_mask: rounded.wrapping_sub(1),
            }),
            None => None,
        }
    }

    /// The low bits of an entry, which name the processor.
    #[inline]
    pub const fn cpu_mask(self) -> u32 {
        self.cpu_mask
    }

    /// Which entry belongs to flows of this hash.
    #[inline]
    pub const fn index(self, hash: u32) -> u32 {
        hash & self.index_mask
    }

    /// The entry that sends the flow of this hash to `cpu`. `None` if there can be none: 0 is the
    /// hash of packets that were not hashed, and a processor that the mask has no number for
    /// would be mistaken for another.
    #[inline]
    pub fn entry(self, hash: u32, cpu: Cpu) -> Option<u32> {
        let cpu = u32::from(cpu.number());
        (hash != 0 && cpu <= self.cpu_mask).then_some((hash & !self.cpu_mask) | cpu)
    }

    /// Where `entry` sends a flow of this hash; `None` if it is another flow's, or empty.
    #[inline]
    pub fn cpu(self, hash: u32, entry: u32) -> Option<Cpu> {
        if entry == EMPTY_ENTRY || (entry ^ hash) & !self.cpu_mask != 0 {
            return None;
        }
        u16::try_from(entry & self.cpu_mask).ok().map(Cpu::new)
    }
}
