// SPDX-License-Identifier: GPL-2.0

//! When an established connection goes on as plain TCP, and when it must not
//! (RFC 8684 section 3.7).

use crate::send::SendState;
use crate::seq::{Dsn, Ssn};

/// What the decision depends on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Circumstances {
    /// The connection never had more than this one subflow.
    pub only_subflow: bool,
    /// A DSS was received on this subflow before.
    pub dss_seen: bool,
    /// All data received so far was in order at the data level, and nothing waits out of order.
    pub in_order: bool,
    /// Data was sent again at the data level, so that the streams of subflow and connection are
    /// no longer the same.
    pub retransmitted: bool,
    /// The connection is plain TCP already.
    pub fell_back: bool,
}

/// The answer to a subflow on which MPTCP does not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Go on as plain TCP on this subflow, from the byte at hand on.
    FallBack,
    /// Reset the subflow, with MP_TCPRST and the given reason if options still pass.
    Reset,
    /// Nothing is wrong.
    Ignore,
}

/// The answer to a checksum failure (RFC 8684 section 3.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChecksumAnswer {
    /// Send MP_FAIL, keep the data, and go on as plain TCP.
    FailAndFallBack,
    /// Send RST with MP_FAIL and discard the data; another subflow delivers it.
    FailAndReset,
}

impl Circumstances {
    /// Whether the byte streams of subflow and connection are the same from here on, so that an
    /// infinite mapping describes them.
    ///
    /// RFC 8684 section 3.7: fallback is possible only on a single subflow whose data is
    /// contiguous.
    // rfc8684:3.7-20
    #[inline]
    pub const fn contiguous(&self) -> bool {
        self.only_subflow && self.in_order && !self.retransmitted
    }

    /// Plain TCP where it is possible, the end of the subflow where it is not.
    // rfc8684:3.7-19
    #[inline]
    const fn answer(&self) -> Answer {
        if self.fell_back {
            Answer::Ignore
        } else if self.contiguous() {
            Answer::FallBack
        } else {
            Answer::Reset
        }
    }
}

/// Data arrived that no mapping covers.
///
/// RFC 8684 section 3.7: a peer that sees no DSS of ours, because the path removes options, goes on
/// as plain TCP. That its own DSS passed until then does not matter: as long as the streams of
/// the only subflow and the connection are the same, the data is what it seems to be. Otherwise
/// the subflow must be closed.
// rfc8684:3.3.1-4 rfc8684:3.7-7
#[inline]
pub const fn on_unmapped_data(circumstances: &Circumstances) -> Answer {
    circumstances.answer()
}

/// A mapping of length zero arrived: the peer fell back.
///
/// RFC 8684 section 3.7: an infinite mapping is legal only on the only subflow.
#[inline]
pub const fn on_infinite_mapping(circumstances: &Circumstances) -> Answer {
    circumstances.answer()
}

/// Whether the peer has yet to show that it understands what the subflow was given. `heard` says whether
/// any option since the handshake showed that it speaks MPTCP, `given` is the number after the last byte
/// that TCP was given. So long an acknowledgement may mean what [`on_plain_ack`] decides.
#[inline]
pub const fn is_untold(heard: bool, given: Ssn) -> bool {
    !heard && given.after(Ssn::new(1))
}

/// TCP had its bytes before `acked` acknowledged; `heard` and `given` are those of [`is_untold`]. Returns
/// whether to go on as plain TCP.
///
/// RFC 8684 section 3.7: an acknowledgement of data without a data acknowledgement, before any of
/// those came, means that the path or the peer does not speak MPTCP.
// rfc8684:3.7-5
#[inline]
pub fn on_plain_ack(
    heard: bool,
    given: Ssn,
    acked: Ssn,
    circumstances: impl FnOnce() -> Circumstances,
) -> bool {
    is_untold(heard, given)
        && acked.after(Ssn::new(1))
        && circumstances().answer() == Answer::FallBack
}

/// Whether an MP_FAIL about the mapping that holds `dsn` can be true. `checksums` says whether they were agreed
/// on.
///
/// RFC 8684 section 3.7: the mapping is one that the peer has not acknowledged. An attacker who does not see
/// the numbers must not be able to end MPTCP.
#[inline]
pub const fn may_have_failed(dsn: Dsn, checksums: bool, send: &SendState) -> bool {
    checksums && !dsn.before(send.una()) && dsn.before(send.nxt())
}

/// MP_FAIL arrived: a checksum of ours failed at the peer.
///
/// RFC 8684 section 3.7: on a single subflow with contiguous data answer with an infinite mapping,
/// otherwise close the subflow.
#[inline]
pub const fn on_mp_fail(circumstances: &Circumstances) -> Answer {
    on_infinite_mapping(circumstances)
}

/// The checksum of a mapping is wrong.
// rfc8684:3.7-13
#[inline]
pub const fn on_checksum_failure(circumstances: &Circumstances) -> ChecksumAnswer {
    if circumstances.contiguous() {
        ChecksumAnswer::FailAndFallBack
    } else {
        ChecksumAnswer::FailAndReset
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::fallback::check(), Ok(()));
    }
}
