// SPDX-License-Identifier: GPL-2.0

mod admission;
mod announcements;
mod recovery;
mod subflows;
mod userspace;

use super::*;
use std::vec::Vec;

const SECOND: u64 = 1_000_000;
/// How long a subflow has nothing to say after two options in a row, in microseconds.
const PAUSE: u64 = 200_000;

const SIGNAL: EndpointFlags = EndpointFlags::SIGNAL;
const SUBFLOW: EndpointFlags = EndpointFlags::SUBFLOW;
const BACKUP: EndpointFlags = EndpointFlags::BACKUP;
const FULLMESH: EndpointFlags = EndpointFlags::FULLMESH;
const LAMINAR: EndpointFlags = EndpointFlags::LAMINAR;

fn v4(net: u8, host: u8) -> Address {
    Address::V4([10, 0, net, host])
}

fn v6(host: u8) -> Address {
    Address::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host])
}

const fn at(address: Address, port: u16) -> SocketAddress {
    SocketAddress { address, port }
}

/// The addresses of this host end in 1, those of the peer in 2.
fn local(net: u8) -> Address {
    v4(net, 1)
}

fn remote(net: u8) -> Address {
    v4(net, 2)
}

fn announcement(address_id: u8, address: Address, port: Option<u16>) -> Announcement {
    Announcement {
        address_id,
        address,
        port,
    }
}

/// The event that the peer announced something on the first subflow.
fn announced(announcement: Announcement) -> Event {
    let on = SubflowId::FIRST;
    Event::Announced { announcement, on }
}

/// A client whose first subflow goes from net 0 to the server's port 80.
fn client() -> Opened {
    Opened {
        version: Version::V1,
        role: Role::Client,
        local: at(local(0), 5000),
        remote: at(remote(0), 80),
        families: Families { v4: true, v6: true },
        denied: false,
        denies: false,
    }
}

/// The server of such a connection.
fn server() -> Opened {
    Opened {
        role: Role::Server,
        local: at(local(0), 80),
        remote: at(remote(0), 5000),
        ..client()
    }
}

/// A connection and its surroundings.
struct World {
    endpoints: Endpoints<8>,
    settings: Settings,
    now: u64,
    rto: u32,
    manager: PathManager,
}

impl World {
    /// A fully established connection without endpoints.
    fn new(opened: &Opened, extra_subflows: u8, accepted_addresses: u8) -> Self {
        let limits = Limits {
            extra_subflows,
            accepted_addresses,
        };
        let mut world = Self {
            endpoints: Endpoints::new(),
            settings: Settings {
                limits,
                ..Settings::default()
            },
            now: 0,
            rto: 200_000,
            manager: PathManager::new(opened, 0),
        };
        world.tell(Event::FullyEstablished);
        world
    }

    /// Adds an endpoint without telling the connection.
    fn endpoint(&mut self, address: Address, flags: EndpointFlags) -> Endpoint {
        let new = NewEndpoint {
            id: None,
            address,
            port: None,
            flags,
            interface: 0,
        };
        self.endpoints.add(new).unwrap()
    }

    fn with<T>(&mut self, ask: impl FnOnce(&mut PathManager, &Context<'_>) -> T) -> T {
        let context = Context {
            endpoints: self.endpoints.view(),
            settings: &self.settings,
            now: self.now,
            rto: self.rto,
        };
        ask(&mut self.manager, &context)
    }

    fn tell(&mut self, event: Event) {
        self.with(|manager, context| manager.handle(&event, context));
    }

    /// Everything that is to be done now.
    fn actions(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(action) = self.with(|manager, context| manager.poll(context)) {
            actions.push(action);
            assert!(actions.len() < 100, "there is no end: {actions:?}");
        }
        assert!(self.manager.deadline().is_none_or(|at| at > self.now));
        actions
    }

    /// Everything that is to be done after an event.
    fn after(&mut self, event: Event) -> Vec<Action> {
        self.tell(event);
        self.actions()
    }

    /// Everything that is to be done after so many microseconds, and nothing before.
    fn wait(&mut self, micros: u64) -> Vec<Action> {
        assert_eq!(self.actions(), []);
        self.now += micros - 1;
        assert_eq!(self.actions(), [], "too early");
        self.now += 1;
        self.actions()
    }

    /// The subflows that are to be opened now.
    fn opens(&mut self) -> Vec<Open> {
        let open = |action| match action {
            Action::Open(open) => Some(open),
            _ => None,
        };
        self.actions().into_iter().filter_map(open).collect()
    }

    /// The one subflow that is to be opened now, which succeeds.
    fn join(&mut self) -> SubflowId {
        let opens = self.opens();
        let [open] = opens[..] else {
            panic!("not one subflow to be opened: {opens:?}");
        };
        self.tell(Event::Live {
            subflow: open.subflow,
        });
        open.subflow
    }

    fn ended(&mut self, subflow: SubflowId, end: End) -> Vec<Action> {
        self.after(Event::SubflowEnded { subflow, end })
    }
}

#[test]
fn a_connection_fits_a_page() {
    let size = core::mem::size_of::<PathManager>();
    assert!(size <= 4096, "{size} bytes");
}

#[test]
fn lives_are_as_told() {
    assert_eq!(crate::vectors::paths::check(), Ok(()));
}

#[test]
fn nothing_happens_without_configuration() {
    let mut world = World::new(&client(), 2, 0);
    assert_eq!(world.actions(), []);
    assert_eq!(world.manager.deadline(), None);
    assert_eq!(world.manager.extra_subflows(), 0);
    assert_eq!(world.manager.is_backup(SubflowId::FIRST), Some(false));
    assert_eq!(world.manager.is_backup(SubflowId(9)), None);
}

// rfc8684:3.1-25
#[test]
fn nothing_happens_before_the_connection_is_established_and_after_its_end() {
    let mut world = World::new(&client(), 2, 0);
    world.manager = PathManager::new(&client(), 0);
    world.endpoint(local(1), SUBFLOW);
    world.endpoint(local(2), SIGNAL);
    assert_eq!(world.actions(), []);
    world.tell(Event::FullyEstablished);
    assert_eq!(world.actions().len(), 2);
    world.endpoint(local(3), SIGNAL);
    assert_eq!(world.after(Event::Ended), []);
    assert_eq!(world.wait(3600 * SECOND), []);
}

#[test]
fn a_name_in_use_is_not_given_again_when_numbers_wrap() {
    let mut world = World::new(&client(), 2, 0);
    world.endpoint(local(1), SUBFLOW);
    world.manager.last_id = SubflowId(u32::MAX);
    assert_eq!(world.opens()[0].subflow, SubflowId(1));
}
