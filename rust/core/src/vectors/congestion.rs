// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control: what the published formulas make of connections with one to eight
//! subflows, alike, unlike, and as far apart as networks are.

use super::{expect, Check};
use crate::congestion::{Ack, Algorithm, Control, Member, Members, Window};
use crate::seq::Ssn;

/// How many acknowledged segments lie between the window before and after.
pub const SEGMENTS: u32 = 1 << 16;

/// A subflow: round-trip time in milliseconds, window in segments, bytes between losses; its window
/// after [`SEGMENTS`] that were acknowledged at once, by LIA (RFC 6356 section 3), OLIA
/// (draft-khalili-mptcp-congestion-control-05 section 2) and BALIA
/// (draft-walid-mptcp-congestion-control-04 section 3); its window after a loss by BALIA.
pub type Subflow = (u32, u32, u64, [u32; 3], u32);

/// A name, and the subflows of the connection.
pub type Connection = (&'static str, &'static [Subflow]);

/// The numbers were computed in floating point from the formulas.
#[rustfmt::skip]
pub const CONNECTIONS: [Connection; 12] = [
    ("alone", &[
        (50, 10, 100_000, [6563, 6563, 6563], 5),
    ]),
    ("alike", &[
        (50, 10, 100_000, [1648, 1648, 1648], 5),
        (50, 10, 100_000, [1648, 1648, 1648], 5),
    ]),
    ("unlike windows", &[
        (50, 10, 100_000, [1466, 4014, 1320], 3),
        (50, 20, 100_000, [1476, 1, 1476], 10),
    ]),
    ("unlike round-trip times", &[
        (10, 10, 100_000, [5426, 5426, 5426], 5),
        (100, 10, 900_000, [5426, 64, 844], 3),
    ]),
    ("unlike in all", &[
        (10, 10, 20000, [1648, 4925, 1648], 5),
        (100, 100, 900_000, [755, 1, 263], 50),
    ]),
    ("a long and a short window", &[
        (1, 1000, 50_000_000, [1065, 1065, 1065], 500),
        (600, 2, 3000, [67, 2, 3278], 1),
    ]),
    ("a short and a long window", &[
        (1, 2, 50_000_000, [9751, 26135, 9751], 1),
        (600, 1000, 3000, [1065, 981, 1015], 400),
    ]),
    ("three, the smaller windows better", &[
        (20, 30, 70000, [576, 1, 576], 15),
        (20, 20, 90000, [566, 930, 520], 5),
        (20, 10, 90000, [556, 1284, 519], 3),
    ]),
    ("three, two windows alike", &[
        (20, 30, 90000, [431, 67, 431], 15),
        (20, 30, 70000, [431, 67, 431], 15),
        (20, 10, 90000, [411, 2328, 384], 3),
    ]),
    ("four", &[
        (30, 60, 5, [285, 59, 195], 30),
        (30, 60, 5, [285, 59, 195], 30),
        (15, 25, 7, [250, 906, 283], 10),
        (80, 1, 0, [226, 1, 839], 1),
    ]),
    ("windows of tens of thousands", &[
        (100, 80000, 1 << 40, [80000, 80000, 80000], 40000),
        (100, 70000, 1 << 41, [70000, 70000, 70000], 30000),
    ]),
    ("eight", &[
        (5, 9, 9, [396, 396, 396], 5),
        (9, 5, 5, [392, 71, 208], 1),
        (5, 9, 9, [396, 396, 396], 5),
        (9, 5, 5, [392, 71, 208], 1),
        (7, 7, 7, [394, 160, 256], 2),
        (6, 8, 8, [395, 247, 308], 3),
        (8, 6, 6, [393, 106, 225], 2),
        (99, 1, 1, [388, 1, 359], 1),
    ]),
];

/// The algorithms of a [`Subflow`]'s windows.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia];

/// What the others know of a subflow of the table.
pub const fn member(subflow: &Subflow) -> Member {
    let (rtt_ms, cwnd, gap, ..) = *subflow;
    Member {
        cwnd,
        srtt_us: rtt_ms.saturating_mul(1000),
        gap,
        rate: 0,
    }
}

/// Checks the growth and the decrease of every subflow, to a part in a thousand.
///
/// # Errors
/// The name of the first connection that behaves otherwise.
pub fn check() -> Check {
    for (name, subflows) in CONNECTIONS {
        let mut all = [Member::default(); 8];
        for (place, subflow) in all.iter_mut().zip(subflows) {
            *place = member(subflow);
        }
        for subflow in subflows {
            check_subflow(name, subflow, &all)?;
        }
    }
    Ok(())
}

fn check_subflow(name: &'static str, subflow: &Subflow, all: &[Member]) -> Check {
    let (_, cwnd, _, expected, threshold) = *subflow;
    let members = Members::new(all, member(subflow));
    let before = Window { cwnd, ssthresh: 1 };
    let ack = Ack {
        segments: SEGMENTS,
        una: Ssn::new(0),
        nxt: Ssn::new(1),
        cwnd_limited: true,
    };
    for (algorithm, expected) in ALGORITHMS.into_iter().zip(expected) {
        let after = Control::new(algorithm).on_ack(before, &ack, &members).cwnd;
        let allowed = (expected / 1000).saturating_add(1);
        expect(after.abs_diff(expected) <= allowed, name)?;
    }
    let after = Control::new(Algorithm::Balia).ssthresh(before, &members);
    expect(after.abs_diff(threshold) <= 1, name)
}

/// Checks that no window becomes nothing, however far from each other subflows are.
///
/// # Errors
/// The name of the first algorithm that lets one do so.
pub fn check_extremes() -> Check {
    let most = Member {
        cwnd: u32::MAX,
        srtt_us: 1,
        gap: u64::MAX,
        rate: u64::MAX,
    };
    let least = Member {
        cwnd: 1,
        srtt_us: u32::MAX,
        ..Member::default()
    };
    for algorithm in Algorithm::ALL {
        for own in [most, least] {
            let all = [most, least, own];
            let members = Members::new(&all, own);
            let window = Window {
                cwnd: own.cwnd,
                ssthresh: 1,
            };
            let mut control = Control::new(algorithm);
            for segments in [0, 1, u32::MAX] {
                control.on_rtt(segments);
                let ack = Ack {
                    segments,
                    una: Ssn::new(segments),
                    nxt: Ssn::new(segments),
                    cwnd_limited: true,
                };
                let after = control.on_ack(window, &ack, &members);
                expect(after.cwnd >= 1, algorithm.name())?;
                control.on_loss();
                let least = control.ssthresh(window, &members);
                expect(least >= 1, algorithm.name())?;
            }
        }
    }
    Ok(())
}
