// SPDX-License-Identifier: GPL-2.0

use super::{next_step, only_rest_waits, Conditions, Step};
use crate::send::SendState;
use crate::seq::Dsn;

const FIRST: Dsn = Dsn::new(u64::MAX - 500);
const MSS: u32 = 1000;

fn written(bytes: u32, window: u32) -> SendState {
    let mut send = SendState::new(FIRST, window);
    send.on_written(bytes);
    send
}

fn usual() -> Conditions {
    Conditions {
        mptcp: true,
        mss: MSS,
        most: u32::MAX,
        ..Conditions::default()
    }
}

#[test]
fn no_more_than_the_share_of_the_subflow() {
    let mut send = written(9000, 9000);
    let share = |most| Conditions { most, ..usual() };
    for (most, len) in [(2500, 2000), (1000, 1000), (400, 400)] {
        let step = next_step(&send, &share(most));
        assert_eq!(step, Step::New { from: FIRST, len }, "{most}");
    }
    assert_eq!(next_step(&send, &share(0)), Step::Rest);
    send.on_pushed(5000);
    send.start_retransmit();
    let again = Step::Again {
        from: FIRST,
        len: 2000,
    };
    assert_eq!(next_step(&send, &share(2500)), again);
    assert_eq!(next_step(&send, &share(0)), Step::Rest);
}

// rfc8684:3.3.1-13 rfc8684:3.3.5-5
#[test]
fn new_data_up_to_the_window_and_a_mapping() {
    for (bytes, window, len) in [
        (300, 5000, 300),
        (4300, 5000, 4300),
        // Nothing in flight could open the window.
        (9000, 5500, 5500),
        (200_000, 300_000, 65_000),
    ] {
        let step = next_step(&written(bytes, window), &usual());
        assert_eq!(step, Step::New { from: FIRST, len }, "{bytes} {window}");
    }
    let huge = Conditions {
        mss: 1 << 20,
        ..usual()
    };
    let step = next_step(&written(200_000, 300_000), &huge);
    assert_eq!(
        step,
        Step::New {
            from: FIRST,
            len: 65535
        }
    );
    let absurd = Conditions { mss: 0, ..usual() };
    assert!(matches!(
        next_step(&written(3, 3), &absurd),
        Step::New { len: 3, .. }
    ));
}

#[test]
fn what_was_lost_goes_first() {
    let mut send = written(5000, 9000);
    send.on_pushed(3000);
    send.start_retransmit();
    let step = next_step(&send, &usual());
    assert_eq!(
        step,
        Step::Again {
            from: FIRST,
            len: 3000
        }
    );
}

#[test]
fn small_segments_wait_for_small_ones() {
    let mut send = written(2300, 9000);
    // The last segment goes with the full ones before it: nothing small is in flight.
    let len = 2300;
    assert_eq!(next_step(&send, &usual()), Step::New { from: FIRST, len });
    send.on_segments_pushed(2300, MSS);
    send.on_written(300);
    let from = FIRST.plus(2300);
    assert_eq!(next_step(&send, &usual()), Step::Rest);
    let at_once = Conditions {
        no_delay: true,
        ..usual()
    };
    assert_eq!(next_step(&send, &at_once), Step::New { from, len: 300 });
    send.on_written(1000);
    assert_eq!(next_step(&send, &usual()), Step::New { from, len: 1000 });
    // Full segments in flight make nothing wait.
    let mut full = written(2300, 9000);
    full.on_segments_pushed(2000, MSS);
    let rest = FIRST.plus(2000);
    let step = Step::New {
        from: rest,
        len: 300,
    };
    assert_eq!(next_step(&full, &usual()), step);
    // Nor do small ones that arrived.
    let mut acked = send;
    acked.on_data_ack(from, 9000).unwrap();
    assert_eq!(next_step(&acked, &usual()), Step::New { from, len: 1300 });
    send.on_fin_queued();
    assert_eq!(next_step(&send, &usual()), Step::New { from, len: 1300 });
}

#[test]
fn what_the_window_cuts_off_is_sent_in_whole_segments() {
    let mut cut = written(9000, 5300);
    cut.on_pushed(2000);
    let from = FIRST.plus(2000);
    assert_eq!(next_step(&cut, &usual()), Step::New { from, len: 3000 });
    cut.on_pushed(3000);
    assert_eq!(next_step(&cut, &usual()), Step::Rest);
    // The window moves with the acknowledgement.
    cut.on_data_ack(FIRST.plus(2000), 4000).unwrap();
    let from = FIRST.plus(5000);
    assert_eq!(next_step(&cut, &usual()), Step::New { from, len: 1000 });
    cut.on_pushed(1000);
    // Once all is acknowledged nothing else will move it.
    cut.on_data_ack(FIRST.plus(6000), 300).unwrap();
    let from = FIRST.plus(6000);
    assert_eq!(next_step(&cut, &usual()), Step::New { from, len: 300 });
}

#[test]
fn while_only_a_rest_waits_it_is_nobodys_turn() {
    let mut send = written(2300, 9000);
    assert!(!only_rest_waits(&send, &usual()));
    send.on_segments_pushed(2300, MSS);
    assert!(!only_rest_waits(&send, &usual()));
    send.on_written(300);
    assert!(only_rest_waits(&send, &usual()));
    assert_eq!(next_step(&send, &usual()), Step::Rest);
    let at_once = Conditions {
        no_delay: true,
        ..usual()
    };
    assert!(!only_rest_waits(&send, &at_once));
    // A closed window is the scheduler's business, and so is what was lost.
    let mut cut = written(2600, 2300);
    cut.on_segments_pushed(2300, MSS);
    assert!(!only_rest_waits(&cut, &usual()));
    let mut lost = send;
    lost.start_retransmit();
    assert!(!only_rest_waits(&lost, &usual()));
    // Full segments go, and a rest that is the last of all.
    let mut more = send;
    more.on_written(700);
    assert!(!only_rest_waits(&more, &usual()));
    send.on_fin_queued();
    assert!(!only_rest_waits(&send, &usual()));
}

#[test]
fn a_cork_holds_even_the_first() {
    let corked = Conditions {
        corked: true,
        no_delay: true,
        ..usual()
    };
    assert_eq!(next_step(&written(999, 9000), &corked), Step::Rest);
    let step = next_step(&written(2500, 9000), &corked);
    assert_eq!(
        step,
        Step::New {
            from: FIRST,
            len: 2000
        }
    );
}

#[test]
fn a_closed_window_is_asked_for_once_all_is_acknowledged() {
    let send = written(100, 0);
    assert_eq!(next_step(&send, &usual()), Step::Rest);
    let drained = Conditions {
        drained: true,
        ..usual()
    };
    assert_eq!(next_step(&send, &drained), Step::Probe { from: FIRST });
}

#[test]
fn the_end_follows_all_data_and_only_once() {
    let mut send = written(100, 1000);
    send.on_fin_queued();
    assert!(matches!(next_step(&send, &usual()), Step::New { .. }));
    send.on_pushed(100);
    assert_eq!(next_step(&send, &usual()), Step::Fin);
    send.on_fin_sent();
    assert_eq!(next_step(&send, &usual()), Step::Rest);
}

#[test]
fn a_full_table_stops_mptcp_alone() {
    let full = Conditions {
        mappings_full: true,
        ..usual()
    };
    assert_eq!(next_step(&written(10, 10), &full), Step::MappingsFull);
    let plain = Conditions {
        mptcp: false,
        ..full
    };
    assert!(matches!(
        next_step(&written(10, 10), &plain),
        Step::New { .. }
    ));
}
