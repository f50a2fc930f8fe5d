// SPDX-License-Identifier: GPL-2.0

//! What a path manager wants to be done.

use super::announcement::{Announced, Announcement, Progress};
use super::path::{Path, SocketAddress, State, SubflowId, LONGEST_FAREWELL};
use super::settings::Context;
use super::{IdSet, PathManager};
use crate::wire::{Address, RemoveAddr, ResetReason};

/// How a subflow is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Farewell {
    /// In order, by FIN.
    Fin,
    /// By RST, with MP_TCPRST (RFC 8684 section 3.6).
    Reset(ResetReason),
}

impl Farewell {
    pub(super) const RESET: Self = Self::Reset(ResetReason::UNSPECIFIED);
}

/// The local side of a subflow to be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LocalSide {
    /// Its address id.
    pub id: u8,
    /// The address to bind to.
    pub address: Address,
    /// The index of the interface to leave through; 0 leaves it to routing.
    pub interface: u32,
}

/// A subflow to be opened by MP_JOIN (RFC 8684 section 3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Open {
    /// Its name from now on.
    pub subflow: SubflowId,
    /// Where it comes from; `None` leaves it to routing, and then [`Event::Bound`] tells.
    ///
    /// [`Event::Bound`]: super::Event::Bound
    pub local: Option<LocalSide>,
    /// Where it goes to.
    pub remote: SocketAddress,
    /// The peer's id of that address.
    pub remote_id: u8,
    /// Whether to declare it a backup (the B bit of MP_JOIN).
    pub backup: bool,
}

/// What a path manager wants to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Confirm an announcement by the echo of its ADD_ADDR.
    Echo {
        /// What the peer announced.
        announcement: Announcement,
        /// The subflow to send it on.
        via: SubflowId,
    },
    /// Send REMOVE_ADDR.
    Remove {
        /// The option.
        option: RemoveAddr,
        /// The subflow to send it on.
        via: SubflowId,
    },
    /// Close a subflow. By RST it is forgotten. By FIN it is forgotten when
    /// [`Event::SubflowEnded`](super::Event::SubflowEnded) tells that the peer's FIN came too; if
    /// that takes long, it is to be closed by RST.
    Close {
        /// Which.
        subflow: SubflowId,
        /// How.
        farewell: Farewell,
    },
    /// Send MP_PRIO.
    Priority {
        /// The subflow that it speaks of and travels on.
        subflow: SubflowId,
        /// Whether the subflow is a backup.
        backup: bool,
    },
    /// Send a TCP keep-alive.
    Probe {
        /// The subflow.
        subflow: SubflowId,
    },
    /// Send ADD_ADDR.
    Announce {
        /// What to announce.
        announcement: Announcement,
        /// The subflow to send it on.
        via: SubflowId,
    },
    /// Open a subflow.
    Open(Open),
}

impl PathManager {
    /// The next thing to be done now; `None` if there is none. To be asked after every event and
    /// at the [`deadline`](Self::deadline), until it answers `None`.
    ///
    /// What takes an address away comes before what adds one, so that an id can change its
    /// meaning.
    pub fn poll(&mut self, context: &Context<'_>) -> Option<Action> {
        if self.ended {
            return None;
        }
        self.wake(context.now);
        self.poll_echo(context)
            .or_else(|| self.poll_remove(context))
            .or_else(|| self.poll_close(context.now))
            .or_else(|| self.poll_priority(context))
            .or_else(|| self.poll_probe(context))
            .or_else(|| self.poll_announce(context))
            .or_else(|| self.next_open(context).map(Action::Open))
    }

    /// When to ask [`poll`](Self::poll) again if no event comes before, in microseconds.
    pub fn deadline(&self) -> Option<u64> {
        if self.ended {
            return None;
        }
        let announced = self.announced.iter().filter_map(|one| one.until());
        let paths = self.paths.iter().filter_map(Path::until);
        let others = self.allowed_at.into_iter().chain(self.speech_at);
        announced.chain(paths).chain(others).min()
    }

    fn wake(&mut self, now: u64) {
        self.allowance.wake(now);
        self.allowed_at = None;
        self.speech_at = None;
        self.announced.iter_mut().for_each(|one| one.wake(now));
        self.paths.iter_mut().for_each(|path| path.wake(now));
    }

    fn poll_echo(&mut self, context: &Context<'_>) -> Option<Action> {
        self.echoes.iter().next()?;
        let via = self.speaker(&IdSet::EMPTY, context)?;
        let announcement = self.echoes.take(|_| true)?;
        Some(Action::Echo { announcement, via })
    }

    // rfc8684:3.4.1-5
    fn poll_remove(&mut self, context: &Context<'_>) -> Option<Action> {
        if self.departing.is_empty() {
            return None;
        }
        let via = self.speaker(&{ self.departing }, context)?;
        let mut ids = [0; Self::IDS_PER_OPTION];
        let mut count: usize = 0;
        for (place, id) in ids.iter_mut().zip(self.departing.iter()) {
            *place = id;
            count = count.wrapping_add(1);
        }
        let option = RemoveAddr::new(ids.get(..count)?)?;
        for id in option.ids() {
            self.departing.remove(*id);
        }
        Some(Action::Remove { option, via })
    }

    fn poll_close(&mut self, now: u64) -> Option<Action> {
        let by_fin = |path: &&mut Path| path.state == State::Leaving(Farewell::Fin);
        if let Some(path) = self.paths.iter_mut().find(by_fin) {
            path.state = State::Finishing {
                until: now.saturating_add(LONGEST_FAREWELL),
            };
            return Some(Action::Close {
                subflow: path.id,
                farewell: Farewell::Fin,
            });
        }
        let leaves = |path: &Path| matches!(path.state, State::Leaving(_));
        let path = self.paths.take(leaves)?;
        match path.state {
            State::Leaving(farewell) => Some(Action::Close {
                subflow: path.id,
                farewell,
            }),
            _ => None,
        }
    }

    fn poll_priority(&mut self, context: &Context<'_>) -> Option<Action> {
        let due = |path: &&mut Path| path.priority_due && path.is_live();
        for path in self.paths.iter_mut().filter(due) {
            if may_speak(path, &mut self.speech_at, context) {
                path.priority_due = false;
                return Some(Action::Priority {
                    subflow: path.id,
                    backup: path.local_backup,
                });
            }
        }
        None
    }

    fn poll_probe(&mut self, context: &Context<'_>) -> Option<Action> {
        let subflow = self.paths.iter_mut().find_map(|path| {
            let due = path.take_probe(context.now, context.rto);
            due.then_some(path.id)
        })?;
        Some(Action::Probe { subflow })
    }

    fn poll_announce(&mut self, context: &Context<'_>) -> Option<Action> {
        self.note_signals(context);
        let is_due = |one: &Announced| one.progress == Progress::Due;
        self.announced.iter().find(|one| is_due(one))?;
        let via = self.speaker(&{ self.departing }, context)?;
        let version = self.version;
        // What the peer never heard of comes before what is repeated.
        let due = self.announced.iter_mut().filter(|one| is_due(one));
        let due = due.min_by_key(|one| one.sent)?;
        due.on_sent(version, context);
        Some(Action::Announce {
            announcement: due.what,
            via,
        })
    }

    /// The subflow to send an option on at once: a live one, if possible none that is in doubt and
    /// none of a local address in `avoided`.
    fn speaker(&mut self, avoided: &IdSet, context: &Context<'_>) -> Option<SubflowId> {
        let shuns = |path: &&mut Path| {
            let avoid = path.local_id.is_some_and(|id| avoided.contains(id));
            let waits = path.voice.ready_at(context.now).is_some();
            (path.is_doubted(), avoid, waits)
        };
        let live = self.paths.iter_mut().filter(|path| path.is_live());
        let chosen = live.min_by_key(shuns)?;
        may_speak(chosen, &mut self.speech_at, context).then_some(chosen.id)
    }

    /// Whether an id of ours has to be removed before anything else can use it.
    pub(super) fn removal_waits(&self) -> bool {
        self.speech_at.is_some() && !self.departing.is_empty()
    }
}

/// Whether a subflow may send an option without data now, which then counts as sent; if not,
/// `speech_at` is when it may.
fn may_speak(path: &mut Path, speech_at: &mut Option<u64>, context: &Context<'_>) -> bool {
    match path.voice.ready_at(context.now) {
        None => {
            path.voice.speak(context.now, context.rto);
            true
        }
        Some(at) => {
            *speech_at = speech_at.map_or(Some(at), |other| Some(other.min(at)));
            false
        }
    }
}
