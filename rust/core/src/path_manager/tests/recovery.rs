// SPDX-License-Identifier: GPL-2.0

//! Paths that fail, go away and come back.

use super::path::{FIRST_REST, LASTING, LONGEST_FAREWELL, LONGEST_REST, STEADY};
use super::*;

#[test]
fn the_last_subflow_outlives_its_address() {
    let mut world = World::new(&client(), 2, 0);
    assert_eq!(world.after(Event::AddressGone(local(0))), []);
    world.endpoint(local(1), SUBFLOW);
    let second = world.join();
    let close = Action::Close {
        subflow: SubflowId::FIRST,
        farewell: Farewell::RESET,
    };
    assert!(world.after(Event::AddressGone(local(0))).contains(&close));
    assert_eq!(world.after(Event::AddressGone(local(1))), []);
    assert_eq!(world.manager.is_backup(second), Some(false));
}
use crate::wire::{MpTcpRst, RemoveAddr, ResetReason};

fn reset(transient: bool) -> End {
    let reason = ResetReason::MIDDLEBOX_INTERFERENCE;
    End::Reset(Some(MpTcpRst { transient, reason }))
}

fn removed(ids: &[u8]) -> Event {
    Event::Removed(RemoveAddr::new(ids).unwrap())
}

/// Whether the subflow is opened once more, at some time.
fn is_retried(world: &mut World) -> bool {
    assert_eq!(world.actions(), []);
    match world.manager.deadline() {
        Some(deadline) => {
            world.now = deadline;
            world.opens().len() == 1
        }
        None => false,
    }
}

#[test]
// rfc8684:3.4.1-2 rfc8684:3.6-4 rfc8684:3.9.3-1
fn whether_a_path_is_tried_again() {
    // Columns: the peer's first address before and after the subflow worked, then an address that
    // the peer announced, before and after.
    for (end, expected) in [
        (End::Unreachable, [true, true, false, true]),
        (End::Reset(None), [false, true, false, true]),
        (reset(true), [true, true, true, true]),
        (reset(false), [false; 4]),
        (End::Finished, [false; 4]),
        (End::Refused, [false; 4]),
    ] {
        let mut found = [false; 4];
        for (at, found) in found.iter_mut().enumerate() {
            let (is_announced, worked) = (at >= 2, at % 2 == 1);
            let mut world = World::new(&client(), 8, 8);
            match is_announced {
                true => world.tell(announced(announcement(5, remote(5), None))),
                false => drop(world.endpoint(local(1), SUBFLOW)),
            }
            let subflow = world.opens()[0].subflow;
            if worked {
                world.tell(Event::Live { subflow });
            }
            world.ended(subflow, end);
            *found = is_retried(&mut world);
        }
        assert_eq!(found, expected, "{end:?}");
    }
}

#[test]
// rfc8684:3.6-3
fn a_condition_that_lasts_is_waited_for_longer() {
    let lasting = FIRST_REST << LASTING;
    for (reason, rest) in [
        (ResetReason::UNSPECIFIED, FIRST_REST),
        (ResetReason::MPTCP_SPECIFIC, FIRST_REST),
        (ResetReason::LACK_OF_RESOURCES, lasting),
        (ResetReason::ADMINISTRATIVELY_PROHIBITED, FIRST_REST),
        (ResetReason::TOO_MUCH_OUTSTANDING_DATA, FIRST_REST),
        (ResetReason::UNACCEPTABLE_PERFORMANCE, lasting),
        (ResetReason::MIDDLEBOX_INTERFERENCE, lasting),
        (ResetReason(7), FIRST_REST),
    ] {
        let mut world = World::new(&client(), 8, 0);
        world.endpoint(local(1), SUBFLOW);
        let end = End::Reset(Some(MpTcpRst {
            transient: true,
            reason,
        }));
        let subflow = world.join();
        assert_eq!(world.ended(subflow, end), []);
        assert_eq!(
            world.manager.deadline(),
            Some(world.now + rest),
            "{reason:?}"
        );
        // From there on it doubles.
        world.now += rest;
        let subflow = world.opens()[0].subflow;
        assert_eq!(world.ended(subflow, end), []);
        assert_eq!(
            world.manager.deadline(),
            Some(world.now + 2 * rest),
            "{reason:?}"
        );
    }
}

#[test]
fn an_announced_address_that_once_worked_is_tried_more_than_once() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), None)));
    let mut subflow = world.join();
    for _ in 0..3 {
        assert_eq!(world.ended(subflow, End::Unreachable), []);
        world.now = world.manager.deadline().unwrap();
        subflow = world.opens()[0].subflow;
    }
}

#[test]
fn the_rest_grows_with_every_failure() {
    let mut world = World::new(&client(), 8, 0);
    world.endpoint(local(1), SUBFLOW);
    let mut rest = FIRST_REST;
    let mut subflow = world.join();
    for _ in 0..20 {
        assert_eq!(world.ended(subflow, End::Unreachable), []);
        let actions = world.wait(rest);
        let [Action::Open(open)] = actions[..] else {
            panic!("{actions:?}");
        };
        assert_ne!(open.subflow, subflow, "a new subflow has a new name");
        subflow = open.subflow;
        rest = LONGEST_REST.min(rest * 2);
    }
    assert_eq!(rest, LONGEST_REST);

    // To live a little is not enough, ...
    world.tell(Event::Live { subflow });
    world.now += STEADY - 1;
    assert_eq!(world.ended(subflow, End::Unreachable), []);
    assert_eq!(world.manager.deadline(), Some(world.now + LONGEST_REST));
    world.now += LONGEST_REST;
    let subflow = world.join();
    // ... to live for long is.
    world.now += STEADY;
    assert_eq!(world.ended(subflow, End::Unreachable), []);
    assert_eq!(world.manager.deadline(), Some(world.now + FIRST_REST));
}

#[test]
fn an_end_that_is_told_twice_is_one_end() {
    let mut world = World::new(&client(), 8, 0);
    world.endpoint(local(1), SUBFLOW);
    let subflow = world.join();
    for _ in 0..3 {
        assert_eq!(world.ended(subflow, End::Unreachable), []);
        assert_eq!(world.manager.deadline(), Some(FIRST_REST));
    }
}

#[test]
// rfc8684:3.4.2-1 rfc8684:3.4.2-6
fn a_lost_address_fails_over_at_once_and_is_used_again() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW.with(SIGNAL));
    let subflow = world.join();
    world.endpoints.set_usable(&local(1), false);
    let ids = RemoveAddr::new(&[endpoint.id]).unwrap();
    let expected = [
        Action::Remove {
            option: ids,
            via: SubflowId::FIRST,
        },
        Action::Close {
            subflow,
            farewell: Farewell::RESET,
        },
    ];
    assert_eq!(world.after(Event::AddressGone(local(1))), expected);
    assert_eq!(world.after(Event::AddressGone(local(1))), []);
    assert_eq!(world.wait(3600 * SECOND), []);

    world.endpoints.set_usable(&local(1), true);
    let actions = world.after(Event::AddressReady(local(1)));
    assert!(matches!(
        actions[..],
        [Action::Announce { .. }, Action::Open(_)]
    ));
}

#[test]
fn an_address_that_comes_back_ends_the_rest() {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    for event in [
        Event::EndpointReady(endpoint),
        Event::AddressReady(local(1)),
    ] {
        for end in [End::Unreachable, reset(false)] {
            let subflow = world.join();
            assert_eq!(world.ended(subflow, end), []);
            world.tell(event);
        }
    }
    world.join();
}

#[test]
fn the_first_subflow_is_opened_again_by_the_client() {
    let mut world = World::new(&client(), 1, 0);
    assert_eq!(world.ended(SubflowId::FIRST, End::Unreachable), []);
    let again = world.wait(FIRST_REST);
    let [Action::Open(open)] = again[..] else {
        panic!("{again:?}");
    };
    let side = LocalSide {
        id: 0,
        address: local(0),
        interface: 0,
    };
    assert_eq!(
        (open.local, open.remote, open.remote_id),
        (Some(side), at(remote(0), 80), 0)
    );

    let mut world = World::new(&server(), 1, 0);
    assert_eq!(world.ended(SubflowId::FIRST, End::Unreachable), []);
    assert_eq!(world.wait(3600 * SECOND), []);
}

/// A client with a subflow from an endpoint, which is removed.
fn withdrawn() -> (World, Endpoint, SubflowId) {
    let mut world = World::new(&client(), 8, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    let subflow = world.join();
    world.endpoints.remove(endpoint.id).unwrap();
    let option = RemoveAddr::new(&[endpoint.id]).unwrap();
    let via = SubflowId::FIRST;
    let farewell = Farewell::Fin;
    let expected = [
        Action::Remove { option, via },
        Action::Close { subflow, farewell },
    ];
    assert_eq!(world.after(Event::EndpointGone(endpoint)), expected);
    (world, endpoint, subflow)
}

// rfc8684:3.4.2-8
#[test]
fn a_subflow_that_works_ends_in_order_when_its_endpoint_is_removed() {
    let (mut world, _, subflow) = withdrawn();
    assert_eq!(world.manager.extra_subflows(), 0);
    assert_eq!(world.ended(subflow, End::Finished), []);
    assert_eq!(world.wait(3600 * SECOND), []);
}

#[test]
fn a_peer_that_does_not_end_its_half_is_reset() {
    let (mut world, _, subflow) = withdrawn();
    let farewell = Farewell::RESET;
    let close = Action::Close { subflow, farewell };
    assert_eq!(world.wait(LONGEST_FAREWELL), [close]);
    assert_eq!(world.wait(3600 * SECOND), []);
}

#[test]
fn an_endpoint_that_is_added_again_waits_for_the_end_of_its_subflow() {
    let (mut world, _, subflow) = withdrawn();
    let again = world.endpoint(local(1), SUBFLOW);
    let _ = world.after(Event::EndpointReady(again));
    let actions = world.ended(subflow, End::Finished);
    assert!(matches!(actions[..], [] | [Action::Open(_)]), "{actions:?}");
    assert_eq!(world.manager.extra_subflows(), 1);
}

#[test]
fn an_address_that_is_removed_and_announced_by_another_id_is_used_again() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), Some(8080))));
    let subflow = world.join();
    world.tell(removed(&[5]));
    world.tell(announced(announcement(6, remote(5), Some(8080))));
    assert_eq!(world.opens(), [], "there is a subflow to it");
    world.tell(Event::SubflowEnded {
        subflow,
        end: End::Finished,
    });
    assert_eq!(world.opens().len(), 1);
}

#[test]
fn the_first_address_can_go_and_come_back() {
    let mut world = World::new(&client(), 2, 0);
    world.endpoint(local(1), SUBFLOW);
    let other = world.join();
    let actions = world.after(Event::AddressGone(local(0)));
    let option = RemoveAddr::new(&[0]).unwrap();
    let farewell = Farewell::RESET;
    let subflow = SubflowId::FIRST;
    let via = other;
    let expected = [
        Action::Remove { option, via },
        Action::Close { subflow, farewell },
    ];
    assert_eq!(actions, expected);
    assert_eq!(world.wait(3600 * SECOND), []);
    world.tell(Event::AddressReady(local(0)));
    let open = world.opens()[0];
    assert_eq!(open.local.map(|local| local.id), Some(0));
}

#[test]
fn a_join_says_what_an_id_means_now() {
    let mut world = World::new(&client(), 2, 0);
    let endpoint = world.endpoint(local(1), SUBFLOW);
    world.join();
    // All subflows go, so that no REMOVE_ADDR can be sent.
    world.endpoints.set_usable(&local(1), false);
    world.tell(Event::AddressGone(local(1)));
    world.ended(SubflowId::FIRST, End::Unreachable);
    world.endpoints.set_usable(&local(1), true);
    world.tell(Event::AddressReady(local(1)));
    let subflow = world.opens()[0].subflow;
    // The removal would hit the new subflow.
    assert_eq!(world.after(Event::Live { subflow }), []);
    assert_eq!(endpoint.id, 1);
}

#[test]
// rfc8684:3.4.2-2 rfc8684:3.4.2-6
fn a_removed_address_is_tested_before_its_subflows_are_closed() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), None)));
    let subflow = world.join();
    let probe = Action::Probe { subflow };
    assert_eq!(world.after(removed(&[5, 77])), [probe]);
    assert_eq!(world.wait(200_000), [probe]);
    assert_eq!(world.wait(400_000), [probe]);
    let farewell = Farewell::RESET;
    assert_eq!(world.wait(800_000), [Action::Close { subflow, farewell }]);
    assert_eq!(world.wait(3600 * SECOND), []);
    assert_eq!(world.manager.accepted(), 0);
}

#[test]
// rfc8684:3.4.2-3
fn a_subflow_of_a_removed_address_that_answers_stays() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), None)));
    let subflow = world.join();
    world.tell(removed(&[5]));
    // What was heard before the question is no answer.
    world.tell(Event::Heard { subflow });
    assert_eq!(world.actions(), [Action::Probe { subflow }]);
    world.tell(Event::Heard { subflow });
    assert_eq!(world.wait(3600 * SECOND), []);
    // But no other subflow goes there.
    world.ended(subflow, End::Unreachable);
    assert_eq!(world.actions(), []);
    assert_eq!(world.manager.deadline(), None);
}

#[test]
// rfc8684:3.4.2-7
fn a_removal_of_an_unknown_id_changes_nothing() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), None)));
    world.join();
    assert_eq!(world.after(removed(&[4, 6, 255])), []);
    assert_eq!(world.wait(3600 * SECOND), []);
    assert_eq!(world.manager.accepted(), 1);
    assert_eq!(world.manager.extra_subflows(), 1);
}

#[test]
// rfc8684:3.4.2-4
fn nobody_joins_a_first_address_that_was_removed() {
    let mut world = World::new(&client(), 8, 0);
    assert_eq!(world.after(removed(&[0])).len(), 1);
    world.tell(Event::Heard {
        subflow: SubflowId::FIRST,
    });
    world.endpoint(local(1), SUBFLOW);
    assert_eq!(world.actions(), []);
    world.tell(announced(announcement(0, remote(0), None)));
    world.join();
}

#[test]
fn a_subflow_that_is_being_opened_to_a_removed_address_is_dropped() {
    let mut world = World::new(&client(), 8, 8);
    world.tell(announced(announcement(5, remote(5), None)));
    let subflow = world.opens()[0].subflow;
    let farewell = Farewell::RESET;
    assert_eq!(
        world.after(removed(&[5])),
        [Action::Close { subflow, farewell }]
    );
    assert_eq!(world.manager.extra_subflows(), 0);
}

#[test]
fn an_address_that_is_announced_again_is_tried_again() {
    let mut world = World::new(&client(), 8, 8);
    let told = announced(announcement(5, remote(5), None));
    world.tell(told);
    let subflow = world.opens()[0].subflow;
    assert_eq!(world.ended(subflow, End::Unreachable), []);
    assert_eq!(world.wait(3600 * SECOND), []);
    world.tell(told);
    assert_eq!(world.opens().len(), 1);
}

#[test]
fn a_peer_cannot_make_us_flood_a_third_host() {
    let mut world = World::new(&client(), 2, 2);
    let mut opened = 0;
    // A hundred tries in a tenth of a second each: announce, refuse, remove.
    for _ in 0..100 {
        world.tell(announced(announcement(5, remote(5), None)));
        for open in world.opens() {
            opened += 1;
            world.ended(open.subflow, End::Reset(None));
        }
        world.tell(removed(&[5]));
        world.now += SECOND / 10;
    }
    assert_eq!(opened, 16 + 9);
    // What has to wait is opened when its time comes.
    for id in [6, 7] {
        world.tell(announced(announcement(id, remote(id), None)));
    }
    assert_eq!(world.opens().len(), 1);
    let before = world.now;
    while world.opens().is_empty() {
        world.now = world.manager.deadline().unwrap();
    }
    assert_eq!(world.now, before + SECOND);
}
