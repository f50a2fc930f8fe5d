// SPDX-License-Identifier: GPL-2.0

//! What is known of the processors of this system.

use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use kernel::prelude::*;
use knet::{cpu, time};
use mptcp_core::steering::{Cpu, CpuSet, Machine, MAX_CPUS};

const WORDS: usize = MAX_CPUS as usize / 64;

/// A bit for each processor, 64 to a word, the lowest first.
type Bits = [AtomicU64; WORDS];

/// How many ticks lie at least between two looks at which processors are isolated: about a second.
const ISOLATION_TICKS: u32 = 256;

/// By processor: whether it is online.
static ONLINE: Bits = [const { AtomicU64::new(0) }; WORDS];
/// By processor: whether the administrator keeps it free.
static ISOLATED: Bits = [const { AtomicU64::new(0) }; WORDS];
/// By processor: the group that shares its last-level cache, named after one of its processors.
static GROUPS: [AtomicU16; MAX_CPUS as usize] = [const { AtomicU16::new(0) }; MAX_CPUS as usize];
/// By processor: how many subflows are sent there.
static LOAD: [AtomicU32; MAX_CPUS as usize] = [const { AtomicU32::new(0) }; MAX_CPUS as usize];
/// Changes when choices that were made may not stand any more.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The generation of choices. One that was made in another generation is to be looked at again.
#[inline]
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Begins another generation.
pub(super) fn reconsider() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Those of `set` that packets may be sent to now.
pub(super) fn usable(set: &CpuSet) -> CpuSet {
    let mut words = [0; WORDS];
    for (word, (online, isolated)) in words.iter_mut().zip(ONLINE.iter().zip(&ISOLATED)) {
        *word = online.load(Ordering::Relaxed) & !isolated.load(Ordering::Relaxed);
    }
    CpuSet::from_words(words).and(set)
}

/// Looks which processors are isolated, if nobody did just now: the kernel does not tell when that changes.
/// Any context.
pub(super) fn look_at_isolation() {
    static LOOKED: AtomicU32 = AtomicU32::new(0);
    let now = time::ticks() / ISOLATION_TICKS;
    if LOOKED.load(Ordering::Relaxed) != now && LOOKED.swap(now, Ordering::Relaxed) != now {
        let changed = numbers().fold(false, |changed, cpu| {
            note(&ISOLATED, cpu, cpu::is_isolated(u32::from(cpu))) || changed
        });
        if changed {
            reconsider();
        }
    }
}

/// The system, of which the processors in `allowed` may be chosen.
pub(super) fn machine(allowed: &CpuSet) -> Machine<'_> {
    Machine::new(allowed.words(), &GROUPS, &LOAD)
}

/// How many subflows are sent to a processor.
pub(super) fn load(cpu: Cpu) -> u32 {
    machine(&CpuSet::EMPTY).load(cpu)
}

/// The processors that this system can have and that are not kept free.
pub(super) fn possible() -> CpuSet {
    let mut set = CpuSet::EMPTY;
    for cpu in numbers().filter(|cpu| cpu::is_possible(u32::from(*cpu))) {
        set.insert(Cpu::new(cpu));
    }
    set
}

/// Those of `set` that the administrator does not keep free.
pub(super) fn not_isolated(set: &CpuSet) -> CpuSet {
    let mut free = CpuSet::EMPTY;
    for cpu in numbers().filter(|cpu| !cpu::is_isolated(u32::from(*cpu))) {
        free.insert(Cpu::new(cpu));
    }
    free.and(set)
}

fn numbers() -> impl Iterator<Item = u16> {
    0..u16::try_from(cpu::limit()).map_or(MAX_CPUS, |limit| limit.min(MAX_CPUS))
}

/// A subflow's place on a processor, which counts there as load.
pub(crate) struct Seat(Cpu);

impl Seat {
    pub(super) fn take(cpu: Cpu) -> Self {
        if let Some(load) = LOAD.get(usize::from(cpu.number())) {
            load.fetch_add(1, Ordering::Relaxed);
        }
        Self(cpu)
    }

    #[inline]
    pub(super) fn cpu(&self) -> Cpu {
        self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(load) = LOAD.get(usize::from(self.0.number())) {
            load.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Is told of processors that come and go.
pub(crate) struct Processors;

impl cpu::Watcher for Processors {
    const NAME: &'static CStr = c"net/mptcp_rs:online";

    fn came(cpu: u32) {
        if let Some(number) = low_number(cpu) {
            if let Some(group) = GROUPS.get(usize::from(number)) {
                group.store(group_of(number), Ordering::Relaxed);
            }
            note(&ISOLATED, number, cpu::is_isolated(cpu));
            note(&ONLINE, number, true);
            reconsider();
        }
    }

    fn goes(cpu: u32) {
        if let Some(number) = low_number(cpu) {
            note(&ONLINE, number, false);
            reconsider();
        }
    }
}

/// The number of a processor that can be chosen.
pub(super) fn low_number(cpu: u32) -> Option<u16> {
    u16::try_from(cpu).ok().filter(|number| *number < MAX_CPUS)
}

/// Sets or clears the bit of a processor; returns whether it was otherwise before.
fn note(bits: &Bits, cpu: u16, value: bool) -> bool {
    let Some(word) = bits.get(usize::from(cpu / 64)) else {
        return false;
    };
    let bit = 1 << (cpu % 64);
    let before = match value {
        true => word.fetch_or(bit, Ordering::Relaxed),
        false => word.fetch_and(!bit, Ordering::Relaxed),
    };
    (before & bit != 0) != value
}

/// The group of a processor that shares its cache, or else its own.
fn group_of(cpu: u16) -> u16 {
    let cache = cpu::cache(u32::from(cpu));
    let online = usable(&CpuSet::ALL);
    let all = machine(&online);
    let neighbour = all
        .cpus()
        .find(|other| other.number() != cpu && cpu::cache(u32::from(other.number())) == cache);
    neighbour.map_or(cpu, |other| all.group(other))
}
