// SPDX-License-Identifier: GPL-2.0

//! The sending direction: what may be sent, what is acknowledged, what is sent again.

use super::{expect, Check};
use crate::send::{
    retransmit_timeout, send_buffer, AckOutcome, SendState, SubflowBuffer, MAX_BACKOFF,
};
use crate::seq::Dsn;

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_lives()?;
    check_buffers()?;
    check_timeouts()
}

/// A step of a sender. Numbers of the stream count from its first byte.
#[derive(Clone, Copy)]
enum Step {
    /// The application writes so many bytes.
    Write(u32),
    /// So many bytes were given to a subflow.
    Push(u32),
    /// The application closes its direction.
    Close,
    /// The DATA_FIN is sent, if it can be.
    SendFin,
    /// A data acknowledgement with a window: bytes that are acknowledged by it, whether the window grew, whether
    /// the DATA_FIN is acknowledged.
    Ack(u64, u32, (u64, bool, bool)),
    /// One that must not change anything.
    Lie(u64, u32),
    /// Bytes that may be sent, that were not, and that are on their way.
    Has(u32, u64, u64),
    /// The first byte that is not acknowledged, the next to be sent, and the right edge of the window.
    Numbers(u64, u64, u64),
    /// Whether to ask for a window.
    Asks(bool),
    /// Whether the DATA_FIN can be sent, is on its way, is acknowledged.
    Fin([bool; 3]),
    /// All that is not acknowledged is to be sent again.
    Restart,
    /// This part of the stream is to be sent again.
    Again(u64, u64),
    /// What is sent again next: from where on, how many bytes.
    Next(Option<(u64, u32)>),
    /// So many bytes of that were sent.
    Resent(u32),
    /// Whether anything may have to be sent again.
    Needs(bool),
    /// The connection goes on as plain TCP: so many bytes are taken as acknowledged.
    FallBack(u64),
}

/// A name, the first window, and what happens.
type Life = (&'static str, u32, &'static [Step]);

/// The wrap lies between byte 49 and byte 50.
const FIRST: Dsn = Dsn::new(u64::MAX - 49);

#[rustfmt::skip]
const LIVES: [Life; 8] = {
    use Step::{
        Ack, Again, Asks, Close, FallBack, Fin, Has, Lie, Needs, Next, Numbers, Push, Resent,
        Restart, SendFin, Write,
    };
    [
        ("the window limits what may be sent", 100, &[
            Has(0, 0, 0),
            Write(250),
            Has(100, 250, 0),
            Push(100),
            Has(0, 150, 100),
            // An acknowledgement is under way.
            Asks(false),
            Ack(60, 100, (60, true, false)),
            Has(60, 150, 40),
            Numbers(60, 100, 160),
            Push(60),
            Ack(160, 0, (100, false, false)),
            // 90 bytes wait, and nothing will open the window.
            Asks(true),
            Ack(160, 1, (0, true, false)),
            Asks(false),
        ]),
        ("acknowledgements of the future are rejected, old ones harmless", 1000, &[
            Write(100),
            Push(50),
            Lie(51, 1000),
            Lie(100, 9000),
            Numbers(0, 50, 1000),
            Ack(50, 950, (50, false, false)),
            Ack(20, 950, (0, false, false)),
            Ack(u64::MAX - 20, 950, (0, false, false)),
            Numbers(50, 50, 1000),
            // A window that closes does not take back what was promised.
            Ack(50, 0, (0, false, false)),
            Has(50, 50, 0),
        ]),
        ("the DATA_FIN follows the data and takes one number", 10, &[
            Fin([false, false, false]),
            Write(10),
            Close,
            Fin([false, false, false]),
            // Data waits before it.
            SendFin,
            Fin([false, false, false]),
            Push(10),
            Fin([true, false, false]),
            SendFin,
            Fin([false, true, false]),
            Numbers(0, 11, 10),
            Has(0, 0, 10),
            Ack(10, 0, (10, false, false)),
            Fin([false, true, false]),
            Needs(true),
            Next(None),
            Lie(12, 0),
            Ack(11, 0, (0, true, true)),
            Fin([false, false, true]),
            Needs(false),
            Ack(11, 0, (0, false, false)),
        ]),
        ("data and DATA_FIN are acknowledged at once", 100, &[
            Write(7),
            Push(7),
            Close,
            Close,
            SendFin,
            Ack(8, 100, (7, true, true)),
            Fin([false, false, true]),
        ]),
        ("it runs once over what is not acknowledged", 1000, &[
            Restart,
            Next(None),
            Write(300),
            Push(200),
            Next(None),
            Restart,
            Next(Some((0, 200))),
            Resent(80),
            Next(Some((80, 120))),
            // What is sent meanwhile is not sent twice; an acknowledgement moves the start.
            Push(50),
            Ack(100, 1000, (100, true, false)),
            Next(Some((100, 100))),
            Resent(100),
            Next(None),
            Restart,
            Next(Some((100, 150))),
            Ack(250, 1000, (150, true, false)),
            Next(None),
            Needs(false),
        ]),
        ("a DATA_FIN is no data to send again", 1000, &[
            Write(1),
            Close,
            Push(1),
            SendFin,
            Restart,
            Next(Some((0, 1))),
            Ack(2, 1000, (1, true, true)),
            Next(None),
        ]),
        ("a piece is sent again as far as it was sent and is missed", 1000, &[
            Write(300),
            Push(200),
            Ack(50, 1000, (50, true, false)),
            Again(20, 70),
            Again(190, 280),
            Next(Some((50, 20))),
            Resent(20),
            Next(Some((190, 10))),
            Resent(99),
            Next(None),
        ]),
        // The DATA_FIN is not acknowledged, so the subflow's FIN has to follow.
        ("plain TCP takes over what was sent and tells the end again", 100, &[
            Write(300),
            Push(100),
            Has(0, 200, 100),
            FallBack(100),
            Needs(false),
            Has(200, 200, 0),
            Push(200),
            Close,
            SendFin,
            FallBack(200),
            Fin([true, false, false]),
            // Nothing more comes of it a second time.
            FallBack(0),
        ]),
    ]
};

// rfc8684:3.3.2-1 rfc8684:3.3.2-3 rfc8684:3.3.5-1 rfc8684:3.3.5-2 rfc8684:3.3.6-4 rfc8684:3.7-17
fn check_lives() -> Check {
    for (name, window, steps) in LIVES {
        let mut state = SendState::new(FIRST, window);
        for step in steps {
            expect(goes(&mut state, step), name)?;
            // Whatever happens, the numbers stay in order.
            expect(!state.una().after(state.nxt()), name)?;
        }
    }
    Ok(())
}

fn goes(state: &mut SendState, step: &Step) -> bool {
    match *step {
        Step::Write(count) => state.on_written(count),
        Step::Push(count) => state.on_pushed(count),
        Step::Close => state.on_fin_queued(),
        Step::SendFin => state.on_fin_sent(),
        Step::Ack(at, window, (acked, window_grew, fin_acked)) => {
            let outcome = AckOutcome {
                acked,
                window_grew,
                fin_acked,
            };
            return state.on_data_ack(FIRST.plus(at), window) == Ok(outcome);
        }
        Step::Lie(at, window) => {
            let numbers = (state.una(), state.wnd_end());
            let rejected = state.on_data_ack(FIRST.plus(at), window).is_err();
            return rejected && numbers == (state.una(), state.wnd_end());
        }
        Step::Has(available, unsent, in_flight) => {
            let found = (state.available(), state.unsent(), state.in_flight());
            return found == (available, unsent, in_flight);
        }
        Step::Numbers(una, nxt, edge) => {
            let found = [state.una(), state.nxt(), state.wnd_end()];
            return found == [una, nxt, edge].map(|at| FIRST.plus(at));
        }
        Step::Asks(due) => return state.probe_due() == due,
        Step::Fin(expected) => {
            let found = [state.fin_due(), state.fin_in_flight(), state.fin_acked()];
            return found == expected;
        }
        Step::Restart => state.start_retransmit(),
        Step::Again(from, end) => state.send_again(FIRST.plus(from), FIRST.plus(end)),
        Step::Next(expected) => {
            let expected = expected.map(|(at, len)| (FIRST.plus(at), len));
            return state.retransmit_next() == expected;
        }
        Step::Resent(count) => state.on_retransmitted(count),
        Step::Needs(expected) => return state.needs_retransmit() == expected,
        Step::FallBack(expected) => return state.fall_back() == expected,
    }
    true
}

/// A name; bytes and round-trip time of each subflow, the system's limit; the send buffer.
type Buffer = (&'static str, &'static [(u32, u32)], u32, u64);

#[rustfmt::skip]
const BUFFERS: [Buffer; 9] = [
    ("no subflow", &[], 1000, 0),
    ("one", &[(50_000, 7)], 1_000_000, 50_000),
    ("equal round-trip times: the sum", &[(50_000, 20), (30_000, 20)], 1_000_000, 80_000),
    // It keeps its data for the time of the slower one.
    ("a faster one", &[(5_000, 2), (150_000, 50)], 1_000_000, 275_000),
    // Nothing is known of the second but what its TCP chose.
    ("an unknown one", &[(5_000, 2), (40_000, 0)], 1_000_000, 45_000),
    ("unknown ones", &[(5_000, 0), (40_000, 0)], 1_000_000, 45_000),
    // What TCP chose is within the limit, or was when it was chosen.
    ("the limit holds for each", &[(5_000, 1), (90_000, 1000)], 100_000, 190_000),
    ("a limit that came later", &[(5_000, 1), (90_000, 1000)], 80_000, 170_000),
    ("as much as can be", &[(u32::MAX, 1), (1, u32::MAX)], u32::MAX, 1 << 32),
];

fn check_buffers() -> Check {
    for (name, subflows, most, expected) in BUFFERS {
        let buffers = subflows
            .iter()
            .map(|&(bytes, rtt_us)| SubflowBuffer { bytes, rtt_us });
        expect(send_buffer(buffers, most) == expected, name)?;
    }
    Ok(())
}

/// Columns: TCP's timeout, how often it expired in vain; the wait, within two minutes.
fn check_timeouts() -> Check {
    const CAP: u32 = 120_000_000;
    for (name, rto, backoff, wait) in [
        ("at first", 200_000, 0, 400_000),
        ("again", 200_000, 1, 800_000),
        ("a sixth time", 200_000, 5, 12_800_000),
        ("a tenth time", 200_000, 9, CAP),
        ("as often as counts", 200_000, MAX_BACKOFF, CAP),
        ("as often as can be", 200_000, u8::MAX, CAP),
        ("as long as can be", u32::MAX, u8::MAX, CAP),
        ("no time", 0, 3, 0),
    ] {
        expect(retransmit_timeout(rto, backoff, CAP) == wait, name)?;
    }
    Ok(())
}
