// SPDX-License-Identifier: GPL-2.0

//! When a connection is aborted, how its peer is told, and who is believed to tell.

use super::plan::NOTHING;
use super::{expect, Check};
use crate::connection::abort::{is_told, of_ack, step, tells_ahead, Step};
use crate::connection::ending::{on_close, Farewell};
use crate::connection::speech::{of_reset, Reset};
use crate::crypto::Key;
use crate::seq::Dsn;
use crate::wire::plan::{plan, Wanted};
use crate::wire::{
    MpFail, MpFastclose, MpTcpRst, Received, ResetReason, SegmentKind, Version, OPTION_SPACE,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_closing()?;
    check_steps()?;
    check_resets()?;
    check_ack()?;
    check_told()
}

/// Columns: whether data is unread, whether the application asked for the end without delay; how it ends.
fn check_closing() -> Check {
    for (name, unread, lingers_zero, farewell) in [
        ("all was read", false, false, Farewell::Close),
        ("data is unread", true, false, Farewell::Abort),
        ("no delay", false, true, Farewell::Abort),
        ("no delay and unread data", true, true, Farewell::Abort),
    ] {
        expect(on_close(unread, lingers_zero) == farewell, name)?;
    }
    Ok(())
}

/// Columns: the version, how often it was told on an ACK, how it goes on.
// rfc8684:3.5-4 rfc8684:3.5-5 rfc8684:v0-6
fn check_steps() -> Check {
    for (name, version, sent, expected) in [
        ("version 1 resets at once", Version::V1, 0, Step::Reset),
        ("version 1 resets always", Version::V1, u8::MAX, Step::Reset),
        ("version 0 asks", Version::V0, 0, Step::Ask),
        ("version 0 asks again", Version::V0, 1, Step::Ask),
        ("version 0 asks a third time", Version::V0, 2, Step::Ask),
        ("version 0 resets after that", Version::V0, 3, Step::Reset),
        ("version 0 resets then", Version::V0, u8::MAX, Step::Reset),
    ] {
        expect(step(version, sent) == expected, name)?;
    }
    Ok(())
}

const THEIRS: Key = Key::new(0x0102_0304_0506_0708);
const FASTCLOSE: Wanted = Wanted {
    fastclose: Some(MpFastclose { receiver: THEIRS }),
    ..NOTHING
};
const REASON: Wanted = Wanted {
    tcp_rst: Some(MpTcpRst {
        transient: false,
        reason: ResetReason::MIDDLEBOX_INTERFERENCE,
    }),
    ..NOTHING
};
const FAIL: Wanted = Wanted {
    mp_fail: Some(MpFail { dsn: Dsn::new(5) }),
    ..REASON
};

/// Columns: why, what the RST says; what the RST of an aborted connection says. An ACK goes ahead where it is
/// MP_FASTCLOSE.
// rfc8684:3.5-2 rfc8684:3.5-5 rfc8684:3.7-9 rfc8684:3.7-15
fn check_resets() -> Check {
    let reason = Reset::Reason(ResetReason::MIDDLEBOX_INTERFERENCE);
    let failed = Reset::Fail(Dsn::new(5));
    for (name, reset, said, aborted) in [
        ("TCP's own reason", Reset::Tcp, NOTHING, FASTCLOSE),
        ("abort", Reset::Fastclose, FASTCLOSE, FASTCLOSE),
        ("a reason", reason, REASON, REASON),
        ("a wrong checksum", failed, FAIL, FAIL),
    ] {
        expect(of_reset(reset, THEIRS) == said, name)?;
        expect(tells_ahead(reset) == said.fastclose.is_some(), name)?;
        expect(of_reset(reset.or_fastclose(), THEIRS) == aborted, name)?;
        // Timestamps leave room for all of it.
        expect(plan(&said, OPTION_SPACE - 12).carried == said, name)?;
    }
    Ok(())
}

/// The bytes of MP_FASTCLOSE on an ACK.
const ON_ACK: [u8; 12] = [0x1e, 12, 0x70, 0, 1, 2, 3, 4, 5, 6, 7, 8];

fn check_ack() -> Check {
    let name = "MP_FASTCLOSE on an ACK";
    let mut room = [0; OPTION_SPACE];
    let length = plan(&of_ack(THEIRS), OPTION_SPACE).emit_as(Version::V0, &mut room);
    let written = length.and_then(|length| room.get(..length));
    expect(written == Some(&ON_ACK[..]), name)?;
    let received = Received::parse_as(Version::V0, &ON_ACK, SegmentKind::ACK);
    expect(is_told(&received, THEIRS), name)
}

// rfc8684:3.5-1
fn check_told() -> Check {
    for (name, options, ours, told) in [
        ("our key", &ON_ACK[..], THEIRS, true),
        ("another key", &ON_ACK[..], Key::new(7), false),
        ("no key", &[], THEIRS, false),
        ("half a key", &[0x1e, 8, 0x70, 0, 1, 2, 3, 4], THEIRS, false),
    ] {
        let received = Received::parse(options, SegmentKind::ACK);
        expect(is_told(&received, ours) == told, name)?;
    }
    Ok(())
}
