// SPDX-License-Identifier: GPL-2.0

//! A connection from its first SYN to its end.

pub mod fallback;
pub mod handshake;
pub mod state;
