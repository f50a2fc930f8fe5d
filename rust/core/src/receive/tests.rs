// SPDX-License-Identifier: GPL-2.0

use super::{
    claim, update_due, window_lags, FinConflict, Placement, ReceiveMemory, ReceiveState,
    ReceiveWindow, RightSizing,
};
use crate::seq::{Dsn, Ssn};
use proptest::prelude::*;
use std::vec::Vec;

const NEAR_WRAP: Dsn = Dsn::new(u64::MAX - 9);

fn next(skip: u32, take: u32) -> Placement {
    Placement::Next { skip, take }
}

// rfc8684:3.3.4-3 rfc8684:3.8-1
#[test]
fn placement_by_distance_from_what_is_expected() {
    let state = ReceiveState::new(NEAR_WRAP);
    let end = NEAR_WRAP.plus(100);
    for (before, after, len, placement) in [
        (0, 0, 10, next(0, 10)),
        (4, 0, 10, next(4, 6)),
        (10, 0, 10, Placement::Old),
        (20, 0, 10, Placement::Old),
        (0, 0, 0, Placement::Old),
        (0, 1, 10, Placement::Later),
        (0, 90, 10, Placement::Later),
        (0, 91, 10, Placement::Beyond),
        (0, 100, 1, Placement::Beyond),
        // In order it is taken whole.
        (0, 0, 200, next(0, 200)),
    ] {
        let dsn = NEAR_WRAP.minus(before).plus(after);
        assert_eq!(
            state.classify(dsn, len, end),
            placement,
            "{before} {after} {len}"
        );
    }
}

#[test]
fn a_closed_window_takes_one_byte_that_asks() {
    let state = ReceiveState::new(NEAR_WRAP);
    assert_eq!(state.classify(NEAR_WRAP, 1, NEAR_WRAP), next(0, 1));
    assert_eq!(state.classify(NEAR_WRAP, 2, NEAR_WRAP), Placement::Beyond);
    let ahead = NEAR_WRAP.plus(1);
    assert_eq!(state.classify(ahead, 1, NEAR_WRAP), Placement::Beyond);
}

/// Another subflow delivered a thousand bytes that are still missing on this one: what follows them
/// is far ahead on its subflow and next in the stream.
// rfc8684:3.3.4-2
#[test]
fn what_is_missing_on_a_subflow_may_have_come_on_another() {
    let (subflow_ack, ssn) = (Ssn::new(1), Ssn::new(1001));
    let mut state = ReceiveState::new(NEAR_WRAP);
    let dsn = NEAR_WRAP.plus(1000);
    assert!(!state.advance(1000));
    assert!(u64::from(ssn.since(subflow_ack)) > dsn.since(state.rcv_nxt()));
    let edge = state.rcv_nxt().plus(5000);
    assert_eq!(state.classify(dsn, 100, edge), next(0, 100));
}

// rfc8684:3.3.3-5
#[test]
fn the_data_fin_takes_one_number_when_all_data_is_here() {
    let mut state = ReceiveState::new(NEAR_WRAP);
    let fin = NEAR_WRAP.plus(20);
    let end = NEAR_WRAP.plus(1000);
    assert_eq!(state.on_data_fin(fin, end), Ok(false));
    assert_eq!(state.on_data_fin(fin, end), Ok(false));
    assert!(!state.finished());

    assert_eq!(state.classify(NEAR_WRAP, 20, end), next(0, 20));
    assert!(!state.advance(19));
    assert!(state.advance(1));
    assert!(state.finished());
    assert_eq!(state.rcv_nxt(), fin.plus(1));
    assert_eq!(state.on_data_fin(fin, end), Ok(false));
    assert_eq!(state.on_data_fin(fin.plus(1), end), Err(FinConflict));
    assert_eq!(state.classify(fin.minus(3), 3, end), Placement::Old);
    assert_eq!(state.classify(fin.plus(1), 3, end), Placement::Beyond);
}

#[test]
fn a_data_fin_in_order_completes_and_one_before_received_data_is_refused() {
    let mut state = ReceiveState::new(NEAR_WRAP);
    assert!(!state.advance(30));
    let (inside, end) = (NEAR_WRAP.plus(29), NEAR_WRAP.plus(100));
    assert_eq!(state.on_data_fin(inside, end), Err(FinConflict));
    assert_eq!(state.data_fin(), None);
    assert_eq!(state.on_data_fin(NEAR_WRAP.plus(30), end), Ok(true));
    assert!(state.finished());
}

#[test]
fn a_false_data_fin_does_not_keep_the_stream_from_its_end() {
    let end = NEAR_WRAP.plus(100);
    let mut state = ReceiveState::new(NEAR_WRAP);
    // Outside the window nobody may have sent up to it.
    assert_eq!(state.on_data_fin(end.plus(1), end), Err(FinConflict));
    // Inside, the last one counts as long as data is missing.
    assert_eq!(state.on_data_fin(end, end), Ok(false));
    assert_eq!(state.on_data_fin(NEAR_WRAP.plus(20), end), Ok(false));
    assert_eq!(state.on_data_fin(NEAR_WRAP.plus(10), end), Ok(false));
    // Data that goes on disproves it.
    assert_eq!(state.classify(NEAR_WRAP, 20, end), next(0, 20));
    assert!(!state.advance(20));
    assert_eq!(state.data_fin(), None);
    assert_eq!(state.on_data_fin(NEAR_WRAP.plus(20), end), Ok(true));
    // With a closed window the DATA_FIN alone still fits.
    let mut closed = ReceiveState::new(NEAR_WRAP);
    assert!(!closed.advance(1));
    assert_eq!(closed.on_data_fin(NEAR_WRAP.plus(1), NEAR_WRAP), Ok(true));
}

// rfc8684:3.3.4-1
#[test]
fn window_never_moves_back_and_is_said_in_units() {
    let mut window = ReceiveWindow::new(NEAR_WRAP);
    assert_eq!(window.advertise(NEAR_WRAP, 1000, 4), 62);
    assert_eq!(window.edge(), NEAR_WRAP.plus(992));
    // The buffer shrank: the promise stands.
    assert_eq!(window.advertise(NEAR_WRAP, 0, 4), 62);
    assert_eq!(window.advertise(NEAR_WRAP.plus(92), 0, 4), 57);
    // A subflow with a larger unit must not say less than was promised.
    let promised = window.edge();
    assert_eq!(promised, NEAR_WRAP.plus(92 + 57 * 16));
    assert_eq!(window.advertise(promised, 0, 4), 0);
    assert_eq!(window.advertise(NEAR_WRAP.plus(991), 0, 10), 1);
    assert!(!window.edge().before(promised));
    // A subflow with a smaller unit says as much as its field can.
    let mut wide = ReceiveWindow::new(NEAR_WRAP);
    assert_eq!(wide.advertise(NEAR_WRAP, 1 << 30, 14), 65535);
    assert_eq!(wide.edge(), NEAR_WRAP.plus(65535 << 14));
    assert_eq!(wide.advertise(NEAR_WRAP, 1 << 30, 0), 65535);
    assert_eq!(wide.edge(), NEAR_WRAP.plus(65535 << 14));
    // A scale no handshake can agree on is taken as the largest.
    assert_eq!(wide.advertise(NEAR_WRAP, 1 << 30, 200), 65535);
}

// rfc8684:3.3.4-1
#[test]
fn segments_smaller_than_a_unit_do_not_move_the_edge_of_a_full_buffer() {
    let first = NEAR_WRAP.plus(65_535);
    let mut window = ReceiveWindow::new(first);
    let mut rcv_nxt = NEAR_WRAP;
    for _ in 0..200 {
        rcv_nxt = rcv_nxt.plus(1000).earliest(window.edge());
        let field = window.advertise(rcv_nxt, 0, 10);
        assert!(!rcv_nxt.plus(u64::from(field) << 10).before(first));
    }
    assert!(rcv_nxt.before(first.plus(1024)));
    assert_eq!(window.advertise(rcv_nxt, 0, 10), 0);
}

#[test]
fn an_update_is_due_when_the_window_opens_enough() {
    for (left, free, capacity, mss, due) in [
        (0, 0, 60_000, 1400, false),
        (0, 1400, 60_000, 1400, false),
        (0, 2800, 60_000, 1400, true),
        (10_000, 12_800, 60_000, 1400, false),
        (10_000, 20_000, 60_000, 1400, true),
        (25_000, 55_000, 60_000, 1400, true),
        (25_000, 45_000, 60_000, 1400, false),
        // A buffer smaller than two segments: half of it.
        (0, 1100, 2200, 1400, true),
        (0, 1000, 2200, 1400, false),
        (5000, 4000, 60_000, 1400, false),
    ] {
        assert_eq!(update_due(left, free, capacity, mss), due, "{left} {free}");
    }
    let window = ReceiveWindow::new(NEAR_WRAP.plus(100));
    assert!(window.update_due(NEAR_WRAP.plus(100), 2800, 60_000, 1400));
    assert!(!window.update_due(NEAR_WRAP, 2899, 3_000_000, 1450));
}

#[test]
fn the_buffer_follows_the_speed_and_never_shrinks() {
    const MSS: u32 = 1000;
    const CAP: u32 = 6_000_000;
    let mut size = RightSizing::new(0, 64_000);
    // Within a round trip nothing is decided.
    assert_eq!(size.on_copied(40_000, 9_999, 10_000, MSS, CAP), None);
    assert_eq!(
        size.on_copied(40_000, 10_000, 10_000, MSS, CAP),
        Some(176_000)
    );
    // Slower: unchanged.
    assert_eq!(size.on_copied(10_000, 20_000, 10_000, MSS, CAP), None);
    // Several round trips at once count for what they were.
    assert_eq!(size.on_copied(800_000, 120_000, 10_000, MSS, CAP), None);
    assert_eq!(
        size.on_copied(1_000_000, 130_000, 10_000, MSS, CAP),
        Some(2_016_000)
    );
    assert_eq!(
        size.on_copied(9_000_000, 140_000, 10_000, MSS, CAP),
        Some(CAP)
    );
    assert_eq!(size.on_copied(9_000_000, 150_000, 10_000, MSS, CAP), None);
    // Without a round-trip time or with a clock that stands still nothing happens.
    let mut early = RightSizing::new(5, 1000);
    assert_eq!(early.on_copied(9_000_000, 50, 0, MSS, CAP), None);
    assert_eq!(early.on_copied(9_000_000, 0, 10, MSS, CAP), None);
}

#[test]
fn unread_data_counts_for_the_subflow_within_bounds() {
    // (unread, enough, the subflow's buffer): claimed
    for (unread, enough, limit, claimed) in [
        (0, 1 << 16, 1 << 20, 0),
        (57_343, 1 << 16, 1 << 20, 0),
        (57_344, 1 << 16, 1 << 20, 57_344),
        (300_000, 1 << 16, 1 << 20, 1 << 16),
        (300_000, 0, 1 << 20, 0),
        (600_000, u32::MAX, 1 << 20, 1 << 19),
        (u32::MAX, u32::MAX, u32::MAX, u32::MAX / 2),
        // A small buffer has no room to spare.
        (60_000, u32::MAX, (1 << 17) - 1, 0),
        (60_000, u32::MAX, 1 << 17, 60_000),
    ] {
        let got = claim(unread, enough, limit);
        assert_eq!(got, claimed, "{unread} {enough} of {limit}");
    }
}

#[test]
fn a_window_lags_when_it_could_be_twice_as_large() {
    // (left, free, mss): worth a segment of its own?
    for (left, free, mss, lags) in [
        (0, 0, 1000, false),
        (0, 1999, 1000, false),
        (0, 2000, 1000, true),
        (10_000, 19_999, 1000, false),
        (10_000, 20_000, 1000, true),
        (1000, 2999, 1000, false),
        (1000, 3000, 1000, true),
        (u32::MAX, u32::MAX, u32::MAX, false),
    ] {
        assert_eq!(window_lags(left, free, mss), lags, "{left} {free} {mss}");
    }
}

#[test]
fn memory_is_saved_once_half_of_it_is_used() {
    let buffer = |used| ReceiveMemory {
        used,
        limit: 100_000,
    };
    assert!(buffer(100_000).admits());
    assert!(!buffer(100_001).admits());
    assert!(buffer(200_001).keeps_promise());
    assert!(!buffer(200_002).keeps_promise());
    // (in use, memory of the packet, its data, data reckoned with): to be copied?
    for (used, memory, len, reckoned, due) in [
        (0, 50_000, 1, 25_000, false),
        (0, 50_001, 1, 25_000, true),
        (49_999, 768, 1, 384, true),
        (49_999, 768, 383, 384, true),
        (49_999, 768, 384, 384, false),
        (u32::MAX, u32::MAX, 0, 1, true),
    ] {
        assert_eq!(
            buffer(used).copy_due(memory, len, reckoned),
            due,
            "{used} {len}"
        );
    }
    for (limit, room) in [(0, 512), (2304, 512), (64_000, 4000), (u32::MAX, 7680)] {
        assert_eq!(ReceiveMemory { used: 0, limit }.copy_room(), room);
    }
    assert_eq!(buffer(0).largest_gather(), 12_500);
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
