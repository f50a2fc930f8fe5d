// SPDX-License-Identifier: GPL-2.0

//! A small closed loop: connections of one or more subflows that always have data, and links with a
//! rate and a queue that they share. Time is in microseconds, data are segments.

use super::MSS;
use mptcp_core::congestion::{Ack, Algorithm, Control, Member, Members, Window};
use mptcp_core::seq::Ssn;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

/// A link with a queue that drops early and at random (as RED does), so that no connection is hit
/// by the rhythm of another.
pub(crate) struct Link {
    /// Megabits per second.
    rate: u64,
    /// The round-trip time without queue.
    rtt: u64,
    /// How many segments the queue holds at most.
    limit: u64,
    busy_until: u64,
    /// Sums over the segments that arrived, for their mean delay.
    arrivals: u64,
    delays: u64,
}

impl Link {
    /// With a queue of one bandwidth-delay product.
    pub(crate) fn new(rate: u64, rtt_ms: u64) -> Self {
        let rtt = rtt_ms * 1000;
        Self {
            rate,
            rtt,
            limit: rate * rtt / 8 / u64::from(MSS),
            busy_until: 0,
            arrivals: 0,
            delays: 0,
        }
    }

    /// How long a segment takes through the link.
    fn serialization(&self) -> u64 {
        u64::from(MSS) * 8 / self.rate
    }

    /// When a segment that comes `now` is acknowledged; `None` if it is dropped.
    fn pass(&mut self, now: u64, random: u64) -> Option<u64> {
        let waiting = self.busy_until.saturating_sub(now);
        let queued = waiting / self.serialization();
        // None below half a queue, then up to a tenth.
        let excess = (2 * queued).saturating_sub(self.limit);
        if queued >= self.limit || random % (10 * self.limit) < excess {
            return None;
        }
        self.arrivals += 1;
        self.delays += waiting;
        self.busy_until = self.busy_until.max(now) + self.serialization();
        Some(self.busy_until + self.rtt)
    }
}

/// One subflow, with TCP's recovery from loss, simplified: a loss is known one round trip later.
struct Subflow {
    connection: usize,
    link: usize,
    control: Control,
    window: Window,
    srtt: u32,
    in_flight: u32,
    /// The next segment, the oldest that is not acknowledged, and the end of recovery.
    nxt: u32,
    una: u32,
    recovery: Option<u32>,
    /// When segments were delivered.
    deliveries: Vec<u64>,
}

struct Arrival {
    subflow: usize,
    number: u32,
    sent: u64,
    lost: bool,
}

pub(crate) struct Network {
    pub(crate) links: Vec<Link>,
    subflows: Vec<Subflow>,
    connections: usize,
    now: u64,
    arrivals: BTreeMap<(u64, u64), Arrival>,
    order: BinaryHeap<Reverse<(u64, u64)>>,
    counter: u64,
    random: u64,
}

impl Network {
    pub(crate) fn new(links: Vec<Link>) -> Self {
        Self {
            links,
            subflows: Vec::new(),
            connections: 0,
            now: 0,
            arrivals: BTreeMap::new(),
            order: BinaryHeap::new(),
            counter: 0,
            random: 1,
        }
    }

    /// Adds a connection with a subflow over each of `links`; returns its number. One with a single
    /// subflow under LIA is a TCP.
    pub(crate) fn connect(&mut self, algorithm: Algorithm, links: &[usize]) -> usize {
        let connection = self.connections;
        self.connections += 1;
        for link in links {
            self.subflows.push(Subflow {
                connection,
                link: *link,
                control: Control::new(algorithm),
                window: Window {
                    cwnd: 10,
                    ssthresh: u32::MAX,
                },
                srtt: u32::try_from(self.links[*link].rtt).unwrap(),
                in_flight: 0,
                nxt: 0,
                una: 0,
                recovery: None,
                deliveries: Vec::new(),
            });
        }
        connection
    }

    pub(crate) fn run(&mut self, until: u64) {
        (0..self.subflows.len()).for_each(|index| self.send(index));
        while let Some(Reverse(key)) = self.order.pop() {
            let arrival = self.arrivals.remove(&key).unwrap();
            self.now = key.0;
            if self.now > until {
                break;
            }
            let index = arrival.subflow;
            self.arrive(arrival);
            self.send(index);
        }
    }

    /// Kilobits per second that `connection` delivered over `link` in `period`.
    pub(crate) fn goodput(&self, connection: usize, link: usize, period: Range<u64>) -> u64 {
        let of_it = |flow: &&Subflow| flow.connection == connection && flow.link == link;
        let subflows = self.subflows.iter().filter(of_it);
        let deliveries = subflows.flat_map(|flow| &flow.deliveries);
        let count = deliveries.filter(|time| period.contains(time)).count();
        count as u64 * u64::from(MSS) * 8 * 1000 / (period.end - period.start)
    }

    /// The mean delay in the queue of `link`.
    pub(crate) fn mean_delay(&self, link: usize) -> u64 {
        self.links[link].delays / self.links[link].arrivals
    }

    fn send(&mut self, index: usize) {
        while self.subflows[index].in_flight < self.subflows[index].window.cwnd {
            let subflow = &mut self.subflows[index];
            subflow.in_flight += 1;
            let number = subflow.nxt;
            subflow.nxt += 1;
            let random = self.next_random();
            let link = &mut self.links[self.subflows[index].link];
            let passed = link.pass(self.now, random);
            // The acknowledgement of what came behind a lost segment tells of the loss.
            let noticed = link.busy_until.max(self.now) + link.serialization() + link.rtt;
            self.counter += 1;
            let key = (passed.unwrap_or(noticed), self.counter);
            self.order.push(Reverse(key));
            let arrival = Arrival {
                subflow: index,
                number,
                sent: self.now,
                lost: passed.is_none(),
            };
            self.arrivals.insert(key, arrival);
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let members = self.members(arrival.subflow);
        let now = self.now;
        let subflow = &mut self.subflows[arrival.subflow];
        subflow.in_flight -= 1;
        subflow.una = subflow.una.max(arrival.number + 1);
        if subflow.recovery.is_some_and(|end| subflow.una > end) {
            subflow.recovery = None;
            subflow.control.on_recovered();
        }
        let own = subflow.member();
        let members = Members::new(&members, own);
        if arrival.lost {
            subflow.lose(&members);
            return;
        }
        subflow.deliveries.push(now);
        let rtt = u32::try_from(now - arrival.sent).unwrap();
        subflow.srtt = (7 * subflow.srtt + rtt) / 8;
        subflow.control.on_rtt(rtt);
        let ack = Ack {
            segments: 1,
            una: Ssn::new(subflow.una.wrapping_mul(MSS)),
            nxt: Ssn::new(subflow.nxt.wrapping_mul(MSS)),
            cwnd_limited: true,
        };
        if subflow.recovery.is_none() {
            subflow.window = subflow.control.on_ack(subflow.window, &ack, &members);
        }
    }

    fn members(&self, of: usize) -> Vec<Member> {
        let connection = self.subflows[of].connection;
        let siblings = self
            .subflows
            .iter()
            .filter(|flow| flow.connection == connection);
        siblings.map(Subflow::member).collect()
    }

    /// An xorshift generator.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 8
    }
}

impl Subflow {
    fn member(&self) -> Member {
        self.control.member(self.window.cwnd, self.srtt)
    }

    /// Halves the window, or what the algorithm has in its place, once for all losses of a window.
    fn lose(&mut self, members: &Members<'_>) {
        if self.recovery.is_none() {
            self.window.ssthresh = self.control.ssthresh(self.window, members);
            self.window.cwnd = self.window.ssthresh;
            self.control.on_loss();
            self.recovery = Some(self.nxt);
        }
    }
}
