// SPDX-License-Identifier: GPL-2.0

//! Ways to make a scenario simpler.

use super::{Families, Scenario};
use crate::app::Ending;
use crate::link::LinkKind;
use crate::middlebox::{BoxKind, Stage};
use mptcp_core::connection::handshake::Versions;
use mptcp_core::scheduler::Kind;

/// A way to make a scenario simpler.
#[derive(Clone, Copy, Debug)]
pub struct Simplification {
    /// Its name.
    pub name: &'static str,
    apply: fn(&mut Scenario),
}

/// All ways to make a scenario simpler.
pub const SIMPLIFICATIONS: [Simplification; 34] = [
    simplification("one-path", |s| {
        s.client.paths = None;
        s.server.paths = None;
        s.routes.truncate(1);
    }),
    simplification("passive-server", |s| {
        if let Some(paths) = &mut s.server.paths {
            paths.endpoints.clear();
        }
    }),
    simplification("passive-client", |s| {
        if let Some(paths) = &mut s.client.paths {
            paths.endpoints.clear();
        }
    }),
    simplification("no-last-route", |s| {
        s.routes.truncate((s.routes.len() - 1).max(1));
    }),
    simplification("two-subflows", |s| {
        for paths in [&mut s.client.paths, &mut s.server.paths]
            .into_iter()
            .flatten()
        {
            paths.extra_subflows = paths.extra_subflows.min(1);
        }
    }),
    simplification("no-happenings", |s| {
        for paths in [&mut s.client.paths, &mut s.server.paths]
            .into_iter()
            .flatten()
        {
            paths.happenings.clear();
        }
    }),
    simplification("one-happening", |s| {
        for paths in [&mut s.client.paths, &mut s.server.paths]
            .into_iter()
            .flatten()
        {
            paths.happenings.pop();
        }
    }),
    simplification("plain-scheduler", |s| {
        for paths in [&mut s.client.paths, &mut s.server.paths]
            .into_iter()
            .flatten()
        {
            paths.scheduler = Kind::LowestRtt;
        }
    }),
    simplification("no-first-box", |s| {
        let mut routes = s.routes.iter_mut();
        if let Some(route) = routes.find(|route| !route.boxes.is_empty()) {
            route.boxes.remove(0);
        }
    }),
    simplification("no-last-box", |s| {
        let mut routes = s.routes.iter_mut().rev();
        if let Some(route) = routes.find(|route| !route.boxes.is_empty()) {
            route.boxes.pop();
        }
    }),
    simplification("good-links", |s| {
        s.links_mut().for_each(|l| *l = LinkKind::GOOD);
    }),
    simplification("no-death", |s| s.links_mut().for_each(|l| l.dead = None)),
    simplification("no-loss", |s| s.links_mut().for_each(|l| l.loss = 0)),
    simplification("no-reordering", |s| {
        s.links_mut().for_each(|l| l.reorder = 0);
    }),
    simplification("no-duplication", |s| {
        s.links_mut().for_each(|l| l.duplicate = 0);
    }),
    simplification("no-jitter", |s| s.links_mut().for_each(|l| l.jitter = 0)),
    simplification("large-buffers", |s| {
        for end in [&mut s.client, &mut s.server] {
            end.send_buffer = 1 << 20;
            end.receive_buffer = 1 << 20;
            end.tcp.send_buffer = 1 << 20;
            end.tcp.receive_buffer = 1 << 20;
            end.tcp.scale = 7;
        }
        s.links_mut().for_each(|l| l.buffer = 1 << 20);
    }),
    simplification("no-pruning", |s| {
        s.client.prunes = 0;
        s.server.prunes = 0;
    }),
    simplification("version-1", |s| {
        for end in [&mut s.client, &mut s.server] {
            end.versions = match end.versions {
                Versions::NONE => Versions::NONE,
                _ => Versions::V1,
            };
        }
    }),
    simplification("ipv4", |s| {
        s.families = Families::V4;
        let ends = [&mut s.client.paths, &mut s.server.paths];
        for paths in ends.into_iter().flatten() {
            let endpoints = paths.endpoints.iter_mut().map(|(address, ..)| address);
            let happenings = paths.happenings.iter_mut().map(|(_, what)| what.address());
            for address in endpoints.chain(happenings) {
                *address = Families::V4.place(*address);
            }
        }
    }),
    simplification("no-ports", |s| {
        let ends = [&mut s.client.paths, &mut s.server.paths];
        for paths in ends.into_iter().flatten() {
            let ports = paths.endpoints.iter_mut().map(|(_, port, _)| port);
            ports.for_each(|port| *port = None);
        }
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
        for kind in s.routes.iter_mut().flat_map(|route| &mut route.boxes) {
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
