// SPDX-License-Identifier: GPL-2.0

//! Subflows that leave, and what their connection makes of it.

use super::{expect, Check};
use crate::connection::departure::{
    farewell, how_it_ended, on_closed, Closed, Departure, Failure, Meaning, Presence, Remains,
};
use crate::connection::ending::Rest;
use crate::connection::state::State;
use crate::path_manager::{End, Farewell};
use crate::scheduler::{PathId, PathSet};
use crate::wire::{MpTcpRst, ResetReason};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_ends()?;
    check_farewells()?;
    check_departures()?;
    check_meanings()?;
    check_closed()
}

const TOLD: MpTcpRst = MpTcpRst {
    transient: true,
    reason: ResetReason::LACK_OF_RESOURCES,
};

const RST: Option<Failure> = Some(Failure::Reset);

/// A name; the MP_TCPRST of the peer's RST, TCP's error, whether it was useless, whether a join was not proven; how
/// it ended.
type Ended = (
    &'static str,
    Option<MpTcpRst>,
    Option<Failure>,
    [bool; 2],
    End,
);

#[rustfmt::skip]
const ENDED: [Ended; 10] = [
    ("FIN", None, None, [false, false], End::Finished),
    ("FIN to a join", None, None, [false, true], End::Finished),
    ("RST", None, RST, [false, false], End::Reset(None)),
    ("RST to a SYN that joins", None, RST, [false, true], End::Reset(None)),
    ("RST with a reason", Some(TOLD), RST, [false, false], End::Reset(Some(TOLD))),
    ("the peer's reason goes before ours", Some(TOLD), None, [true, true], End::Reset(Some(TOLD))),
    ("silence", None, Some(Failure::Unreachable), [false, true], End::Unreachable),
    ("what it carries is not understood", None, None, [true, false], End::Unreachable),
    ("reset from both ends", None, RST, [true, false], End::Reset(None)),
    ("no proof in the SYN/ACK", None, RST, [true, true], End::Refused),
];

/// Columns: how the path manager wants a subflow closed, whether it is one of several; how it is.
fn check_farewells() -> Check {
    let reason = Farewell::Reset(ResetReason::LACK_OF_RESOURCES);
    let silent = Farewell::Reset(ResetReason::UNSPECIFIED);
    for (name, wanted, several, closed) in [
        ("FIN on one of several", Farewell::Fin, true, Farewell::Fin),
        ("FIN on the only one", Farewell::Fin, false, silent),
        ("RST on one of several", reason, true, reason),
        ("RST on the only one", reason, false, reason),
    ] {
        expect(farewell(wanted, several) == closed, name)?;
    }
    Ok(())
}

fn check_ends() -> Check {
    for (name, told, failure, [useless, unproven], end) in ENDED {
        let remains = Remains {
            told,
            failure,
            useless,
            unproven,
        };
        expect(how_it_ended(&remains) == end, name)?;
    }
    Ok(())
}

const OPENING: Presence = Presence {
    live: false,
    finished: false,
    gone: false,
    useless: false,
};
const LIVE: Presence = Presence {
    live: true,
    ..OPENING
};
const FINISHED: Presence = Presence {
    finished: true,
    ..LIVE
};
const GONE: Presence = Presence {
    gone: true,
    ..OPENING
};
const USELESS: Presence = Presence {
    useless: true,
    ..LIVE
};

/// A name; the subflows from number 0 on, whether there are or were several, whether both DATA_FINs are
/// acknowledged; those who leave and those who are reset, as bits, and whether others stay.
type Leaving = (&'static str, &'static [Presence], [bool; 2], [u8; 2], bool);

#[rustfmt::skip]
const LEAVING: [Leaving; 14] = [
    ("none there is", &[], [false, false], [0, 0], false),
    ("one that works", &[LIVE], [false, false], [0, 0], true),
    ("the first begins", &[OPENING], [false, false], [0, 0], true),
    ("FIN of the only one", &[FINISHED], [false, false], [0, 0], true),
    ("TCP is done with it", &[GONE], [false, false], [1, 0], false),
    ("of no use", &[USELESS], [false, false], [1, 1], false),
    ("FIN among others", &[FINISHED, LIVE], [true, false], [1, 0], true),
    ("FIN of a join", &[LIVE, FINISHED], [false, false], [2, 0], true),
    ("FIN of the last", &[FINISHED, GONE], [true, false], [3, 0], false),
    ("FIN after the end", &[FINISHED, FINISHED], [true, true], [0, 0], true),
    ("gone after the end", &[FINISHED, GONE], [true, true], [2, 0], true),
    ("one of no use among others", &[LIVE, USELESS, GONE], [true, false], [6, 2], true),
    ("another is on its way", &[GONE, OPENING], [true, false], [1, 0], false),
    ("the first is on its way", &[OPENING, GONE], [true, false], [2, 0], true),
];

fn check_departures() -> Check {
    for (name, subflows, [several, over], [all, reset], others_stay) in LEAVING {
        let numbered = (0..).map_while(PathId::new).zip(subflows.iter().copied());
        let expected = Departure {
            all: set(all),
            reset: set(reset),
            others_stay,
        };
        expect(Departure::of(numbered, several, over) == expected, name)?;
        let deserted = all != 0 && !others_stay;
        expect(expected.deserts() == deserted, name)?;
    }
    Ok(())
}

fn set(bits: u8) -> PathSet {
    let among = |path: &PathId| u32::from(bits) >> path.number() & 1 != 0;
    (0..8).filter_map(PathId::new).filter(among).collect()
}

/// Columns: the state, whether it was aborted, whether others stay, whether it may wait; what it means.
// rfc8684:3.3.3-7
#[rustfmt::skip]
const MEANINGS: [(&str, State, bool, [bool; 2], Meaning); 8] = [
    ("others stay", State::Established, false, [true, true], Meaning::GoesOn),
    ("others stay, none is waited for", State::LastAck, false, [true, false], Meaning::GoesOn),
    ("waits", State::FinWait2, false, [false, true], Meaning::Waits),
    ("breaks", State::Established, false, [false, false], Meaning::Breaks),
    ("breaks before its last word", State::LastAck, false, [false, false], Meaning::Breaks),
    ("served", State::TimeWait, false, [false, false], Meaning::IsOver),
    ("closed", State::Closed, false, [false, false], Meaning::IsOver),
    ("aborted", State::Established, true, [false, false], Meaning::IsOver),
];

fn check_meanings() -> Check {
    for (name, state, aborted, [others_stay, may_wait], meaning) in MEANINGS {
        let departure = Departure {
            all: PathSet::only(PathId::FIRST),
            others_stay,
            ..Departure::default()
        };
        let rest = Rest {
            state,
            aborted,
            ..Rest::default()
        };
        expect(departure.means(&rest, may_wait) == meaning, name)?;
        let nobody = Departure::default().means(&rest, may_wait);
        expect(nobody == Meaning::GoesOn, name)?;
    }
    Ok(())
}

/// Columns: whether it was alone, whether others are there, whether the connection may wait; whether it leaves, and
/// whether all ends.
fn check_closed() -> Check {
    for (name, [alone, others, may_wait], [leaves, ends_all]) in [
        ("alone", [true, false, false], [false, true]),
        (
            "alone, another asked for",
            [true, true, false],
            [false, true],
        ),
        ("alone, worth waiting", [true, false, true], [true, false]),
        ("one of several", [false, true, false], [true, false]),
        (
            "one of several, worth waiting",
            [false, true, true],
            [true, false],
        ),
        ("the last", [false, false, false], [true, true]),
        (
            "the last, worth waiting",
            [false, false, true],
            [true, false],
        ),
    ] {
        let closed = on_closed(alone, others, may_wait);
        expect(closed == Closed { leaves, ends_all }, name)?;
    }
    Ok(())
}
