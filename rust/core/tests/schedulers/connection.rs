// SPDX-License-Identifier: GPL-2.0

//! A small closed loop: a sender with a scheduler, subflows over links, a receiver with a window.
//! Time is in microseconds; data is numbered in segments of [`MSS`] bytes.

use super::subflow::{Link, Subflow};
use super::MSS;
use mptcp_core::scheduler::{
    penalised, AnyScheduler, Decision, Kind, Path, PathId, PathSet, PathsView, Scheduler, Segment,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

/// How often timers are looked at.
const TICK: u64 = 1000;

/// Timeouts in succession that make a path stale.
const STALE_AFTER: u8 = 4;

enum Event {
    Arrival {
        from: usize,
        dsn: u64,
        sent: u64,
    },
    Ack {
        to: usize,
        dsn: u64,
        sent: u64,
        data_ack: u64,
    },
    Tick,
}

pub(crate) struct Connection {
    scheduler: AnyScheduler,
    /// The peer's window in segments.
    window: u64,
    subflows: Vec<Subflow>,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    pending: BTreeMap<u64, Event>,
    next_event: u64,
    una: u64,
    nxt: u64,
    /// By data sequence number that is not acknowledged: who carried it.
    carriers: BTreeMap<u64, PathSet>,
    reinject: BTreeSet<u64>,
    unblocking: Option<PathId>,
    received: BTreeSet<u64>,
    data_ack: u64,
    /// When something new arrived in order, and how many segments by then.
    pub(crate) progress: Vec<(u64, u64)>,
    /// By path: when each segment was given to it.
    pub(crate) carried: Vec<Vec<u64>>,
    pub(crate) penalties: u32,
}

impl Connection {
    /// Runs a bulk transfer over `links` for `duration`, with a window of `window` bytes.
    pub(crate) fn run(kind: Kind, links: &[Link], window: u32, duration: u64) -> Self {
        let mut connection = Self {
            scheduler: AnyScheduler::new(kind),
            window: u64::from(window / MSS),
            subflows: (0u8..)
                .zip(links)
                .map(|(n, link)| Subflow::new(n, link))
                .collect(),
            now: 0,
            events: BinaryHeap::new(),
            pending: BTreeMap::new(),
            next_event: 0,
            una: 0,
            nxt: 0,
            carriers: BTreeMap::new(),
            reinject: BTreeSet::new(),
            unblocking: None,
            received: BTreeSet::new(),
            data_ack: 0,
            progress: vec![(0, 0)],
            carried: vec![Vec::new(); links.len()],
            penalties: 0,
        };
        connection.post(0, Event::Tick);
        while let Some(Reverse((time, number))) = connection.events.pop() {
            if time > duration {
                break;
            }
            connection.now = time;
            let event = connection.pending.remove(&number).unwrap();
            connection.handle(event);
            connection.send();
        }
        connection
    }

    /// Segments delivered in order in `period`.
    pub(crate) fn delivered(&self, period: Range<u64>) -> u64 {
        let by = |time| self.progress[self.progress.partition_point(|(t, _)| *t <= time) - 1].1;
        by(period.end) - by(period.start)
    }

    /// Kilobits per second, delivered in order in `period`.
    pub(crate) fn goodput(&self, period: Range<u64>) -> u64 {
        let length = (period.end - period.start) / 1000;
        self.delivered(period) * u64::from(MSS) * 8 / length
    }

    /// The longest time without delivery in `period`.
    pub(crate) fn longest_gap(&self, period: Range<u64>) -> u64 {
        let times = self.progress.iter().map(|(time, _)| *time);
        let times: Vec<u64> = times.filter(|time| period.contains(time)).collect();
        times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap()
    }

    /// Segments given to path `path` in `period`.
    pub(crate) fn carried(&self, path: usize, period: Range<u64>) -> usize {
        let within = self.carried[path]
            .iter()
            .filter(|time| period.contains(*time));
        within.count()
    }

    fn post(&mut self, after: u64, event: Event) {
        self.events
            .push(Reverse((self.now + after, self.next_event)));
        self.pending.insert(self.next_event, event);
        self.next_event += 1;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrival { from, dsn, sent } => self.receive(from, dsn, sent),
            Event::Ack {
                to,
                dsn,
                sent,
                data_ack,
            } => self.acknowledge(to, dsn, sent, data_ack),
            Event::Tick => {
                (0..self.subflows.len()).for_each(|index| self.tick(index));
                self.post(TICK, Event::Tick);
            }
        }
    }

    fn receive(&mut self, from: usize, dsn: u64, sent: u64) {
        self.received.insert(dsn);
        let before = self.data_ack;
        while self.received.remove(&self.data_ack) {
            self.data_ack += 1;
        }
        if self.data_ack != before {
            self.progress.push((self.now, self.data_ack));
        }
        let (delay, data_ack) = (self.subflows[from].link.rtt / 2, self.data_ack);
        self.post(
            delay,
            Event::Ack {
                to: from,
                dsn,
                sent,
                data_ack,
            },
        );
    }

    fn acknowledge(&mut self, to: usize, dsn: u64, sent: u64, data_ack: u64) {
        if data_ack > self.una {
            self.una = data_ack;
            self.unblocking = self
                .unblocking
                .filter(|_| self.nxt == data_ack + self.window);
            self.carriers = self.carriers.split_off(&data_ack);
            self.reinject = self.reinject.split_off(&data_ack);
        }
        let now = self.now;
        let subflow = &mut self.subflows[to];
        subflow.in_flight.remove(&dsn);
        subflow.measure(now - sent);
        subflow.grow();
        subflow.path.last_progress_us = now;
        subflow.backoff = 0;
        subflow.next_rto = now + u64::from(subflow.path.rto_us());
        subflow.health.on_progress();
        self.resend_lost(to);
    }

    /// After an acknowledgement TCP sends again what was lost before it.
    fn resend_lost(&mut self, index: usize) {
        for _ in 0..self.subflows[index].lost.len() {
            let subflow = &mut self.subflows[index];
            if subflow.in_flight.len() >= subflow.path.cwnd as usize {
                return;
            }
            if let Some(dsn) = subflow.lost.pop_front() {
                self.transmit(index, dsn);
            }
        }
    }

    fn tick(&mut self, index: usize) {
        let now = self.now;
        let subflow = &mut self.subflows[index];
        let rto = subflow.path.rto_us();
        let busy = !subflow.in_flight.is_empty() || !subflow.lost.is_empty();
        let timeout = busy && now >= subflow.next_rto;
        if timeout {
            subflow.backoff += 1;
            subflow.next_rto = now + (u64::from(rto) << subflow.backoff);
            subflow.ssthresh = (subflow.path.cwnd / 2).max(2);
            subflow.path.cwnd = 1;
            subflow.health.on_timeout(STALE_AFTER, now, rto);
            let given: Vec<u64> = subflow.lost.iter().copied().collect();
            self.reinject
                .extend(given.iter().filter(|dsn| **dsn >= self.una));
        }
        let probe = self.subflows[index].health.probe(now, rto);
        if timeout || probe {
            if let Some(dsn) = self.subflows[index].lost.pop_front() {
                self.transmit(index, dsn);
            }
        }
    }

    /// Gives data to subflows as long as the scheduler says so.
    fn send(&mut self) {
        loop {
            let standings = self.subflows.iter().map(|subflow| subflow.seen());
            let paths: Vec<Path> = standings.collect();
            let window = u32::try_from(self.window).unwrap() * MSS;
            let view = PathsView::new(&paths, self.now, window);
            let again = self.reinject.first().copied();
            let segment = match again {
                Some(dsn) => self.old_segment(dsn),
                None => self.new_segment(),
            };
            let dsn = again.unwrap_or(self.nxt);
            match self.scheduler.pick(&view, &segment) {
                Decision::Send { path, len } => self.give(PathSet::only(path), dsn, len),
                Decision::SendOnAll { paths, len } => self.give(paths, dsn, len),
                Decision::Unblock {
                    retransmit,
                    penalise,
                } => {
                    penalise.iter().for_each(|path| self.penalise(path));
                    if let Some(path) = retransmit {
                        self.unblock(path);
                    }
                }
                // All that could carry it have done so, and will deliver it.
                Decision::Wait
                    if view
                        .eligible()
                        .all(|path| segment.sent_on.contains(path.id)) =>
                {
                    self.reinject.remove(&dsn);
                }
                Decision::Wait => return,
            }
        }
    }

    fn new_segment(&self) -> Segment {
        let left = u32::try_from(self.una + self.window - self.nxt).unwrap();
        Segment {
            len: 64 * MSS,
            unsent: u64::from(left * MSS) * 2,
            window_left: left * MSS,
            again: false,
            last: false,
            sent_on: PathSet::EMPTY,
            blocking: self.blocking(),
        }
    }

    fn old_segment(&self, dsn: u64) -> Segment {
        Segment {
            len: MSS,
            sent_on: self.carriers[&dsn],
            ..self.new_segment()
        }
    }

    fn give(&mut self, paths: PathSet, dsn: u64, len: u32) {
        assert!(len % MSS == 0 && len > 0, "{len}");
        for dsn in dsn..dsn + u64::from(len / MSS) {
            for path in paths.iter() {
                let index = usize::from(path.number());
                let carriers = self.carriers.entry(dsn).or_default();
                assert!(!carriers.contains(path), "twice on the same path");
                *carriers = carriers.with(path);
                self.carried[index].push(self.now);
                self.transmit(index, dsn);
                let subflow = &self.subflows[index];
                assert!(
                    subflow.in_flight.len() <= subflow.path.cwnd as usize,
                    "no room"
                );
            }
            self.reinject.remove(&dsn);
            self.nxt = self.nxt.max(dsn + 1);
        }
        assert!(self.nxt <= self.una + self.window, "outside the window");
    }

    fn transmit(&mut self, index: usize, dsn: u64) {
        let now = self.now;
        let subflow = &mut self.subflows[index];
        if subflow.in_flight.is_empty() && subflow.lost.is_empty() {
            subflow.path.last_progress_us = now;
            subflow.next_rto = now + u64::from(subflow.path.rto_us());
        }
        if subflow.link.down.contains(&now) {
            subflow.lost.push_back(dsn);
            return;
        }
        subflow.in_flight.insert(dsn);
        subflow.busy_until = subflow.busy_until.max(now) + u64::from(MSS) * 8 / subflow.link.rate;
        let after = subflow.busy_until + subflow.link.rtt / 2 - now;
        self.post(
            after,
            Event::Arrival {
                from: index,
                dsn,
                sent: now,
            },
        );
    }

    /// Sends again on `path` the oldest data that it has not carried.
    fn unblock(&mut self, path: PathId) {
        self.unblocking = Some(path);
        let held = self.carriers.iter();
        let mut held = held.filter(|(_, carriers)| !carriers.contains(path));
        let dsn = *held.next().unwrap().0;
        self.give(PathSet::only(path), dsn, MSS);
    }

    /// Who carried the data that keeps the window closed.
    fn blocking(&self) -> PathSet {
        let carried =
            |carriers: &PathSet| self.unblocking.is_some_and(|path| carriers.contains(path));
        let held = self.carriers.values().find(|carriers| !carried(carriers));
        held.copied().unwrap_or_default()
    }

    fn penalise(&mut self, path: PathId) {
        let subflow = &mut self.subflows[usize::from(path.number())];
        (subflow.path.cwnd, subflow.ssthresh) = penalised(subflow.path.cwnd, subflow.ssthresh);
        self.penalties += 1;
    }
}
