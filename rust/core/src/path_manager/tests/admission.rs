// SPDX-License-Identifier: GPL-2.0

//! Subflows that the peer opens.

use super::*;
use crate::wire::{MpTcpRst, ResetReason};

fn request(to: SocketAddress) -> JoinRequest {
    JoinRequest {
        local: to,
        remote: at(remote(1), 6000),
        remote_id: 3,
        backup: false,
    }
}

fn admit(world: &mut World, request: &JoinRequest) -> Result<Admitted, Refusal> {
    world.with(|manager, context| manager.admit(request, context))
}

#[test]
fn joins_are_counted_and_limited() {
    let mut world = World::new(&server(), 2, 0);
    let to = at(local(0), 80);
    let one = admit(&mut world, &request(to)).unwrap();
    let two = admit(&mut world, &request(to)).unwrap();
    assert_ne!(one.subflow, two.subflow);
    assert_eq!((one.local_id, one.backup), (0, false));
    assert_eq!(admit(&mut world, &request(to)), Err(Refusal::Limit));
    // A join of the peer that fails, or ends, makes room and is not ours to repeat.
    for end in [
        End::Unreachable,
        End::Finished,
        End::Reset(None),
        End::Refused,
    ] {
        let subflow = one.subflow;
        world.tell(Event::SubflowEnded { subflow, end });
        assert_eq!(world.manager.extra_subflows(), 1);
    }
    assert_eq!(world.wait(3600 * SECOND), []);
    assert!(admit(&mut world, &request(to)).is_ok());
}

#[test]
fn joins_come_to_addresses_and_ports_that_the_peer_may_know() {
    let mut world = World::new(&server(), 8, 0);
    let plain = world.endpoint(local(1), BACKUP);
    let ported = NewEndpoint {
        id: None,
        address: local(2),
        port: Some(8080),
        flags: SIGNAL,
        interface: 0,
    };
    let ported = world.endpoints.add(ported).unwrap();
    assert_eq!(
        admit(&mut world, &request(at(local(2), 8080))),
        Err(Refusal::Port),
        "not announced yet"
    );
    assert_eq!(world.actions().len(), 1);
    for (to, expected) in [
        (at(local(0), 80), Ok((0, false))),
        (at(local(1), 80), Ok((plain.id, true))),
        (at(local(2), 8080), Ok((ported.id, false))),
        (at(local(1), 8080), Err(Refusal::Port)),
        (at(local(0), 81), Err(Refusal::Port)),
        (at(local(3), 80), Err(Refusal::UnknownAddress)),
    ] {
        let admitted = admit(&mut world, &request(to));
        let found = admitted.map(|admitted| (admitted.local_id, admitted.backup));
        assert_eq!(found, expected, "{to:?}");
    }
    let id = world.endpoints.id_of(local(3)).unwrap();
    let admitted = admit(&mut world, &request(at(local(3), 80)));
    assert_eq!(admitted.map(|admitted| admitted.local_id), Ok(id));
}

#[test]
fn joins_to_a_first_address_that_we_deny_are_refused() {
    let denies = Opened {
        denies: true,
        ..server()
    };
    let mut world = World::new(&denies, 8, 0);
    world.endpoint(local(1), SIGNAL);
    assert_eq!(
        admit(&mut world, &request(at(local(0), 80))),
        Err(Refusal::Denied)
    );
    assert!(admit(&mut world, &request(at(local(1), 80))).is_ok());
}

#[test]
fn joins_are_refused_when_they_come_too_early_or_too_late() {
    let mut world = World::new(&server(), 8, 0);
    let to = request(at(local(0), 80));
    world.manager = PathManager::new(&server(), 0);
    assert_eq!(admit(&mut world, &to), Err(Refusal::NotNow));
    world.tell(Event::FullyEstablished);
    assert!(admit(&mut world, &to).is_ok());
    world.tell(Event::Ended);
    assert_eq!(admit(&mut world, &to), Err(Refusal::Over));
}

#[test]
fn the_syn_tells_already_whether_it_comes_to_the_wrong_place() {
    let denies = Opened {
        denies: true,
        ..server()
    };
    let manager = PathManager::new(&denies, 0);
    for (to, expected) in [
        (at(local(0), 80), Err(Refusal::Denied)),
        (at(local(1), 80), Ok(())),
        (at(local(1), 81), Err(Refusal::Port)),
    ] {
        assert_eq!(manager.may_come_to(&to), expected, "{to:?}");
    }
}

#[test]
fn there_is_room_for_so_many_subflows() {
    let mut world = World::new(&server(), 255, 0);
    let to = request(at(local(0), 80));
    for _ in 1..MAX_SUBFLOWS {
        assert!(admit(&mut world, &to).is_ok());
    }
    assert_eq!(admit(&mut world, &to), Err(Refusal::NoRoom));
}

#[test]
fn a_join_of_the_peer_serves_as_ours() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    let to = at(local(1), 5000);
    let join = JoinRequest {
        remote_id: 0,
        backup: true,
        ..request(to)
    };
    let admitted = admit(&mut world, &join).unwrap();
    assert_eq!(admitted.local_id, endpoint.id);
    assert_eq!(world.actions(), [], "from there to there is one already");
    assert_eq!(world.manager.is_backup(admitted.subflow), Some(true));
}

// rfc8684:3.2-2 rfc8684:3.2-14
#[test]
fn the_reset_tells_why_and_whether_it_passes() {
    let prohibited = ResetReason::ADMINISTRATIVELY_PROHIBITED;
    for (refusal, reason, transient) in [
        (Refusal::NotNow, ResetReason::MPTCP_SPECIFIC, true),
        (Refusal::Over, ResetReason::MPTCP_SPECIFIC, false),
        (Refusal::Limit, ResetReason::MPTCP_SPECIFIC, false),
        (Refusal::NoRoom, ResetReason::LACK_OF_RESOURCES, true),
        (Refusal::Denied, prohibited, false),
        (Refusal::Port, prohibited, false),
        (Refusal::UnknownAddress, prohibited, false),
    ] {
        assert_eq!(refusal.rst(), MpTcpRst { transient, reason });
    }
}
