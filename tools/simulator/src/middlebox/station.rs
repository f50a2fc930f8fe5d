// SPDX-License-Identifier: GPL-2.0

//! A middlebox on a route, for all flows that pass: most kinds treat each flow by itself.

use super::{nat::Nat, BoxKind, Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::segment::{Place, Segment, Time};

/// The two places of a flow, the client's first, as they are seen here.
type Flow = (Place, Place);

/// A middlebox on a route.
pub struct Station {
    kind: BoxKind,
    route: usize,
    seed: u64,
    flows: Vec<(Flow, Box<dyn Middlebox>)>,
}

impl Station {
    /// A middlebox on the route of this number; `seed` decides its chances.
    pub fn new(kind: BoxKind, route: usize, seed: u64) -> Self {
        Self {
            kind,
            route,
            seed,
            flows: Vec::new(),
        }
    }

    /// A segment comes in on `way`; what leaves is added to `out`.
    pub fn pass(&mut self, way: Way, segment: Segment, now: Time, out: &mut Passed) {
        let flow = match (self.kind, way) {
            // It has one address for all.
            (BoxKind::Nat, _) => Flow::default(),
            (_, Way::ToServer) => (segment.from, segment.to),
            (_, Way::ToClient) => (segment.to, segment.from),
        };
        let known = self.flows.iter().position(|(one, _)| *one == flow);
        let at = known.unwrap_or_else(|| {
            let chance = Chance::new(self.seed, self.flows.len() as u64);
            let treatment: Box<dyn Middlebox> = match self.kind {
                BoxKind::Nat => Box::new(Nat::new(self.route, chance)),
                kind => kind.build(chance),
            };
            self.flows.push((flow, treatment));
            self.flows.len() - 1
        });
        self.flows[at].1.pass(way, segment, now, out);
    }

    /// When it wants to do something by itself.
    pub fn deadline(&self) -> Option<Time> {
        self.flows
            .iter()
            .filter_map(|(_, one)| one.deadline())
            .min()
    }

    /// Time passed.
    pub fn on_timer(&mut self, now: Time, out: &mut Passed) {
        for (_, treatment) in &mut self.flows {
            if treatment.deadline().is_some_and(|at| at <= now) {
                treatment.on_timer(now, out);
            }
        }
    }
}
