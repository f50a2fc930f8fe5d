// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control: what an acknowledgement costs.

use crate::Case;
use mptcp_core::congestion::{Ack, Algorithm, Control, Member, Members, Window};
use mptcp_core::seq::Ssn;
use std::hint::black_box;

fn member(number: u32) -> Member {
    Member {
        cwnd: 40 + number,
        srtt_us: 10_000 + 977 * (number * 7 % 32),
        gap: 1_000_000 - 9_999 * u64::from(number),
        rate: 1 << 24,
    }
}

fn acknowledge(algorithm: Algorithm, count: u32) -> Case {
    let members: Vec<Member> = (0..count).map(member).collect();
    let mut control = Control::new(algorithm);
    let window = Window {
        cwnd: members[0].cwnd,
        ssthresh: 1,
    };
    let mut una = 0_u32;
    let step = move |steps| {
        for _ in 0..steps {
            una = una.wrapping_add(1448);
            let ack = Ack {
                segments: 1,
                una: Ssn::new(una),
                nxt: Ssn::new(una.wrapping_add(40 * 1448)),
                cwnd_limited: true,
            };
            control.on_rtt(12_000);
            let members = Members::new(black_box(&members), members[0]);
            black_box(control.on_ack(black_box(window), black_box(&ack), &members));
        }
    };
    Case::new(
        format!("congestion/{}-{count}-subflows", algorithm.name()),
        step,
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let each = |algorithm| [2, 8, 32].map(|count| acknowledge(algorithm, count));
    Algorithm::ALL.into_iter().flat_map(each).collect()
}
