// SPDX-License-Identifier: GPL-2.0

//! What the application can receive, and how much memory that takes.
//!
//! Data that has no room stays with its subflow's TCP, which then closes its window; the application's
//! next `recv` comes back for it.

use crate::connection::{count, Connection};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::out_of_order::Stretch;
use crate::subflow::table::SubflowState;
use core::sync::atomic::Ordering;
use knet::meta::DataGuard;
use knet::skb::{Packet, PacketQueue};
use knet::sock::State;
use knet::subflow::{owes_acknowledgement, window_of_space, window_state, Claim, Tcp, WindowState};
use mptcp_core::reassembly::Verdict;
use mptcp_core::receive::{claim, window_lags, ReceiveMemory, LESS_WINDOW};
use mptcp_core::scheduler::{PathId, PathSet};
use mptcp_core::seq::Dsn;

/// Memory in use and the limit (`SO_RCVBUF`).
fn memory_of(meta: &Meta) -> ReceiveMemory {
    let sock = meta.sock();
    ReceiveMemory {
        used: u32::try_from(sock.receive_memory()).unwrap_or(0),
        limit: u32::try_from(sock.receive_buffer()).unwrap_or(0),
    }
}

/// Whether a packet can be taken off a subflow: one that keeps `memory` bytes, with data from `dsn` on. Data that
/// waits for earlier data may give way: without the earlier one nobody can read it.
pub(crate) fn has_room(
    connection: &mut DataGuard<'_, Mptcp>,
    tcp: &Tcp<'_>,
    dsn: Dsn,
    memory: i32,
) -> bool {
    let meta = connection.meta();
    let waits = dsn.after(connection.receive.rcv_nxt());
    let promised = waits || !connection.out_of_order.is_empty();
    if promised && memory_of(meta).keeps_promise() && connection.reserve_receive(memory) {
        return true;
    }
    while !memory_of(meta).admits() {
        let Some(last) = connection.out_of_order.pop_last() else {
            break;
        };
        count(meta, Counter::OfoPruned);
        connection.uncharge_receive(last.memory());
    }
    if memory_of(meta).admits() && connection.reserve_receive(memory) {
        return true;
    }
    // Nothing follows on a closed subflow, and what it still has would be lost with it.
    let urgent = tcp.sock().state() == State::Close || nothing_to_read(meta);
    if !urgent && !core::mem::replace(&mut connection.starved, true) {
        count(meta, Counter::RcvBufferFull);
    }
    urgent
}

/// Whether data waits with a subflow for room that there is now. The answer is given once.
pub(crate) fn take_starved(connection: &mut DataGuard<'_, Mptcp>) -> bool {
    let meta = connection.meta();
    let again = connection.starved && (memory_of(meta).admits() || nothing_to_read(meta));
    connection.starved &= !again;
    again
}

/// Has the TCP of a subflow that brought data count what the application has not read as if its own queue held it.
/// It acknowledges what comes when the application reads then, or when its timer for that expires.
pub(crate) fn claim_unread(connection: &mut DataGuard<'_, Mptcp>, path: PathId, tcp: &Tcp<'_>) {
    let unread = memory_of(connection.meta()).used;
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    let limit = u32::try_from(subflow.sock.receive_buffer()).unwrap_or(0);
    let worthwhile = claim(unread, u32::MAX, limit) > 0;
    if subflow.claim.is_none() && worthwhile {
        subflow.claim = Some(Claim::new(&subflow.sock));
    }
    if let Some(held) = &mut subflow.claim {
        let enough = if worthwhile {
            held.enough(tcp, LESS_WINDOW)
        } else {
            0
        };
        held.set(i32::try_from(claim(unread, enough, limit)).unwrap_or(0));
        connection.claiming = connection.claiming.with(path);
    }
}

/// The application has read. Lets the claims of the subflows follow that brought data, and returns those that have
/// something to tell their peers because of that: an acknowledgement that TCP owes, or a window that has opened much.
pub(crate) fn lower_claims(connection: &mut DataGuard<'_, Mptcp>) -> PathSet {
    let unread = memory_of(connection.meta()).used;
    let mut telling = PathSet::EMPTY;
    for path in connection.claiming.iter() {
        let (claims, tells) = match connection.subflows.at_mut(path) {
            Some(subflow) => lower_claim(subflow, unread),
            None => (false, false),
        };
        if tells {
            telling = telling.with(path);
        }
        if !claims && !tells {
            connection.claiming = connection.claiming.without(path);
        }
    }
    telling
}

/// Lets the claim of a subflow follow what is `unread`. Returns whether it still claims anything, and whether it has
/// something to tell.
fn lower_claim(subflow: &mut SubflowState, unread: u32) -> (bool, bool) {
    let Some(held) = &mut subflow.claim else {
        return (false, false);
    };
    let limit = u32::try_from(subflow.sock.receive_buffer()).unwrap_or(0);
    let enough = u32::try_from(held.bytes()).unwrap_or(0);
    held.set(i32::try_from(claim(unread, enough, limit)).unwrap_or(0));
    let WindowState { left, free, mss } = window_state(&subflow.sock);
    let tells = owes_acknowledgement(&subflow.sock) || window_lags(left, free, mss);
    (held.bytes() > 0, tells)
}

/// Whether the application has read all: nobody would come back for data that is left with a subflow now.
/// Data that waits for earlier data may still keep memory.
fn nothing_to_read(meta: &Meta) -> bool {
    meta.shared().readable.load(Ordering::Acquire) == 0
}

/// Keeps a packet that has to wait for earlier data, `len` bytes from `dsn` on, if there is room for it.
/// `edge` is the right edge of the window.
pub(crate) fn keep_for_later(
    connection: &mut DataGuard<'_, Mptcp>,
    packet: Packet,
    dsn: Dsn,
    len: u32,
    edge: Dsn,
) {
    let meta = connection.meta();
    let memory = packet.memory();
    let end = connection.out_of_order.end();
    if !memory_of(meta).keeps_promise() || !connection.reserve_receive(memory) {
        count(meta, Counter::OfoPruned);
        return;
    }
    match offer(connection, packet, dsn, len, edge).0 {
        Verdict::Held { .. } => {
            count(meta, Counter::OfoQueue);
            if end.is_none_or(|end| !dsn.before(end)) {
                count(meta, Counter::OfoQueueTail);
            }
        }
        Verdict::Duplicate => count(meta, Counter::DuplicateData),
        Verdict::Full => count(meta, Counter::OfoPruned),
        _ => {}
    }
}

/// Offers a packet to what waits, and charges what is kept of it. Returns what became of it, and the
/// charged packets that continue the stream now.
pub(crate) fn offer(
    connection: &mut DataGuard<'_, Mptcp>,
    packet: Packet,
    dsn: Dsn,
    len: u32,
    edge: Dsn,
) -> (Verdict, PacketQueue) {
    connection.charge_receive(packet.memory());
    let waits: &mut Connection = connection;
    let (waiting, state) = (&mut waits.out_of_order, &mut waits.receive);
    let mut offer = waiting.offer(state, edge, dsn, len, Stretch::of(packet));
    while offer.verdict == Verdict::Full && waiting.slots_mut().grow() {
        let Some(again) = offer.unneeded else {
            break;
        };
        offer = waiting.offer(state, edge, dsn, len, again);
    }
    if let Some(unneeded) = offer.unneeded {
        connection.uncharge_receive(unneeded.memory());
    }
    let ready = offer.ready.map_or(PacketQueue::new(), |ready| ready.0);
    (offer.verdict, ready)
}

/// Appends a packet that continues the stream and was charged already.
pub(crate) fn append(connection: &mut DataGuard<'_, Mptcp>, packet: Packet) {
    let meta = connection.meta();
    let charged = packet.memory();
    let memory = memory_of(meta);
    let packet = match connection.join_received(packet, memory.largest_gather()) {
        Ok(kept) => {
            connection.uncharge_receive(charged.saturating_sub(kept));
            return;
        }
        Err(packet) => packet,
    };
    if is_wasteful(connection, &packet) {
        copy(connection, packet, memory.copy_room());
    } else {
        connection.push_received(packet);
    }
}

/// Whether a charged packet keeps more memory than can be afforded for its data.
fn is_wasteful(connection: &DataGuard<'_, Mptcp>, packet: &Packet) -> bool {
    let charged = u32::try_from(packet.memory()).unwrap_or(0);
    let mut memory = memory_of(connection.meta());
    memory.used = memory.used.saturating_sub(charged);
    let reckoned = connection.subflows.iter().next().map_or(0, |(_, subflow)| {
        window_of_space(&subflow.sock, packet.memory())
    });
    memory.copy_due(charged, packet.span().len, reckoned)
}

/// Copies the bytes of a charged packet to the end of the queue, and frees it.
fn copy(connection: &mut DataGuard<'_, Mptcp>, mut packet: Packet, room: u32) {
    connection.copy_received(&mut packet);
    while packet.span().len > 0 {
        let Some(fresh) = Packet::with_room(room, packet.span().position) else {
            return connection.push_received(packet);
        };
        connection.charge_receive(fresh.memory());
        connection.push_received(fresh);
        if connection.copy_received(&mut packet) == 0 {
            return connection.push_received(packet);
        }
    }
    connection.uncharge_receive(packet.memory());
}
