// SPDX-License-Identifier: GPL-2.0

mod decisions;
mod health;
mod paths;
mod properties;
mod unblock;

use super::*;

const MSS: u32 = 1000;
const SECOND: u64 = 1_000_000;

fn id(number: u8) -> PathId {
    PathId::new(number).unwrap()
}

fn set<const N: usize>(numbers: [u8; N]) -> PathSet {
    numbers.map(id).into_iter().collect()
}

/// An idle path with a window of ten segments, at the time of [`view`].
fn path(number: u8, rtt_ms: u32) -> Path {
    Path {
        id: id(number),
        srtt_us: rtt_ms * 1000,
        rttvar_us: 0,
        min_rtt_us: rtt_ms * 1000,
        cwnd: 10,
        slow_start: false,
        in_flight: 0,
        mss: MSS,
        queued: 0,
        send_room: 1_000_000,
        pacing_rate: 0,
        delivery_rate: 0,
        last_progress_us: SECOND,
        backup: false,
        standing: Standing::Active,
    }
}

fn full(path: Path) -> Path {
    Path {
        in_flight: path.cwnd,
        ..path
    }
}

fn backup(path: Path) -> Path {
    Path {
        backup: true,
        ..path
    }
}

fn stale(path: Path) -> Path {
    Path {
        standing: Standing::Stale,
        ..path
    }
}

/// With data in flight that was not answered for longer than TCP waits.
fn silent(path: Path) -> Path {
    Path {
        in_flight: 1,
        last_progress_us: 0,
        ..path
    }
}

fn view(paths: &[Path]) -> PathsView<'_> {
    PathsView::new(paths, SECOND, 1_000_000)
}

/// New data, with a window that is wide open.
fn fresh(len: u32) -> Segment {
    Segment {
        len,
        unsent: len.into(),
        window_left: 1_000_000,
        ..Segment::default()
    }
}

/// New data that the peer's window keeps back, because of these paths.
fn blocked<const N: usize>(blocking: [u8; N]) -> Segment {
    Segment {
        window_left: 0,
        blocking: set(blocking),
        ..fresh(MSS)
    }
}

fn send(number: u8, len: u32) -> Decision {
    Decision::Send {
        path: id(number),
        len,
    }
}

/// What each kind decides at first sight.
fn first_decision(kind: Kind, paths: &[Path], segment: &Segment) -> Decision {
    AnyScheduler::new(kind).pick(&view(paths), segment)
}

#[test]
fn a_grant_answers_the_question_that_was_asked() {
    let (path, other) = (PathId::FIRST, PathId::new(1).unwrap());
    let mut grant = Grant::new(path, 5000, false);
    assert_eq!(grant.turn(|live| live == path), Some(path));
    assert_eq!(grant.turn(|live| live == other), None);
    assert_eq!(grant.allows(path, 1000, 9000, false), Some(5000));
    assert_eq!(grant.allows(other, 1000, 9000, false), None);
    assert_eq!(grant.allows(path, 1000, 9000, true), None);
    grant.take(4500);
    // A rest that fills no segment, unless nothing else waits.
    assert_eq!(grant.allows(path, 1000, 9000, false), None);
    assert_eq!(grant.allows(path, 1000, 501, false), None);
    assert_eq!(grant.allows(path, 1000, 500, false), Some(500));
    grant.take(501);
    assert_eq!(grant.allows(path, 1000, 0, false), None);
    // Who carried what is sent again next is not known.
    let mut again = Grant::new(path, 300, true);
    assert_eq!(again.allows(path, 1000, 9000, true), Some(300));
    again.take(100);
    assert_eq!(again.allows(path, 1000, 9000, true), None);
}
