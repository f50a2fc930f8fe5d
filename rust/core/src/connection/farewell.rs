// SPDX-License-Identifier: GPL-2.0

//! What a connection that fell back in the middle still has to say (RFC 8684 section 3.7).

use super::arrival::shows_mptcp;
use crate::seq::{Dsn, Ssn};
use crate::wire::plan::Wanted;
use crate::wire::{Dss, DssMap, MpFail, Received, WireSeq};

/// How many segments carry MP_FAIL if the peer does not show that it has it. A peer that never gets
/// it sends data again into what is plain TCP here.
const REPEATS: u8 = 16;
/// How many segments carry the answer to the peer's MP_FAIL, which nothing confirms.
const ANSWERS: u8 = 3;

/// The last options of a connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Farewell {
    fail: Option<Fail>,
    /// Either end's MP_FAIL is known here, so another one is an answer or a repetition.
    failed: bool,
    /// A byte that we sent, in both sequence spaces: from there on the streams are the same.
    infinite: Option<(Ssn, Dsn)>,
    checksums: bool,
}

/// An MP_FAIL that is to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Fail {
    dsn: Dsn,
    /// How many segments carry it yet.
    left: u8,
    /// It answers the peer's.
    answer: bool,
    /// An answer was sent, with the data at this number if there is one.
    said: Option<Option<Ssn>>,
}

impl Farewell {
    /// The farewell of an end whose next byte has the numbers `ssn` and `dsn`; `checksums` says
    /// whether they were in use.
    #[inline]
    pub const fn new(ssn: Ssn, dsn: Dsn, checksums: bool) -> Self {
        Self {
            fail: None,
            failed: false,
            infinite: Some((ssn, dsn)),
            checksums,
        }
    }

    /// Tells the peer that the checksum of its mapping at `dsn` was wrong.
    #[inline]
    pub fn complain(&mut self, dsn: Dsn) {
        self.failed = true;
        self.fail = Some(Fail {
            dsn,
            left: REPEATS,
            answer: false,
            said: None,
        });
    }

    /// Answers the peer's MP_FAIL. `rcv_nxt` is the next data sequence number expected.
    ///
    /// RFC 8684 section 3.7: whatever direction was damaged, both ends say MP_FAIL. The kernel's own
    /// implementation resets the subflow when no answer comes.
    // rfc8684:3.7-14
    #[inline]
    pub fn answer(&mut self, rcv_nxt: Dsn) {
        self.failed = true;
        self.fail = Some(Fail {
            dsn: rcv_nxt,
            left: ANSWERS,
            answer: true,
            said: None,
        });
    }

    /// Whether nothing is left to say.
    #[inline]
    pub const fn is_over(&self) -> bool {
        self.fail.is_none() && self.infinite.is_none()
    }

    /// Takes note of a segment with options that came after the fallback: the peer may have heard
    /// our MP_FAIL, or have one of its own, as who fell back for another reason learns here. Returns
    /// whether an answer is due, see [`answer`](Self::answer).
    ///
    /// An answer is not confirmed by another MP_FAIL, which may be the same once more.
    #[inline]
    pub fn heard(&mut self, received: &Received) -> bool {
        let knows = received.mp_fail.is_some() || !shows_mptcp(received);
        self.fail = self.fail.filter(|fail| fail.answer || !knows);
        received.mp_fail.is_some() && !self.failed
    }

    /// The options of a segment at `at` of which `has_data` says whether it carries data; `acked` is
    /// the first number that the peer's TCP has not acknowledged.
    ///
    /// MP_FAIL tells of the wrong checksum, an infinite mapping tells the peer that MPTCP ended and
    /// where. Both at once may not fit. The failure goes first, also as an answer: the kernel's own
    /// implementation reads no options after the mapping. But only one segment of data has the answer
    /// in place of the mapping, whenever it is sent. Later segments say nothing.
    // rfc8684:3.3.1-19 rfc8684:3.7-6 rfc8684:3.7-18
    pub fn say(&mut self, at: Ssn, has_data: bool, acked: Ssn) -> Wanted {
        // Once its first byte is acknowledged, the peer has what there is to know.
        self.infinite = self.infinite.filter(|(first, _)| !acked.after(*first));
        let start = self
            .infinite
            .filter(|(first, _)| has_data && !at.before(*first));
        let at_data = has_data.then_some(at);
        let goes_first = |fail: &Fail| !fail.answer || fail.said.is_none_or(|said| said == at_data);
        let fail = self.fail.filter(|fail| start.is_none() || goes_first(fail));
        if let Some(fail) = fail {
            let said = fail.said.or(Some(at_data));
            let left = match fail.said {
                Some(before) if fail.answer && has_data && before == at_data => fail.left,
                _ => fail.left.saturating_sub(1),
            };
            self.fail = (left > 0).then_some(Fail { left, said, ..fail });
        }
        let map = start.filter(|_| fail.is_none());
        Wanted {
            dss: map.map(|(first, dsn)| Dss {
                map: Some(DssMap {
                    dsn: WireSeq::long(dsn.plus(u64::from(at.since(first)))),
                    ssn: at,
                    len: 0,
                    checksum: self.checksums.then_some(0),
                }),
                ..Dss::default()
            }),
            mp_fail: fail.map(|fail| MpFail { dsn: fail.dsn }),
            ..Wanted::default()
        }
    }
}

#[cfg(test)]
mod tests;
