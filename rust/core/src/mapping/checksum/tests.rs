// SPDX-License-Identifier: GPL-2.0

use super::DssChecksum;
use crate::seq::{Dsn, Ssn};
use proptest::prelude::*;
use std::vec::Vec;

/// RFC 1071 section 4.1 to the letter, over the pseudo-header and the data in one piece.
fn straightforward(dsn: Dsn, ssn: Ssn, len: u16, data: &[u8]) -> u16 {
    let mut bytes: Vec<u8> = Vec::new();
    bytes.extend(dsn.raw().to_be_bytes());
    bytes.extend(ssn.raw().to_be_bytes());
    bytes.extend(len.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(data);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What the kernel's `csum_partial` returns: a 32-bit sum of 16-bit words in host order.
fn partial(data: &[u8]) -> u32 {
    let mut sum: u64 = 0;
    for pair in data.chunks(2) {
        sum += u64::from(u16::from_ne_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    }
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum as u32
}

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::mapping::check_checksums(), Ok(()));
}

proptest! {
    #[test]
    fn pieces_sum_up_to_the_whole(data in proptest::collection::vec(any::<u8>(), 0..200),
                                  cuts in proptest::collection::vec((0..200_usize, any::<bool>()), 0..6),
                                  dsn: u64, ssn: u32, len: u16) {
        let (dsn, ssn) = (Dsn::new(dsn), Ssn::new(ssn));
        let mut cuts: Vec<_> = cuts.into_iter().map(|(at, by)| (at.min(data.len()), by)).collect();
        cuts.sort_unstable();
        cuts.push((data.len(), false));

        let mut sum = DssChecksum::new();
        let mut from = 0;
        for (to, by_kernel) in cuts {
            let piece = &data[from..to];
            match by_kernel {
                true => sum.add_partial(partial(piece), piece.len() as u32),
                false => sum.add(piece),
            }
            from = to;
        }
        let expected = straightforward(dsn, ssn, len, &data);
        prop_assert_eq!(sum.finish(dsn, ssn, len), expected);
        prop_assert!(sum.verify(dsn, ssn, len, expected));
        prop_assert!(!sum.verify(dsn, ssn, len, expected ^ 0x0100));
    }
}
