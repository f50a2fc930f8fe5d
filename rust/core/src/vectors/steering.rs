// SPDX-License-Identifier: GPL-2.0

//! Which processor handles a connection's segments: where the application is, what is chosen, how that is written
//! into the kernel's table.

use super::{expect, Check};
use crate::steering::{
    round_table_size, Access, Cpu, CpuSet, FlowTable, Follow, Machine, Mode, Steering, EMPTY_ENTRY,
    MAX_TABLE_SIZE, READER_RULES_US, STEADY_US,
};
use core::sync::atomic::{AtomicU16, AtomicU32};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_names()?;
    check_lists()?;
    check_tables()?;
    check_entries()?;
    check_applications()?;
    check_choices()?;
    check_lives()
}

fn check_names() -> Check {
    for mode in Mode::ALL {
        let found = Mode::from_name(mode.name().as_bytes());
        expect(found == Some(mode), mode.name())?;
    }
    for name in ["Pin", "", "pi", "pinn"] {
        expect(Mode::from_name(name.as_bytes()).is_none(), name)?;
    }
    expect(Mode::default() == Mode::Follow, "default")
}

/// A list of processors as text; the first words of the set, if it is a list.
type List = (&'static str, Option<[u64; 2]>);

#[rustfmt::skip]
const LISTS: [List; 25] = [
    ("0", Some([1, 0])),
    (" 0-3,6\n", Some([0x4f, 0])),
    ("3,2,1", Some([0xe, 0])),
    ("5-5,7,7", Some([0xa0, 0])),
    ("63-65,1023", Some([1 << 63, 3])),
    ("all", Some([u64::MAX, u64::MAX])),
    ("0001", Some([2, 0])),
    ("", None),
    (" ", None),
    (",", None),
    ("0,", None),
    (",0", None),
    ("-", None),
    ("1-", None),
    ("-1", None),
    ("3-2", None),
    ("1-2-3", None),
    ("0 1", None),
    ("0x1", None),
    ("1024", None),
    ("00001", None),
    ("99999999999", None),
    ("0,b", None),
    ("ALL", None),
    ("all,0", None),
];

fn check_lists() -> Check {
    for (text, words) in LISTS {
        let set = CpuSet::parse(text.as_bytes());
        let found = set.map(|set| {
            let [first, second, ..] = *set.words();
            [first, second]
        });
        expect(found == words, text)?;
    }
    Ok(())
}

fn check_tables() -> Check {
    for (name, wanted, size) in [
        ("no table", 0, None),
        ("one entry", 1, Some(1)),
        ("three entries", 3, Some(4)),
        ("a power of two", 32768, Some(32768)),
        ("one more", 32769, Some(65536)),
        ("the largest table", MAX_TABLE_SIZE, Some(MAX_TABLE_SIZE)),
        ("a larger one", MAX_TABLE_SIZE.saturating_add(1), None),
    ] {
        expect(round_table_size(wanted) == size, name)?;
    }
    for (name, size, cpus, possible) in [
        ("a table", 16, 4, true),
        ("a table without entries", 0, 4, false),
        ("a table of three entries", 3, 4, false),
        (
            "a table that is too large",
            MAX_TABLE_SIZE.saturating_mul(2),
            4,
            false,
        ),
        ("a table for no processor", 16, 0, false),
        (
            "a table for more processors than numbers",
            16,
            u32::MAX,
            false,
        ),
    ] {
        expect(FlowTable::new(size, cpus).is_some() == possible, name)?;
    }
    Ok(())
}

/// A name; processors that the system can have, what masks their numbers, a hash, the processor chosen, the entry. The
/// kernel rounds the number of processors up to a power of two.
pub type Entry = (&'static str, u32, u32, u32, u16, u32);

/// Entries as the kernel reads them.
#[rustfmt::skip]
pub const ENTRIES: [Entry; 11] = [
    ("one processor", 1, 0x0000, 0xdead_beef, 0, 0xdead_beef),
    ("the first of two", 2, 0x0001, 0xdead_beef, 0, 0xdead_beee),
    ("the second of two", 2, 0x0001, 0xdead_beee, 1, 0xdead_beef),
    ("the third of three", 3, 0x0003, 0xdead_beef, 2, 0xdead_beee),
    ("the first of three", 3, 0x0003, 0x0000_0040, 0, 0x0000_0040),
    ("the fourth of eight", 8, 0x0007, 0xdead_beef, 3, 0xdead_beeb),
    ("the last of eight", 8, 0x0007, 0x0000_0001, 7, 0x0000_0007),
    ("the last of 64", 64, 0x003f, 0xdead_beef, 63, 0xdead_beff),
    ("the first of 64", 64, 0x003f, 0x1234_5678, 0, 0x1234_5640),
    ("the last of 65", 65, 0x007f, 0xdead_beef, 64, 0xdead_bec0),
    ("one of 1024", 1024, 0x03ff, 0xffff_ffff, 1, 0xffff_fc01),
];

fn check_entries() -> Check {
    for (name, cpus, mask, hash, chosen, entry) in ENTRIES {
        let table = FlowTable::new(4096, cpus).ok_or(name)?;
        let chosen = Cpu::new(chosen);
        expect(table.cpu_mask() == mask, name)?;
        expect(table.entry(hash, chosen) == Some(entry), name)?;
        expect(table.cpu(hash, entry) == Some(chosen), name)?;
        expect(table.index(hash) == hash & 4095, name)?;
    }
    let table = FlowTable::new(16, 3).ok_or("a table")?;
    for (name, hash, chosen) in [("no hash", 0, 1), ("beyond the mask", 5, 4)] {
        expect(table.entry(hash, Cpu::new(chosen)).is_none(), name)?;
    }
    for (name, hash, entry) in [
        ("an empty entry", 0xfffc, EMPTY_ENTRY),
        ("another flow's", 0x1234_5678, 0x1234_5698),
    ] {
        expect(table.cpu(hash, entry).is_none(), name)?;
    }
    Ok(())
}

/// Calls of the application that are alike.
#[derive(Clone, Copy)]
struct Calls {
    access: Access,
    /// The processors, in turn.
    on: &'static [u16],
    count: u64,
    /// When the first is, and how long it is to the next, in microseconds.
    from: u64,
    gap: u64,
}

const fn reads(on: &'static [u16], count: u64, from: u64, gap: u64) -> Calls {
    Calls {
        access: Access::Read,
        on,
        count,
        from,
        gap,
    }
}

const fn writes(since_read_us: Option<u64>, on: &'static [u16], count: u64, from: u64) -> Calls {
    Calls {
        access: Access::Write { since_read_us },
        on,
        count,
        from,
        gap: STEADY_US,
    }
}

/// A name; calls, and after each run of them how often that moved the application, where it is, and whether it was
/// seen nowhere else.
type Application = (&'static str, &'static [(Calls, u32, u16, bool)]);

const SOON: Option<u64> = Some(READER_RULES_US - 1);
const LATE: Option<u64> = Some(READER_RULES_US);

#[rustfmt::skip]
const APPLICATIONS: [Application; 6] = [
    ("the first sighting counts at once", &[
        (writes(None, &[3], 1, 0), 1, 3, true),
        (reads(&[3], 9, 1, 1), 0, 3, true),
    ]),
    ("often enough, not long enough", &[
        (reads(&[0], 1, 0, 0), 1, 0, true),
        (reads(&[1], 99, 1, 1), 0, 0, false),
        (reads(&[1], 1, STEADY_US, 0), 0, 0, false),
        (reads(&[1], 1, STEADY_US + 1, 0), 1, 1, true),
    ]),
    ("long enough, not often enough", &[
        (reads(&[1], 1, 0, 0), 1, 1, true),
        (reads(&[2], 3, 1_000_000, STEADY_US), 0, 1, false),
        (reads(&[2], 1, 1_000_000 + 3 * STEADY_US, 0), 1, 2, true),
    ]),
    ("one step back forgets the steps away", &[
        (reads(&[0], 1, 0, 0), 1, 0, true),
        (reads(&[1, 1, 1, 0], 1000, STEADY_US, STEADY_US), 0, 0, true),
    ]),
    ("hopping between two others is no stay", &[
        (reads(&[0], 1, 0, 0), 1, 0, true),
        (reads(&[1, 2], 1000, STEADY_US, STEADY_US), 0, 0, false),
    ]),
    ("the reader wins while there is one", &[
        (reads(&[0], 1, 0, 0), 1, 0, true),
        (writes(SOON, &[1], 1000, 1000), 0, 0, true),
        // The reader has gone.
        (writes(LATE, &[1], 3, 100_000_000), 0, 0, false),
        (writes(LATE, &[1], 1, 100_000_000 + 3 * STEADY_US), 1, 1, true),
    ]),
];

fn check_applications() -> Check {
    for (name, runs) in APPLICATIONS {
        let mut follow = Follow::new();
        expect(follow.cpu().is_none(), name)?;
        for (calls, moves, at, steady) in runs {
            let mut moved = 0_u32;
            let on = calls.on.iter().cycle();
            for (call, cpu) in (0..calls.count).zip(on) {
                let now = calls.from.saturating_add(call.saturating_mul(calls.gap));
                let moves = follow.on_access(calls.access, Cpu::new(*cpu), now);
                moved = moved.saturating_add(u32::from(moves));
            }
            expect(moved == *moves, name)?;
            let here = Some(Cpu::new(*at));
            expect(follow.cpu() == here, name)?;
            expect(follow.steady() == here.filter(|_| *steady), name)?;
        }
    }
    Ok(())
}

/// A name; mode, processors that may be chosen, load of each, where the application reads, the choice. The first two
/// share a last-level cache, and the other two do.
type Choice = (&'static str, Mode, u64, [u32; 4], Option<u16>, Option<u16>);

#[rustfmt::skip]
const CHOICES: [Choice; 11] = [
    ("off", Mode::Off, 0b1111, [0, 0, 0, 0], Some(1), None),
    ("follow nobody", Mode::Follow, 0b1111, [3, 0, 1, 1], None, Some(1)),
    ("follow", Mode::Follow, 0b1111, [3, 0, 9, 1], Some(2), Some(2)),
    ("follow into the group", Mode::Follow, 0b1011, [0, 0, 0, 5], Some(2), Some(3)),
    ("follow where the group is closed", Mode::Follow, 0b0011, [4, 1, 0, 0], Some(2), Some(1)),
    ("follow to nowhere", Mode::Follow, 0b0000, [0, 0, 0, 0], Some(2), None),
    ("pin to the least busy", Mode::Pin, 0b1111, [1, 1, 0, 1], Some(0), Some(2)),
    ("pin to the least busy that may be", Mode::Pin, 0b1011, [1, 2, 0, 3], Some(2), Some(0)),
    ("pin to nowhere", Mode::Pin, 0b0000, [0, 0, 0, 0], None, None),
    ("spread", Mode::Spread, 0b1001, [9, 0, 0, 1], Some(0), Some(3)),
    ("spread to nowhere", Mode::Spread, 0b0000, [0, 0, 0, 0], None, None),
];

fn check_choices() -> Check {
    for (name, mode, allowed, load, reader, chosen) in CHOICES {
        let groups = [0, 0, 2, 2].map(AtomicU16::new);
        let load = load.map(AtomicU32::new);
        let allowed = [allowed];
        let machine = Machine::new(&allowed, &groups, &load);
        let mut steering = Steering::new(mode, 0x1234_5678);
        if let Some(reader) = reader {
            steering.on_access(Access::Read, Cpu::new(reader), 0);
        }
        let placed = steering.place(0, &machine);
        expect(placed == chosen.map(Cpu::new), name)?;
        // A choice stands, whoever is busy later.
        let busy = [7, 7, 7, 7].map(AtomicU32::new);
        let later = Machine::new(&allowed, &groups, &busy);
        expect(steering.place(0, &later) == placed, name)?;
    }
    Ok(())
}

/// A step of a connection on eight processors, of which every four share a cache.
#[derive(Clone, Copy)]
enum Step {
    /// The application reads there.
    Reads(u16),
    Mode(Mode),
    /// A subflow is placed among these processors with this load: where, and how often that was changed.
    Place(u8, u64, [u32; 8], u16, u32),
}

/// A name, the mode at first, and what happens.
type Life = (&'static str, Mode, &'static [Step]);

#[rustfmt::skip]
const LIVES: [Life; 5] = {
    use Step::{Place, Reads};
    [
        ("switched on, it knows where the application is", Mode::Off, &[
            Reads(2),
            Step::Mode(Mode::Follow),
            Place(0, 0xff, [0, 0, 0, 0, 0, 0, 0, 0], 2, 0),
        ]),
        ("all subflows go to the application", Mode::Follow, &[
            Place(0, 0xff, [5, 4, 9, 9, 9, 9, 9, 9], 1, 0),
            Reads(6),
            Place(0, 0xff, [5, 4, 9, 9, 9, 9, 9, 9], 6, 1),
            Place(31, 0xff, [5, 4, 9, 9, 9, 9, 9, 9], 6, 1),
        ]),
        ("near an application where they may not go", Mode::Follow, &[
            Reads(7),
            Place(0, 0x7f, [0, 0, 0, 0, 9, 7, 8, 0], 5, 0),
            // Its group is closed, and opened again.
            Place(0, 0x0f, [3, 1, 2, 3, 0, 0, 0, 0], 1, 1),
            Place(0, 0xff, [0, 0, 0, 0, 9, 7, 8, 0], 7, 2),
        ]),
        ("a choice stands while it is allowed", Mode::Pin, &[
            Place(0, 0xff, [3, 3, 2, 3, 3, 3, 3, 3], 2, 0),
            Reads(0),
            Place(9, 0xff, [0, 0, 9, 0, 0, 0, 0, 0], 2, 0),
            Place(0, 0xfb, [1, 1, 0, 1, 0, 1, 1, 1], 4, 1),
        ]),
        ("the same mode again changes nothing", Mode::Pin, &[
            Place(0, 0xff, [9, 9, 0, 9, 9, 9, 9, 9], 2, 0),
            Step::Mode(Mode::Pin),
            Place(0, 0xff, [0, 9, 9, 9, 9, 9, 9, 9], 2, 0),
            Step::Mode(Mode::Off),
            Step::Mode(Mode::Pin),
            Place(0, 0xff, [0, 9, 9, 9, 9, 9, 9, 9], 0, 0),
        ]),
    ]
};

fn check_lives() -> Check {
    for (name, mode, steps) in LIVES {
        let mut steering = Steering::new(mode, 1);
        for step in steps {
            match *step {
                Step::Reads(cpu) => {
                    let due = steering.on_access(Access::Read, Cpu::new(cpu), 0);
                    expect(due == (mode == Mode::Follow), name)?;
                }
                Step::Mode(mode) => steering.set_mode(mode),
                Step::Place(subflow, allowed, load, chosen, moves) => {
                    let groups = [0, 0, 0, 0, 1, 1, 1, 1].map(AtomicU16::new);
                    let (allowed, load) = ([allowed], load.map(AtomicU32::new));
                    let machine = Machine::new(&allowed, &groups, &load);
                    let placed = steering.place(subflow, &machine);
                    expect(placed == Some(Cpu::new(chosen)), name)?;
                    expect(steering.moves() == moves, name)?;
                }
            }
        }
    }
    Ok(())
}
