// SPDX-License-Identifier: GPL-2.0

//! A scenario: two ends, the links and middleboxes between them. Its seed says all of it.

mod addresses;
mod simplification;

pub use addresses::{client_address, number_of, server_address, translated_address, Families};
pub use simplification::{Simplification, SIMPLIFICATIONS};

use crate::app::{AppKind, Ending};
use crate::chance::Chance;
use crate::endpoint::{EndKind, PathsKind};
use crate::link::LinkKind;
use crate::middlebox::{BoxKind, Way};
use crate::segment::Place;
use crate::tcp;
use mptcp_core::connection::handshake::Versions;
use mptcp_core::wire::Address;

const CLIENT_PORT: u16 = 1000;
const SERVER_PORT: u16 = 80;

/// A way through the network, from the client to the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// To the server and to the client: between the client and the middleboxes.
    pub links: [LinkKind; 2],
    /// From the client to the server.
    pub boxes: Vec<BoxKind>,
}

/// A scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scenario {
    /// What it was made from, and what decides all chances in it.
    pub seed: u64,
    /// The end that connects.
    pub client: EndKind,
    /// The end that waits.
    pub server: EndKind,
    /// Of their addresses.
    pub families: Families,
    /// The first is that of the first subflow.
    pub routes: Vec<Route>,
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
            0 => client.versions = Versions::NONE,
            1 => server.versions = Versions::NONE,
            _ => {}
        }
        let families = Families::random(&mut Chance::new(seed, 4));
        let several = chance.percent(50);
        let count = match several {
            true => chance.pick(&[1, 2, 2, 2, 3, 4]),
            false => 1,
        };
        if several {
            [client.versions, server.versions] = [Versions::V1; 2];
            let keen = chance.percent(70);
            let client_address = |number| families.place(client_address(number));
            let server_address = |number| families.place(server_address(number));
            provide(&mut client, client_address, count, keen, &mut chance);
            provide(&mut server, server_address, count, keen, &mut chance);
        }
        let checksums = client.checksum || server.checksum;
        let mut chance_of_version = Chance::new(seed, 3);
        if client.versions == server.versions {
            [client.versions, server.versions] = versions(several, &mut chance_of_version);
        }
        let mut routes: Vec<_> = (0..count)
            .map(|_| Route::random(&mut chance, several, checksums))
            .collect();
        keep_one_rewriter(&mut routes);
        Self {
            seed,
            client,
            server,
            families,
            routes,
        }
    }

    /// The place at which the end waits that `way` leads to, or from which it connects.
    pub fn first_place(&self, way: Way) -> Place {
        let (address, port) = match way {
            Way::ToServer => (server_address(0), SERVER_PORT),
            Way::ToClient => (client_address(0), CLIENT_PORT),
        };
        let address = self.families.place(address);
        Place { address, port }
    }

    /// The end at which `way` starts.
    pub fn sender(&self, way: Way) -> &EndKind {
        match way {
            Way::ToServer => &self.client,
            Way::ToClient => &self.server,
        }
    }

    /// All middleboxes.
    fn boxes(&self) -> impl Iterator<Item = &BoxKind> {
        self.routes.iter().flat_map(|route| &route.boxes)
    }

    /// All links.
    fn links(&self) -> impl Iterator<Item = &LinkKind> {
        self.routes.iter().flat_map(|route| &route.links)
    }

    /// All links, to be changed.
    fn links_mut(&mut self) -> impl Iterator<Item = &mut LinkKind> {
        self.routes.iter_mut().flat_map(|route| &mut route.links)
    }

    /// Whether the stream is rewritten on any route.
    pub fn rewrites(&self) -> bool {
        let rewrites = |kind: &BoxKind| matches!(kind, BoxKind::Rewrite { .. });
        self.boxes().any(rewrites)
    }

    /// The rewriting of the first subflow's stream, which alone can go on as plain TCP.
    pub fn rewriting(&self) -> Option<(Way, u32, u32, u32)> {
        let mut boxes = self.routes.first()?.boxes.iter();
        boxes.find_map(|kind| match *kind {
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

    /// Whether either end manages several paths.
    pub fn several(&self) -> bool {
        self.client.paths.is_some() || self.server.paths.is_some()
    }

    /// Whether an application may end the connection otherwise than the other wishes.
    pub fn forced(&self) -> bool {
        let forced = |end: &EndKind| matches!(end.app.ending, Ending::Abort(_) | Ending::AtOnce);
        forced(&self.client) || forced(&self.server)
    }

    /// Whether the connection may end otherwise than both applications wish.
    pub fn may_break(&self) -> bool {
        self.forced()
            || self.links().any(LinkKind::dies)
            || self.rewrites()
            || self.may_tear()
            || self.may_lose_paths()
    }

    /// Whether an end throws received data away.
    pub fn prunes(&self) -> bool {
        self.client.prunes > 0 || self.server.prunes > 0
    }

    /// Whether data that was thrown away and the end of MPTCP may come together, so that plain TCP
    /// cannot go on with the stream; or a dead link, so that an orphan loses its patience.
    fn may_tear(&self) -> bool {
        let harmless = |kind: &BoxKind| matches!(kind, BoxKind::Nat | BoxKind::Renumber);
        let dead = self.links().any(|link| link.dead.is_some());
        self.prunes() && (dead || !self.boxes().all(harmless))
    }

    /// Whether a connection that can have several subflows, and so cannot go on as plain TCP, may
    /// be without any that works.
    fn may_lose_paths(&self) -> bool {
        let ends = [&self.client, &self.server];
        let mut paths = ends.iter().filter_map(|end| end.paths.as_ref());
        let moves = paths.any(|paths| !paths.happenings.is_empty());
        self.several() && (moves || !self.boxes().all(|kind| kind.spares_options()))
    }
}

impl Route {
    fn random(chance: &mut Chance, several: bool, checksums: bool) -> Self {
        let to_server = LinkKind::random(chance);
        let to_client = match chance.percent(60) {
            true => to_server.clone(),
            false => LinkKind::random(chance),
        };
        let count = match several {
            true => chance.pick(&[0, 0, 0, 0, 1, 1, 2]),
            false => chance.pick(&[0, 0, 1, 1, 1, 1, 2, 2]),
        };
        let mut boxes: Vec<BoxKind> = (0..count).map(|_| BoxKind::random(chance)).collect();
        keep_honest(&mut boxes, checksums);
        Self {
            links: [to_server, to_client],
            boxes,
        }
    }

    /// Whether data and options always pass.
    pub fn is_good(&self) -> bool {
        let alive = self.links.iter().all(|link| link.dead.is_none());
        alive && self.boxes.iter().all(|kind| kind.spares_options())
    }
}

/// Gives an end, mostly, some of the addresses and a path manager; `keen` ends will have several
/// subflows.
fn provide(
    end: &mut EndKind,
    address: impl Fn(u8) -> Address,
    count: u8,
    keen: bool,
    chance: &mut Chance,
) {
    let most = chance.between(1, count.into()) as u8;
    let addresses: Vec<_> = (0..most).map(address).collect();
    let managed = keen || chance.percent(80);
    end.paths = managed.then(|| PathsKind::random(chance, &addresses, keen));
    // Joins take their time.
    if keen || chance.percent(30) {
        end.app.bytes = chance.spread(20_000, 120_000);
        end.send_buffer = end.send_buffer.max(20_000);
    }
}

/// What the two ends speak. Those that are to have several subflows have a version in common.
fn versions(several: bool, chance: &mut Chance) -> [Versions; 2] {
    match chance.between(0, 19) {
        0 | 1 => [Versions::V0, Versions::V0],
        2 => [Versions::V0, Versions::ALL],
        3 => [Versions::ALL, Versions::ALL],
        4 => [Versions::ALL, Versions::V1],
        // The server does not know the form of the SYN.
        5 if !several => [Versions::ALL, Versions::V0],
        6 if !several => [Versions::V0, Versions::V1],
        _ => [Versions::V1, Versions::V1],
    }
}

/// What a rewritten stream should be is known for one box.
fn keep_one_rewriter(routes: &mut [Route]) {
    let mut seen = false;
    for route in routes {
        route.boxes.retain(|kind| match kind {
            BoxKind::Rewrite { .. } => !std::mem::replace(&mut seen, true),
            _ => true,
        });
    }
}

/// Any end.
fn end(chance: &mut Chance, wrap: Option<u32>) -> EndKind {
    let scale = chance.between(0, 10) as u8;
    EndKind {
        versions: Versions::V1,
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
        paths: None,
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
