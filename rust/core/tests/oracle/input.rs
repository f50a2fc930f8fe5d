// SPDX-License-Identifier: GPL-2.0

//! Bytes as a source of choices.

/// What is left of the bytes.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte; `None` at the end.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number below `limit`, which is at most 65536; `None` at the end.
    pub(crate) fn below(&mut self, limit: u32) -> Option<u32> {
        let high = match limit > 256 {
            true => self.byte()?,
            false => 0,
        };
        Some(u32::from(u16::from_be_bytes([high, self.byte()?])) % limit)
    }

    /// A number of all 64 bits, likely to wrap soon; `None` at the end.
    pub(crate) fn start(&mut self) -> Option<u64> {
        let near = u64::from(self.below(1 << 16)?);
        Some(match self.byte()? % 4 {
            0 => near,
            1 => 0_u64.wrapping_sub(near),
            2 => (1 << 32) - near,
            _ => (1 << 63) - near,
        })
    }
}
