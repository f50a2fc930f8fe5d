// SPDX-License-Identifier: GPL-2.0

//! Subflows that leave their connection: what TCP needs a process for.

use crate::connection::{abort_locked, count, Connection};
use crate::counters::Counter;
use crate::path_manager::event::{self, OfSubflow};
use crate::path_manager::paths;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::table::sock_of;
use crate::subflow::{errand, loss};
use crate::timer;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::meta::{DataGuard, OwnerGuard};
use knet::sock::State;
use knet::subflow::{Subflow, Tcp};
use mptcp_core::connection::abort::{of_ack, tells_ahead};
use mptcp_core::connection::departure::{
    how_it_ended, Departure, Meaning, Presence, FIN_PATIENCE_MS,
};
use mptcp_core::path_manager::Event;
use mptcp_core::scheduler::{PathId, PathSet, Scheduler};

/// Takes out the subflows that are of no use any more. Without any other the connection waits for one, or is
/// at its end.
pub(crate) fn sweep(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let mut connection = meta.lock_data();
    // Of a connection that nobody accepted yet, the first subflow belongs to the accept queue.
    let accepted = owner.subflow.is_some() || connection.subflows.first().is_none();
    let departure = departure(&connection);
    let patience = match departure.deserts() && accepted {
        true => connection.patience(meta.sock()),
        false => 0,
    };
    let meaning = departure.means(&connection.rest(), patience > 0);
    match meaning {
        Meaning::Waits => begin_waiting(&mut connection, departure.all, patience),
        Meaning::Breaks => abort_locked(&mut connection, ECONNRESET.to_errno().wrapping_neg()),
        Meaning::GoesOn | Meaning::IsOver => {}
    }
    drop(connection);
    for path in departure.all.iter() {
        if departure.reset.contains(path) {
            reset(owner, path);
        }
        if matches!(meaning, Meaning::GoesOn | Meaning::Waits) {
            take_out(owner, path);
        }
    }
}

/// Which subflows leave.
fn departure(connection: &Connection) -> Departure {
    let over = connection.state.subflows_may_close();
    let subflows = connection.subflows.iter().map(|(path, subflow)| {
        let presence = Presence {
            live: subflow.live,
            finished: subflow.finished,
            gone: subflow.gone,
            useless: subflow.useless,
        };
        (path, presence)
    });
    Departure::of(subflows, connection.subflows.joined, over)
}

/// The connection loses its last subflows, and waits for another. A subflow that could not be opened meanwhile
/// is no reason to wait longer.
// rfc8684:3.3.3-7
fn begin_waiting(connection: &mut DataGuard<'_, Mptcp>, last: PathSet, patience: u64) {
    // The stream goes on elsewhere, so there is no way back to plain TCP.
    connection.subflows.joined = true;
    let shared = connection.meta().shared();
    shared.several.store(true, Ordering::Relaxed);
    if connection.timers.alone_until != 0 {
        return;
    }
    let error = |path| Some(connection.subflows.at(path)?.sock.peek_error());
    let errno = last.iter().filter_map(error).max();
    let errno = errno.filter(|errno| *errno != 0);
    let errno = errno.unwrap_or(ETIMEDOUT.to_errno().wrapping_neg());
    timer::await_subflow(connection, patience, errno);
}

/// Sends the RST that the state of a subflow asks for.
fn reset(owner: &mut OwnerGuard<'_, Mptcp>, path: PathId) {
    let meta = owner.meta();
    loss::withdraw(&mut meta.lock_data(), path);
    if let Some(sock) = sock_of(meta, path) {
        let mut tcp = knet::subflow::lock(&sock);
        if tcp.sock().state() != State::Close {
            tell_ahead(meta, path, &mut tcp);
            tcp.disconnect();
        }
    }
}

/// Says MP_FASTCLOSE on an ACK, in case that the RST comes to nothing.
fn tell_ahead(meta: &Meta, path: PathId, tcp: &mut Tcp<'_>) {
    if matches!(tcp.sock().state(), State::SynSent | State::SynRecv) {
        return;
    }
    let fastclose = {
        let connection = meta.lock_data();
        let reset = connection.subflows.at(path).map(|subflow| subflow.reset);
        let ahead = reset.is_some_and(tells_ahead);
        (ahead && connection.speaks_mptcp()).then(|| of_ack(connection.remote_key))
    };
    if fastclose.is_some_and(|fastclose| errand::say(meta, path, tcp, fastclose)) {
        count(meta.sock(), Counter::MpFastcloseTx);
    }
}

/// Closes a subflow and forgets it, unless it still belongs to an accept queue.
fn take_out(owner: &mut OwnerGuard<'_, Mptcp>, path: PathId) {
    let Some(subflow) = handle_of(owner, path) else {
        return;
    };
    {
        let mut connection = owner.meta().lock_data();
        loss::withdraw(&mut connection, path);
        let name = connection.name_of(path);
        let removed = connection.subflows.remove(path);
        connection.scheduler.forget(path);
        if let (Some(subflow), Some(state)) = (name, &removed) {
            event::of_subflow(&connection, state, OfSubflow::Closed);
            let end = how_it_ended(&loss::remains(state));
            let event = Event::SubflowEnded { subflow, end };
            match connection.timers.alone_until {
                0 => paths::mention(&mut connection, &event),
                // There must be somebody to open another.
                _ => paths::tell(&mut connection, &event),
            }
        }
        drop(removed);
    }
    subflow.close_within(FIN_PATIENCE_MS);
}

/// Takes what it needs to close a subflow.
fn handle_of(owner: &mut OwnerGuard<'_, Mptcp>, path: PathId) -> Option<Subflow<Mptcp>> {
    if path == PathId::FIRST {
        return owner.subflow.take();
    }
    let mut connection = owner.meta().lock_data();
    connection.subflows.at_mut(path)?.handle.take()
}

/// Sends the RSTs that the end of the connection asks for.
pub(crate) fn reset_all(owner: &mut OwnerGuard<'_, Mptcp>) {
    let all = owner.meta().lock_data().subflows.numbers();
    for path in all.iter() {
        reset(owner, path);
    }
}

/// Closes all subflows: with a FIN, but for those that TCP would try in vain for minutes to deliver it on. What
/// the connection knows of them stays as long as they live.
pub(crate) fn close_all(owner: &mut OwnerGuard<'_, Mptcp>) {
    let (all, lost, several) = {
        let connection = owner.meta().lock_data();
        let joined = connection.subflows.joined;
        let lost = connection.subflows.iter().filter(|(_, one)| one.is_lost());
        let lost: PathSet = lost.map(|(path, _)| path).collect();
        (connection.subflows.numbers(), lost, joined)
    };
    // The owner may have a first subflow that no connection knows yet.
    for path in all.with(PathId::FIRST).iter() {
        if lost.contains(path) {
            reset(owner, path);
        }
        match handle_of(owner, path) {
            // The peer has all data by any of them, and nothing by one that is still joining.
            Some(subflow) if several || path != PathId::FIRST => {
                subflow.close_within(FIN_PATIENCE_MS)
            }
            Some(subflow) => subflow.close(),
            None => {}
        }
    }
}
