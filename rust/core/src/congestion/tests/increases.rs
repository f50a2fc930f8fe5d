// SPDX-License-Identifier: GPL-2.0

//! Cases whose outcome is known without computing.

use super::*;

/// The growth in a round trip, in hundredths of a segment.
fn growth(algorithm: Algorithm, all: &[Member], own: usize) -> i64 {
    let own = all[own];
    let mut control = Control::new(algorithm);
    let start = avoiding(own.cwnd);
    let mut change = 0;
    for _ in 0..100 * own.cwnd {
        let window = control.on_ack(start, &ack(1, 0), &Members::new(all, own));
        change += i64::from(window.cwnd) - i64::from(own.cwnd);
    }
    change
}

#[test]
fn two_alike_share_the_growth_of_one() {
    let all = [member(20, 50), member(20, 50)];
    for algorithm in [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia] {
        for own in 0..2 {
            // A quarter of a segment each: twice the window in all grows by half as much in each.
            let grown = growth(algorithm, &all, own);
            assert!((24..=26).contains(&grown), "{algorithm:?}: {grown}");
        }
    }
}

#[test]
fn lia_never_outgrows_tcp() {
    // By itself the common term would let the small window grow 2.8 segments per round trip.
    let all = [member(2, 10), member(1, 10), member(100, 500)];
    for own in 0..3 {
        assert!(growth(Algorithm::Lia, &all, own) <= 100);
    }
}

#[test]
fn olia_moves_traffic_to_the_better_path_with_the_smaller_window() {
    let gap = |gap, cwnd| Member {
        gap,
        ..member(cwnd, 50)
    };
    let all = [gap(9_000, 5), gap(1_000, 40)];
    // 25/45² and a half more, against 1600/45² and a half less.
    let (better, larger) = (
        growth(Algorithm::Olia, &all, 0),
        growth(Algorithm::Olia, &all, 1),
    );
    assert!((50..=52).contains(&better), "{better}");
    assert!((27..=30).contains(&larger), "{larger}");
    // Where the better path has the larger window, nothing is moved.
    let all = [gap(9_000, 40), gap(1_000, 5)];
    let (better, worse) = (
        growth(Algorithm::Olia, &all, 0),
        growth(Algorithm::Olia, &all, 1),
    );
    assert!(
        (78..=80).contains(&better) && worse <= 2,
        "{better} {worse}"
    );
}

#[test]
fn olia_may_shrink_a_window_but_not_to_nothing() {
    // The window of the second is the largest by far from its end, and its path bad.
    let better = Member {
        gap: 1 << 40,
        ..member(1, 1)
    };
    let bad = Member {
        gap: 1,
        ..member(2, 600)
    };
    let mut olia = Olia::new();
    let mut window = avoiding(2);
    for _ in 0..100 {
        let own = Member {
            cwnd: window.cwnd.max(2),
            ..bad
        };
        window = olia.on_ack(window, &ack(1, 0), &Members::new(&[better, own], own));
    }
    assert_eq!(window.cwnd, 1);
}

#[test]
fn olia_and_balia_may_leave_a_path_almost_unused() {
    let all = [member(2, 50), member(2, 50)];
    let (two, alone) = (Members::new(&all, all[0]), Members::new(&all[..1], all[0]));
    for algorithm in [Algorithm::Olia, Algorithm::Balia] {
        let control = Control::new(algorithm);
        let window = avoiding(2);
        assert_eq!(
            [
                control.ssthresh(window, &two),
                control.ssthresh(window, &alone)
            ],
            [1, 2]
        );
    }
    assert_eq!(Control::new(Algorithm::Lia).ssthresh(avoiding(2), &two), 2);
}

#[test]
fn olia_counts_bytes_between_losses() {
    let own = member(10, 50);
    let members = [own];
    let members = Members::new(&members, own);
    let mut olia = Olia::new();
    let mut una = u32::MAX - 1000;
    let mut pass = |olia: &mut Olia, bytes| {
        una = una.wrapping_add(bytes);
        olia.on_ack(avoiding(10), &ack(1, una), &members);
        olia.gap()
    };
    assert_eq!(pass(&mut olia, 500), 0, "where counting begins");
    assert_eq!(pass(&mut olia, 3000), 3000, "across the wrap");
    olia.on_loss();
    assert_eq!(pass(&mut olia, 1000), 3000, "the last gap was longer");
    olia.on_loss();
    olia.on_loss();
    assert_eq!(olia.gap(), 1000, "two losses at once are one");
    assert_eq!(pass(&mut olia, 4000), 4000, "this one is longer");
    assert_eq!(
        Control::Olia(olia).member(10, 50).gap,
        4000,
        "and the others learn of it"
    );
}

#[test]
fn balia_gives_up_more_on_the_slower_path() {
    let all = [member(40, 50), member(40, 60), member(40, 200)];
    let after = |own: usize| Balia::new().ssthresh(avoiding(40), &Members::new(&all, all[own]));
    // A half, 1.2 halves, and no more than 1.5 halves.
    assert_eq!([after(0), after(1), after(2)], [20, 16, 10]);
}
