// SPDX-License-Identifier: GPL-2.0

use super::*;
use core::sync::atomic::{AtomicU16, AtomicU32};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::string::ToString;
use std::vec;
use std::vec::Vec;

const fn cpu(number: u16) -> Cpu {
    Cpu::new(number)
}

/// Eight processors, of which every four share a cache.
const TWO_GROUPS: [u16; 8] = [0, 0, 0, 0, 1, 1, 1, 1];

/// A machine for the rest of the test's life: the tables are never freed.
fn machine_of<'a>(allowed: &'a [u64], groups: &[u16], load: &[u32]) -> Machine<'a> {
    let groups: Vec<_> = groups.iter().copied().map(AtomicU16::new).collect();
    let load: Vec<_> = load.iter().copied().map(AtomicU32::new).collect();
    Machine::new(allowed, groups.leak(), load.leak())
}

fn eight(load: &[u32]) -> Machine<'static> {
    machine_of(&[0xff], &TWO_GROUPS, load)
}

#[test]
fn modes_have_names() {
    for mode in Mode::ALL {
        assert_eq!(Mode::from_name(mode.name().as_bytes()), Some(mode));
    }
    assert_eq!(Mode::from_name(b"Pin"), None);
    assert_eq!(Mode::from_name(b""), None);
    assert_eq!(Mode::default().name(), "follow");
}

#[test]
fn a_machine_lists_what_is_allowed() {
    let machine = machine_of(&[1 << 63 | 0b101, 0b10], &[7, 7, 8], &[1, 2, 3]);
    let cpus: Vec<u16> = machine.cpus().map(Cpu::number).collect();
    assert_eq!(cpus, [0, 2, 63, 65]);
    assert!(machine.allows(cpu(2)) && !machine.allows(cpu(1)) && !machine.allows(cpu(64)));
    assert_eq!((machine.group(cpu(2)), machine.group(cpu(63))), (8, 0));
    assert_eq!((machine.load(cpu(2)), machine.load(cpu(63))), (3, 0));
    assert_eq!(machine.cpus_of(0).count(), 2);

    let seventeen_words = [u64::MAX; 17];
    let machine = machine_of(&seventeen_words, &[], &[]);
    assert_eq!(machine.cpus().count(), usize::from(MAX_CPUS));
    assert!(machine.allows(cpu(1023)) && !machine.allows(cpu(1024)));
}

#[test]
fn lists_of_processors_are_read_and_written() {
    for (list, written) in [
        ("0", "0"),
        (" 0-3,6\n", "0-3,6"),
        ("3,2,1", "1-3"),
        ("5-5,7,7", "5,7"),
        ("63-65,1023", "63-65,1023"),
        ("all", "0-1023"),
        ("0001", "1"),
    ] {
        let set = CpuSet::parse(list.as_bytes()).unwrap();
        assert_eq!(set.to_string(), written, "{list}");
    }
    for list in [
        "",
        " ",
        ",",
        "0,",
        ",0",
        "-",
        "1-",
        "-1",
        "3-2",
        "1-2-3",
        "0 1",
        "0x1",
        "1024",
        "00001",
        "99999999999",
        "a",
        "0,b",
        "ALL",
        "all,0",
    ] {
        assert_eq!(CpuSet::parse(list.as_bytes()), None, "{list}");
    }
    assert_eq!(CpuSet::EMPTY.to_string(), "");
}

#[test]
fn sets_of_processors_intersect() {
    let (left, right) = (CpuSet::parse(b"0-9,100"), CpuSet::parse(b"5-70,100"));
    let both = left.unwrap().and(&right.unwrap());
    assert_eq!(both.to_string(), "5-9,100");
    assert!(both.contains(cpu(100)) && !both.contains(cpu(10)) && !both.contains(cpu(1024)));
    assert!(!both.is_empty() && CpuSet::EMPTY.is_empty());
    assert_eq!(CpuSet::from_words(*both.words()), both);
    assert_eq!(machine_of(both.words(), &[], &[]).cpus().count(), 6);
    let mut full = CpuSet::ALL;
    full.insert(cpu(1024));
    assert_eq!(full, CpuSet::ALL);
}

#[test]
fn table_sizes_are_rounded_as_the_kernel_rounds() {
    for (wanted, size) in [
        (0, None),
        (1, Some(1)),
        (3, Some(4)),
        (32768, Some(32768)),
        (32769, Some(65536)),
        (MAX_TABLE_SIZE, Some(MAX_TABLE_SIZE)),
        (MAX_TABLE_SIZE + 1, None),
    ] {
        assert_eq!(round_table_size(wanted), size, "{wanted}");
    }
}

/// Processors of the machine, its mask, a hash, the processor chosen, the entry.
const ENTRIES: [(u32, u32, u32, u16, u32); 9] = [
    (1, 0x0000, 0xdead_beef, 0, 0xdead_beef),
    (2, 0x0001, 0xdead_beef, 0, 0xdead_beee),
    (2, 0x0001, 0xdead_beee, 1, 0xdead_beef),
    (3, 0x0003, 0xdead_beef, 2, 0xdead_beee),
    (8, 0x0007, 0xdead_beef, 3, 0xdead_beeb),
    (8, 0x0007, 0x0000_0001, 7, 0x0000_0007),
    (64, 0x003f, 0xdead_beef, 63, 0xdead_beff),
    (65, 0x007f, 0xdead_beef, 64, 0xdead_bec0),
    (1024, 0x03ff, 0xffff_ffff, 1, 0xffff_fc01),
];

#[test]
fn entries_hold_the_hash_and_the_processor() {
    for (cpus, mask, hash, chosen, entry) in ENTRIES {
        let table = FlowTable::new(4096, cpus).unwrap();
        assert_eq!(table.cpu_mask(), mask, "{cpus} processors");
        assert_eq!(table.entry(hash, cpu(chosen)), Some(entry), "{hash:x}");
        assert_eq!(table.cpu(hash, entry), Some(cpu(chosen)), "{entry:x}");
        assert_eq!(table.index(hash), hash & 4095);
    }
}

#[test]
fn there_are_no_entries_for_what_cannot_be_told_apart() {
    let table = FlowTable::new(16, 3).unwrap();
    assert_eq!(table.entry(0, cpu(1)), None, "no hash");
    assert_eq!(table.entry(5, cpu(4)), None, "beyond the mask");
    assert_eq!(table.cpu(0xfffc, EMPTY_ENTRY), None, "empty");
    assert_eq!(table.cpu(0x1234_5678, 0x1234_5698), None, "another flow's");
    for (size, cpus) in [(0, 4), (3, 4), (MAX_TABLE_SIZE * 2, 4), (16, 0)] {
        assert_eq!(FlowTable::new(size, cpus), None, "{size} {cpus}");
    }
    assert_eq!(FlowTable::new(16, u32::MAX), None);
}

/// A write of an application that has not read anything.
const NEVER_READ: Access = Access::Write {
    since_read_us: None,
};

#[test]
fn the_first_sighting_counts_at_once() {
    let mut follow = Follow::default();
    assert_eq!(follow.cpu(), None);
    assert!(follow.on_access(NEVER_READ, cpu(3), 0));
    assert_eq!(follow.cpu(), Some(cpu(3)));
    assert!(!follow.on_access(Access::Read, cpu(3), 1));
}

#[test]
fn the_application_moves_when_it_stays_elsewhere() {
    let mut follow = Follow::default();
    follow.on_access(Access::Read, cpu(0), 0);
    // Often enough, but not long enough.
    for now in 1..100 {
        assert!(!follow.on_access(Access::Read, cpu(1), now));
    }
    assert!(!follow.on_access(Access::Read, cpu(1), STEADY_US));
    assert!(follow.on_access(Access::Read, cpu(1), STEADY_US + 1));
    assert_eq!(follow.cpu(), Some(cpu(1)));

    // Long enough, but not often enough.
    let start = 1_000_000;
    for call in 0..3 {
        assert!(!follow.on_access(Access::Read, cpu(2), start + call * STEADY_US));
    }
    assert!(follow.on_access(Access::Read, cpu(2), start + 3 * STEADY_US));
}

#[test]
fn one_step_back_forgets_the_steps_away() {
    let mut follow = Follow::default();
    follow.on_access(Access::Read, cpu(0), 0);
    for step in 1..1000 {
        let at = cpu(if step % 4 == 0 { 0 } else { 1 });
        assert!(!follow.on_access(Access::Read, at, step * STEADY_US));
    }
    assert_eq!(follow.cpu(), Some(cpu(0)));
}

#[test]
fn hopping_between_two_others_is_no_stay() {
    let mut follow = Follow::default();
    follow.on_access(Access::Read, cpu(0), 0);
    for step in 1..1000 {
        let at = cpu(1 + u16::from(step % 2 == 0));
        assert!(!follow.on_access(Access::Read, at, step * STEADY_US));
    }
}

#[test]
fn the_reader_wins_while_there_is_one() {
    let written = |since_read_us| Access::Write {
        since_read_us: Some(since_read_us),
    };
    let mut follow = Follow::default();
    follow.on_access(Access::Read, cpu(0), 0);
    for call in 1..1000 {
        let since = call % READER_RULES_US;
        assert!(!follow.on_access(written(since), cpu(1), call * 1000));
        assert_eq!(follow.steady(), Some(cpu(0)));
    }
    // The reader has gone.
    let gone = 1_000_000;
    for call in 0..3 {
        assert!(!follow.on_access(written(READER_RULES_US + call), cpu(1), gone + call));
        assert_eq!((follow.cpu(), follow.steady()), (Some(cpu(0)), None));
    }
    assert!(follow.on_access(written(READER_RULES_US), cpu(1), gone + STEADY_US));
    assert_eq!(follow.steady(), Some(cpu(1)));
}

#[test]
fn off_leaves_it_to_the_kernel() {
    let machine = eight(&[]);
    let mut steering = Steering::new(Mode::Off, 1);
    assert!(!steering.on_access(Access::Read, cpu(2), 0));
    assert_eq!(steering.place(0, &machine), None);
    // Switched on, it knows where the application is.
    steering.set_mode(Mode::Follow);
    assert_eq!(steering.place(0, &machine), Some(cpu(2)));
}

#[test]
fn follow_takes_all_subflows_to_the_application() {
    let load = [5, 4, 9, 9, 9, 9, 9, 9];
    let machine = eight(&load);
    let mut steering = Steering::new(Mode::Follow, 1);
    assert_eq!(steering.place(0, &machine), Some(cpu(1)), "nobody reads");
    assert!(steering.on_access(Access::Read, cpu(6), 0));
    assert!((0..32).all(|subflow| steering.place(subflow, &machine) == Some(cpu(6))));
    assert_eq!(steering.moves(), 1);
}

#[test]
fn follow_stays_near_an_application_where_steering_may_not_go() {
    let load = [0, 0, 0, 0, 9, 7, 8, 0];
    let without_seven = machine_of(&[0x7f], &TWO_GROUPS, &load);
    let mut steering = Steering::new(Mode::Follow, 1);
    steering.on_access(Access::Read, cpu(7), 0);
    assert_eq!(steering.place(0, &without_seven), Some(cpu(5)));
    // Its group is closed, and opened again.
    let first_group = machine_of(&[0x0f], &TWO_GROUPS, &[3, 1, 2, 3]);
    assert_eq!(steering.place(0, &first_group), Some(cpu(1)));
    assert_eq!(steering.place(0, &eight(&load)), Some(cpu(7)));
    assert_eq!(steering.moves(), 2);
}

#[test]
fn pin_keeps_its_choice_while_it_is_allowed() {
    let mut steering = Steering::new(Mode::Pin, 1);
    let machine = eight(&[3, 3, 2, 3, 3, 3, 3, 3]);
    assert_eq!(steering.place(0, &machine), Some(cpu(2)));
    assert!(!steering.on_access(Access::Read, cpu(0), 0));
    let changed = eight(&[0, 0, 9, 0, 0, 0, 0, 0]);
    assert_eq!(steering.place(9, &changed), Some(cpu(2)));
    let without_two = machine_of(&[0xfb], &TWO_GROUPS, &[1, 1, 0, 1, 0, 1, 1, 1]);
    assert_eq!(steering.place(0, &without_two), Some(cpu(4)));
    assert_eq!(steering.moves(), 1);
    assert_eq!(steering.place(0, &machine_of(&[0], &[], &[])), None);
}

#[test]
fn the_same_mode_again_changes_nothing() {
    let mut steering = Steering::new(Mode::Pin, 1);
    assert_eq!(
        steering.place(0, &eight(&[9, 9, 0, 9, 9, 9, 9, 9])),
        Some(cpu(2))
    );
    let otherwise = [0, 9, 9, 9, 9, 9, 9, 9];
    steering.set_mode(Mode::Pin);
    assert_eq!(steering.place(0, &eight(&otherwise)), Some(cpu(2)));
    steering.set_mode(Mode::Off);
    steering.set_mode(Mode::Pin);
    assert_eq!(steering.place(0, &eight(&otherwise)), Some(cpu(0)));
}

#[test]
fn spread_begins_elsewhere_for_each_connection() {
    let machine = machine_of(&[0xf], &[], &[]);
    let first = |token| Steering::new(Mode::Spread, token).place(0, &machine);
    let firsts: BTreeSet<_> = (0..40).filter_map(first).collect();
    assert_eq!(firsts.len(), 4);
}

#[test]
fn spread_gives_each_subflow_a_processor_of_one_group() {
    let machine = eight(&[4, 4, 4, 4, 9, 0, 0, 0]);
    let mut steering = Steering::new(Mode::Spread, 1);
    let cpus: BTreeSet<_> = (0..4).filter_map(|n| steering.place(n, &machine)).collect();
    assert_eq!(cpus, [4, 5, 6, 7].map(cpu).into());
    assert_eq!(steering.place(4, &machine), steering.place(0, &machine));
    // One of the four goes away: the others suffice.
    let without_six = machine_of(&[0xbf], &TWO_GROUPS, &[]);
    let cpus: BTreeSet<_> = (0..4)
        .filter_map(|n| steering.place(n, &without_six))
        .collect();
    assert_eq!(cpus, [4, 5, 7].map(cpu).into());
    // All go.
    let first_group = machine_of(&[0x0f], &TWO_GROUPS, &[]);
    assert!(steering.place(0, &first_group) < Some(cpu(4)));
}

/// How many of `connections` each processor of four gets, by a function from token to choice.
fn census(connections: u32, mut choose: impl FnMut(u32, &[u32]) -> Cpu) -> Vec<u32> {
    let mut load = vec![0; 4];
    for connection in 0..connections {
        let chosen = choose(connection.wrapping_mul(0x9e37_79b9), &load);
        load[usize::from(chosen.number())] += 1;
    }
    load
}

#[test]
fn pinned_connections_are_shared_out_evenly() {
    let by_load = census(1000, |token, load| {
        let machine = machine_of(&[0xf], &[], load);
        Steering::new(Mode::Pin, token).place(0, &machine).unwrap()
    });
    assert_eq!(by_load, [250; 4]);

    // The token alone, when nothing is known of the load.
    let machine = machine_of(&[0xf], &[], &[]);
    let by_token = census(4000, |token, _| {
        Steering::new(Mode::Pin, token).place(0, &machine).unwrap()
    });
    assert!(
        by_token.iter().all(|count| (850..1150).contains(count)),
        "{by_token:?}"
    );
}

#[test]
fn pinned_connections_stay_when_another_processor_goes() {
    let all = machine_of(&[0xff], &[], &[]);
    let fewer = machine_of(&[0xef], &[], &[]);
    for token in 0..1000 {
        let before = Steering::new(Mode::Pin, token).place(0, &all).unwrap();
        let after = Steering::new(Mode::Pin, token).place(0, &fewer).unwrap();
        assert!(before == after || before == cpu(4));
    }
}

fn machines() -> impl Strategy<Value = (Vec<u64>, Vec<u16>, Vec<u32>)> {
    (
        prop::collection::vec(any::<u64>(), 0..4),
        prop::collection::vec(0u16..4, 0..200),
        prop::collection::vec(0u32..9, 0..200),
    )
}

proptest! {
    #[test]
    fn a_list_says_which_processors_are_in_a_set(words: [u64; 16]) {
        let set = CpuSet::from_words(words);
        prop_assert_eq!(CpuSet::parse(set.to_string().as_bytes()), (!set.is_empty()).then_some(set));
        let numbers: Vec<_> = machine_of(&words, &[], &[]).cpus().collect();
        prop_assert!((0..1024).all(|number| set.contains(cpu(number)) == numbers.contains(&cpu(number))));
    }

    #[test]
    fn no_text_does_harm(text in "[0-9,-]{0,12}") {
        if let Some(set) = CpuSet::parse(text.as_bytes()) {
            prop_assert!(!set.is_empty());
        }
    }

    #[test]
    fn only_allowed_processors_are_chosen(
        (allowed, groups, load) in machines(),
        token: u32,
        mode in prop::sample::select(&Mode::ALL[..]),
        seen in prop::collection::vec((0u16..256, 0u64..5_000), 0..40),
    ) {
        let machine = machine_of(&allowed, &groups, &load);
        let mut steering = Steering::new(mode, token);
        let mut now = 0;
        for (at, later) in seen {
            now += later;
            steering.on_access(Access::Read, cpu(at), now);
            for subflow in 0..8 {
                let placed = steering.place(subflow, &machine);
                let possible = mode != Mode::Off && machine.cpus().next().is_some();
                prop_assert_eq!(placed.is_some(), possible);
                prop_assert!(placed.is_none_or(|cpu| machine.allows(cpu)));
            }
        }
    }

    #[test]
    fn moves_are_bounded_by_time(
        seen in prop::collection::vec((0u16..3, 0u64..8_000), 1..300),
    ) {
        let machine = eight(&[]);
        let mut steering = Steering::new(Mode::Follow, 1);
        let mut now = 0;
        for (at, later) in seen {
            now += later;
            if steering.on_access(Access::Read, cpu(at), now) {
                prop_assert_eq!(steering.place(0, &machine), Some(cpu(at)));
            }
        }
        prop_assert!(u64::from(steering.moves()) <= now / STEADY_US);
    }

    #[test]
    fn spread_stays_in_one_group_and_fills_it_evenly(
        (allowed, groups, load) in machines(),
        token: u32,
        subflows in 1u8..32,
    ) {
        let machine = machine_of(&allowed, &groups, &load);
        let mut steering = Steering::new(Mode::Spread, token);
        let mut used = BTreeMap::<Cpu, u32>::new();
        for cpu in (0..subflows).filter_map(|n| steering.place(n, &machine)) {
            *used.entry(cpu).or_default() += 1;
        }
        let in_groups: BTreeSet<u16> = used.keys().map(|cpu| machine.group(*cpu)).collect();
        prop_assert!(in_groups.len() <= 1);
        let (least, most) = (used.values().min(), used.values().max());
        prop_assert!(most.unwrap_or(&0) - least.unwrap_or(&0) <= 1);
        if let Some(group) = in_groups.first() {
            let size = machine.cpus_of(*group).count();
            prop_assert_eq!(used.len(), size.min(subflows.into()));
        }
        prop_assert_eq!(steering.moves(), 0);
    }

    #[test]
    fn an_entry_is_its_flows_alone(
        cpus in 1u32..2048,
        hash in 1u32..,
        other: u32,
        chosen: u16,
    ) {
        let table = FlowTable::new(1024, cpus).unwrap();
        let chosen = cpu(chosen % u16::try_from(cpus).unwrap());
        let entry = table.entry(hash, chosen).unwrap();
        prop_assume!(entry != EMPTY_ENTRY);
        prop_assert_eq!(table.cpu(hash, entry), Some(chosen));
        let same = (hash ^ other) & !table.cpu_mask() == 0;
        prop_assert_eq!(table.cpu(other, entry).is_some(), same);
    }
}
