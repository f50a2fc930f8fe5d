// SPDX-License-Identifier: GPL-2.0

//! Numbers that look random and repeat with the seed, on every machine and for ever: a run is named
//! by its seed, so the generator must never change (SplitMix64).

/// A generator.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The generator of `seed` for one purpose. Different purposes have independent generators, so
    /// that what one part of a run draws does not change what another part sees.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        chance.number();
        chance
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low + 1)
    }

    /// A number in `low..=high`, each order of magnitude as likely as the next.
    pub fn spread(&mut self, low: u64, high: u64) -> u64 {
        let low_bits = 64 - low.max(1).leading_zeros();
        let high_bits = 64 - high.max(1).leading_zeros();
        let bits = self.between(low_bits.into(), high_bits.into());
        let top = 1u64 << (bits - 1);
        (top + self.number() % top).clamp(low, high)
    }

    /// True `chance` times in a thousand.
    pub fn per_mille(&mut self, chance: u16) -> bool {
        self.number() % 1000 < u64::from(chance)
    }

    /// True `chance` times in a hundred.
    pub fn percent(&mut self, chance: u16) -> bool {
        self.per_mille(chance * 10)
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.number() % choices.len() as u64) as usize]
    }
}
