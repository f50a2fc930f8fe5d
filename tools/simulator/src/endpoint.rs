// SPDX-License-Identifier: GPL-2.0

//! One end of a connection: the core's decisions joined with a subflow's TCP, as the kernel module
//! joins them with the kernel's.

mod arrival;
mod close;
mod delivery;
mod handshake;
mod inspect;
mod push;
mod speech;
mod timer;

use crate::app::AppKind;
use crate::chance::Chance;
use crate::segment::{Segment, Time};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::fallback::Circumstances;
use mptcp_core::connection::handshake::Agreed;
use mptcp_core::connection::speech::{Farewell, Reset};
use mptcp_core::connection::state::State;
use mptcp_core::crypto::{Derived, Key};
use mptcp_core::mapping::{RxMappings, TxMappings};
use mptcp_core::reassembly::{Piece, Reassembly, Slot};
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use std::collections::VecDeque;

/// Pieces that a subflow can have in flight.
pub const TX_MAPPINGS: usize = 96;
/// Mappings of received data that do not merge.
pub const RX_MAPPINGS: usize = 24;

/// Gaps in the received data that can be told apart.
const SLOTS: usize = 32;

/// Bytes of the stream.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl Piece for Bytes {
    fn cut(&mut self, skip: u32, take: u32) {
        self.0.drain(..skip as usize);
        self.0.truncate(take as usize);
    }

    fn append(&mut self, next: Self) {
        self.0.extend(next.0);
    }
}

/// What an end is like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndKind {
    /// It speaks MPTCP.
    pub mptcp: bool,
    /// It requires checksums.
    pub checksum: bool,
    /// Bytes that wait to be acknowledged at most.
    pub send_buffer: u32,
    /// Bytes that wait to be read at most.
    pub receive_buffer: u32,
    /// Pieces of data thrown away for want of memory after TCP has acknowledged them, per mille.
    pub prunes: u16,
    /// Its TCP.
    pub tcp: tcp::Settings,
    /// Its key.
    pub key: u64,
    /// Its initial sequence number.
    pub isn: u32,
    /// Data sequence numbers begin so many bytes before they wrap.
    pub wrap: Option<u32>,
    /// Its application.
    pub app: AppKind,
}

/// How the connection speaks to its peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// The handshake is not done.
    Connecting,
    /// Multipath TCP.
    Mptcp,
    /// Plain TCP.
    Fallback,
}

/// Deadlines; `None`: not set.
#[derive(Debug, Default)]
pub struct Timers {
    /// When unacknowledged data is sent again.
    pub retransmit_at: Option<Time>,
    /// What was unacknowledged when the timer was set.
    pub watched: Dsn,
    /// How often it was sent again without progress.
    pub backoff: u8,
    /// When an orphan is given up.
    pub give_up_at: Option<Time>,
    /// Since the subflow was given data, the peer acknowledged all of it and spoke MPTCP.
    pub heard: bool,
    /// The peer spoke MPTCP since the handshake.
    pub ever_heard: bool,
    /// How often in a row the timer expired without that.
    pub unheard: u8,
}

/// An end.
#[derive(Debug)]
pub struct Endpoint {
    kind: EndKind,
    client: bool,
    now: Time,
    mode: Mode,
    fully_established: bool,
    state: State,
    local: Derived,
    remote_key: Key,
    remote: Derived,
    agreed: Agreed,
    send: SendState,
    /// The bytes from the oldest unacknowledged on.
    queue: VecDeque<u8>,
    no_delay: bool,
    receive: ReceiveState,
    window: ReceiveWindow,
    readable: VecDeque<u8>,
    reassembly: Reassembly<Bytes, Vec<Slot<Bytes>>>,
    tcp: Option<Tcp>,
    /// The options of the SYN that a server answered.
    saved_syn: Segment,
    tx: TxMappings<TX_MAPPINGS>,
    rx: RxMappings<RX_MAPPINGS>,
    /// Bytes of a mapping that TCP did not take yet.
    partial: Option<(Dsn, Vec<u8>)>,
    farewell: Farewell,
    /// MP_FAIL is repeated until the peer answers it.
    fail_unanswered: bool,
    /// MP_FAIL was sent, so another one is an answer.
    failed: bool,
    reset: Reset,
    offered: bool,
    dss_seen: bool,
    finished: bool,
    verified: Option<Ssn>,
    timers: Timers,
    retransmitted: bool,
    /// No more will be read.
    receive_shut: bool,
    aborted: bool,
    /// The application closed its socket.
    orphan: bool,
    /// Decides what is thrown away.
    chance: Chance,
    /// The data level is done with; TCP may still be busy.
    ended: bool,
    out: Vec<Segment>,
}

impl Endpoint {
    /// The end that connects.
    pub fn client(kind: EndKind, ports: (u16, u16), now: Time) -> Self {
        let tcp = Tcp::connect(kind.tcp.clone(), ports, kind.isn, now);
        let mut end = Self::new(kind, true, Some(tcp));
        end.now = now;
        end.flush();
        end
    }

    /// The end that waits for a connection.
    pub fn server(kind: EndKind) -> Self {
        Self::new(kind, false, None)
    }

    fn new(kind: EndKind, client: bool, tcp: Option<Tcp>) -> Self {
        let first = Dsn::new(1);
        let slots = std::iter::repeat_with(|| Slot::FREE).take(SLOTS).collect();
        let local = handshake::derive(&kind, Key::new(kind.key));
        Self {
            client,
            now: 0,
            mode: Mode::Connecting,
            fully_established: false,
            state: State::Established,
            local,
            remote_key: Key::new(0),
            remote: Derived::default(),
            agreed: Agreed::default(),
            send: SendState::new(first, 0),
            queue: VecDeque::new(),
            no_delay: false,
            receive: ReceiveState::new(first),
            window: ReceiveWindow::new(first),
            readable: VecDeque::new(),
            reassembly: Reassembly::new(slots),
            tcp,
            saved_syn: Segment::default(),
            tx: TxMappings::new(),
            rx: RxMappings::starting_at(Ssn::new(1)),
            partial: None,
            farewell: Farewell::default(),
            fail_unanswered: false,
            failed: false,
            reset: Reset::Tcp,
            offered: false,
            dss_seen: false,
            finished: false,
            verified: None,
            timers: Timers::default(),
            retransmitted: false,
            receive_shut: false,
            aborted: false,
            orphan: false,
            chance: Chance::new(kind.key, 2),
            ended: false,
            out: Vec::new(),
            kind,
        }
    }

    /// A segment arrived.
    pub fn on_segment(&mut self, segment: &Segment, now: Time) {
        self.now = now;
        self.arrived(segment);
        self.settle();
    }

    /// Time passed.
    pub fn on_timer(&mut self, now: Time) {
        self.now = now;
        if let Some(tcp) = self.tcp.as_mut() {
            tcp.on_timer(now);
        }
        self.expired();
        self.settle();
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let tcp = self.tcp.as_ref().and_then(Tcp::deadline);
        let timers = [self.timers.retransmit_at, self.timers.give_up_at, tcp];
        timers.into_iter().flatten().min()
    }

    /// The segments to send.
    pub fn take_out(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.out)
    }

    /// Writes bytes, of which there must be no more than [`Self::room`].
    pub fn write(&mut self, bytes: &[u8], no_delay: bool, now: Time) {
        self.now = now;
        self.no_delay = no_delay;
        self.queue.extend(bytes);
        self.send.on_written(bytes.len() as u32);
        self.settle();
    }

    /// Bytes that can be written.
    pub fn room(&self) -> usize {
        let open = self.state.may_send() && !self.aborted && self.send.fin().is_none();
        let free = (self.kind.send_buffer as usize).saturating_sub(self.queue.len());
        if open && self.mode != Mode::Connecting {
            free
        } else {
            0
        }
    }

    /// Bytes that can be read.
    pub fn readable(&self) -> usize {
        self.readable.len()
    }

    /// Whether the application has a connection, be it over already.
    pub fn connected(&self) -> bool {
        self.mode != Mode::Connecting || self.aborted
    }

    /// Whether the application has read all and the peer has ended its half.
    pub fn at_end(&self) -> bool {
        self.receive_shut && self.readable.is_empty()
    }

    /// Whether the application sees the connection broken.
    pub fn broken(&self) -> bool {
        self.aborted
    }

    /// Reads at most `most` bytes.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let count = self.readable.len().min(most);
        self.readable.drain(..count).collect()
    }

    /// Whether nothing is left of the connection.
    pub fn gone(&self) -> bool {
        let tcp = self.tcp.as_ref();
        self.ended && tcp.is_none_or(|tcp| tcp.state() == tcp::State::Closed)
    }

    /// What the decision to fall back depends on.
    fn circumstances(&self) -> Circumstances {
        use mptcp_core::connection::delivery::streams_agree;
        let next = self
            .tcp
            .as_ref()
            .map_or(Ssn::new(1), |tcp| self.received(tcp.receiving().copied()));
        let first = self.remote.idsn.plus(1);
        let agree = streams_agree(&self.receive, &self.rx, first, next);
        Circumstances {
            only_subflow: true,
            dss_seen: self.dss_seen,
            in_order: self.reassembly.is_empty() && agree,
            retransmitted: self.retransmitted,
            fell_back: self.mode == Mode::Fallback,
        }
    }

    /// Goes on as plain TCP in the middle of the connection.
    fn fall_back(&mut self) {
        self.mode = Mode::Fallback;
        let done = self.send.fall_back();
        self.queue.drain(..done as usize);
        self.timers.retransmit_at = None;
        let next = self
            .partial
            .as_ref()
            .map_or(self.send.nxt(), |(dsn, _)| *dsn);
        if let Some(tcp) = self.tcp.as_ref() {
            let ssn = self.sent(tcp.sending().write_seq());
            self.farewell.infinite = Some((ssn, next));
        }
    }

    /// Relative number of a sequence number of ours.
    fn sent(&self, seq: u32) -> Ssn {
        let isn = self.tcp.as_ref().map_or(0, Tcp::isn);
        Ssn::new(seq.wrapping_sub(isn))
    }

    /// Relative number of a sequence number of the peer.
    fn received(&self, seq: u32) -> Ssn {
        let isn = self.tcp.as_ref().map_or(0, |tcp| tcp.receiving().isn());
        Ssn::new(seq.wrapping_sub(isn))
    }

    /// Does what follows from any event.
    fn settle(&mut self) {
        self.take_data();
        self.subflow_closed();
        self.push();
        self.look_after_orphan();
        self.flush();
    }

    /// Progress of any kind: an orphan is waited for longer.
    fn progressed(&mut self) {
        if self.timers.give_up_at.is_some() {
            self.timers.give_up_at = Some(self.now + close::ORPHAN_PATIENCE);
        }
    }
}
