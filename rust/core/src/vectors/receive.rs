// SPDX-License-Identifier: GPL-2.0

//! The receiving direction: where data belongs, when the stream ends, which window is promised, how much memory may
//! be used.

use super::{expect, Check};
use crate::receive::{
    claim, is_little, scaled, update_due, window_lags, FinConflict, Placement, ReceiveMemory,
    ReceiveState, ReceiveWindow, RightSizing,
};
use crate::seq::Dsn;

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_lives()?;
    check_windows()?;
    check_full_buffer()?;
    check_scales()?;
    check_updates()?;
    check_little()?;
    check_sizes()?;
    check_claims()?;
    check_memory()
}

const FIRST: Dsn = Dsn::new(u64::MAX - 9);

/// A step of a receiver. Numbers of the stream count from its first byte, the second one of each is the right edge
/// of the window.
#[derive(Clone, Copy)]
enum Step {
    /// So many bytes come from there on; where they belong.
    Comes(u64, u32, u64, Placement),
    /// So many bytes were taken; whether that is the end.
    Taken(u32, bool),
    /// A DATA_FIN with this number; whether that is the end.
    Fin(u64, u64, Result<bool, FinConflict>),
    /// The number of the DATA_FIN, if it is known.
    Knows(Option<u64>),
    /// The next number that is expected, and whether the stream is over.
    Expects(u64, bool),
}

/// A name, and what happens.
type Life = (&'static str, &'static [Step]);

const fn next(skip: u32, take: u32) -> Placement {
    Placement::Next { skip, take }
}

const LIED: Result<bool, FinConflict> = Err(FinConflict);

#[rustfmt::skip]
const LIVES: [Life; 7] = {
    use Placement::{Beyond, Later, Old};
    use Step::{Comes, Expects, Fin, Knows, Taken};
    [
        ("by the distance from what is expected", &[
            Comes(0, 10, 100, next(0, 10)),
            Comes(0, 0, 100, Old),
            Comes(1, 10, 100, Later),
            Comes(90, 10, 100, Later),
            Comes(91, 10, 100, Beyond),
            Comes(100, 1, 100, Beyond),
            // In order it is taken whole.
            Comes(0, 200, 100, next(0, 200)),
            Taken(20, false),
            Comes(16, 10, 120, next(4, 6)),
            Comes(10, 10, 120, Old),
            Comes(0, 10, 120, Old),
        ]),
        ("a closed window takes one byte that asks", &[
            Comes(0, 1, 0, next(0, 1)),
            Comes(0, 2, 0, Beyond),
            Comes(1, 1, 0, Beyond),
        ]),
        // A thousand bytes came on another subflow, where what follows them is far ahead on this one.
        ("what is missing on a subflow may have come on another", &[
            Taken(1000, false),
            Comes(1000, 100, 6000, next(0, 100)),
        ]),
        ("the DATA_FIN takes one number when all data is here", &[
            Fin(20, 1000, Ok(false)),
            Fin(20, 1000, Ok(false)),
            Expects(0, false),
            Comes(0, 20, 1000, next(0, 20)),
            Taken(19, false),
            Taken(1, true),
            Expects(21, true),
            Fin(20, 1000, Ok(false)),
            Fin(21, 1000, LIED),
            Comes(17, 3, 1000, Old),
            Comes(21, 3, 1000, Beyond),
        ]),
        ("a DATA_FIN in order completes, one before received data is refused", &[
            Taken(30, false),
            Fin(29, 100, LIED),
            Knows(None),
            Fin(30, 100, Ok(true)),
            Expects(31, true),
        ]),
        ("a false DATA_FIN does not keep the stream from its end", &[
            // Outside the window nobody may have sent up to it.
            Fin(101, 100, LIED),
            // Inside, the last one counts as long as data is missing.
            Fin(100, 100, Ok(false)),
            Fin(20, 100, Ok(false)),
            Fin(10, 100, Ok(false)),
            Knows(Some(10)),
            // Data that goes on disproves it.
            Comes(0, 20, 100, next(0, 20)),
            Taken(20, false),
            Knows(None),
            Fin(20, 100, Ok(true)),
        ]),
        ("with a closed window the DATA_FIN alone still fits", &[
            Taken(1, false),
            Fin(1, 0, Ok(true)),
        ]),
    ]
};

// rfc8684:3.3.3-5 rfc8684:3.3.4-2 rfc8684:3.3.4-3 rfc8684:3.8-1
fn check_lives() -> Check {
    for (name, steps) in LIVES {
        let mut state = ReceiveState::new(FIRST);
        for step in steps {
            let holds = match *step {
                Step::Comes(at, len, edge, placement) => {
                    state.classify(FIRST.plus(at), len, FIRST.plus(edge)) == placement
                }
                Step::Taken(count, end) => state.advance(count) == end,
                Step::Fin(at, edge, result) => {
                    state.on_data_fin(FIRST.plus(at), FIRST.plus(edge)) == result
                }
                Step::Knows(at) => state.data_fin() == at.map(|at| FIRST.plus(at)),
                Step::Expects(at, over) => {
                    state.rcv_nxt() == FIRST.plus(at) && state.finished() == over
                }
            };
            expect(holds, name)?;
        }
    }
    Ok(())
}

/// What one segment tells: the next number that is expected, free memory, the subflow's scale; the window field, and
/// the right edge afterwards.
type Told = (u64, u32, u8, u16, u64);

/// A name, and what the segments tell one after the other.
type Promise = (&'static str, &'static [Told]);

#[rustfmt::skip]
const PROMISES: [Promise; 4] = [
    ("a promise is rounded down, and stands", &[
        (0, 1000, 4, 62, 992),
        (0, 0, 4, 62, 992),
        (92, 0, 4, 57, 1004),
        (1004, 0, 4, 0, 1004),
    ]),
    ("a subflow with a larger unit must not say less", &[
        (0, 1000, 4, 62, 992),
        (991, 0, 10, 1, 2015),
    ]),
    ("one with a smaller unit says as much as its field can", &[
        (0, 1 << 30, 14, 65_535, 65_535 << 14),
        (0, 1 << 30, 0, 65_535, 65_535 << 14),
    ]),
    ("a scale that no handshake can agree on is the largest", &[
        (0, 1 << 30, 200, 65_535, 65_535 << 14),
    ]),
];

// rfc8684:3.3.4-1
fn check_windows() -> Check {
    for (name, told) in PROMISES {
        let mut window = ReceiveWindow::new(FIRST);
        for &(nxt, free, scale, field, edge) in told {
            expect(
                window.advertise(FIRST.plus(nxt), free, scale) == field,
                name,
            )?;
            expect(window.edge() == FIRST.plus(edge), name)?;
        }
    }
    Ok(())
}

/// Segments smaller than a unit do not move the edge of a full buffer.
// rfc8684:3.3.4-1
fn check_full_buffer() -> Check {
    let name = "small segments into a full buffer";
    let first = FIRST.plus(65_535);
    let mut window = ReceiveWindow::new(first);
    let mut rcv_nxt = FIRST;
    for _ in 0..200_u8 {
        rcv_nxt = rcv_nxt.plus(1000).earliest(window.edge());
        let field = window.advertise(rcv_nxt, 0, 10);
        expect(!rcv_nxt.plus(u64::from(field) << 10).before(first), name)?;
    }
    expect(rcv_nxt.before(first.plus(1024)), name)?;
    expect(window.advertise(rcv_nxt, 0, 10) == 0, name)
}

fn check_scales() -> Check {
    for (name, field, scale, bytes) in [
        ("not scaled", 65_535, 0, 65_535),
        ("scaled", 3, 7, 384),
        ("the largest scale", 65_535, 14, 65_535 << 14),
        ("a larger one", 1, 15, 1 << 14),
        ("as large as can be", 1, u8::MAX, 1 << 14),
    ] {
        expect(scaled(field, scale) == bytes, name)?;
    }
    Ok(())
}

/// A name; what is left of the window, what could be told, the buffer, the largest segment; whether the peer is told,
/// and whether the window lags.
type Update = (&'static str, [u32; 4], bool, bool);

#[rustfmt::skip]
const UPDATES: [Update; 14] = [
    ("nothing is free", [0, 0, 60_000, 1400], false, false),
    ("a segment", [0, 1400, 60_000, 1400], false, false),
    ("two segments", [0, 2800, 60_000, 1400], true, true),
    ("nearly two segments", [0, 2799, 60_000, 1400], false, false),
    ("two segments more", [10_000, 12_800, 60_000, 1400], false, false),
    ("nearly twice as much", [10_000, 19_999, 60_000, 1400], false, false),
    ("twice as much", [10_000, 20_000, 60_000, 1400], true, true),
    ("half of the buffer more", [25_000, 55_000, 60_000, 1400], true, true),
    ("half of the buffer more, not twice as much", [35_000, 65_000, 60_000, 1400], true, false),
    ("a third of the buffer more", [25_000, 45_000, 60_000, 1400], false, false),
    // A buffer smaller than two segments.
    ("half of a small buffer", [0, 1100, 2200, 1400], true, false),
    ("less than half of it", [0, 1000, 2200, 1400], false, false),
    ("less than before", [5000, 4000, 60_000, 1400], false, false),
    ("as much as can be", [u32::MAX, u32::MAX, u32::MAX, u32::MAX], false, false),
];

/// Columns: bytes read, the buffer; whether that is little.
fn check_little() -> Check {
    for (name, read, capacity, little) in [
        ("a byte", 1, 100_000, true),
        ("nearly a kilobyte", 1023, 100_000, true),
        ("a kilobyte", 1024, 100_000, false),
        ("a byte of a tiny buffer", 1, 8, false),
        ("nearly an eighth of the buffer", 511, 4096, true),
        ("an eighth of the buffer", 512, 4096, false),
    ] {
        expect(is_little(read, capacity) == little, name)?;
    }
    Ok(())
}

fn check_updates() -> Check {
    for (name, [left, free, capacity, mss], due, lags) in UPDATES {
        expect(update_due(left, free, capacity, mss) == due, name)?;
        expect(window_lags(left, free, mss) == lags, name)?;
        let window = ReceiveWindow::new(FIRST.plus(u64::from(left)));
        expect(window.update_due(FIRST, free, capacity, mss) == due, name)?;
    }
    Ok(())
}

/// Columns: bytes read, the time, the round-trip time; the buffer afterwards if it changed.
#[rustfmt::skip]
const SIZES: [(&str, u32, u64, u32, Option<u32>); 9] = [
    ("within a round trip nothing is decided", 40_000, 9_999, 10_000, None),
    ("a round trip", 40_000, 10_000, 10_000, Some(176_000)),
    ("slower", 10_000, 20_000, 10_000, None),
    ("several round trips count for what they were", 800_000, 120_000, 10_000, None),
    ("faster", 1_000_000, 130_000, 10_000, Some(2_016_000)),
    ("as fast as there is memory", 9_000_000, 140_000, 10_000, Some(6_000_000)),
    ("faster than that", 9_000_000, 150_000, 10_000, None),
    ("no round-trip time", 9_000_000, 150_050, 0, None),
    ("a clock that goes back", 9_000_000, 0, 10_000, None),
];

fn check_sizes() -> Check {
    let mut size = RightSizing::new(0, 64_000);
    for (name, copied, now, rtt, expected) in SIZES {
        let found = size.on_copied(copied, now, rtt, 1000, 6_000_000);
        expect(found == expected, name)?;
    }
    Ok(())
}

/// Columns: what is unread, what is enough, the subflow's buffer; what its TCP counts as its own.
fn check_claims() -> Check {
    for (name, unread, enough, limit, claimed) in [
        ("nothing", 0, 1 << 16, 1 << 20, 0),
        ("little", 57_343, 1 << 16, 1 << 20, 0),
        ("much", 57_344, 1 << 16, 1 << 20, 57_344),
        ("more than enough", 300_000, 1 << 16, 1 << 20, 1 << 16),
        ("nothing is enough", 300_000, 0, 1 << 20, 0),
        ("half of the buffer", 600_000, u32::MAX, 1 << 20, 1 << 19),
        (
            "all there can be",
            u32::MAX,
            u32::MAX,
            u32::MAX,
            u32::MAX / 2,
        ),
        // It has no room to spare.
        ("a small buffer", 60_000, u32::MAX, (1 << 17) - 1, 0),
        (
            "a buffer that is not small",
            60_000,
            u32::MAX,
            1 << 17,
            60_000,
        ),
    ] {
        expect(claim(unread, enough, limit) == claimed, name)?;
    }
    Ok(())
}

/// Columns: memory in use, of 100 000 bytes; whether data is admitted, whether promised data is.
const USED: [(&str, u32, bool, bool); 6] = [
    ("none", 0, true, true),
    ("all", 100_000, true, true),
    ("more", 100_001, false, true),
    ("twice as much", 200_001, false, true),
    ("more than twice as much", 200_002, false, false),
    ("all there can be", u32::MAX, false, false),
];

/// Columns: memory in use, memory of a packet, its data, data that is reckoned with; whether it is copied.
const COPIED: [(&str, [u32; 4], bool); 6] = [
    ("half is free", [0, 50_000, 1, 25_000], false),
    ("half is used by it", [0, 50_001, 1, 25_000], true),
    ("half is used, little data", [49_999, 768, 1, 384], true),
    (
        "half is used, nearly what is reckoned",
        [49_999, 768, 383, 384],
        true,
    ),
    (
        "half is used, what is reckoned",
        [49_999, 768, 384, 384],
        false,
    ),
    ("as much as can be", [u32::MAX, u32::MAX, 0, 1], true),
];

fn check_memory() -> Check {
    let buffer = |used| ReceiveMemory {
        used,
        limit: 100_000,
    };
    for (name, used, admits, keeps_promise) in USED {
        let memory = buffer(used);
        expect(memory.admits() == admits, name)?;
        expect(memory.keeps_promise() == keeps_promise, name)?;
        expect(memory.largest_gather() == 12_500, name)?;
    }
    for (name, [used, memory, len, reckoned], due) in COPIED {
        expect(buffer(used).copy_due(memory, len, reckoned) == due, name)?;
    }
    for (name, limit, room) in [
        ("copies without a buffer", 0, 512),
        ("copies into a tiny one", 2304, 512),
        ("copies", 64_000, 4000),
        ("copies into a large one", u32::MAX, 7680),
    ] {
        let memory = ReceiveMemory { used: 0, limit };
        expect(memory.copy_room() == room, name)?;
    }
    Ok(())
}
