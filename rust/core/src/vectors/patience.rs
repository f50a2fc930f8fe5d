// SPDX-License-Identifier: GPL-2.0

//! How long a connection tries what does not work.

use super::{expect, Check};
use crate::connection::blackhole::{offers_mptcp, SYN_REPETITIONS};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_syns()
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
