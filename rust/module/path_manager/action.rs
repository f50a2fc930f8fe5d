// SPDX-License-Identifier: GPL-2.0

//! What the path manager wants to be done, done in process context.

use crate::connection::{condemn, count};
use crate::counters::Counter;
use crate::crypto::KernelSha256;
use crate::path_manager::kernel_address;
use crate::path_manager::paths::{consult, mention};
use crate::protocol::{Meta, Mptcp};
use crate::subflow::{errand, join, loss};
use crate::timer;
use kernel::prelude::*;
use knet::address::SocketAddress;
use knet::meta::OwnerGuard;
use knet::subflow::Tcp;
use mptcp_core::connection::departure;
use mptcp_core::path_manager::{Action, End, Event, Farewell, Open, SubflowId};
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::plan::Wanted;
use mptcp_core::wire::{MpPrio, ResetReason};

/// So many things are done in a row before others get a turn.
const IN_A_ROW: usize = 64;

/// Does what is to be done now, and sets the time of what is to be done later.
pub(crate) fn work(owner: &mut OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    if meta.lock_data().paths.manager().is_none() {
        return;
    }
    for _ in 0..IN_A_ROW {
        let action = consult(&mut meta.lock_data(), |manager, context| {
            manager.poll(context)
        });
        let Some(action) = action.flatten() else {
            timer::manage_paths_later(&mut meta.lock_data());
            return;
        };
        carry_out(owner, action);
    }
    meta.schedule_work();
}

fn carry_out(owner: &mut OwnerGuard<'_, Mptcp>, action: Action) {
    let sock = owner.meta().sock();
    match action {
        // What fails is tried again later.
        Action::Open(wanted) => drop(open(owner, &wanted)),
        Action::Close { subflow, farewell } => close_subflow(owner, subflow, farewell),
        Action::Announce { announcement, via } => {
            let keys = owner.meta().lock_data().keys();
            let option = announcement.signed(keys, &KernelSha256);
            let wanted = Wanted {
                add_addr: Some(option),
                ..Wanted::default()
            };
            match say(owner, via, wanted) {
                Some(_) => count(sock, Counter::AddAddrTx),
                None => count(sock, Counter::AddAddrTxDrop),
            }
        }
        Action::Echo { announcement, via } => {
            let wanted = Wanted {
                add_addr: Some(announcement.echo()),
                ..Wanted::default()
            };
            match say(owner, via, wanted) {
                Some(_) => count(sock, Counter::EchoAddTx),
                None => count(sock, Counter::EchoAddTxDrop),
            }
        }
        Action::Remove { option, via } => {
            let wanted = Wanted {
                remove_addr: Some(option),
                ..Wanted::default()
            };
            match say(owner, via, wanted) {
                Some(_) => count(sock, Counter::RmAddrTx),
                None => count(sock, Counter::RmAddrTxDrop),
            }
        }
        Action::Priority { subflow, backup } => {
            let wanted = Wanted {
                mp_prio: Some(MpPrio { backup }),
                ..Wanted::default()
            };
            if let Some(path) = say(owner, subflow, wanted) {
                count(sock, Counter::MpPrioTx);
                if let Some(subflow) = owner.meta().lock_data().subflows.at_mut(path) {
                    subflow.local_backup = backup;
                }
            }
        }
        Action::Probe { subflow } => {
            with_subflow(owner, subflow, |path, tcp| {
                if let Some(subflow) = owner.meta().lock_data().subflows.at_mut(path) {
                    subflow.doubt.on_asked();
                }
                tcp.send_probe();
            });
        }
    }
}

/// Locks a subflow, if it is still there.
fn with_subflow(
    owner: &OwnerGuard<'_, Mptcp>,
    name: SubflowId,
    act: impl FnOnce(PathId, &mut Tcp<'_>),
) -> Option<PathId> {
    let meta = owner.meta();
    let (path, sock) = {
        let connection = meta.lock_data();
        let path = connection.path_named(name)?;
        let subflow = connection.subflows.at(path)?;
        (path, subflow.sock.clone())
    };
    act(path, &mut knet::subflow::lock(&sock));
    Some(path)
}

/// Sends a segment on a subflow that says this and nothing else. `None` if it did not leave, or had no room
/// or no memory for it.
fn say(owner: &OwnerGuard<'_, Mptcp>, name: SubflowId, wanted: Wanted) -> Option<PathId> {
    let mut said = false;
    let path = with_subflow(owner, name, |path, tcp| {
        said = errand::say(owner.meta(), path, tcp, wanted);
    })?;
    said.then_some(path)
}

/// Opens a subflow.
///
/// # Errors
/// Why it could not be opened; the path manager knows it then.
pub(crate) fn open(owner: &OwnerGuard<'_, Mptcp>, open: &Open) -> Result {
    let address =
        |end: &mptcp_core::wire::Address, port| SocketAddress::new(&kernel_address(end), port);
    let local = open.local.map(|local| address(&local.address, 0));
    let opening = join::Opening {
        name: open.subflow,
        local: local.as_ref(),
        interface: open.local.map_or(0, |local| local.interface),
        remote: &address(&open.remote.address, open.remote.port),
        local_id: open.local.map(|local| local.id),
        remote_id: open.remote_id,
        backup: open.backup,
    };
    let opened = join::open(owner, &opening).map(drop);
    if opened.is_err() {
        let event = Event::SubflowEnded {
            subflow: open.subflow,
            end: End::Unreachable,
        };
        mention(&mut owner.meta().lock_data(), &event);
    }
    opened
}

fn close_subflow(owner: &mut OwnerGuard<'_, Mptcp>, name: SubflowId, farewell: Farewell) {
    let mut connection = owner.meta().lock_data();
    let Some(path) = connection.path_named(name) else {
        return;
    };
    count(owner.meta().sock(), Counter::RmSubflow);
    match departure::farewell(farewell, connection.subflows.joined) {
        Farewell::Reset(reason) => {
            let reason = (reason != ResetReason::UNSPECIFIED).then_some(reason);
            condemn(&mut connection, path, reason);
        }
        Farewell::Fin => {
            drop(connection);
            with_subflow(owner, name, |path, tcp| finish(owner.meta(), path, tcp));
        }
    }
}

/// Ends a subflow in order: its data is sent on others too, and what the peer still sends is taken until its
/// FIN comes.
fn finish(meta: &Meta, path: PathId, tcp: &mut Tcp<'_>) {
    let mut connection = meta.lock_data();
    loss::withdraw(&mut connection, path);
    let rest = connection.subflows.at_mut(path).map(|subflow| {
        subflow.finishing = true;
        // Nothing can follow the FIN, and the others carry it all.
        subflow.partial.take()
    });
    drop(connection);
    drop(rest);
    tcp.shut_down_send();
}
