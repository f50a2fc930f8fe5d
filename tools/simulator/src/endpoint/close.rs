// SPDX-License-Identifier: GPL-2.0

//! `shutdown`, `close`, aborts, and what goes on after the application is gone.

use super::{Endpoint, Mode};
use crate::segment::{Time, SECOND};
use crate::tcp;
use mptcp_core::connection::ending::{is_breakdown, is_over, Rest};
use mptcp_core::connection::speech::Reset;
use mptcp_core::connection::state::Event;

/// How long an orphan waits without any progress: TCP's timeout in FIN-WAIT-2.
pub(super) const ORPHAN_PATIENCE: Time = 60 * SECOND;

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
            if let Some(tcp) = self.tcp.as_mut() {
                tcp.acknowledge();
            }
        }
        self.settle();
    }

    /// The network or the peer broke the connection.
    pub(super) fn abort(&mut self) {
        self.aborted = true;
        self.state = self.state.after(Event::Aborted);
        self.receive_shut = true;
        self.timers.retransmit_at = None;
    }

    /// Resets the subflow, which is the only one.
    pub(super) fn break_subflow(&mut self, reset: Reset) {
        self.reset = reset;
        self.send_reset(reset);
        self.abort();
    }

    /// What the decisions about the end depend on.
    fn rest(&self) -> Rest {
        Rest {
            aborted: self.aborted,
            fell_back: self.mode == Mode::Fallback,
            state: self.state,
            piece_begun: self.partial.is_some(),
            subflows_finished: self.finished,
        }
    }

    /// TCP's connection may be gone.
    pub(super) fn subflow_closed(&mut self) {
        let Some(tcp) = self.tcp.as_ref() else {
            return;
        };
        if tcp.state() == tcp::State::Closed && !self.ended {
            if is_breakdown(&self.rest(), tcp.error().is_some()) {
                self.abort();
            }
            self.finished = true;
        }
    }

    /// Closes the subflow of a connection that has nothing left to do.
    pub(super) fn look_after_orphan(&mut self) {
        if self.ended || !self.orphan || !is_over(&self.rest(), &self.send) {
            return;
        }
        self.ended = true;
        self.timers.retransmit_at = None;
        self.timers.give_up_at = None;
        if self.aborted {
            let reset = match self.reset {
                Reset::Tcp => Reset::Fastclose,
                reason => reason,
            };
            self.send_reset(reset);
        } else if let Some(tcp) = self.tcp.as_mut() {
            tcp.shut_down();
        }
    }
}
