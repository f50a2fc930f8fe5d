// SPDX-License-Identifier: GPL-2.0

//! `bind`, `connect` and what undoes them.

use crate::blackhole;
use crate::connection::{test_wrap, uncount_established, Connection, Mode};
use crate::keys;
use crate::path_manager::event::{self, OfListener};
use crate::protocol::{Meta, Mptcp};
use crate::scheduler;
use crate::socket::first_subflow;
use crate::subflow::table::SubflowState;
use kernel::prelude::*;
use knet::address::SocketAddress;
use knet::meta::OwnerGuard;
use knet::sock::{State, AF_INET};

/// Where sequence numbers begin with the test setting: they wrap after a megabyte.
const FIRST_SEQ_OF_TEST: u32 = u32::MAX - (1 << 20);

/// `bind`.
pub(crate) fn bind(meta: &Meta, address: &SocketAddress) -> Result {
    let mut owner = meta.lock();
    let subflow = first_subflow(&mut owner, meta.sock().family())?;
    subflow.bind(address)?;
    meta.sock().copy_addresses(subflow.sock());
    Ok(())
}

/// Begins to connect. `inet_stream_connect` owns the socket and waits for the result.
// rfc8684:3.1-1
pub(crate) fn connect(owner: &mut OwnerGuard<'_, Mptcp>, address: &SocketAddress) -> Result {
    let meta = owner.meta();
    let sock = meta.sock();
    let unmapped = address.unmapped();
    // An IPv4 peer of an IPv6 socket gets an IPv4 subflow, unless the socket is bound already.
    let (family, address) = match (&unmapped, &owner.subflow) {
        (Some(v4), None) => (AF_INET, v4),
        (Some(v4), Some(subflow)) if subflow.sock().family() == AF_INET => (AF_INET, v4),
        _ => (sock.family(), address),
    };
    let subflow = first_subflow(owner, family)?;
    let state = SubflowState::new(subflow.sock())?;
    {
        let mut connection = meta.lock_data();
        connection.mode = Mode::Connecting;
        connection.client = true;
        connection.tokenless = blackhole::avoids(sock) || !keys::draw(&mut connection);
        scheduler::begin(&mut connection);
        connection.subflows.put_first(state);
        sock.set_state(State::SynSent);
    }
    let first_seq = (test_wrap(sock) > 0).then_some(FIRST_SEQ_OF_TEST);
    if let Err(error) = subflow.connect(address, first_seq) {
        let mut connection = meta.lock_data();
        if sock.state() == State::SynSent {
            sock.set_state(State::Close);
        }
        connection.leave_index();
        connection.subflows.clear();
        return Err(error);
    }
    sock.copy_addresses(subflow.sock());
    Ok(())
}

/// Breaks the connection or the attempt, so that the socket can connect again.
pub(crate) fn disconnect(owner: &mut OwnerGuard<'_, Mptcp>) -> Result {
    let meta = owner.meta();
    let sock = meta.sock();
    if let Some(subflow) = owner.subflow.take() {
        crate::socket::close::reset_connection(meta);
        let bound = sock.state() == State::Listen;
        if bound {
            event::of_listener(subflow.sock(), OfListener::Closed);
        }
        subflow.lock().disconnect();
        if bound {
            owner.subflow = Some(subflow);
        } else {
            subflow.close();
        }
    }
    if sock.state() != State::Listen {
        crate::socket::leave::reset_all(owner);
        crate::socket::leave::close_all(owner);
    }
    crate::socket::close::drop_received(owner);
    let mut connection = meta.lock_data();
    uncount_established(&mut connection);
    let bytes = connection.queue.bytes();
    connection.uncharge_send(bytes);
    connection.empty();
    connection.clear_shutdown();
    sock.set_state(State::Close);
    drop(connection);
    meta.stop_timer();
    Ok(())
}

impl Connection {
    /// Forgets everything about the peer.
    fn empty(&mut self) {
        self.queue.clear();
        self.subflows.clear();
        self.claiming = Default::default();
        self.mode = Mode::Connecting;
        self.fully_established = false;
        self.state = Default::default();
        self.aborted = false;
        self.deferred = None;
        self.starved = false;
        self.granted = None;
        self.retransmitted = false;
        self.resent = 0;
        self.timers = Default::default();
        self.paths = Default::default();
    }
}
