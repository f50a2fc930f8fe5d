// SPDX-License-Identifier: GPL-2.0

//! What a protocol of meta-sockets decides; everything else is plumbing of this crate.

use crate::address::SocketAddress;
use crate::message::{Message, PollTable};
use crate::meta::{DataGuard, Meta, OwnerGuard};
use crate::netns::{Net, PerNet};
use crate::segment::{ChildRequest, CookieSynAck, Incoming, OptionEdit, Outgoing, Syn, SynAck};
use crate::sock::Sock;
use crate::sockopt::{GetOption, SetOption};
use crate::subflow::{Subflow, Tcp};
use kernel::prelude::*;
use kernel::sync::aref::ARef;

/// What becomes of a received segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// TCP shall see it.
    Accept,
    /// TCP shall not see it; the peer will send it again.
    Drop,
}

/// What becomes of a SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SynFate {
    /// It goes to whoever listens on its port.
    Pass,
    /// It joins one of our connections, whoever listens on its port.
    Join,
    /// It names one of our connections and must not join it. It is answered with this RST.
    Refused(Rst),
    /// It wants to join a connection that is not ours. If a listener of ours gets it, it is answered
    /// with this RST.
    Unknown(Rst),
}

/// What a RST says that is sent for no subflow. Only a kernel that has MPTCP of its own says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rst {
    /// The reason, of four bits.
    pub reason: u8,
    /// Whether it may pass.
    pub transient: bool,
}

/// A protocol of meta-sockets over TCP subflows.
///
/// "Process" functions may sleep. "Subflow" functions run with the lock of a subflow held, in
/// process context or softirq, and must not sleep.
pub trait Protocol: Sized + Send + Sync + 'static {
    /// State without lock.
    type Shared: Send + Sync;
    /// State guarded by the owner lock.
    type Owned: Send;
    /// State guarded by the data lock.
    type Data: Send;
    /// What [`Protocol::admit`] prepares for [`Protocol::joined`].
    type Joining;
    /// What the protocol keeps for each network namespace. It must be registered before the protocol is, and
    /// for longer.
    type Namespace: PerNet;

    /// Name in `/proc/net/protocols`, with a terminating zero byte, at most 31 characters.
    const NAME: &'static [u8];
    /// Name of the TCP ULP that marks subflows, with a terminating zero byte.
    const ULP_NAME: &'static [u8];

    /// Process. The first two parts of a socket that an application makes.
    fn open(sock: &Sock) -> Result<(Self::Shared, Self::Owned)>;
    /// Any context. The third part, to be written where it will be.
    fn data() -> impl Init<Self::Data>;
    /// Any context. The last reference is gone: gives back what the parts account for.
    fn destruct(meta: &Meta<Self>);

    /// Process. `bind`.
    fn bind(meta: &Meta<Self>, address: &SocketAddress) -> Result;
    /// Process. `listen`.
    fn listen(owner: &mut OwnerGuard<'_, Self>, backlog: i32) -> Result;
    /// Process. Begins to connect; the state tells when it is done.
    fn connect(owner: &mut OwnerGuard<'_, Self>, address: &SocketAddress) -> Result;
    /// Process. Breaks the connection or the attempt, so that the socket can connect again.
    fn disconnect(owner: &mut OwnerGuard<'_, Self>) -> Result;
    /// Process. The next connection of a listener; waits unless `no_wait`.
    fn accept(meta: &Meta<Self>, no_wait: bool) -> Result<ARef<Meta<Self>>>;
    /// Process. `shutdown`; the bits are in the socket already.
    fn shut_down(owner: &mut OwnerGuard<'_, Self>, bits: u8);
    /// Process. `close`: the application is gone.
    fn close(meta: &Meta<Self>, timeout: c_long);
    /// Process. `sendmsg`: bytes taken.
    fn send(meta: &Meta<Self>, message: &mut Message<'_>) -> Result<usize>;
    /// Process. `recvmsg`: bytes given.
    fn receive(meta: &Meta<Self>, message: &mut Message<'_>) -> Result<usize>;
    /// Process. `poll`: a mask of `EPOLL*`.
    fn poll(meta: &Meta<Self>, table: &mut PollTable<'_>) -> u32;
    /// Process. Bytes for `SIOCINQ` and `SIOCOUTQ`; `Err(ENOIOCTLCMD)` for others.
    fn ioctl(meta: &Meta<Self>, command: u32) -> Result<i32>;
    /// Process. `setsockopt` of any level.
    fn set_option(meta: &Meta<Self>, option: &SetOption) -> Result;
    /// Process. `getsockopt` of any level but SOL_SOCKET.
    fn get_option(meta: &Meta<Self>, option: &GetOption) -> Result;

    /// Process. The work that [`Meta::schedule_work`] asked for.
    fn work(meta: &Meta<Self>);
    /// Softirq, nothing locked. The work that [`Meta::schedule_softirq_work`] asked for.
    fn softirq_work(meta: &Meta<Self>);
    /// Softirq. The timer that [`DataGuard::set_timer`] set.
    fn timer(meta: &Meta<Self>);

    /// Subflow. A segment is about to be sent: what to change in its header.
    fn transmit(
        meta: &Meta<Self>,
        tcp: &mut Tcp<'_>,
        segment: &Outgoing<'_>,
        edit: &mut OptionEdit,
    );
    /// Subflow. The SYN/ACK of a subflow that connects was accepted by TCP.
    fn syn_ack_received(meta: &Meta<Self>, tcp: &mut Tcp<'_>, segment: &Incoming<'_>);
    /// Softirq, nothing locked. A segment for a subflow arrived and TCP has not judged it yet.
    fn arrived(meta: &Meta<Self>, tcp: &Sock, segment: &Incoming<'_>) -> Verdict;
    /// Softirq, nothing locked. A RST with an option of kind 30 arrived for which there is no subflow.
    fn stray_reset(net: &Net, segment: &Incoming<'_>);
    /// Subflow. TCP has data, a FIN, or both in its receive queue.
    fn data_ready(meta: &Meta<Self>, tcp: &mut Tcp<'_>);
    /// Subflow. TCP may have room to send.
    fn write_space(meta: &Meta<Self>, tcp: &mut Tcp<'_>);
    /// Subflow. TCP's state changed, or it has an error.
    fn state_changed(meta: &Meta<Self>, tcp: &mut Tcp<'_>);

    /// Softirq. A listener answers a SYN: the option for the SYN/ACK.
    fn answer_syn(listener: &Meta<Self>, syn: &SynAck<'_>, edit: &mut OptionEdit);
    /// Softirq. A SYN with an option of kind 30 arrived: whose is it? If it is answered with a SYN
    /// cookie, that happens on this CPU before anything else arrives on it.
    fn syn_arrived(net: &Net, syn: &Syn<'_>) -> SynFate;
    /// Softirq. A listener answers a SYN with a SYN cookie: the option for the SYN/ACK.
    fn answer_with_cookie(listener: &Meta<Self>, syn: &CookieSynAck, edit: &mut OptionEdit);
    /// Softirq. A handshake with a listener is done: the meta-socket of the new connection, with
    /// the references for the application and for the subflow. `None`: the connection is given up.
    #[allow(clippy::type_complexity)]
    fn child(
        listener: &Meta<Self>,
        request: &ChildRequest<'_>,
        tcp: &mut Tcp<'_>,
    ) -> Option<(ARef<Meta<Self>>, ARef<Meta<Self>>)>;
    /// Softirq. A SYN is answered for which [`Protocol::syn_arrived`] said [`SynFate::Join`]: the
    /// option for the SYN/ACK.
    fn answer_join(net: &Net, syn: &SynAck<'_>, edit: &mut OptionEdit);
    /// Softirq. The handshake of a subflow that joins is done. The error is the RST to answer with.
    fn admit(net: &Net, request: &ChildRequest<'_>) -> core::result::Result<Self::Joining, Rst>;
    /// Softirq. A SYN that joins no connection came to a [`Port`](crate::port::Port): the RST to answer
    /// with.
    fn unwanted_syn(net: &Net) -> Rst;
    /// Subflow. The socket of a subflow that was admitted was made: its meta-socket, with the
    /// reference for the subflow.
    fn joined(
        joining: Self::Joining,
        subflow: Subflow<Self>,
        tcp: &mut Tcp<'_>,
    ) -> ARef<Meta<Self>>;
    /// Process, data lock held. The owner is about to give the owner lock up: what had to wait for
    /// that is due. Must not sleep.
    fn released(data: &mut DataGuard<'_, Self>);
    /// Any context. The connection went away before anybody took it.
    fn abandoned(data: &mut DataGuard<'_, Self>);
}
