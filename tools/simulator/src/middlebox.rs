// SPDX-License-Identifier: GPL-2.0

//! What stands between the two ends and changes what passes.

mod coalesce;
mod nat;
mod proxy;
mod renumber;
mod replay;
mod rewrite;
mod split;
mod station;
mod strip;
mod tamper;

pub use rewrite::INSERTED;
pub use station::Station;
pub use strip::Stage;

use crate::chance::Chance;
use crate::segment::{Segment, Time};

/// The two ways through the network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Way {
    /// Both ways, in the order of their indexes.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other way.
    pub fn back(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// 0 to the server, 1 to the client.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What leaves a middlebox.
pub type Passed = Vec<(Way, Segment)>;

/// A middlebox at work.
pub trait Middlebox {
    /// A segment comes in on `way`; what leaves is added to `out`.
    fn pass(&mut self, way: Way, segment: Segment, now: Time, out: &mut Passed);

    /// When it wants to do something by itself.
    fn deadline(&self) -> Option<Time> {
        None
    }

    /// Time passed.
    fn on_timer(&mut self, _now: Time, _out: &mut Passed) {}
}

/// A kind of middlebox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BoxKind {
    /// Gives the client another address and port.
    Nat,
    /// Takes MPTCP's options off segments, on one way or both.
    Strip {
        /// Which way; both if `None`.
        way: Option<Way>,
        /// Which segments.
        stage: Stage,
    },
    /// Cuts segments.
    Split {
        /// Bytes of data in the largest piece.
        most: u32,
        /// All pieces get the options, as from segmentation offload; else the first alone.
        copy_options: bool,
    },
    /// Joins segments that follow each other.
    Coalesce {
        /// How long it waits for the next one, in microseconds.
        wait: Time,
        /// The joined segment has the options of its last part, else of its first.
        last_options: bool,
    },
    /// Gives both ways other sequence numbers.
    Renumber,
    /// Replaces bytes of the stream by others and corrects the sequence numbers, as an
    /// application gateway.
    Rewrite {
        /// Which way.
        way: Way,
        /// Where in the stream.
        at: u32,
        /// Bytes taken out.
        remove: u32,
        /// Bytes put in, at least one.
        insert: u32,
    },
    /// Acknowledges the client's data before the server has it.
    Proxy,
    /// Sends old segments, or new ones with old options, again.
    Replay {
        /// How often, per mille.
        often: u16,
    },
    /// Changes the proof in a segment of the MP_JOIN handshake.
    Tamper {
        /// Which: 1 to 3.
        which: u8,
    },
}

impl BoxKind {
    /// Any middlebox.
    pub fn random(chance: &mut Chance) -> Self {
        match chance.between(0, 99) {
            0..=7 => Self::Nat,
            8..=52 => Self::Strip {
                way: chance.pick(&[None, Some(Way::ToServer), Some(Way::ToClient)]),
                stage: Stage::random(chance),
            },
            53..=60 => Self::Split {
                most: chance.spread(100, 1000) as u32,
                copy_options: chance.percent(70),
            },
            61..=68 => Self::Coalesce {
                wait: chance.spread(10, 5_000),
                last_options: chance.percent(50),
            },
            69..=75 => Self::Renumber,
            76..=87 => {
                let remove = chance.between(0, 40) as u32;
                Self::Rewrite {
                    way: chance.pick(&Way::BOTH),
                    at: chance.spread(1, 60_000) as u32,
                    remove,
                    insert: match chance.percent(30) {
                        true => remove.max(1),
                        false => chance.between(1, 40) as u32,
                    },
                }
            }
            88..=91 => Self::Proxy,
            92..=94 => Self::Tamper {
                which: chance.between(1, 3) as u8,
            },
            _ => Self::Replay {
                often: chance.spread(1, 100) as u16,
            },
        }
    }

    /// Whether it leaves all options where they are, except in the handshake of a join.
    pub fn spares_options(self) -> bool {
        matches!(
            self,
            Self::Nat | Self::Renumber | Self::Split { .. } | Self::Tamper { .. }
        )
    }

    /// A middlebox of this kind, but a translator, at work on one flow.
    fn build(self, mut chance: Chance) -> Box<dyn Middlebox> {
        match self {
            Self::Nat => unreachable!("a translator treats all flows together"),
            Self::Tamper { which } => Box::new(tamper::Tamper { which }),
            Self::Strip { way, stage } => Box::new(strip::Strip::new(way, stage, chance)),
            Self::Split { most, copy_options } => Box::new(split::Split { most, copy_options }),
            Self::Coalesce { wait, last_options } => {
                Box::new(coalesce::Coalesce::new(wait, last_options))
            }
            Self::Renumber => Box::new(renumber::Renumber::new(&mut chance)),
            Self::Rewrite {
                way,
                at,
                remove,
                insert,
            } => Box::new(rewrite::Rewrite::new(way, at, remove, insert)),
            Self::Proxy => Box::new(proxy::Proxy::default()),
            Self::Replay { often } => Box::new(replay::Replay::new(often, chance)),
        }
    }
}
