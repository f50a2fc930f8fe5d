// SPDX-License-Identifier: GPL-2.0

//! Subflows that leave their connection: what TCP needs a process for.

use crate::connection::abort;
use crate::path_manager::event::{self, OfSubflow};
use crate::path_manager::paths;
use crate::protocol::Mptcp;
use crate::subflow::loss;
use kernel::prelude::*;
use knet::meta::OwnerGuard;
use knet::sock::State;
use knet::subflow::Subflow;
use mptcp_core::path_manager::Event;
use mptcp_core::scheduler::{PathId, PathSet, Scheduler, MAX_PATHS};

/// All numbers that subflows can have.
fn numbers() -> impl Iterator<Item = PathId> {
    (0..MAX_PATHS as u8).filter_map(PathId::new)
}

/// Takes out the subflows that are of no use any more. Without any other the connection is at its end.
pub(crate) fn sweep(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let (leaving, useless, left, aborted) = {
        let connection = meta.lock_data();
        let over = connection.state.subflows_may_close();
        let several = connection.subflows.joined;
        let mut sets = (PathSet::EMPTY, PathSet::EMPTY, 0_usize);
        for (path, subflow) in connection.subflows.iter() {
            if subflow.useless {
                sets.1 = sets.1.with(path);
            }
            let among = several || path != PathId::FIRST;
            if subflow.useless || among && (subflow.gone || subflow.finished && !over) {
                sets.0 = sets.0.with(path);
            } else if subflow.live || path == PathId::FIRST {
                sets.2 = sets.2.saturating_add(1);
            }
        }
        (sets.0, sets.1, sets.2, connection.aborted)
    };
    if left == 0 && !useless.is_empty() && !aborted {
        abort(meta, ECONNRESET.to_errno().wrapping_neg());
    }
    for path in leaving.iter() {
        if useless.contains(path) {
            reset(owner, path);
        }
        if left > 0 {
            take_out(owner, path);
        }
    }
}

/// Sends the RST that the state of a subflow asks for.
fn reset(owner: &mut OwnerGuard<'_, Mptcp>, path: PathId) {
    let meta = owner.meta();
    let sock = {
        let mut connection = meta.lock_data();
        loss::withdraw(&mut connection, path);
        let subflow = connection.subflows.at(path);
        subflow.map(|subflow| subflow.sock.clone())
    };
    if let Some(sock) = sock {
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
    subflow.close();
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
    for path in numbers() {
        reset(owner, path);
    }
}

/// Closes all subflows. What the connection knows of them stays as long as they live.
pub(crate) fn close_all(owner: &mut OwnerGuard<'_, Mptcp>) {
    for path in numbers() {
        if let Some(subflow) = handle_of(owner, path) {
            subflow.close();
        }
    }
}
