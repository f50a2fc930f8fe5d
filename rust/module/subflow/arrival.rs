// SPDX-License-Identifier: GPL-2.0

//! Segments of a subflow before TCP sees them: their options are read here.
//!
//! Nothing is locked, and TCP has not judged the segment yet. So whatever an option says is believed
//! only after the tests that TCP will make, and only within the option's own bounds.

use crate::connection::{abort, condemn, count, publish_state, Connection, Mode};
use crate::counters::Counter;
use crate::crypto::KernelSha256;
use crate::netns::Namespace;
use crate::path_manager::{self, paths};
use crate::protocol::{Meta, Mptcp};
use crate::steering;
use crate::subflow::{delivery, give, join, loss, mappings};
use kernel::prelude::*;
use knet::meta::DataGuard;
use knet::netns::{Net, PerNet};
use knet::protocol::Verdict;
use knet::segment::Incoming;
use knet::sock::Sock;
use knet::subflow::{snapshot, Snapshot};
use mptcp_core::acceptable::{self, Expected};
use mptcp_core::connection::abort::is_told;
use mptcp_core::connection::arrival::{announced, implied, may_pass, shows_mptcp, trust, Trust};
use mptcp_core::connection::fallback::{may_have_failed, on_mp_fail, Answer};
use mptcp_core::connection::handshake::{establishes_client, establishes_server};
use mptcp_core::connection::join::{
    acknowledgement_due,
    establishes_client as establishes_join, //
};
use mptcp_core::connection::state::Event;
use mptcp_core::mapping::RecordError;
use mptcp_core::receive::scaled;
use mptcp_core::scheduler::PathId;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{Dss, Received, ResetReason, SegmentKind, Version};

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
    match Received::parse_lone_dss(segment.options) {
        Some(received) => heard(meta, tcp, segment, &received),
        None => other_heard(meta, tcp, segment),
    }
}

/// As [`heard`], for what few segments say.
#[inline(never)]
fn other_heard(meta: &Meta, tcp: &Sock, segment: &Incoming<'_>) -> Verdict {
    let kind = SegmentKind {
        syn: segment.flags.syn(),
        ack: segment.flags.ack(),
    };
    let received = Received::parse_any(Version::V1, segment.options, kind);
    heard(meta, tcp, segment, &received)
}

/// What a segment says, is heard. It is compiled twice: what cannot be beside a lone DSS is not looked for there.
#[inline(always)]
fn heard(meta: &Meta, tcp: &Sock, segment: &Incoming<'_>, received: &Received) -> Verdict {
    let sock = meta.sock();
    count(meta, Counter::RxHookSegments);
    if received.malformed > 0 {
        count(sock, Counter::MalformedOption);
    }
    if !received.has_mptcp() {
        return Verdict::Accept;
    }
    let numbers = snapshot(tcp);
    let verdict = judge(&numbers, segment, received);
    if matches!(verdict, acceptable::Verdict::Refuse(_)) {
        count(sock, Counter::UnacceptableSegment);
    }
    let old = Ssn::new(segment.seq).before(Ssn::new(numbers.rcv_nxt));
    match trust(
        verdict,
        segment.payload_len,
        old,
        received.fastclose.is_some(),
    ) {
        Trust::Believe if segment.checksum_is_right() => {}
        Trust::Drop => return Verdict::Drop,
        Trust::Believe | Trust::Ignore => return Verdict::Accept,
    }
    let consequences = {
        let mut connection = meta.lock_data();
        let path = steering::segment_arrived(&mut connection, tcp, segment);
        match (connection.mode, path) {
            // Also from a subflow that was given up meanwhile.
            (Mode::Mptcp, _) if is_told(received, connection.local_key) => {
                count(sock, Counter::MpFastcloseRx);
                Consequences {
                    aborted: true,
                    ..Consequences::default()
                }
            }
            (Mode::Mptcp, Some(path)) => {
                believe(&mut connection, path, segment, received, &numbers)
            }
            (Mode::Fallback, Some(path)) => {
                farewell_heard(&mut connection, path, received, sock);
                return Verdict::Accept;
            }
            _ => return Verdict::Accept,
        }
    };
    if consequences.aborted {
        abort(meta, ECONNRESET.to_errno().wrapping_neg());
    }
    if consequences.acknowledged && sock.wants_room() {
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

/// A RST with options came, and there is no subflow that it belongs to: one without options overtook it, and
/// TCP has ended the subflow. The connection would wait for another then, in vain.
///
/// RFC 8684 section 3.5: the key says which connection the peer ended, and proves that it is the peer.
#[cold]
pub(crate) fn stray_reset(net: &Net, segment: &Incoming<'_>) {
    let received = Received::parse_any(Version::V1, segment.options, SegmentKind::ACK);
    let (Some(fastclose), Some(namespace)) = (received.fastclose, Namespace::of(net)) else {
        return;
    };
    if !segment.checksum_is_right() {
        return;
    }
    let token = fastclose.receiver.derive(&KernelSha256).token;
    let Some(meta) = namespace.tokens.find(token.raw()) else {
        return;
    };
    let ended = {
        let connection = meta.lock_data();
        connection.mode == Mode::Mptcp && is_told(&received, connection.local_key)
    };
    if ended {
        count(&*meta, Counter::MpFastcloseRx);
        abort(&meta, ECONNRESET.to_errno().wrapping_neg());
    }
}

/// What TCP will do with a segment.
fn judge(numbers: &Snapshot, segment: &Incoming<'_>, received: &Received) -> acceptable::Verdict {
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
    acceptable::judge(&expected, &facts)
}

/// A segment with options came after a fallback.
fn farewell_heard(connection: &mut Connection, path: PathId, received: &Received, sock: &Sock) {
    if received.mp_fail.is_some() {
        count(sock, Counter::MpFailRx);
    }
    let subflow = connection.subflows.at_mut(path);
    if subflow.is_some_and(|subflow| subflow.farewell.heard(received)) {
        answer_fail(connection, path);
    }
}

/// Acts on the options of a segment that is as trustworthy as its data.
#[inline(always)]
fn believe(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
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
        if connection.fully_established {
            paths::established(connection);
        }
    }
    if received.tcp_rst.is_some() && segment.flags.rst() {
        count(sock, Counter::MpRstRx);
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.reset_by_peer = received.tcp_rst;
        }
    }
    path_manager::arrival::heard(connection, path, received);
    note_speech(connection, path, segment, received);
    if connection.subflows.joined && Ssn::new(segment.ack).after(Ssn::new(numbers.snd_una)) {
        loss::answered(connection, path);
    }
    if establishes_join(received) {
        join::confirmed(connection, path);
    }
    if let Some(fail) = received.mp_fail {
        count(sock, Counter::MpFailRx);
        checksum_refused(connection, path, fail.dsn, numbers, &mut consequences);
        if connection.mode != Mode::Mptcp {
            return consequences;
        }
    }
    if !connection.client {
        let checksums = connection.agreed.checksum;
        if let Some(mapping) = implied(received, connection.remote_first(), checksums) {
            if let Some(subflow) = connection.subflows.first_mut() {
                subflow.dss_seen |= mappings::record(&mut subflow.rx, mapping).is_ok();
            }
        }
    }
    if acknowledgement_due(received) {
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.ack_due = true;
            subflow.sock.ask_for_report();
        }
    }
    if let Some(dss) = received.dss {
        let before = connection.state;
        if let Some(ack) = dss.data_ack {
            let ack = ack.expand(connection.send.una());
            let window = scaled(segment.window, numbers.snd_wscale);
            consequences.acknowledged = give::acknowledge(connection, ack, window);
            if consequences.acknowledged && connection.subflows.joined {
                report_to(connection, path);
            }
        }
        consequences.drop = !take_mapping(connection, path, &dss, segment);
        if connection.state != before {
            publish_state(connection);
            // TCP tells of the FIN in a moment. Who would not wait for that could not see yet that the peer is done
            // with the subflow too.
            let told_by_tcp = segment.flags.fin() && segment.seq == numbers.rcv_nxt;
            let told_soon = told_by_tcp && !connection.subflows.joined;
            consequences.finished = !told_soon && !connection.ended;
        }
    }
    consequences
}

/// A data acknowledgement came on one of several subflows. What it opens the window for may be another's to send,
/// and this one has nothing to report room for: TCP is to report it all the same, or nobody would send.
fn report_to(connection: &DataGuard<'_, Mptcp>, path: PathId) {
    let send = &connection.send;
    let waits = send.unsent() > 0 || send.fin_due() || send.retransmit_next().is_some();
    match connection.subflows.at(path).filter(|_| waits) {
        Some(subflow) if subflow.live => subflow.sock.ask_for_report(),
        // It gets no data any more.
        Some(_) => connection.meta().schedule_softirq_work(),
        None => {}
    }
}

/// Takes note of whether the segment shows that the peer speaks MPTCP, and how much it has heard.
#[inline(always)]
fn note_speech(
    connection: &mut Connection,
    path: PathId,
    segment: &Incoming<'_>,
    received: &Received,
) {
    let data_waits = connection.send.in_flight() > 0;
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    if shows_mptcp(received) {
        subflow.heard_ever = true;
        subflow.heard |= !subflow.sent(segment.ack).before(subflow.given);
        // A peer that only leaves the DATA_FIN unanswered has not seen it, however much it says.
        if data_waits {
            subflow.unheard = 0;
        }
    }
}

/// A checksum of ours was wrong at the peer, in the mapping that holds `dsn`.
///
/// RFC 8684 section 3.7: on a single subflow the answer is an infinite mapping.
fn checksum_refused(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    dsn: Dsn,
    numbers: &Snapshot,
    consequences: &mut Consequences,
) {
    let Some(subflow) = connection.subflows.at(path) else {
        return;
    };
    if !may_have_failed(dsn, connection.agreed.checksum, &connection.send) {
        return;
    }
    let next = subflow.received(numbers.copied_seq);
    match on_mp_fail(&connection.circumstances(path, next)) {
        Answer::FallBack => {
            delivery::fall_back(connection);
            answer_fail(connection, path);
            consequences.acknowledged = true;
        }
        Answer::Reset => condemn(connection, path, Some(ResetReason::MIDDLEBOX_INTERFERENCE)),
        Answer::Ignore => {}
    }
}

/// Says MP_FAIL too, at once.
fn answer_fail(connection: &mut Connection, path: PathId) {
    let rcv_nxt = connection.receive.rcv_nxt();
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.farewell.answer(rcv_nxt);
        subflow.ack_due = true;
        subflow.sock.ask_for_report();
    }
}

/// Takes note of a mapping or DATA_FIN. Returns whether TCP may see the segment.
#[inline(always)]
fn take_mapping(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    dss: &Dss,
    segment: &Incoming<'_>,
) -> bool {
    let sock = connection.meta().sock();
    let rcv_nxt = connection.receive.rcv_nxt();
    let announced = announced(dss, rcv_nxt, segment.payload_len, connection.agreed);
    if let Some(reason) = announced.broken {
        count(sock, Counter::DssReset);
        condemn(connection, path, Some(reason));
        return false;
    }
    if let Some(fin) = announced.fin {
        data_fin(connection, path, fin, segment.flags.fin());
    }
    let (Some(mapping), Some(subflow)) = (announced.mapping, connection.subflows.at_mut(path))
    else {
        return true;
    };
    if mapping.len == 0 {
        count(sock, Counter::InfiniteMapRx);
    }
    subflow.dss_seen = true;
    let recorded = mappings::record(&mut subflow.rx, mapping);
    match recorded {
        Err(RecordError::Conflict) => count(sock, Counter::DssNotMatching),
        Err(RecordError::Full) => count(sock, Counter::RxMappingFull),
        Ok(_) | Err(RecordError::Outside) => {}
    }
    may_pass(recorded)
}

/// The peer sends no data from `fin` on. `closes` says whether it came with the subflow's FIN.
fn data_fin(connection: &mut DataGuard<'_, Mptcp>, path: PathId, fin: Dsn, closes: bool) {
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.ended_with_stream |= closes;
        if !closes {
            // RFC 8684 section 3.3.3: a DATA_FIN is acknowledged at the data level. TCP acknowledges a FIN
            // by itself, and reports room after every segment, also after one that it does not acknowledge.
            subflow.ack_due = true;
            subflow.sock.ask_for_report();
        }
    }
    let edge = connection.window.edge();
    let this: &mut Connection = connection;
    let complete = this.out_of_order.on_data_fin(&mut this.receive, fin, edge);
    if complete == Ok(true) {
        end_of_stream(connection);
    }
}

/// All data and the DATA_FIN are here.
pub(crate) fn end_of_stream(connection: &mut DataGuard<'_, Mptcp>) {
    connection.advance(Event::FinReceived);
    connection.add_shutdown(knet::sock::shutdown::RECEIVE);
}
