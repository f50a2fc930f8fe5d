// SPDX-License-Identifier: GPL-2.0

//! How long a connection tries what does not work.

use super::{expect, Check};
use crate::connection::blackhole::{offers_mptcp, SYN_REPETITIONS};
use crate::connection::ending::{stays_patient, Rest, ORPHAN_PATIENCE};
use crate::send::SendState;
use crate::seq::Dsn;

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_syns()?;
    check_orphans()
}

/// Columns: the limit, and the first SYN that goes without the option, counted from zero.
// rfc8684:3.1-7
fn check_syns() -> Check {
    for (name, limit, first_plain) in [
        ("the first alone", 0, Some(1)),
        ("one more", 1, Some(2)),
        ("default", SYN_REPETITIONS, Some(3)),
        ("many", 127, Some(128)),
        ("all", 128, None),
        ("all by far", u32::MAX, None),
    ] {
        let plain = (0..=u8::MAX).find(|again| !offers_mptcp(*again, limit));
        expect(plain == first_plain, name)?;
        let later = first_plain.unwrap_or(u8::MAX)..u8::MAX;
        let never_again = later.into_iter().all(|again| !offers_mptcp(again, limit));
        expect(never_again, name)?;
    }
    Ok(())
}

/// What is left to say: bytes that were never sent, bytes that are not acknowledged.
type Left = (u32, u32);

/// Columns: whether it is plain TCP, what is left, for how long the peer has been silent, and whether the orphan
/// waits once more.
fn check_orphans() -> Check {
    let nothing: Left = (0, 0);
    let (just_now, at_the_end) = (0, ORPHAN_PATIENCE.saturating_sub(1));
    for (name, plain, left, silence, waits) in [
        ("the peer has everything", false, nothing, just_now, false),
        ("it takes data", false, (9, 9), just_now, true),
        ("it takes data slowly", false, (0, 9), at_the_end, true),
        ("it takes none", false, (9, 9), ORPHAN_PATIENCE, false),
        ("nothing is on its way", false, (9, 0), just_now, false),
        ("plain: TCP has everything", true, (0, 9), just_now, false),
        ("plain: TCP takes none", true, (9, 9), u64::MAX, true),
    ] {
        let rest = Rest {
            fell_back: plain,
            ..Rest::default()
        };
        let mut send = SendState::new(Dsn::new(u64::MAX), 100);
        send.on_written(left.0.saturating_add(left.1));
        send.on_pushed(left.1);
        expect(stays_patient(&rest, &send, silence) == waits, name)?;
    }
    // Only the DATA_FIN is missing.
    let mut send = SendState::new(Dsn::new(7), 100);
    send.on_fin_queued();
    send.on_fin_sent();
    expect(stays_patient(&Rest::default(), &send, 0), "end")?;
    expect(
        !stays_patient(&Rest::default(), &send, ORPHAN_PATIENCE),
        "end in vain",
    )
}
