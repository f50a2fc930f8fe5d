// SPDX-License-Identifier: GPL-2.0

//! Sets of processors, and the lists of them that people write.

use super::{Cpu, MAX_CPUS};
use crate::num::low16;
use core::fmt;

const WORDS: usize = 1024 / 64;

/// A set of processors with numbers below [`MAX_CPUS`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CpuSet([u64; WORDS]);

impl CpuSet {
    /// No processors.
    pub const EMPTY: Self = Self([0; WORDS]);
    /// All of them.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    /// The set with a bit for each processor, 64 to a word, the lowest first.
    #[inline]
    pub const fn from_words(words: [u64; WORDS]) -> Self {
        Self(words)
    }

    /// A bit for each processor, 64 to a word, the lowest first.
    #[inline]
    pub const fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// Reads a list as the kernel writes those of processors: numbers and ranges between commas,
    /// such as `0-3,6`, or `all`. Spaces around it count for nothing. `None` for anything else, for an
    /// empty list and for numbers that are too large.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        if text == b"all" {
            return Some(Self::ALL);
        }
        let mut set = Self::EMPTY;
        for part in text.split(|byte| *byte == b',') {
            let mut ends = part.splitn(2, |byte| *byte == b'-').map(number);
            let first = ends.next()??;
            let last = match ends.next() {
                Some(last) => last?,
                None => first,
            };
            if first > last {
                return None;
            }
            (first..=last).for_each(|cpu| set.insert(Cpu::new(cpu)));
        }
        Some(set)
    }

    /// Adds a processor; nothing happens if its number is too large.
    #[inline]
    pub fn insert(&mut self, cpu: Cpu) {
        if let Some(word) = self.0.get_mut(usize::from(cpu.number() / 64)) {
            *word |= 1 << (cpu.number() % 64);
        }
    }

    /// Whether the processor is in the set.
    #[inline]
    pub fn contains(&self, cpu: Cpu) -> bool {
        let word = self.0.get(usize::from(cpu.number() / 64));
        word.is_some_and(|word| word & (1 << (cpu.number() % 64)) != 0)
    }

    /// The processors that are in both sets.
    #[inline]
    pub fn and(mut self, other: &Self) -> Self {
        for (word, others) in self.0.iter_mut().zip(&other.0) {
            *word &= others;
        }
        self
    }

    /// Whether no processor is in the set.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// A decimal number below [`MAX_CPUS`].
fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0u32, |value, digit| {
        value
            .wrapping_mul(10)
            .wrapping_add(u32::from(digit.wrapping_sub(b'0')))
    });
    (value < u32::from(MAX_CPUS)).then_some(low16(value))
}

/// The list that [`CpuSet::parse`] reads.
impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut first = None;
        for number in 0..=MAX_CPUS {
            match (first, self.contains(Cpu::new(number))) {
                (None, true) => first = Some(number),
                (Some(start), false) => {
                    let last = number.wrapping_sub(1);
                    match start == last {
                        true => write!(f, "{comma}{start}")?,
                        false => write!(f, "{comma}{start}-{last}")?,
                    }
                    comma = ",";
                    first = None;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
