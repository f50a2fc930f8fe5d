// SPDX-License-Identifier: GPL-2.0

//! A translator of ports.

use super::{Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::segment::{Segment, Time};

pub(super) struct Nat {
    inside: Option<u16>,
    outside: u16,
}

impl Nat {
    pub(super) fn new(chance: &mut Chance) -> Self {
        Self {
            inside: None,
            outside: chance.between(1024, 65535) as u16,
        }
    }
}

impl Middlebox for Nat {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        match way {
            Way::ToServer => {
                self.inside = Some(segment.from);
                segment.from = self.outside;
            }
            Way::ToClient => {
                let Some(inside) = self.inside.filter(|_| segment.to == self.outside) else {
                    return;
                };
                segment.to = inside;
            }
        }
        out.push((way, segment));
    }
}
