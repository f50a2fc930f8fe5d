// SPDX-License-Identifier: GPL-2.0

//! Multipath TCP as a protocol of meta-sockets: which function of this crate answers which call.

use crate::connection::{count, Connection};
use crate::counters::Counter;
use crate::netns::Namespace;
use crate::{scheduler, socket, steering, subflow, timer};
use core::sync::atomic::{AtomicBool, AtomicU64};
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::address::SocketAddress;
use knet::message::{Message, PollTable};
use knet::meta::{DataGuard, OwnerGuard};
use knet::netns::Net;
use knet::protocol::{Protocol, Rst, SynFate, Verdict};
use knet::segment::{ChildRequest, CookieSynAck, Incoming, OptionEdit, Outgoing, Syn, SynAck};
use knet::skb::PacketQueue;
use knet::sock::Sock;
use knet::sockopt::{GetOption, SetOption};
use knet::subflow::{Subflow, Tcp};

/// The protocol.
pub(crate) struct Mptcp;

/// A meta-socket.
pub(crate) type Meta = knet::meta::Meta<Mptcp>;

/// What any context may read of a meta-socket.
#[derive(Default)]
pub(crate) struct Shared {
    /// Bytes that the application can receive now.
    pub(crate) readable: AtomicU64,
    /// TCP_NODELAY: small segments are sent at once.
    pub(crate) no_delay: AtomicBool,
    /// TCP_CORK: small segments wait.
    pub(crate) corked: AtomicBool,
    /// TCP_INQ: a receive tells how much more there is.
    pub(crate) tells_readable: AtomicBool,
    /// How received packets are steered.
    pub(crate) steering: steering::Shared,
    /// The connection has, or had, more than one subflow.
    pub(crate) several: AtomicBool,
    /// The scheduler that the application chose.
    pub(crate) scheduler: scheduler::Choice,
}

/// What the owner of a meta-socket has to itself.
#[derive(Default)]
pub(crate) struct Owned {
    /// The subflow: before the connection, of a listener, and of the connection.
    pub(crate) subflow: Option<Subflow<Mptcp>>,
    /// Packets taken from the receive queue and not copied to the application yet.
    pub(crate) backlog: PacketQueue,
}

impl Protocol for Mptcp {
    type Shared = Shared;
    type Owned = Owned;
    type Data = Connection;
    type Joining = subflow::join::Joining;
    type Namespace = Namespace;

    const NAME: &'static [u8] = b"MPTCP_RS\0";
    const ULP_NAME: &'static [u8] = b"mptcp_rs\0";

    fn open(sock: &Sock) -> Result<(Shared, Owned)> {
        socket::open(sock)
    }
    fn data() -> impl Init<Connection> {
        Connection::init()
    }
    fn destruct(meta: &Meta) {
        socket::close::destruct(meta)
    }
    fn bind(meta: &Meta, address: &SocketAddress) -> Result {
        socket::connect::bind(meta, address)
    }
    fn listen(owner: &mut OwnerGuard<'_, Self>, backlog: i32) -> Result {
        socket::listen::listen(owner, backlog)
    }
    fn connect(owner: &mut OwnerGuard<'_, Self>, address: &SocketAddress) -> Result {
        socket::connect::connect(owner, address)
    }
    fn disconnect(owner: &mut OwnerGuard<'_, Self>) -> Result {
        socket::connect::disconnect(owner)
    }
    fn accept(meta: &Meta, no_wait: bool) -> Result<ARef<Meta>> {
        socket::listen::accept(meta, no_wait)
    }
    fn shut_down(owner: &mut OwnerGuard<'_, Self>, bits: u8) {
        socket::close::shut_down(owner, bits)
    }
    fn close(meta: &Meta, timeout: c_long) {
        socket::close::close(meta, timeout)
    }
    fn send(meta: &Meta, message: &mut Message<'_>) -> Result<usize> {
        socket::send::send(meta, message)
    }
    fn receive(meta: &Meta, message: &mut Message<'_>) -> Result<usize> {
        socket::receive::receive(meta, message)
    }
    fn poll(meta: &Meta, table: &mut PollTable<'_>) -> u32 {
        socket::poll::poll(meta, table)
    }
    fn ioctl(meta: &Meta, command: u32) -> Result<i32> {
        socket::poll::ioctl(meta, command)
    }
    fn set_option(meta: &Meta, option: &SetOption) -> Result {
        socket::options::set(meta, option)
    }
    fn get_option(meta: &Meta, option: &GetOption) -> Result {
        socket::options::get(meta, option)
    }
    fn work(meta: &Meta) {
        count(meta, Counter::DeferredWork);
        socket::close::work(meta)
    }
    fn softirq_work(meta: &Meta) {
        count(meta, Counter::DeferredSoftirqWork);
        subflow::push::push_all(meta)
    }
    fn timer(meta: &Meta) {
        count(meta, Counter::DeferredTimer);
        timer::expired(meta)
    }
    fn transmit(meta: &Meta, tcp: &mut Tcp<'_>, segment: &Outgoing<'_>, edit: &mut OptionEdit) {
        subflow::transmit::transmit(meta, tcp, segment, edit)
    }
    fn syn_ack_received(meta: &Meta, tcp: &mut Tcp<'_>, segment: &Incoming<'_>) {
        subflow::handshake::syn_ack_received(meta, tcp, segment)
    }
    fn arrived(meta: &Meta, tcp: &Sock, segment: &Incoming<'_>) -> Verdict {
        subflow::arrival::arrived(meta, tcp, segment)
    }
    fn stray_reset(net: &Net, segment: &Incoming<'_>) {
        subflow::arrival::stray_reset(net, segment)
    }
    fn data_ready(meta: &Meta, tcp: &mut Tcp<'_>) {
        subflow::delivery::data_ready(meta, tcp)
    }
    fn write_space(meta: &Meta, tcp: &mut Tcp<'_>) {
        subflow::push::write_space(meta, tcp)
    }
    fn state_changed(meta: &Meta, tcp: &mut Tcp<'_>) {
        subflow::handshake::state_changed(meta, tcp)
    }
    fn answer_syn(listener: &Meta, syn: &SynAck<'_>, edit: &mut OptionEdit) {
        subflow::handshake::answer_syn(listener, syn, edit)
    }
    fn syn_arrived(net: &Net, syn: &Syn<'_>) -> SynFate {
        subflow::join::syn_arrived(net, syn)
    }
    fn answer_with_cookie(listener: &Meta, syn: &CookieSynAck, edit: &mut OptionEdit) {
        subflow::cookie::answer(listener, syn, edit)
    }
    fn child(
        listener: &Meta,
        request: &ChildRequest<'_>,
        tcp: &mut Tcp<'_>,
    ) -> Option<(ARef<Meta>, ARef<Meta>)> {
        subflow::handshake::child(listener, request, tcp)
    }
    fn answer_join(net: &Net, syn: &SynAck<'_>, edit: &mut OptionEdit) {
        subflow::join::answer(net, syn, edit)
    }
    fn admit(net: &Net, request: &ChildRequest<'_>) -> core::result::Result<Self::Joining, Rst> {
        subflow::join::admit(net, request)
    }
    fn unwanted_syn(net: &Net) -> Rst {
        subflow::join::unwanted_syn(net)
    }
    fn joined(joining: Self::Joining, subflow: Subflow<Self>, tcp: &mut Tcp<'_>) -> ARef<Meta> {
        subflow::join::joined(joining, subflow, tcp)
    }
    fn released(data: &mut DataGuard<'_, Self>) {
        subflow::handshake::released(data)
    }
    fn abandoned(data: &mut DataGuard<'_, Self>) {
        socket::close::abandoned(data)
    }
}
