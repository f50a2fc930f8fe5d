// SPDX-License-Identifier: GPL-2.0

//! Bounds-checked reading and writing of big-endian fields.

use super::{kind, Malformed};

/// Reads fields from the front of a slice.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*field)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// How many bytes are left.
    #[inline]
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Everything that is left.
    #[inline]
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Refuses bytes that no field claimed.
    #[inline]
    pub(super) const fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Writes fields to the front of a slice.
pub(super) struct Writer<'a> {
    rest: &'a mut [u8],
    written: usize,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut [u8]) -> Self {
        Self {
            rest: out,
            written: 0,
        }
    }

    /// Starts an MPTCP option of `length` bytes in all; `low` is the lower half of the third byte.
    #[inline]
    pub(super) fn option(&mut self, length: u8, subtype: u8, low: u8) -> Option<()> {
        self.array([kind::MPTCP, length, subtype << 4 | low & 0xf])
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self, field: [u8; N]) -> Option<()> {
        let (place, rest) = core::mem::take(&mut self.rest).split_first_chunk_mut::<N>()?;
        *place = field;
        self.rest = rest;
        self.written = self.written.wrapping_add(N);
        Some(())
    }

    #[inline]
    pub(super) fn u8(&mut self, field: u8) -> Option<()> {
        self.array([field])
    }

    #[inline]
    pub(super) fn u16(&mut self, field: u16) -> Option<()> {
        self.array(field.to_be_bytes())
    }

    #[inline]
    pub(super) fn u32(&mut self, field: u32) -> Option<()> {
        self.array(field.to_be_bytes())
    }

    #[inline]
    pub(super) fn u64(&mut self, field: u64) -> Option<()> {
        self.array(field.to_be_bytes())
    }

    /// How many bytes were written.
    #[inline]
    pub(super) const fn written(&self) -> usize {
        self.written
    }
}
