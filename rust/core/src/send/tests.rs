// SPDX-License-Identifier: GPL-2.0

use super::{Rejected, SendState};
use crate::seq::Dsn;
use proptest::prelude::*;

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::send::check(), Ok(()));
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
