// SPDX-License-Identifier: GPL-2.0

//! Which subflows are opened, from where to where.

use super::*;

/// (our id, where to, the peer's id, backup) of every subflow that is opened.
type Opening = (Option<u8>, SocketAddress, u8, bool);

fn openings(world: &mut World) -> Vec<Opening> {
    let told = |open: &Open| {
        let id = open.local.map(|local| local.id);
        (id, open.remote, open.remote_id, open.backup)
    };
    world.opens().iter().map(told).collect()
}

fn first() -> SocketAddress {
    at(remote(0), 80)
}

// rfc8684:3.9.1-1
#[test]
fn each_subflow_endpoint_gets_one_subflow_to_the_first_address() {
    let mut world = World::new(&client(), 8, 0);
    world.endpoint(local(1), SUBFLOW);
    world.endpoint(local(2), SUBFLOW.with(BACKUP));
    world.endpoint(local(3), SIGNAL.with(SUBFLOW));
    world.endpoint(v6(1), SUBFLOW);
    world.endpoint(local(4), BACKUP);
    let expected = [
        (Some(1), first(), 0, false),
        (Some(2), first(), 0, true),
        (Some(3), first(), 0, false),
    ];
    assert_eq!(openings(&mut world), expected);
    assert_eq!(openings(&mut world), []);
    assert_eq!(world.manager.extra_subflows(), 3);
    // The endpoint of the first subflow has one already.
    world.endpoint(local(0), SUBFLOW);
    assert_eq!(openings(&mut world), []);
}

// rfc8684:3.2-1
#[test]
fn a_subflow_knows_where_it_comes_from() {
    let mut world = World::new(&client(), 8, 0);
    let new = NewEndpoint {
        id: Some(9),
        address: local(1),
        port: None,
        flags: SUBFLOW,
        interface: 7,
    };
    world.endpoints.add(new).unwrap();
    let side = LocalSide {
        id: 9,
        address: local(1),
        interface: 7,
    };
    assert_eq!(world.opens()[0].local, Some(side));
}

#[test]
fn the_limit_of_subflows_holds_and_can_rise() {
    let mut world = World::new(&client(), 2, 0);
    for net in 1..=4 {
        world.endpoint(local(net), SUBFLOW);
    }
    assert_eq!(openings(&mut world).len(), 2);
    world.settings.limits.extra_subflows = 3;
    assert_eq!(openings(&mut world), [(Some(3), first(), 0, false)]);
    world.settings.limits.extra_subflows = 0;
    assert_eq!(openings(&mut world), []);
}

#[test]
fn an_ended_subflow_makes_room_for_the_next() {
    let mut world = World::new(&client(), 1, 0);
    world.endpoint(local(1), SUBFLOW);
    world.endpoint(local(2), SUBFLOW);
    let subflow = world.join();
    let actions = world.ended(subflow, End::Finished);
    assert!(matches!(
        actions[..],
        [Action::Open(Open {
            local: Some(LocalSide { id: 2, .. }),
            ..
        })]
    ));
}

#[test]
fn announced_addresses_are_reached_by_the_way_that_is_configured() {
    let to = at(remote(5), 80);
    type Case = (
        &'static str,
        &'static [(u8, EndpointFlags)],
        &'static [Option<u8>],
    );
    let cases: [Case; 6] = [
        ("routing chooses", &[], &[None]),
        (
            "subflow endpoints are for the first address",
            &[(1, SIGNAL)],
            &[None],
        ),
        (
            "every fullmesh endpoint",
            &[(1, FULLMESH), (2, FULLMESH)],
            &[Some(1), Some(2)],
        ),
        (
            "one laminar endpoint",
            &[(1, LAMINAR), (2, LAMINAR)],
            &[Some(1)],
        ),
        (
            "fullmesh before laminar",
            &[(1, LAMINAR), (2, FULLMESH)],
            &[Some(2)],
        ),
        ("the first subflow's endpoint", &[(0, FULLMESH)], &[Some(0)]),
    ];
    for (name, endpoints, expected) in cases {
        let mut world = World::new(&client(), 8, 8);
        for (net, flags) in endpoints {
            world.endpoint(local(*net), *flags);
        }
        world.tell(announced(announcement(9, to.address, None)));
        let expected: Vec<_> = expected.iter().map(|id| (*id, to, 9, false)).collect();
        assert_eq!(openings(&mut world), expected, "{name}");
    }
}

#[test]
fn a_full_mesh_joins_everything_with_everything() {
    let mut world = World::new(&client(), 30, 8);
    world.endpoint(local(1), SUBFLOW.with(FULLMESH));
    world.endpoint(local(2), SUBFLOW.with(FULLMESH).with(BACKUP));
    world.endpoint(v6(1), FULLMESH);
    world.tell(announced(announcement(8, remote(5), None)));
    world.tell(announced(announcement(9, v6(2), Some(81))));
    let expected = [
        (Some(1), first(), 0, false),
        (Some(2), first(), 0, true),
        (Some(1), at(remote(5), 80), 8, false),
        (Some(2), at(remote(5), 80), 8, true),
        (Some(3), at(v6(2), 81), 9, false),
    ];
    assert_eq!(openings(&mut world), expected);
}

#[test]
fn each_laminar_endpoint_serves_one_announced_address() {
    let mut world = World::new(&client(), 8, 8);
    for net in [1, 2] {
        world.endpoint(local(net), LAMINAR);
    }
    let mut opened = |id| {
        world.tell(announced(announcement(id, remote(id), None)));
        openings(&mut world)
    };
    assert_eq!(opened(5), [(Some(1), at(remote(5), 80), 5, false)]);
    assert_eq!(opened(6), [(Some(2), at(remote(6), 80), 6, false)]);
    assert_eq!(opened(7), []);
}

#[test]
fn one_subflow_to_an_announced_address_is_enough_for_routing() {
    let mut world = World::new(&client(), 8, 8);
    // The first address under another id.
    world.tell(announced(announcement(5, remote(0), None)));
    assert_eq!(openings(&mut world), []);
    world.tell(announced(announcement(6, remote(0), Some(81))));
    assert_eq!(openings(&mut world), [(None, at(remote(0), 81), 6, false)]);
}

#[test]
fn a_subflow_that_routing_chose_is_known_by_its_address() {
    let mut world = World::new(&client(), 8, 8);
    let endpoint = world.endpoint(local(1), SIGNAL);
    world.tell(announced(announcement(5, remote(5), None)));
    let subflow = world.join();
    let local_id = endpoint.id;
    world.tell(Event::Bound { subflow, local_id });
    world.endpoints.remove(local_id).unwrap();
    let actions = world.after(Event::EndpointGone(endpoint));
    let farewell = Farewell::Fin;
    assert!(actions.contains(&Action::Close { subflow, farewell }));
}

#[test]
fn a_subflow_whose_address_was_never_announced_as_gone_ends_in_order() {
    let mut world = World::new(&server(), 8, 0);
    let id = world.endpoints.id_of(local(1)).unwrap();
    let request = JoinRequest {
        local: at(local(1), 80),
        remote: at(remote(1), 6000),
        remote_id: 3,
        backup: false,
    };
    let admitted = world.with(|manager, context| manager.admit(&request, context));
    let subflow = admitted.unwrap().subflow;
    let implicit = world.endpoints.remove(id).unwrap();
    let farewell = Farewell::Fin;
    let expected = [Action::Close { subflow, farewell }];
    assert_eq!(world.after(Event::EndpointGone(implicit)), expected);
}

// rfc8684:3.1-14
#[test]
fn nobody_joins_a_first_address_that_is_denied() {
    let denied = Opened {
        denied: true,
        ..client()
    };
    let mut world = World::new(&denied, 8, 8);
    world.settings.subflows_per_pair = 4;
    world.endpoint(local(1), SUBFLOW.with(FULLMESH));
    assert_eq!(openings(&mut world), []);
    // Another address, or another port, is another matter (RFC 8684 section 3.1).
    world.tell(announced(announcement(5, remote(0), Some(81))));
    assert_eq!(
        openings(&mut world),
        [(Some(1), at(remote(0), 81), 5, false)]
    );
}

#[test]
fn subflow_endpoints_go_to_the_announced_address_of_a_balanced_server() {
    let denied = Opened {
        denied: true,
        ..client()
    };
    let mut world = World::new(&denied, 8, 0);
    world.tell(announced(announcement(5, remote(5), None)));
    assert_eq!(openings(&mut world), [], "nothing to connect from");
    world.endpoint(local(0), SUBFLOW);
    world.endpoint(local(1), SUBFLOW);
    world.endpoint(local(2), SUBFLOW);
    world.tell(announced(announcement(5, remote(5), None)));
    let to = at(remote(5), 80);
    let expected = [(Some(2), to, 5, false), (Some(3), to, 5, false)];
    assert_eq!(openings(&mut world), expected);
    world.tell(announced(announcement(6, remote(6), None)));
    assert_eq!(openings(&mut world), [], "one such address is enough");
}

#[test]
fn several_subflows_between_one_pair_of_addresses() {
    let mut world = World::new(&client(), 8, 0);
    world.settings.subflows_per_pair = 3;
    let expected = [(Some(0), first(), 0, false); 2];
    assert_eq!(openings(&mut world), expected);
    assert_eq!(openings(&mut world), []);
    // The server cannot know a port at the client.
    let mut world = World::new(&server(), 8, 0);
    world.settings.subflows_per_pair = 3;
    assert_eq!(openings(&mut world), []);
}

#[test]
fn families_that_the_socket_does_not_speak_are_left_alone() {
    let v4_only = Opened {
        families: Families {
            v4: true,
            v6: false,
        },
        ..client()
    };
    let mut world = World::new(&v4_only, 8, 8);
    world.tell(announced(announcement(5, v6(2), None)));
    assert_eq!(openings(&mut world), []);
    world.tell(announced(announcement(6, remote(6), None)));
    assert_eq!(openings(&mut world).len(), 1);
}

#[test]
fn priorities_are_told_when_they_change() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    let subflow = world.join();
    let other = world.manager.is_backup(SubflowId::FIRST);
    for backup in [true, false] {
        let changed = world
            .endpoints
            .set_flags(endpoint.id, backup, false)
            .unwrap();
        let told = Action::Priority { subflow, backup };
        world.tell(Event::EndpointChanged(changed));
        assert_eq!(world.after(Event::EndpointChanged(changed)), [told]);
        assert_eq!(world.after(Event::EndpointChanged(changed)), []);
        assert_eq!(world.manager.is_backup(subflow), Some(backup));
    }
    assert_eq!(other, Some(false));
}

#[test]
fn the_first_subflow_learns_its_priority_when_it_is_established() {
    let mut world = World::new(&client(), 0, 0);
    world.manager = PathManager::new(&client(), 0);
    world.endpoint(local(0), BACKUP);
    let told = Action::Priority {
        subflow: SubflowId::FIRST,
        backup: true,
    };
    assert_eq!(world.after(Event::FullyEstablished), [told]);
}

#[test]
fn a_priority_that_changes_while_a_subflow_is_opened_is_told_later() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    let subflow = world.opens()[0].subflow;
    let changed = world.endpoints.set_flags(endpoint.id, true, false).unwrap();
    assert_eq!(world.after(Event::EndpointChanged(changed)), []);
    let told = Action::Priority {
        subflow,
        backup: true,
    };
    assert_eq!(world.after(Event::Live { subflow }), [told]);
}

// rfc8684:3.3.8-2
#[test]
fn the_peer_sets_priorities_too() {
    let mut world = World::new(&client(), 8, 0);
    world.endpoint(local(1), SUBFLOW);
    let subflow = world.join();
    let backup = true;
    world.tell(Event::Priority { subflow, backup });
    let both = |world: &World| [SubflowId::FIRST, subflow].map(|one| world.manager.is_backup(one));
    assert_eq!(both(&world), [Some(false), Some(true)]);
    world.tell(Event::Priority {
        subflow,
        backup: false,
    });
    assert_eq!(both(&world), [Some(false), Some(false)]);
    // Version 0 speaks of all subflows of an address.
    world.tell(Event::AddressPriority {
        remote_id: 0,
        backup,
    });
    assert_eq!(both(&world), [Some(true), Some(true)]);
}
