// SPDX-License-Identifier: GPL-2.0

//! `listen` and `accept`.

use crate::path_manager::event::{self, OfListener};
use crate::protocol::{Meta, Mptcp};
use crate::socket::first_subflow;
use crate::subflow::delivery;
use crate::subflow::table::SubflowState;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::meta::OwnerGuard;
use knet::sock::State;
use knet::subflow::AcceptedSubflow;
use mptcp_core::connection::speech::Reset;

/// `listen`: the subflow listens for the meta-socket.
pub(crate) fn listen(owner: &mut OwnerGuard<'_, Mptcp>, backlog: i32) -> Result {
    let meta = owner.meta();
    let sock = meta.sock();
    if !matches!(sock.state(), State::Close | State::Listen) {
        return Err(EINVAL);
    }
    let subflow = first_subflow(owner, sock.family())?;
    subflow.listen(backlog)?;
    sock.copy_addresses(subflow.sock());
    let state = SubflowState::new(subflow.sock())?;
    let began = sock.state() != State::Listen;
    {
        let mut connection = meta.lock_data();
        if connection.subflows.first().is_none() {
            connection.subflows.put_first(state);
        }
        sock.set_state(State::Listen);
    }
    if began {
        event::of_listener(subflow.sock(), OfListener::Created);
    }
    Ok(())
}

/// `accept`.
pub(crate) fn accept(meta: &Meta, no_wait: bool) -> Result<ARef<Meta>> {
    let timeout = meta.sock().receive_timeout(no_wait);
    // The listener's subflow stays while its application is in here: only close and shutdown take
    // it away, and they wake those who wait.
    let listener = {
        let connection = meta.lock_data();
        if meta.sock().state() != State::Listen {
            return Err(EINVAL);
        }
        connection
            .subflows
            .first()
            .map(|subflow| subflow.sock.clone())
            .ok_or(EINVAL)?
    };
    let AcceptedSubflow {
        subflow,
        meta: child,
    } = knet::subflow::accept::<Mptcp>(&listener, timeout)?;
    let mut owner = child.lock();
    let sock = subflow.sock().hold();
    owner.subflow = Some(subflow);
    drop(owner);
    if let Some(subflow) = child.lock_data().subflows.first_mut() {
        subflow.reset = Reset::Tcp;
    }
    // What arrived while nobody was there to be told is there to be read.
    delivery::data_ready(&child, &mut knet::subflow::lock(&sock));
    Ok(child)
}
