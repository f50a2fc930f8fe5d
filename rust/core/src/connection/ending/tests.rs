// SPDX-License-Identifier: GPL-2.0

use super::{
    fin_goes_along, is_breakdown, is_over, may_be_rejoined, on_patience_lost, Farewell, Rest,
};
use crate::connection::state::State;
use crate::send::SendState;
use crate::seq::Dsn;

// rfc8684:3.3.3-1 rfc8684:3.3.3-2 rfc8684:3.3.3-8
#[test]
fn mptcp_ends_with_both_data_fins() {
    let send = SendState::new(Dsn::new(9), 100);
    for (state, peer_closes, over) in [
        (State::Established, true, false),
        (State::FinWait2, true, false),
        (State::LastAck, true, false),
        (State::TimeWait, false, true),
        (State::Closed, false, false),
        (State::Closed, true, true),
    ] {
        let rest = Rest {
            state,
            peer_closes,
            ..Rest::default()
        };
        assert_eq!(is_over(&rest, &send), over, "{state:?}");
        let aborted = Rest {
            aborted: true,
            ..rest
        };
        assert!(is_over(&aborted, &send));
    }
}

// rfc8684:3.3.3-1 rfc8684:3.3.3-8
#[test]
fn the_fin_goes_with_a_data_fin_that_is_alone_outstanding() {
    let mut send = SendState::new(Dsn::new(9), 100);
    send.on_written(10);
    send.on_fin_queued();
    let rest = Rest {
        state: State::FinWait1,
        ..Rest::default()
    };
    assert!(!fin_goes_along(&rest, &send), "data was not sent");
    send.on_pushed(10);
    send.on_fin_sent();
    assert!(!fin_goes_along(&rest, &send), "data is not acknowledged");
    assert!(send.on_data_ack(Dsn::new(19), 100).is_ok());
    assert!(fin_goes_along(&rest, &send));
    for (state, peer_closes, goes) in [
        (State::CloseWait, true, false),
        (State::Closing, true, false),
        (State::LastAck, false, false),
        (State::LastAck, true, true),
    ] {
        let rest = Rest {
            state,
            peer_closes,
            ..Rest::default()
        };
        assert_eq!(fin_goes_along(&rest, &send), goes, "{state:?}");
    }
    for ended in [
        Rest {
            aborted: true,
            ..rest
        },
        Rest {
            fell_back: true,
            ..rest
        },
    ] {
        assert!(!fin_goes_along(&ended, &send));
    }
}

#[test]
fn who_closed_with_the_stream_waits_for_the_peers_fin() {
    let send = SendState::new(Dsn::new(9), 100);
    for (state, over) in [
        (State::FinWait1, false),
        (State::FinWait2, false),
        (State::Closing, true),
        (State::LastAck, true),
        (State::TimeWait, true),
    ] {
        for peer_closes in [false, true] {
            let rest = Rest {
                state,
                peer_closes,
                closed_with_stream: true,
                ..Rest::default()
            };
            assert_eq!(is_over(&rest, &send), over && peer_closes, "{state:?}");
        }
    }
}

#[test]
fn plain_tcp_ends_once_tcp_has_all() {
    let rest = Rest {
        fell_back: true,
        ..Rest::default()
    };
    let mut send = SendState::new(Dsn::new(9), 100);
    send.on_written(10);
    send.on_fin_queued();
    assert!(!is_over(&rest, &send));
    send.on_pushed(10);
    assert!(!is_over(&rest, &send));
    send.on_fin_sent();
    assert!(is_over(&rest, &send));
    let begun = Rest {
        piece_begun: true,
        ..rest
    };
    assert!(!is_over(&begun, &send));
}

#[test]
fn a_subflow_that_goes_early_breaks_the_connection() {
    for (state, fell_back, peer_closes, error, breaks) in [
        (State::Established, false, false, true, true),
        (State::FinWait1, false, false, false, true),
        (State::LastAck, false, true, true, true),
        (State::CloseWait, true, true, false, false),
        (State::CloseWait, true, true, true, true),
        (State::Closed, false, false, true, false),
        (State::TimeWait, false, true, true, false),
        (State::Closed, true, false, true, true),
    ] {
        let rest = Rest {
            state,
            fell_back,
            peer_closes,
            ..Rest::default()
        };
        assert_eq!(is_breakdown(&rest, error), breaks, "{state:?} {fell_back}");
        let aborted = Rest {
            aborted: true,
            ..rest
        };
        assert!(!is_breakdown(&aborted, error));
    }
}

// rfc8684:3.3.3-7
#[test]
fn only_an_open_connection_of_two_ends_waits_for_another_subflow() {
    for (state, may) in [
        (State::Established, true),
        (State::FinWait1, true),
        (State::FinWait2, true),
        (State::CloseWait, true),
        (State::LastAck, true),
        (State::TimeWait, false),
        (State::Closed, false),
    ] {
        let rest = Rest {
            state,
            ..Rest::default()
        };
        assert_eq!(may_be_rejoined(&rest, true), may, "{state:?}");
        assert!(!may_be_rejoined(&rest, false));
        for ended in [
            Rest {
                aborted: true,
                ..rest
            },
            Rest {
                fell_back: true,
                ..rest
            },
        ] {
            assert!(!may_be_rejoined(&ended, true));
        }
    }
}

#[test]
fn an_orphan_waits_while_its_data_is_taken() {
    assert_eq!(crate::vectors::patience::check(), Ok(()));
}

// rfc8684:3.3.3-2
#[test]
fn a_peer_that_has_everything_may_read_it_as_slowly_as_it_likes() {
    for (state, farewell) in [
        (State::FinWait1, Farewell::Abort),
        (State::FinWait2, Farewell::Abort),
        (State::LastAck, Farewell::Abort),
        (State::TimeWait, Farewell::Close),
        (State::Closed, Farewell::Close),
    ] {
        let rest = Rest {
            state,
            ..Rest::default()
        };
        assert_eq!(on_patience_lost(&rest), farewell, "{state:?}");
        for lost in [
            Rest {
                aborted: true,
                ..rest
            },
            Rest {
                fell_back: true,
                ..rest
            },
        ] {
            assert_eq!(on_patience_lost(&lost), Farewell::Abort);
        }
    }
}
