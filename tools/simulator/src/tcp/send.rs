// SPDX-License-Identifier: GPL-2.0

//! The sending half of a subflow's TCP: window, congestion, retransmission, FIN.
//!
//! Segments never span two pieces that were written apart, as the kernel's do not across MSG_EOR.

use super::rtt::Rtt;
use crate::segment::{before, Time};
use std::collections::VecDeque;

/// What one direction sends.
#[derive(Debug)]
pub struct Outbound {
    una: u32,
    nxt: u32,
    /// The highest number that was ever sent.
    max: u32,
    queue: VecDeque<u8>,
    written: u32,
    /// Where pieces end.
    ends: VecDeque<u32>,
    fin: bool,
    mss: u32,
    window: u32,
    max_window: u32,
    window_from: (u32, u32),
    cwnd: u32,
    ssthresh: u32,
    duplicates: u8,
    /// Fast recovery lasts until this is acknowledged.
    recover: Option<u32>,
    resend_head: bool,
    probe: bool,
    rtt: Rtt,
    timer: Option<Time>,
    /// How often the timer fired without progress.
    retries: u8,
}

/// A segment to be sent.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Piece {
    /// Number of its first byte.
    pub seq: u32,
    /// Data.
    pub data: Vec<u8>,
    /// Whether the FIN follows the data.
    pub fin: bool,
}

/// How often TCP repeats a segment without hearing anything before it gives up.
const RETRIES: u8 = 11;

impl Outbound {
    /// A direction whose first byte has number `first`.
    pub fn new(first: u32, mss: u32, window: u32, seq: u32, ack: u32) -> Self {
        Self {
            una: first,
            nxt: first,
            max: first,
            queue: VecDeque::new(),
            written: first,
            ends: VecDeque::new(),
            fin: false,
            mss,
            window,
            max_window: window,
            window_from: (seq, ack),
            cwnd: 10 * mss,
            ssthresh: u32::MAX,
            duplicates: 0,
            recover: None,
            resend_head: false,
            probe: false,
            rtt: Rtt::default(),
            timer: None,
            retries: 0,
        }
    }

    /// The oldest number that is not acknowledged.
    pub fn una(&self) -> u32 {
        self.una
    }

    /// The next number to be sent for the first time.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// The number that the next byte written gets.
    pub fn write_seq(&self) -> u32 {
        self.written
    }

    /// The largest window that the peer offered.
    pub fn max_window(&self) -> u32 {
        self.max_window
    }

    /// The retransmission timeout, in microseconds.
    pub fn rto(&self) -> Time {
        self.rtt.timeout()
    }

    /// The smoothed round-trip time and its variation, in microseconds; 0 if unknown.
    pub fn round_trip(&self) -> (Time, Time) {
        self.rtt.smoothed()
    }

    /// The least round-trip time, in microseconds; 0 if unknown.
    pub fn least_round_trip(&self) -> Time {
        self.rtt.least()
    }

    /// The congestion window and the slow-start threshold, in segments.
    pub fn congestion(&self) -> (u32, u32) {
        (self.cwnd / self.mss, self.ssthresh / self.mss)
    }

    /// Sets both, in segments.
    pub fn set_congestion(&mut self, (cwnd, ssthresh): (u32, u32)) {
        self.cwnd = cwnd * self.mss;
        self.ssthresh = ssthresh.saturating_mul(self.mss);
    }

    /// Segments that were sent and are not acknowledged.
    pub fn flight(&self) -> u32 {
        self.max.wrapping_sub(self.una).div_ceil(self.mss)
    }

    /// Bytes that were written and never sent.
    pub fn queued(&self) -> u32 {
        self.end().wrapping_sub(self.max)
    }

    /// Bytes that are held.
    pub fn memory(&self) -> usize {
        self.queue.len()
    }

    /// Whether everything written was sent and acknowledged.
    pub fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the FIN was acknowledged.
    pub fn fin_acked(&self) -> bool {
        self.fin && self.una == self.end()
    }

    /// Whether anything that was sent is not acknowledged.
    pub fn in_flight(&self) -> bool {
        self.una != self.max
    }

    /// When the timer fires.
    pub fn deadline(&self) -> Option<Time> {
        self.timer
    }

    /// Takes note of a measured round-trip time.
    pub fn on_round_trip(&mut self, sample: Time) {
        self.rtt.on_sample(sample);
    }

    /// Appends a piece.
    pub fn write(&mut self, data: &[u8]) {
        self.queue.extend(data);
        self.written = self.written.wrapping_add(data.len() as u32);
        self.ends.push_back(self.written);
    }

    /// Lets a FIN follow.
    pub fn finish(&mut self) {
        self.fin = true;
    }

    /// Whether the FIN was written.
    pub fn finishing(&self) -> bool {
        self.fin
    }

    /// Takes note of an acknowledgement. Returns whether it acknowledged anything new.
    pub fn on_ack(&mut self, ack: u32, window: u32, seq: u32, bare: bool, now: Time) -> bool {
        let same_window = window == self.window;
        if !before(seq, self.window_from.0) && !before(ack, self.window_from.1) {
            self.window = window;
            self.max_window = self.max_window.max(window);
            self.window_from = (seq, ack);
        }
        if before(self.max, ack) || before(ack, self.una) {
            return false;
        }
        if ack == self.una {
            if bare && same_window && self.in_flight() {
                self.on_duplicate();
            }
            if self.window == 0 {
                // The peer is there, only its window is closed.
                self.retries = 0;
            } else if !self.in_flight() {
                self.timer = None;
                self.probe = false;
            }
            return false;
        }
        self.advance(ack, now);
        true
    }

    fn advance(&mut self, ack: u32, now: Time) {
        self.retries = 0;
        let acked = (ack.wrapping_sub(self.first()) as usize).min(self.queue.len());
        self.queue.drain(..acked);
        self.una = ack;
        while self.ends.front().is_some_and(|end| !before(ack, *end)) {
            self.ends.pop_front();
        }
        if before(self.nxt, ack) {
            self.nxt = ack;
        }
        self.rtt.on_ack(ack, now);
        self.duplicates = 0;
        self.probe = false;
        match self.recover {
            Some(recover) if before(ack, recover) => self.resend_head = true,
            Some(_) => {
                self.recover = None;
                self.cwnd = self.ssthresh;
            }
            None if self.cwnd < self.ssthresh => self.cwnd += (acked as u32).min(self.mss),
            None => self.cwnd += (self.mss * self.mss / self.cwnd).max(1),
        }
        self.timer = self.in_flight().then(|| now + self.rto());
    }

    fn on_duplicate(&mut self) {
        self.duplicates = self.duplicates.saturating_add(1);
        if self.duplicates == 3 && self.recover.is_none() {
            self.halve();
            self.cwnd = self.ssthresh;
            self.recover = Some(self.max);
            self.resend_head = true;
        }
    }

    fn halve(&mut self) {
        let flight = self.max.wrapping_sub(self.una);
        self.ssthresh = (flight / 2).max(2 * self.mss);
    }

    /// The timer fired. Returns whether to go on.
    pub fn on_timer(&mut self, now: Time) -> bool {
        if self.timer.is_none_or(|at| now < at) {
            return true;
        }
        self.retries += 1;
        if self.retries > RETRIES {
            return false;
        }
        self.rtt.back_off();
        if self.in_flight() {
            self.halve();
            self.cwnd = self.mss;
            self.recover = None;
            self.duplicates = 0;
            self.nxt = self.una;
        }
        self.probe = true;
        self.timer = Some(now + self.rto());
        true
    }

    /// The next segment that may leave.
    pub(super) fn poll(&mut self, now: Time) -> Option<Piece> {
        if self.resend_head {
            self.resend_head = false;
            let sent = self.max.wrapping_sub(self.una);
            let piece = self.piece_at(self.una, sent.min(self.mss));
            if piece.is_some() {
                return piece;
            }
        }
        if self.nxt == self.end() {
            return None;
        }
        let usable = self.cwnd.min(self.window);
        let flight = self.nxt.wrapping_sub(self.una);
        let mut room = usable.saturating_sub(flight);
        let due = self.extent(self.nxt).min(self.mss);
        if room < due && flight > 0 {
            return None;
        }
        if room == 0 && due > 0 {
            // A closed window: ask, but not at once.
            if !std::mem::take(&mut self.probe) {
                self.timer.get_or_insert(now + self.rtt.timeout());
                return None;
            }
            room = 1;
        }
        let piece = self.piece_at(self.nxt, room.min(self.mss))?;
        let numbers = piece.data.len() as u32 + u32::from(piece.fin);
        let end = self.nxt.wrapping_add(numbers);
        self.nxt = end;
        if before(self.max, end) {
            self.rtt.on_sent(end, now);
            self.max = end;
        } else {
            self.rtt.forget();
        }
        self.timer.get_or_insert(now + self.rtt.timeout());
        Some(piece)
    }

    /// How much data there is from `seq` to the end of its piece.
    fn extent(&self, seq: u32) -> u32 {
        let end = self.ends.iter().find(|end| before(seq, **end));
        end.map_or(0, |end| end.wrapping_sub(seq))
    }

    fn piece_at(&self, seq: u32, most: u32) -> Option<Piece> {
        let len = self.extent(seq).min(most);
        let from = seq.wrapping_sub(self.first()) as usize;
        let to = from + len as usize;
        let fin = self.fin && to == self.queue.len();
        (len > 0 || fin).then(|| Piece {
            seq,
            data: self.queue.range(from..to).copied().collect(),
            fin,
        })
    }

    /// The number of the first byte in the queue.
    fn first(&self) -> u32 {
        self.written.wrapping_sub(self.queue.len() as u32)
    }

    /// The number after everything written.
    fn end(&self) -> u32 {
        self.written.wrapping_add(u32::from(self.fin))
    }
}
