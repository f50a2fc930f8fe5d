// SPDX-License-Identifier: GPL-2.0

//! The schedulers by name.

use super::{
    Blest, Decision, Ecf, LowestRtt, PathId, PathsView, Redundant, RoundRobin, Scheduler, Segment,
};

/// Which scheduler.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Kind {
    /// [`LowestRtt`].
    #[default]
    LowestRtt,
    /// [`Blest`].
    Blest,
    /// [`Ecf`].
    Ecf,
    /// [`RoundRobin`].
    RoundRobin,
    /// [`Redundant`].
    Redundant,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::LowestRtt,
        Self::Blest,
        Self::Ecf,
        Self::RoundRobin,
        Self::Redundant,
    ];

    /// The name in settings: those of the kernel's own MPTCP and of the one before it.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowestRtt => "default",
            Self::Blest => "blest",
            Self::Ecf => "ecf",
            Self::RoundRobin => "roundrobin",
            Self::Redundant => "redundant",
        }
    }

    /// The scheduler of this name.
    #[inline]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }
}

/// One of the schedulers, as a value that a connection can hold and exchange while it lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnyScheduler {
    /// The path that delivers first.
    LowestRtt(LowestRtt),
    /// Slow paths only where they do not block faster ones.
    Blest(Blest),
    /// Slow paths only where they are done sooner.
    Ecf(Ecf),
    /// One path after the other.
    RoundRobin(RoundRobin),
    /// Everything on every path.
    Redundant(Redundant),
}

impl AnyScheduler {
    /// A scheduler of this kind that has decided nothing.
    #[inline]
    pub const fn new(kind: Kind) -> Self {
        match kind {
            Kind::LowestRtt => Self::LowestRtt(LowestRtt::new()),
            Kind::Blest => Self::Blest(Blest::new()),
            Kind::Ecf => Self::Ecf(Ecf::new()),
            Kind::RoundRobin => Self::RoundRobin(RoundRobin::new()),
            Kind::Redundant => Self::Redundant(Redundant::new()),
        }
    }

    /// Which one it is.
    #[inline]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::LowestRtt(_) => Kind::LowestRtt,
            Self::Blest(_) => Kind::Blest,
            Self::Ecf(_) => Kind::Ecf,
            Self::RoundRobin(_) => Kind::RoundRobin,
            Self::Redundant(_) => Kind::Redundant,
        }
    }
}

impl Scheduler for AnyScheduler {
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision {
        match self {
            Self::LowestRtt(scheduler) => scheduler.pick(paths, segment),
            Self::Blest(scheduler) => scheduler.pick(paths, segment),
            Self::Ecf(scheduler) => scheduler.pick(paths, segment),
            Self::RoundRobin(scheduler) => scheduler.pick(paths, segment),
            Self::Redundant(scheduler) => scheduler.pick(paths, segment),
        }
    }

    fn forget(&mut self, path: PathId) {
        match self {
            Self::LowestRtt(scheduler) => scheduler.forget(path),
            Self::Blest(scheduler) => scheduler.forget(path),
            Self::Ecf(scheduler) => scheduler.forget(path),
            Self::RoundRobin(scheduler) => scheduler.forget(path),
            Self::Redundant(scheduler) => scheduler.forget(path),
        }
    }
}
