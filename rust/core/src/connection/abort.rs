// SPDX-License-Identifier: GPL-2.0

//! How the peer is told that a connection is aborted (RFC 8684 section 3.5).

use crate::connection::speech::Reset;
use crate::crypto::Key;
use crate::wire::plan::Wanted;
use crate::wire::{MpFastclose, Received, Version};

/// How often an MP_FASTCLOSE on an ACK is sent at most (RFC 8684 section 3.5).
pub const FASTCLOSES: u8 = 3;

/// How an abort goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// MP_FASTCLOSE goes out on an ACK of one subflow, see [`of_ack`]; all others are reset. The
    /// peer's RST is waited for, for one retransmission timeout of that subflow.
    Ask,
    /// All subflows that are left are reset, with MP_FASTCLOSE.
    Reset,
}

/// Decides how an abort goes on; `sent` counts the ACKs with MP_FASTCLOSE so far.
///
/// RFC 8684 section 3.5 leaves the choice between ACK and RST. A RST needs no answer, so that
/// nothing is left to wait for. RFC 6824 section 3.5 knows the ACK alone.
// rfc8684:3.5-4 rfc8684:3.5-5 rfc8684:v0-6
#[inline]
pub const fn step(version: Version, sent: u8) -> Step {
    match version {
        Version::V0 if sent < FASTCLOSES => Step::Ask,
        Version::V0 | Version::V1 => Step::Reset,
    }
}

/// Whether an ACK with MP_FASTCLOSE goes ahead of the RST of a subflow; RFC 8684 section 3.5 lets both tell.
///
/// A RST may come to nothing. RFC 5961 section 3.2: its number must be the next one that the receiver expects; where
/// data is missing before it, the receiver asks again, and the answer says nothing of the connection, which is
/// no more. And TCP forgets a subflow before its RST leaves: what comes in between is answered by a RST without options,
/// which ends the subflow alone. An ACK is heard with any number in the window, and leaves before.
// rfc8684:3.5-5
#[inline]
pub const fn tells_ahead(reset: Reset) -> bool {
    matches!(reset, Reset::Fastclose)
}

/// Whether a segment says that the peer ends the connection in which `ours` is our key.
///
/// RFC 8684 section 3.5: the receiver's key proves that the sender is the peer.
// rfc8684:3.5-1
#[inline]
pub fn is_told(received: &Received, ours: Key) -> bool {
    let fastclose = received.fastclose;
    fastclose.is_some_and(|fastclose| fastclose.receiver == ours)
}

/// The options of the ACK that tells the abort. `receiver` is the peer's key.
#[inline]
pub fn of_ack(receiver: Key) -> Wanted {
    Wanted {
        fastclose: Some(MpFastclose { receiver }),
        ..Wanted::default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::abort::check(), Ok(()));
    }
}
