// SPDX-License-Identifier: GPL-2.0

//! The clock: takes what happens next, lets it happen, looks whether all still holds.

use crate::app::App;
use crate::chance::Chance;
use crate::endpoint::{Endpoint, Mode};
use crate::link::Link;
use crate::middlebox::{Middlebox, Passed, Way};
use crate::scenario::Scenario;
use crate::segment::{Segment, Time, SECOND};
use crate::witness::Witness;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Every scenario is over by then.
const HORIZON: Time = 3600 * SECOND;
/// Every scenario is over after so many events.
const EVENTS: u64 = 3_000_000;
const CLIENT_PORT: u16 = 1000;
const SERVER_PORT: u16 = 80;

/// Something that must not happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// When.
    pub at: Time,
    /// What.
    pub what: String,
}

/// What a run was like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How long it took, in simulated microseconds.
    pub time: Time,
    /// Bytes read, to the server and to the client.
    pub read: [u64; 2],
    /// Both ends spoke MPTCP to the end.
    pub mptcp: bool,
    /// An end saw the connection broken.
    pub broken: bool,
}

/// A segment under way.
struct Arrival {
    at: Time,
    order: u64,
    way: Way,
    segment: Segment,
}

/// A world.
pub struct World<'a> {
    scenario: &'a Scenario,
    now: Time,
    /// The server, then the client: where the ways lead.
    ends: [Endpoint; 2],
    apps: [App; 2],
    links: [Link; 2],
    boxes: Vec<Box<dyn Middlebox>>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    order: u64,
    witnesses: [Witness; 2],
    log: Option<&'a mut dyn FnMut(String)>,
}

/// Runs a scenario to its end.
///
/// # Errors
/// What did not hold.
pub fn run(scenario: &Scenario) -> Result<Report, Failure> {
    World::new(scenario, None).run()
}

/// Runs a scenario and tells what happens.
///
/// # Errors
/// What did not hold.
pub fn run_logged(scenario: &Scenario, log: &mut dyn FnMut(String)) -> Result<Report, Failure> {
    World::new(scenario, Some(log)).run()
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, log: Option<&'a mut dyn FnMut(String)>) -> Self {
        let seed = scenario.seed;
        let server = Endpoint::server(scenario.server.clone());
        let ports = (CLIENT_PORT, SERVER_PORT);
        let client = Endpoint::client(scenario.client.clone(), ports, 0);
        let app = |way: Way| App::new(scenario.sender(way).app.clone(), Witness::stream(way));
        let link = |way: Way| {
            let index = way.index();
            let chance = Chance::new(seed, 10 + index as u64);
            Link::new(scenario.links[index].clone(), chance)
        };
        let boxes = scenario.boxes.iter().zip(20..);
        Self {
            scenario,
            now: 0,
            ends: [server, client],
            apps: [app(Way::ToClient), app(Way::ToServer)],
            links: Way::BOTH.map(link),
            boxes: boxes
                .map(|(kind, purpose)| kind.build(Chance::new(seed, purpose)))
                .collect(),
            arrivals: BinaryHeap::new(),
            order: 0,
            witnesses: Way::BOTH.map(|way| Witness::new(scenario, way)),
            log,
        }
    }

    fn run(mut self) -> Result<Report, Failure> {
        let mut events = 0;
        let result = self.settle(Way::ToClient).and_then(|()| loop {
            let Some(next) = self.next().filter(|next| *next <= HORIZON) else {
                break self.judge();
            };
            events += 1;
            if events > EVENTS {
                break Err("it does not come to rest".into());
            }
            self.now = self.now.max(next);
            if let Err(what) = self.step() {
                break Err(what);
            }
        });
        result.map_err(|what| Failure { at: self.now, what })?;
        Ok(Report {
            time: self.now,
            read: [self.witnesses[0].read, self.witnesses[1].read],
            mptcp: self.ends.iter().all(|end| end.mode() == Mode::Mptcp),
            broken: self.ends.iter().any(Endpoint::broken),
        })
    }

    /// When something happens next.
    fn next(&self) -> Option<Time> {
        let arrival = self.arrivals.peek().map(|first| first.0.at);
        let ends = self.ends.iter().filter_map(Endpoint::deadline);
        let boxes = self.boxes.iter().filter_map(|one| one.deadline());
        let apps = self.apps.iter().zip(&self.ends);
        let apps = apps.filter_map(|(app, end)| app.deadline(end, self.now));
        arrival
            .into_iter()
            .chain(ends)
            .chain(boxes)
            .chain(apps)
            .min()
    }

    /// Lets one thing happen that is due.
    fn step(&mut self) -> Result<(), String> {
        let now = self.now;
        if self.arrivals.peek().is_some_and(|first| first.0.at <= now) {
            if let Some(Reverse(arrival)) = self.arrivals.pop() {
                return self.arrive(arrival.way, arrival.segment);
            }
        }
        for way in Way::BOTH {
            let index = way.index();
            if self.ends[index].deadline().is_some_and(|at| at <= now) {
                self.tell(|| format!("timer at the end {way:?}"));
                self.ends[index].on_timer(now);
                return self.settle(way);
            }
            let due = self.apps[index].deadline(&self.ends[index], now);
            if due.is_some_and(|at| at <= now) {
                let read = self.apps[index].act(&mut self.ends[index], now);
                self.witnesses[index].on_read(&read, &self.ends[index])?;
                return self.settle(way);
            }
        }
        for index in 0..self.boxes.len() {
            if self.boxes[index].deadline().is_some_and(|at| at <= now) {
                let mut out = Passed::new();
                self.boxes[index].on_timer(now, &mut out);
                for (way, segment) in out {
                    self.pass(way, segment, Some(index))?;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// A segment comes out of a link: the client's is next to the client.
    fn arrive(&mut self, way: Way, segment: Segment) -> Result<(), String> {
        match way {
            Way::ToServer => self.pass(way, segment, None),
            Way::ToClient => self.deliver(way, segment),
        }
    }

    /// A segment passes the middleboxes behind the one it comes from.
    fn pass(&mut self, way: Way, segment: Segment, from: Option<usize>) -> Result<(), String> {
        let count = self.boxes.len();
        let next = match (way, from) {
            (Way::ToServer, None) => 0,
            (Way::ToServer, Some(index)) => index + 1,
            (Way::ToClient, None) => count.wrapping_sub(1),
            (Way::ToClient, Some(index)) => index.wrapping_sub(1),
        };
        let now = self.now;
        let Some(next_box) = self.boxes.get_mut(next) else {
            match way {
                Way::ToServer => self.deliver(way, segment)?,
                Way::ToClient => self.transmit(way, segment),
            }
            return Ok(());
        };
        let mut out = Passed::new();
        next_box.pass(way, segment, now, &mut out);
        for (way, segment) in out {
            self.pass(way, segment, Some(next))?;
        }
        Ok(())
    }

    /// A segment goes into the link.
    fn transmit(&mut self, way: Way, segment: Segment) {
        let arrivals = self.links[way.index()].send(&segment, self.now);
        if arrivals == [None; 2] {
            self.tell(|| format!("{way:?} lost"));
        }
        for at in arrivals.into_iter().flatten() {
            self.order += 1;
            self.arrivals.push(Reverse(Arrival {
                at,
                order: self.order,
                way,
                segment: segment.clone(),
            }));
        }
    }

    fn deliver(&mut self, way: Way, segment: Segment) -> Result<(), String> {
        self.tell(|| format!("{way:?} arrived {segment:?}"));
        self.ends[way.index()].on_segment(&segment, self.now);
        self.settle(way)
    }

    /// Sends what the end at which `way` ends has to send, and looks at both ends.
    fn settle(&mut self, way: Way) -> Result<(), String> {
        let end = way.index();
        for segment in self.ends[end].take_out() {
            self.tell(|| format!("{:?} sent {segment:?}", way.back()));
            self.witnesses[way.back().index()].on_sent(&segment, &self.ends[end])?;
            self.witnesses[end].on_answered(&segment, &self.ends[end])?;
            match way {
                Way::ToClient => self.transmit(way.back(), segment),
                Way::ToServer => self.pass(way.back(), segment, None)?,
            }
        }
        for way in Way::BOTH {
            let [sender, receiver] = [way.back().index(), way.index()];
            self.witnesses[way.index()].look(&self.ends[sender], &self.ends[receiver])?;
        }
        Ok(())
    }

    /// Looks whether the end is one that should be.
    fn judge(&self) -> Result<(), String> {
        let may_break = self.scenario.may_break();
        if !may_break && self.ends.iter().any(Endpoint::broken) {
            return Err("the connection broke without need".into());
        }
        for way in Way::BOTH {
            let index = way.index();
            let (end, app) = (&self.ends[index], &self.apps[index]);
            let unborn = end.mode() == Mode::Connecting;
            if unborn && !may_break {
                return Err(format!("the end {way:?} never had a connection"));
            }
            let over = unborn || (end.gone() && app.closed());
            if !over {
                return Err(format!("the end {way:?} lives on"));
            }
            if !may_break && !app.saw_end() {
                return Err(format!("{way:?}: the end of the stream was not told"));
            }
            if app.saw_end() {
                self.witnesses[index].judge(&self.apps[way.back().index()])?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(log) = self.log.as_mut() {
            let (seconds, rest) = (now / SECOND, now % SECOND);
            log(format!("{seconds:>5}.{rest:06} {}", what()));
        }
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Arrival {}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
