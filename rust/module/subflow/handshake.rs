// SPDX-License-Identifier: GPL-2.0

//! The handshake of the first subflow (RFC 8684 section 3.1), on both sides.

use crate::blackhole;
use crate::connection::{
    abort, abort_locked, count, count_established, derive, publish_state, Attempted, Mode,
};
use crate::counters::Counter;
use crate::keys::{claim, is_free, key_of_number};
use crate::netns::Namespace;
use crate::protocol::{Meta, Mptcp, Owned, Shared};
use crate::scheduler;
use crate::steering;
use crate::subflow::table::SubflowState;
use crate::subflow::{delivery, join, loss, mappings};
use kernel::sync::aref::ARef;
use knet::congestion::Choice;
use knet::meta::DataGuard;
use knet::netns::PerNet;
use knet::segment::{ChildRequest, Handshake, Incoming, OptionEdit, SynAck};
use knet::sock::{self, Sock, State};
use knet::subflow::Tcp;
use mptcp_core::connection::ending::is_breakdown;
use mptcp_core::connection::handshake::{
    on_peers_syn, on_syn, on_third_ack, server_key, server_syn_ack, Agreed, Attempt, ClientOutcome,
    Policy, Reason, ServerOutcome, SynAnswer,
};
use mptcp_core::connection::speech::Reset;
use mptcp_core::crypto::Key;
use mptcp_core::mapping::RxMapping;
use mptcp_core::receive::{scaled, ReceiveWindow, RightSizing};
use mptcp_core::scheduler::PathId;
use mptcp_core::seq::Ssn;
use mptcp_core::wire::{Address, Received, SegmentKind};

/// Bytes that a full DSS takes in every segment: 64-bit acknowledgement and mapping, checksum.
pub(crate) const OPTION_BYTES: i32 = 28;

/// What the administrator of a socket's namespace asks for.
pub(crate) fn policy(sock: &Sock) -> Policy {
    let settings = Namespace::of(sock.net()).map(|namespace| &namespace.settings);
    Policy {
        checksum: settings.is_some_and(|settings| settings.checksum_enabled()),
        deny_join: settings.is_some_and(|settings| !settings.allow_join_initial_addr_port()),
    }
}

/// Client: the SYN/ACK was accepted by TCP, which has not sent the third ACK yet.
pub(crate) fn syn_ack_received(meta: &Meta, tcp: &mut Tcp<'_>, segment: &Incoming<'_>) {
    let sock = meta.sock();
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    if path != PathId::FIRST {
        return join::syn_ack_received(&mut connection, path, tcp, segment);
    }
    if connection.mode != Mode::Connecting {
        return;
    }
    let Some(subflow) = connection.subflows.first_mut() else {
        return;
    };
    subflow.remote_isn = segment.seq;
    let offered = subflow.offered;
    // The peer may announce addresses and join before `connect` is done with the socket.
    sock.copy_addresses(tcp.sock());
    let kind = SegmentKind {
        syn: true,
        ack: segment.flags.ack(),
    };
    let received = Received::parse(segment.options, kind);
    match on_peers_syn(kind, &received, offered, connection.policy) {
        ClientOutcome::Mptcp { remote_key, agreed } => {
            count(sock, Counter::MpCapableSynAckRx);
            blackhole::passed(tcp.sock());
            let remote = derive(sock, remote_key);
            // RFC 7323 section 2.2: the window of a SYN/ACK is not scaled.
            connection.begin_mptcp(remote_key, remote, agreed, u32::from(segment.window));
        }
        ClientOutcome::Fallback(reason) => {
            match reason {
                Reason::Simultaneous => count(sock, Counter::SimultConnectFallback),
                Reason::NotOffered if connection.tokenless => {}
                Reason::NotOffered => blackhole::dropped(sock),
                _ => count(sock, Counter::MpCapableFallbackSynAck),
            }
            connection.begin_fallback();
        }
    }
    begin(&mut connection, tcp);
    steering::subflow_created(&mut connection, tcp.sock(), segment.hash());
}

/// Prepares connection and subflow for data, whatever the handshake decided.
fn begin(connection: &mut DataGuard<'_, Mptcp>, tcp: &mut Tcp<'_>) {
    if connection.speaks_mptcp() {
        tcp.reserve_option_space(OPTION_BYTES);
    }
    tcp.disable_nagle();
    if let Some(subflow) = connection.subflows.first_mut() {
        subflow.live = true;
    }
    // What TCP promised in SYN and SYN/ACK holds for the connection too.
    let first = connection.receive.rcv_nxt();
    connection.window = ReceiveWindow::new(first.plus(u64::from(tcp.rcv_wnd())));
    let buffer = u32::try_from(connection.meta().sock().receive_buffer()).unwrap_or(0);
    connection.right_sizing = RightSizing::new(knet::time::now_us(), buffer);
    count_established(connection);
}

/// TCP's state changed, or it has an error.
pub(crate) fn state_changed(meta: &Meta, tcp: &mut Tcp<'_>) {
    let sock = meta.sock();
    match tcp.sock().state() {
        State::Established if sock.state() == State::SynSent => {
            conclude(meta, Attempted::Connected);
        }
        State::Established => join::established(meta, tcp),
        State::Close => {
            // TCP closes before it reports data that came with the last FIN, or before a RST.
            delivery::data_ready(meta, tcp);
            let errno = tcp.sock().peek_error();
            let rest = loss::of_subflow(meta, tcp.sock());
            match rest {
                _ if sock.state() == State::SynSent => conclude(meta, Attempted::Failed(errno)),
                Some(rest) if is_breakdown(&rest, errno != 0) => abort(meta, errno),
                Some(_) if sock.is_orphan() => {
                    // No FIN will come any more.
                    meta.lock_data().timers.patience_lost = true;
                    meta.schedule_work();
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// Ends an attempt to connect: at once, or when the process that owns the socket is done, so that a
/// `connect` which does not wait sees an attempt in progress, as with TCP.
fn conclude(meta: &Meta, attempted: Attempted) {
    let mut connection = meta.lock_data();
    connection.deferred = Some(attempted);
    if !connection.is_owned() {
        released(&mut connection);
    }
}

/// The process that owned the socket is done.
pub(crate) fn released(connection: &mut DataGuard<'_, Mptcp>) {
    let sock = connection.meta().sock();
    let Some(attempted) = connection.deferred.take() else {
        return;
    };
    if sock.state() != State::SynSent {
        return;
    }
    match attempted {
        Attempted::Connected => {
            sock.set_state(State::Established);
            publish_state(connection);
            sock.notify_state();
            sock.notify_writeable();
        }
        Attempted::Failed(errno) => abort_locked(connection, errno),
    }
}

/// What tells a handshake from all others at the server.
pub(crate) fn attempt(handshake: &Handshake) -> Attempt {
    let address = |address| match address {
        sock::Address::V4(bytes) => Address::V4(bytes),
        sock::Address::V6(bytes) => Address::V6(bytes),
    };
    Attempt {
        local: address(handshake.tuple.local),
        remote: address(handshake.tuple.remote),
        local_port: handshake.tuple.local_port,
        remote_port: handshake.tuple.remote_port,
        local_isn: handshake.local_isn,
        remote_isn: handshake.remote_isn,
    }
}

/// The server's key for a handshake: made anew whenever it is needed, so that nothing need be kept
/// before the third ACK.
fn key_of(sock: &Sock, handshake: &Handshake) -> Key {
    let key = server_key(&attempt(handshake), |bytes| {
        Namespace::of(sock.net()).map_or(0, |namespace| namespace.secret.value(bytes))
    });
    key_of_number(sock, key.raw())
}

/// Server: answers a SYN.
pub(crate) fn answer_syn(listener: &Meta, syn: &SynAck<'_>, edit: &mut OptionEdit) {
    let policy = policy(listener.sock());
    if let Some(agreed) = syn.syn_options.and_then(|options| asked(options, policy)) {
        offer(listener, policy, agreed, &syn.handshake, syn.free, edit);
    }
}

/// What a SYN with these options and we agree on, if it asks for Multipath TCP.
pub(super) fn asked(options: &[u8], policy: Policy) -> Option<Agreed> {
    match on_syn(&Received::parse(options, SegmentKind::SYN), policy) {
        SynAnswer::Mptcp { agreed } => Some(agreed),
        SynAnswer::Plain(_) => None,
    }
}

/// Writes MP_CAPABLE into a SYN/ACK that has `free` bytes of option space, unless another connection has
/// the token of the key.
pub(super) fn offer(
    listener: &Meta,
    policy: Policy,
    agreed: Agreed,
    handshake: &Handshake,
    free: usize,
    edit: &mut OptionEdit,
) {
    let sock = listener.sock();
    count(sock, Counter::MpCapableSynRx);
    let key = key_of(sock, handshake);
    // rfc8684:3.1-32
    if !is_free(sock, key) {
        return;
    }
    let option = server_syn_ack(policy, agreed, key);
    if let Some(length) = option.emit(edit.buffer()) {
        if length <= free {
            edit.set_length(length);
        }
    }
}

/// Whether the SYN of a handshake asked for Multipath TCP.
fn asked_before(request: &ChildRequest<'_>, policy: Policy) -> bool {
    let options = request.syn_options;
    options.is_some_and(|options| asked(options, policy).is_some())
}

/// Server: the first segment after the SYN made a child of the listening subflow.
pub(crate) fn child(
    listener: &Meta,
    request: &ChildRequest<'_>,
    tcp: &mut Tcp<'_>,
) -> Option<(ARef<Meta>, ARef<Meta>)> {
    let segment = &request.segment;
    let received = Received::parse(segment.options, SegmentKind::ACK);
    let key = key_of(listener.sock(), &request.handshake);
    let policy = policy(listener.sock());
    let mut subflow = SubflowState::new(tcp.sock()).ok()?;
    let (application, own) = listener
        .inherit(Shared::inherit(listener), Owned::default())
        .ok()?;
    let sock = application.sock();
    {
        let mut connection = application.lock_data();
        connection.fully_established = false;
        connection.policy = policy;
        connection.congestion = Choice::of(tcp);
        scheduler::begin(&mut connection);
        subflow.local_isn = request.handshake.local_isn;
        subflow.remote_isn = request.handshake.remote_isn;
        // If the listener goes away before anybody accepts the connection, the peer shall know.
        subflow.reset = Reset::Fastclose;
        connection.subflows.put_first(subflow);
        match on_third_ack(&received, policy, key) {
            ServerOutcome::Mptcp {
                remote_key,
                agreed,
                first,
            } if claim(&mut connection, key) => {
                count(sock, Counter::MpCapableAckRx);
                let remote = derive(sock, remote_key);
                let window = scaled(segment.window, tcp.send_window_scale());
                connection.begin_mptcp(remote_key, remote, agreed, window);
                if let (Some(first), Some(subflow)) = (first, connection.subflows.first_mut()) {
                    let mapping = RxMapping {
                        ssn: Ssn::new(1),
                        dsn: remote.idsn.plus(1),
                        len: first.len,
                        checksum: first.checksum,
                        data_fin: false,
                    };
                    subflow.dss_seen = mappings::record(&mut subflow.rx, mapping).is_ok();
                }
            }
            ServerOutcome::Mptcp { .. } => connection.begin_fallback(),
            ServerOutcome::Fallback(reason) => {
                if reason != Reason::NoOption || asked_before(request, policy) {
                    count(sock, Counter::MpCapableFallbackAck);
                }
                connection.begin_fallback();
            }
        }
        begin(&mut connection, tcp);
        steering::subflow_created(&mut connection, tcp.sock(), segment.hash());
        sock.set_state(State::Established);
    }
    Some((application, own))
}
