// SPDX-License-Identifier: GPL-2.0

//! `shutdown`, `close`, aborts, and what goes on after the application is gone.

use super::subflow::Subflow;
use super::{Endpoint, Mode};
use crate::segment::Time;
use mptcp_core::connection::abort::{step, Step};
use mptcp_core::connection::ending::{
    is_breakdown, is_over, on_patience_lost, stays_patient, Farewell, Rest, ORPHAN_PATIENCE,
};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;
use mptcp_core::path_manager::{End, Event as PathEvent};

impl Endpoint {
    /// The application ends its half.
    pub fn shut_down(&mut self, now: Time) {
        self.now = now;
        self.finish_sending();
        self.settle();
    }

    fn finish_sending(&mut self) {
        if self.state.may_send() && !self.aborted {
            self.send.on_fin_queued();
            self.state = self.state.after(Event::AppClosesSend);
        }
    }

    /// The application closes its socket; `abruptly` as with a lingering time of zero.
    pub fn close(&mut self, abruptly: bool, now: Time) {
        self.now = now;
        if self.mode == Mode::Connecting || abruptly || !self.readable.is_empty() {
            self.aborted = true;
            if self.reset == Reset::Tcp {
                self.reset = Reset::Fastclose;
            }
        } else {
            self.finish_sending();
        }
        self.readable.clear();
        self.orphan = true;
        self.timers.give_up_at = Some(now + ORPHAN_PATIENCE);
        self.settle();
    }

    /// Tells the peer of a window that opened much.
    pub fn after_read(&mut self, now: Time) {
        self.now = now;
        let space = self.receive_space();
        let next = self.receive.rcv_nxt();
        let (buffer, mss) = (self.kind.receive_buffer, self.kind.tcp.mss);
        if self.window.update_due(next, space, buffer, mss) {
            self.acknowledge_on_all();
        }
        self.settle();
    }

    /// Lets every subflow say what is new.
    pub(super) fn acknowledge_on_all(&mut self) {
        let established = self.subflows.iter_mut().filter(|one| one.is_established());
        established.for_each(|subflow| subflow.tcp.acknowledge());
    }

    /// The network or the peer broke the connection.
    pub(super) fn abort(&mut self) {
        self.aborted = true;
        self.state = self.state.after(Event::Aborted);
        self.receive_shut = true;
        self.timers.retransmit_at = None;
        self.timers.alone_until = None;
        self.tell_paths(&PathEvent::Ended);
    }

    /// Resets a subflow that is of no use; the connection ends with its last one.
    pub(super) fn break_subflow(&mut self, at: usize, reset: Reset) {
        self.send_reset(at, reset);
        self.subflows[at].end = Some(End::Refused);
    }

    /// Ends a subflow in order, while others go on.
    pub(super) fn leave(&mut self, at: usize) {
        self.subflows[at].tcp.shut_down();
    }

    /// Tells the peer of an abort, as it was told `sent` times on an ACK before.
    fn tell_abort(&mut self, sent: u8) {
        let usable = self.subflows.iter().position(Subflow::is_established);
        let told_at = usable.filter(|_| self.mode == Mode::Mptcp);
        let step = told_at.map(|at| (at, step(self.agreed.version, sent)));
        let Some((told_at, Step::Ask)) = step else {
            self.fastclose = None;
            return self.reset_all(Reset::Fastclose);
        };
        for at in (0..self.subflows.len()).filter(|at| *at != told_at) {
            self.send_reset(at, Reset::Tcp);
        }
        let tcp = &mut self.subflows[told_at].tcp;
        self.fastclose = Some((sent + 1, self.now + tcp.sending().rto()));
        tcp.acknowledge();
    }

    /// When an abort is told again.
    pub(super) fn fastclose_due(&self) -> Option<Time> {
        let waits = self.fastclose.filter(|_| !self.subflows.is_empty());
        waits.map(|(_, again_at)| again_at)
    }

    /// Tells of an abort again that was not answered in time.
    pub(super) fn fastclose_again(&mut self) {
        if let Some((sent, again_at)) = self.fastclose {
            if again_at <= self.now && !self.subflows.is_empty() {
                self.tell_abort(sent);
            }
        }
    }

    /// Resets all subflows.
    pub(super) fn reset_all(&mut self, reset: Reset) {
        (0..self.subflows.len()).for_each(|at| self.send_reset(at, reset));
    }

    /// There was no progress for long.
    pub(super) fn lose_patience(&mut self) {
        let silence = self.now - self.timers.heard_at;
        if stays_patient(&self.rest(), &self.send, silence) {
            self.timers.give_up_at = Some(self.now + ORPHAN_PATIENCE);
            return;
        }
        self.timers.give_up_at = None;
        match on_patience_lost(&self.rest()) {
            Farewell::Close => self.finish(),
            Farewell::Abort => self.abort(),
        }
    }

    /// What the decisions about the end depend on.
    pub(super) fn rest(&self) -> Rest {
        let mut established = self.subflows.iter().filter(|one| one.is_established());
        let finished = self.subflows.iter().any(|one| one.finished);
        Rest {
            aborted: self.aborted,
            fell_back: self.mode == Mode::Fallback,
            state: self.state,
            piece_begun: self.subflows.iter().any(|one| one.partial.is_some()),
            peer_closes: finished || established.next().is_none(),
            closed_with_stream: self.closed_with_stream,
        }
    }

    /// Whether the end of the last subflow breaks the connection.
    pub(super) fn breaks_by(&self, last: &Subflow) -> bool {
        let rest = Rest {
            peer_closes: last.finished,
            ..self.rest()
        };
        is_breakdown(&rest, last.tcp.error().is_some())
    }

    /// Closes the subflows of a connection that has nothing left to do.
    pub(super) fn look_after_orphan(&mut self) {
        if !self.ended && self.orphan && is_over(&self.rest(), &self.send) {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.ended = true;
        self.timers.retransmit_at = None;
        self.timers.give_up_at = None;
        self.timers.alone_until = None;
        self.tell_paths(&PathEvent::Ended);
        if self.aborted {
            let reset = match self.reset {
                Reset::Tcp => Reset::Fastclose,
                reason => reason,
            };
            return match reset {
                Reset::Fastclose => self.tell_abort(0),
                _ => self.reset_all(reset),
            };
        }
        for at in 0..self.subflows.len() {
            match self.subflows[at].is_established() {
                true => self.subflows[at].tcp.shut_down(),
                false => self.send_reset(at, Reset::Tcp),
            }
        }
    }
}
