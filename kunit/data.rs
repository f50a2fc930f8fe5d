// SPDX-License-Identifier: GPL-2.0

//! Sending and receiving at the data level across the end of the sequence space.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_data)]
mod tests {
    use mptcp_core::receive::{Placement, ReceiveState, ReceiveWindow};
    use mptcp_core::send::{Rejected, SendState};
    use mptcp_core::seq::Dsn;

    #[test]
    fn a_stream_arrives_across_the_wrap() {
        let start = Dsn::new(u64::MAX - 9);
        let end = start.plus(100);
        let mut state = ReceiveState::new(start);
        assert_eq!(state.classify(start.plus(10), 10, end), Placement::Later);
        let next = Placement::Next { skip: 5, take: 10 };
        assert_eq!(state.classify(start.minus(5), 15, end), next);
        assert_eq!(state.on_data_fin(start.plus(10), end), Ok(false));
        assert!(state.advance(10));
        assert!(state.finished());
        assert_eq!(state.rcv_nxt(), Dsn::new(1));
        assert_eq!(state.classify(start, 10, end), Placement::Old);
    }

    // rfc8684:3.3.4-1
    #[test]
    fn a_promised_window_is_kept() {
        let start = Dsn::new(u64::MAX - 9);
        let mut window = ReceiveWindow::new(start);
        assert_eq!(window.advertise(start, 1000, 4), 62);
        assert_eq!(window.advertise(start, 0, 4), 62);
        assert_eq!(window.advertise(start.plus(992), 0, 4), 0);
        assert_eq!(window.edge(), start.plus(992));
        assert!(window.update_due(start.plus(992), 3000, 60_000, 1400));
    }

    #[test]
    fn data_is_sent_within_the_window_and_acknowledged() {
        let start = Dsn::new(u64::MAX - 9);
        let mut state = SendState::new(start, 15);
        state.on_written(20);
        assert_eq!(state.available(), 15);
        state.on_pushed(15);
        assert_eq!(state.available(), 0);
        assert_eq!(state.on_data_ack(start.plus(16), 100), Err(Rejected));
        let acked = state.on_data_ack(start.plus(12), 0);
        assert!(acked.is_ok_and(|outcome| outcome.acked == 12 && !outcome.window_grew));
        assert!(!state.probe_due());
        assert!(state.on_data_ack(start.plus(15), 0).is_ok());
        assert!(state.probe_due());
    }

    #[test]
    fn the_data_fin_is_acknowledged_after_the_data() {
        let start = Dsn::new(u64::MAX);
        let mut state = SendState::new(start, 100);
        state.on_written(1);
        state.on_fin_queued();
        assert!(!state.fin_due());
        state.on_pushed(1);
        assert!(state.fin_due());
        state.on_fin_sent();
        state.start_retransmit();
        assert_eq!(state.retransmit_next(), Some((start, 1)));
        let acked = state.on_data_ack(start.plus(2), 100);
        assert!(acked.is_ok_and(|outcome| outcome.acked == 1 && outcome.fin_acked));
        assert_eq!(state.retransmit_next(), None);
    }
}
