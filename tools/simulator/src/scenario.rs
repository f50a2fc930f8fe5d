// SPDX-License-Identifier: GPL-2.0

//! A scenario: two ends, the links and middleboxes between them. Its seed says all of it.

use crate::app::{AppKind, Ending};
use crate::chance::Chance;
use crate::endpoint::EndKind;
use crate::link::LinkKind;
use crate::middlebox::{BoxKind, Stage, Way};
use crate::tcp;

/// A scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scenario {
    /// What it was made from, and what decides all chances in it.
    pub seed: u64,
    /// The end that connects.
    pub client: EndKind,
    /// The end that waits.
    pub server: EndKind,
    /// To the server and to the client: between the client and the middleboxes.
    pub links: [LinkKind; 2],
    /// From the client to the server.
    pub boxes: Vec<BoxKind>,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn random(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let wrap = chance.percent(30);
        let wrap = wrap.then(|| chance.spread(1, 60_000) as u32);
        let mut client = end(&mut chance, wrap);
        let mut server = end(&mut chance, wrap);
        arrange(&mut client.app, &mut server.app, &mut chance);
        // Some one speaks no MPTCP.
        match chance.between(0, 39) {
            0 => client.mptcp = false,
            1 => server.mptcp = false,
            _ => {}
        }
        let to_server = LinkKind::random(&mut chance);
        let to_client = match chance.percent(60) {
            true => to_server.clone(),
            false => LinkKind::random(&mut chance),
        };
        let count = chance.pick(&[0, 0, 1, 1, 1, 1, 2, 2]);
        let mut boxes: Vec<BoxKind> = (0..count).map(|_| BoxKind::random(&mut chance)).collect();
        keep_honest(&mut boxes, client.checksum || server.checksum);
        Self {
            seed,
            client,
            server,
            links: [to_server, to_client],
            boxes,
        }
    }

    /// The end at which `way` starts.
    pub fn sender(&self, way: Way) -> &EndKind {
        match way {
            Way::ToServer => &self.client,
            Way::ToClient => &self.server,
        }
    }

    /// The rewriting of a stream, if there is one.
    pub fn rewriting(&self) -> Option<(Way, u32, u32, u32)> {
        self.boxes.iter().find_map(|kind| match *kind {
            BoxKind::Rewrite {
                way,
                at,
                remove,
                insert,
            } => Some((way, at, remove, insert)),
            _ => None,
        })
    }

    /// Whether both ends will use checksums, if they speak MPTCP at all.
    pub fn checksums(&self) -> bool {
        self.client.checksum || self.server.checksum
    }

    /// Whether the connection may end otherwise than both applications wish.
    pub fn may_break(&self) -> bool {
        let forced = |end: &EndKind| matches!(end.app.ending, Ending::Abort(_) | Ending::AtOnce);
        forced(&self.client)
            || forced(&self.server)
            || self.links.iter().any(LinkKind::dies)
            || self.rewriting().is_some()
            || self.may_tear()
    }

    /// Whether data that was thrown away and the end of MPTCP may come together, so that plain TCP
    /// cannot go on with the stream; or a dead link, so that an orphan loses its patience.
    fn may_tear(&self) -> bool {
        let prunes = self.client.prunes > 0 || self.server.prunes > 0;
        let harmless = |kind: &BoxKind| matches!(kind, BoxKind::Nat | BoxKind::Renumber);
        let dead = self.links.iter().any(|link| link.dead.is_some());
        prunes && (dead || !self.boxes.iter().all(harmless))
    }
}

/// Any end.
fn end(chance: &mut Chance, wrap: Option<u32>) -> EndKind {
    let scale = chance.between(0, 10) as u8;
    EndKind {
        mptcp: true,
        checksum: chance.percent(30),
        send_buffer: chance.spread(2_000, 300_000) as u32,
        receive_buffer: chance.spread(2_000, 300_000) as u32,
        prunes: match chance.percent(80) {
            true => 0,
            false => chance.spread(1, 300) as u16,
        },
        tcp: tcp::Settings {
            mss: chance.spread(500, 1460) as u32,
            receive_buffer: chance.spread(70_000, 400_000) as u32,
            send_buffer: chance.spread(4_000, 300_000) as u32,
            scale,
            delayed_ack: chance.percent(50),
        },
        key: chance.number(),
        isn: match chance.percent(30) {
            true => u32::MAX - chance.spread(1, 60_000) as u32,
            false => chance.number() as u32,
        },
        wrap,
        app: AppKind::random(chance),
    }
}

/// Lets the two applications not wait for each other for ever.
fn arrange(client: &mut AppKind, server: &mut AppKind, chance: &mut Chance) {
    if client.ending == Ending::AfterPeer && server.ending == Ending::AfterPeer {
        client.ending = Ending::HalfClose;
    }
    if chance.percent(20) && client.ending == Ending::HalfClose {
        server.answers = true;
    }
}

/// Takes out what no protocol can stand. A box that repeats old options can let an end that fell
/// back seem to speak MPTCP. One that shortens a stream lets data seem to be missing; it is sent
/// again, and if another takes off the mapping that says so, nobody can know. Nor can anybody
/// without checksums, so that the length of the stream stays then.
fn keep_honest(boxes: &mut Vec<BoxKind>, checksums: bool) {
    for kind in boxes.iter_mut() {
        if let BoxKind::Rewrite { remove, insert, .. } = kind {
            *remove = if checksums { *remove } else { *insert };
        }
    }
    let alone = |kind: &BoxKind| {
        matches!(
            kind,
            BoxKind::Replay { .. } | BoxKind::Rewrite { .. } | BoxKind::Proxy
        )
    };
    let harmless = |kind: &BoxKind| matches!(kind, BoxKind::Nat | BoxKind::Renumber);
    if let Some(index) = boxes.iter().position(alone) {
        let mut position = 0..;
        boxes.retain(|kind| position.next() == Some(index) || harmless(kind));
    }
}

/// A way to make a scenario simpler.
#[derive(Clone, Copy, Debug)]
pub struct Simplification {
    /// Its name.
    pub name: &'static str,
    apply: fn(&mut Scenario),
}

/// All ways to make a scenario simpler.
pub const SIMPLIFICATIONS: [Simplification; 23] = [
    simplification("no-first-box", |s| {
        (!s.boxes.is_empty()).then(|| s.boxes.remove(0));
    }),
    simplification("no-last-box", |s| {
        s.boxes.pop();
    }),
    simplification("good-links", |s| {
        s.links = [LinkKind::GOOD, LinkKind::GOOD];
    }),
    simplification("no-death", |s| {
        s.links.iter_mut().for_each(|l| l.dead = None)
    }),
    simplification("no-loss", |s| s.links.iter_mut().for_each(|l| l.loss = 0)),
    simplification("no-reordering", |s| {
        s.links.iter_mut().for_each(|l| l.reorder = 0);
    }),
    simplification("no-duplication", |s| {
        s.links.iter_mut().for_each(|l| l.duplicate = 0);
    }),
    simplification("no-jitter", |s| {
        s.links.iter_mut().for_each(|l| l.jitter = 0)
    }),
    simplification("large-buffers", |s| {
        for end in [&mut s.client, &mut s.server] {
            end.send_buffer = 1 << 20;
            end.receive_buffer = 1 << 20;
            end.tcp.send_buffer = 1 << 20;
            end.tcp.receive_buffer = 1 << 20;
            end.tcp.scale = 7;
        }
        s.links.iter_mut().for_each(|l| l.buffer = 1 << 20);
    }),
    simplification("no-pruning", |s| {
        s.client.prunes = 0;
        s.server.prunes = 0;
    }),
    simplification("no-checksum", |s| {
        s.client.checksum = false;
        s.server.checksum = false;
    }),
    simplification("no-wrap", |s| {
        s.client.wrap = None;
        s.server.wrap = None;
        s.client.isn = 1_000_000;
        s.server.isn = 2_000_000;
    }),
    simplification("no-delayed-ack", |s| {
        s.client.tcp.delayed_ack = false;
        s.server.tcp.delayed_ack = false;
    }),
    simplification("quick-readers", |s| {
        for app in [&mut s.client.app, &mut s.server.app] {
            app.read_pause = 0;
            app.reads_from = 0;
            app.read_chunk = 1 << 20;
        }
    }),
    simplification("quick-client", |s| {
        s.client.app.pause = 0;
        s.client.app.chunk = 1 << 20;
    }),
    simplification("quick-server", |s| {
        s.server.app.pause = 0;
        s.server.app.chunk = 1 << 20;
    }),
    simplification("silent-client", |s| s.client.app.bytes = 0),
    simplification("silent-server", |s| s.server.app.bytes = 0),
    simplification("half-client", |s| s.client.app.bytes /= 2),
    simplification("half-server", |s| s.server.app.bytes /= 2),
    simplification("same-mss", |s| {
        s.client.tcp.mss = 1000;
        s.server.tcp.mss = 1000;
    }),
    simplification("patient-ends", |s| {
        s.client.app.ending = Ending::HalfClose;
        s.server.app.ending = Ending::HalfClose;
        s.server.app.answers = false;
    }),
    simplification("always-stripping", |s| {
        for kind in &mut s.boxes {
            if let BoxKind::Strip { stage, .. } = kind {
                if matches!(stage, Stage::Sometimes(_)) {
                    *stage = Stage::Later;
                }
            }
        }
    }),
];

const fn simplification(name: &'static str, apply: fn(&mut Scenario)) -> Simplification {
    Simplification { name, apply }
}

impl Simplification {
    /// The simplification of this name.
    pub fn named(name: &str) -> Option<Self> {
        SIMPLIFICATIONS.into_iter().find(|one| one.name == name)
    }

    /// The simpler scenario.
    pub fn of(&self, scenario: &Scenario) -> Scenario {
        let mut simpler = scenario.clone();
        (self.apply)(&mut simpler);
        simpler
    }
}
