// SPDX-License-Identifier: GPL-2.0

//! Data-level retransmission.

use super::subflow::Subflow;
use super::{Endpoint, Mode};
use mptcp_core::connection::expiry::{on_expiry, Expiry, Situation};
use mptcp_core::connection::speech::Reset;
use mptcp_core::send::{retransmit_timeout, LONGEST_WAIT, UNKNOWN_RTO};
use mptcp_core::wire::ResetReason;

impl Endpoint {
    /// Sees to it that what was just given to a subflow is sent again if need be.
    pub(super) fn watch(&mut self) {
        if self.timers.retransmit_at.is_some() {
            return;
        }
        // RFC 8684 section 3.3.6: the subflow that holds the data tries first. What silent ones
        // hold is sent over others already, and their timeouts have grown.
        let rto_of = |one: &Subflow| one.tcp.sending().rto();
        let live = || self.subflows.iter().filter(|one| one.is_established());
        let responding = live().filter(|one| one.responds(self.now));
        let rto = responding
            .map(rto_of)
            .max()
            .or_else(|| live().map(rto_of).min())
            .unwrap_or(UNKNOWN_RTO.into());
        let wait = retransmit_timeout(rto as u32, self.timers.backoff, LONGEST_WAIT);
        self.timers.retransmit_at = Some(self.now + u64::from(wait));
        self.timers.watched = self.send.una();
        self.timers.watched_since = self.now;
    }

    /// There is a path again that works: what was in vain before says nothing about it.
    pub(super) fn watch_anew(&mut self) {
        self.timers.backoff = 0;
        if self.timers.retransmit_at.take().is_some() {
            self.watch();
        }
    }

    /// Does what is due.
    pub(super) fn expired(&mut self) {
        let now = self.now;
        let due = |at: Option<u64>| at.is_some_and(|at| now >= at);
        if due(self.timers.give_up_at) {
            self.lose_patience();
        }
        if due(self.timers.alone_until) {
            return self.abort();
        }
        self.probe_paths();
        if !due(self.timers.retransmit_at) {
            return;
        }
        self.timers.retransmit_at = None;
        if self.mode != Mode::Mptcp || !self.send.needs_retransmit() || self.ended {
            return;
        }
        match self.joined {
            true => self.expired_on_several(),
            false => self.expired_on_one(),
        }
    }

    fn expired_on_one(&mut self) {
        let Some(at) = self.subflows.iter().position(Subflow::is_established) else {
            return self.watch();
        };
        match on_expiry(&self.situation(at)) {
            Expiry::Wait => self.watch(),
            Expiry::SendAgain => {
                self.timers.backoff = self.timers.backoff.saturating_add(1);
                self.subflows[at].heard = false;
                self.send.start_retransmit();
                self.watch();
                // A DATA_FIN needs no data to travel with.
                self.acknowledge_on_all();
            }
            Expiry::FallBack => self.fall_back(at),
            Expiry::Reset => {
                self.break_subflow(at, Reset::Reason(ResetReason::MPTCP_SPECIFIC));
                self.watch();
            }
        }
    }

    /// A subflow on which nothing shows that options pass is of no use. What is missing goes over
    /// any.
    fn expired_on_several(&mut self) {
        if self.send.una() == self.timers.watched {
            for at in 0..self.subflows.len() {
                let judged = self.subflows[at].is_established();
                if judged && on_expiry(&self.situation(at)) == Expiry::Reset {
                    self.break_subflow(at, Reset::Reason(ResetReason::MIDDLEBOX_INTERFERENCE));
                }
            }
            self.timers.backoff = self.timers.backoff.saturating_add(1);
            self.on_data_timeout(self.timers.watched_since);
            self.acknowledge_on_all();
        }
        self.watch();
    }

    fn situation(&mut self, at: usize) -> Situation {
        let contiguous = self.circumstances(at).contiguous();
        let subflow = &mut self.subflows[at];
        let mut situation = Situation {
            stuck: self.send.una() == self.timers.watched,
            drained: subflow.tcp.sending().is_drained(),
            fin_only: self.send.in_flight() == 0,
            heard: subflow.heard,
            ever_heard: subflow.ever_heard,
            unheard: subflow.unheard,
            contiguous,
        };
        subflow.unheard = match situation.in_vain() {
            true => subflow.unheard.saturating_add(1),
            false => 0,
        };
        situation.unheard = subflow.unheard;
        situation
    }
}
