// SPDX-License-Identifier: GPL-2.0

use super::{judge, Expected, Refusal, Segment, Verdict};
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

fn segment(seq_offset: i32, ack_offset: i32) -> Segment {
    Segment {
        seq: Ssn::new(EXPECTED.rcv_nxt.raw().wrapping_add_signed(seq_offset)),
        ack_seq: Ssn::new(EXPECTED.snd_una.raw().wrapping_add_signed(ack_offset)),
        payload_len: 100,
        ack: true,
        ..Segment::default()
    }
}

fn refuse(refusal: Refusal) -> Verdict {
    Verdict::Refuse(refusal)
}

// rfc8684:3.4.2-5 rfc8684:3-2
#[test]
fn sequence_numbers_must_touch_the_window() {
    for (offset, verdict) in [
        (0, Verdict::Accept),
        (-100, Verdict::Accept),
        (-1100, Verdict::Accept),
        (-1101, refuse(Refusal::Sequence)),
        (5000, Verdict::Accept),
        (5001, refuse(Refusal::Sequence)),
        (i32::MAX, refuse(Refusal::Sequence)),
        (i32::MIN, refuse(Refusal::Sequence)),
    ] {
        assert_eq!(judge(&EXPECTED, &segment(offset, 0)), verdict, "{offset}");
    }
    // A FIN counts as a byte.
    let fin = Segment {
        fin: true,
        ..segment(-1101, 0)
    };
    assert_eq!(judge(&EXPECTED, &fin), Verdict::Accept);
}

#[test]
fn acknowledgements_must_be_of_what_was_sent_lately() {
    for (offset, verdict) in [
        (0, Verdict::Accept),
        (2011, Verdict::Accept),
        (2012, refuse(Refusal::Acknowledgement)),
        (-10_000, Verdict::Accept),
        (-10_001, refuse(Refusal::Acknowledgement)),
    ] {
        assert_eq!(judge(&EXPECTED, &segment(0, offset)), verdict, "{offset}");
    }
    let blind = Segment {
        ack: false,
        ..segment(0, 0)
    };
    assert_eq!(judge(&EXPECTED, &blind), refuse(Refusal::NoAck));
}

#[test]
fn a_reset_must_hit_the_next_number() {
    for (offset, verdict) in [
        (0, Verdict::Reset),
        (1, refuse(Refusal::ResetGuess)),
        (-1, refuse(Refusal::ResetGuess)),
        (6000, refuse(Refusal::Sequence)),
    ] {
        let reset = Segment {
            rst: true,
            ack: false,
            payload_len: 0,
            ..segment(offset, 0)
        };
        assert_eq!(judge(&EXPECTED, &reset), verdict, "{offset}");
    }
}

#[test]
fn a_syn_is_never_believed() {
    let syn = Segment {
        syn: true,
        ..segment(0, 0)
    };
    assert_eq!(judge(&EXPECTED, &syn), refuse(Refusal::Syn));
}

#[test]
fn old_timestamps_are_refused() {
    let stamped = |value| Segment {
        timestamp: Some(Timestamp { value, echo: 0 }),
        ..segment(0, 0)
    };
    for (value, verdict) in [
        (u32::MAX - 5, Verdict::Accept),
        (3, Verdict::Accept),
        // One tick back may be two segments that changed places.
        (u32::MAX - 6, Verdict::Accept),
        (u32::MAX - 7, refuse(Refusal::Timestamp)),
    ] {
        assert_eq!(judge(&EXPECTED, &stamped(value)), verdict, "{value}");
    }
    let unused = Expected {
        ts_recent: None,
        ..EXPECTED
    };
    let old = stamped(u32::MAX - 6);
    assert_eq!(judge(&unused, &old), Verdict::Accept);
    // RFC 7323 section 5.3: a reset is judged without its timestamp.
    let reset = Segment { rst: true, ..old };
    assert_eq!(judge(&EXPECTED, &reset), Verdict::Reset);
}
