// SPDX-License-Identifier: GPL-2.0

mod decisions;
mod health;
mod paths;
mod properties;
mod unblock;

use super::*;
use crate::vectors::scheduling::{fresh, full, id, path, silent, stale, view, MSS, SECOND};

fn set<const N: usize>(numbers: [u8; N]) -> PathSet {
    numbers.map(id).into_iter().collect()
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
fn a_grant_is_one_paths() {
    let (path, other) = (PathId::FIRST, PathId::new(1).unwrap());
    let grant = Grant::new(path, 5000, false);
    assert_eq!(grant.turn(|live| live == path), Some(path));
    assert_eq!(grant.turn(|live| live == other), None);
}

#[test]
fn a_grant_for_what_is_sent_again_holds_once() {
    let path = PathId::FIRST;
    // Who carried what is sent again next is not known.
    let mut again = Grant::new(path, 300, true);
    assert_eq!(again.allows(path, 1000, 9000, true), Some(300));
    again.take(100);
    assert_eq!(again.allows(path, 1000, 9000, true), None);
}
