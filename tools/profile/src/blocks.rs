// SPDX-License-Identifier: GPL-2.0

//! Blocks of code and how often each was executed.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// A block of code, counted without lock: it lives as long as the program.
#[derive(Debug, Default)]
pub struct Block {
    executed: AtomicU64,
}

impl Block {
    /// It was executed once more.
    pub fn count(&self) {
        self.executed.fetch_add(1, Ordering::Relaxed);
    }
}

/// All blocks that were ever translated, by address and number of instructions.
#[derive(Debug, Default)]
pub struct Profile {
    blocks: HashMap<(u64, usize), &'static Block>,
}

impl Profile {
    /// The block at `address` with so many instructions; the same one whenever it is asked for.
    pub fn block(&mut self, address: u64, instructions: usize) -> &'static Block {
        self.blocks
            .entry((address, instructions))
            .or_insert_with(|| Box::leak(Box::default()))
    }

    /// Forgets all counts.
    pub fn clear(&self) {
        for block in self.blocks.values() {
            block.executed.store(0, Ordering::Relaxed);
        }
    }

    /// Writes a line for each block that was executed: address in hexadecimal digits, instructions,
    /// executions.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        for ((address, instructions), block) in &self.blocks {
            let executed = block.executed.load(Ordering::Relaxed);
            if executed > 0 {
                writeln!(to, "{address:x} {instructions} {executed}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(profile: &Profile) -> String {
        let mut text = Vec::new();
        profile.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_block_that_is_translated_again_goes_on_counting() {
        let mut profile = Profile::default();
        profile.block(0x1000, 3).count();
        profile.block(0x1000, 3).count();
        profile.block(0x2000, 5);
        assert_eq!(written(&profile), "1000 3 2\n");
    }

    #[test]
    fn what_is_cleared_counts_from_nothing() {
        let mut profile = Profile::default();
        let block = profile.block(0x1000, 3);
        block.count();
        profile.clear();
        assert_eq!(written(&profile), "");
        block.count();
        assert_eq!(written(&profile), "1000 3 1\n");
    }
}
