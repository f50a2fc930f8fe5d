// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions over the networking C API of the kernel.
//!
//! This crate is the only place of the project with `unsafe` code, and the only one that sees the
//! generated C declarations. It knows nothing of Multipath TCP.

pub mod address;
pub mod congestion;
mod context;
pub mod cpu;
pub mod crypto;
pub mod established;
pub mod fragments;
pub mod genetlink;
pub mod hooks;
pub mod index;
mod joining;
pub mod layout;
pub mod lock;
pub mod memory;
pub mod message;
pub mod meta;
pub mod netfilter;
pub mod netns;
pub mod notifier;
pub mod param;
pub mod percpu;
pub mod port;
pub mod procfs;
pub mod protocol;
mod receive_queue;
mod rewrite;
pub mod segment;
pub mod skb;
pub mod sock;
pub mod sockopt;
pub mod spares;
pub mod steering;
pub mod subflow;
pub mod sysctl;
#[cfg(CONFIG_KUNIT = "y")]
pub mod testing;
pub mod time;
pub mod transport;

pub use context::Registration as UlpRegistration;

use knet_bindings as bindings;
