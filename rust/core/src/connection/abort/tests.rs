// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::wire::plan::plan;
use crate::wire::{Received, SegmentKind, OPTION_SPACE};

#[test]
fn version_1_resets_at_once() {
    for sent in 0..=u8::MAX {
        assert_eq!(step(Version::V1, sent), Step::Reset);
    }
}

// rfc8684:3.5-4 rfc8684:3.5-5 rfc8684:v0-6
#[test]
fn version_0_asks_three_times_before_it_resets() {
    let steps = [0, 1, 2, 3, u8::MAX].map(|sent| step(Version::V0, sent));
    let (ask, reset) = (Step::Ask, Step::Reset);
    assert_eq!(steps, [ask, ask, ask, reset, reset]);
}

#[test]
fn the_ack_tells_the_peers_key() {
    let key = Key::new(0x0102_0304_0506_0708);
    let mut room = [0; OPTION_SPACE];
    let chosen = plan(&of_ack(key), OPTION_SPACE);
    let length = chosen.emit_as(Version::V0, &mut room).expect("it fits");
    assert_eq!(room[..length], [0x1e, 12, 0x70, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let ack = SegmentKind::ACK;
    let received = Received::parse_as(Version::V0, &room[..length], ack);
    assert_eq!(received.fastclose, Some(MpFastclose { receiver: key }));
}
