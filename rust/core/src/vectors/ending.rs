// SPDX-License-Identifier: GPL-2.0

//! The states of a connection, and what they mean for its end.

use super::{expect, Check};
use crate::connection::ending::{
    fin_goes_along, is_breakdown, is_over, may_be_rejoined, on_patience_lost, Farewell, Rest,
};
use crate::connection::state::{Event, State};
use crate::send::SendState;
use crate::seq::Dsn;

use State::{CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, TimeWait};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_states()?;
    check_ends()?;
    check_closed_with_stream()?;
    check_fins()?;
    check_plain()?;
    check_breakdowns()
}

/// A name; the state, what it is after our application closed its direction, after our DATA_FIN was acknowledged and
/// after the peer's arrived; whether data may be sent, and whether the subflows may close.
type Row = (&'static str, State, [State; 3], [bool; 2]);

#[rustfmt::skip]
const ROWS: [Row; 8] = [
    ("Established", Established, [FinWait1, Established, CloseWait], [true, false]),
    ("FinWait1", FinWait1, [FinWait1, FinWait2, Closing], [false, false]),
    ("FinWait2", FinWait2, [FinWait2, FinWait2, TimeWait], [false, false]),
    ("CloseWait", CloseWait, [LastAck, CloseWait, CloseWait], [true, false]),
    ("Closing", Closing, [Closing, TimeWait, Closing], [false, false]),
    ("LastAck", LastAck, [LastAck, Closed, LastAck], [false, false]),
    ("TimeWait", TimeWait, [TimeWait, TimeWait, TimeWait], [false, true]),
    ("Closed", Closed, [Closed, Closed, Closed], [false, true]),
];

// rfc8684:3.3.3-6
fn check_states() -> Check {
    let (close, acked, fin) = (Event::AppClosesSend, Event::FinAcked, Event::FinReceived);
    for (name, state, after, [send, close_subflows]) in ROWS {
        for (event, expected) in [close, acked, fin].into_iter().zip(after) {
            expect(state.after(event) == expected, name)?;
        }
        expect(state.after(Event::Aborted) == Closed, name)?;
        expect(state.may_send() == send, name)?;
        expect(state.subflows_may_close() == close_subflows, name)?;
    }
    for (name, order, last) in [
        ("we close first", [close, acked, fin], TimeWait),
        ("both close", [close, fin, acked], TimeWait),
        ("the peer closes first", [fin, close, acked], Closed),
    ] {
        let end = order.into_iter().fold(Established, State::after);
        expect(end == last && end.subflows_may_close(), name)?;
    }
    Ok(())
}

/// A name; the state; whether an orphan is over while the peer does not close the subflows and while it does; whether
/// it may be joined by another subflow, how it ends when patience is over.
type Ended = (&'static str, State, [bool; 2], bool, Farewell);

#[rustfmt::skip]
const ENDED: [Ended; 8] = [
    ("an open connection", Established, [false, false], true, Farewell::Abort),
    ("our DATA_FIN is not acknowledged", FinWait1, [false, false], true, Farewell::Abort),
    ("the peer may send", FinWait2, [false, false], true, Farewell::Abort),
    ("we may send", CloseWait, [false, false], true, Farewell::Abort),
    ("both close", Closing, [false, false], true, Farewell::Abort),
    ("the last word is not acknowledged", LastAck, [false, false], true, Farewell::Abort),
    ("we closed first", TimeWait, [true, true], false, Farewell::Close),
    // Who closed second waits for the other's FIN.
    ("the peer closed first", Closed, [false, true], false, Farewell::Close),
];

// rfc8684:3.3.3-1 rfc8684:3.3.3-2 rfc8684:3.3.3-7 rfc8684:3.3.3-8
fn check_ends() -> Check {
    let send = SendState::new(Dsn::new(9), 100);
    for (name, state, over, may_be_joined, farewell) in ENDED {
        let rest = Rest {
            state,
            ..Rest::default()
        };
        let aborted = Rest {
            aborted: true,
            ..rest
        };
        let plain = Rest {
            fell_back: true,
            ..rest
        };
        for (peer_closes, over) in [false, true].into_iter().zip(over) {
            let closes = |rest| Rest {
                peer_closes,
                ..rest
            };
            expect(is_over(&closes(rest), &send) == over, name)?;
            expect(is_over(&closes(aborted), &send), name)?;
        }
        expect(may_be_rejoined(&rest, true) == may_be_joined, name)?;
        expect(!may_be_rejoined(&rest, false), name)?;
        expect(on_patience_lost(&rest) == farewell, name)?;
        for ended in [aborted, plain] {
            expect(!may_be_rejoined(&ended, true), name)?;
            expect(on_patience_lost(&ended) == Farewell::Abort, name)?;
        }
    }
    Ok(())
}

/// Who closed with the stream waits for the peer's FIN. Columns: the state, whether an orphan is over then.
fn check_closed_with_stream() -> Check {
    let send = SendState::new(Dsn::new(9), 100);
    for (name, state, over) in [
        ("closed with the stream, not acknowledged", FinWait1, false),
        ("closed with the stream, the peer may send", FinWait2, false),
        ("closed with the stream, both close", Closing, true),
        ("closed with the stream, the last word", LastAck, true),
        ("closed with the stream, all is settled", TimeWait, true),
    ] {
        for peer_closes in [false, true] {
            let rest = Rest {
                state,
                peer_closes,
                closed_with_stream: true,
                ..Rest::default()
            };
            expect(is_over(&rest, &send) == (over && peer_closes), name)?;
        }
    }
    Ok(())
}

/// The FIN goes with a DATA_FIN that is alone outstanding. Columns: bytes of ten that were sent and that are
/// acknowledged; the state, whether the peer closes; whether the FIN goes along.
// rfc8684:3.3.3-1 rfc8684:3.3.3-8
fn check_fins() -> Check {
    for (name, sent, acked, state, peer_closes, goes) in [
        ("data was not sent", 0, 0, FinWait1, false, false),
        ("data is not acknowledged", 10, 0, FinWait1, false, false),
        ("nothing else is outstanding", 10, 10, FinWait1, false, true),
        ("the application is there", 10, 10, CloseWait, true, false),
        ("the DATA_FIN has left", 10, 10, Closing, true, false),
        ("the other closes first", 10, 10, LastAck, false, false),
        ("the other has closed", 10, 10, LastAck, true, true),
    ] {
        let first = Dsn::new(9);
        let mut send = SendState::new(first, 100);
        send.on_written(10);
        send.on_fin_queued();
        send.on_pushed(sent);
        send.on_fin_sent();
        expect(send.on_data_ack(first.plus(acked), 100).is_ok(), name)?;
        let rest = Rest {
            state,
            peer_closes,
            ..Rest::default()
        };
        expect(fin_goes_along(&rest, &send) == goes, name)?;
        let aborted = Rest {
            aborted: true,
            ..rest
        };
        let plain = Rest {
            fell_back: true,
            ..rest
        };
        for ended in [aborted, plain] {
            expect(!fin_goes_along(&ended, &send), name)?;
        }
    }
    Ok(())
}

/// Plain TCP is over once TCP has all. Columns: bytes that TCP has of ten, whether it has the FIN, whether a piece was
/// begun; whether it is over.
fn check_plain() -> Check {
    for (name, pushed, fin, piece_begun, over) in [
        ("TCP has nothing", 0, false, false, false),
        ("TCP has the data", 10, false, false, false),
        ("TCP has all", 10, true, false, true),
        ("TCP has a part of a piece", 10, true, true, false),
    ] {
        let rest = Rest {
            fell_back: true,
            piece_begun,
            ..Rest::default()
        };
        let mut send = SendState::new(Dsn::new(9), 100);
        send.on_written(10);
        send.on_fin_queued();
        send.on_pushed(pushed);
        if fin {
            send.on_fin_sent();
        }
        expect(is_over(&rest, &send) == over, name)?;
    }
    Ok(())
}

/// A name; the state, whether it is plain TCP, whether the peer closed the subflow, whether TCP has an error; whether
/// the end of the only subflow breaks the connection.
type Breakdown = (&'static str, State, [bool; 3], bool);

#[rustfmt::skip]
const BREAKDOWNS: [Breakdown; 8] = [
    ("reset", Established, [false, false, true], true),
    ("gone", FinWait1, [false, false, false], true),
    ("reset before the last word", LastAck, [false, true, true], true),
    ("plain: closed", CloseWait, [true, true, false], false),
    ("plain: reset", CloseWait, [true, true, true], true),
    ("reset at the end", Closed, [false, false, true], false),
    ("reset when all is settled", TimeWait, [false, true, true], false),
    ("plain: reset at the end", Closed, [true, false, true], true),
];

fn check_breakdowns() -> Check {
    for (name, state, [fell_back, peer_closes, error], breaks) in BREAKDOWNS {
        let rest = Rest {
            state,
            fell_back,
            peer_closes,
            ..Rest::default()
        };
        expect(is_breakdown(&rest, error) == breaks, name)?;
        let aborted = Rest {
            aborted: true,
            ..rest
        };
        expect(!is_breakdown(&aborted, error), name)?;
    }
    Ok(())
}
