// SPDX-License-Identifier: GPL-2.0

//! What to give to a subflow next.

use crate::num::saturate32;
use crate::send::SendState;
use crate::seq::Dsn;

/// The most bytes of a piece: what a mapping covers (RFC 8684 section 3.3.1).
pub const MAX_PIECE: u32 = 0xffff;
/// How long the application may hold a segment back while nothing is in flight, with TCP_CORK or MSG_MORE, in
/// microseconds: TCP's shortest retransmission timeout.
pub const CORK_LIMIT: u64 = 200_000;

/// What the subflow and the application allow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Conditions {
    /// The connection speaks MPTCP: every piece needs a mapping.
    pub mptcp: bool,
    /// The subflow's table of mappings takes no more.
    pub mappings_full: bool,
    /// Bytes of data in the subflow's largest segment.
    pub mss: u32,
    /// The most bytes of data that the subflow may be given.
    pub most: u32,
    /// The subflow's TCP has sent everything and had it acknowledged.
    pub drained: bool,
    /// The application wants small segments to leave at once (TCP_NODELAY).
    pub no_delay: bool,
    /// The application wants only full segments to leave (TCP_CORK).
    pub corked: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Give `len` bytes from `from` on once more; they were sent before.
    Again {
        /// Data sequence number of the first byte.
        from: Dsn,
        /// Bytes, at least one.
        len: u32,
    },
    /// Give the next `len` bytes, from `from` on.
    New {
        /// Data sequence number of the first byte.
        from: Dsn,
        /// Bytes, at least one.
        len: u32,
    },
    /// Give the byte at `from`, beyond the peer's closed window, to ask for the window.
    Probe {
        /// Data sequence number of the byte.
        from: Dsn,
    },
    /// All data was given: tell the peer that no more follows.
    Fin,
    /// Nothing now.
    Rest,
    /// Nothing until the subflow acknowledges what its table of mappings describes.
    MappingsFull,
}

/// Chooses what a subflow that has room gets next.
///
/// A piece is at most 65535 bytes, the most that a mapping covers (RFC 8684 section 3.3.1), and a
/// whole number of segments where it can be.
// rfc8684:3.3.1-13 rfc8684:3.3.5-5
#[inline]
pub fn next_step(send: &SendState, conditions: &Conditions) -> Step {
    if conditions.mptcp && conditions.mappings_full {
        return Step::MappingsFull;
    }
    let mss = conditions.mss.clamp(1, 0xffff);
    let most = match conditions.most {
        most if most < mss => most,
        most => whole_segments(most.min(MAX_PIECE), mss),
    };
    if let Some((from, len)) = send.retransmit_next().filter(|_| most > 0) {
        return Step::Again {
            from,
            len: len.min(most),
        };
    }
    let from = send.nxt();
    let len = send.admitted(mss).min(most);
    if len == 0 {
        // RFC 9293 section 3.8.6.1: a closed window is asked for by one byte.
        return if conditions.mptcp && send.probe_due() && conditions.drained {
            Step::Probe { from }
        } else if send.fin_due() {
            Step::Fin
        } else {
            Step::Rest
        };
    }
    let last = send.unsent() == u64::from(len);
    match (last && waits(send, conditions), whole_segments(len, mss)) {
        (false, _) => Step::New { from, len },
        (true, 0) => Step::Rest,
        // Whole segments now, the rest with what follows.
        (true, whole) => Step::New { from, len: whole },
    }
}

/// Whether all that could be given is a rest that waits for more: then it is nobody's turn.
#[inline]
pub fn only_rest_waits(send: &SendState, conditions: &Conditions) -> bool {
    let len = send.available();
    let rest = len > 0 && len < conditions.mss && u64::from(len) == send.unsent();
    rest && send.retransmit_next().is_none() && waits(send, conditions)
}

/// Whether a last segment that is not full waits for more data: Nagle's rule (RFC 9293 section
/// 3.7.4) at the data level, so that TCP need not split or hold what has a mapping. As in Linux' TCP only
/// another small segment in flight makes it wait: full ones before it are no sign of many small writes, and to
/// part it from them would make two segments of one.
#[inline]
fn waits(send: &SendState, conditions: &Conditions) -> bool {
    let nagle = !conditions.no_delay && send.small_in_flight();
    send.fin().is_none() && (conditions.corked || nagle)
}

/// The most bytes in whole segments that are not more than `len`.
#[inline]
fn whole_segments(len: u32, mss: u32) -> u32 {
    let rest = u64::from(len).checked_rem(u64::from(mss)).unwrap_or(0);
    len.saturating_sub(saturate32(rest))
}

#[cfg(test)]
mod tests;
