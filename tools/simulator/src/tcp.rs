// SPDX-License-Identifier: GPL-2.0

//! A subflow's TCP, small and honest: handshake, cumulative acknowledgement, retransmission timer,
//! fast retransmit, window, keepalive, FIN, RST. It knows nothing of options.

mod receive;
mod rtt;
mod send;

pub use receive::Inbound;
pub use send::Outbound;

use crate::segment::{Flags, Place, Segment, Time, SECOND};
use mptcp_core::acceptable::{self, Expected};
use mptcp_core::seq::Ssn;

/// Silence after which TCP asks whether the peer is still there.
const KEEPALIVE: Time = 30 * SECOND;
/// How often it asks.
const KEEPALIVE_PROBES: u8 = 6;
/// How often a SYN is repeated.
const SYN_RETRIES: u8 = 11;
/// How long a closed connection answers a repeated FIN.
const TIME_WAIT: Time = 4 * SECOND;

/// The states of TCP (RFC 9293 section 3.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The SYN is sent.
    SynSent,
    /// The SYN/ACK is sent.
    SynReceived,
    /// Both directions are open.
    Established,
    /// Our FIN is not acknowledged.
    FinWait1,
    /// Our FIN is acknowledged, the peer's direction is open.
    FinWait2,
    /// The peer's FIN is here, our direction is open.
    CloseWait,
    /// Both FINs are sent, ours first and not acknowledged.
    Closing,
    /// Both FINs are sent, the peer's first and ours not acknowledged.
    LastAck,
    /// All is acknowledged; the peer's FIN may come again.
    TimeWait,
    /// Nothing is left.
    Closed,
}

/// Why a connection was closed before its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Error {
    /// The peer reset it.
    Reset,
    /// The peer was not heard.
    TimedOut,
}

/// What an end has of TCP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Bytes of data in the largest segment.
    pub mss: u32,
    /// Bytes that wait to be taken at most.
    pub receive_buffer: u32,
    /// Bytes that wait to be acknowledged at most.
    pub send_buffer: u32,
    /// The window scale.
    pub scale: u8,
    /// Every second segment is acknowledged, or one after 40 ms.
    pub delayed_ack: bool,
}

/// A connection.
#[derive(Debug)]
pub struct Tcp {
    settings: Settings,
    state: State,
    error: Option<Error>,
    local: Place,
    remote: Place,
    isn: u32,
    peer_scale: u8,
    send: Outbound,
    receive: Inbound,
    /// The SYN or SYN/ACK is to be sent.
    syn_due: bool,
    syn_retries: u8,
    ack_due: bool,
    ack_at: Option<Time>,
    /// When to ask whether the peer is still there.
    ask_at: Time,
    ask_due: bool,
    asked: u8,
    close_at: Option<Time>,
    syn_timer: Option<Time>,
}

impl Tcp {
    /// Begins to connect.
    pub fn connect(settings: Settings, places: (Place, Place), isn: u32, now: Time) -> Self {
        let receive = Inbound::new(0, settings.receive_buffer);
        Self::new(settings, State::SynSent, places, isn, receive, now)
    }

    /// Answers a SYN.
    pub fn answer(settings: Settings, syn: &Segment, isn: u32, now: Time) -> Self {
        let receive = Inbound::new(syn.seq, settings.receive_buffer);
        let places = (syn.to, syn.from);
        let mut tcp = Self::new(settings, State::SynReceived, places, isn, receive, now);
        tcp.peer_scale = syn.scale;
        tcp.start_sending(syn);
        tcp
    }

    fn new(
        settings: Settings,
        state: State,
        (local, remote): (Place, Place),
        isn: u32,
        receive: Inbound,
        now: Time,
    ) -> Self {
        let first = isn.wrapping_add(1);
        Self {
            send: Outbound::new(first, settings.mss, 0, 0, 0),
            settings,
            state,
            error: None,
            local,
            remote,
            isn,
            peer_scale: 0,
            receive,
            syn_due: true,
            syn_retries: 0,
            ack_due: false,
            ack_at: None,
            ask_at: now + KEEPALIVE,
            ask_due: false,
            asked: 0,
            close_at: None,
            syn_timer: None,
        }
    }

    /// The SYN was acknowledged: a first sample of the round-trip time, if it was sent once.
    fn measure_handshake(&mut self, now: Time) {
        let wait = SECOND << self.syn_retries.min(5);
        if let Some(at) = self.syn_timer.filter(|_| self.syn_retries == 0) {
            self.send.on_round_trip(now + wait - at);
        }
    }

    /// The window of SYN and SYN/ACK is not scaled (RFC 7323 section 2.2).
    fn start_sending(&mut self, syn: &Segment) {
        let first = self.isn.wrapping_add(1);
        let window = syn.window.into();
        // A SYN acknowledges nothing.
        self.send = Outbound::new(first, self.settings.mss, window, syn.seq, first);
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why the connection was closed before its time.
    pub fn error(&self) -> Option<Error> {
        self.error
    }

    /// Our initial sequence number.
    pub fn isn(&self) -> u32 {
        self.isn
    }

    /// The sending half.
    pub fn sending(&self) -> &Outbound {
        &self.send
    }

    /// The receiving half.
    pub fn receiving(&self) -> &Inbound {
        &self.receive
    }

    /// The receiving half, to take data from.
    pub fn receiving_mut(&mut self) -> &mut Inbound {
        &mut self.receive
    }

    /// The window scale that our segments use.
    pub fn scale(&self) -> u8 {
        self.settings.scale
    }

    /// The window scale that the peer's segments use.
    pub fn peer_scale(&self) -> u8 {
        self.peer_scale
    }

    /// Bytes of data in the largest segment.
    pub fn mss(&self) -> u32 {
        self.settings.mss
    }

    /// How often the SYN was repeated.
    pub fn syn_retries(&self) -> u8 {
        self.syn_retries
    }

    /// Bytes that can be written.
    pub fn room(&self) -> usize {
        let open = matches!(self.state, State::Established | State::CloseWait);
        let free = (self.settings.send_buffer as usize).saturating_sub(self.send.memory());
        if open && !self.send.finishing() {
            free
        } else {
            0
        }
    }

    /// Writes a piece that no segment joins with another.
    pub fn write(&mut self, data: &[u8]) {
        self.send.write(data);
    }

    /// Where our segments come from and where they go to.
    pub fn places(&self) -> (Place, Place) {
        (self.local, self.remote)
    }

    /// The sending half, to reduce its window.
    pub fn sending_mut(&mut self) -> &mut Outbound {
        &mut self.send
    }

    /// Asks whether the peer is still there.
    pub fn ask(&mut self) {
        self.ask_due = true;
    }

    /// Acknowledges, even if nothing is new.
    pub fn acknowledge(&mut self) {
        self.ack_due = true;
    }

    /// Sends a FIN after what was written.
    pub fn shut_down(&mut self) {
        self.state = match self.state {
            State::SynReceived | State::Established => State::FinWait1,
            State::CloseWait => State::LastAck,
            other => other,
        };
        match self.state {
            State::SynSent => self.state = State::Closed,
            State::FinWait1 | State::LastAck => self.send.finish(),
            _ => {}
        }
    }

    /// Closes at once. Returns the RST that the peer gets, unless there is nobody to get it.
    pub fn abort(&mut self) -> Option<Segment> {
        let silent = matches!(self.state, State::SynSent | State::TimeWait | State::Closed);
        self.close(None);
        (!silent).then(|| Segment {
            seq: self.send.max(),
            flags: Flags {
                rst: true,
                ack: true,
                ..Flags::default()
            },
            ..self.outline()
        })
    }

    fn close(&mut self, error: Option<Error>) {
        self.state = State::Closed;
        self.error = self.error.or(error);
    }

    /// What TCP's own tests say of a segment.
    pub fn judge(&self, segment: &Segment) -> acceptable::Verdict {
        let expected = Expected {
            rcv_nxt: Ssn::new(self.receive.next()),
            rcv_wup: Ssn::new(self.receive.next()),
            rcv_wnd: self.receive.window(),
            snd_una: Ssn::new(self.send.una()),
            snd_nxt: Ssn::new(self.send.max()),
            max_window: self.send.max_window(),
            ts_recent: None,
        };
        let facts = acceptable::Segment {
            seq: Ssn::new(segment.seq),
            ack_seq: Ssn::new(segment.ack),
            payload_len: segment.payload_len(),
            syn: segment.flags.syn,
            ack: segment.flags.ack,
            fin: segment.flags.fin,
            rst: segment.flags.rst,
            timestamp: None,
        };
        acceptable::judge(&expected, &facts)
    }

    /// Takes a segment.
    pub fn on_segment(&mut self, segment: &Segment, now: Time) {
        match self.state {
            State::Closed => {}
            State::SynSent => self.on_answer(segment, now),
            State::SynReceived if segment.flags.syn && !segment.flags.ack => self.syn_due = true,
            State::SynReceived => {
                if segment.flags.rst {
                    self.close(Some(Error::Reset));
                } else if segment.flags.ack && segment.ack == self.send.una() {
                    self.state = State::Established;
                    self.measure_handshake(now);
                    self.syn_timer = None;
                    self.synchronised(segment, now);
                }
            }
            _ => self.synchronised(segment, now),
        }
    }

    fn on_answer(&mut self, segment: &Segment, now: Time) {
        if !segment.flags.ack || segment.ack != self.isn.wrapping_add(1) {
            return;
        }
        if segment.flags.rst {
            self.close(Some(Error::Reset));
        } else if segment.flags.syn {
            self.receive = Inbound::new(segment.seq, self.settings.receive_buffer);
            self.peer_scale = segment.scale;
            self.start_sending(segment);
            self.measure_handshake(now);
            self.state = State::Established;
            self.syn_timer = None;
            self.on_heard(now);
            self.ack_due = true;
        }
    }

    fn synchronised(&mut self, segment: &Segment, now: Time) {
        match self.judge(segment) {
            acceptable::Verdict::Reset => {
                let error = (self.state != State::TimeWait).then_some(Error::Reset);
                return self.close(error);
            }
            acceptable::Verdict::Refuse(_) => {
                self.ack_due |= !segment.flags.rst;
                return;
            }
            acceptable::Verdict::Accept => {}
        }
        self.on_heard(now);
        let bare = segment.numbers() == 0;
        let window = u32::from(segment.window) << self.peer_scale;
        self.send
            .on_ack(segment.ack, window, segment.seq, bare, now);
        if !bare {
            let before = self.receive.next();
            let fin = segment.flags.fin;
            self.receive.accept(segment.seq, &segment.data, fin);
            let in_order = segment.seq == before && self.receive.next() == segment.end();
            if self.settings.delayed_ack && in_order && !fin && self.ack_at.is_none() {
                self.ack_at = Some(now + SECOND / 25);
            } else {
                self.ack_due = true;
            }
        } else if crate::segment::before(segment.seq, self.receive.next()) {
            // A keepalive.
            self.ack_due = true;
        }
        self.move_on(now);
    }

    /// Moves the state on by FINs that came or were acknowledged.
    fn move_on(&mut self, now: Time) {
        let acked = self.send.fin_acked();
        let finished = self.receive.finished();
        self.state = match (self.state, acked, finished) {
            (State::Established, _, true) => State::CloseWait,
            (State::FinWait1, true, true) => State::TimeWait,
            (State::FinWait1, true, false) => State::FinWait2,
            (State::FinWait1, false, true) => State::Closing,
            (State::FinWait2, _, true) | (State::Closing, true, _) => State::TimeWait,
            (State::LastAck, true, _) => State::Closed,
            (same, _, _) => same,
        };
        if self.state == State::TimeWait {
            self.close_at = Some(now + TIME_WAIT);
        }
    }

    /// When something is to be done without a segment.
    pub fn deadline(&self) -> Option<Time> {
        if self.state == State::Closed {
            return None;
        }
        let asks = !matches!(
            self.state,
            State::SynSent | State::SynReceived | State::TimeWait
        );
        [
            self.send.deadline(),
            self.ack_at,
            self.close_at,
            self.syn_timer,
            asks.then_some(self.ask_at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time passed.
    pub fn on_timer(&mut self, now: Time) {
        let due = |at: Option<Time>| at.is_some_and(|at| now >= at);
        if due(self.close_at) {
            return self.close(None);
        }
        if due(self.ack_at) {
            self.ack_due = true;
        }
        if due(self.syn_timer) {
            self.syn_retries += 1;
            self.syn_due = true;
            self.syn_timer = None;
        }
        let mut alive = self.send.on_timer(now) && self.syn_retries <= SYN_RETRIES;
        if now >= self.ask_at {
            self.ask_at = now + KEEPALIVE / 2;
            self.ask_due = true;
            self.asked += 1;
            alive &= self.asked <= KEEPALIVE_PROBES;
        }
        if !alive {
            self.close(Some(Error::TimedOut));
        }
    }

    /// The next segment to send.
    pub fn poll(&mut self, now: Time) -> Option<Segment> {
        match self.state {
            State::Closed => return None,
            State::SynSent | State::SynReceived => return self.poll_syn(now),
            _ => {}
        }
        if let Some(piece) = self.send.poll(now) {
            let mut segment = self.outline();
            segment.seq = piece.seq;
            segment.data = piece.data;
            segment.flags.fin = piece.fin;
            self.acknowledged();
            return Some(segment);
        }
        if std::mem::take(&mut self.ack_due) {
            self.acknowledged();
            return Some(self.outline());
        }
        std::mem::take(&mut self.ask_due).then(|| {
            let mut segment = self.outline();
            segment.seq = segment.seq.wrapping_sub(1);
            segment
        })
    }

    fn acknowledged(&mut self) {
        self.ack_due = false;
        self.ack_at = None;
    }

    fn on_heard(&mut self, now: Time) {
        self.ask_at = now + KEEPALIVE;
        self.asked = 0;
    }

    fn poll_syn(&mut self, now: Time) -> Option<Segment> {
        if !std::mem::take(&mut self.syn_due) {
            return None;
        }
        self.syn_timer = Some(now + (SECOND << self.syn_retries.min(5)));
        let mut segment = self.outline();
        segment.seq = self.isn;
        segment.scale = self.settings.scale;
        segment.flags.syn = true;
        segment.flags.ack = self.state == State::SynReceived;
        segment.window = self.receive.window().min(0xffff) as u16;
        if !segment.flags.ack {
            segment.ack = 0;
        }
        Some(segment)
    }

    /// A segment without data.
    fn outline(&mut self) -> Segment {
        Segment {
            from: self.local,
            to: self.remote,
            seq: self.send.max(),
            ack: self.receive.next(),
            flags: Flags {
                ack: true,
                ..Flags::default()
            },
            window: self.receive.advertise(self.settings.scale),
            ..Segment::default()
        }
    }
}
