// SPDX-License-Identifier: GPL-2.0

//! The data-level retransmission timer.

/// The most doublings of the timer; enough to reach any cap.
pub const MAX_BACKOFF: u8 = 15;

/// The longest wait for a data acknowledgement, in microseconds: half of an orphan's patience, so that a peer with
/// a closed window is asked often enough to be known alive.
pub const LONGEST_WAIT: u32 = 30_000_000;
/// The retransmission timeout to reckon with when no subflow answers, in microseconds: that of a TCP that has
/// measured nothing (RFC 6298 section 2.1).
pub const UNKNOWN_RTO: u32 = 1_000_000;

/// How long to wait for a data acknowledgement before sending again, in microseconds.
///
/// `rto_us` is the largest retransmission timeout of the live subflows, so that the subflow which
/// holds the data has tried first (RFC 8684 section 3.3.6); `backoff` how often the timer fired
/// without progress since; `cap_us` the longest wait. Each firing doubles it, as TCP's
/// (RFC 6298 section 5.5).
#[inline]
pub const fn retransmit_timeout(rto_us: u32, backoff: u8, cap_us: u32) -> u32 {
    let backoff = if backoff > MAX_BACKOFF {
        MAX_BACKOFF
    } else {
        backoff
    };
    let wait = (rto_us as u64).saturating_mul(2) << backoff;
    if wait > cap_us as u64 {
        cap_us
    } else {
        crate::num::saturate32(wait)
    }
}
