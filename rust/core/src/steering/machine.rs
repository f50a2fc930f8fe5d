// SPDX-License-Identifier: GPL-2.0

//! The processors there are.

use crate::num::low16;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// The most processors that are considered; those with higher numbers are never chosen.
pub const MAX_CPUS: u16 = 1024;

const MAX_WORDS: usize = 1024 / 64;

/// A processor, by the kernel's number of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cpu(u16);

impl Cpu {
    /// The processor of this number.
    #[inline]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// What is known of the processors at the moment of a choice.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    allowed: &'a [u64],
    groups: &'a [AtomicU16],
    load: &'a [AtomicU32],
}

impl<'a> Machine<'a> {
    /// `allowed` has a bit for each processor that may be chosen, 64 to a word, the lowest first:
    /// what the administrator allows and is online. `groups` has by processor the number of the
    /// group that shares its last-level cache, `load` by processor how loaded it is, in any unit
    /// in which less is better. A processor beyond the end of one has group 0 or load 0. Both may
    /// change at any time, because others choose meanwhile.
    #[inline]
    pub fn new(allowed: &'a [u64], groups: &'a [AtomicU16], load: &'a [AtomicU32]) -> Self {
        Self {
            allowed: allowed.get(..MAX_WORDS).unwrap_or(allowed),
            groups,
            load,
        }
    }

    /// Whether `cpu` may be chosen.
    #[inline]
    pub fn allows(&self, cpu: Cpu) -> bool {
        let bit = 1 << (cpu.0 % 64);
        let word = self.allowed.get(usize::from(cpu.0 / 64));
        word.is_some_and(|word| word & bit != 0)
    }

    /// The group of processors that share the last-level cache of `cpu`.
    #[inline]
    pub fn group(&self, cpu: Cpu) -> u16 {
        self.groups
            .get(usize::from(cpu.0))
            .map_or(0, |group| group.load(Ordering::Relaxed))
    }

    /// How loaded `cpu` is.
    #[inline]
    pub fn load(&self, cpu: Cpu) -> u32 {
        self.load
            .get(usize::from(cpu.0))
            .map_or(0, |load| load.load(Ordering::Relaxed))
    }

    /// The processors that may be chosen, in ascending order.
    #[inline]
    pub fn cpus(self) -> impl Iterator<Item = Cpu> + 'a {
        Cpus {
            words: self.allowed.iter(),
            word: 0,
            base: 0,
            next_base: 0,
        }
    }

    /// The processors of `group` that may be chosen, in ascending order.
    #[inline]
    pub fn cpus_of(self, group: u16) -> impl Iterator<Item = Cpu> + 'a {
        self.cpus().filter(move |cpu| self.group(*cpu) == group)
    }
}

/// Walks the bits that are set.
struct Cpus<'a> {
    words: core::slice::Iter<'a, u64>,
    word: u64,
    base: u16,
    next_base: u16,
}

impl Iterator for Cpus<'_> {
    type Item = Cpu;

    #[inline]
    fn next(&mut self) -> Option<Cpu> {
        while self.word == 0 {
            self.word = *self.words.next()?;
            self.base = self.next_base;
            self.next_base = self.base.saturating_add(64);
        }
        let lowest = low16(self.word.trailing_zeros());
        self.word &= self.word.wrapping_sub(1);
        Some(Cpu(self.base.saturating_add(lowest)))
    }
}
