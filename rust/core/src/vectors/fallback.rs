// SPDX-License-Identifier: GPL-2.0

//! Connections that end MPTCP in the middle, and what they say then.

use super::{expect, Check};
use crate::connection::fallback::{
    is_untold, may_have_failed, on_checksum_failure, on_infinite_mapping, on_mp_fail, on_plain_ack,
    on_unmapped_data, Answer, ChecksumAnswer, Circumstances,
};
use crate::connection::farewell::Farewell;
use crate::send::SendState;
use crate::seq::{Dsn, Ssn};
use crate::wire::{MpFail, Received};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_answers()?;
    check_complaints()?;
    check_plain_acks()?;
    check_farewells()
}

const ALONE: Circumstances = Circumstances {
    only_subflow: true,
    dss_seen: true,
    in_order: true,
    retransmitted: false,
    fell_back: false,
};

/// Plain TCP goes on where the streams of the only subflow and the connection are the same.
// rfc8684:3.3.1-4 rfc8684:3.7-7 rfc8684:3.7-13 rfc8684:3.7-15 rfc8684:3.7-19 rfc8684:3.7-20
fn check_answers() -> Check {
    let joined = Circumstances {
        only_subflow: false,
        ..ALONE
    };
    let gap = Circumstances {
        in_order: false,
        ..ALONE
    };
    let again = Circumstances {
        retransmitted: true,
        ..ALONE
    };
    for (name, circumstances, plain) in [
        ("alone", ALONE, true),
        ("joined", joined, false),
        ("gap", gap, false),
        ("again", again, false),
    ] {
        let (answer, checksum) = match plain {
            true => (Answer::FallBack, ChecksumAnswer::FailAndFallBack),
            false => (Answer::Reset, ChecksumAnswer::FailAndReset),
        };
        for dss_seen in [false, true] {
            let circumstances = Circumstances {
                dss_seen,
                ..circumstances
            };
            expect(on_unmapped_data(&circumstances) == answer, name)?;
            expect(on_infinite_mapping(&circumstances) == answer, name)?;
            expect(on_mp_fail(&circumstances) == answer, name)?;
            expect(on_checksum_failure(&circumstances) == checksum, name)?;
        }
        let plain = Circumstances {
            fell_back: true,
            ..circumstances
        };
        for answer in [
            on_unmapped_data(&plain),
            on_infinite_mapping(&plain),
            on_mp_fail(&plain),
        ] {
            expect(answer == Answer::Ignore, name)?;
        }
    }
    Ok(())
}

/// Columns: where the mapping lies behind the first byte of which 10 to 19 are not acknowledged, whether checksums
/// are in use; whether it may have failed.
fn check_complaints() -> Check {
    for (name, offset, checksums, believed) in [
        ("acknowledged", 9, true, false),
        ("the oldest", 10, true, true),
        ("the newest", 19, true, true),
        ("not sent", 20, true, false),
        ("nobody sums", 10, false, false),
        ("at the other end", 1 << 63, true, false),
    ] {
        let first = Dsn::new(u64::MAX - 14);
        let mut send = SendState::new(first, 100);
        send.on_written(30);
        send.on_pushed(20);
        expect(send.on_data_ack(first.plus(10), 100).is_ok(), name)?;
        let believes = may_have_failed(first.plus(offset), checksums, &send);
        expect(believes == believed, name)?;
    }
    Ok(())
}

/// Columns: whether options were heard, what TCP was given and had acknowledged; whether an acknowledgement
/// may tell something, and whether this one does.
// rfc8684:3.7-5
fn check_plain_acks() -> Check {
    for (name, heard, given, acked, untold, falls_back) in [
        ("acknowledged", false, 2, 2, true, true),
        ("acknowledged in part", false, 1000, 2, true, true),
        ("heard", true, 2, 2, false, false),
        ("SYN alone", false, 2, 1, true, false),
        ("FIN alone", false, 1, 2, false, false),
    ] {
        let (given, acked) = (Ssn::new(given), Ssn::new(acked));
        expect(is_untold(heard, given) == untold, name)?;
        let answer = on_plain_ack(heard, given, acked, || ALONE);
        expect(answer == falls_back, name)?;
    }
    let fell_back = Circumstances {
        fell_back: true,
        ..ALONE
    };
    let answer = on_plain_ack(false, Ssn::new(2), Ssn::new(2), || fell_back);
    expect(!answer, "plain already")
}

/// What a segment says.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    Nothing,
    Fail,
    Infinite,
}

/// Columns: the place of the segment, whether it has data, what TCP had acknowledged.
type Step = (u32, bool, u32, Said);

/// The first byte after the fallback has the number 100 on the subflow.
// rfc8684:3.7-6 rfc8684:3.7-14
fn check_farewells() -> Check {
    use Said::{Fail, Infinite, Nothing};
    let quiet: &[Step] = &[
        (100, false, 1, Nothing),
        (99, true, 1, Nothing),
        (100, true, 1, Infinite),
        (150, true, 100, Infinite),
        (150, true, 101, Nothing),
    ];
    let answer: &[Step] = &[
        (100, true, 1, Fail),
        (150, true, 1, Infinite),
        (100, true, 1, Fail),
        (200, false, 1, Fail),
        (200, false, 1, Fail),
        (200, false, 1, Nothing),
        (100, true, 1, Infinite),
    ];
    let complaint: &[Step] = &[
        (100, true, 1, Fail),
        (150, true, 1, Fail),
        (99, true, 1, Fail),
    ];
    say(
        "farewell",
        Farewell::new(Ssn::new(100), Dsn::new(7), true),
        quiet,
    )?;
    let mut farewell = Farewell::new(Ssn::new(100), Dsn::new(7), true);
    let fail = Received {
        mp_fail: Some(MpFail { dsn: Dsn::new(5) }),
        ..Received::default()
    };
    expect(farewell.heard(&fail), "answer due")?;
    farewell.answer(Dsn::new(9));
    expect(!farewell.heard(&fail), "answer given")?;
    say("answer", farewell, answer)?;
    let mut farewell = Farewell::new(Ssn::new(100), Dsn::new(7), true);
    farewell.complain(Dsn::new(9));
    say("complaint", farewell, complaint)?;
    farewell.heard(&fail);
    say("complaint heard", farewell, quiet)
}

fn say(name: &'static str, mut farewell: Farewell, steps: &[Step]) -> Check {
    for (at, has_data, acked, expected) in steps {
        let wanted = farewell.say(Ssn::new(*at), *has_data, Ssn::new(*acked));
        let said = match (wanted.mp_fail, wanted.dss) {
            (None, None) => Said::Nothing,
            (Some(_), None) => Said::Fail,
            (_, Some(_)) => Said::Infinite,
        };
        expect(said == *expected, name)?;
    }
    Ok(())
}
