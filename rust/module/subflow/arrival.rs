// SPDX-License-Identifier: GPL-2.0

//! Segments of a subflow before TCP sees them: their options are read here.
//!
//! Nothing is locked, and TCP has not judged the segment yet. So whatever an option says is believed
//! only after the tests that TCP will make, and only within the option's own bounds.

use crate::connection::{abort, count, publish_state, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::push;
use kernel::prelude::*;
use knet::meta::DataGuard;
use knet::protocol::Verdict;
use knet::segment::Incoming;
use knet::sock::Sock;
use knet::subflow::{snapshot, Snapshot};
use mptcp_core::acceptable::{self, judge, Expected, Refusal};
use mptcp_core::connection::handshake::{establishes_client, establishes_server};
use mptcp_core::connection::state::Event;
use mptcp_core::mapping::{RecordError, RxMapping};
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{CapableContent, Dss, DssMap, Received, SegmentKind};

/// What the segment calls for once the data lock is given up.
#[derive(Default)]
struct Consequences {
    acknowledged: bool,
    finished: bool,
    aborted: bool,
    drop: bool,
}

/// A segment with MPTCP options arrived for a subflow.
pub(crate) fn arrived(meta: &Meta, tcp: &Sock, segment: &Incoming<'_>) -> Verdict {
    let sock = meta.sock();
    let kind = SegmentKind {
        syn: segment.flags.syn(),
        ack: segment.flags.ack(),
        payload_len: segment.payload_len,
    };
    let received = Received::parse(segment.options, kind);
    count(sock, Counter::RxHookSegments);
    if received.malformed > 0 {
        count(sock, Counter::MalformedOption);
    }
    if !received.has_mptcp() {
        return Verdict::Accept;
    }
    let numbers = snapshot(tcp);
    if let Some(refusal) = refusal(&numbers, segment, &received) {
        count(sock, Counter::UnacceptableSegment);
        // TCP must answer what it has received before. Other data it would throw away or, if
        // it knows more than was read here, take without the mapping that is not believed; the
        // peer sends it again.
        let old =
            refusal == Refusal::Sequence && Ssn::new(segment.seq).before(Ssn::new(numbers.rcv_nxt));
        let keep = segment.payload_len == 0 || old;
        // A reset hits the number that TCP expects once it has worked off its backlog. If it
        // carries our key it is the peer's wherever it hits.
        let proven = refusal == Refusal::ResetGuess && received.fastclose.is_some();
        if !proven {
            return if keep { Verdict::Accept } else { Verdict::Drop };
        }
    }
    if !segment.checksum_is_right() {
        return Verdict::Accept;
    }
    let consequences = {
        let mut connection = meta.lock_data();
        if connection.mode != Mode::Mptcp || connection.subflow_of(tcp).is_none() {
            return Verdict::Accept;
        }
        believe(&mut connection, segment, &received, &numbers)
    };
    if consequences.aborted {
        abort(meta, ECONNRESET.to_errno().wrapping_neg());
    }
    if consequences.acknowledged && sock.is_writeable() {
        sock.notify_writeable();
    }
    if consequences.finished {
        sock.notify_state();
        if sock.is_orphan() {
            meta.schedule_work();
        }
    }
    if consequences.drop {
        Verdict::Drop
    } else {
        Verdict::Accept
    }
}

/// Why TCP will not accept a segment.
fn refusal(numbers: &Snapshot, segment: &Incoming<'_>, received: &Received) -> Option<Refusal> {
    let expected = Expected {
        rcv_nxt: Ssn::new(numbers.rcv_nxt),
        rcv_wup: Ssn::new(numbers.rcv_wup),
        rcv_wnd: numbers.rcv_wnd,
        snd_una: Ssn::new(numbers.snd_una),
        // The peer may answer a segment before this CPU sees `snd_nxt` move.
        snd_nxt: Ssn::new(numbers.write_seq),
        max_window: numbers.max_window,
        ts_recent: numbers.timestamps.then_some(numbers.ts_recent),
    };
    let facts = acceptable::Segment {
        seq: Ssn::new(segment.seq),
        ack_seq: Ssn::new(segment.ack),
        payload_len: segment.payload_len,
        syn: segment.flags.syn(),
        ack: segment.flags.ack(),
        fin: segment.flags.fin(),
        rst: segment.flags.rst(),
        timestamp: received.timestamp,
    };
    match judge(&expected, &facts) {
        acceptable::Verdict::Refuse(refusal) => Some(refusal),
        _ => None,
    }
}

/// Acts on the options of a segment that is as trustworthy as its data.
fn believe(
    connection: &mut DataGuard<'_, Mptcp>,
    segment: &Incoming<'_>,
    received: &Received,
    numbers: &Snapshot,
) -> Consequences {
    let sock = connection.meta().sock();
    let mut consequences = Consequences::default();
    if !connection.fully_established {
        connection.fully_established = if connection.client {
            establishes_client(received)
        } else {
            establishes_server(received)
        };
    }
    if let Some(fastclose) = received.fastclose {
        // RFC 8684 section 3.5: the receiver's key proves that the sender is the peer.
        if fastclose.receiver == connection.local_key {
            count(sock, Counter::MpFastcloseRx);
            consequences.aborted = true;
            return consequences;
        }
    }
    if received.tcp_rst.is_some() && segment.flags.rst() {
        count(sock, Counter::MpRstRx);
    }
    if received.mp_fail.is_some() {
        count(sock, Counter::MpFailRx);
    }
    if let Some(CapableContent::AckData {
        data_len, checksum, ..
    }) = received.mp_capable.map(|option| option.content)
    {
        first_data(connection, data_len, checksum);
    }
    if let Some(dss) = received.dss {
        let before = connection.state;
        if let Some(ack) = dss.data_ack {
            let ack = ack.expand(connection.send.una());
            let window = u32::from(segment.window) << numbers.snd_wscale.min(14);
            consequences.acknowledged = push::acknowledge(connection, ack, window);
        }
        consequences.drop = !take_mapping(connection, &dss, segment.payload_len);
        if connection.state != before {
            publish_state(connection);
            consequences.finished = true;
        }
    }
    consequences
}

/// The mapping that an MP_CAPABLE with data implies (RFC 8684 section 3.1).
fn first_data(connection: &mut Connection, len: u16, checksum: Option<u16>) {
    if connection.client || len == 0 {
        return;
    }
    let dsn = connection.remote_first();
    let checksum = checksum.filter(|_| connection.agreed.checksum);
    if let Some(subflow) = connection.subflow.as_mut() {
        let mapping = RxMapping {
            ssn: Ssn::new(1),
            dsn,
            len,
            checksum,
            data_fin: false,
        };
        subflow.dss_seen |= subflow.rx.record(mapping).is_ok();
    }
}

/// Takes note of a mapping or DATA_FIN. Returns whether TCP may see the segment.
fn take_mapping(connection: &mut DataGuard<'_, Mptcp>, dss: &Dss, payload_len: u32) -> bool {
    let sock = connection.meta().sock();
    let Some(map) = dss.map else { return true };
    let dsn = map.dsn.expand(connection.receive.rcv_nxt());
    let mut len = map.len;
    if dss.data_fin {
        // RFC 8684 section 3.3.3: the DATA_FIN is the last of the mapping's numbers.
        let Some(without) = len.checked_sub(1) else {
            return true;
        };
        data_fin(connection, dsn.plus(u64::from(without)));
        len = without;
        if len == 0 {
            return true;
        }
    }
    if payload_len == 0 {
        return true;
    }
    if len == 0 {
        count(sock, Counter::InfiniteMapRx);
    }
    let Some(mapping) = receive_mapping(connection, dsn, len, &map, dss.data_fin) else {
        return true;
    };
    let Some(subflow) = connection.subflow.as_mut() else {
        return true;
    };
    subflow.dss_seen = true;
    match subflow.rx.record(mapping) {
        Ok(_) => true,
        Err(RecordError::Conflict) => {
            count(sock, Counter::DssNotMatching);
            false
        }
        Err(RecordError::Full) => {
            count(sock, Counter::RxMappingFull);
            false
        }
        Err(RecordError::Outside) => true,
    }
}

/// The mapping to record, or nothing if it breaks what was agreed on.
fn receive_mapping(
    connection: &Connection,
    dsn: Dsn,
    len: u16,
    map: &DssMap,
    data_fin: bool,
) -> Option<RxMapping> {
    let checksum = if connection.agreed.checksum && len > 0 {
        // RFC 8684 section 3.3: an agreed checksum must be there.
        Some(map.checksum?)
    } else {
        None
    };
    Some(RxMapping {
        ssn: map.ssn,
        dsn,
        len,
        checksum,
        data_fin,
    })
}

/// The peer sends no data from `fin` on.
fn data_fin(connection: &mut DataGuard<'_, Mptcp>, fin: Dsn) {
    if let Some(subflow) = connection.subflow.as_mut() {
        // RFC 8684 section 3.3.3: a DATA_FIN is acknowledged at the data level. TCP reports
        // room after every segment, also after one that it does not acknowledge.
        subflow.ack_due = true;
    }
    let edge = connection.window.edge();
    if connection.receive.on_data_fin(fin, edge) == Ok(true) {
        end_of_stream(connection);
    }
}

/// All data and the DATA_FIN are here.
pub(crate) fn end_of_stream(connection: &mut DataGuard<'_, Mptcp>) {
    connection.advance(Event::FinReceived);
    connection
        .meta()
        .sock()
        .add_shutdown(knet::sock::shutdown::RECEIVE);
}
