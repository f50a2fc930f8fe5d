// SPDX-License-Identifier: GPL-2.0

//! `shutdown`, `close`, and what goes on after the application is gone.
//!
//! A connection whose application closed it is an orphan. It lives until both DATA_FINs are
//! acknowledged, then its subflow is closed in process context. The subflow's context keeps the
//! meta-socket alive until TCP is done with the subflow.

use crate::connection::{abort_locked, uncount_established, Connection};
use crate::path_manager;
use crate::path_manager::event::{self, OfListener};
use crate::protocol::{Meta, Mptcp};
use crate::socket::leave;
use crate::subflow::push;
use crate::timer;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::meta::{DataGuard, OwnerGuard};
use knet::sock::{shutdown, State};
use mptcp_core::connection::ending::{is_over as is_over_by, on_close, Farewell};
use mptcp_core::connection::state::Event;

/// `shutdown`: the kernel has set the bits. `inet_shutdown` owns the socket.
pub(crate) fn shut_down(owner: &mut OwnerGuard<'_, Mptcp>, bits: u8) {
    if bits & shutdown::SEND != 0 {
        finish_sending(owner);
    }
}

/// Lets a DATA_FIN (or FIN after a fallback) follow what was written.
fn finish_sending(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    {
        let mut connection = meta.lock_data();
        if !matches!(meta.sock().state(), State::Established | State::CloseWait) {
            return;
        }
        connection.send.on_fin_queued();
        connection.advance(Event::AppClosesSend);
        crate::connection::publish_state(&mut connection);
    }
    push::push_owned(owner);
}

/// `close`: the application is gone. The caller gives its reference back afterwards.
pub(crate) fn close(meta: &Meta, timeout: c_long) {
    let sock = meta.sock();
    let mut owner = meta.lock();
    let unread = {
        let mut connection = meta.lock_data();
        connection.add_shutdown(shutdown::BOTH);
        // What comes later ends the connection when it comes.
        connection.closing = true;
        has_unread(meta)
    };
    if let (State::Listen, Some(subflow)) = (sock.state(), &owner.subflow) {
        event::of_listener(subflow.sock(), OfListener::Closed);
    }
    match sock.state() {
        State::Listen | State::Close | State::SynSent => end(&mut owner),
        _ => match on_close(unread, sock.lingers_zero()) {
            Farewell::Abort => {
                reset_connection(meta);
                end(&mut owner);
            }
            Farewell::Close => {
                finish_sending(&mut owner);
                owner.wait_for_close(timeout);
            }
        },
    }
    drop_received(&mut owner);
    owner.orphan();
    if is_over(meta) {
        end(&mut owner);
    } else {
        timer::lose_patience_later(&mut meta.lock_data());
        // An abort may have come between: nobody else looks after an orphan.
        if is_over(meta) {
            meta.schedule_work();
        }
    }
}

fn has_unread(meta: &Meta) -> bool {
    meta.shared().readable.load(Ordering::Acquire) > 0
}

/// Whether nothing is left to be exchanged at the data level.
fn is_over(meta: &Meta) -> bool {
    let connection = meta.lock_data();
    if meta.sock().state() == State::Close && !connection.closed_with_stream {
        return true;
    }
    connection.timers.patience_lost || is_over_by(&connection.rest(), &connection.send)
}

/// Work in process context: looks after orphans.
pub(crate) fn work(meta: &Meta) {
    let mut owner = meta.lock();
    leave::sweep(&mut owner);
    if meta.lock_data().aborted {
        // RFC 8684 section 3.5: all subflows are reset, also one that brought the end on an ACK.
        // rfc8684:3.5-7
        leave::reset_all(&mut owner);
    }
    path_manager::action::work(&mut owner);
    if meta.sock().is_orphan() && is_over(meta) {
        end(&mut owner);
    }
}

/// Ends the connection by RSTs that carry MP_FASTCLOSE (RFC 8684 section 3.5).
// rfc8684:3.5-6
pub(crate) fn reset_connection(meta: &Meta) {
    let mut connection = meta.lock_data();
    connection.aborted = true;
    say_fastclose(&mut connection);
}

/// Aborts a connection whose application is gone, for a caller that holds the data lock: by RSTs that carry
/// MP_FASTCLOSE. Any context.
pub(crate) fn abort_orphan(connection: &mut DataGuard<'_, Mptcp>) {
    say_fastclose(connection);
    abort_locked(connection, 0);
}

/// Lets the RSTs of the subflows carry MP_FASTCLOSE, unless they have a reason.
fn say_fastclose(connection: &mut Connection) {
    if !connection.speaks_mptcp() {
        return;
    }
    for (_, subflow) in connection.subflows.iter_mut() {
        subflow.reset = subflow.reset.or_fastclose();
    }
}

/// Closes the subflows: with a FIN, or with the RST of an aborted connection.
fn end(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    if meta.lock_data().aborted {
        leave::reset_all(owner);
    }
    {
        let mut connection = meta.lock_data();
        meta.sock().set_state(State::Close);
        uncount_established(&mut connection);
        connection.ended = true;
        connection.timers = Default::default();
    }
    meta.stop_timer();
    leave::close_all(owner);
}

/// Throws away what was received and not read, in order or not.
pub(crate) fn drop_received(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let mut connection = meta.lock_data();
    connection.take_received(&mut owner.backlog);
    while let Some(mut stretch) = connection.out_of_order.pop() {
        owner.backlog.append(&mut stretch.0);
    }
    let mut dropped = 0i32;
    while let Some(packet) = owner.backlog.pop() {
        dropped = dropped.saturating_add(packet.memory());
    }
    connection.uncharge_receive(dropped);
    meta.shared().readable.store(0, Ordering::Release);
}

/// The connection went away before anybody took it.
pub(crate) fn abandoned(data: &mut DataGuard<'_, Mptcp>) {
    uncount_established(data);
    data.aborted = true;
    data.meta().sock().set_state(State::Close);
    data.meta().schedule_work();
}

/// The last reference is gone: what the connection accounts for is given back.
pub(crate) fn destruct(meta: &Meta) {
    let mut connection = meta.lock_data();
    uncount_established(&mut connection);
    let bytes = connection.queue.bytes();
    connection.queue.clear();
    connection.uncharge_send(bytes);
    let mut memory = 0i32;
    while let Some(stretch) = connection.out_of_order.pop() {
        memory = memory.saturating_add(stretch.memory());
    }
    let mut received = knet::skb::PacketQueue::new();
    connection.take_received(&mut received);
    while let Some(packet) = received.pop() {
        memory = memory.saturating_add(packet.memory());
    }
    connection.uncharge_receive(memory);
    connection.subflows.clear();
}
