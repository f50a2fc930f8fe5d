// SPDX-License-Identifier: GPL-2.0

//! MPTCP's TCP options (kind 30): bytes to values and back.
//!
//! Every option has a `parse`, which takes the bytes after kind and length, and an `emit`, which
//! writes the whole option. Lengths are exact, as RFC 8684 section 3 gives them. Numbers on the
//! wire are big-endian, in the structs they are in host order. [`Received`] gathers what all
//! options of one segment said; [`plan`] chooses what fits the option space of an outgoing one.

mod address;
mod bytes;
mod capable;
mod control;
mod dss;
mod join;
pub mod plan;
mod received;
mod version;
mod walk;

pub use address::{AddAddr, Address, RemoveAddr};
pub use capable::{CapableContent, CapableFlags, MpCapable};
pub use control::{MpFail, MpFastclose, MpPrio, MpTcpRst, ResetReason};
pub use dss::{Dss, DssMap, WireSeq};
pub use join::MpJoin;
pub use received::{Received, SegmentKind, Timestamp};
pub use version::Version;
pub use walk::{walk, TcpOption, Walk};

/// TCP option kinds (IANA registry) that this crate looks at.
pub mod kind {
    /// End of the option list; one byte, no length.
    pub const END: u8 = 0;
    /// Padding; one byte, no length.
    pub const NOP: u8 = 1;
    /// Timestamps (RFC 7323).
    pub const TIMESTAMP: u8 = 8;
    /// Multipath TCP (RFC 8684 section 3).
    pub const MPTCP: u8 = 30;
}

/// Subtypes of the MPTCP option: the upper four bits of its third byte (RFC 8684 section 8.2).
pub mod subtype {
    /// Multipath capable.
    pub const MP_CAPABLE: u8 = 0x0;
    /// Join a connection.
    pub const MP_JOIN: u8 = 0x1;
    /// Data sequence signal.
    pub const DSS: u8 = 0x2;
    /// Add an address.
    pub const ADD_ADDR: u8 = 0x3;
    /// Remove addresses.
    pub const REMOVE_ADDR: u8 = 0x4;
    /// Change the priority of a subflow.
    pub const MP_PRIO: u8 = 0x5;
    /// Fall back after a checksum failure.
    pub const MP_FAIL: u8 = 0x6;
    /// Close the connection abruptly.
    pub const MP_FASTCLOSE: u8 = 0x7;
    /// Reason of a subflow reset.
    pub const MP_TCPRST: u8 = 0x8;
}

/// The most option bytes a TCP header can carry (RFC 9293 section 3.1: a data offset of 15).
pub const OPTION_SPACE: usize = 40;

/// An MPTCP option that is not what RFC 8684 section 3 describes. The answer is to ignore it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// Fills `out` with no-operation options and returns how many bytes that were.
#[inline]
pub fn pad(out: &mut [u8]) -> usize {
    out.fill(kind::NOP);
    out.len()
}

/// `length` rounded up to a multiple of four, the unit of the TCP data offset.
#[inline]
pub const fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
mod tests;
