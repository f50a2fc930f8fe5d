// SPDX-License-Identifier: GPL-2.0

//! Subflows that leave their connection: what TCP needs a process for.

use crate::connection::abort;
use crate::path_manager::event::{self, OfSubflow};
use crate::path_manager::paths;
use crate::protocol::Mptcp;
use crate::subflow::loss;
use crate::subflow::table::sock_of;
use kernel::prelude::*;
use knet::meta::OwnerGuard;
use knet::sock::State;
use knet::subflow::Subflow;
use mptcp_core::path_manager::Event;
use mptcp_core::scheduler::{PathId, PathSet, Scheduler};

/// How long TCP tries to deliver the FIN of a subflow that its connection does not need, in milliseconds.
const PATIENCE_MS: i32 = 5_000;

/// Takes out the subflows that are of no use any more. Without any other the connection is at its end.
pub(crate) fn sweep(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let (mut leaving, mut useless) = (PathSet::EMPTY, PathSet::EMPTY);
    let mut others_stay = false;
    let aborted = {
        let connection = meta.lock_data();
        let over = connection.state.subflows_may_close();
        let several = connection.subflows.joined;
        for (path, subflow) in connection.subflows.iter() {
            if subflow.useless {
                useless = useless.with(path);
            }
            let among = several || path != PathId::FIRST;
            if subflow.useless || among && (subflow.gone || subflow.finished && !over) {
                leaving = leaving.with(path);
            } else {
                others_stay |= subflow.live || path == PathId::FIRST;
            }
        }
        connection.aborted
    };
    if !others_stay && !useless.is_empty() && !aborted {
        abort(meta, ECONNRESET.to_errno().wrapping_neg());
    }
    for path in leaving.iter() {
        if useless.contains(path) {
            reset(owner, path);
        }
        if others_stay {
            take_out(owner, path);
        }
    }
}

/// Sends the RST that the state of a subflow asks for.
fn reset(owner: &mut OwnerGuard<'_, Mptcp>, path: PathId) {
    let meta = owner.meta();
    loss::withdraw(&mut meta.lock_data(), path);
    if let Some(sock) = sock_of(meta, path) {
        let mut tcp = knet::subflow::lock(&sock);
        if tcp.sock().state() != State::Close {
            tcp.disconnect();
        }
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
            let end = loss::how_it_ended(state);
            paths::mention(&mut connection, &Event::SubflowEnded { subflow, end });
        }
        drop(removed);
    }
    subflow.close_within(PATIENCE_MS);
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
            // The peer has all data by any of them.
            Some(subflow) if several => subflow.close_within(PATIENCE_MS),
            Some(subflow) => subflow.close(),
            None => {}
        }
    }
}
