// SPDX-License-Identifier: GPL-2.0

//! ADD_ADDR and REMOVE_ADDR, in both directions.

use super::*;
use crate::crypto::{Key, KeyPair, Sha256};
use crate::wire::RemoveAddr;

const FIRST: SubflowId = SubflowId::FIRST;

fn announce(id: u8, address: Address, port: Option<u16>) -> Action {
    Action::Announce {
        announcement: announcement(id, address, port),
        via: FIRST,
    }
}

fn remove(ids: &[u8]) -> Action {
    Action::Remove {
        option: RemoveAddr::new(ids).unwrap(),
        via: FIRST,
    }
}

// rfc8684:3.2-12
#[test]
fn every_signal_endpoint_is_announced_once() {
    let mut world = World::new(&server(), 2, 0);
    world.endpoint(local(1), SIGNAL);
    world.endpoint(local(2), SUBFLOW);
    world.endpoint(v6(1), SIGNAL);
    // The first address is announced by the id that it has, not by that of its endpoint.
    world.endpoint(local(0), SIGNAL);
    let ported = NewEndpoint {
        id: Some(77),
        address: local(0),
        port: Some(8080),
        flags: SIGNAL,
        interface: 0,
    };
    world.endpoints.add(ported).unwrap();
    let announced: Vec<_> = world
        .actions()
        .into_iter()
        .filter(|action| matches!(action, Action::Announce { .. }))
        .collect();
    let expected = [announce(1, local(1), None), announce(3, v6(1), None)];
    assert_eq!(announced, expected);
    // The others before the first are repeated.
    let expected = [
        announce(0, local(0), None),
        announce(77, local(0), Some(8080)),
    ];
    assert_eq!(world.wait(PAUSE), expected);
    assert_eq!(world.actions(), []);
}

#[test]
// rfc8684:3.4.1-8
fn an_announcement_is_repeated_until_its_echo_comes() {
    let mut world = World::new(&server(), 2, 0);
    world.endpoint(local(1), SIGNAL);
    assert_eq!(world.actions(), [announce(1, local(1), None)]);
    assert_eq!(world.wait(200_000), [announce(1, local(1), None)]);
    assert_eq!(world.wait(400_000), [announce(1, local(1), None)]);
    // What is not its echo does not confirm it.
    for other in [
        announcement(2, local(1), None),
        announcement(1, local(2), None),
        announcement(1, local(1), Some(80)),
    ] {
        assert_eq!(world.after(Event::Echoed(other)), []);
        assert!(world.manager.deadline().is_some());
    }
    world.tell(Event::Echoed(announcement(1, local(1), None)));
    assert_eq!(world.manager.deadline(), None);
    assert_eq!(world.wait(3600 * SECOND), []);
}

#[test]
fn an_announcement_is_given_up_after_four_times() {
    let mut world = World::new(&server(), 2, 0);
    world.endpoint(local(1), SIGNAL);
    assert_eq!(world.actions().len(), 1);
    // Before it was ever sent nothing confirms it; here it was.
    for wait in [200_000, 400_000, 800_000] {
        assert_eq!(world.wait(wait).len(), 1);
    }
    assert_eq!(world.wait(1_600_000), []);
    assert_eq!(world.manager.deadline(), None);
}

#[test]
fn the_wait_for_an_echo_follows_the_path() {
    for (name, rto, timeout, wait) in [
        ("fast path", 200_000, 120 * SECOND, 200_000),
        ("slow path", 3_000_000, 120 * SECOND, 3_000_000),
        ("slower than allowed", 3_000_000, SECOND, SECOND),
        ("nothing known of the path", 0, SECOND, SECOND),
    ] {
        let mut world = World::new(&server(), 2, 0);
        world.endpoint(local(1), SIGNAL);
        world.rto = rto;
        world.settings.add_addr_timeout = timeout;
        assert_eq!(world.actions().len(), 1);
        assert_eq!(world.manager.deadline(), Some(wait), "{name}");
    }
}

#[test]
fn an_announcement_is_sent_once_if_it_is_not_to_be_repeated() {
    let mut world = World::new(&server(), 2, 0);
    world.settings.add_addr_timeout = 0;
    world.endpoint(local(1), SIGNAL);
    assert_eq!(world.actions().len(), 1);
    assert_eq!(world.manager.deadline(), None);
    assert_eq!(world.wait(3600 * SECOND), []);
}

#[test]
fn version_zero_knows_no_echo() {
    let version_zero = Opened {
        version: Version::V0,
        ..server()
    };
    let mut world = World::new(&version_zero, 2, 2);
    world.endpoint(local(1), SIGNAL);
    assert_eq!(world.actions(), [announce(1, local(1), None)]);
    assert_eq!(world.manager.deadline(), None);
    let actions = world.after(announced(announcement(4, remote(1), None)));
    assert!(matches!(actions[..], [Action::Open(_)]), "{actions:?}");
}

#[test]
fn every_announcement_is_confirmed_whether_or_not_it_is_used() {
    let mut world = World::new(&client(), 0, 0);
    let told = announcement(4, remote(1), Some(99));
    let echo = Action::Echo {
        announcement: told,
        via: FIRST,
    };
    for _ in 0..3 {
        assert_eq!(world.after(announced(told)), [echo]);
        world.now += PAUSE;
    }
    // One that comes twice before there is time to answer needs one answer.
    world.tell(announced(told));
    assert_eq!(world.after(announced(told)), [echo]);
    assert_eq!(world.manager.accepted(), 0);
}

// rfc8684:3.4.1-12
#[test]
fn a_flood_of_announcements_is_bounded() {
    let mut world = World::new(&client(), 8, 255);
    for id in 1..=255 {
        world.tell(announced(announcement(id, remote(id), None)));
    }
    for _ in 0..MAX_REMOTES / 2 {
        let actions = world.actions();
        let echoes = actions.iter().filter(|a| matches!(a, Action::Echo { .. }));
        assert_eq!(echoes.count(), 2);
        world.now += PAUSE;
    }
    assert_eq!(world.actions(), []);
    assert_eq!(world.manager.accepted(), MAX_REMOTES);
    assert_eq!(world.manager.extra_subflows(), 8);
}

#[test]
// rfc8684:3.4.1-3 rfc8684:3.4.1-4 rfc8684:3.4.1-11
fn accepted_addresses_are_limited_by_id() {
    let mut world = World::new(&client(), 8, 2);
    let mut opened = |id, net, port| {
        world.tell(announced(announcement(id, remote(net), port)));
        world
            .opens()
            .iter()
            .map(|open| open.remote)
            .collect::<Vec<_>>()
    };
    assert_eq!(opened(1, 1, None), [at(remote(1), 80)]);
    // Another port of a known address is another place (RFC 8684 section 3.4.1).
    assert_eq!(opened(1, 1, Some(81)), [at(remote(1), 81)]);
    assert_eq!(opened(2, 2, None), [at(remote(2), 80)]);
    assert_eq!(opened(3, 3, None), []);
    // An id keeps its address, and 0 is the first address.
    assert_eq!(opened(2, 4, None), []);
    assert_eq!(opened(0, 4, None), []);
    assert_eq!(world.manager.accepted(), 2);
    // What is removed makes room.
    world.tell(Event::Removed(RemoveAddr::new(&[1]).unwrap()));
    world.tell(announced(announcement(3, remote(3), None)));
    assert_eq!(world.opens().len(), 1);
    assert_eq!(world.manager.accepted(), 2);
}

#[test]
// rfc8684:3.4.1-6
fn without_a_port_it_is_that_of_the_subflow_that_told() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(1, remote(1), Some(8080))));
    let on = world.join();
    let announcement = announcement(2, remote(2), None);
    world.tell(Event::Announced { announcement, on });
    assert_eq!(world.opens()[0].remote, at(remote(2), 8080));
}

#[test]
// rfc8684:3.4.1-5
fn a_withdrawn_address_is_removed_before_it_is_announced_anew() {
    let mut world = World::new(&server(), 2, 0);
    let old = world.endpoint(local(1), SIGNAL);
    assert_eq!(world.actions().len(), 1);
    world.tell(Event::Echoed(announcement(1, local(1), None)));
    world.now += PAUSE;
    world.endpoints.remove(old.id).unwrap();
    world.tell(Event::EndpointGone(old));
    let again = NewEndpoint {
        id: Some(old.id),
        address: local(2),
        port: None,
        flags: SIGNAL,
        interface: 0,
    };
    let new = world.endpoints.add(again).unwrap();
    let actions = world.after(Event::EndpointReady(new));
    assert_eq!(actions, [remove(&[1]), announce(1, local(2), None)]);
    // The echo of the old one is none of the new one.
    world.tell(Event::Echoed(announcement(1, local(1), None)));
    assert_eq!(world.manager.deadline(), Some(world.now + 200_000));
}

#[test]
fn what_the_peer_never_heard_of_needs_no_removal() {
    let mut world = World::new(&server(), 0, 0);
    let unannounced = world.endpoint(local(1), SUBFLOW);
    let implicit = world.endpoints.id_of(local(2)).unwrap();
    assert_eq!(world.actions(), []);
    for id in [unannounced.id, implicit] {
        let gone = world.endpoints.remove(id).unwrap();
        assert_eq!(world.after(Event::EndpointGone(gone)), []);
    }
}

#[test]
// rfc8684:3.4.1-10
fn no_more_than_two_options_in_a_row_go_out_on_a_subflow() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    let second = world.join();
    for net in 2..=6 {
        world.endpoint(local(net), SIGNAL);
    }
    let via = |action: &Action| match action {
        Action::Announce { via, .. } | Action::Remove { via, .. } => *via,
        Action::Priority { subflow, .. } => *subflow,
        other => panic!("{other:?}"),
    };
    let said: Vec<_> = world.actions().iter().map(via).collect();
    assert_eq!(said, [FIRST, FIRST, second, second]);
    // What changes meanwhile waits too, and comes before more announcements.
    let backup = world.endpoints.set_flags(endpoint.id, true, false);
    assert_eq!(world.after(Event::EndpointChanged(backup.unwrap())), []);
    let said: Vec<_> = world.wait(PAUSE).iter().map(via).collect();
    assert_eq!(said, [second, FIRST, FIRST, second]);
    // With a long round trip the pause is longer.
    let mut far = World::new(&server(), 0, 0);
    far.rto = 3_000_000;
    for net in 1..=3 {
        far.endpoint(local(net), SIGNAL);
    }
    assert_eq!(far.actions().len(), 2);
    let said = far.wait(3_000_000);
    assert_eq!(said[0], announce(3, local(3), None));
    assert_eq!(said.len(), 2);
}

// rfc8684:3.4.2-9
#[test]
fn removals_are_gathered_into_options_that_every_peer_reads() {
    let mut world = World::new(&server(), 2, 0);
    let ids = 1..=8_u8;
    let all: Vec<_> = ids.map(|net| world.endpoint(local(net), SIGNAL)).collect();
    for _ in 0..4 {
        assert_eq!(world.actions().len(), 2);
        world.now += PAUSE;
    }
    let first = world.endpoints.id_of(local(0));
    assert_eq!(first, Err(EndpointError::Full));
    world.endpoints.flush();
    for endpoint in all {
        world.tell(Event::EndpointGone(endpoint));
    }
    world.tell(Event::FirstWithdrawn);
    // The first subflow leaves too, so what there is to say waits for another.
    let close = Action::Close {
        subflow: FIRST,
        farewell: Farewell::Fin,
    };
    assert_eq!(world.actions(), [close]);
    let request = JoinRequest {
        local: at(local(0), 80),
        remote: at(remote(1), 6000),
        remote_id: 3,
        backup: false,
    };
    let admitted = world.with(|manager, context| manager.admit(&request, context));
    let via = admitted.unwrap().subflow;
    let removed: Vec<_> = world
        .after(Event::Live { subflow: via })
        .into_iter()
        .map(|action| match action {
            Action::Remove { option, via: on } if on == via => option.ids().to_vec(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(removed, [std::vec![0, 1, 2, 3, 4, 5, 6, 7], std::vec![8]]);
}

/// Adds up what it is given; good enough to tell keys and messages apart.
struct Sum;

impl Sha256 for Sum {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut digest = [0_u8; 32];
        let bytes = parts.iter().flat_map(|part| part.iter());
        for (at, byte) in bytes.enumerate() {
            let place = &mut digest[31 - at % 8];
            *place = place.wrapping_mul(31).wrapping_add(*byte).wrapping_add(7);
        }
        digest
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
        self.hash(&[&[key], message].concat())
    }
}

#[test]
// rfc8684:3.4.1-7
fn an_announcement_needs_the_code_of_the_peer() {
    let keys = KeyPair {
        sender: Key::new(1),
        receiver: Key::new(2),
    };
    for what in [
        announcement(4, remote(1), None),
        announcement(4, remote(1), Some(8080)),
        announcement(5, v6(1), None),
    ] {
        let option = what.signed(keys, &Sum);
        assert_eq!(Announcement::verified(&option, keys, &Sum), Some(what));
        assert_eq!(Announcement::verified(&option, keys.reversed(), &Sum), None);
        let mut forged = option;
        forged.address_id = 9;
        assert_eq!(Announcement::verified(&forged, keys, &Sum), None);
        assert_eq!(Announcement::verified(&option.echo(), keys, &Sum), None);
        assert_eq!(what.echo(), option.echo());
        assert_eq!(Announcement::of(&option), what);
    }
}
