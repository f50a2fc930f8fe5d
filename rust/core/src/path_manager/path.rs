// SPDX-License-Identifier: GPL-2.0

//! One subflow that is, was or is about to be.

use super::action::{Farewell, Open};
use super::voice::Voice;
use crate::wire::{Address, MpTcpRst, ResetReason};

/// The wait before a path that failed once is tried again, in microseconds; it doubles with every
/// failure.
pub(super) const FIRST_REST: u64 = 1_000_000;
/// The longest such wait.
pub(super) const LONGEST_REST: u64 = 64_000_000;
/// How many failures make up for a condition that lasts.
pub(super) const LASTING: u8 = 3;
/// A subflow that lived for so many microseconds makes up for earlier failures.
pub(super) const STEADY: u64 = 10_000_000;
/// How many keep-alives go unanswered before the subflow is given up.
const PROBES: u8 = 3;
/// How long the peer's FIN is awaited after ours, in microseconds.
pub(super) const LONGEST_FAREWELL: u64 = 5_000_000;
/// The shortest wait for the answer to a keep-alive in microseconds.
const SHORTEST_PROBE: u64 = 200_000;

/// A subflow of one connection; never two at a time have the same.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SubflowId(pub(crate) u32);

impl SubflowId {
    /// The subflow whose handshake opened the connection.
    pub const FIRST: Self = Self(0);
}

/// An address and a TCP port in host order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SocketAddress {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: u16,
}

impl SocketAddress {
    /// No address.
    pub(super) const UNKNOWN: Self = Self {
        address: Address::V4([0; 4]),
        port: 0,
    };
}

/// How a subflow ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// In order, by either end.
    Finished,
    /// No answer, or the network said that there is no way.
    Unreachable,
    /// The peer reset it; with MP_TCPRST, if it had one (RFC 8684 section 3.6).
    Reset(Option<MpTcpRst>),
    /// The join failed: the peer's SYN/ACK had no MP_JOIN or a wrong HMAC (RFC 8684 section 3.2).
    Refused,
}

/// Who opened a subflow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// The connection's handshake.
    First,
    /// A join of ours.
    Ours,
    /// A join of the peer's.
    Peer,
}

/// Keep-alives on a subflow whose address the peer removed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Probe {
    sent: u8,
    /// When the next step is due.
    due: u64,
}

/// Where a path stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// The handshake goes on.
    Opening,
    /// The subflow works.
    Live {
        /// Since when, in microseconds.
        since: u64,
        /// Whether it must show that it still does.
        probe: Option<Probe>,
    },
    /// The subflow is to be closed.
    Leaving(Farewell),
    /// It is closed on our side; the peer's FIN is awaited.
    Finishing {
        /// Until when, in microseconds.
        until: u64,
    },
    /// There is no subflow; it failed and rests.
    Resting {
        /// Until when, in microseconds.
        until: u64,
    },
    /// There is no subflow; one may be opened again.
    Rested,
    /// There is no subflow, and none will be opened again.
    GivenUp,
}

/// A subflow that is, was or is about to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Path {
    pub(super) id: SubflowId,
    pub(super) origin: Origin,
    /// Our id of its local address, once that is known: routing may choose the address.
    pub(super) local_id: Option<u8>,
    pub(super) remote_id: u8,
    pub(super) remote: SocketAddress,
    /// Whether we declared it a backup.
    pub(super) local_backup: bool,
    /// Whether the peer did.
    pub(super) remote_backup: bool,
    /// Whether the peer must be told about `local_backup`.
    pub(super) priority_due: bool,
    /// Whether it ever worked.
    pub(super) worked: bool,
    /// Failures since it last worked for long.
    pub(super) failures: u8,
    /// What it may say without data.
    pub(super) voice: Voice,
    pub(super) state: State,
}

/// What follows from the end of a subflow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Consequence {
    /// Nothing needs to be remembered.
    Forget,
    /// It is tried again after a rest.
    Retry,
    /// It is not tried again, and that must be remembered.
    GiveUp,
}

/// For how many failures the end of a subflow counts at least that may be tried again.
///
/// RFC 8684 section 3.6: the wait takes the peer's reason into account. Want of resources, bad
/// performance and middleboxes do not pass within a second.
const fn weight(end: End) -> u8 {
    match end {
        End::Reset(Some(MpTcpRst {
            reason:
                ResetReason::LACK_OF_RESOURCES
                | ResetReason::UNACCEPTABLE_PERFORMANCE
                | ResetReason::MIDDLEBOX_INTERFERENCE,
            ..
        })) => LASTING,
        _ => 0,
    }
}

impl Path {
    /// The path of a subflow that is being opened by us.
    #[inline]
    pub(super) fn opened(open: &Open) -> Self {
        Self {
            id: open.subflow,
            origin: Origin::Ours,
            local_id: open.local.map(|local| local.id),
            remote_id: open.remote_id,
            remote: open.remote,
            local_backup: open.backup,
            remote_backup: false,
            priority_due: false,
            worked: false,
            failures: 0,
            voice: Voice::FRESH,
            state: State::Opening,
        }
    }

    /// Whether there is a subflow, or will be after the handshake.
    #[inline]
    pub(super) const fn is_used(&self) -> bool {
        matches!(self.state, State::Opening | State::Live { .. })
    }

    /// Whether the subflow carries data and options.
    #[inline]
    pub(super) const fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// Whether only the memory of a subflow is left.
    #[inline]
    pub(super) const fn is_memory(&self) -> bool {
        matches!(
            self.state,
            State::Resting { .. } | State::Rested | State::GivenUp
        )
    }

    /// Whether the subflow must show that it works.
    #[inline]
    pub(super) const fn is_doubted(&self) -> bool {
        matches!(self.state, State::Live { probe: Some(_), .. })
    }

    /// Whether it counts as a subflow beside the first.
    #[inline]
    pub(super) const fn is_extra(&self) -> bool {
        self.is_used() && !matches!(self.origin, Origin::First)
    }

    /// Notes that the handshake is complete.
    pub(super) fn on_live(&mut self, now: u64) {
        if self.state == State::Opening {
            self.worked = true;
            self.state = State::Live {
                since: now,
                probe: None,
            };
        }
    }

    /// What follows from `end`.
    // rfc8684:3.4.1-2 rfc8684:3.6-4 rfc8684:3.9.3-1
    pub(super) const fn consequence(&self, end: End) -> Consequence {
        let announced = self.remote_id != 0;
        match (self.origin, end) {
            // Whoever opened it opens it again.
            (Origin::Peer, _) => Consequence::Forget,
            // RFC 8684 section 3.6: after a transient condition the subflow can be tried again,
            // after another one it will fail again.
            (_, End::Reset(Some(MpTcpRst { transient, .. }))) => match transient {
                true => Consequence::Retry,
                false => Consequence::GiveUp,
            },
            (_, End::Finished | End::Refused) => Consequence::GiveUp,
            // A path that worked is worth another try: links and translators come back.
            (_, End::Unreachable | End::Reset(None)) if self.worked => Consequence::Retry,
            // RFC 8684 section 3.4.1: an announced address that could not be reached is not tried
            // again until it is announced again.
            (_, End::Unreachable) if announced => Consequence::GiveUp,
            (_, End::Unreachable) => Consequence::Retry,
            (_, End::Reset(None)) => Consequence::GiveUp,
        }
    }

    /// Begins a rest after `end`, the longer the more often the path failed.
    // rfc8684:3.6-3
    pub(super) fn rest(&mut self, now: u64, end: End) {
        if let State::Live { since, .. } = self.state {
            if now.saturating_sub(since) >= STEADY {
                self.failures = 0;
            }
        }
        self.failures = self.failures.max(weight(end));
        let doublings = self.failures.min(6);
        let rest = LONGEST_REST.min(FIRST_REST.wrapping_shl(u32::from(doublings)));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting {
            until: now.saturating_add(rest),
        };
    }

    /// Has the subflow closed. One that works is closed by FIN (RFC 8684 section 3.4.2), unless its
    /// address is `lost`, from where no FIN would get anywhere.
    // rfc8684:3.4.2-8
    pub(super) fn leave(&mut self, lost: bool) {
        let opens = self.origin == Origin::Ours && self.state == State::Opening;
        self.state = State::Leaving(match lost || opens {
            true => Farewell::RESET,
            false => Farewell::Fin,
        });
    }

    /// Asks for proof that the subflow still works.
    pub(super) fn doubt(&mut self, now: u64) {
        if let State::Live { probe, .. } = &mut self.state {
            probe.get_or_insert(Probe { sent: 0, due: now });
        }
    }

    /// Notes that the peer was heard on the subflow.
    // rfc8684:3.4.2-3
    pub(super) fn on_heard(&mut self) {
        if let State::Live { probe, .. } = &mut self.state {
            // What came before the question is no answer.
            *probe = probe.filter(|probe| probe.sent == 0);
        }
    }

    /// Whether a keep-alive is due, which then counts as sent.
    pub(super) fn take_probe(&mut self, now: u64, rto: u32) -> bool {
        let State::Live {
            probe: Some(probe), ..
        } = &mut self.state
        else {
            return false;
        };
        if probe.due > now || probe.sent >= PROBES {
            return false;
        }
        let wait = u64::from(rto).max(SHORTEST_PROBE);
        probe.due = now.saturating_add(wait.saturating_mul(1 << probe.sent));
        probe.sent = probe.sent.saturating_add(1);
        true
    }

    /// Acts on the time.
    // rfc8684:3.4.2-6
    pub(super) fn wake(&mut self, now: u64) {
        match self.state {
            State::Resting { until } if until <= now => self.state = State::Rested,
            State::Live {
                probe: Some(Probe { sent, due }),
                ..
            } if sent >= PROBES && due <= now => self.state = State::Leaving(Farewell::RESET),
            State::Finishing { until } if until <= now => {
                self.state = State::Leaving(Farewell::RESET);
            }
            _ => {}
        }
    }

    /// When time matters next.
    #[inline]
    pub(super) const fn until(&self) -> Option<u64> {
        match self.state {
            State::Resting { until } | State::Finishing { until } => Some(until),
            State::Live {
                probe: Some(Probe { due, .. }),
                ..
            } => Some(due),
            _ => None,
        }
    }
}
