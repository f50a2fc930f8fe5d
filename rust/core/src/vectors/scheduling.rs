// SPDX-License-Identifier: GPL-2.0

//! Which subflow carries the next data, how much it takes, and when one does not answer any more.

use super::{expect, Check};
use crate::scheduler::{
    penalised, AnyScheduler, Decision, Grant, Health, Kind, Path, PathId, PathSet, PathsView,
    Scheduler, Segment, Standing, MAX_PROBE_GAP_US, RETURN_ANSWERS,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_names()?;
    check_taken()?;
    check_backups()?;
    check_waits()?;
    check_choices()?;
    check_unblocking()?;
    check_penalties()?;
    check_grants()?;
    check_health()
}

pub(crate) const MSS: u32 = 1000;
pub(crate) const SECOND: u64 = 1_000_000;

/// An idle path with a window of ten segments, at the time of [`view`].
pub(crate) const fn path(number: u8, rtt_ms: u32) -> Path {
    let rtt_us = rtt_ms.saturating_mul(1000);
    Path {
        id: id(number),
        srtt_us: rtt_us,
        min_rtt_us: rtt_us,
        cwnd: 10,
        mss: MSS,
        send_room: 1_000_000,
        last_progress_us: SECOND,
        ..Path::UNKNOWN
    }
}

pub(crate) const fn id(number: u8) -> PathId {
    match PathId::new(number) {
        Some(id) => id,
        None => PathId::FIRST,
    }
}

pub(crate) const fn full(path: Path) -> Path {
    Path {
        in_flight: path.cwnd,
        ..path
    }
}

pub(crate) const fn backup(path: Path) -> Path {
    Path {
        backup: true,
        ..path
    }
}

pub(crate) const fn stale(path: Path) -> Path {
    Path {
        standing: Standing::Stale,
        ..path
    }
}

/// With data in flight that was not answered for longer than TCP waits.
pub(crate) const fn silent(path: Path) -> Path {
    Path {
        in_flight: 1,
        last_progress_us: 0,
        ..path
    }
}

pub(crate) fn view(paths: &[Path]) -> PathsView<'_> {
    PathsView::new(paths, SECOND, 1_000_000)
}

/// New data, with a window that is wide open.
pub(crate) const fn fresh(len: u32) -> Segment {
    Segment {
        len,
        unsent: len as u64,
        window_left: 1_000_000,
        again: false,
        last: false,
        sent_on: PathSet::EMPTY,
        blocking: PathSet::EMPTY,
    }
}

/// The paths of these bits.
fn set(bits: u8) -> PathSet {
    let among = |path: &PathId| u32::from(bits) >> path.number() & 1 != 0;
    (0..8).filter_map(PathId::new).filter(among).collect()
}

fn check_names() -> Check {
    for kind in Kind::ALL {
        let name = kind.name();
        expect(Kind::from_name(name.as_bytes()) == Some(kind), name)?;
        expect(AnyScheduler::new(kind).kind() == kind, name)?;
    }
    expect(Kind::default().name() == "default", "default")?;
    expect(Kind::from_name(b"Default").is_none(), "Default")
}

const IDLE: Path = path(0, 10);
/// It sends 40 segments in a millisecond.
const FAST: Path = Path {
    cwnd: 100,
    pacing_rate: 40_000_000,
    ..path(0, 2)
};

/// A name; the path, how many bytes wait, how many of them it takes.
type Taken = (&'static str, Path, u32, u32);

const MANY: u32 = u32::MAX;

#[rustfmt::skip]
const TAKEN: [Taken; 21] = [
    ("the whole window", IDLE, MANY, 10 * MSS),
    ("a full window", full(IDLE), MANY, 0),
    ("a window that shrank", Path { in_flight: 11, ..IDLE }, MANY, 0),
    ("what is queued counts", Path { queued: 3 * MSS, ..IDLE }, MANY, 7 * MSS),
    ("whole segments", Path { queued: 1, ..IDLE }, MANY, 9 * MSS),
    ("the buffer", Path { send_room: 2 * MSS + 9, ..IDLE }, MANY, 2 * MSS),
    ("all that is left, less than a segment", Path { send_room: 999, ..IDLE }, 999, 999),
    ("no small piece of more", Path { send_room: 999, ..IDLE }, 1001, 0),
    ("no segment size", Path { mss: 0, ..IDLE }, MANY, 0),
    ("as much as can be", Path { cwnd: u32::MAX, send_room: u32::MAX, mss: 1, ..IDLE }, MANY, u32::MAX),
    ("what it sends in a millisecond beyond the window", FAST, MANY, 140 * MSS),
    ("that alone", full(FAST), MANY, 40 * MSS),
    ("half of that waits", Path { queued: 20 * MSS, ..full(FAST) }, MANY, 20 * MSS),
    ("more than half waits", Path { queued: 21 * MSS, ..full(FAST) }, MANY, 0),
    ("the last of the data does not wait", Path { queued: 39 * MSS, ..full(FAST) }, MSS, MSS),
    ("the buffer takes less", Path { send_room: 3 * MSS, ..full(FAST) }, MANY, 3 * MSS),
    ("no more than a window", Path { pacing_rate: u64::MAX, ..full(FAST) }, MANY, 100 * MSS),
    ("two pieces", Path { pacing_rate: u64::MAX, ..full(Path { cwnd: 1000, ..FAST }) }, MANY, 131 * MSS),
    ("an eighth of the window", Path { pacing_rate: 1, ..full(FAST) }, MANY, 12 * MSS),
    ("less than two segments", Path { pacing_rate: 1_999_999, ..full(Path { cwnd: 15, ..FAST }) }, MANY, 0),
    ("unknown speed", Path { pacing_rate: 0, ..full(FAST) }, MANY, 0),
];

fn check_taken() -> Check {
    for (name, path, waits, taken) in &TAKEN {
        expect(path.takes(*waits) == *taken, name)?;
    }
    Ok(())
}

/// A name; two paths, of which the first is faster; those that may be used, as bits.
type Usable = (&'static str, [Path; 2], u8);

const QUICK: Path = path(0, 10);
const SLOW: Path = path(1, 90);

#[rustfmt::skip]
const USABLE: [Usable; 9] = [
    ("the backup is faster", [backup(QUICK), SLOW], 0b10),
    ("the regular one is full", [backup(QUICK), full(SLOW)], 0b00),
    ("the regular one is stale", [backup(QUICK), stale(SLOW)], 0b01),
    ("the regular one is silent", [backup(QUICK), silent(SLOW)], 0b01),
    ("the backup is stale too", [backup(stale(QUICK)), stale(SLOW)], 0b10),
    ("only backups", [backup(QUICK), backup(SLOW)], 0b11),
    ("the stale one is faster", [stale(QUICK), SLOW], 0b10),
    ("all are stale", [stale(QUICK), stale(SLOW)], 0b11),
    ("the silent one is faster", [silent(QUICK), SLOW], 0b10),
];

// rfc8684:3.3.8-1
fn check_backups() -> Check {
    for (name, paths, usable) in USABLE {
        let usable = set(usable);
        for kind in Kind::ALL {
            let len = 100;
            let expected = match (usable.iter().next(), kind) {
                (None, _) => Decision::Wait,
                (Some(_), Kind::Redundant) => Decision::SendOnAll { paths: usable, len },
                (Some(path), _) => Decision::Send { path, len },
            };
            let decision = AnyScheduler::new(kind).pick(&view(&paths), &fresh(len));
            expect(decision == expected, name)?;
        }
    }
    Ok(())
}

/// Nothing goes where there is no path, no room or the same data already, nor against the window, whatever the kind.
fn check_waits() -> Check {
    let carried = Segment {
        sent_on: PathSet::only(IDLE.id),
        ..fresh(1)
    };
    let closed = Segment {
        window_left: 0,
        ..fresh(1)
    };
    for (name, paths, segment) in [
        ("no path", &[][..], fresh(1)),
        ("no room, whatever the kind", &[full(IDLE)], fresh(1)),
        ("it carries that already", &[IDLE], carried),
        ("a closed window", &[IDLE], closed),
    ] {
        for kind in Kind::ALL {
            let decision = AnyScheduler::new(kind).pick(&view(paths), &segment);
            expect(decision == Decision::Wait, name)?;
        }
    }
    Ok(())
}

/// A name; the kind, the paths, the data; who gets how much of it.
type Choice = (
    &'static str,
    Kind,
    &'static [Path],
    Segment,
    Option<(u8, u32)>,
);

/// 5000 bytes that take 20 ms.
const QUEUE: Path = Path {
    queued: 5000,
    pacing_rate: 250_000,
    ..path(0, 10)
};
/// A million bytes per second: 10 000 in flight and 100 000 more take 110 ms.
const MEGABYTE: Path = Path {
    delivery_rate: 1_000_000,
    ..full(path(0, 10))
};
const TAIL: Segment = Segment {
    unsent: 100_000,
    last: true,
    ..fresh(5000)
};
const AGAIN: Segment = Segment {
    again: true,
    ..TAIL
};
const MORE_FOLLOWS: Segment = Segment {
    last: false,
    ..TAIL
};
/// What [`MEGABYTE`] has in flight waits in it, where no acknowledgement makes room.
const WAITING: Path = Path {
    in_flight: 0,
    queued: 10_000,
    ..MEGABYTE
};
const LESS_WINDOW: Segment = Segment {
    window_left: 1500,
    ..fresh(9000)
};
/// 40 000 bytes take a path of 10 ms that is full 10 ms to get room and 4 more windows. 3921 take one of 51 ms less
/// than 20 ms, for which a wait is not worth while.
const MUCH: Segment = unsent(40_000);
/// The window is closed, but these bytes are sent again.
const BLOCKING: Segment = Segment {
    window_left: 0,
    sent_on: PathSet::only(id(1)),
    blocking: PathSet::only(id(1)),
    ..fresh(MSS)
};

/// New data of which so much waits.
const fn unsent(unsent: u64) -> Segment {
    Segment {
        unsent,
        ..fresh(MSS)
    }
}

#[rustfmt::skip]
const CHOICES: [Choice; 19] = [
    ("the fastest with room", Kind::LowestRtt, &[path(0, 30), path(1, 10), path(2, 20)],
     fresh(25_000), Some((1, 10_000))),
    ("the next if that is full", Kind::LowestRtt, &[path(0, 30), full(path(1, 10)), path(2, 20)],
     fresh(500), Some((2, 500))),
    ("no room", Kind::LowestRtt, &[full(path(0, 10))], fresh(1), None),
    ("the window", Kind::LowestRtt, &[path(0, 10)], LESS_WINDOW, Some((0, 1500))),
    ("a closed window does not hold back what was sent", Kind::LowestRtt, &[path(0, 10), path(1, 100)],
     BLOCKING, Some((0, MSS))),
    ("the queue is part of the way", Kind::LowestRtt, &[QUEUE, path(1, 29)], fresh(9), Some((1, 9))),
    ("a short queue", Kind::LowestRtt, &[QUEUE, path(1, 31)], fresh(9), Some((0, 9))),
    ("the end is done sooner elsewhere", Kind::LowestRtt, &[MEGABYTE, path(1, 111)], TAIL, None),
    ("the end is done later elsewhere", Kind::LowestRtt, &[MEGABYTE, path(1, 110)], TAIL, Some((1, 5000))),
    ("more follows", Kind::LowestRtt, &[MEGABYTE, path(1, 111)], MORE_FOLLOWS, Some((1, 5000))),
    ("nothing makes room", Kind::LowestRtt, &[WAITING, path(1, 111)], TAIL, Some((1, 5000))),
    ("the end was sent before", Kind::LowestRtt, &[MEGABYTE, path(1, 111)], AGAIN, Some((1, 5000))),
    ("worth the wait", Kind::Ecf, &[full(path(0, 10)), path(1, 51)], MUCH, None),
    ("not worth the wait", Kind::Ecf, &[full(path(0, 10)), path(1, 50)], MUCH, Some((1, MSS))),
    ("more data", Kind::Ecf, &[full(path(0, 10)), path(1, 51)], unsent(41_000), Some((1, MSS))),
    ("too little to matter", Kind::Ecf, &[full(path(0, 10)), path(1, 51)], unsent(3_921), Some((1, MSS))),
    ("just enough", Kind::Ecf, &[full(path(0, 10)), path(1, 51)], unsent(3_922), None),
    ("its turn", Kind::RoundRobin, &[path(3, 90), path(7, 10)], fresh(500), Some((3, 500))),
    ("room in the window", Kind::Blest, &[full(path(0, 10)), path(1, 20)], fresh(MSS), Some((1, MSS))),
];

fn check_choices() -> Check {
    for (name, kind, paths, segment, expected) in &CHOICES {
        let expected = match *expected {
            Some((number, len)) => Decision::Send {
                path: id(number),
                len,
            },
            None => Decision::Wait,
        };
        let decision = AnyScheduler::new(*kind).pick(&view(paths), segment);
        expect(decision == expected, name)?;
    }
    check_blest()
}

/// BLEST leaves room in the window for the fast path: ten round trips of it beginning with 10 segments, which are
/// 145, by the factor 1.19 after its first step. Columns: what the window has more than that, segments that the slow
/// path has in flight; whether it is used.
fn check_blest() -> Check {
    for (name, more, in_flight, used) in [
        ("no room for the slow one", 999, 0, false),
        ("room for a segment", 1000, 0, true),
        ("what is in flight takes the room", 4999, 4, false),
        ("room beside what is in flight", 5000, 4, true),
    ] {
        let slow = Path {
            in_flight,
            ..path(1, 100)
        };
        let paths = [full(path(0, 10)), slow];
        let window = (145_u32 * 1190).saturating_add(more);
        let view = PathsView::new(&paths, 0, window);
        let decision = AnyScheduler::new(Kind::Blest).pick(&view, &fresh(MSS));
        expect((decision != Decision::Wait) == used, name)?;
    }
    Ok(())
}

/// A name; three paths, those that hold the window closed, as bits; who sends again, who is penalised, as bits; `None`
/// if nothing is done.
type Unblocked = (&'static str, [Path; 3], u8, Option<(Option<u8>, u8)>);

const NEAR: Path = path(1, 20);
const FAR: Path = path(2, 40);

#[rustfmt::skip]
const UNBLOCKED: [Unblocked; 14] = [
    ("much slower", [QUICK, NEAR, FAR], 0b100, Some((Some(0), 0b100))),
    ("hardly slower", [QUICK, path(1, 19), FAR], 0b010, None),
    ("as fast", [QUICK, path(1, 10), FAR], 0b010, None),
    ("a little slower", [QUICK, NEAR, FAR], 0b010, Some((None, 0b010))),
    ("one is near", [QUICK, NEAR, FAR], 0b110, Some((None, 0b110))),
    ("the fast one", [QUICK, NEAR, FAR], 0b001, None),
    ("it too has it", [QUICK, NEAR, FAR], 0b101, None),
    ("no room", [full(QUICK), full(NEAR), FAR], 0b100, None),
    ("the next has room", [full(QUICK), NEAR, FAR], 0b100, Some((None, 0b100))),
    ("a tiny window", [QUICK, NEAR, Path { cwnd: 2, ..FAR }], 0b100, Some((Some(0), 0))),
    ("stale", [QUICK, stale(NEAR), FAR], 0b010, Some((Some(0), 0))),
    ("stale and faster", [stale(QUICK), NEAR, FAR], 0b001, Some((Some(1), 0))),
    ("gone", [QUICK, NEAR, FAR], 0b1000_0000, Some((Some(0), 0))),
    ("a backup does not help", [backup(QUICK), NEAR, FAR], 0b100, Some((None, 0b100))),
];

fn check_unblocking() -> Check {
    for (name, paths, blocking, expected) in &UNBLOCKED {
        let segment = Segment {
            window_left: 0,
            blocking: set(*blocking),
            ..fresh(MSS)
        };
        for kind in Kind::ALL {
            let expected = match expected.filter(|_| kind != Kind::Redundant) {
                Some((retransmit, penalise)) => Decision::Unblock {
                    retransmit: retransmit.map(id),
                    penalise: set(penalise),
                },
                None => Decision::Wait,
            };
            let decision = AnyScheduler::new(kind).pick(&view(paths), &segment);
            expect(decision == expected, name)?;
        }
    }
    Ok(())
}

/// Columns: window and threshold before, and after.
fn check_penalties() -> Check {
    for (name, before, after) in [
        ("halved", (20, 10), (10, 5)),
        ("halved, threshold above", (10, 100), (5, 100)),
        ("no threshold", (20, u32::MAX), (10, u32::MAX)),
        ("no less than two", (3, 3), (2, 2)),
        ("two", (2, 2), (2, 2)),
        ("one", (1, 1), (1, 1)),
        ("none", (0, 0), (0, 0)),
    ] {
        expect(penalised(before.0, before.1) == after, name)?;
    }
    Ok(())
}

/// A grant answers the question that was asked. Columns: bytes that were taken of 5000, the path that asks, bytes that
/// wait, whether they are sent again; what it may have of segments of 1000 bytes.
fn check_grants() -> Check {
    for (name, taken, number, waits, again, allowed) in [
        ("all of it", 0, 0, 9000, false, Some(5000)),
        ("not to another", 0, 1, 9000, false, None),
        ("not for what is sent again", 0, 0, 9000, true, None),
        ("no rest that fills no segment", 4500, 0, 9000, false, None),
        ("nearly all that waits", 4500, 0, 501, false, None),
        ("all that waits", 4500, 0, 500, false, Some(500)),
        ("used up", 5001, 0, 1, false, None),
    ] {
        let mut grant = Grant::new(PathId::FIRST, 5000, false);
        grant.take(taken);
        let found = grant.allows(id(number), 1000, waits, again);
        expect(found == allowed, name)?;
    }
    Ok(())
}

/// A path that does not answer is left after four timeouts, tried ever more seldom, and comes back with an answer.
fn check_health() -> Check {
    const RTO: u32 = 250_000;
    let name = "a silent path";
    let mut health = Health::new();
    expect(
        !health.probe(SECOND, RTO) && health.next_probe_us().is_none(),
        name,
    )?;
    for last in [false, false, false, true, false] {
        expect(health.on_timeout(4, 0, RTO) == last, name)?;
    }
    expect(health.is_stale() && !health.on_dead(0, RTO), name)?;

    let name = "probes of a silent path";
    let mut due = u64::from(RTO);
    let gaps = [500_000, 1_000_000, 2_000_000, 4_000_000];
    for gap in gaps.into_iter().chain([MAX_PROBE_GAP_US; 36]) {
        expect(health.next_probe_us() == Some(due), name)?;
        expect(!health.probe(due.saturating_sub(1), RTO), name)?;
        expect(health.probe(due, RTO) && !health.probe(due, RTO), name)?;
        due = due.saturating_add(gap);
    }

    let name = "a path that answers again";
    expect(
        health.on_progress() && health.next_probe_us().is_none(),
        name,
    )?;
    for _ in 0..RETURN_ANSWERS {
        expect(health.standing() == Standing::Returned, name)?;
        expect(!health.on_progress(), name)?;
    }
    expect(health.standing() == Standing::Active, name)?;

    let name = "a link that goes down";
    expect(health.on_dead(SECOND, RTO) && health.is_stale(), name)?;
    let first = SECOND.saturating_add(u64::from(RTO));
    expect(health.next_probe_us() == Some(first), name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(super::check(), Ok(()));
    }
}
