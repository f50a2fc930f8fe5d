// SPDX-License-Identifier: GPL-2.0

//! Which segments TCP would accept.

use super::{expect, Check};
use crate::acceptable::{judge, Expected, Refusal, Segment, Verdict};
use crate::seq::Ssn;
use crate::wire::Timestamp;

/// A socket whose numbers wrap inside both windows.
const EXPECTED: Expected = Expected {
    rcv_nxt: Ssn::new(u32::MAX - 100),
    rcv_wup: Ssn::new(u32::MAX - 1100),
    rcv_wnd: 5000,
    snd_una: Ssn::new(u32::MAX - 10),
    snd_nxt: Ssn::new(2000),
    max_window: 10_000,
    ts_recent: Some(u32::MAX - 5),
};
const UNSTAMPED: Expected = Expected {
    ts_recent: None,
    ..EXPECTED
};

/// A hundred bytes; the numbers are offsets from what is expected next and from what is not acknowledged.
const fn segment(seq: i32, ack: i32) -> Segment {
    Segment {
        seq: Ssn::new(EXPECTED.rcv_nxt.raw().wrapping_add_signed(seq)),
        ack_seq: Ssn::new(EXPECTED.snd_una.raw().wrapping_add_signed(ack)),
        payload_len: 100,
        syn: false,
        ack: true,
        fin: false,
        rst: false,
        timestamp: None,
    }
}

const fn reset(seq: i32) -> Segment {
    Segment {
        rst: true,
        ack: false,
        payload_len: 0,
        ..segment(seq, 0)
    }
}

const fn stamped(value: u32) -> Segment {
    Segment {
        timestamp: Some(Timestamp { value, echo: 0 }),
        ..segment(0, 0)
    }
}

const FIN: Segment = Segment {
    fin: true,
    ..segment(-1101, 0)
};
const SYN: Segment = Segment {
    syn: true,
    ..segment(0, 0)
};
const BLIND: Segment = Segment {
    ack: false,
    ..segment(0, 0)
};
const OLD_RESET: Segment = Segment {
    rst: true,
    ..stamped(u32::MAX - 9)
};

const ACCEPT: Verdict = Verdict::Accept;
const BESIDE: Verdict = Verdict::Refuse(Refusal::Sequence);
const ACKNOWLEDGEMENT: Verdict = Verdict::Refuse(Refusal::Acknowledgement);
const GUESS: Verdict = Verdict::Refuse(Refusal::ResetGuess);
const OLD: Verdict = Verdict::Refuse(Refusal::Timestamp);

/// A name, what the socket expects, the segment, the verdict.
type Judged = (&'static str, Expected, Segment, Verdict);

#[rustfmt::skip]
const JUDGED: [Judged; 27] = [
    ("next", EXPECTED, segment(0, 0), ACCEPT),
    ("again", EXPECTED, segment(-100, 0), ACCEPT),
    ("again, as old as can be", EXPECTED, segment(-1100, 0), ACCEPT),
    ("older", EXPECTED, segment(-1101, 0), BESIDE),
    ("a FIN counts as a byte", EXPECTED, FIN, ACCEPT),
    ("at the edge", EXPECTED, segment(5000, 0), ACCEPT),
    ("beyond the edge", EXPECTED, segment(5001, 0), BESIDE),
    ("as far ahead as can be", EXPECTED, segment(i32::MAX, 0), BESIDE),
    ("as far behind as can be", EXPECTED, segment(i32::MIN, 0), BESIDE),
    ("acknowledges all", EXPECTED, segment(0, 2011), ACCEPT),
    ("acknowledges the unsent", EXPECTED, segment(0, 2012), ACKNOWLEDGEMENT),
    ("acknowledges what is long past", EXPECTED, segment(0, -10_000), ACCEPT),
    ("acknowledges what is too long past", EXPECTED, segment(0, -10_001), ACKNOWLEDGEMENT),
    ("acknowledges nothing", EXPECTED, BLIND, Verdict::Refuse(Refusal::NoAck)),
    ("reset at the next number", EXPECTED, reset(0), Verdict::Reset),
    ("reset behind it", EXPECTED, reset(1), GUESS),
    ("reset before it", EXPECTED, reset(-1), GUESS),
    ("reset inside the window", EXPECTED, reset(500), GUESS),
    ("reset beyond the window", EXPECTED, reset(6000), BESIDE),
    ("SYN", EXPECTED, SYN, Verdict::Refuse(Refusal::Syn)),
    ("the same timestamp", EXPECTED, stamped(u32::MAX - 5), ACCEPT),
    ("a later one, across the wrap", EXPECTED, stamped(3), ACCEPT),
    // It may be of two segments that changed places.
    ("one tick earlier", EXPECTED, stamped(u32::MAX - 6), ACCEPT),
    ("two ticks earlier", EXPECTED, stamped(u32::MAX - 7), OLD),
    ("half the space earlier", EXPECTED, stamped((u32::MAX >> 1) + 5), OLD),
    ("earlier where none are used", UNSTAMPED, stamped(u32::MAX - 7), ACCEPT),
    // RFC 7323 section 5.3: a reset is judged without its timestamp.
    ("reset with an old timestamp", EXPECTED, OLD_RESET, Verdict::Reset),
];

/// Judges every segment.
///
/// # Errors
/// The name of the first that is judged otherwise.
// rfc8684:3.4.2-5 rfc8684:3-2
pub fn check() -> Check {
    for (name, expected, segment, verdict) in JUDGED {
        expect(judge(&expected, &segment) == verdict, name)?;
    }
    Ok(())
}
