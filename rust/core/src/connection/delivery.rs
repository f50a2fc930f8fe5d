// SPDX-License-Identifier: GPL-2.0

//! Where the bytes that TCP delivers belong in the connection's stream.

use super::fallback::{on_infinite_mapping, on_unmapped_data, Answer, Circumstances};
use crate::mapping::Span;
use crate::receive::ReceiveState;
use crate::seq::{Dsn, Ssn};

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
    /// Nobody can know: reset the subflow.
    Reset,
}

/// Says where bytes belong of which the table of mappings says `span`, on a connection that speaks
/// MPTCP.
///
/// RFC 8684 section 3.7: data without mapping, or with an infinite one, means that the peer or
/// the path ended MPTCP.
#[inline]
pub fn position(span: Option<Span>, rcv_nxt: Dsn, circumstances: &Circumstances) -> Position {
    let answer = match span {
        Some(span) if !span.infinite => {
            return Position::At {
                dsn: span.dsn,
                len: span.len_left,
            }
        }
        // It says itself where the byte belongs, so it must be the next one.
        Some(span) if span.dsn != rcv_nxt => Answer::Reset,
        Some(_) => on_infinite_mapping(circumstances),
        None => on_unmapped_data(circumstances),
    };
    match answer {
        Answer::FallBack | Answer::Ignore => Position::FallBack,
        Answer::Reset => Position::Reset,
    }
}

/// Whether the only subflow and the connection have received the same stream so far: nothing came
/// twice at the data level, nothing that TCP took was thrown away, nothing is missing.
///
/// `first` is the data sequence number of the peer's first byte, `next` the relative subflow
/// sequence number of the next byte to be taken from the subflow.
///
/// RFC 8684 section 3.7: without this an infinite mapping cannot describe what follows.
#[inline]
pub const fn streams_agree(receive: &ReceiveState, first: Dsn, next: Ssn) -> bool {
    let end = match receive.data_fin() {
        // The DATA_FIN has no byte on the subflow.
        Some(fin) if receive.finished() => fin,
        _ => receive.rcv_nxt(),
    };
    // The subflow's numbers are the low half of what the connection counted.
    let counted = Ssn::new(end.low32().wrapping_sub(first.low32())).plus(1);
    counted.distance(next) == 0
}

/// What the end of the only subflow means to a connection that speaks MPTCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SubflowEnd {
    /// The DATA_FIN came before: all is well.
    Expected,
    /// The DATA_FIN was lost with the options: the FIN stands for it, as in plain TCP.
    FallBack,
    /// Data is missing that can come no more: the connection is broken.
    Broken,
}

/// The peer's FIN was taken from the only subflow.
///
/// RFC 8684 section 3.3.3: a FIN alone closes the subflow only. When it is the only one and can
/// carry no other signal, it is the end of the stream if all of the stream is here.
#[inline]
pub const fn on_subflow_fin(receive: &ReceiveState, circumstances: &Circumstances) -> SubflowEnd {
    if receive.finished() {
        return SubflowEnd::Expected;
    }
    match on_unmapped_data(circumstances) {
        Answer::FallBack if receive.data_fin().is_none() => SubflowEnd::FallBack,
        Answer::Ignore => SubflowEnd::Expected,
        _ => SubflowEnd::Broken,
    }
}

#[cfg(test)]
mod tests;
