// SPDX-License-Identifier: GPL-2.0

//! The caches of all processors together.

use crate::cache::{Cache, Found, Shape};

/// Bytes of a cache line.
pub const LINE: u64 = 64;

/// What one processor did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Lines read or written, one for each that an access touches.
    pub accesses: u64,
    /// Lines that its first level did not have.
    pub l1_misses: u64,
    /// Those of them that it had until another processor wrote to them.
    pub coherence_misses: u64,
    /// Lines that the second level did not have either.
    pub l2_misses: u64,
    /// Copies that its writes took away from other processors.
    pub invalidations: u64,
}

/// Processors with a first level each over one second level.
#[derive(Debug)]
pub struct System {
    first: Vec<Cache>,
    second: Cache,
    counts: Vec<Counts>,
}

impl System {
    /// Empty caches.
    pub fn new(processors: usize, first: Shape, second: Shape) -> Self {
        Self {
            first: (0..processors).map(|_| Cache::new(first)).collect(),
            second: Cache::new(second),
            counts: vec![Counts::default(); processors],
        }
    }

    /// 32 KiB for each processor, 8 lines a set, over 2 MiB for all, 16 lines a set.
    pub fn usual(processors: usize) -> Self {
        let shape = |kib: usize, ways: usize| Shape {
            sets: kib * 1024 / LINE as usize / ways,
            ways,
        };
        Self::new(processors, shape(32, 8), shape(2048, 16))
    }

    /// What every processor did since the counts were last taken.
    pub fn take_counts(&mut self) -> Vec<Counts> {
        let none = vec![Counts::default(); self.counts.len()];
        std::mem::replace(&mut self.counts, none)
    }

    /// A processor reads or writes `size` bytes at a physical address. Processors that there are not do
    /// nothing.
    pub fn access(&mut self, processor: usize, address: u64, size: u64, write: bool) {
        if processor < self.first.len() {
            let last = address.saturating_add(size.max(1) - 1) / LINE;
            for line in address / LINE..=last {
                self.touch(processor, line, write);
            }
        }
    }

    fn touch(&mut self, processor: usize, line: u64, write: bool) {
        let found = self.first[processor].use_line(line);
        self.counts[processor].accesses += 1;
        match found {
            Found::Own => return,
            Found::Shared if !write => return,
            Found::Shared => self.first[processor].own(line),
            Found::Lost | Found::Nothing => self.fetch(processor, line, write, found),
        }
        if write {
            self.take_from_others(processor, line);
        }
    }

    /// Brings a line into the first level.
    fn fetch(&mut self, processor: usize, line: u64, write: bool, found: Found) {
        let counts = &mut self.counts[processor];
        counts.l1_misses += 1;
        counts.coherence_misses += u64::from(found == Found::Lost);
        if matches!(self.second.use_line(line), Found::Nothing) {
            counts.l2_misses += 1;
            if let Some(gone) = self.second.put(line, false) {
                self.first
                    .iter_mut()
                    .for_each(|cache| cache.drop_line(gone));
            }
        }
        let mut alone = true;
        for (other, cache) in self.first.iter_mut().enumerate() {
            if other != processor && cache.has(line) {
                alone = false;
                cache.share(line);
            }
        }
        self.first[processor].put(line, write || alone);
    }

    fn take_from_others(&mut self, processor: usize, line: u64) {
        for (other, cache) in self.first.iter_mut().enumerate() {
            if other != processor && cache.lose(line) {
                self.counts[processor].invalidations += 1;
            }
        }
    }
}
