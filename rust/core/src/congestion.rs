// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control: the subflows of a connection share one fate (RFC 8684 section 3.3.7).
//!
//! Each subflow has its own congestion window and reacts to its own losses, but how fast it grows
//! depends on all of them. Else a connection with two subflows would take two shares of a link
//! that both of them cross. Four algorithms say how; all count windows in segments and time in
//! microseconds, in integers.
//!
//! The calls are those of the kernel's `tcp_congestion_ops`. What the others must know of a subflow
//! is a [`Member`]; its owner asks [`Control::member`] of each and passes all to each call.

mod balia;
mod control;
mod coupled;
mod fixed;
mod growth;
mod lia;
mod members;
mod olia;
mod wvegas;

pub use balia::Balia;
pub use control::{Algorithm, Control, MAX_STATE_SIZE};
pub use lia::Lia;
pub use members::{Member, Members, MAX_MEMBERS};
pub use olia::Olia;
pub use wvegas::{Wvegas, TOTAL_ALPHA};

use crate::seq::Ssn;

/// The two variables of congestion control (RFC 5681 section 2), in segments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// The congestion window.
    pub cwnd: u32,
    /// The slow-start threshold. Below it the window is in slow start.
    pub ssthresh: u32,
}

/// An acknowledgement of new data on a subflow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ack {
    /// How many segments were acknowledged.
    pub segments: u32,
    /// The first number that is not acknowledged now.
    pub una: Ssn,
    /// The next number to be sent.
    pub nxt: Ssn,
    /// Whether it is the congestion window that limits what is sent, and not the application or the
    /// peer. A window that is not used must not grow (RFC 9293 section 3.8.2, RFC 7661).
    pub cwnd_limited: bool,
}

#[cfg(test)]
mod tests;
