// SPDX-License-Identifier: GPL-2.0

use super::{
    retransmit_timeout, send_buffer, AckOutcome, Rejected, SendState, SubflowBuffer, MAX_BACKOFF,
};
use crate::seq::Dsn;
use proptest::prelude::*;

const FIRST: Dsn = Dsn::new(u64::MAX - 49);

fn outcome(acked: u64, window_grew: bool, fin_acked: bool) -> Result<AckOutcome, Rejected> {
    Ok(AckOutcome {
        acked,
        window_grew,
        fin_acked,
    })
}

#[test]
fn the_window_limits_what_is_available() {
    let mut state = SendState::new(FIRST, 100);
    assert_eq!((state.available(), state.unsent()), (0, 0));
    state.on_written(250);
    assert_eq!((state.available(), state.unsent()), (100, 250));
    state.on_pushed(100);
    assert_eq!((state.available(), state.in_flight()), (0, 100));
    assert!(!state.probe_due(), "an acknowledgement is under way");

    // The wrap lies inside the first hundred bytes.
    assert_eq!(
        state.on_data_ack(FIRST.plus(60), 100),
        outcome(60, true, false)
    );
    assert_eq!(state.available(), 60);
    assert_eq!(state.una(), Dsn::new(10));
    state.on_pushed(60);
    assert_eq!(
        state.on_data_ack(FIRST.plus(160), 0),
        outcome(100, false, false)
    );
    assert!(
        state.probe_due(),
        "90 bytes wait and nothing will open the window"
    );
    assert_eq!(
        state.on_data_ack(FIRST.plus(160), 1),
        outcome(0, true, false)
    );
    assert!(!state.probe_due());
}

#[test]
fn the_send_buffer_lasts_for_the_longest_round_trip_on_all_subflows() {
    let size = |subflows: &[(u32, u32)], most| {
        let subflows = subflows.iter();
        send_buffer(
            subflows.map(|&(bytes, rtt_us)| SubflowBuffer { bytes, rtt_us }),
            most,
        )
    };
    assert_eq!(size(&[], 1000), 0);
    assert_eq!(size(&[(50_000, 7)], 1_000_000), 50_000);
    // Equal round-trip times: the sum.
    assert_eq!(size(&[(50_000, 20), (30_000, 20)], 1_000_000), 80_000);
    // The faster one keeps its data for the time of the slower one.
    assert_eq!(size(&[(5_000, 2), (150_000, 50)], 1_000_000), 275_000);
    // Nothing is known of the second but what its TCP chose.
    assert_eq!(size(&[(5_000, 2), (40_000, 0)], 1_000_000), 45_000);
    assert_eq!(size(&[(5_000, 0), (40_000, 0)], 1_000_000), 45_000);
    // The system's limit holds for each; what TCP chose is within it, or was when it was chosen.
    assert_eq!(size(&[(5_000, 1), (90_000, 1000)], 100_000), 190_000);
    assert_eq!(size(&[(5_000, 1), (90_000, 1000)], 80_000), 170_000);
    assert_eq!(
        size(&[(u32::MAX, 1), (1, u32::MAX)], u32::MAX),
        u64::from(u32::MAX) + 1
    );
}

// rfc8684:3.3.2-3 rfc8684:3.3.5-1 rfc8684:3.3.5-2
#[test]
fn acknowledgements_of_the_future_are_rejected_and_old_ones_harmless() {
    let mut state = SendState::new(FIRST, 1000);
    state.on_written(100);
    state.on_pushed(50);
    assert_eq!(state.on_data_ack(FIRST.plus(51), 1000), Err(Rejected));
    assert_eq!(state.on_data_ack(FIRST.plus(100), 9000), Err(Rejected));
    assert_eq!(state.wnd_end(), FIRST.plus(1000));
    assert_eq!(
        state.on_data_ack(FIRST.plus(50), 950),
        outcome(50, false, false)
    );
    assert_eq!(
        state.on_data_ack(FIRST.plus(20), 950),
        outcome(0, false, false)
    );
    assert_eq!(
        state.on_data_ack(FIRST.minus(20), 950),
        outcome(0, false, false)
    );
    assert_eq!(
        (state.una(), state.wnd_end()),
        (FIRST.plus(50), FIRST.plus(1000))
    );
    // A window that closes does not take back what was promised.
    assert_eq!(
        state.on_data_ack(FIRST.plus(50), 0),
        outcome(0, false, false)
    );
    assert_eq!(state.available(), 50);
}

#[test]
fn the_data_fin_follows_the_data_and_takes_one_number() {
    let mut state = SendState::new(FIRST, 10);
    state.on_written(10);
    state.on_fin_queued();
    assert_eq!(state.fin(), Some(FIRST.plus(10)));
    assert!(!state.fin_due());
    state.on_fin_sent();
    assert!(!state.fin_in_flight(), "data waits before it");
    state.on_pushed(10);
    assert!(state.fin_due());
    state.on_fin_sent();
    assert!(state.fin_in_flight() && !state.fin_due());
    assert_eq!(state.nxt(), FIRST.plus(11));
    assert_eq!(state.in_flight(), 10);

    assert_eq!(
        state.on_data_ack(FIRST.plus(10), 0),
        outcome(10, false, false)
    );
    assert!(!state.fin_acked() && state.needs_retransmit());
    assert_eq!(state.retransmit_next(), None);
    assert_eq!(state.on_data_ack(FIRST.plus(12), 0), Err(Rejected));
    assert_eq!(state.on_data_ack(FIRST.plus(11), 0), outcome(0, true, true));
    assert!(state.fin_acked() && !state.fin_in_flight() && !state.needs_retransmit());
    assert_eq!(
        state.on_data_ack(FIRST.plus(11), 0),
        outcome(0, false, false)
    );
}

#[test]
fn data_and_data_fin_can_be_acknowledged_at_once() {
    let mut state = SendState::new(FIRST, 100);
    state.on_written(7);
    state.on_pushed(7);
    state.on_fin_queued();
    state.on_fin_queued();
    state.on_fin_sent();
    assert_eq!(
        state.on_data_ack(FIRST.plus(8), 100),
        outcome(7, true, true)
    );
}

// rfc8684:3.3.2-1 rfc8684:3.3.6-4
#[test]
fn retransmission_runs_once_over_what_is_not_acknowledged() {
    let mut state = SendState::new(FIRST, 1000);
    state.start_retransmit();
    assert_eq!(state.retransmit_next(), None);
    state.on_written(300);
    state.on_pushed(200);
    assert_eq!(state.retransmit_next(), None);
    state.start_retransmit();
    assert_eq!(state.retransmit_next(), Some((FIRST, 200)));
    state.on_retransmitted(80);
    assert_eq!(state.retransmit_next(), Some((FIRST.plus(80), 120)));
    // What is sent meanwhile is not sent twice; an acknowledgement moves the start.
    state.on_pushed(50);
    state.on_data_ack(FIRST.plus(100), 1000).unwrap();
    assert_eq!(state.retransmit_next(), Some((FIRST.plus(100), 100)));
    state.on_retransmitted(100);
    assert_eq!(state.retransmit_next(), None);
    state.start_retransmit();
    assert_eq!(state.retransmit_next(), Some((FIRST.plus(100), 150)));
    state.on_data_ack(FIRST.plus(250), 1000).unwrap();
    assert_eq!(state.retransmit_next(), None);
    assert!(!state.needs_retransmit());
}

#[test]
fn a_piece_is_sent_again_as_far_as_it_was_sent_and_is_missed() {
    let mut state = SendState::new(FIRST, 1000);
    state.on_written(300);
    state.on_pushed(200);
    state.on_data_ack(FIRST.plus(50), 1000).unwrap();
    state.send_again(FIRST.plus(20), FIRST.plus(70));
    state.send_again(FIRST.plus(190), FIRST.plus(280));
    assert_eq!(state.retransmit_next(), Some((FIRST.plus(50), 20)));
    state.on_retransmitted(20);
    assert_eq!(state.retransmit_next(), Some((FIRST.plus(190), 10)));
    state.on_retransmitted(99);
    assert_eq!(state.retransmit_next(), None);
}

#[test]
fn the_timer_backs_off_to_its_cap() {
    for (rto, backoff, wait) in [
        (200_000, 0, 400_000),
        (200_000, 1, 800_000),
        (200_000, 5, 12_800_000),
        (200_000, 9, 120_000_000),
        (200_000, MAX_BACKOFF, 120_000_000),
        (200_000, u8::MAX, 120_000_000),
        (u32::MAX, u8::MAX, 120_000_000),
        (0, 3, 0),
    ] {
        assert_eq!(retransmit_timeout(rto, backoff, 120_000_000), wait);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(u32),
    Push,
    Ack { ahead: u64, window: u32 },
    Fin,
    Retransmit,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..50_u32).prop_map(Step::Write),
        Just(Step::Push),
        (0..60_u64, 0..100_u32).prop_map(|(ahead, window)| Step::Ack { ahead, window }),
        Just(Step::Fin),
        Just(Step::Retransmit),
    ]
}

proptest! {
    #[test]
    fn numbers_stay_in_order(first: u64, steps in proptest::collection::vec(step(), 1..100)) {
        let first = Dsn::new(first);
        let mut state = SendState::new(first, 40);
        let (mut written, mut acked, mut closed) = (0, 0, false);
        for step in steps {
            match step {
                Step::Write(count) if !closed => {
                    state.on_written(count);
                    written += u64::from(count);
                }
                Step::Write(_) => {}
                Step::Push => {
                    let count = state.available();
                    prop_assert!(!state.nxt().plus(count.into()).after(state.wnd_end()) || count == 0);
                    state.on_pushed(count);
                    state.on_fin_sent();
                }
                Step::Ack { ahead, window } => {
                    let ack = state.una().plus(ahead);
                    match state.on_data_ack(ack, window) {
                        Ok(outcome) => {
                            acked += outcome.acked;
                            prop_assert!(!ack.after(state.nxt()));
                            prop_assert!(!state.wnd_end().before(ack.plus(window.into())));
                        }
                        Err(Rejected) => prop_assert!(ack.after(state.nxt())),
                    }
                }
                Step::Fin => {
                    state.on_fin_queued();
                    closed = true;
                }
                Step::Retransmit => {
                    state.start_retransmit();
                    if let Some((from, len)) = state.retransmit_next() {
                        prop_assert_eq!(from, state.una());
                        prop_assert_eq!(u64::from(len), state.in_flight());
                        state.on_retransmitted(len.div_ceil(2));
                    }
                }
            }
            let fin = u64::from(state.fin_in_flight() || state.fin_acked());
            prop_assert_eq!(state.write(), first.plus(written));
            prop_assert!(!state.una().after(state.nxt()));
            prop_assert!(!state.nxt().after(state.write().plus(fin)));
            prop_assert_eq!(acked + state.in_flight() + state.unsent(), written);
            prop_assert_eq!(state.una(), first.plus(acked + u64::from(state.fin_acked())));
            if let Some((from, len)) = state.retransmit_next() {
                prop_assert!(!from.before(state.una()) && len > 0);
            }
        }
    }
}

// rfc8684:3.7-17
#[test]
fn plain_tcp_takes_over_what_was_sent_and_tells_the_end_again() {
    let mut state = SendState::new(Dsn::new(u64::MAX), 100);
    state.on_written(300);
    state.on_pushed(100);
    assert_eq!(state.available(), 0);
    assert_eq!(state.fall_back(), 100);
    assert!(!state.needs_retransmit());
    assert_eq!((state.unsent(), state.available()), (200, 200));
    state.on_pushed(200);
    state.on_fin_queued();
    state.on_fin_sent();
    // The DATA_FIN is not acknowledged, so the subflow's FIN has to follow.
    assert_eq!(state.fall_back(), 200);
    assert!(state.fin_due());
    // Nothing more comes of it a second time.
    assert_eq!(state.fall_back(), 0);
}
