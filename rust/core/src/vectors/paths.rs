// SPDX-License-Identifier: GPL-2.0

//! The path manager: what it does in the lives of some connections, step by step.
//!
//! Our addresses are 10.1.N.1 and port 5000, the peer's 10.2.N.1 and port 80; N is 0 for the first
//! subflow.

use super::{expect, Check};
use crate::path_manager::{
    Action, Announcement, Context, End, EndpointFlags, Endpoints, Event, Families, Farewell,
    Limits, LocalSide, NewEndpoint, Open, Opened, PathManager, Role, Settings, SocketAddress,
    SubflowId,
};
use crate::wire::{Address, MpTcpRst, RemoveAddr, ResetReason, Version};

/// When, in microseconds; what the path manager is told; all that it does then.
type Step<'a> = (u64, Option<Event>, &'a [Action]);

/// One second in microseconds.
const SECOND: u64 = 1_000_000;

/// A retransmission timeout in microseconds.
const RTO: u32 = 200_000;

/// Checks what is done in all lives.
///
/// # Errors
/// The name of the first life in which something else is done.
pub fn check() -> Check {
    check_endpoint()?;
    check_announced()?;
    check_announcing()?;
    check_removed()
}

/// From an endpoint a subflow leaves once the connection is established, and again a second after
/// the peer refused it for the moment (RFC 8684 section 3.6).
// rfc8684:3.1-25 rfc8684:3.9.1-1
fn check_endpoint() -> Check {
    let refused = Event::SubflowEnded {
        subflow: SubflowId(1),
        end: End::Reset(Some(MpTcpRst {
            transient: true,
            reason: ResetReason::MPTCP_SPECIFIC,
        })),
    };
    let mut life = Life::new("subflow endpoint", Role::Client, EndpointFlags::SUBFLOW);
    life.is_as_told(&[
        (0, None, &[]),
        (5, Some(Event::FullyEstablished), &[opens(1, Some(1), 0)]),
        (10, Some(refused), &[]),
        (SECOND + 9, None, &[]),
        (SECOND + 10, None, &[opens(2, Some(1), 0)]),
        (2 * SECOND, Some(Event::Ended), &[]),
        (99 * SECOND, None, &[]),
    ])
}

/// An announced address is confirmed and joined; not so a second one under the same id, nor one
/// beyond the limit (RFC 8684 section 3.4.1).
// rfc8684:3.4.1-3 rfc8684:3.4.1-6
fn check_announced() -> Check {
    let mut life = Life::new("announced address", Role::Client, EndpointFlags::SIGNAL);
    let own = announces(1, 1);
    life.is_as_told(&[
        (0, Some(Event::FullyEstablished), &[own]),
        (
            1,
            Some(Event::Echoed(announcement(1, local(1).address))),
            &[],
        ),
        (2, Some(announced(7, 3)), &[echoes(7, 3), opens(1, None, 3)]),
        (SECOND, Some(announced(7, 4)), &[echoes(7, 4)]),
        // Two options in a row go out on a subflow, the third waits.
        (SECOND + 1, Some(announced(8, 4)), &[echoes(8, 4)]),
        (SECOND + 2, Some(announced(9, 4)), &[]),
        (2 * SECOND, None, &[echoes(9, 4)]),
    ])
}

/// What is announced is repeated, ever more seldom, until the peer confirms it.
// rfc8684:3.4.1-8
fn check_announcing() -> Check {
    let mut life = Life::new("announcing", Role::Server, EndpointFlags::SIGNAL);
    let again = announces(1, 1);
    let rto = u64::from(RTO);
    life.is_as_told(&[
        (0, Some(Event::FullyEstablished), &[again]),
        (rto - 1, None, &[]),
        (rto, None, &[again]),
        (3 * rto, None, &[again]),
        (
            4 * rto,
            Some(Event::Echoed(announcement(2, local(1).address))),
            &[],
        ),
        (7 * rto, None, &[again]),
        (
            8 * rto,
            Some(Event::Echoed(announcement(1, local(1).address))),
            &[],
        ),
        (99 * rto, None, &[]),
    ])
}

/// A removed address is tested, then given up (RFC 8684 section 3.4.2).
// rfc8684:3.4.2-2 rfc8684:3.4.2-7
fn check_removed() -> Check {
    let mut life = Life::new("removed address", Role::Client, EndpointFlags::SUBFLOW);
    let subflow = SubflowId(1);
    let removed = |ids| RemoveAddr::new(ids).map(Event::Removed);
    let probe = Action::Probe { subflow };
    let close = Action::Close {
        subflow,
        farewell: Farewell::Reset(ResetReason::UNSPECIFIED),
    };
    let rto = u64::from(RTO);
    life.is_as_told(&[
        (0, Some(Event::FullyEstablished), &[opens(1, Some(1), 0)]),
        (1, Some(Event::Live { subflow }), &[]),
        (2, removed(&[9, 200]), &[]),
        (
            3,
            removed(&[0]),
            &[
                Action::Probe {
                    subflow: SubflowId::FIRST,
                },
                probe,
            ],
        ),
        (
            4,
            Some(Event::Heard {
                subflow: SubflowId::FIRST,
            }),
            &[],
        ),
        (3 + rto, None, &[probe]),
        (3 + 3 * rto, None, &[probe]),
        (3 + 7 * rto, None, &[close]),
        (3600 * SECOND, None, &[]),
    ])
}

/// A connection and what surrounds it.
struct Life {
    name: &'static str,
    manager: PathManager,
    endpoints: Endpoints<2>,
    settings: Settings,
}

impl Life {
    /// The life of a connection with one endpoint beside its first address, at most two more
    /// subflows and one address of the peer.
    fn new(name: &'static str, role: Role, flags: EndpointFlags) -> Self {
        let mut endpoints = Endpoints::new();
        // If it were refused, nothing would be as told.
        let _ = endpoints.add(NewEndpoint {
            id: None,
            address: local(1).address,
            port: None,
            flags,
            interface: 0,
        });
        let opened = Opened {
            version: Version::V1,
            role,
            local: local(0),
            remote: remote(0),
            families: Families { v4: true, v6: true },
            denied: false,
            denies: false,
        };
        Self {
            name,
            manager: PathManager::new(&opened, 0),
            endpoints,
            settings: Settings {
                limits: Limits {
                    extra_subflows: 2,
                    accepted_addresses: 1,
                },
                ..Settings::default()
            },
        }
    }

    fn is_as_told(&mut self, steps: &[Step<'_>]) -> Check {
        for (now, event, expected) in steps {
            let context = Context {
                endpoints: self.endpoints.view(),
                settings: &self.settings,
                now: *now,
                rto: RTO,
            };
            if let Some(event) = event {
                self.manager.handle(event, &context);
            }
            for action in *expected {
                expect(self.manager.poll(&context) == Some(*action), self.name)?;
            }
            expect(self.manager.poll(&context).is_none(), self.name)?;
            let due = self.manager.deadline();
            expect(due.is_none_or(|due| due > *now), self.name)?;
        }
        Ok(())
    }
}

/// Opens a subflow from our address of the number, or from the one that routing chooses, to the
/// peer's.
fn opens(name: u32, from: Option<u8>, to: u8) -> Action {
    Action::Open(Open {
        subflow: SubflowId(name),
        local: from.map(|id| LocalSide {
            id,
            address: local(id).address,
            interface: 0,
        }),
        remote: remote(to),
        remote_id: if to == 0 { 0 } else { 7 },
        backup: false,
    })
}

fn announces(id: u8, number: u8) -> Action {
    Action::Announce {
        announcement: announcement(id, local(number).address),
        via: SubflowId::FIRST,
    }
}

fn announced(id: u8, number: u8) -> Event {
    Event::Announced {
        announcement: announcement(id, remote(number).address),
        on: SubflowId::FIRST,
    }
}

fn echoes(id: u8, number: u8) -> Action {
    Action::Echo {
        announcement: announcement(id, remote(number).address),
        via: SubflowId::FIRST,
    }
}

const fn announcement(address_id: u8, address: Address) -> Announcement {
    Announcement {
        address_id,
        address,
        port: None,
    }
}

const fn local(number: u8) -> SocketAddress {
    SocketAddress {
        address: Address::V4([10, 1, number, 1]),
        port: 5000,
    }
}

const fn remote(number: u8) -> SocketAddress {
    SocketAddress {
        address: Address::V4([10, 2, number, 1]),
        port: 80,
    }
}
