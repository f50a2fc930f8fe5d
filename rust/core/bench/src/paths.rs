// SPDX-License-Identifier: GPL-2.0

//! Choosing a path for data.

use crate::Case;
use mptcp_core::scheduler::{
    AnyScheduler, Kind, Path, PathId, PathsView, Scheduler, Segment, Standing,
};
use std::hint::black_box;

/// A path with room, each with another round-trip time.
fn path(number: u8) -> Path {
    let srtt_us = 10_000 + 977 * (u32::from(number) * 7 % 32);
    Path {
        id: PathId::new(number).expect("it is below 32"),
        srtt_us,
        rttvar_us: srtt_us / 8,
        min_rtt_us: srtt_us,
        cwnd: 40,
        slow_start: false,
        in_flight: 20,
        mss: 1448,
        queued: 14_480,
        send_room: 1 << 20,
        pacing_rate: 5_000_000,
        delivery_rate: 4_000_000,
        last_progress_us: 1_000_000,
        backup: false,
        standing: Standing::Active,
    }
}

fn pick(kind: Kind, count: u8) -> Case {
    let paths: Vec<Path> = (0..count).map(path).collect();
    let mut scheduler = AnyScheduler::new(kind);
    let segment = Segment {
        len: 65_160,
        unsent: 1 << 20,
        window_left: 1 << 20,
        ..Segment::default()
    };
    let step = move |steps| {
        let view = PathsView::new(&paths, 1_010_000, 1 << 22);
        for _ in 0..steps {
            black_box(scheduler.pick(black_box(&view), black_box(&segment)));
        }
    };
    Case::new(format!("scheduler/{}-{count}-paths", kind.name()), step)
}

pub(crate) fn cases() -> Vec<Case> {
    let each = |kind| [2, 8, 32].map(|count| pick(kind, count));
    Kind::ALL.into_iter().flat_map(each).collect()
}
