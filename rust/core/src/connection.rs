// SPDX-License-Identifier: GPL-2.0

//! A connection from its first SYN to its end.

pub mod abort;
pub mod arrival;
pub mod blackhole;
pub mod delivery;
pub mod departure;
pub mod doubt;
pub mod ending;
pub mod expiry;
pub mod fallback;
pub mod farewell;
pub mod handshake;
pub mod join;
pub mod push;
pub mod speech;
pub mod state;
