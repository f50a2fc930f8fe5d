// SPDX-License-Identifier: GPL-2.0

//! Subflows that leave their connection, and what becomes of it then (RFC 8684 section 3.3.3).

use super::ending::Rest;
use crate::path_manager::{End, Farewell};
use crate::scheduler::{PathId, PathSet};
use crate::wire::{MpTcpRst, ResetReason};

/// How long TCP tries to deliver the FIN of a subflow whose connection does not need it, in milliseconds: the
/// peer has all data by others, and learns of the end there.
pub const FIN_PATIENCE_MS: i32 = 5_000;

/// Why TCP ended a subflow, other than in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// A RST came.
    Reset,
    /// No answer came, or the network said that there is no way.
    Unreachable,
}

/// What is known of a subflow that ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Remains {
    /// The MP_TCPRST of the peer's RST.
    pub told: Option<MpTcpRst>,
    /// Why TCP ended it.
    pub failure: Option<Failure>,
    /// It was of no use to us, so we reset it.
    pub useless: bool,
    /// It was to join, and no SYN/ACK proved that the peer let it.
    pub unproven: bool,
}

/// How a subflow ended, for the path manager, which tries some of them again.
///
/// RFC 8684 section 3.6: what the peer says about the reason goes before what is seen from here. Section 3.2: a
/// join that the peer does not prove is closed, and failed as a join, not as a path.
#[inline]
pub const fn how_it_ended(remains: &Remains) -> End {
    match *remains {
        Remains {
            told: Some(reset), ..
        } => End::Reset(Some(reset)),
        Remains {
            useless: true,
            unproven: true,
            ..
        } => End::Refused,
        Remains {
            failure: Some(Failure::Reset),
            ..
        } => End::Reset(None),
        Remains {
            failure: None,
            useless: false,
            ..
        } => End::Finished,
        _ => End::Unreachable,
    }
}

/// How a subflow is closed that the path manager wants closed as `wanted`. `several` says whether it is or was one
/// of several that carry data.
///
/// To a peer that went on as plain TCP, which we may not know yet, a FIN on the only subflow is the end of the
/// stream (RFC 8684 section 3.7).
#[inline]
pub const fn farewell(wanted: Farewell, several: bool) -> Farewell {
    match wanted {
        Farewell::Fin if !several => Farewell::Reset(ResetReason::UNSPECIFIED),
        wanted => wanted,
    }
}

/// What decides whether a subflow is kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Presence {
    /// It can carry data.
    pub live: bool,
    /// The peer's FIN was taken off it.
    pub finished: bool,
    /// TCP is done with it.
    pub gone: bool,
    /// What it carries cannot be understood.
    pub useless: bool,
}

/// Subflows that leave their connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Departure {
    /// All of them.
    pub all: PathSet,
    /// Those that are reset.
    pub reset: PathSet,
    /// The connection has others, or is about to have them.
    pub others_stay: bool,
}

impl Departure {
    /// Which of the subflows leave. `several` says whether there is or was more than one, `over` whether both
    /// DATA_FINs are acknowledged.
    ///
    /// RFC 8684 section 3.3.3: a FIN ends its subflow alone, so the subflow leaves. The only one stays: its FIN
    /// may be the end of a stream that became plain TCP. When both DATA_FINs are acknowledged all end
    /// together. The first subflow counts before it can carry data: then it is still being opened.
    #[inline]
    pub fn of(
        subflows: impl Iterator<Item = (PathId, Presence)>,
        several: bool,
        over: bool,
    ) -> Self {
        let mut departure = Self::default();
        for (path, presence) in subflows {
            let among_others = several || path != PathId::FIRST;
            if presence.useless {
                departure.reset = departure.reset.with(path);
            }
            if presence.useless || presence.gone || among_others && presence.finished && !over {
                departure.all = departure.all.with(path);
            } else {
                departure.others_stay |= presence.live || path == PathId::FIRST;
            }
        }
        departure
    }

    /// Whether the connection loses all it has.
    #[inline]
    pub const fn deserts(&self) -> bool {
        !self.all.is_empty() && !self.others_stay
    }

    /// What the departure means to the connection. `may_wait` says whether the connection waits for another
    /// subflow if it has none.
    // rfc8684:3.3.3-7
    #[inline]
    pub const fn means(&self, rest: &Rest, may_wait: bool) -> Meaning {
        if !self.deserts() {
            Meaning::GoesOn
        } else if may_wait {
            Meaning::Waits
        } else if rest.aborted || rest.state.subflows_may_close() {
            Meaning::IsOver
        } else {
            Meaning::Breaks
        }
    }
}

/// What becomes of a connection whose subflows leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// It goes on with others. Who leaves is forgotten.
    GoesOn,
    /// It waits for another. Who leaves is forgotten.
    Waits,
    /// It is broken: data may be missing that can come no more.
    Breaks,
    /// It was at its end anyway.
    IsOver,
}

/// What the end of a subflow at TCP means at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Closed {
    /// What it carries is sent on others, now or when there is one, and it leaves.
    pub leaves: bool,
    /// The connection ends with it, see [`is_breakdown`](super::ending::is_breakdown).
    pub ends_all: bool,
}

/// TCP is done with a subflow. `alone` says whether the connection never had another, `others` whether there is
/// another that TCP is not done with, `may_wait` whether the connection would wait for another.
#[inline]
pub const fn on_closed(alone: bool, others: bool, may_wait: bool) -> Closed {
    Closed {
        leaves: !alone || may_wait,
        ends_all: !may_wait && (alone || !others),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::departure::check(), Ok(()));
    }
}
