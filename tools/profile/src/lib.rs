// SPDX-License-Identifier: GPL-2.0

//! Counts what an emulated machine executes: instructions by block of code, between two marks.
//!
//! A block is what the emulator translates in one go: it begins at an address, has a number of
//! instructions, and runs to its end unless an exception stops it. [`Profile`] keeps them; the plugin (feature
//! `plugin`) feeds it.

mod blocks;
#[cfg(feature = "plugin")]
mod plugin;

pub use blocks::{Block, Profile};
