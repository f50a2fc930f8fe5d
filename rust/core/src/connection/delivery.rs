// SPDX-License-Identifier: GPL-2.0

//! Where the bytes that TCP delivers belong in the connection's stream.

use super::fallback::{on_infinite_mapping, on_unmapped_data, Answer, Circumstances};
use crate::mapping::{RxRecord, RxTable, Slots, Span};
use crate::receive::ReceiveState;
use crate::seq::{Dsn, Ssn};
use crate::wire::ResetReason;

/// Where bytes belong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Position {
    /// In the stream at `dsn`.
    At {
        /// Data sequence number of the first byte.
        dsn: Dsn,
        /// Bytes of which this is known.
        len: u32,
    },
    /// At the end of what was received: go on as plain TCP from this byte on.
    FallBack,
    /// Nobody can know: reset the subflow, for this reason.
    Reset(ResetReason),
}

/// Says where bytes belong of which the table of mappings says `span`, on a connection that speaks
/// MPTCP. `circumstances` are asked for where MPTCP seems to end, which is seldom.
///
/// RFC 8684 section 3.7: data without mapping, or with an infinite one, means that the peer or
/// the path ended MPTCP.
// rfc8684:3.3.1-3 rfc8684:3.7-8
#[inline]
pub fn position(
    span: Option<Span>,
    rcv_nxt: Dsn,
    circumstances: impl FnOnce() -> Circumstances,
) -> Position {
    let answer = match span {
        Some(span) if !span.infinite => {
            return Position::At {
                dsn: span.dsn,
                len: span.len_left,
            }
        }
        // It says itself where the byte belongs, so it must be the next one.
        Some(span) if span.dsn != rcv_nxt => Answer::Reset,
        Some(_) => on_infinite_mapping(&circumstances()),
        None => on_unmapped_data(&circumstances()),
    };
    match (answer, span) {
        (Answer::FallBack | Answer::Ignore, _) => Position::FallBack,
        // The path lost the option.
        (Answer::Reset, None) => Position::Reset(ResetReason::MIDDLEBOX_INTERFERENCE),
        (Answer::Reset, Some(_)) => Position::Reset(ResetReason::MPTCP_SPECIFIC),
    }
}

/// Whether the only subflow and the connection have received the same stream so far: nothing came
/// twice at the data level, nothing that TCP took was thrown away, nothing is missing.
///
/// `rx` are the mappings of what was received and not taken yet, `first` is the data sequence
/// number of the peer's first byte, `next` the relative subflow sequence number of the next byte
/// to be taken from the subflow.
///
/// RFC 8684 section 3.7: without this an infinite mapping cannot describe what follows.
#[inline]
pub fn streams_agree<S: Slots<Entry = RxRecord>>(
    receive: &ReceiveState,
    rx: &RxTable<S>,
    first: Dsn,
    next: Ssn,
) -> bool {
    let end = match receive.data_fin() {
        // The DATA_FIN has no byte on the subflow.
        Some(fin) if receive.finished() => fin,
        _ => receive.rcv_nxt(),
    };
    // The subflow's numbers are the low half of what the connection counted.
    let counted = Ssn::new(end.low32().wrapping_sub(first.low32())).plus(1);
    counted == next && rx.all_continue(next, end)
}

/// What the peer's FIN on a subflow means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SubflowEnd {
    /// The connection is plain TCP: the FIN ends the peer's stream.
    EndsStream,
    /// The subflow leaves, the connection goes on.
    Leaves,
    /// Both DATA_FINs are settled: all is well.
    Expected,
    /// The peer fell back: the FIN ends its stream, as in plain TCP.
    FallBack,
    /// Data is missing that can come no more: the connection is broken.
    Broken,
}

/// The peer's FIN was taken from a subflow. `speaks` says whether the peer is sure to speak MPTCP still: it
/// acknowledged our DATA_FIN, or its own came with this FIN. `several` says whether other subflows carry data or
/// carried some.
///
/// RFC 8684 section 3.3.3: a FIN ends its subflow and nothing else, and subflows are closed when both DATA_FINs
/// are acknowledged, or with the DATA_FIN if nothing else is outstanding. Any other FIN on the only one comes
/// from a peer that fell back, and ends its stream if all of the stream is here.
// rfc8684:3.3.3-8
#[inline]
pub const fn on_subflow_fin(
    receive: &ReceiveState,
    speaks: bool,
    several: bool,
    circumstances: &Circumstances,
) -> SubflowEnd {
    if circumstances.fell_back {
        return SubflowEnd::EndsStream;
    }
    if several {
        return SubflowEnd::Leaves;
    }
    if receive.finished() && speaks {
        return SubflowEnd::Expected;
    }
    let whole = receive.finished() || receive.data_fin().is_none();
    match on_unmapped_data(circumstances) {
        Answer::FallBack if whole => SubflowEnd::FallBack,
        _ => SubflowEnd::Broken,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::delivery::check(), Ok(()));
    }
}
