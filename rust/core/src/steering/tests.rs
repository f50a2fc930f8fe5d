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
fn vectors_hold() {
    assert_eq!(crate::vectors::steering::check(), Ok(()));
}

#[test]
fn lists_of_processors_are_written_as_they_are_read() {
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
    assert_eq!(CpuSet::EMPTY.to_string(), "");
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
