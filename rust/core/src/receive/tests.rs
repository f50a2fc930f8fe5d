// SPDX-License-Identifier: GPL-2.0

use super::{Placement, ReceiveState, ReceiveWindow};
use crate::seq::Dsn;
use proptest::prelude::*;
use std::vec::Vec;

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::receive::check(), Ok(()));
}

proptest! {
    // rfc8684:3.3.2-2
    #[test]
    fn every_byte_is_taken_once_and_in_order(start: u64, total in 1..400_u64,
            pieces in proptest::collection::vec((0..420_u64, 1..60_u32), 1..200)) {
        let start = Dsn::new(start);
        let fin = start.plus(total);
        let mut state = ReceiveState::new(start);
        let mut taken: u64 = 0;
        prop_assert_eq!(state.on_data_fin(fin, fin), Ok(false));
        for (offset, len) in pieces {
            let offset = offset.min(total);
            let len = len.min(u32::try_from(total - offset).unwrap());
            let window_end = state.rcv_nxt().plus(100);
            let (dsn, end) = (start.plus(offset), offset + u64::from(len));
            match state.classify(dsn, len, window_end) {
                Placement::Next { skip, take } => {
                    prop_assert_eq!(offset + u64::from(skip), taken);
                    prop_assert_eq!(skip + take, len);
                    taken += u64::from(take);
                    prop_assert_eq!(state.advance(take), taken == total);
                }
                Placement::Later => prop_assert!(offset > taken && end <= taken + 100),
                Placement::Old => prop_assert!(end <= taken),
                Placement::Beyond => prop_assert!(end > taken + 100),
            }
            prop_assert_eq!(state.rcv_nxt(), start.plus(taken + u64::from(taken == total)));
            prop_assert_eq!(state.finished(), taken == total);
        }
    }

    #[test]
    fn promises_are_kept(start: u64,
            steps in proptest::collection::vec((0..5000_u32, 0..100_000_u32, 0..15_u8), 1..50)) {
        let start = Dsn::new(start);
        let (mut rcv_nxt, mut promised) = (start, start);
        let mut window = ReceiveWindow::new(start);
        let mut said: Vec<Dsn> = Vec::new();
        for (received, free, scale) in steps {
            rcv_nxt = rcv_nxt.plus(u64::from(received).min(window.edge().since(rcv_nxt)));
            let before = window.edge();
            let field = window.advertise(rcv_nxt, free, scale);
            let edge = rcv_nxt.plus(u64::from(field) << scale);
            let unit = 1_u64 << scale;
            // Nothing is said beyond the furthest that any buffer had room for, rounded up.
            let offered = rcv_nxt.plus((u64::from(free) / unit).min(65535) * unit);
            promised = promised.latest(offered);
            prop_assert!(edge.before(promised.plus(unit)));
            if field < 65535 {
                prop_assert!(!edge.before(promised));
            }
            said.push(edge);
            prop_assert_eq!(said.iter().fold(start, |far, edge| far.latest(*edge)), window.edge());
            prop_assert!(!window.edge().before(before));
        }
    }
}
