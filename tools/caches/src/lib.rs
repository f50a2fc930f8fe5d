// SPDX-License-Identifier: GPL-2.0

//! Caches of a machine with several processors: how often data must be fetched, and how often a
//! write takes it away from another processor.
//!
//! It is a simulation of the principle, not of one processor: a private first level for each, a shared
//! second level that holds whatever a first level holds, lines that a write takes away from all others, and
//! the least recently used line giving way. There is no prefetching, no store buffer, no time, and
//! instructions are not fetched through it.

mod cache;
#[cfg(feature = "plugin")]
mod plugin;
mod system;

pub use cache::{Cache, Shape};
pub use system::{Counts, System, LINE};

#[cfg(test)]
mod tests;
