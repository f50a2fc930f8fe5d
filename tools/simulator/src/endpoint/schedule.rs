// SPDX-License-Identifier: GPL-2.0

//! Sharing data between several subflows, by the core's schedulers.

use super::carriers::Carriers;
use super::subflow::Subflow;
use super::{EndKind, Endpoint};
use crate::segment::Time;
use mptcp_core::connection::push::{next_step, Step, MAX_PIECE};
use mptcp_core::scheduler::{
    penalised, AnyScheduler, Decision, Kind, Path, PathId, PathSet, PathsView, Scheduler, Segment,
};
use mptcp_core::seq::Dsn;

/// Timeouts at the data level after which a silent subflow counts as dead.
const STALE_AFTER: u8 = 4;

/// What the sender knows of its subflows together.
#[derive(Debug)]
pub(super) struct Scheduling {
    scheduler: AnyScheduler,
    pub(super) carriers: Carriers,
    /// The path that sends again what holds the window closed.
    unblocking: Option<PathId>,
    /// Paths whose silence was noticed.
    silent: PathSet,
    /// When the next path will count as silent.
    look_at: Option<Time>,
}

/// What is to be given to a subflow next.
struct Next {
    from: Dsn,
    segment: Segment,
}

impl Scheduling {
    pub(super) fn new(kind: &EndKind) -> Self {
        let scheduler = kind.paths.as_ref().map_or(Kind::default(), |p| p.scheduler);
        Self {
            scheduler: AnyScheduler::new(scheduler),
            carriers: Carriers::default(),
            unblocking: None,
            silent: PathSet::EMPTY,
            look_at: None,
        }
    }
}

impl Endpoint {
    /// Gives data to subflows as long as the scheduler says so.
    pub(super) fn schedule(&mut self) {
        for at in 0..self.subflows.len() {
            self.subflows[at].forget_acked();
            if self.subflows[at].is_writable() {
                self.finish_piece(at);
            }
        }
        loop {
            let paths = self.views();
            self.notice_silence(&paths);
            let view = PathsView::new(&paths, self.now, self.window_size());
            let Some(next) = self.next_data() else {
                break;
            };
            let decision = self.scheduling.scheduler.pick(&view, &next.segment);
            let go_on = match decision {
                Decision::Send { path, len } => self.carry(&next, PathSet::only(path), len),
                Decision::SendOnAll { paths, len } => self.carry(&next, paths, len),
                Decision::Unblock {
                    retransmit,
                    penalise,
                } => {
                    penalise.iter().for_each(|path| self.penalise(path));
                    retransmit.is_none_or(|path| self.unblock(path))
                }
                Decision::Wait => self.carried_by_all(&next, &view),
            };
            if !go_on {
                break;
            }
        }
        self.ask_for_window();
        if self.send.fin_due() {
            self.send.on_fin_sent();
            self.give_fin(0);
        }
        let paths = self.views();
        let view = PathsView::new(&paths, self.now, 0);
        self.scheduling.look_at = view.next_silence_us().filter(|_| !self.ended);
    }

    /// When the scheduler is to be asked again, or a dead path is to be tried.
    pub(super) fn scheduling_due(&self) -> Option<Time> {
        let live = self.subflows.iter().filter(|one| one.is_established());
        let probes = live.filter_map(|one| one.health.next_probe_us());
        let look_at = self.scheduling.look_at.filter(|_| self.joined);
        look_at
            .into_iter()
            .chain(probes)
            .min()
            .filter(|_| !self.ended)
    }

    /// Tries dead paths.
    pub(super) fn probe_paths(&mut self) {
        for subflow in &mut self.subflows {
            let rto = subflow.tcp.sending().rto() as u32;
            if subflow.is_established() && subflow.health.probe(self.now, rto) {
                subflow.tcp.ask();
            }
        }
    }

    /// The peer acknowledged something on a subflow.
    pub(super) fn on_progress(&mut self, at: usize) {
        let now = self.now;
        let subflow = &mut self.subflows[at];
        subflow.progress_at = now;
        let returned = subflow.health.on_progress();
        self.scheduling.silent = self.scheduling.silent.without(subflow.number);
        if returned {
            self.watch_anew();
        }
    }

    /// More data is acknowledged.
    pub(super) fn on_data_acked(&mut self) {
        let una = self.send.una();
        self.scheduling.carriers.on_acked(una);
        let closed = !self.send.nxt().before(self.send.wnd_end());
        let unblocking = &mut self.scheduling.unblocking;
        *unblocking = unblocking.filter(|_| closed);
    }

    /// A subflow is gone: what it alone carried goes over others.
    pub(super) fn forget_carrier(&mut self, subflow: &Subflow) {
        self.send_again_instead_of(subflow.number);
        let scheduling = &mut self.scheduling;
        scheduling.carriers.forget(subflow.number);
        scheduling.scheduler.forget(subflow.number);
        scheduling.silent = scheduling.silent.without(subflow.number);
        let unblocking = scheduling.unblocking;
        scheduling.unblocking = unblocking.filter(|path| *path != subflow.number);
    }

    /// The data-level timer expired: subflows that did not answer may be dead. The oldest data is
    /// sent again; all of it, if no TCP has any to deliver.
    pub(super) fn on_data_timeout(&mut self, since: Time) {
        let now = self.now;
        for subflow in &mut self.subflows {
            let silent = subflow.tcp.sending().in_flight() && subflow.progress_at <= since;
            if silent {
                let rto = subflow.tcp.sending().rto() as u32;
                subflow.health.on_timeout(STALE_AFTER, now, rto);
            }
        }
        let una = self.send.una();
        let mut live = self.subflows.iter().filter(|one| one.is_established());
        let end = match live.all(|one| one.tcp.sending().is_drained()) {
            true => self.send.nxt().earliest(self.send.write()),
            false => una.plus(self.scheduling.carriers.at(una).map_or(0, |at| at.1).into()),
        };
        self.scheduling.carriers.on_lost(una, end);
        self.send.send_again(una, end);
    }

    fn views(&self) -> Vec<Path> {
        let writable = self.subflows.iter().filter(|one| one.is_writable());
        writable
            .map(|one| one.view(self.is_backup(one.id)))
            .collect()
    }

    /// What a path carries that fell silent is worth sending over others.
    fn notice_silence(&mut self, paths: &[Path]) {
        let silent = PathsView::new(paths, self.now, 0).silent();
        for path in silent.iter() {
            if !self.scheduling.silent.contains(path) {
                self.scheduling.silent = self.scheduling.silent.with(path);
                self.send_again_instead_of(path);
            }
        }
    }

    fn send_again_instead_of(&mut self, path: PathId) {
        let Scheduling {
            carriers, silent, ..
        } = &self.scheduling;
        for (from, end) in carriers.only_on(path, *silent) {
            self.send.send_again(from, end);
        }
    }

    /// Bytes that may be unacknowledged.
    fn window_size(&self) -> u32 {
        let window = self.send.wnd_end().since(self.send.una());
        u32::try_from(window).unwrap_or(u32::MAX)
    }

    /// What is to be sent next: what was lost before what is new.
    fn next_data(&mut self) -> Option<Next> {
        let new = Segment {
            len: self.send.unsent().min(MAX_PIECE.into()) as u32,
            unsent: self.send.unsent(),
            window_left: self.send.available(),
            again: false,
            last: self.send.fin().is_some(),
            sent_on: PathSet::EMPTY,
            blocking: self.blocking(),
        };
        if let Some((from, len)) = self.send.retransmit_next() {
            let (sent_on, same) = self.scheduling.carriers.at(from)?;
            let segment = Segment {
                len: len.min(same).min(MAX_PIECE),
                again: true,
                sent_on,
                ..new
            };
            return Some(Next { from, segment });
        }
        let from = self.send.nxt();
        (new.len > 0).then_some(Next { from, segment: new })
    }

    /// Who carried the data that keeps the window closed.
    fn blocking(&self) -> PathSet {
        let held = self
            .scheduling
            .carriers
            .first_not_on(self.scheduling.unblocking);
        held.map(|(_, paths, _)| paths).unwrap_or_default()
    }

    fn numbered(&self, path: PathId) -> Option<usize> {
        self.subflows.iter().position(|one| one.number == path)
    }

    /// Gives `len` bytes of what is next to each of `paths`. Returns whether anything was given.
    fn carry(&mut self, next: &Next, paths: PathSet, len: u32) -> bool {
        let is_new = !next.segment.again;
        let Some(first) = paths.iter().find_map(|path| self.numbered(path)) else {
            return false;
        };
        let conditions = self.conditions(first);
        let len = match is_new {
            false => len,
            true => match next_step(&self.send, &conditions) {
                Step::New { len: most, .. } => len.min(most),
                _ => return false,
            },
        };
        if is_new {
            self.send.on_segments_pushed(len, conditions.mss);
        } else {
            self.retransmitted = true;
        }
        for path in paths.iter() {
            if let Some(at) = self.numbered(path) {
                self.map(at, next.from, len);
            }
        }
        if !is_new {
            self.send.on_retransmitted(len);
        }
        true
    }

    /// All that could carry what is to be sent again have done so, and will deliver it. Returns
    /// whether that is so.
    fn carried_by_all(&mut self, next: &Next, view: &PathsView<'_>) -> bool {
        let again = next.segment.again;
        let all = view
            .eligible()
            .all(|path| next.segment.sent_on.contains(path.id));
        let any = view.eligible().next().is_some();
        if again && all && any {
            self.send.on_retransmitted(next.segment.len);
        }
        again && all && any
    }

    /// Sends again on `path` the oldest data that it has not carried. Returns whether there was any.
    fn unblock(&mut self, path: PathId) -> bool {
        let found = self.scheduling.carriers.first_not_on(Some(path));
        let (Some((from, _, len)), Some(at)) = (found, self.numbered(path)) else {
            return false;
        };
        self.scheduling.unblocking = Some(path);
        self.retransmitted = true;
        let room = self.subflows[at].tcp.room() as u32;
        self.map(at, from, len.min(self.kind.tcp.mss).min(room.max(1)));
        true
    }

    fn penalise(&mut self, path: PathId) {
        if let Some(at) = self.numbered(path) {
            let sending = self.subflows[at].tcp.sending_mut();
            let (cwnd, ssthresh) = sending.congestion();
            sending.set_congestion(penalised(cwnd, ssthresh));
        }
    }

    /// A closed window is asked for by one byte (RFC 9293 section 3.8.6.1), once all is drained.
    fn ask_for_window(&mut self) {
        let room = |one: &Subflow| one.is_writable() && one.tcp.room() > 0;
        let Some(at) = self.subflows.iter().position(room) else {
            return;
        };
        let conditions = self.conditions(at);
        if let Step::Probe { from } = next_step(&self.send, &conditions) {
            self.send.on_pushed(1);
            self.map(at, from, 1);
        }
    }
}
