// SPDX-License-Identifier: GPL-2.0

//! What the segments of an established connection say.

use super::handshake::{
    client_ack, client_speaks, version0, Agreed, ClientSpeaks, FirstMapping, Policy,
};
use crate::crypto::{Key, KeyPair};
use crate::mapping::{DssChecksum, TxRecord};
use crate::seq::{Dsn, Ssn};
use crate::wire::plan::Wanted;
use crate::wire::{
    Dss, DssMap, MpCapable, MpFail, MpFastclose, MpTcpRst, ResetReason, Version, WireSeq,
};

/// What a connection that speaks MPTCP has to say.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Speaker {
    /// We connected, as opposed to accepted.
    pub client: bool,
    /// The peer is known to have all of the handshake (RFC 8684 section 3.1).
    pub fully_established: bool,
    /// What we asked for in the handshake.
    pub policy: Policy,
    /// What was agreed on.
    pub agreed: Agreed,
    /// Both keys, ours as the sender's.
    pub keys: KeyPair,
    /// The data acknowledgement.
    pub rcv_nxt: Dsn,
    /// The number of a DATA_FIN that was sent and is not acknowledged.
    pub fin_in_flight: Option<Dsn>,
}

/// Why a subflow is reset.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reset {
    /// TCP has its own reason.
    #[default]
    Tcp,
    /// The connection is aborted (RFC 8684 section 3.5).
    Fastclose,
    /// The subflow is of no use (RFC 8684 section 3.6).
    Reason(ResetReason),
    /// The checksum of the mapping at this number was wrong, and plain TCP is not possible
    /// (RFC 8684 section 3.7).
    Fail(Dsn),
}

impl Reset {
    /// The same, but that it tells the end of the connection if it would tell nothing.
    ///
    /// RFC 8684 section 3.5: of plain RSTs the peer knows only that it lost its subflows, and waits for others.
    #[inline]
    pub const fn or_fastclose(self) -> Self {
        match self {
            Self::Tcp => Self::Fastclose,
            other => other,
        }
    }
}

/// The options of a segment. `has_data` says whether it carries data, `record` is the mapping that
/// covers it.
#[inline]
pub fn of_segment(speaker: &Speaker, has_data: bool, record: Option<&TxRecord>) -> Wanted {
    let record = record.filter(|_| has_data);
    match capable(speaker, has_data, record) {
        Some(first) => Wanted {
            mp_capable: Some(third_ack(speaker, first)),
            ..Wanted::default()
        },
        None => Wanted {
            dss: Some(dss(speaker, has_data, record)),
            ..Wanted::default()
        },
    }
}

/// As [`of_segment`], for the segments that carry nothing but a DSS: nearly all.
#[inline]
pub fn lone_dss(speaker: &Speaker, has_data: bool, record: Option<&TxRecord>) -> Option<Dss> {
    let record = record.filter(|_| has_data);
    match capable(speaker, has_data, record) {
        Some(_) => None,
        None => Some(dss(speaker, has_data, record)),
    }
}

#[inline]
const fn third_ack(speaker: &Speaker, first: Option<FirstMapping>) -> MpCapable {
    match speaker.agreed.version {
        Version::V0 => version0::client_ack(speaker.agreed, speaker.keys),
        Version::V1 => {
            let KeyPair { sender, receiver } = speaker.keys;
            client_ack(speaker.policy, speaker.agreed, sender, receiver, first)
        }
    }
}

/// The options of a RST. `receiver` is the peer's key.
// rfc8684:3.5-2
#[inline]
pub const fn of_reset(reset: Reset, receiver: Key) -> Wanted {
    let (fastclose, tcp_rst, mp_fail) = match reset {
        Reset::Tcp => (None, None, None),
        // RFC 8684 section 3.5: the peer's key proves that the sender is the peer.
        Reset::Fastclose => (Some(MpFastclose { receiver }), None, None),
        Reset::Reason(reason) => (None, because(reason), None),
        // RFC 8684 section 3.7: the RST of a subflow with a wrong checksum carries MP_FAIL.
        Reset::Fail(dsn) => (
            None,
            because(ResetReason::MIDDLEBOX_INTERFERENCE),
            Some(MpFail { dsn }),
        ),
    };
    Wanted {
        mp_capable: None,
        mp_join: None,
        fastclose,
        tcp_rst,
        dss: None,
        mp_fail,
        mp_prio: None,
        add_addr: None,
        remove_addr: None,
    }
}

#[inline]
const fn because(reason: ResetReason) -> Option<MpTcpRst> {
    Some(MpTcpRst {
        transient: false,
        reason,
    })
}

/// Whether the segment carries MP_CAPABLE, and the mapping that this implies: never one in version 0
/// (RFC 6824 section 3.1).
///
/// A DATA_FIN without data needs a DSS, so it is told even before the handshake is known to be
/// complete.
// rfc8684:v0-4 rfc8684:3.1-26
#[inline]
fn capable(
    speaker: &Speaker,
    has_data: bool,
    record: Option<&TxRecord>,
) -> Option<Option<FirstMapping>> {
    if !speaker.client {
        return None;
    }
    let is_first = speaker.agreed.version == Version::V1
        && record.is_some_and(|record| record.ssn == Ssn::new(1));
    match client_speaks(speaker.fully_established, has_data, is_first) {
        ClientSpeaks::Dss => None,
        ClientSpeaks::CapableAck if speaker.fin_in_flight.is_some() => None,
        ClientSpeaks::CapableAck => Some(None),
        ClientSpeaks::CapableData => Some(record.map(|record| FirstMapping {
            len: record.len,
            checksum: record.checksum,
        })),
    }
}

// rfc8684:3.3.1-7 rfc8684:3.3.1-11 rfc8684:3.7-2 rfc8684:3.3.2-4
#[inline]
fn dss(speaker: &Speaker, has_data: bool, record: Option<&TxRecord>) -> Dss {
    let map = match record {
        Some(record) => Some(DssMap {
            dsn: WireSeq::long(record.dsn),
            ssn: record.ssn,
            len: record.len,
            checksum: record.checksum,
        }),
        None if has_data => None,
        None => speaker
            .fin_in_flight
            .map(|fin| lone_data_fin(fin, speaker.agreed.checksum)),
    };
    Dss {
        data_ack: Some(WireSeq::long(speaker.rcv_nxt)),
        map,
        data_fin: !has_data && map.is_some(),
    }
}

/// The mapping of a DATA_FIN at `fin` without data.
///
/// RFC 8684 section 3.3.3: it has subflow sequence number zero and length one.
// rfc8684:3.3.3-4
#[inline]
fn lone_data_fin(fin: Dsn, checksums: bool) -> DssMap {
    let ssn = Ssn::new(0);
    DssMap {
        dsn: WireSeq::long(fin),
        ssn,
        len: 1,
        checksum: checksums.then(|| DssChecksum::new().finish(fin, ssn, 1)),
    }
}

#[cfg(test)]
mod tests;
