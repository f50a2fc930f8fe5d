// SPDX-License-Identifier: GPL-2.0

use super::{Link, Run, Runs, Side, Slot};
use crate::seq::Dsn;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

type Tree = Runs<u32, Vec<Slot<u32>>>;

fn tree(slots: usize) -> Tree {
    Runs::new((0..slots).map(|_| Slot::FREE).collect())
}

/// Inserts a run of one byte at `at`, `false` if there is one.
fn insert(tree: &mut Tree, at: u64, piece: u32) -> bool {
    let start = Dsn::new(at);
    let before = tree.at_or_before(start);
    if tree.get(before).is_some_and(|run| run.start == start) {
        return false;
    }
    let end = start.plus(1);
    tree.insert(before, Run { start, end, piece });
    true
}

fn remove(tree: &mut Tree, at: u64) -> Option<u32> {
    let start = Dsn::new(at);
    let found = tree.at_or_before(start);
    tree.get(found).filter(|run| run.start == start)?;
    tree.remove(found).map(|run| run.piece)
}

fn in_order(tree: &Tree) -> Vec<(u64, u32)> {
    let mut all = Vec::new();
    let mut at = tree.first();
    while let Some(run) = tree.get(at) {
        all.push((run.start.raw(), run.piece));
        at = tree.after(at);
    }
    all
}

/// Checks links and balance of a subtree and returns its height.
fn check(tree: &Tree, at: Link, up: Link) -> u8 {
    if at == Link::NIL {
        return 0;
    }
    assert_eq!(tree.up(at), up);
    let before = check(tree, tree.child(at, Side::Before), at);
    let after = check(tree, tree.child(at, Side::After), at);
    assert!(before.abs_diff(after) <= 1, "{before} against {after}");
    assert_eq!(tree.height(at), before.max(after) + 1);
    tree.height(at)
}

#[test]
fn height_grows_with_the_logarithm() {
    for (count, most) in [(1_u64, 1), (3, 2), (100, 9), (1000, 14), (65535, 23)] {
        let mut tree = tree(65535);
        for at in 0..count {
            assert!(insert(&mut tree, at * 2, 0));
        }
        assert_eq!(tree.len() as u64, count);
        assert!(check(&tree, tree.root, Link::NIL) <= most);
    }
}

#[test]
fn slots_are_used_again_and_never_exceeded() {
    let mut tree = tree(3);
    for round in 0..10 {
        for at in 0..3 {
            assert!(!tree.is_full());
            insert(&mut tree, round + at * 2, 7);
        }
        assert!(tree.is_full());
        insert(&mut tree, 100, 8);
        assert_eq!(tree.len(), 3);
        assert_eq!(remove(&mut tree, 100), None);
        for at in 0..3 {
            assert_eq!(remove(&mut tree, round + at * 2), Some(7));
        }
        assert!(tree.len() == 0 && tree.remove(tree.first()).is_none());
    }
}

#[test]
fn no_slots_hold_nothing() {
    let mut tree = tree(0);
    assert!(tree.is_full());
    insert(&mut tree, 1, 1);
    assert_eq!(in_order(&tree), []);
}

proptest! {
    /// The tree says what an ordered map of the standard library says.
    #[test]
    fn tree_is_an_ordered_map(steps in proptest::collection::vec((any::<bool>(), 0..60_u64), 1..200)) {
        let mut tree = tree(40);
        let mut map = BTreeMap::new();
        for (piece, (inserts, at)) in (0..).zip(steps) {
            if inserts {
                let fits = map.len() < 40 || map.contains_key(&at);
                if insert(&mut tree, at, piece) && fits {
                    map.insert(at, piece);
                }
            } else {
                prop_assert_eq!(remove(&mut tree, at), map.remove(&at));
            }
            check(&tree, tree.root, Link::NIL);
            prop_assert_eq!(in_order(&tree), map.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(tree.len(), map.len());
            for at in 0..61 {
                let found = tree.get(tree.at_or_before(Dsn::new(at))).map(|run| run.start.raw());
                let expected = map.range(..=at).next_back().map(|(start, _)| *start);
                prop_assert_eq!(found, expected);
            }
        }
    }
}
