// SPDX-License-Identifier: GPL-2.0

//! A program manages the paths.

use super::*;
use crate::wire::RemoveAddr;

fn world(opened: &Opened) -> World {
    let mut world = World::new(opened, 0, 0);
    world.settings.mode = Mode::Userspace { listening: true };
    world
}

fn command(world: &mut World, command: Command) -> Result<Option<Open>, CommandError> {
    world.with(|manager, context| manager.command(&command, context))
}

fn open(id: u8, address: Address, to: SocketAddress) -> Command {
    Command::Open {
        local: LocalSide {
            id,
            address,
            interface: 0,
        },
        remote: to,
        remote_id: 5,
        backup: false,
    }
}

#[test]
fn endpoints_mean_nothing() {
    let mut world = world(&client());
    let endpoint = world.endpoint(local(1), SIGNAL.with(SUBFLOW));
    world.settings.limits.extra_subflows = 8;
    world.settings.subflows_per_pair = 8;
    for event in [
        Event::EndpointReady(endpoint),
        Event::EndpointChanged(endpoint),
        Event::EndpointGone(endpoint),
        Event::AddressGone(local(0)),
    ] {
        assert_eq!(world.after(event), []);
    }
}

#[test]
fn addresses_are_announced_and_withdrawn_on_command() {
    let mut world = world(&server());
    let what = announcement(7, local(1), None);
    let via = SubflowId::FIRST;
    let told = Action::Announce {
        announcement: what,
        via,
    };
    for _ in 0..2 {
        assert_eq!(command(&mut world, Command::Announce(what)), Ok(None));
        assert_eq!(world.actions(), [told]);
    }
    assert_eq!(world.wait(200_000), [told]);
    let withdraw = Command::Withdraw { address_id: 7 };
    assert_eq!(command(&mut world, withdraw), Ok(None));
    let option = RemoveAddr::new(&[7]).unwrap();
    assert_eq!(world.actions(), [Action::Remove { option, via }]);
    assert_eq!(command(&mut world, withdraw), Err(CommandError::Unknown));
    // The first address can be withdrawn while its subflow stays.
    let first = Command::Withdraw { address_id: 0 };
    assert_eq!(command(&mut world, first), Ok(None));
    assert_eq!(world.wait(PAUSE).len(), 1);
}

#[test]
fn a_withdrawal_travels_on_a_subflow_that_it_does_not_concern() {
    let mut world = world(&client());
    let opened = command(&mut world, open(3, local(1), at(remote(0), 80)));
    let via = opened.unwrap().unwrap().subflow;
    world.tell(Event::Live { subflow: via });
    let first = Command::Withdraw { address_id: 0 };
    assert_eq!(command(&mut world, first), Ok(None));
    let option = RemoveAddr::new(&[0]).unwrap();
    assert_eq!(world.actions(), [Action::Remove { option, via }]);
}

#[test]
fn an_echo_of_what_was_never_sent_confirms_nothing() {
    let mut world = world(&server());
    let what = announcement(7, local(1), None);
    assert_eq!(command(&mut world, Command::Announce(what)), Ok(None));
    world.tell(Event::Echoed(what));
    assert_eq!(world.actions().len(), 1);
}

#[test]
fn announcements_are_bounded() {
    let mut world = world(&server());
    for id in 1..=16 {
        let what = announcement(id, local(id), None);
        assert_eq!(command(&mut world, Command::Announce(what)), Ok(None));
    }
    let one_more = Command::Announce(announcement(17, local(17), None));
    assert_eq!(command(&mut world, one_more), Err(CommandError::NoRoom));
}

#[test]
fn subflows_are_opened_closed_and_rated_on_command() {
    let mut world = world(&client());
    let to = at(remote(5), 80);
    let opened = command(&mut world, open(3, local(1), to)).unwrap().unwrap();
    assert_eq!((opened.remote, opened.remote_id), (to, 5));
    let subflow = opened.subflow;
    assert_eq!(world.after(Event::Live { subflow }), []);
    let backup = true;
    let priority = Command::Priority { subflow, backup };
    assert_eq!(command(&mut world, priority), Ok(None));
    assert_eq!(world.actions(), [Action::Priority { subflow, backup }]);
    assert_eq!(command(&mut world, Command::Close { subflow }), Ok(None));
    let farewell = Farewell::Fin;
    assert_eq!(world.actions(), [Action::Close { subflow, farewell }]);
    for gone in [Command::Close { subflow }, priority] {
        assert_eq!(command(&mut world, gone), Err(CommandError::Unknown));
    }
}

#[test]
fn commands_that_cannot_be_obeyed_change_nothing() {
    let mut world = world(&client());
    let to = at(remote(5), 80);
    let mixed = open(3, v6(1), to);
    assert_eq!(command(&mut world, mixed), Err(CommandError::Family));
    for _ in 1..MAX_SUBFLOWS {
        assert!(command(&mut world, open(3, local(1), to)).is_ok());
    }
    assert_eq!(
        command(&mut world, open(3, local(1), to)),
        Err(CommandError::NoRoom)
    );
    world.settings.mode = Mode::Kernel;
    assert_eq!(
        command(&mut world, open(3, local(1), to)),
        Err(CommandError::NotInCharge)
    );
    world.settings.mode = Mode::Userspace { listening: true };
    world.tell(Event::Ended);
    assert_eq!(
        command(&mut world, open(3, local(1), to)),
        Err(CommandError::NotNow)
    );
}

#[test]
fn a_family_that_the_socket_does_not_speak_is_refused() {
    let v4_only = Opened {
        families: Families {
            v4: true,
            v6: false,
        },
        ..client()
    };
    let mut world = world(&v4_only);
    let six = open(3, v6(1), at(v6(2), 80));
    assert_eq!(command(&mut world, six), Err(CommandError::Family));
}

#[test]
fn the_peer_is_confirmed_but_not_followed() {
    let mut world = world(&client());
    world.settings.limits.accepted_addresses = 8;
    let told = announcement(5, remote(5), None);
    let echo = Action::Echo {
        announcement: told,
        via: SubflowId::FIRST,
    };
    assert_eq!(world.after(announced(told)), [echo]);
    // What fails is the program's matter.
    let opened = command(&mut world, open(3, local(1), at(remote(5), 80)));
    let subflow = opened.unwrap().unwrap().subflow;
    assert_eq!(world.ended(subflow, End::Unreachable), []);
    assert_eq!(world.wait(3600 * SECOND), []);
    // Removed addresses are tested as ever.
    let removed = Event::Removed(RemoveAddr::new(&[0]).unwrap());
    let probe = Action::Probe {
        subflow: SubflowId::FIRST,
    };
    assert_eq!(world.after(removed), [probe]);
}

#[test]
fn joins_are_let_in_while_the_program_is_there() {
    let mut world = world(&server());
    let request = JoinRequest {
        local: at(local(0), 80),
        remote: at(remote(1), 6000),
        remote_id: 3,
        backup: false,
    };
    let mut admit = |listening| {
        world.settings.mode = Mode::Userspace { listening };
        world
            .with(|manager, context| manager.admit(&request, context))
            .map(|admitted| admitted.local_id)
    };
    assert_eq!(admit(true), Ok(0));
    assert_eq!(admit(false), Err(Refusal::Limit));
}
