// SPDX-License-Identifier: GPL-2.0

use super::{Event, State};

#[test]
fn every_transition() {
    use Event::{AppClosesSend, FinAcked, FinReceived};
    use State::{CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, TimeWait};
    for (from, by_close, by_fin_acked, by_fin) in [
        (Established, FinWait1, Established, CloseWait),
        (FinWait1, FinWait1, FinWait2, Closing),
        (FinWait2, FinWait2, FinWait2, TimeWait),
        (CloseWait, LastAck, CloseWait, CloseWait),
        (Closing, Closing, TimeWait, Closing),
        (LastAck, LastAck, Closed, LastAck),
        (TimeWait, TimeWait, TimeWait, TimeWait),
        (Closed, Closed, Closed, Closed),
    ] {
        assert_eq!(from.after(AppClosesSend), by_close, "{from:?}");
        assert_eq!(from.after(FinAcked), by_fin_acked, "{from:?}");
        assert_eq!(from.after(FinReceived), by_fin, "{from:?}");
        assert_eq!(from.after(Event::Aborted), Closed, "{from:?}");
    }
}

#[test]
fn directions_close_one_by_one() {
    for (state, send, receive, done) in [
        (State::Established, true, true, false),
        (State::FinWait1, false, true, false),
        (State::FinWait2, false, true, false),
        (State::CloseWait, true, false, false),
        (State::Closing, false, false, false),
        (State::LastAck, false, false, false),
        (State::TimeWait, false, false, true),
        (State::Closed, false, false, true),
    ] {
        assert_eq!(state.may_send(), send, "{state:?}");
        assert_eq!(state.may_receive(), receive, "{state:?}");
        assert_eq!(state.subflows_may_close(), done, "{state:?}");
    }
}

#[test]
fn every_order_of_closing_ends() {
    use Event::{AppClosesSend, FinAcked, FinReceived};
    for order in [
        [AppClosesSend, FinAcked, FinReceived],
        [AppClosesSend, FinReceived, FinAcked],
        [FinReceived, AppClosesSend, FinAcked],
    ] {
        let end = order
            .into_iter()
            .fold(State::default(), |state, event| state.after(event));
        assert!(end.subflows_may_close(), "{order:?}");
    }
}
