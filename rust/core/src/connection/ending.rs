// SPDX-License-Identifier: GPL-2.0

//! When a connection whose application is gone has nothing left to do.

use super::state::State;
use crate::send::SendState;

/// How long an orphan, a connection whose application is gone, waits for a silent peer, in microseconds:
/// TCP's timeout in FIN-WAIT-2.
pub const ORPHAN_PATIENCE: u64 = 60_000_000;

/// What the decision depends on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rest {
    /// The connection ended without both ends' consent.
    pub aborted: bool,
    /// It goes on as plain TCP.
    pub fell_back: bool,
    /// Where it is between established and closed.
    pub state: State,
    /// TCP took only a part of a piece, the rest waits.
    pub piece_begun: bool,
    /// The peer closes the subflows: its FIN was taken from one, or none is established. It may never
    /// come on others, whose path may not work.
    pub peer_closes: bool,
    /// Our FIN of the only subflow went with our DATA_FIN: see [`fin_goes_along`].
    pub closed_with_stream: bool,
}

/// Whether the only subflow gets its FIN with the DATA_FIN, which is due: one segment then says both, and one
/// acknowledgement answers both.
///
/// RFC 8684 section 3.3.3: not before all data is acknowledged, so that the segment with the DATA_FIN is the only
/// outstanding one. The application must be gone, or the connection may need its subflow, or others, for what the
/// peer still has to say. Who closes second lets the other send the first FIN, as in [`is_over`].
// rfc8684:3.3.3-1 rfc8684:3.3.3-8
#[inline]
pub const fn fin_goes_along(rest: &Rest, send: &SendState) -> bool {
    let turn = match rest.state {
        State::FinWait1 => true,
        State::LastAck => rest.peer_closes,
        _ => false,
    };
    turn && !rest.aborted && !rest.fell_back && send.unsent() == 0 && send.in_flight() == 0
}

/// Whether the subflows of an orphan can be closed.
///
/// RFC 8684 section 3.3.3: not before both DATA_FINs are acknowledged. Who closed second waits for
/// the other's FIN, so that its subflows do not end in TIME-WAIT: that is for the one who closed
/// first. TCP finishes a plain connection alone once it has everything, and so it does where both ends said
/// FIN and DATA_FIN in one segment: until it is acknowledged, TCP repeats ours. Whose FIN left already has none
/// that would repeat the last data acknowledgement, so it stays until the peer shows by its own that this came.
// rfc8684:3.3.3-1 rfc8684:3.3.3-3 rfc8684:3.3.3-8
#[inline]
pub const fn is_over(rest: &Rest, send: &SendState) -> bool {
    if rest.aborted {
        return true;
    }
    if rest.fell_back {
        return send.unsent() == 0
            && !rest.piece_begun
            && (send.fin_in_flight() || send.fin_acked());
    }
    match rest.state {
        State::Closed => rest.peer_closes,
        State::Closing | State::LastAck => rest.closed_with_stream && rest.peer_closes,
        State::TimeWait => !rest.closed_with_stream || rest.peer_closes,
        state => state.subflows_may_close(),
    }
}

/// Whether an orphan waits for [`ORPHAN_PATIENCE`] once more, when that is over. `silence` is how long the last
/// data acknowledgement is ago, in microseconds.
///
/// As TCP's orphans wait, it waits for a peer that takes its data, however slowly. Who has acknowledged
/// everything and says nothing himself is not waited for any longer. Of plain TCP, TCP itself gives up a
/// peer that does not answer.
#[inline]
pub const fn stays_patient(rest: &Rest, send: &SendState, silence: u64) -> bool {
    if rest.fell_back {
        send.unsent() > 0
    } else {
        send.needs_retransmit() && silence < ORPHAN_PATIENCE
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Farewell {
    /// In order: by DATA_FIN and FIN.
    Close,
    /// Its subflows are reset, with MP_FASTCLOSE.
    Abort,
}

/// Decides how a connection ends whose application closes it. `unread` says whether data was received that the
/// application has not read, `lingers_zero` whether it asked for the end without delay.
///
/// RFC 9293 section 3.6.1: a host that throws data away lets the peer know by a reset, which is MP_FASTCLOSE here
/// (RFC 8684 section 3.5).
#[inline]
pub const fn on_close(unread: bool, lingers_zero: bool) -> Farewell {
    if unread || lingers_zero {
        Farewell::Abort
    } else {
        Farewell::Close
    }
}

/// Decides how an orphan ends whose patience is over.
///
/// When both DATA_FINs are acknowledged the peer has everything, but its application may not have
/// read it yet, and so not closed. TCP would have forgotten the connection by now; to abort it
/// would turn the end of the peer's stream into an error.
// rfc8684:3.3.3-2
#[inline]
pub const fn on_patience_lost(rest: &Rest) -> Farewell {
    if !rest.aborted && !rest.fell_back && rest.state.subflows_may_close() {
        Farewell::Close
    } else {
        Farewell::Abort
    }
}

/// Whether a connection without subflows may get another. `established` says whether both ends are known to
/// speak MPTCP (RFC 8684 section 3.1).
///
/// RFC 8684 section 3.3.3: if all subflows are closed and the DATA_FINs are not settled, the connection ends
/// only after a timeout, so that a host may lose its last path before it has the next.
// rfc8684:3.3.3-7
#[inline]
pub const fn may_be_rejoined(rest: &Rest, established: bool) -> bool {
    established && !rest.aborted && !rest.fell_back && !rest.state.subflows_may_close()
}

/// Whether the end of the only subflow breaks the connection. `error` says whether TCP was reset or
/// gave up; `rest.peer_closes` whether the peer's FIN was taken from it.
///
/// When both DATA_FINs are acknowledged the subflow has served (RFC 8684 section 3.3.3). A reset is
/// no error then: the peer may have closed already and know nothing of data that was on its way
/// for the second time.
#[inline]
pub const fn is_breakdown(rest: &Rest, error: bool) -> bool {
    let served = !rest.fell_back && rest.state.subflows_may_close();
    !rest.aborted && !served && (error || !rest.peer_closes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::ending::check(), Ok(()));
    }

    #[test]
    fn an_orphan_waits_while_its_data_is_taken() {
        assert_eq!(crate::vectors::patience::check(), Ok(()));
    }
}
