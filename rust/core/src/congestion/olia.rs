// SPDX-License-Identifier: GPL-2.0

//! Opportunistic linked increases (draft-khalili-mptcp-congestion-control-05; Khalili et al., "MPTCP
//! is not Pareto-Optimal: Performance Issues and a Possible Solution", CoNEXT 2012).

use super::coupled::coupled_increase;
use super::fixed::Fixed;
use super::growth::{half, Growth, Increase};
use super::{Ack, Member, Members, Window};
use crate::seq::Ssn;

/// Linked increases that move traffic to the best paths, also where those have small windows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Olia {
    growth: Growth,
    una: Option<Ssn>,
    /// Bytes acknowledged since the last loss, and between the two losses before.
    since_loss: u64,
    between_losses: u64,
}

impl Olia {
    /// The state of a new subflow.
    #[inline]
    pub const fn new() -> Self {
        Self {
            growth: Growth::new(),
            una: None,
            since_loss: 0,
            between_losses: 0,
        }
    }

    /// The window after an acknowledgement.
    #[inline]
    pub fn on_ack(&mut self, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        let before = self.una.replace(ack.una).unwrap_or(ack.una);
        let acked = u64::from(ack.una.since(before));
        self.since_loss = self.since_loss.saturating_add(acked);
        self.growth
            .grow(window, ack, |cwnd| increase(cwnd, members))
    }

    /// The slow-start threshold after a loss: half the window. Where there are several subflows it
    /// may be a single segment, so that a bad path can be left almost unused.
    #[inline]
    pub fn ssthresh(&self, window: Window, members: &Members<'_>) -> u32 {
        half(window.cwnd, if members.several() { 1 } else { 2 })
    }

    /// Takes note of a loss. Losses with nothing acknowledged between them are one.
    #[inline]
    pub fn on_loss(&mut self) {
        self.growth.reset();
        if self.since_loss > 0 {
            self.between_losses = self.since_loss;
            self.since_loss = 0;
        }
    }

    /// How many bytes pass without loss, the better of two estimates.
    #[inline]
    pub const fn gap(&self) -> u64 {
        if self.since_loss > self.between_losses {
            self.since_loss
        } else {
            self.between_losses
        }
    }
}

/// The common term of the subflow, and `alpha / cwnd`, which moves traffic: what the subflows with
/// the largest windows give away goes to those that could do best but have smaller windows.
pub(super) fn increase(cwnd: u32, members: &Members<'_>) -> Increase {
    let own = members.own();
    let Some(best) = members
        .active()
        .reduce(|a, b| if is_better(b, a) { b } else { a })
    else {
        return Increase::of_tcp(cwnd);
    };
    let largest = members
        .active()
        .map(|member| member.cwnd)
        .max()
        .unwrap_or(0);
    let has_largest = |member: &Member| member.cwnd == largest;
    let is_best = |member: &Member| !is_better(best, member);
    let collected = |member: &Member| is_best(member) && !has_largest(member);

    let linked = Increase::from(coupled_increase(members, own));
    let all = count(members, |_| true);
    let gaining = count(members, collected);
    let moved = |sharing: u64| {
        let parts = all.saturating_mul(sharing).saturating_mul(u64::from(cwnd));
        Increase::from(Fixed::ratio(1, parts))
    };
    if collected(&own) {
        linked.plus(moved(gaining))
    } else if gaining > 0 && has_largest(&own) {
        linked.plus(moved(count(members, has_largest)).negated())
    } else {
        linked
    }
}

#[inline]
fn count(members: &Members<'_>, belongs: impl Fn(&Member) -> bool) -> u64 {
    let belonging = members.active().filter(|member| belongs(member));
    belonging.fold(0, |count, _| count.saturating_add(1))
}

/// Whether TCP alone would do better on `a`: its throughput grows with the root of the gap between
/// losses, and falls with the round-trip time.
#[inline]
fn is_better(a: &Member, b: &Member) -> bool {
    scaled(a, b) > scaled(b, a)
}

/// The gap of one by the square of the round-trip time of the other.
#[inline]
fn scaled(gap: &Member, time: &Member) -> u128 {
    let rtt = u64::from(time.srtt_us);
    u128::from(gap.gap).wrapping_mul(u128::from(rtt.saturating_mul(rtt)))
}
