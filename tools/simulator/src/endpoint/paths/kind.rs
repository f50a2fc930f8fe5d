// SPDX-License-Identifier: GPL-2.0

//! How an end manages several paths, and what happens at its host.

use crate::chance::Chance;
use crate::segment::{Time, SECOND};
use mptcp_core::path_manager::EndpointFlags;
use mptcp_core::scheduler::Kind;
use mptcp_core::wire::Address;

/// The port of announcements that have one.
const ANNOUNCED_PORT: u16 = 8080;

/// An event at a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happening {
    /// It loses an address.
    Gone(Address),
    /// It has the address again.
    Back(Address),
    /// The administrator makes the endpoint of an address a backup, or no backup any more.
    Backup(Address, bool),
    /// The administrator takes the endpoint of an address away.
    Withdrawn(Address),
}

impl Happening {
    /// The address that it is about.
    pub(crate) fn address(&mut self) -> &mut Address {
        match self {
            Self::Gone(address)
            | Self::Back(address)
            | Self::Backup(address, _)
            | Self::Withdrawn(address) => address,
        }
    }
}

/// How an end manages several paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathsKind {
    /// Its addresses beside the first that are endpoints, or the first too, the ports that are
    /// announced with them, and the flags.
    pub endpoints: Vec<(Address, Option<u16>, EndpointFlags)>,
    /// Subflows beside the first at most.
    pub extra_subflows: u8,
    /// Addresses of the peer that are used at most.
    pub accepted_addresses: u8,
    /// Subflows between the first addresses.
    pub subflows_per_pair: u8,
    /// It forbids joins to its first address.
    pub denies: bool,
    /// The longest wait for an echo, in microseconds.
    pub add_addr_timeout: Time,
    /// Who chooses between the subflows.
    pub scheduler: Kind,
    /// How long a connection without subflows waits for another.
    pub patience: Time,
    /// What happens at the host, and when, in this order.
    pub happenings: Vec<(Time, Happening)>,
}

impl PathsKind {
    /// Any way to manage the paths of a host with these addresses.
    pub fn random(chance: &mut Chance, addresses: &[Address], keen: bool) -> Self {
        let flags = [
            EndpointFlags::SUBFLOW,
            EndpointFlags::SUBFLOW,
            EndpointFlags::SIGNAL,
            EndpointFlags::SUBFLOW.with(EndpointFlags::BACKUP),
            EndpointFlags::SIGNAL.with(EndpointFlags::SUBFLOW),
            EndpointFlags::SIGNAL.with(EndpointFlags::BACKUP),
            EndpointFlags::SUBFLOW.with(EndpointFlags::FULLMESH),
        ];
        let mut endpoints = Vec::new();
        for address in addresses {
            if chance.percent(80) {
                let flags = chance.pick(&flags);
                // A port is only for what others connect to.
                let announced = flags.has(EndpointFlags::SIGNAL);
                let alone = announced && !flags.has(EndpointFlags::SUBFLOW);
                let port = (alone && chance.percent(40)).then_some(ANNOUNCED_PORT);
                endpoints.push((*address, port, flags));
            }
        }
        let happenings = match chance.percent(30) {
            true => happenings(chance, addresses, &endpoints),
            false => Vec::new(),
        };
        Self {
            endpoints,
            extra_subflows: chance.pick(&[0, 1, 1, 2, 2, 3, 4, 6]).max(keen.into()),
            accepted_addresses: chance.between(0, 3) as u8,
            subflows_per_pair: match keen {
                true => chance.pick(&[1, 2, 2, 3]),
                false => chance.pick(&[1, 1, 2]),
            },
            denies: chance.percent(8),
            add_addr_timeout: chance.pick(&[0, SECOND, 30 * SECOND]),
            scheduler: chance.pick(&Kind::ALL),
            patience: chance.spread(SECOND, 60 * SECOND),
            happenings,
        }
    }
}

fn happenings(
    chance: &mut Chance,
    addresses: &[Address],
    endpoints: &[(Address, Option<u16>, EndpointFlags)],
) -> Vec<(Time, Happening)> {
    let mut all = Vec::new();
    for _ in 0..chance.between(1, 3) {
        let at = chance.spread(10_000, 8 * SECOND);
        let address = chance.pick(addresses);
        let known = endpoints.iter().any(|(one, ..)| *one == address);
        match chance.between(0, 3) {
            0 | 1 => {
                all.push((at, Happening::Gone(address)));
                if chance.percent(70) {
                    let back = at + chance.spread(10_000, 10 * SECOND);
                    all.push((back, Happening::Back(address)));
                }
            }
            2 if known => all.push((at, Happening::Backup(address, chance.percent(70)))),
            3 if known => all.push((at, Happening::Withdrawn(address))),
            _ => {}
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}
