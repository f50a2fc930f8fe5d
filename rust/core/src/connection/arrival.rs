// SPDX-License-Identifier: GPL-2.0

//! What is believed of an arriving segment before TCP has seen it.

use super::handshake::Agreed;
use crate::acceptable::{Refusal, Verdict};
use crate::mapping::{RecordError, Recorded, RxMapping};
use crate::seq::{Dsn, Ssn};
use crate::wire::{CapableContent, Dss, Received, ResetReason, Version};

/// What to do with a segment that has options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Act on its options and let TCP have it.
    Believe,
    /// Let TCP have it, but do not read its options.
    Ignore,
    /// TCP must not see it: it might take the data without the mapping.
    Drop,
}

/// Decides how far a segment is to be believed on which TCP's own tests gave `verdict`.
///
/// `payload_len` are its bytes of data; `old` says whether it starts before what TCP expects,
/// `fastclose` whether it carries MP_FASTCLOSE.
// rfc8684:3.5-1
#[inline]
pub const fn trust(verdict: Verdict, payload_len: u32, old: bool, fastclose: bool) -> Trust {
    match verdict {
        Verdict::Accept | Verdict::Reset => Trust::Believe,
        // A reset hits the number that TCP expects once it has worked off its backlog. If it
        // carries our key (RFC 8684 section 3.5) it is the peer's wherever it hits.
        Verdict::Refuse(Refusal::ResetGuess) if fastclose => Trust::Believe,
        // TCP must answer what it has received before.
        Verdict::Refuse(Refusal::Sequence) if old => Trust::Ignore,
        Verdict::Refuse(_) if payload_len == 0 => Trust::Ignore,
        // The peer sends it again.
        Verdict::Refuse(_) => Trust::Drop,
    }
}

/// Whether TCP may see a segment with whose mapping the table did this.
///
/// RFC 8684 section 3.3.1: a mapping must not change, and data without one has no place in the stream. TCP would
/// acknowledge the data; not having seen it, it gets it again. What no window reaches TCP drops itself.
#[inline]
pub const fn may_pass(recorded: Result<Recorded, RecordError>) -> bool {
    !matches!(recorded, Err(RecordError::Conflict | RecordError::Full))
}

/// What the DSS of a segment says about data, in full numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Announced {
    /// The number of the peer's DATA_FIN.
    pub fin: Option<Dsn>,
    /// The mapping to record.
    pub mapping: Option<RxMapping>,
    /// The mapping has a checksum against the agreement, or none: the subflow is to be reset for this
    /// reason, and TCP must not see the segment.
    pub broken: Option<ResetReason>,
}

/// Reads the mapping and the DATA_FIN of a DSS.
///
/// `rcv_nxt` is the next data sequence number expected, `payload_len` the bytes of data in the
/// segment, `agreed` what the handshake agreed on.
///
/// RFC 8684 section 3.3.3: the DATA_FIN is the last of the mapping's numbers. Section 3.3: a checksum
/// is there exactly if that was agreed on; RFC 6824 section 3.3: one that was not is ignored. Only a
/// mapping of data that came with it is held against its sender, for a segment without data is easier
/// to forge.
// rfc8684:3.3-1 rfc8684:3.3-2 rfc8684:3.3-5 rfc8684:3.3.2-8 rfc8684:v0-8
#[inline]
pub fn announced(dss: &Dss, rcv_nxt: Dsn, payload_len: u32, agreed: Agreed) -> Announced {
    let Some(map) = dss.map else {
        return Announced::default();
    };
    let len = dss.data_len().filter(|_| payload_len > 0);
    let sums = agreed.checksum;
    let amiss = match agreed.version {
        Version::V0 => sums && map.checksum.is_none(),
        Version::V1 => sums != map.checksum.is_some(),
    };
    if amiss && len.is_some_and(|len| len > 0) {
        return Announced {
            broken: Some(ResetReason::MPTCP_SPECIFIC),
            ..Announced::default()
        };
    }
    let mapping = len.map(|len| RxMapping {
        ssn: map.ssn,
        dsn: map.dsn.expand(rcv_nxt),
        len,
        checksum: map.checksum.filter(|_| sums && len > 0),
        data_fin: dss.data_fin,
    });
    Announced {
        fin: dss.data_fin_at(rcv_nxt),
        mapping,
        broken: None,
    }
}

/// The mapping that an MP_CAPABLE with data implies: it starts at `first`, the client's initial
/// data sequence number plus one, and at relative subflow sequence number one (RFC 8684 section
/// 3.1). Only a server reads it. `checksums` says whether they are in use.
// rfc8684:3.1-20
#[inline]
pub fn implied(received: &Received, first: Dsn, checksums: bool) -> Option<RxMapping> {
    let CapableContent::AckData {
        data_len, checksum, ..
    } = received.mp_capable?.content
    else {
        return None;
    };
    let checksum = checksum.filter(|_| checksums);
    // A length of zero would mean an infinite mapping, which this option cannot say.
    let valid = data_len > 0 && checksum.is_some() == checksums;
    valid.then_some(RxMapping {
        ssn: Ssn::new(1),
        dsn: first,
        len: data_len,
        checksum,
        data_fin: false,
    })
}

/// Whether a segment shows that the peer still speaks MPTCP. MP_CAPABLE and MP_FAIL do not: the one
/// is repeated by a client that has not heard us, the other says that MPTCP ended.
#[inline]
pub const fn shows_mptcp(received: &Received) -> bool {
    let infinite = match received.dss {
        Some(Dss {
            map: Some(map),
            data_fin: false,
            ..
        }) => map.len == 0,
        _ => false,
    };
    (received.dss.is_some() && !infinite)
        || received.add_addr.is_some()
        || received.remove_addr.is_some()
        || received.mp_prio.is_some()
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::arrival::check(), Ok(()));
    }
}
