// SPDX-License-Identifier: GPL-2.0

//! A remover of options it does not know.

use super::{Middlebox, Passed, Way};
use crate::chance::Chance;
use crate::segment::{Options, Segment, Time};

/// Which segments lose their options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The SYN.
    Syn,
    /// The SYN/ACK.
    SynAck,
    /// The first segment that is neither.
    ThirdAck,
    /// Segments with data.
    Data,
    /// Segments without data.
    Acks,
    /// All that come after so many.
    After(u32),
    /// All after the handshake.
    Later,
    /// Any, per mille.
    Sometimes(u16),
}

impl Stage {
    pub(super) fn random(chance: &mut Chance) -> Self {
        match chance.between(0, 11) {
            0 => Self::Syn,
            1 => Self::SynAck,
            2 | 3 => Self::ThirdAck,
            4 | 5 => Self::Data,
            6 => Self::Acks,
            7 | 8 => Self::After(chance.spread(1, 60) as u32),
            9 => Self::Later,
            _ => Self::Sometimes(chance.spread(1, 1000) as u16),
        }
    }
}

pub(super) struct Strip {
    way: Option<Way>,
    stage: Stage,
    chance: Chance,
    seen: u32,
    /// The segment that is the third ACK, by its numbers: it may come again.
    third: Option<(u32, u32)>,
}

impl Strip {
    pub(super) fn new(way: Option<Way>, stage: Stage, chance: Chance) -> Self {
        Self {
            way,
            stage,
            chance,
            seen: 0,
            third: None,
        }
    }

    fn takes(&mut self, segment: &Segment) -> bool {
        let syn = segment.flags.syn;
        let ack = segment.flags.ack;
        self.seen += 1;
        match self.stage {
            Stage::Syn => syn && !ack,
            Stage::SynAck => syn && ack,
            Stage::ThirdAck if syn => false,
            Stage::ThirdAck => {
                let numbers = (segment.seq, segment.payload_len());
                *self.third.get_or_insert(numbers) == numbers
            }
            Stage::Data => !syn && segment.payload_len() > 0,
            Stage::Acks => !syn && segment.payload_len() == 0,
            Stage::After(count) => self.seen > count,
            Stage::Later => !syn,
            Stage::Sometimes(often) => self.chance.per_mille(often),
        }
    }
}

impl Middlebox for Strip {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        if self.way.is_none_or(|mine| mine == way) && self.takes(&segment) {
            segment.options = Options::default();
        }
        out.push((way, segment));
    }
}
