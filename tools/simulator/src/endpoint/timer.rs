// SPDX-License-Identifier: GPL-2.0

//! Data-level retransmission.

use super::{Endpoint, Mode};
use mptcp_core::connection::expiry::{on_expiry, Expiry, Situation};
use mptcp_core::connection::speech::Reset;
use mptcp_core::send::retransmit_timeout;
use mptcp_core::wire::ResetReason;

/// The longest wait for a data acknowledgement, in microseconds.
const LONGEST_WAIT: u32 = 120_000_000;

impl Endpoint {
    /// Sees to it that what was just given to the subflow is sent again if need be.
    pub(super) fn watch(&mut self) {
        if self.timers.retransmit_at.is_some() {
            return;
        }
        let rto = self.tcp.as_ref().map_or(1, |tcp| tcp.sending().rto());
        let wait = retransmit_timeout(rto as u32, self.timers.backoff, LONGEST_WAIT);
        self.timers.retransmit_at = Some(self.now + u64::from(wait));
        self.timers.watched = self.send.una();
    }

    /// Does what is due.
    pub(super) fn expired(&mut self) {
        let due = |at: Option<u64>| at.is_some_and(|at| self.now >= at);
        if due(self.timers.give_up_at) {
            self.timers.give_up_at = None;
            return self.abort();
        }
        if !due(self.timers.retransmit_at) {
            return;
        }
        self.timers.retransmit_at = None;
        if self.mode != Mode::Mptcp || !self.send.needs_retransmit() || self.ended {
            return;
        }
        match on_expiry(&self.situation()) {
            Expiry::Wait => self.watch(),
            Expiry::SendAgain => {
                self.timers.backoff = self.timers.backoff.saturating_add(1);
                self.timers.heard = false;
                self.send.start_retransmit();
                self.watch();
                if let Some(tcp) = self.tcp.as_mut() {
                    // A DATA_FIN needs no data to travel with.
                    tcp.acknowledge();
                }
            }
            Expiry::FallBack => self.fall_back(),
            Expiry::Reset => self.break_subflow(Reset::Reason(ResetReason::MPTCP_SPECIFIC)),
        }
    }

    fn situation(&mut self) -> Situation {
        let tcp = self.tcp.as_ref();
        let drained = tcp.is_none_or(|tcp| tcp.sending().is_drained());
        let stuck = self.send.una() == self.timers.watched;
        let mut situation = Situation {
            stuck,
            drained,
            fin_only: self.send.in_flight() == 0,
            heard: self.timers.heard,
            ever_heard: self.timers.ever_heard,
            unheard: self.timers.unheard,
            contiguous: self.circumstances().contiguous(),
        };
        self.timers.unheard = match situation.in_vain() {
            true => self.timers.unheard.saturating_add(1),
            false => 0,
        };
        situation.unheard = self.timers.unheard;
        situation
    }
}
