// SPDX-License-Identifier: GPL-2.0

//! Data on its way from a subflow to the application.
//!
//! Packets are taken from TCP without copying. What continues the connection's stream goes to the
//! receive queue of the meta-socket, what comes too early waits in the out-of-order queue.

use crate::connection::{condemn, count, publish_state, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::socket::close::abort_orphan;
use crate::subflow::arrival::end_of_stream;
use crate::subflow::push;
use crate::subflow::{loss, receive_queue};
use core::sync::atomic::Ordering;
use knet::meta::DataGuard;
use knet::skb::{Packet, Span};
use knet::subflow::{PacketView, Tcp};
use knet::time::Moment;
use mptcp_core::connection::delivery::{on_subflow_fin, position, Position, SubflowEnd};
use mptcp_core::connection::fallback::{on_checksum_failure, ChecksumAnswer};
use mptcp_core::connection::farewell::Farewell;
use mptcp_core::connection::speech::Reset;
use mptcp_core::mapping::DssChecksum;
use mptcp_core::reassembly::Verdict;
use mptcp_core::receive::Placement;
use mptcp_core::scheduler::PathId;
use mptcp_core::seq::{Dsn, Ssn};

/// What a look at the receive queue led to.
#[derive(Default)]
struct Progress {
    readable: bool,
    ended: bool,
    /// The connection went on as plain TCP: what its window held back may be sent.
    fell_back: bool,
}

/// TCP has data or a FIN. The subflow is locked.
pub(crate) fn data_ready(meta: &Meta, tcp: &mut Tcp<'_>) {
    let sock = meta.sock();
    let mut progress = Progress::default();
    {
        let mut connection = meta.lock_data();
        let Some(path) = connection.subflows.number_of(tcp.sock()) else {
            return;
        };
        let before = connection.state;
        while take_next(&mut connection, path, tcp, &mut progress) {}
        if progress.readable {
            receive_queue::claim_unread(&mut connection, path, tcp);
        }
        if connection.state != before {
            publish_state(&mut connection);
            progress.ended = true;
        }
    }
    tcp.reads_done();
    if progress.fell_back {
        push::push(meta, tcp);
        sock.notify_writeable();
    }
    if progress.readable {
        sock.notify_readable();
    }
    if progress.ended {
        sock.notify_state();
    }
    if sock.is_orphan() && (progress.ended || progress.readable) {
        meta.schedule_work();
    }
}

/// Takes the next piece from the receive queue of a subflow, urgent or not; `false`: there is none, or it
/// waits.
// rfc8684:3.3.1-17
fn take_next(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
    progress: &mut Progress,
) -> bool {
    let Some(view) = tcp.peek_packet() else {
        return false;
    };
    let copied = tcp.copied_seq();
    let offset = copied.wrapping_sub(view.seq);
    let left = view.len.saturating_sub(offset);
    if left == 0 || (offset as i32) < 0 {
        discard(connection, path, tcp, view, progress);
        return true;
    }
    let Some((dsn, mapped)) = place_of(connection, path, copied, left, progress) else {
        return false;
    };
    let take = left.min(mapped);
    if connection.agreed.checksum && connection.speaks_mptcp() {
        match verified(connection, path, tcp, copied) {
            Some(true) => {}
            Some(false) => return checksum_failed(connection, path, copied, dsn, progress),
            None => return false,
        }
    }
    if !receive_queue::has_room(connection, tcp, dsn, view.memory) {
        return false;
    }
    let whole = take == left;
    let packet = if whole {
        Some(tcp.take_packet(view))
    } else {
        tcp.clone_packet(&view)
    };
    let Some(mut packet) = packet else {
        return false;
    };
    packet.set_span(Span {
        position: dsn.raw(),
        offset,
        len: take,
    });
    let end = if whole {
        view.end_seq
    } else {
        copied.wrapping_add(take)
    };
    tcp.set_copied_seq(end);
    if let Some(subflow) = connection.subflows.at_mut(path) {
        let consumed = subflow.received(copied).plus(take);
        subflow.rx.consumed(consumed);
    }
    place(connection, packet, dsn, take, progress);
    if whole && view.fin {
        fin_taken(connection, path, end, progress);
    }
    true
}

/// Throws away a packet without new data, which may be a FIN.
fn discard(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
    view: PacketView,
    progress: &mut Progress,
) {
    drop(tcp.take_packet(view));
    if (view.end_seq.wrapping_sub(tcp.copied_seq()) as i32) > 0 {
        tcp.set_copied_seq(view.end_seq);
    }
    if view.fin {
        fin_taken(connection, path, view.end_seq, progress);
    }
}

/// A FIN was taken off the subflow; `end` is the number after it.
fn fin_taken(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    end: u32,
    progress: &mut Progress,
) {
    let (joined, finished) = (connection.subflows.joined, connection.receive.finished());
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    let fin = subflow.received(end.wrapping_sub(1));
    if joined && finished && subflow.ended_with_stream {
        // The peer, which may know of no other subflow, says no more and still hears what this one says.
        progress.ended = true;
        return;
    }
    subflow.finished = true;
    subflow_ended(connection, path, fin, progress);
}

/// The data sequence number of the byte at `seq`, and how many bytes follow it.
fn place_of(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    seq: u32,
    left: u32,
    progress: &mut Progress,
) -> Option<(Dsn, u32)> {
    let rcv_nxt = connection.receive.rcv_nxt();
    if connection.mode != Mode::Mptcp {
        return Some((rcv_nxt, left));
    }
    let subflow = connection.subflows.at(path)?;
    let next = subflow.received(seq);
    let (span, dss_seen) = (subflow.rx.lookup(next), subflow.dss_seen);
    match position(span, rcv_nxt, || connection.circumstances(path, next)) {
        Position::At { dsn, len } => Some((dsn, len)),
        Position::FallBack => {
            if span.is_none() {
                let counter = if dss_seen {
                    Counter::DssFallback
                } else {
                    Counter::MpCapableDataFallback
                };
                count(connection.meta(), counter);
            }
            fall_back(connection);
            progress.fell_back = true;
            Some((rcv_nxt, left))
        }
        Position::Reset(reason) => {
            count(connection.meta(), Counter::DssReset);
            condemn(connection, path, Some(reason));
            None
        }
    }
}

/// Goes on as plain TCP in the middle of a connection.
pub(crate) fn fall_back(connection: &mut DataGuard<'_, Mptcp>) {
    crate::connection::uncount_established(connection);
    connection.mode = Mode::Fallback;
    connection.meta().shared().steering.look_always();
    let sent = connection.send.fall_back();
    connection.queue.acknowledge(sent);
    connection.uncharge_send(sent);
    let (next, checksums) = (connection.send.nxt(), connection.agreed.checksum);
    if let Some(subflow) = connection.subflows.first_mut() {
        // RFC 8684 section 3.7: the peer is told where MPTCP ends.
        subflow.farewell = Farewell::new(subflow.given, next, checksums);
    }
}

/// Whether the checksum of the mapping at `seq` is right; `None` while some of its data is missing.
fn verified(connection: &mut Connection, path: PathId, tcp: &Tcp<'_>, seq: u32) -> Option<bool> {
    let rcv_nxt = connection.receive.rcv_nxt();
    let subflow = connection.subflows.at_mut(path)?;
    let record = *subflow.rx.covering(subflow.received(seq))?;
    if record.checksum_due(rcv_nxt).is_none() || subflow.verified == Some(record.ssn) {
        return Some(true);
    }
    let mut sum = DssChecksum::new();
    if !tcp.checksum_queue(seq, record.len, |partial, len| {
        sum.add_partial(partial, len)
    }) {
        return None;
    }
    let right = sum.is_right(&record);
    if right {
        subflow.verified = Some(record.ssn);
    }
    Some(right)
}

/// A middlebox changed the data at `seq`, whose mapping says `dsn`. Returns whether there is more to
/// take.
fn checksum_failed(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    seq: u32,
    dsn: Dsn,
    progress: &mut Progress,
) -> bool {
    let sock = connection.meta().sock();
    count(sock, Counter::DataCsumErr);
    let Some(subflow) = connection.subflows.at(path) else {
        return false;
    };
    let next = subflow.received(seq);
    match on_checksum_failure(&connection.circumstances(path, next)) {
        // RFC 8684 section 3.7: on a single subflow the data goes on as it is, as in plain TCP.
        ChecksumAnswer::FailAndFallBack => {
            fall_back(connection);
            if let Some(subflow) = connection.subflows.at_mut(path) {
                subflow.farewell.complain(dsn);
            }
            progress.fell_back = true;
            true
        }
        // rfc8684:3.7-9 rfc8684:3.7-10 rfc8684:3.7-11 rfc8684:3.7-15
        ChecksumAnswer::FailAndReset => {
            condemn(connection, path, None);
            if let Some(subflow) = connection.subflows.at_mut(path) {
                subflow.reset = Reset::Fail(dsn);
            }
            false
        }
    }
}

/// Puts a packet where it belongs in the connection's stream.
fn place(
    connection: &mut DataGuard<'_, Mptcp>,
    packet: Packet,
    dsn: Dsn,
    len: u32,
    progress: &mut Progress,
) {
    let sock = connection.meta().sock();
    let edge = match connection.mode {
        Mode::Mptcp => connection.window.edge(),
        _ => dsn.plus(u64::from(u32::MAX)),
    };
    match connection.receive.classify(dsn, len, edge) {
        Placement::Next { skip, take } if connection.out_of_order.is_empty() => {
            append(connection, packet, skip, take, progress);
        }
        Placement::Next { .. } => fill_gap(connection, packet, dsn, len, edge, progress),
        Placement::Later => receive_queue::keep_for_later(connection, packet, dsn, len, edge),
        Placement::Old => count(sock, Counter::DuplicateData),
        Placement::Beyond => count(sock, Counter::NoDssInWindow),
    }
}

/// Appends the bytes of a packet to what the application can receive.
fn append(
    connection: &mut DataGuard<'_, Mptcp>,
    mut packet: Packet,
    skip: u32,
    take: u32,
    progress: &mut Progress,
) {
    if is_unwanted(connection) {
        return;
    }
    let span = packet.span();
    packet.set_span(Span {
        position: span.position.wrapping_add(u64::from(skip)),
        offset: span.offset.saturating_add(skip),
        len: take,
    });
    connection.charge_receive(packet.memory());
    push_in_order(connection, packet, progress);
    if connection.receive.advance(take) {
        end_of_stream(connection);
    }
}

/// As [`append`], while data waits for this.
fn fill_gap(
    connection: &mut DataGuard<'_, Mptcp>,
    packet: Packet,
    dsn: Dsn,
    len: u32,
    edge: Dsn,
    progress: &mut Progress,
) {
    if is_unwanted(connection) {
        return;
    }
    let (verdict, mut ready) = receive_queue::offer(connection, packet, dsn, len, edge);
    while let Some(packet) = ready.pop() {
        push_in_order(connection, packet, progress);
    }
    if matches!(verdict, Verdict::Delivered { finished: true, .. }) {
        end_of_stream(connection);
    }
}

/// Whether nobody will read what comes. It ends the connection, as what is unread when the application closes.
fn is_unwanted(connection: &mut DataGuard<'_, Mptcp>) -> bool {
    let unwanted = connection.closing;
    if unwanted {
        abort_orphan(connection);
    }
    unwanted
}

/// Appends a charged packet with nothing but the next bytes of the stream.
fn push_in_order(connection: &mut DataGuard<'_, Mptcp>, packet: Packet, progress: &mut Progress) {
    let len = packet.span().len;
    receive_queue::append(connection, packet);
    connection.moments.data_received = Moment::now();
    connection
        .meta()
        .shared()
        .readable
        .fetch_add(u64::from(len), Ordering::Release);
    progress.readable = true;
}

/// The peer closed the subflow; `next` is the number of its FIN.
fn subflow_ended(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    next: Ssn,
    progress: &mut Progress,
) {
    progress.ended = true;
    let subflow = connection.subflows.at(path);
    let speaks =
        connection.send.fin_acked() || subflow.is_some_and(|subflow| subflow.ended_with_stream);
    let end = on_subflow_fin(
        &connection.receive,
        speaks,
        connection.subflows.joined,
        &connection.circumstances(path, next),
    );
    match end {
        SubflowEnd::EndsStream => end_of_stream(connection),
        SubflowEnd::Leaves => {
            loss::withdraw(connection, path);
            connection.meta().schedule_work();
        }
        SubflowEnd::Expected => {}
        SubflowEnd::FallBack => {
            count(connection.meta(), Counter::DssFallback);
            fall_back(connection);
            progress.fell_back = true;
            end_of_stream(connection);
        }
        SubflowEnd::Broken => condemn(connection, path, None),
    }
}
