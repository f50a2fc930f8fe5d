// SPDX-License-Identifier: GPL-2.0

//! What all algorithms owe to TCP.

use super::*;
use proptest::prelude::*;

/// The algorithms that react to loss.
const LOSS_BASED: [Algorithm; 3] = [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia];

#[test]
fn a_single_subflow_is_a_tcp() {
    for algorithm in LOSS_BASED {
        let mut control = Control::new(algorithm);
        let mut window = avoiding(10);
        for round in 0..90 {
            for _ in 0..window.cwnd {
                let own = control.member(window.cwnd, 50 * MS);
                window = control.on_ack(window, &ack(1, 0), &Members::new(&[own], own));
            }
            let grown = window.cwnd - 10;
            assert!(
                grown.abs_diff(round + 1) <= 1,
                "{algorithm:?} {round}: {grown}"
            );
        }
        let own = control.member(100, 50 * MS);
        let members = Members::new(core::slice::from_ref(&own), own);
        assert_eq!(control.ssthresh(avoiding(100), &members), 50);
        assert_eq!(control.ssthresh(avoiding(3), &members), 2, "{algorithm:?}");
    }
}

#[test]
fn a_loss_forgets_fractions() {
    for algorithm in LOSS_BASED {
        let mut control = Control::new(algorithm);
        let own = control.member(10, 50 * MS);
        let members = Members::new(core::slice::from_ref(&own), own);
        let pass = |control: &mut Control, segments| {
            control
                .on_ack(avoiding(10), &ack(segments, 0), &members)
                .cwnd
        };
        assert_eq!(pass(&mut control, 9), 10);
        control.on_loss();
        assert_eq!(
            [pass(&mut control, 9), pass(&mut control, 1)],
            [10, 11],
            "{algorithm:?}"
        );
    }
}

#[test]
fn slow_start_doubles_up_to_the_threshold() {
    for algorithm in Algorithm::ALL {
        let mut control = Control::new(algorithm);
        let own = control.member(10, 50 * MS);
        let members = [own, member(1000, 1)];
        let members = Members::new(&members, own);
        let start = |cwnd| Window { cwnd, ssthresh: 40 };
        assert_eq!(control.on_ack(start(10), &ack(10, 0), &members).cwnd, 20);
        assert_eq!(control.on_ack(start(20), &ack(20, 0), &members).cwnd, 40);
        let beyond = control.on_ack(start(39), &ack(2, 0), &members).cwnd;
        assert_eq!(beyond, 40, "{algorithm:?}");
    }
}

#[test]
fn a_window_that_is_not_used_does_not_grow() {
    for algorithm in Algorithm::ALL {
        let mut control = Control::new(algorithm);
        let own = control.member(10, 50 * MS);
        let members = Members::new(core::slice::from_ref(&own), own);
        for window in [
            avoiding(10),
            Window {
                cwnd: 10,
                ssthresh: 40,
            },
        ] {
            let mut after = window;
            for number in 0..100u32 {
                control.on_rtt(50 * MS);
                let idle = Ack {
                    cwnd_limited: false,
                    ..ack(10, number * 30_000)
                };
                after = control.on_ack(after, &idle, &members);
            }
            assert_eq!(after.cwnd, window.cwnd, "{algorithm:?}");
        }
    }
}

#[test]
fn subflows_of_which_nothing_is_known_do_not_count() {
    for algorithm in LOSS_BASED {
        let own = Member {
            gap: 1000,
            ..member(10, 50)
        };
        let unknown = [own, member(10, 0), member(0, 10)];
        let members = Members::new(&unknown, own);
        assert!(!members.several());
        let window = Control::new(algorithm).on_ack(avoiding(10), &ack(10, 0), &members);
        assert_eq!(window.cwnd, 11, "{algorithm:?}");
        // One that is not listed still counts for itself.
        let members = Members::new(&[], own);
        let window = Control::new(algorithm).on_ack(avoiding(10), &ack(10, 0), &members);
        assert_eq!(window.cwnd, 11, "{algorithm:?}");
        // Nor does a subflow that knows nothing of itself.
        let members = Members::new(&unknown[1..], unknown[1]);
        let window = Control::new(algorithm).on_ack(avoiding(10), &ack(10, 0), &members);
        assert_eq!(window.cwnd, 11, "{algorithm:?}");
    }
}

#[test]
fn no_more_than_so_many_subflows_count() {
    let all = [member(10, 50); MAX_MEMBERS + 1];
    assert_eq!(Members::new(&all, all[0]).active().count(), MAX_MEMBERS);
}

prop_compose! {
    fn any_member()(
        cwnd in prop_oneof![0u32..200, any::<u32>()],
        srtt_us in prop_oneof![0u32..500_000, any::<u32>()],
        gap in prop_oneof![0u64..1_000_000, any::<u64>()],
        rate in prop_oneof![0u64..1_000_000, any::<u64>()],
    ) -> Member {
        Member { cwnd, srtt_us, gap, rate }
    }
}

proptest! {
    /// Two subflows of a connection never grow faster than TCP does; one that OLIA favours may,
    /// by its share of what another gives away.
    #[test]
    fn no_subflow_outgrows_tcp(
        algorithm in prop::sample::select(&LOSS_BASED[..]),
        all in prop::collection::vec(any_member(), 1..40),
        acks in prop::collection::vec(1u32..100, 1..50),
    ) {
        let own = all[0];
        prop_assume!(own.cwnd > 0 && own.cwnd < 1_000_000);
        let mut control = Control::new(algorithm);
        let mut window = avoiding(own.cwnd);
        for segments in &acks {
            let own = Member { cwnd: window.cwnd, ..own };
            let all: std::vec::Vec<_> = [own].into_iter().chain(all[1..].iter().copied()).collect();
            window = control.on_ack(window, &ack(*segments, 0), &Members::new(&all, own));
            prop_assert!(window.cwnd > 0);
        }
        let acked: u32 = acks.iter().sum();
        let rate = if algorithm == Algorithm::Olia { 2 } else { 1 };
        prop_assert!(window.cwnd <= own.cwnd + rate * acked.div_ceil(own.cwnd) + 1);
    }

    #[test]
    fn a_loss_shrinks_the_window_but_not_to_nothing(
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        all in prop::collection::vec(any_member(), 1..40),
        cwnd in 3u32..,
    ) {
        let own = Member { cwnd, ..all[0] };
        let ssthresh = Control::new(algorithm).ssthresh(avoiding(cwnd), &Members::new(&all, own));
        prop_assert!(ssthresh > 0 && ssthresh < cwnd && ssthresh >= cwnd / 4);
    }
}
