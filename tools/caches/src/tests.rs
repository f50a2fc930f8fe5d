// SPDX-License-Identifier: GPL-2.0

//! Cases that were computed by hand: two processors, each with two sets of two lines, over four sets of
//! four lines.

use crate::{Counts, Shape, System, LINE};

const READ: bool = false;
const WRITE: bool = true;

fn small() -> System {
    let first = Shape { sets: 2, ways: 2 };
    let second = Shape { sets: 4, ways: 4 };
    System::new(2, first, second)
}

/// What two processors count after accesses (processor, line, whether it is written).
fn count(accesses: &[(usize, u64, bool)]) -> [Counts; 2] {
    let mut system = small();
    for (processor, line, write) in accesses {
        system.access(*processor, line * LINE, 8, *write);
    }
    let counts = system.take_counts();
    [counts[0], counts[1]]
}

/// In the order of the fields.
const fn counts(of: [u64; 5]) -> Counts {
    Counts {
        accesses: of[0],
        l1_misses: of[1],
        coherence_misses: of[2],
        l2_misses: of[3],
        invalidations: of[4],
    }
}

#[test]
fn a_line_is_fetched_once() {
    let [first, second] = count(&[(0, 5, READ), (0, 5, READ), (0, 5, WRITE), (0, 5, WRITE)]);
    assert_eq!(first, counts([4, 1, 0, 1, 0]));
    assert_eq!(second, Counts::default());
}

#[test]
fn the_least_recently_used_line_of_the_set_gives_way() {
    // Lines 0, 2 and 4 are of one set. 4 drives out 2, because 0 was used since; 1 is of the other set.
    let [first, _] = count(&[
        (0, 0, READ),
        (0, 2, READ),
        (0, 1, READ),
        (0, 0, READ),
        (0, 4, READ),
        (0, 0, READ),
        (0, 1, READ),
        (0, 2, READ),
    ]);
    assert_eq!(first, counts([8, 5, 0, 4, 0]));
}

#[test]
fn readers_share() {
    let [first, second] = count(&[(0, 3, READ), (1, 3, READ), (0, 3, READ), (1, 3, READ)]);
    assert_eq!(first, counts([2, 1, 0, 1, 0]));
    assert_eq!(second, counts([2, 1, 0, 0, 0]));
}

#[test]
fn a_write_takes_the_line_from_the_others() {
    let [first, second] = count(&[(0, 3, READ), (1, 3, READ), (0, 3, WRITE), (1, 3, READ)]);
    assert_eq!(first, counts([2, 1, 0, 1, 1]));
    assert_eq!(second, counts([2, 2, 1, 0, 0]));
}

#[test]
fn writers_in_turn_take_it_from_each_other() {
    let turns: Vec<_> = (0..10).map(|turn| (turn % 2, 3, WRITE)).collect();
    let [first, second] = count(&turns);
    // The first fetch of each is not for the other's write.
    assert_eq!(first, counts([5, 5, 4, 1, 4]));
    assert_eq!(second, counts([5, 5, 4, 0, 5]));
}

#[test]
fn who_was_read_from_must_ask_before_the_next_write() {
    let [first, second] = count(&[
        (0, 3, WRITE),
        (1, 3, READ),
        (0, 3, WRITE),
        (0, 3, WRITE),
        (0, 3, READ),
    ]);
    assert_eq!(first, counts([4, 1, 0, 1, 1]));
    assert_eq!(second, counts([1, 1, 0, 0, 0]));
}

#[test]
fn neighbours_in_a_line_disturb_each_other() {
    let mut system = small();
    system.access(0, 0, 1, WRITE);
    system.access(1, 63, 1, WRITE);
    system.access(0, 0, 1, WRITE);
    let counted = system.take_counts();
    assert_eq!(counted[0], counts([2, 2, 1, 1, 1]));
    assert_eq!(counted[1], counts([1, 1, 0, 0, 1]));
}

#[test]
fn an_access_over_the_edge_touches_two_lines() {
    let mut system = small();
    system.access(0, 60, 8, READ);
    system.access(0, 64, 64, READ);
    system.access(0, 0, 0, READ);
    system.access(7, 0, 8, READ);
    assert_eq!(system.take_counts()[0], counts([4, 2, 0, 2, 0]));
    assert_eq!(system.take_counts()[0], Counts::default());
}

#[test]
fn what_leaves_the_second_level_leaves_the_first() {
    // Lines 0, 4, 8, 12 and 16 are of one set of the second level. The second processor drives 0 out of
    // it, and so out of the first processor's level, whose next read finds it nowhere.
    let [first, second] = count(&[
        (0, 0, READ),
        (1, 4, READ),
        (1, 8, READ),
        (1, 12, READ),
        (1, 16, READ),
        (0, 0, READ),
    ]);
    assert_eq!(first, counts([2, 2, 0, 2, 0]));
    assert_eq!(second, counts([4, 4, 0, 4, 0]));
}

#[test]
fn the_usual_caches_hold_what_they_should() {
    let mut system = System::usual(1);
    for _ in 0..2 {
        for address in (0..32 * 1024).step_by(64) {
            system.access(0, address, 8, READ);
        }
    }
    assert_eq!(system.take_counts()[0], counts([1024, 512, 0, 512, 0]));
    // One line more than fits a set of the first level: all eight and it keep driving each other out.
    for _ in 0..2 {
        for way in 0..9 {
            system.access(0, way * 4096, 8, READ);
        }
    }
    assert_eq!(system.take_counts()[0].l1_misses, 10);
}
