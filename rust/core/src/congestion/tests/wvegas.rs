// SPDX-License-Identifier: GPL-2.0

//! Weighted Vegas, round trip by round trip.

use super::*;

const BASE: u32 = 100 * MS;

/// A subflow with a window, driven by round trips.
struct Round {
    wvegas: Wvegas,
    window: Window,
    una: u32,
}

impl Round {
    fn new(window: Window) -> Self {
        let mut wvegas = Wvegas::new();
        wvegas.on_rtt(BASE);
        let mut this = Self {
            wvegas,
            window,
            una: 0,
        };
        // The first acknowledgement begins a round trip, in which too little is measured.
        this.acknowledge(1, &[]);
        this.una += 100_001;
        this.acknowledge(1, &[]);
        this
    }

    fn acknowledge(&mut self, segments: u32, others: &[Member]) {
        let own = Member {
            rate: self.wvegas.rate(),
            ..member(self.window.cwnd, 100)
        };
        let all: std::vec::Vec<_> = [own].into_iter().chain(others.iter().copied()).collect();
        let acked = ack(segments, self.una);
        self.window = self
            .wvegas
            .on_ack(self.window, &acked, &Members::new(&all, own));
    }

    /// A round trip that takes `rtt_us`; returns the window after it.
    fn pass(&mut self, rtt_us: u32, others: &[Member]) -> u32 {
        for _ in 0..5 {
            self.wvegas.on_rtt(rtt_us);
        }
        self.una += 100_001;
        self.acknowledge(1, others);
        self.window.cwnd
    }
}

#[test]
fn the_window_grows_while_no_queue_does() {
    let mut round = Round::new(avoiding(50));
    assert_eq!([round.pass(BASE, &[]), round.pass(BASE, &[])], [51, 52]);
}

#[test]
fn the_queue_is_kept_at_ten_segments() {
    // A link that fits 100 segments: what is more waits.
    let mut round = Round::new(avoiding(90));
    let mut windows = std::vec::Vec::new();
    for _ in 0..400 {
        let waiting = round.window.cwnd.saturating_sub(100);
        windows.push(round.pass(BASE + waiting * BASE / 100, &[]));
    }
    let settled = &windows[100..];
    assert!(
        settled.iter().all(|cwnd| (109..=112).contains(cwnd)),
        "{settled:?}"
    );
}

#[test]
fn too_few_measurements_are_no_reason_to_change_the_rule() {
    let mut round = Round::new(avoiding(50));
    for _ in 0..102 {
        round.wvegas.on_rtt(BASE * 2);
        round.una += 100_001;
        round.acknowledge(1, &[]);
    }
    assert_eq!(round.window.cwnd, 52, "as TCP's: one segment per window");
}

#[test]
fn slow_start_ends_when_a_queue_appears() {
    let mut round = Round::new(Window {
        cwnd: 40,
        ssthresh: u32::MAX,
    });
    assert_eq!(round.window.cwnd, 42);
    assert_eq!(round.pass(BASE, &[]), 43, "in slow start");
    // 43 segments at 120 ms: 7 of them wait. 35 fit, and one more.
    assert_eq!(round.pass(BASE / 5 * 6, &[]), 36);
    assert_eq!(round.window.ssthresh, 35);
}

#[test]
fn the_share_of_the_queue_is_that_of_the_rate() {
    // How many steps of 1.1 ms it takes until the window shrinks.
    let share = |others: &[Member]| {
        let mut round = Round::new(avoiding(100));
        (0..40).find(|waiting| {
            let rtt = BASE + waiting * 1100;
            round.window = avoiding(100);
            round.pass(rtt, others) < 100
        })
    };
    let rate_of = |segments: u64| (segments << 32) / 100_000;
    let other = |rate| Member {
        rate,
        ..member(100, 100)
    };
    // Nine tenths are the other's, so that one segment would be due; but two are the least.
    assert_eq!(share(&[other(rate_of(900))]), Some(3));
    // With a queue the rate is a little less than half, and 4 segments are due.
    assert_eq!(share(&[other(rate_of(100))]), Some(5));
    // Alone: 10 of 113 segments wait after 12 steps, and one more.
    assert_eq!(share(&[]), Some(12));
}

#[test]
fn a_queue_twice_the_least_is_drained() {
    let mut round = Round::new(avoiding(100));
    // Ten segments wait, its share; then nineteen, just less than twice as long; then as long.
    assert_eq!(round.pass(BASE + 12_000, &[]), 100);
    assert_eq!(round.pass(BASE + 23_900, &[]), 99);
    assert_eq!(round.pass(BASE + 24_000, &[]), 39, "half of what fits");
    // The least counts, whenever it was.
    let mut round = Round::new(avoiding(120));
    round.pass(BASE + 20_000, &[]);
    round.pass(BASE + 12_000, &[]);
    assert!(round.pass(BASE + 23_900, &[]) > 100);
    assert!(round.pass(BASE + 24_000, &[]) < 50);
    // After that it is measured anew.
    round.window = avoiding(100);
    assert_eq!(round.pass(BASE + 30_000, &[]), 99);
    assert_eq!(round.pass(BASE + 30_000, &[]), 98);
}

#[test]
fn the_threshold_stays_close_behind_the_window() {
    let mut round = Round::new(avoiding(50));
    assert_eq!(round.pass(BASE, &[]), 51);
    assert_eq!(round.window.ssthresh, 25 + 12);
}

#[test]
fn a_small_window_is_not_drained_to_nothing() {
    let mut round = Round::new(avoiding(5));
    // Two of five segments wait, a full share beside a faster subflow; then three.
    let faster = [Member {
        rate: 1 << 40,
        ..member(1000, 1)
    }];
    round.pass(BASE + 67_000, &faster);
    assert_eq!(round.pass(BASE + 150_000, &faster), 2);
}

#[test]
fn others_learn_of_losses() {
    let mut round = Round::new(avoiding(50));
    round.pass(BASE + 10 * MS, &[]);
    let mut control = Control::Wvegas(round.wvegas);
    assert!(control.member(50, BASE).rate > 0);
    control.on_loss();
    assert_eq!(control.member(50, BASE).rate, 0);
}

#[test]
fn only_delays_are_measured_anew_after_idleness() {
    let mut wvegas = Round::new(avoiding(50)).wvegas;
    let mut control = Control::Wvegas(wvegas);
    let before = control;
    control.on_restart();
    wvegas.on_restart();
    assert_ne!(control, before);
    assert_eq!(control, Control::Wvegas(wvegas));
    for algorithm in Algorithm::ALL {
        let new = Control::new(algorithm);
        let mut control = new;
        control.on_restart();
        let loss_based = algorithm != Algorithm::Wvegas;
        assert!(!loss_based || control == new, "{algorithm:?}");
    }
}

#[test]
fn after_a_loss_it_is_a_tcp_until_recovery() {
    let mut round = Round::new(avoiding(50));
    for _ in 0..4 {
        round.pass(BASE + 10 * MS, &[]);
    }
    assert!(round.wvegas.rate() > 0);
    round.wvegas.on_loss();
    assert_eq!(round.wvegas.rate(), 0, "it has no share while it recovers");
    let before = round.window.cwnd;
    for _ in 0..before {
        round.pass(BASE * 3, &[]);
    }
    assert_eq!(round.window.cwnd, before + 1);
    round.wvegas.on_recovered();
    round.pass(BASE * 3, &[]);
    assert_eq!(
        round.pass(BASE * 3, &[]),
        before,
        "the least time is remembered"
    );
    // After idleness it is not: 300 ms may be what the new path takes.
    round.wvegas.on_restart();
    round.window = avoiding(50);
    assert_eq!(round.pass(BASE * 3, &[]), 50);
    assert_eq!(round.pass(BASE * 3, &[]), 51);
}
