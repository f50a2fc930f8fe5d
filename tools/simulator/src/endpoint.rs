// SPDX-License-Identifier: GPL-2.0

//! One end of a connection: the core's decisions joined with the TCPs of its subflows, as the kernel
//! module joins them with the kernel's.

mod arrival;
mod carriers;
mod close;
mod delivery;
mod handshake;
mod inspect;
mod join;
mod paths;
mod push;
mod schedule;
mod speech;
mod subflow;
mod timer;

pub use paths::{Happening, PathsKind};

use crate::app::AppKind;
use crate::chance::Chance;
use crate::segment::{Place, Segment, Time};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::ending::ORPHAN_PATIENCE;
use mptcp_core::connection::fallback::Circumstances;
use mptcp_core::connection::farewell::Farewell;
use mptcp_core::connection::handshake::{Agreed, Versions};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::State;
use mptcp_core::crypto::{Derived, Key};
use mptcp_core::path_manager::SubflowId;
use mptcp_core::reassembly::{Piece, Reassembly, Slot};
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::Dsn;
use mptcp_core::wire::Version;
use paths::Paths;
use schedule::Scheduling;
use std::collections::VecDeque;
use subflow::{Stage, Subflow};

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
    /// The versions of MPTCP that it speaks.
    pub versions: Versions,
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
    /// How it manages several paths; `None`: it keeps to one.
    pub paths: Option<PathsKind>,
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
    /// When that was.
    pub watched_since: Time,
    /// How often it was sent again without progress.
    pub backoff: u8,
    /// When an orphan is given up.
    pub give_up_at: Option<Time>,
    /// When the last data acknowledgement came.
    pub heard_at: Time,
    /// When a connection without subflows is given up.
    pub alone_until: Option<Time>,
}

/// An end.
#[derive(Debug)]
pub struct Endpoint {
    kind: EndKind,
    /// Makes keys and nonces unpredictable.
    secret: u64,
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
    subflows: Vec<Subflow>,
    /// A second subflow may count for the peer, so that neither end may go on as plain TCP.
    several: bool,
    /// A second subflow counted for both ends, so that neither did go on as plain TCP.
    joined: bool,
    /// How many subflows joined.
    joins: u32,
    /// How many ended before the connection.
    losses: u32,
    scheduling: Scheduling,
    paths: Option<Paths>,
    farewell: Farewell,
    reset: Reset,
    /// The version in the last SYN.
    offered: Option<Version>,
    /// How often the peer was told by MP_FASTCLOSE on an ACK that the connection is aborted, and
    /// when it is told again.
    fastclose: Option<(u8, Time)>,
    timers: Timers,
    retransmitted: bool,
    /// No more will be read.
    receive_shut: bool,
    aborted: bool,
    /// The application closed its socket.
    orphan: bool,
    /// The FIN of the only subflow went with our DATA_FIN.
    closed_with_stream: bool,
    /// Decides what is thrown away.
    chance: Chance,
    /// The data level is done with; TCP may still be busy.
    ended: bool,
    out: Vec<Segment>,
}

impl Endpoint {
    /// The end that connects.
    pub fn client(kind: EndKind, places: (Place, Place), now: Time) -> Self {
        let tcp = Tcp::connect(kind.tcp.clone(), places, kind.isn, now);
        let mut end = Self::new(kind, true);
        end.add_subflow(SubflowId::FIRST, Stage::First, tcp);
        end.now = now;
        end.flush();
        end
    }

    /// The end that waits for a connection.
    pub fn server(kind: EndKind) -> Self {
        Self::new(kind, false)
    }

    fn new(kind: EndKind, client: bool) -> Self {
        let first = Dsn::new(1);
        let slots = std::iter::repeat_with(|| Slot::FREE).take(SLOTS).collect();
        let local = handshake::derive(&kind, Version::V1, Key::new(kind.key));
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
            subflows: Vec::new(),
            several: false,
            joined: false,
            joins: 0,
            losses: 0,
            scheduling: Scheduling::new(&kind),
            paths: None,
            farewell: Farewell::default(),
            reset: Reset::Tcp,
            offered: None,
            fastclose: None,
            timers: Timers::default(),
            retransmitted: false,
            receive_shut: false,
            aborted: false,
            orphan: false,
            closed_with_stream: false,
            chance: Chance::new(kind.key, 2),
            ended: false,
            out: Vec::new(),
            secret: kind.key,
            kind,
        }
    }

    /// A segment arrived.
    pub fn on_segment(&mut self, segment: &Segment, now: Time) {
        self.now = now;
        if !self.has_lost(segment.to.address) {
            self.arrived(segment);
            self.settle();
        }
    }

    /// Time passed.
    pub fn on_timer(&mut self, now: Time) {
        self.now = now;
        for subflow in &mut self.subflows {
            subflow.tcp.on_timer(now);
        }
        self.prove_again();
        self.fastclose_again();
        self.expired();
        self.happen();
        self.settle();
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let tcps = self.subflows.iter().filter_map(|one| one.tcp.deadline());
        let timers = [
            self.timers.retransmit_at,
            self.timers.give_up_at,
            self.timers.alone_until,
            self.proof_due(),
            self.fastclose_due(),
            self.scheduling_due(),
            self.paths_due(),
        ];
        tcps.chain(timers.into_iter().flatten()).min()
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
        self.ended && self.subflows.is_empty()
    }

    fn add_subflow(&mut self, id: SubflowId, stage: Stage, tcp: Tcp) {
        let number = self.free_number();
        self.subflows.push(Subflow::new(id, number, stage, tcp));
    }

    /// What the decision to fall back on a subflow depends on.
    fn circumstances(&self, at: usize) -> Circumstances {
        use mptcp_core::connection::delivery::streams_agree;
        let subflow = &self.subflows[at];
        let first = self.remote.idsn.plus(1);
        let agree = streams_agree(&self.receive, &subflow.rx, first, subflow.next());
        Circumstances {
            only_subflow: !self.several,
            dss_seen: subflow.dss_seen,
            in_order: self.reassembly.is_empty() && agree,
            retransmitted: self.retransmitted,
            fell_back: self.mode == Mode::Fallback,
        }
    }

    /// Goes on as plain TCP in the middle of the connection, on the only subflow.
    fn fall_back(&mut self, at: usize) {
        self.mode = Mode::Fallback;
        let done = self.send.fall_back();
        self.queue.drain(..done as usize);
        self.timers.retransmit_at = None;
        let subflow = &self.subflows[at];
        let next = subflow
            .partial
            .as_ref()
            .map_or(self.send.nxt(), |(dsn, _)| *dsn);
        let ssn = subflow.sent(subflow.tcp.sending().write_seq());
        self.farewell = Farewell::new(ssn, next, self.agreed.checksum);
        self.stop_joins();
    }

    /// Does what follows from any event.
    fn settle(&mut self) {
        self.take_data();
        self.bury_subflows();
        self.manage_paths();
        self.push();
        self.look_after_orphan();
        self.flush();
        self.bury_subflows();
    }

    /// Progress of any kind: an orphan is waited for longer.
    fn progressed(&mut self) {
        if self.timers.give_up_at.is_some() {
            self.timers.give_up_at = Some(self.now + ORPHAN_PATIENCE);
        }
    }
}
