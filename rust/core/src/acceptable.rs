// SPDX-License-Identifier: GPL-2.0

//! Whether TCP will accept a segment, asked before TCP has seen it.
//!
//! Options are read before TCP has checked the segment, so an attacker off the path could forge
//! them. These are the checks TCP will make; a segment that passes them is as trustworthy as its
//! data.

use crate::seq::Ssn;
use crate::wire::Timestamp;

/// The TCP variables of the socket that a segment is for, absolute sequence numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expected {
    /// The next sequence number expected.
    pub rcv_nxt: Ssn,
    /// The acknowledgement number that was sent last; not after `rcv_nxt`.
    pub rcv_wup: Ssn,
    /// The right edge of the receive window is `rcv_nxt` plus this.
    pub rcv_wnd: u32,
    /// The oldest sequence number of ours that is not acknowledged.
    pub snd_una: Ssn,
    /// The next sequence number of ours to send.
    pub snd_nxt: Ssn,
    /// The largest window the peer ever offered (RFC 5961 section 5.2).
    pub max_window: u32,
    /// The timestamp to echo; `None` if timestamps are not in use, or the last one is so old that
    /// its comparison means nothing (RFC 7323 section 5.5: 24 days).
    pub ts_recent: Option<u32>,
}

/// The facts of a segment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Segment {
    /// Its sequence number.
    pub seq: Ssn,
    /// Its acknowledgement number.
    pub ack_seq: Ssn,
    /// Bytes of data.
    pub payload_len: u32,
    /// The SYN flag.
    pub syn: bool,
    /// The ACK flag.
    pub ack: bool,
    /// The FIN flag.
    pub fin: bool,
    /// The RST flag.
    pub rst: bool,
    /// Its timestamps, if it has them.
    pub timestamp: Option<Timestamp>,
}

/// What TCP will do with a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Accept it.
    Accept,
    /// Accept it as a reset.
    Reset,
    /// Drop it or answer with an ACK; its options must not be believed.
    Refuse(Refusal),
}

/// Why a segment is not acceptable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Its sequence numbers lie outside the window (RFC 9293 section 3.10.7.4).
    Sequence,
    /// It acknowledges what was never sent or is too old (RFC 5961 section 5.2).
    Acknowledgement,
    /// It is a reset that does not hit the next expected number (RFC 5961 section 3.2).
    ResetGuess,
    /// It is a SYN in a synchronised state (RFC 5961 section 4.2).
    Syn,
    /// It has no ACK flag (RFC 9293 section 3.10.7.4).
    NoAck,
    /// Its timestamp is older than the last (RFC 7323 section 5.3).
    Timestamp,
}

/// Judges a segment for a socket in a synchronised state.
// rfc8684:3.4.2-5 rfc8684:3-2
#[inline]
pub fn judge(expected: &Expected, segment: &Segment) -> Verdict {
    match check(expected, segment) {
        Ok(()) if segment.rst => Verdict::Reset,
        Ok(()) => Verdict::Accept,
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

#[inline]
fn check(expected: &Expected, segment: &Segment) -> Result<(), Refusal> {
    if !segment.rst && stale(expected.ts_recent, segment.timestamp) {
        return Err(Refusal::Timestamp);
    }
    // RFC 9293 section 3.10.7.4: a segment must touch the window. Its left edge is what was last
    // acknowledged, so that repeated segments are still heard.
    let flags = u32::from(segment.syn).wrapping_add(u32::from(segment.fin));
    let end = segment.seq.plus(segment.payload_len).plus(flags);
    let right = expected.rcv_nxt.plus(expected.rcv_wnd);
    if end.before(expected.rcv_wup) || segment.seq.after(right) {
        return Err(Refusal::Sequence);
    }
    // RFC 5961 section 3.2: a reset must hit the next expected number exactly.
    if segment.rst {
        return match segment.seq == expected.rcv_nxt {
            true => Ok(()),
            false => Err(Refusal::ResetGuess),
        };
    }
    // RFC 5961 section 4.2: a SYN is answered with a challenge, never believed.
    if segment.syn {
        return Err(Refusal::Syn);
    }
    if !segment.ack {
        return Err(Refusal::NoAck);
    }
    // RFC 5961 section 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT.
    let oldest = expected.snd_una.minus(expected.max_window);
    if segment.ack_seq.before(oldest) || segment.ack_seq.after(expected.snd_nxt) {
        return Err(Refusal::Acknowledgement);
    }
    Ok(())
}

/// RFC 7323 section 5.3: whether the timestamp lies before the last one that was accepted.
#[inline]
fn stale(ts_recent: Option<u32>, timestamp: Option<Timestamp>) -> bool {
    match (ts_recent, timestamp) {
        // One tick of tolerance, as the kernel's TCP has for segments that changed places.
        (Some(recent), Some(Timestamp { value, .. })) => {
            Ssn::new(value).plus(1).before(Ssn::new(recent))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::acceptable::check(), Ok(()));
    }
}
