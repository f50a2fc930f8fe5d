// SPDX-License-Identifier: GPL-2.0

//! The decisions of Multipath TCP (RFC 8684), and nothing else.
//!
//! This crate is pure: it has no clock, no random source, no allocator, no input or output and no
//! dependency. What it needs to know comes in as arguments, what it decides goes out as values, so
//! the same source runs inside the kernel module and in tests on any host.
//!
//! Nothing here panics. Sequence numbers wrap by definition (RFC 8684 section 3.3.1, RFC 9293
//! section 3.4), so they are types of their own whose arithmetic wraps, and every byte that comes
//! from the network is read through bounds-checked readers.
//!
//! | module | decides |
//! |---|---|
//! | [`seq`] | what comes before what |
//! | [`wire`] | what the bytes of an option mean, and which options fit a segment |
//! | [`crypto`] | keys, tokens, initial sequence numbers, message authentication |
//! | [`mapping`] | which data sequence number a byte of a subflow has |
//! | [`reassembly`] | how data that came too early becomes part of the stream |
//! | [`receive`] | what to do with arriving data, and which window to promise |
//! | [`send`] | what may be sent, what was acknowledged, what to send again |
//! | [`connection`] | handshake, fallback and the end of a connection |
//! | [`path_manager`] | which addresses to announce, which subflows to open and close |
//! | [`congestion`] | how fast the congestion windows of a connection grow |
//! | [`scheduler`] | which subflow carries the next data |
//! | [`steering`] | which processor handles the segments of a connection |
//! | [`acceptable`] | whether TCP would accept a segment |

#![cfg_attr(not(MODULE), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod acceptable;
pub mod congestion;
pub mod connection;
pub mod crypto;
pub mod mapping;
pub mod path_manager;
pub mod reassembly;
pub mod receive;
pub mod scheduler;
pub mod send;
pub mod seq;
pub mod steering;
pub mod vectors;
pub mod wire;

mod num;
