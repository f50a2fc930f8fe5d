// SPDX-License-Identifier: GPL-2.0

//! The DSS checksum (RFC 8684 section 3.3.1): TCP's ones' complement sum over a pseudo-header and
//! the data of one mapping.

use super::RxRecord;
use crate::num::{low16, low32};
use crate::seq::{Dsn, Ssn};

/// Accumulates the checksum of one mapping, piece by piece.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DssChecksum {
    /// The sum of big-endian 16-bit words, folded to 16 bits.
    sum: u16,
    /// Whether an odd number of bytes was added so far.
    odd: bool,
}

impl DssChecksum {
    /// The sum of nothing.
    #[inline]
    pub const fn new() -> Self {
        Self { sum: 0, odd: false }
    }

    /// Adds the next bytes of data.
    pub fn add(&mut self, data: &[u8]) {
        let mut chunks = data.chunks_exact(2);
        let mut sum: u64 = 0;
        for pair in chunks.by_ref() {
            if let Some(pair) = pair.first_chunk::<2>() {
                sum = sum.wrapping_add(u64::from(u16::from_be_bytes(*pair)));
            }
        }
        if let Some(last) = chunks.remainder().first() {
            sum = sum.wrapping_add(u64::from(u16::from_be_bytes([*last, 0])));
        }
        self.add_word_sum(fold(sum), data.len() & 1 != 0);
    }

    /// Adds the next `len` bytes of data, of which the kernel's `csum_partial` family already
    /// computed `partial` (a sum of 16-bit words in host order, unfolded).
    #[inline]
    pub fn add_partial(&mut self, partial: u32, len: u32) {
        let folded = fold(u64::from(partial));
        self.add_word_sum(u16::from_be(folded), len & 1 != 0);
    }

    /// The checksum to put into a DSS option: of the data added so far and the pseudo-header of
    /// data sequence number, relative subflow sequence number and length as the option states
    /// them, a DATA_FIN counted.
    #[inline]
    pub const fn finish(&self, dsn: Dsn, ssn: Ssn, len: u16) -> u16 {
        !self.total(dsn, ssn, len, 0)
    }

    /// Whether `received` is the right checksum; the arguments are those of [`Self::finish`].
    #[inline]
    pub const fn verify(&self, dsn: Dsn, ssn: Ssn, len: u16, received: u16) -> bool {
        self.total(dsn, ssn, len, received) == 0xffff
    }

    /// Whether a received mapping, of all of whose data this is the sum, has the right checksum. One
    /// without checksum is always right.
    #[inline]
    pub fn is_right(&self, record: &RxRecord) -> bool {
        let Some(checksum) = record.checksum else {
            return true;
        };
        // A mapping with a checksum is one that an option stated, so its length fits.
        let counted = record.len.wrapping_add(u32::from(record.data_fin));
        let len = low16(counted);
        self.verify(record.dsn, record.ssn, len, checksum)
    }

    // rfc8684:3.3.1-12
    #[inline]
    const fn total(&self, dsn: Dsn, ssn: Ssn, len: u16, extra: u16) -> u16 {
        let mut sum = self.sum as u64;
        sum = sum.wrapping_add(low32(dsn.raw() >> 32) as u64);
        sum = sum.wrapping_add(dsn.low32() as u64);
        sum = sum.wrapping_add(ssn.raw() as u64);
        sum = sum.wrapping_add(len as u64);
        fold(sum.wrapping_add(extra as u64))
    }

    /// Adds a folded sum. RFC 1071 section 2(B): at an odd offset its bytes change places.
    #[inline]
    fn add_word_sum(&mut self, sum: u16, odd: bool) {
        let sum = match self.odd {
            true => sum.swap_bytes(),
            false => sum,
        };
        self.sum = fold(u64::from(self.sum).wrapping_add(u64::from(sum)));
        self.odd ^= odd;
    }
}

/// Adds the carries back in until 16 bits are left.
#[inline]
const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff).wrapping_add(sum >> 32);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    low16(low32(sum))
}

#[cfg(test)]
mod tests;
