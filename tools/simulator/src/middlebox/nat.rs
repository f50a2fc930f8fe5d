// SPDX-License-Identifier: GPL-2.0

//! A translator of addresses and ports.

use super::{Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::scenario::translated_address;
use crate::segment::{Place, Segment, Time};

pub(super) struct Nat {
    route: usize,
    chance: Chance,
    /// Places behind it, and the ports that stand for them.
    known: Vec<(Place, u16)>,
}

impl Nat {
    pub(super) fn new(route: usize, chance: Chance) -> Self {
        Self {
            route,
            chance,
            known: Vec::new(),
        }
    }

    fn outside(&mut self, inside: Place) -> Place {
        let known = self.known.iter().find(|(place, _)| *place == inside);
        let port = match known {
            Some((_, port)) => *port,
            None => self.open(inside),
        };
        Place {
            address: translated_address(self.route, &inside.address),
            port,
        }
    }

    fn open(&mut self, inside: Place) -> u16 {
        loop {
            let port = self.chance.between(1024, 65535) as u16;
            if self.known.iter().all(|(_, taken)| *taken != port) {
                self.known.push((inside, port));
                return port;
            }
        }
    }
}

impl Middlebox for Nat {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        match way {
            Way::ToServer => segment.from = self.outside(segment.from),
            Way::ToClient => {
                let address = translated_address(self.route, &segment.to.address);
                let here = segment.to.address == address;
                let mut known = self.known.iter();
                match known.find(|(_, port)| here && *port == segment.to.port) {
                    Some((inside, _)) => segment.to = *inside,
                    None => return,
                }
            }
        }
        out.push((way, segment));
    }
}
