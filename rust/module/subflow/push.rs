// SPDX-License-Identifier: GPL-2.0

//! Whose turn it is to be given data, and when.

use crate::connection::{count, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::delivery;
use crate::subflow::give::give;
use crate::subflow::schedule::{self, Turn};
use crate::subflow::table::sock_of;
use crate::timer;
use core::sync::atomic::Ordering;
use knet::meta::{DataGuard, OwnerGuard};
use knet::sock::State;
use knet::subflow::{with_softirq_lock, Tcp};
use mptcp_core::connection::fallback::on_plain_ack;
use mptcp_core::scheduler::PathId;
use mptcp_core::send::{send_buffer, SubflowBuffer};

/// After so many turns of subflows others get the processor.
const MOST_TURNS: u32 = 64;

/// TCP may have room. The subflow is locked.
pub(crate) fn write_space(meta: &Meta, tcp: &mut Tcp<'_>) {
    let sock = meta.sock();
    if !sock.send_buffer_locked() && tcp.sock().send_buffer() > sock.send_buffer() {
        sock.set_send_buffer(tcp.sock().send_buffer());
    }
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    if connection.subflows.joined {
        grow_send_buffer(&mut connection, path, tcp);
    }
    let deaf = peer_is_deaf(&connection, path, tcp);
    if deaf {
        count(sock, Counter::MpCapableDataFallback);
        delivery::fall_back(&mut connection);
    }
    let given;
    (connection, given) = give(connection, path, tcp);
    let subflow = connection.subflows.at_mut(path);
    let ack_due = subflow.is_some_and(|subflow| core::mem::take(&mut subflow.ack_due));
    drop(connection);
    given.let_go(tcp);
    if given.elsewhere.is_some() {
        meta.schedule_softirq_work();
    }
    if deaf && sock.wants_room() {
        sock.notify_writeable();
    }
    if ack_due && tcp.sock().state() != State::Close {
        tcp.send_ack();
    }
}

/// Has the send buffer follow those that the TCPs of all subflows chose, when this one has chosen anew. The
/// application may have set it for good.
fn grow_send_buffer(connection: &mut DataGuard<'_, Mptcp>, path: PathId, tcp: &Tcp<'_>) {
    let sock = connection.meta().sock();
    let chosen = tcp.sock().send_buffer();
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    if core::mem::replace(&mut subflow.send_buffer, chosen) == chosen || sock.send_buffer_locked() {
        return;
    }
    let subflows = connection
        .subflows
        .live()
        .map(|(_, subflow)| SubflowBuffer {
            bytes: u32::try_from(subflow.sock.send_buffer()).unwrap_or(0),
            rtt_us: knet::subflow::load(&subflow.sock).srtt_us,
        });
    let most = u32::try_from(sock.largest_send_buffer()).unwrap_or(0);
    let wanted = i32::try_from(send_buffer(subflows, most)).unwrap_or(i32::MAX);
    if wanted > sock.send_buffer() {
        sock.set_send_buffer(wanted);
    }
}

/// Gives as much data to a subflow as it, the scheduler and the peer's window allow. The subflow is
/// locked. Returns the subflow whose turn it is then.
#[inline]
pub(crate) fn push(meta: &Meta, tcp: &mut Tcp<'_>) -> Option<PathId> {
    push_held(meta.lock_data(), tcp)
}

/// As [`push`], for a caller that holds the data lock, which is given up.
#[inline]
pub(crate) fn push_held(connection: DataGuard<'_, Mptcp>, tcp: &mut Tcp<'_>) -> Option<PathId> {
    let path = connection.subflows.number_of(tcp.sock())?;
    let (connection, given) = give(connection, path, tcp);
    drop(connection);
    given.let_go(tcp);
    given.elsewhere
}

/// Gives data to all subflows. Process context.
pub(crate) fn push_owned(owner: &OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let several = meta.shared().several.load(Ordering::Relaxed);
    let mut turn = match owner.subflow.as_ref() {
        Some(first) if !several => push(meta, &mut first.lock()),
        _ => whose_turn(meta),
    };
    for _ in 0..MOST_TURNS {
        let Some(sock) = turn.and_then(|path| sock_of(meta, path)) else {
            break;
        };
        turn = push(meta, &mut knet::subflow::lock(&sock));
    }
    if turn.is_some() {
        meta.schedule_softirq_work();
    } else {
        after_process(meta);
    }
}

/// A process gave a subflow's lock up: makes up for what had to be left meanwhile.
pub(crate) fn after_process(meta: &Meta) {
    let several = meta.shared().several.load(Ordering::Relaxed);
    if several && core::mem::take(&mut meta.lock_data().missed) {
        meta.schedule_softirq_work();
    }
}

/// Gives data to all subflows. Softirq, nothing locked.
pub(crate) fn push_all(meta: &Meta) {
    let mut turn = whose_turn(meta);
    for _ in 0..MOST_TURNS {
        let Some(sock) = turn.and_then(|path| sock_of(meta, path)) else {
            return;
        };
        match with_softirq_lock(&sock, |tcp| push(meta, tcp)) {
            Some(next) => turn = next,
            None => {
                // A process holds it, and will see to it.
                let mut connection = meta.lock_data();
                connection.missed = true;
                return timer::push_soon(&mut connection);
            }
        }
    }
    meta.schedule_softirq_work();
}

/// The subflow that gets data next.
fn whose_turn(meta: &Meta) -> Option<PathId> {
    let mut connection = meta.lock_data();
    match connection.mode {
        Mode::Connecting => return None,
        Mode::Fallback => return Some(PathId::FIRST),
        Mode::Mptcp => {}
    }
    let subflows = &connection.subflows;
    let granted = connection.granted;
    if let Some(path) = granted.and_then(|grant| grant.turn(|path| subflows.is_live(path))) {
        return Some(path);
    }
    match schedule::turn(&mut connection) {
        Turn::Of(path, _) => Some(path),
        Turn::OfAll(paths, _) => paths.iter().next(),
        Turn::Nobody => connection.subflows.live().next().map(|(path, _)| path),
    }
}

/// Whether TCP had data of ours acknowledged while no option shows that the peer understands it.
fn peer_is_deaf(connection: &Connection, path: PathId, tcp: &Tcp<'_>) -> bool {
    if !connection.speaks_mptcp() {
        return false;
    }
    let Some(subflow) = connection.subflows.at(path) else {
        return false;
    };
    let acked = subflow.sent(tcp.snd_una());
    on_plain_ack(subflow.heard_ever, subflow.given, acked, || {
        connection.circumstances(path, subflow.received(tcp.copied_seq()))
    })
}
