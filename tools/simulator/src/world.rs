// SPDX-License-Identifier: GPL-2.0

//! The clock: takes what happens next, lets it happen, looks whether all still holds.

mod arrival;

use crate::app::App;
use crate::chance::Chance;
use crate::endpoint::{Endpoint, Mode};
use crate::link::Link;
use crate::middlebox::{Passed, Station, Way};
use crate::scenario::{number_of, translated_address, Scenario};
use crate::segment::{Place, Segment, Time, SECOND};
use crate::witness::Witness;
use arrival::Arrival;
use mptcp_core::wire::Version;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Every scenario is over by then.
const HORIZON: Time = 3600 * SECOND;
/// So many events at most happen at the same time.
const EVENTS: u64 = 20_000;

/// Something that must not happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// When.
    pub at: Time,
    /// What.
    pub what: String,
}

impl Failure {
    /// What it says before its details.
    pub fn kind(&self) -> &str {
        let details = |letter: char| letter.is_ascii_digit() || letter == ':';
        self.what.split(details).next().unwrap_or_default()
    }
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
    /// What they spoke then.
    pub version: Option<Version>,
    /// An end saw the connection broken.
    pub broken: bool,
    /// Subflows that joined, as the end with more of them saw it.
    pub joined: u32,
    /// Subflows that ended before their connection, as the end with more of them saw it.
    pub lost: u32,
    /// Bytes of data that reached the server, those sent again counted too, by route.
    pub carried: [u64; 4],
}

/// A world.
pub struct World<'a> {
    scenario: &'a Scenario,
    now: Time,
    /// The server, then the client: where the ways lead.
    ends: [Endpoint; 2],
    apps: [App; 2],
    /// By route.
    links: Vec<[Link; 2]>,
    /// By route, from the client to the server.
    stations: Vec<Vec<Station>>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    order: u64,
    witnesses: [Witness; 2],
    /// Both ends could use a subflow over a good route.
    working: bool,
    /// How much happened at the hosts.
    moves: usize,
    /// Bytes of data that reached the server, by route.
    carried: [u64; 4],
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
        let places = (
            scenario.first_place(Way::ToClient),
            scenario.first_place(Way::ToServer),
        );
        let client = Endpoint::client(scenario.client.clone(), places, 0);
        let app = |way: Way| App::new(scenario.sender(way).app.clone(), Witness::stream(way));
        let link = |route: usize, way: Way| {
            let kind = scenario.routes[route].links[way.index()].clone();
            let purpose = 10 + 2 * route + way.index();
            Link::new(kind, Chance::new(seed, purpose as u64))
        };
        let stations = |route: usize| {
            let boxes = scenario.routes[route].boxes.iter().zip(0..);
            let purpose = 100 + 10 * route as u64;
            let seed = |index: u64| Chance::new(seed, purpose + index).number();
            boxes
                .map(|(kind, index)| Station::new(*kind, route, seed(index)))
                .collect()
        };
        let routes = 0..scenario.routes.len();
        Self {
            scenario,
            now: 0,
            ends: [server, client],
            apps: [app(Way::ToClient), app(Way::ToServer)],
            links: routes
                .clone()
                .map(|route| Way::BOTH.map(|way| link(route, way)))
                .collect(),
            stations: routes.map(stations).collect(),
            arrivals: BinaryHeap::new(),
            order: 0,
            witnesses: Way::BOTH.map(|way| Witness::new(scenario, way)),
            working: false,
            moves: 0,
            carried: [0; 4],
            log,
        }
    }

    fn run(mut self) -> Result<Report, Failure> {
        let mut events = 0;
        let result = self.settle(Way::ToClient).and_then(|()| loop {
            let Some(next) = self.next().filter(|next| *next <= HORIZON) else {
                break self.judge();
            };
            events = if next > self.now { 0 } else { events + 1 };
            if events > EVENTS {
                break Err("it does not come to rest".into());
            }
            self.now = self.now.max(next);
            if let Err(what) = self.step() {
                break Err(what);
            }
        });
        result.map_err(|what| Failure { at: self.now, what })?;
        let mptcp = self.ends.iter().all(|end| end.mode() == Mode::Mptcp);
        Ok(Report {
            time: self.now,
            version: mptcp.then(|| self.ends[0].version()),
            read: [self.witnesses[0].read, self.witnesses[1].read],
            mptcp,
            broken: self.ends.iter().any(Endpoint::broken),
            joined: self.ends.iter().map(Endpoint::joined).max().unwrap_or(0),
            lost: self.ends.iter().map(Endpoint::lost).max().unwrap_or(0),
            carried: self.carried,
        })
    }

    /// When something happens next.
    fn next(&self) -> Option<Time> {
        let arrival = self.arrivals.peek().map(|first| first.0.at);
        let ends = self.ends.iter().filter_map(Endpoint::deadline);
        let boxes = self.stations.iter().flatten();
        let boxes = boxes.filter_map(Station::deadline);
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
                return self.arrive(arrival.route, arrival.way, arrival.segment);
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
        for route in 0..self.stations.len() {
            for index in 0..self.stations[route].len() {
                let station = &mut self.stations[route][index];
                if station.deadline().is_some_and(|at| at <= now) {
                    let mut out = Passed::new();
                    station.on_timer(now, &mut out);
                    for (way, segment) in out {
                        self.pass(route, way, segment, Some(index))?;
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A segment comes out of a link: the client's is next to the client.
    fn arrive(&mut self, route: usize, way: Way, segment: Segment) -> Result<(), String> {
        match way {
            Way::ToServer => self.pass(route, way, segment, None),
            Way::ToClient => self.deliver(way, segment),
        }
    }

    /// A segment passes the middleboxes behind the one it comes from.
    fn pass(
        &mut self,
        route: usize,
        way: Way,
        segment: Segment,
        from: Option<usize>,
    ) -> Result<(), String> {
        let count = self.stations[route].len();
        let next = match (way, from) {
            (Way::ToServer, None) => 0,
            (Way::ToServer, Some(index)) => index + 1,
            (Way::ToClient, None) => count.wrapping_sub(1),
            (Way::ToClient, Some(index)) => index.wrapping_sub(1),
        };
        let now = self.now;
        let Some(station) = self.stations[route].get_mut(next) else {
            match way {
                Way::ToServer => {
                    self.carried[route] += u64::from(segment.payload_len());
                    self.deliver(way, segment)?;
                }
                Way::ToClient => self.transmit(route, way, segment),
            }
            return Ok(());
        };
        let mut out = Passed::new();
        station.pass(way, segment, now, &mut out);
        for (way, segment) in out {
            self.pass(route, way, segment, Some(next))?;
        }
        Ok(())
    }

    /// A segment goes into the link of a route.
    fn transmit(&mut self, route: usize, way: Way, segment: Segment) {
        let arrivals = self.links[route][way.index()].send(&segment, self.now);
        if arrivals == [None; 2] {
            self.tell(|| format!("{way:?} lost on route {route}"));
        }
        for at in arrivals.into_iter().flatten() {
            self.order += 1;
            self.arrivals.push(Reverse(Arrival {
                at,
                order: self.order,
                way,
                route,
                segment: segment.clone(),
            }));
        }
    }

    /// The route between a place of the client and one of the server.
    fn route(&self, client: Place, server: Place) -> usize {
        let routes = self.scenario.routes.len();
        let stands_for = |route| translated_address(route, &client.address);
        let translated = (0..routes).find(|route| stands_for(*route) == client.address);
        let of = |place: Place| usize::from(number_of(&place.address));
        translated.unwrap_or_else(|| (of(client) + of(server)) % routes)
    }

    /// Whether both ends can use a subflow over a good route.
    fn works(&self) -> bool {
        let [server, client] = &self.ends;
        let at_server = |route: usize| {
            let mut usable = server.usable_between();
            usable.any(|(local, remote)| self.route(remote, local) == route)
        };
        let mut usable = client.usable_between();
        usable.any(|(local, remote)| {
            let route = self.route(local, remote);
            self.scenario.routes[route].is_good() && at_server(route)
        })
    }

    fn deliver(&mut self, way: Way, segment: Segment) -> Result<(), String> {
        self.tell(|| format!("{way:?} arrived {segment:?}"));
        self.ends[way.index()].on_segment(&segment, self.now);
        self.settle(way)
    }

    /// Sends what the end at which `way` ends has to send, then looks at both ends.
    fn settle(&mut self, way: Way) -> Result<(), String> {
        let end = way.index();
        for segment in self.ends[end].take_out() {
            self.tell(|| format!("{:?} sent {segment:?}", way.back()));
            self.witnesses[way.back().index()].on_sent(&segment, &self.ends[end])?;
            self.witnesses[end].on_answered(&segment, &self.ends[end])?;
            match way {
                Way::ToClient => {
                    let route = self.route(segment.from, segment.to);
                    self.transmit(route, way.back(), segment);
                }
                Way::ToServer => {
                    let route = self.route(segment.to, segment.from);
                    self.pass(route, way.back(), segment, None)?;
                }
            }
        }
        self.look()
    }

    /// Looks at both ends.
    fn look(&mut self) -> Result<(), String> {
        for way in Way::BOTH {
            let [sender, receiver] = [way.back().index(), way.index()];
            self.witnesses[way.index()].look(&self.ends[sender], &self.ends[receiver])?;
        }
        if self.scenario.several() && !self.scenario.forced() {
            let broken = self.ends.iter().any(Endpoint::broken);
            let moves = self.ends.iter().map(Endpoint::happened).sum();
            let moved = std::mem::replace(&mut self.moves, moves) != moves;
            if self.working && broken && !moved {
                return Err("the connection broke though a path worked".into());
            }
            self.working = self.works();
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
