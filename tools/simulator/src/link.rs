// SPDX-License-Identifier: GPL-2.0

//! One direction of a link: rate, delay, jitter, loss, reordering, duplication, buffer, death.

use crate::chance::Chance;
use crate::segment::{Segment, Time};

/// What a link is like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkKind {
    /// Bytes per second.
    pub rate: u64,
    /// Propagation, in microseconds.
    pub delay: Time,
    /// At most so much more, in microseconds. Segments do not overtake each other by it.
    pub jitter: Time,
    /// Segments lost, per mille.
    pub loss: u16,
    /// Segments that later ones overtake, per mille.
    pub reorder: u16,
    /// Segments that arrive twice, per mille.
    pub duplicate: u16,
    /// Bytes that can wait for the line; the rest is lost.
    pub buffer: u64,
    /// Times between which the link is dead.
    pub dead: Option<(Time, Time)>,
}

impl LinkKind {
    /// A link that does no harm.
    pub const GOOD: Self = Self {
        rate: 1_250_000,
        delay: 5_000,
        jitter: 0,
        loss: 0,
        reorder: 0,
        duplicate: 0,
        buffer: 1 << 20,
        dead: None,
    };

    /// Any link.
    pub fn random(chance: &mut Chance) -> Self {
        let clean = chance.percent(35);
        let sometimes = |chance: &mut Chance, most: u64| match clean || chance.percent(50) {
            true => 0,
            false => chance.between(1, most) as u16,
        };
        let loss = sometimes(chance, 100);
        let reorder = sometimes(chance, 200);
        let duplicate = sometimes(chance, 100);
        let dead = chance.percent(8).then(|| {
            let from = chance.spread(1_000, 3_000_000);
            let forever = chance.percent(20);
            let to = match forever {
                true => Time::MAX,
                false => from + chance.spread(10_000, 15_000_000),
            };
            (from, to)
        });
        let rate = chance.spread(20_000, 20_000_000);
        Self {
            rate,
            delay: chance.spread(50, 200_000),
            jitter: match chance.percent(50) {
                true => 0,
                false => chance.spread(10, 50_000),
            },
            loss,
            reorder,
            duplicate,
            // Two seconds at most.
            buffer: chance.spread(6_000, 400_000).min(2 * rate),
            dead,
        }
    }

    /// Whether the link dies for ever.
    pub fn dies(&self) -> bool {
        self.dead.is_some_and(|(_, to)| to == Time::MAX)
    }
}

/// A link at work.
pub struct Link {
    kind: LinkKind,
    chance: Chance,
    line_free: Time,
    last_arrival: Time,
}

impl Link {
    /// A new link; `chance` decides what it loses.
    pub fn new(kind: LinkKind, chance: Chance) -> Self {
        Self {
            kind,
            chance,
            line_free: 0,
            last_arrival: 0,
        }
    }

    /// Sends a segment at `now`. Returns when it arrives: not at all, once, or twice.
    pub fn send(&mut self, segment: &Segment, now: Time) -> [Option<Time>; 2] {
        let kind = &self.kind;
        let waiting = self.line_free.saturating_sub(now) * kind.rate / 1_000_000;
        if waiting > kind.buffer {
            return [None; 2];
        }
        self.line_free = self.line_free.max(now) + segment.wire_len() * 1_000_000 / kind.rate;
        let lost = self.chance.per_mille(kind.loss);
        let dead = |at: Time| kind.dead.is_some_and(|(from, to)| (from..to).contains(&at));
        if lost || dead(self.line_free) {
            return [None; 2];
        }
        let jitter = match kind.jitter {
            0 => 0,
            most => self.chance.between(0, most),
        };
        let mut arrival = self.line_free + kind.delay + jitter;
        if self.chance.per_mille(kind.reorder) {
            arrival += self.chance.between(1, kind.delay + 10_000);
        } else {
            arrival = arrival.max(self.last_arrival);
            self.last_arrival = arrival;
        }
        let again = self.chance.per_mille(kind.duplicate);
        let again = again.then(|| arrival + self.chance.spread(1, 300_000));
        [Some(arrival), again]
    }
}
