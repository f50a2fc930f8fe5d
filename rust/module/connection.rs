// SPDX-License-Identifier: GPL-2.0

//! A connection: what the data lock of its meta-socket guards.

use crate::counters::Counter;
use crate::crypto::KernelSha256;
use crate::netns::{Local, Namespace};
use crate::path_manager::event::{self, OfConnection};
use crate::path_manager::paths::Paths;
use crate::protocol::Mptcp;
use crate::steering::ConnectionSteering;
use crate::subflow::out_of_order::{self, OutOfOrder};
use crate::subflow::table::{SubflowState, Subflows};
use kernel::prelude::*;
use knet::congestion::Choice;
use knet::fragments::SendQueue;
use knet::meta::{DataGuard, Meta};
use knet::netns::PerNet;
use knet::sock::{self, Sock};
use knet::time::Moment;
use mptcp_core::connection::delivery::streams_agree;
use mptcp_core::connection::ending::{may_be_rejoined, Rest};
use mptcp_core::connection::fallback::Circumstances;
use mptcp_core::connection::handshake::{Agreed, Policy};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state;
use mptcp_core::crypto::{Derived, Key, KeyPair};
use mptcp_core::receive::{ReceiveState, ReceiveWindow, RightSizing};
use mptcp_core::scheduler::{AnyScheduler, Grant, Kind, PathId, PathSet};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::ResetReason;

/// How the connection speaks to its peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// The handshake is not done.
    Connecting,
    /// Multipath TCP.
    Mptcp,
    /// Plain TCP on the one subflow (RFC 8684 section 3.7). Data sequence numbers still count the
    /// bytes, but never appear on the wire.
    Fallback,
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) mode: Mode,
    /// Whether we connected, as opposed to accepted.
    pub(crate) client: bool,
    /// RFC 8684 section 3.1: the peer is known to have all of the handshake.
    pub(crate) fully_established: bool,
    /// Data-level state, from the end of the handshake on.
    pub(crate) state: state::State,
    /// No token was free for us, or none was wanted because the network drops MP_CAPABLE: the peer is offered
    /// plain TCP alone.
    pub(crate) tokenless: bool,
    pub(crate) local_key: Key,
    pub(crate) local: Derived,
    pub(crate) remote_key: Key,
    pub(crate) remote: Derived,
    pub(crate) policy: Policy,
    pub(crate) agreed: Agreed,
    pub(crate) send: SendState,
    pub(crate) queue: SendQueue,
    pub(crate) receive: ReceiveState,
    pub(crate) window: ReceiveWindow,
    /// Data that arrived before what it follows.
    pub(crate) out_of_order: OutOfOrder,
    /// Data stays with a subflow, because the receive buffer is full: `recv` comes back for it.
    pub(crate) starved: bool,
    pub(crate) right_sizing: RightSizing,
    /// Bytes that were read since the window was last reckoned.
    pub(crate) unconsidered: u32,
    pub(crate) subflows: Subflows,
    /// The subflows that brought data since the application read last, or whose TCP counts unread data as its own.
    pub(crate) claiming: PathSet,
    /// Which subflow gets the next data.
    pub(crate) scheduler: AnyScheduler,
    /// What the scheduler granted and nobody has used up.
    pub(crate) granted: Option<Grant>,
    /// Where the data ends that was sent again to open the peer's window.
    pub(crate) unblocked: Dsn,
    /// Data that more subflows shall carry than the one that is just being given it.
    pub(crate) copies_due: Option<(Dsn, Dsn)>,
    /// A process held a subflow that was to be given data.
    pub(crate) missed: bool,
    pub(crate) timers: Timers,
    pub(crate) paths: Paths,
    /// Whether the connection counts as established in the namespace's gauge.
    pub(crate) counted: bool,
    /// The connection ended without both DATA_FINs: everything is to be thrown away.
    pub(crate) aborted: bool,
    /// The application closes its socket, or has closed it.
    pub(crate) closing: bool,
    /// The FIN of the only subflow went with our DATA_FIN.
    pub(crate) closed_with_stream: bool,
    /// Nothing is left to be done but by TCP.
    pub(crate) ended: bool,
    /// How an attempt to connect ended while a process owned the socket.
    pub(crate) deferred: Option<Attempted>,
    /// Data was sent again at the data level.
    pub(crate) retransmitted: bool,
    /// Bytes sent again at the data level.
    pub(crate) resent: u64,
    pub(crate) moments: Moments,
    /// What TCP_CONGESTION chose; `None` leaves it to the default.
    pub(crate) congestion: Option<Choice>,
    pub(crate) steering: ConnectionSteering,
}

/// When something last happened; when the socket was made, if it never did.
pub(crate) struct Moments {
    pub(crate) data_sent: Moment,
    pub(crate) data_received: Moment,
    /// A data acknowledgement came, whether it said anything new or not.
    pub(crate) acknowledged: Moment,
}

/// How an attempt to connect ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attempted {
    Connected,
    /// With a positive errno.
    Failed(i32),
}

/// Times on the clock of [`knet::time::now_us`]; zero: not set.
#[derive(Default)]
pub(crate) struct Timers {
    /// When unacknowledged data is sent again.
    pub(crate) retransmit_at: u64,
    /// What was unacknowledged when the timer was set.
    pub(crate) watched: Dsn,
    /// How often data was sent again without progress.
    pub(crate) backoff: u8,
    /// When an orphan is given up.
    pub(crate) give_up_at: u64,
    /// That time has come, or TCP is done: its subflows are closed, whatever the peer does.
    pub(crate) patience_lost: bool,
    /// When a last segment that is not full leaves, although the application holds it back.
    pub(crate) uncork_at: u64,
    /// That time has come, and the segment has not left yet.
    pub(crate) uncorked: bool,
    /// When to give data to subflows again that a process held.
    pub(crate) push_at: u64,
    /// When the third ACK of a joining subflow may have to be said again.
    pub(crate) join_at: u64,
    /// When the next of several subflows may turn out not to answer.
    pub(crate) silence_at: u64,
    /// When a connection without subflows is given up, and the errno that its application reads then.
    pub(crate) alone_until: u64,
    pub(crate) lost_by: i32,
    /// When the path manager has something to do, whatever happens until then.
    pub(crate) paths_at: u64,
}

impl Connection {
    /// A connection that has not begun.
    pub(crate) fn init() -> impl Init<Self> {
        let nothing = Derived {
            token: mptcp_core::crypto::Token::new(0),
            idsn: Dsn::new(0),
        };
        init!(Self {
            mode: Mode::Connecting,
            client: false,
            fully_established: false,
            state: state::State::Established,
            tokenless: false,
            local_key: Key::new(0),
            local: nothing,
            remote_key: Key::new(0),
            remote: nothing,
            policy: Policy::default(),
            agreed: Agreed::default(),
            send: SendState::new(Dsn::new(1), 0),
            queue: SendQueue::new(),
            receive: ReceiveState::new(Dsn::new(1)),
            window: ReceiveWindow::new(Dsn::new(1)),
            out_of_order: out_of_order::nothing(),
            starved: false,
            right_sizing: RightSizing::new(0, 0),
            unconsidered: 0,
            subflows: Subflows::new(),
            claiming: PathSet::EMPTY,
            scheduler: AnyScheduler::new(Kind::default()),
            granted: None,
            unblocked: Dsn::new(0),
            copies_due: None,
            missed: false,
            timers: Timers::default(),
            paths: Paths::default(),
            counted: false,
            aborted: false,
            closing: false,
            closed_with_stream: false,
            ended: false,
            deferred: None,
            retransmitted: false,
            resent: 0,
            moments: Moments::new(),
            congestion: None,
            steering: ConnectionSteering::default(),
        })
    }

    /// Whether options are exchanged.
    pub(crate) fn speaks_mptcp(&self) -> bool {
        self.mode == Mode::Mptcp
    }

    /// The data sequence number of the peer's first byte.
    pub(crate) fn remote_first(&self) -> Dsn {
        self.remote.idsn.plus(1)
    }

    /// How many bytes wait for earlier ones. The window behind the last byte in order has room for them
    /// already: they lie in it.
    pub(crate) fn waiting(&self) -> u32 {
        u32::try_from(self.out_of_order.bytes()).unwrap_or(u32::MAX)
    }

    /// Both keys, ours first.
    pub(crate) fn keys(&self) -> KeyPair {
        KeyPair {
            sender: self.local_key,
            receiver: self.remote_key,
        }
    }

    /// Goes on as plain TCP from the handshake: no byte of data was exchanged yet.
    pub(crate) fn begin_fallback(&mut self) {
        self.mode = Mode::Fallback;
        self.send = SendState::new(Dsn::new(1), u32::MAX);
        self.receive = ReceiveState::new(Dsn::new(1));
        self.window = ReceiveWindow::new(Dsn::new(1));
    }

    /// Goes on as Multipath TCP: `remote` are the peer's token and initial data sequence number.
    pub(crate) fn begin_mptcp(
        &mut self,
        remote_key: Key,
        remote: Derived,
        agreed: Agreed,
        window: u32,
    ) {
        self.mode = Mode::Mptcp;
        self.remote_key = remote_key;
        self.remote = remote;
        self.agreed = agreed;
        // RFC 8684 section 3.1: the SYN takes one data sequence number.
        self.send = SendState::new(self.local.idsn.plus(1), window);
        self.unblocked = self.send.una();
        let first = remote.idsn.plus(1);
        self.receive = ReceiveState::new(first);
        self.window = ReceiveWindow::new(first);
    }

    /// What decides whether plain TCP can go on where MPTCP does not work on the subflow `path`.
    /// `next` is the next byte to be taken from it.
    pub(crate) fn circumstances(&self, path: PathId, next: Ssn) -> Circumstances {
        let first = self.remote_first();
        let subflow = self.subflows.at(path);
        let agree =
            subflow.is_some_and(|subflow| streams_agree(&self.receive, &subflow.rx, first, next));
        Circumstances {
            only_subflow: !self.subflows.joined && !self.subflows.answered,
            dss_seen: subflow.is_some_and(|subflow| subflow.dss_seen),
            in_order: agree && self.out_of_order.is_empty(),
            retransmitted: self.retransmitted,
            fell_back: self.mode == Mode::Fallback,
        }
    }

    /// What decides whether anything is left to be done.
    pub(crate) fn rest(&self) -> Rest {
        Rest {
            aborted: self.aborted,
            fell_back: self.mode == Mode::Fallback,
            state: self.state,
            piece_begun: self.subflows.iter().any(|(_, one)| one.partial.is_some()),
            peer_closes: self.peer_closes(),
            closed_with_stream: self.closed_with_stream,
        }
    }

    /// How long the connection waits for another subflow if it has none, in microseconds; 0: it does not.
    ///
    /// Nobody waits for the data of an orphan.
    pub(crate) fn patience(&self, sock: &Sock) -> u64 {
        let may = may_be_rejoined(&self.rest(), self.fully_established) && !sock.is_orphan();
        let namespace = Namespace::of(sock.net()).filter(|_| may);
        namespace.map_or(0, |namespace| namespace.settings.close_timeout_us())
    }

    /// See [`Rest::peer_closes`].
    fn peer_closes(&self) -> bool {
        let mut subflows = self.subflows.iter();
        let established =
            |(path, one): (PathId, &SubflowState)| !one.gone && (path == PathId::FIRST || one.live);
        let closes = |(_, one): (PathId, &SubflowState)| one.finished || one.ended_with_stream;
        let finished = self.subflows.iter().any(closes);
        finished || !subflows.any(established)
    }

    /// Moves the data-level state on.
    pub(crate) fn advance(&mut self, event: state::Event) {
        self.state = self.state.after(event);
    }
}

impl Moments {
    /// Nothing happened yet.
    fn new() -> Self {
        let now = Moment::now();
        Self {
            data_sent: now,
            data_received: now,
            acknowledged: now,
        }
    }
}

/// The namespace's test setting about sequence numbers.
pub(crate) fn test_wrap(sock: &Sock) -> u32 {
    Namespace::of(sock.net()).map_or(0, |namespace| namespace.settings.test_wrap())
}

/// Token and initial data sequence number of a key. With the test setting 2, which both ends must
/// have, data sequence numbers begin within a megabyte of their end.
pub(crate) fn derive(sock: &Sock, key: Key) -> Derived {
    let mut derived = key.derive(&KernelSha256);
    if test_wrap(sock) > 1 {
        derived.idsn = Dsn::new(u64::MAX - (derived.idsn.raw() & 0xf_ffff));
    }
    derived
}

/// Counts an event in the namespace of a socket. For a meta-socket that costs less than for its [`Sock`].
#[inline]
pub(crate) fn count(place: &impl Local, counter: Counter) {
    if let Some(namespace) = place.namespace() {
        namespace.counters.count(counter);
    }
}

/// Lets the application see the data-level state of the connection as the state of its socket.
pub(crate) fn publish_state(guard: &mut DataGuard<'_, Mptcp>) {
    use mptcp_core::connection::state::State as Data;
    use sock::State as Tcp;
    let sock = guard.meta().sock();
    if sock.state() == Tcp::Close {
        return;
    }
    let state = match guard.state {
        Data::Established => Tcp::Established,
        Data::FinWait1 => Tcp::FinWait1,
        Data::FinWait2 => Tcp::FinWait2,
        Data::CloseWait => Tcp::CloseWait,
        Data::Closing => Tcp::Closing,
        Data::LastAck => Tcp::LastAck,
        Data::TimeWait | Data::Closed => Tcp::Close,
    };
    if sock.state() != state {
        sock.set_state(state);
    }
    if state == Tcp::Close {
        uncount_established(guard);
    }
}

/// Counts the connection as established.
pub(crate) fn count_established(guard: &mut DataGuard<'_, Mptcp>) {
    if !guard.counted && guard.speaks_mptcp() {
        guard.counted = true;
        event::of_connection(guard, OfConnection::Created);
        count(guard.meta(), Counter::MpCurrEstab);
    }
}

/// Takes the connection off the count of established ones, and gives its token back.
pub(crate) fn uncount_established(guard: &mut DataGuard<'_, Mptcp>) {
    guard.leave_index();
    if guard.counted {
        guard.counted = false;
        event::of_connection(guard, OfConnection::Closed);
        if let Some(namespace) = guard.meta().namespace() {
            namespace.counters.uncount(Counter::MpCurrEstab);
        }
    }
}

/// A subflow is of no use any more: it is reset from process context, with MP_TCPRST if there is a
/// reason to tell (RFC 8684 section 3.6).
pub(crate) fn condemn(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    reason: Option<ResetReason>,
) {
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.useless = true;
        if let Some(reason) = reason {
            subflow.reset = Reset::Reason(reason);
        }
    }
    connection.meta().schedule_work();
}

/// Ends the connection without more ado: the peer or the network broke it, or the application did.
/// `errno` is what the application will read, zero for nothing.
pub(crate) fn abort(meta: &Meta<Mptcp>, errno: i32) {
    abort_locked(&mut meta.lock_data(), errno);
}

/// As [`abort`], for a caller that holds the data lock.
pub(crate) fn abort_locked(connection: &mut DataGuard<'_, Mptcp>, errno: i32) {
    let meta = connection.meta();
    let sock = meta.sock();
    if connection.aborted || sock.state() == sock::State::Close {
        return;
    }
    connection.aborted = true;
    connection.advance(state::Event::Aborted);
    uncount_established(connection);
    if errno != 0 {
        sock.set_error(errno);
    }
    connection.add_shutdown(sock::shutdown::BOTH);
    sock.set_state(sock::State::Close);
    sock.notify_state();
    if errno != 0 {
        sock.notify_error();
    }
    meta.schedule_work();
}
