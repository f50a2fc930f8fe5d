// SPDX-License-Identifier: GPL-2.0

//! Subflows that join a connection by MP_JOIN (RFC 8684 section 3.2), on both sides.
//!
//! As with the first subflow, the server keeps nothing before the third ACK: its random number is made anew
//! from addresses and sequence numbers.

use crate::congestion;
use crate::connection::{condemn, count, Mode};
use crate::counters::Counter;
use crate::crypto::KernelSha256;
use crate::netns::Namespace;
use crate::path_manager::event::{self, OfSubflow};
use crate::path_manager::{core_address, ends, paths};
use crate::protocol::{Meta, Mptcp};
use crate::steering;
use crate::subflow::cookie;
use crate::subflow::handshake::{attempt, OPTION_BYTES};
use crate::subflow::table::SubflowState;
use crate::timer;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::address::SocketAddress;
use knet::meta::{DataGuard, OwnerGuard};
use knet::netns::{Net, PerNet};
use knet::protocol::{Rst, SynFate};
use knet::segment::{ChildRequest, Handshake, Incoming, OptionEdit, Outgoing, Syn, SynAck};
use knet::sock::Sock;
use knet::subflow::{Subflow, Tcp};
use mptcp_core::connection::join::{
    client_syn, on_silence, on_syn, on_syn_ack, on_third_ack, server_nonce, server_syn_ack,
    third_ack, third_ack_timeout, Refusal, Request, Secrets, LONGEST_WAIT, MOST_THIRD_ACKS,
};
use mptcp_core::crypto::Token;
use mptcp_core::path_manager::{
    Admitted, End, Event, JoinRequest, Refusal as Unwelcome, SubflowId,
};
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::plan::Wanted;
use mptcp_core::wire::{MpTcpRst, Received, ResetReason, SegmentKind};

/// The handshake of a subflow that joins.
pub(crate) struct Join {
    /// What our SYN asks for, or the peer's.
    pub(crate) request: Request,
    /// Client: what the third ACK says, from the SYN/ACK on.
    pub(crate) hmac: Option<[u8; 20]>,
    /// Client: how often the third ACK was sent.
    sent: u8,
    /// Client: when to send it again, on the clock of [`knet::time::now_us`].
    again_at: u64,
}

/// A subflow that the client opens.
pub(crate) struct Opening<'a> {
    /// The path manager's name of it.
    pub(crate) name: SubflowId,
    /// Where it comes from; `None` leaves it to routing.
    pub(crate) local: Option<&'a SocketAddress>,
    /// The interface to leave through; 0 leaves it to routing.
    pub(crate) interface: u32,
    /// Where it goes to.
    pub(crate) remote: &'a SocketAddress,
    /// Our id of the local address, unless routing chooses that.
    pub(crate) local_id: Option<u8>,
    /// The peer's id of the remote address.
    pub(crate) remote_id: u8,
    /// Whether to declare it a backup.
    pub(crate) backup: bool,
}

/// Client: begins to open a subflow. Process context.
///
/// # Errors
/// EINVAL if the connection cannot have other subflows, ENOSPC if it has as many as it may, otherwise what
/// TCP says.
pub(crate) fn open(owner: &OwnerGuard<'_, Mptcp>, opening: &Opening<'_>) -> Result<PathId> {
    let meta = owner.meta();
    let subflow = Subflow::<Mptcp>::open(meta, opening.remote.family())?;
    congestion::follow(meta, &mut subflow.lock());
    let opened = begin(meta, &subflow, opening);
    match opened {
        Ok(path) => {
            // Only the owner takes subflows out of the table, so it is still there.
            let mut connection = meta.lock_data();
            if let Some(state) = connection.subflows.at_mut(path) {
                state.handle = Some(subflow);
                if state.gone {
                    meta.schedule_work();
                }
            }
        }
        Err(_) => subflow.close(),
    }
    opened
}

fn begin(meta: &Meta, subflow: &Subflow<Mptcp>, opening: &Opening<'_>) -> Result<PathId> {
    let sock = meta.sock();
    let bound = match opening.interface {
        0 => Ok(()),
        index => subflow.bind_to_interface(index),
    };
    let bound = bound.and_then(|()| opening.local.map_or(Ok(()), |local| subflow.bind(local)));
    if let Err(error) = bound {
        count(sock, Counter::MpJoinSynTxBindErr);
        return Err(error);
    }
    let path = enter(meta, subflow, opening)?;
    if let Err(error) = subflow.connect(opening.remote, None) {
        count(sock, Counter::MpJoinSynTxConnectErr);
        drop(meta.lock_data().subflows.remove(path));
        return Err(error);
    }
    Ok(path)
}

/// Gives a subflow that is about to connect its place in the connection.
fn enter(meta: &Meta, subflow: &Subflow<Mptcp>, opening: &Opening<'_>) -> Result<PathId> {
    let mut state = SubflowState::new(subflow.sock())?;
    let mut connection = meta.lock_data();
    if connection.mode != Mode::Mptcp || connection.aborted {
        return Err(EINVAL);
    }
    state.join = Some(Join::new(Request {
        token: connection.remote.token,
        nonce: knet::crypto::random_u64() as u32,
        address_id: opening.local_id.unwrap_or_default(),
        backup: opening.backup,
    }));
    state.local_id = opening.local_id.unwrap_or_default();
    state.routed = opening.local_id.is_none();
    state.name = Some(opening.name);
    state.remote_id = opening.remote_id;
    state.local_backup = opening.backup;
    meta.shared().several.store(true, Ordering::Relaxed);
    connection.subflows.join(state).ok_or(ENOSPC)
}

/// Client: the SYN of a subflow that joins.
pub(crate) fn speak_syn(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    segment: &Outgoing<'_>,
    again: u8,
    edit: &mut OptionEdit,
) {
    let sock = connection.meta().sock();
    identify(connection, path);
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    subflow.local_isn = segment.seq;
    let Some(join) = &subflow.join else { return };
    if let Some(length) = client_syn(&join.request).emit(edit.buffer()) {
        edit.set_length(length);
        if again == 0 {
            count(sock, Counter::MpJoinSynTx);
        }
    }
}

impl Join {
    /// The handshake that our SYN begins, or the peer's.
    fn new(request: Request) -> Self {
        Self {
            request,
            hmac: None,
            sent: 0,
            again_at: 0,
        }
    }

    /// The third ACK leaves, and its answer is waited for.
    fn await_answer(&mut self, rto: u32) {
        self.sent = self.sent.saturating_add(1);
        let wait = third_ack_timeout(self.sent, rto, LONGEST_WAIT);
        self.again_at = knet::time::now_us().saturating_add(u64::from(wait));
    }
}

/// Client: finds a subflow whose third ACK was not answered in time. Returns its socket if the third ACK
/// is to be sent again; the time is when to look again.
// rfc8684:3.2-9
pub(crate) fn unanswered(
    connection: &mut DataGuard<'_, Mptcp>,
    now: u64,
) -> (Option<ARef<Sock>>, Option<u64>) {
    let mut again = None;
    let mut refused = None;
    let mut next: Option<u64> = None;
    for (path, subflow) in connection.subflows.iter_mut() {
        if subflow.useless || subflow.gone || !subflow.awaits_answer() {
            continue;
        }
        let Some(join) = subflow.join.as_mut() else {
            continue;
        };
        if join.again_at <= now && again.is_none() && refused.is_none() {
            match on_silence(join.sent, MOST_THIRD_ACKS) {
                Ok(()) => {
                    join.await_answer(knet::subflow::rto_us(&subflow.sock));
                    again = Some(subflow.sock.clone());
                }
                Err(refusal) => refused = Some((path, refusal)),
            }
        }
        next = Some(next.map_or(join.again_at, |next| next.min(join.again_at)));
    }
    if let Some((path, refusal)) = refused {
        condemn(connection, path, Some(refusal.reason()));
    }
    (again, next)
}

/// Client: finds our id of the address that routing chose.
fn identify(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    if !core::mem::take(&mut subflow.routed) {
        return;
    }
    let address = core_address(&subflow.sock.tuple().local);
    let name = subflow.name;
    let id = paths::id_of(connection, address, None).unwrap_or_default();
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.local_id = id;
        if let Some(join) = subflow.join.as_mut() {
            join.request.address_id = id;
        }
    }
    if let Some(subflow) = name {
        let local_id = id;
        paths::mention(connection, &Event::Bound { subflow, local_id });
    }
}

/// Client: what a segment says until the server has shown that it has the third ACK; `None` after that.
pub(crate) fn speech(subflow: &SubflowState) -> Option<Wanted> {
    let join = subflow.join.as_ref().filter(|_| subflow.awaits_answer())?;
    join.hmac.map(third_ack)
}

/// Client: the SYN/ACK was accepted by TCP, which has not sent the third ACK yet.
pub(crate) fn syn_ack_received(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
    segment: &Incoming<'_>,
) {
    let sock = connection.meta().sock();
    let kind = SegmentKind {
        syn: true,
        ack: segment.flags.ack(),
    };
    let received = Received::parse(segment.options, kind);
    let keys = connection.keys();
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    subflow.remote_isn = segment.seq;
    let Some(join) = subflow.join.as_mut() else {
        return;
    };
    match on_syn_ack(&received, keys, join.request.nonce, &KernelSha256) {
        Ok(accepted) => {
            count(sock, Counter::MpJoinSynAckRx);
            if tcp.sock().tuple().remote_port != sock.tuple().remote_port {
                count(sock, Counter::MpJoinPortSynAckRx);
            }
            join.hmac = Some(accepted.hmac);
            join.await_answer(tcp.rto_us());
            subflow.remote_id = accepted.address_id;
            subflow.remote_backup = accepted.backup;
            connection.subflows.answered = true;
            prepare(tcp);
            steering::subflow_created(connection, tcp.sock(), segment.hash());
            timer::await_join(connection, u64::from(tcp.rto_us()));
        }
        Err(refusal) => {
            if refusal == Refusal::WrongHmac {
                count(sock, Counter::MpJoinSynAckHmacFailure);
            }
            condemn(connection, path, Some(refusal.reason()));
        }
    }
}

/// Prepares TCP for data with mappings.
fn prepare(tcp: &mut Tcp<'_>) {
    tcp.reserve_option_space(OPTION_BYTES);
    tcp.disable_nagle();
}

/// Server: whose is a SYN with options of kind 30?
// rfc8684:3.2-2
pub(crate) fn syn_arrived(net: &Net, syn: &Syn<'_>) -> SynFate {
    let Some(request) = request_of(syn.options) else {
        cookie::syn_passes(net, syn);
        return SynFate::Pass;
    };
    let Some(namespace) = Namespace::of(net) else {
        return SynFate::Pass;
    };
    let Some(meta) = namespace.tokens.find(request.token.raw()) else {
        namespace.counters.count(Counter::MpJoinNoTokenFound);
        return SynFate::Unknown(lasting(Refusal::UnknownToken));
    };
    let (local, _) = ends(&syn.tuple);
    let welcome = paths::may_come_to(&mut meta.lock_data(), &local);
    match welcome {
        Ok(()) => SynFate::Join,
        Err(refusal) => {
            if refusal == Unwelcome::Port {
                namespace.counters.count(Counter::MismatchPortSynRx);
            }
            SynFate::Refused(rst(refusal))
        }
    }
}

/// What a RST says about a handshake that does not prove to belong to a connection.
const fn lasting(refusal: Refusal) -> Rst {
    Rst {
        reason: refusal.reason().raw(),
        transient: false,
    }
}

/// What a RST says about a subflow that the path manager does not want.
const fn rst(refusal: Unwelcome) -> Rst {
    let MpTcpRst { reason, transient } = refusal.rst();
    Rst {
        reason: reason.raw(),
        transient,
    }
}

/// Server: a SYN that joins no connection came to a port where only such SYNs are welcome.
pub(crate) fn unwanted_syn(net: &Net) -> Rst {
    if let Some(namespace) = Namespace::of(net) {
        namespace.counters.count(Counter::MpCapableEndpAttempt);
    }
    Rst {
        reason: ResetReason::ADMINISTRATIVELY_PROHIBITED.raw(),
        transient: false,
    }
}

/// What a SYN with these options asks for, if it wants to join a connection.
fn request_of(options: &[u8]) -> Option<Request> {
    on_syn(&Received::parse(options, SegmentKind::SYN))
}

/// The connection in whose namespace a handshake happens that names it by `token`.
fn connection_of(net: &Net, token: Token) -> Option<ARef<Meta>> {
    Namespace::of(net)?.tokens.find(token.raw())
}

/// Server: both ends' secrets in a handshake; `None` if the connection cannot have other subflows.
fn secrets(
    connection: &DataGuard<'_, Mptcp>,
    handshake: &Handshake,
    request: &Request,
) -> Option<Secrets> {
    if connection.mode != Mode::Mptcp || connection.aborted {
        return None;
    }
    let namespace = connection.meta().namespace()?;
    let our_nonce = server_nonce(&attempt(handshake), request.token, |bytes| {
        namespace.secret.value(bytes)
    });
    Some(Secrets {
        keys: connection.keys(),
        our_nonce,
        peer_nonce: request.nonce,
    })
}

/// Server: answers the SYN of a subflow that joins.
pub(crate) fn answer(net: &Net, syn: &SynAck<'_>, edit: &mut OptionEdit) {
    let Some(request) = syn.syn_options.and_then(request_of) else {
        return;
    };
    let Some(meta) = connection_of(net, request.token) else {
        return;
    };
    count(&*meta, Counter::MpJoinSynRx);
    let (local, _) = ends(&syn.handshake.tuple);
    if local.port != meta.sock().tuple().local_port {
        count(&*meta, Counter::MpJoinPortSynRx);
    }
    let mut connection = meta.lock_data();
    let Some(secrets) = secrets(&connection, &syn.handshake, &request) else {
        return;
    };
    let (local_id, backup) = paths::identify(&mut connection, local);
    drop(connection);
    let option = server_syn_ack(&secrets, local_id, backup, &KernelSha256);
    if let Some(length) = option.emit(edit.buffer()) {
        if length <= syn.free {
            edit.set_length(length);
        }
    }
}

/// A subflow that was admitted and has no socket yet. It has a reservation in the connection's table.
pub(crate) struct Joining {
    meta: ARef<Meta>,
    place: Option<KBox<MaybeUninit<SubflowState>>>,
    request: Request,
    handshake: Handshake,
    /// The hash of the third ACK, by which its receiver is steered.
    hash: u32,
    admitted: Admitted,
}

impl Drop for Joining {
    fn drop(&mut self) {
        if self.place.is_some() {
            let mut connection = self.meta.lock_data();
            connection.subflows.cancel();
            let event = Event::SubflowEnded {
                subflow: self.admitted.subflow,
                end: End::Refused,
            };
            paths::mention(&mut connection, &event);
        }
    }
}

/// Server: the handshake of a subflow that joins is done.
///
/// # Errors
/// What the RST says.
pub(crate) fn admit(net: &Net, request: &ChildRequest<'_>) -> core::result::Result<Joining, Rst> {
    let segment = &request.segment;
    let asked = request.syn_options.and_then(request_of);
    let asked = asked.ok_or(lasting(Refusal::NoOption))?;
    let meta = connection_of(net, asked.token).ok_or(lasting(Refusal::UnknownToken))?;
    let sock = meta.sock();
    let received = Received::parse(segment.options, SegmentKind::ACK);
    let secrets = secrets(&meta.lock_data(), &request.handshake, &asked);
    let secrets = secrets.ok_or(rst(Unwelcome::Over))?;
    if let Err(refusal) = on_third_ack(&received, &secrets, &KernelSha256) {
        if refusal == Refusal::WrongHmac {
            count(sock, Counter::MpJoinAckHmacFailure);
        }
        return Err(lasting(refusal));
    }
    let place = KBox::new_uninit(GFP_ATOMIC).map_err(|_| rst(Unwelcome::NoRoom))?;
    let (local, remote) = ends(&request.handshake.tuple);
    let welcome = JoinRequest {
        local,
        remote,
        remote_id: asked.address_id,
        backup: asked.backup,
    };
    let admitted = {
        let mut connection = meta.lock_data();
        paths::admit(&mut connection, &welcome).and_then(|admitted| {
            let reserved = connection.subflows.reserve();
            reserved.then_some(admitted).ok_or(Unwelcome::NoRoom)
        })
    };
    let admitted = admitted.map_err(|refusal| {
        let counter = match refusal {
            Unwelcome::Port => Counter::MismatchPortAckRx,
            _ => Counter::MpJoinRejected,
        };
        count(sock, counter);
        rst(refusal)
    })?;
    count(sock, Counter::MpJoinAckRx);
    if local.port != sock.tuple().local_port {
        count(sock, Counter::MpJoinPortAckRx);
    }
    Ok(Joining {
        place: Some(place),
        request: asked,
        handshake: request.handshake,
        hash: segment.hash(),
        admitted,
        meta,
    })
}

/// Server: TCP made the socket of a subflow that was admitted.
pub(crate) fn joined(
    mut joining: Joining,
    handle: Subflow<Mptcp>,
    tcp: &mut Tcp<'_>,
) -> ARef<Meta> {
    let meta = joining.meta.clone();
    let Some(place) = joining.place.take() else {
        return meta;
    };
    let mut state = SubflowState::new_in(place, tcp.sock());
    state.local_isn = joining.handshake.local_isn;
    state.remote_isn = joining.handshake.remote_isn;
    state.remote_id = joining.request.address_id;
    state.local_id = joining.admitted.local_id;
    state.local_backup = joining.admitted.backup;
    state.name = Some(joining.admitted.subflow);
    state.remote_backup = joining.request.backup;
    state.join = Some(Join::new(joining.request));
    state.handle = Some(handle);
    prepare(tcp);
    meta.shared().several.store(true, Ordering::Relaxed);
    congestion::follow(&meta, tcp);
    let mut connection = meta.lock_data();
    let path = connection.subflows.join_reserved(state);
    connection.subflows.answered = true;
    connection.subflows.joined = true;
    steering::subflow_created(&mut connection, tcp.sock(), joining.hash);
    if connection.aborted || connection.ended {
        // It ended meanwhile, and whoever ended it did not see this one.
        condemn(&mut connection, path, None);
    }
    drop(connection);
    meta
}

/// TCP is established. The server's handshake is done by this; the client's is not before the server
/// answers its third ACK.
pub(crate) fn established(meta: &Meta, tcp: &mut Tcp<'_>) {
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    let subflow = connection.subflows.at_mut(path);
    let join = subflow.and_then(|subflow| subflow.join.as_ref());
    if join.is_none_or(|join| join.hmac.is_some()) {
        return;
    }
    go_live(&mut connection, path);
    drop(connection);
    // RFC 8684 section 3.2: the server acknowledges the third ACK at once.
    tcp.send_ack();
}

/// Client: a segment shows that the server has the third ACK, so data may be sent.
pub(crate) fn confirmed(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    let subflow = connection.subflows.at(path);
    if subflow.is_some_and(SubflowState::awaits_answer) {
        go_live(connection, path);
    }
}

/// The connection had no other subflow: what the peer's data level did not acknowledge begins anew on this one.
fn carry_on(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    if connection.send.needs_retransmit() {
        connection.send.start_retransmit();
        connection.retransmitted = true;
    }
    if let Some(subflow) = connection.subflows.at_mut(path) {
        // A DATA_FIN goes with an acknowledgement.
        subflow.ack_due = true;
        subflow.sock.ask_for_report();
    }
}

fn go_live(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.live = !subflow.useless && !subflow.gone;
        subflow.last_progress_us = knet::time::now_us();
    }
    connection.subflows.joined = true;
    // What the other subflows took long for may be quick on this one.
    connection.timers.backoff = 0;
    if core::mem::take(&mut connection.timers.alone_until) != 0 {
        carry_on(connection, path);
    }
    if let Some(subflow) = connection.name_of(path) {
        paths::mention(connection, &Event::Live { subflow });
    }
    if let Some(subflow) = connection.subflows.at(path) {
        event::of_subflow(connection, subflow, OfSubflow::Established);
    }
    connection.meta().schedule_softirq_work();
}
