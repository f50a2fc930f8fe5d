// SPDX-License-Identifier: GPL-2.0

//! Where the bytes of subflows belong, and what the FIN of one means.

use super::{expect, Check};
use crate::connection::delivery::{on_subflow_fin, position, streams_agree, Position, SubflowEnd};
use crate::connection::fallback::Circumstances;
use crate::mapping::{RxMapping, RxMappings, Span};
use crate::receive::ReceiveState;
use crate::seq::{Dsn, Ssn};
use crate::wire::ResetReason;

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_positions()?;
    check_streams()?;
    check_fins()
}

const FIRST: Dsn = Dsn::new(u64::MAX - 5);
const CONTIGUOUS: Circumstances = Circumstances {
    only_subflow: true,
    dss_seen: true,
    in_order: true,
    retransmitted: false,
    fell_back: false,
};
const AGAIN: Circumstances = Circumstances {
    retransmitted: true,
    ..CONTIGUOUS
};
const APART: Circumstances = Circumstances {
    in_order: false,
    ..CONTIGUOUS
};
const PLAIN: Circumstances = Circumstances {
    fell_back: true,
    ..CONTIGUOUS
};

const fn span(dsn: Dsn, infinite: bool) -> Option<Span> {
    Some(Span {
        dsn,
        len_left: 40,
        infinite,
    })
}

const AHEAD: Dsn = FIRST.plus(9);
const MAPPED: Position = Position::At {
    dsn: AHEAD,
    len: 40,
};
const INTERFERED: Position = Position::Reset(ResetReason::MIDDLEBOX_INTERFERENCE);
const WRONG: Position = Position::Reset(ResetReason::MPTCP_SPECIFIC);

/// A name; what the mappings say, the circumstances, where the byte belongs.
type Placed = (&'static str, Option<Span>, Circumstances, Position);

#[rustfmt::skip]
const PLACED: [Placed; 8] = [
    ("mapped", span(AHEAD, false), CONTIGUOUS, MAPPED),
    ("mapped, the streams differ", span(AHEAD, false), AGAIN, MAPPED),
    ("no mapping", None, CONTIGUOUS, Position::FallBack),
    ("no mapping, the streams differ", None, AGAIN, INTERFERED),
    ("infinite", span(FIRST, true), CONTIGUOUS, Position::FallBack),
    ("infinite, the streams differ", span(FIRST, true), AGAIN, WRONG),
    ("infinite, ahead", span(FIRST.plus(1), true), CONTIGUOUS, WRONG),
    ("infinite, behind", span(FIRST.minus(1), true), CONTIGUOUS, WRONG),
];

// rfc8684:3.3.1-3 rfc8684:3.7-8
fn check_positions() -> Check {
    for (name, span, circumstances, expected) in PLACED {
        let found = position(span, FIRST, || circumstances);
        expect(found == expected, name)?;
    }
    Ok(())
}

/// A name; how many bytes were received at the data level, in two steps, the length of the stream if its end is
/// known; the next byte of the subflow; whether the streams are the same.
type Streams = (&'static str, [u32; 2], Option<u64>, u32, bool);

const STREAMS: [Streams; 6] = [
    ("nothing came", [0, 0], None, 1, true),
    ("all came once", [10, 0], None, 11, true),
    ("a byte was thrown away", [10, 0], None, 12, false),
    ("a byte came elsewhere", [10, 0], None, 10, false),
    ("the end has no byte", [10, 0], Some(10), 11, true),
    ("four gigabytes", [u32::MAX, 11], None, 11, true),
];

fn check_streams() -> Check {
    for (name, [received, more], fin, next, agree) in STREAMS {
        let mut receive = ReceiveState::new(FIRST);
        receive.advance(received);
        receive.advance(more);
        if let Some(end) = fin.map(|len| FIRST.plus(len)) {
            expect(receive.on_data_fin(end, end) == Ok(true), name)?;
        }
        let table = RxMappings::<4>::new();
        let found = streams_agree(&receive, &table, FIRST, Ssn::new(next));
        expect(found == agree, name)?;
    }
    let name = "about to come again";
    let mut receive = ReceiveState::new(FIRST);
    receive.advance(10);
    let mut table = RxMappings::<4>::starting_at(Ssn::new(11));
    for (ssn, agree) in [(11, true), (16, false)] {
        let mapping = RxMapping {
            ssn: Ssn::new(ssn),
            dsn: FIRST.plus(10),
            len: 5,
            checksum: Some(1),
            data_fin: false,
        };
        expect(table.record(mapping).is_ok(), name)?;
        let found = streams_agree(&receive, &table, FIRST, Ssn::new(11));
        expect(found == agree, name)?;
    }
    Ok(())
}

/// How much of the peer's DATA_FIN is known.
#[derive(Clone, Copy, PartialEq)]
enum Fin {
    Unknown,
    /// Data before it is missing.
    Early,
    Settled,
}

/// A name; the peer's DATA_FIN, whether the peer surely speaks MPTCP, whether there are several subflows, the
/// circumstances; what the FIN means.
type Ended = (&'static str, Fin, bool, bool, Circumstances, SubflowEnd);

#[rustfmt::skip]
const ENDED: [Ended; 11] = [
    ("all is settled", Fin::Settled, true, false, CONTIGUOUS, SubflowEnd::Expected),
    ("settled, whatever came before", Fin::Settled, true, false, APART, SubflowEnd::Expected),
    // The peer still has to acknowledge our DATA_FIN before it closes, unless its FIN came with its own.
    ("ours is not acknowledged", Fin::Settled, false, false, CONTIGUOUS, SubflowEnd::FallBack),
    ("ours is not, the streams differ", Fin::Settled, false, false, APART, SubflowEnd::Broken),
    ("no DATA_FIN", Fin::Unknown, false, false, CONTIGUOUS, SubflowEnd::FallBack),
    ("no DATA_FIN, ours is acknowledged", Fin::Unknown, true, false, CONTIGUOUS, SubflowEnd::FallBack),
    ("no DATA_FIN, the streams differ", Fin::Unknown, true, false, APART, SubflowEnd::Broken),
    ("data is missing", Fin::Early, true, false, CONTIGUOUS, SubflowEnd::Broken),
    ("plain TCP", Fin::Unknown, false, false, PLAIN, SubflowEnd::EndsStream),
    ("one of several", Fin::Unknown, false, true, APART, SubflowEnd::Leaves),
    ("one of several, all is settled", Fin::Settled, true, true, APART, SubflowEnd::Leaves),
];

fn check_fins() -> Check {
    for (name, fin, speaks, several, circumstances, expected) in ENDED {
        let mut receive = ReceiveState::new(FIRST);
        if fin != Fin::Unknown {
            let end = FIRST.plus(3);
            expect(receive.on_data_fin(end, end) == Ok(false), name)?;
        }
        if fin == Fin::Settled {
            expect(receive.advance(3), name)?;
        }
        let end = on_subflow_fin(&receive, speaks, several, &circumstances);
        expect(end == expected, name)?;
    }
    Ok(())
}
