// SPDX-License-Identifier: GPL-2.0

//! Receive-flow steering: which processor handles the segments of a connection.
//!
//! Subflows hash to different processors, and then the cache lines that they share travel between
//! those with every segment. Steering chooses one processor for all subflows of a connection, or
//! one each out of a group that shares its last cache, and [`FlowTable`] says how that choice is
//! written where the kernel's receive path looks it up.

mod cpu_set;
mod flow_table;
mod follow;
mod machine;
mod mode;
mod place;

pub use cpu_set::CpuSet;
pub use flow_table::{round_table_size, FlowTable, EMPTY_ENTRY, MAX_TABLE_SIZE};
pub use follow::{Access, Follow, READER_RULES_US, STEADY_CALLS, STEADY_US};
pub use machine::{Cpu, Machine, MAX_CPUS};
pub use mode::Mode;
pub use place::Steering;

#[cfg(test)]
mod tests;
