// SPDX-License-Identifier: GPL-2.0

mod fixed;
mod growth;
mod increases;
mod reference;
mod wvegas;

use super::*;

const MS: u32 = 1000;

/// A subflow with a window of `cwnd` segments and a round-trip time in milliseconds.
fn member(cwnd: u32, rtt_ms: u32) -> Member {
    Member {
        cwnd,
        srtt_us: rtt_ms * MS,
        gap: 0,
        rate: 0,
    }
}

/// Beyond slow start.
fn avoiding(cwnd: u32) -> Window {
    Window { cwnd, ssthresh: 1 }
}

/// An acknowledgement of so many segments, up to sequence number `una`.
fn ack(segments: u32, una: u32) -> Ack {
    Ack {
        segments,
        una: Ssn::new(una),
        nxt: Ssn::new(una.wrapping_add(100_000)),
        cwnd_limited: true,
    }
}
