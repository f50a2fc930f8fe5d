// SPDX-License-Identifier: GPL-2.0

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::vec::Vec;

const SIGNAL: EndpointFlags = EndpointFlags::SIGNAL;
const SUBFLOW: EndpointFlags = EndpointFlags::SUBFLOW;
const BACKUP: EndpointFlags = EndpointFlags::BACKUP;
const FULLMESH: EndpointFlags = EndpointFlags::FULLMESH;
const IMPLICIT: EndpointFlags = EndpointFlags::IMPLICIT;
const NO_FLAGS: EndpointFlags = EndpointFlags(0);

fn address(last: u8) -> Address {
    Address::V4([192, 0, 2, last])
}

fn new(last: u8, flags: EndpointFlags) -> NewEndpoint {
    NewEndpoint {
        id: None,
        address: address(last),
        port: None,
        flags,
        interface: 0,
    }
}

#[test]
fn flags_are_those_of_the_netlink_interface() {
    let both = SIGNAL.with(BACKUP);
    assert_eq!(both.bits(), 5);
    assert_eq!(EndpointFlags::from_bits(5), Some(both));
    assert_eq!(EndpointFlags::from_bits(63).map(|all| all.bits()), Some(63));
    assert_eq!(EndpointFlags::from_bits(64), None);
    assert_eq!(EndpointFlags::from_bits(0x8000_0001), None);
    assert!(both.has(SIGNAL) && !both.has(SIGNAL.with(SUBFLOW)));
    assert_eq!(both.without(SIGNAL), BACKUP);
}

#[test]
fn endpoints_that_make_no_sense_are_refused() {
    for (name, port, id, flags, expected) in [
        ("plain", None, None, SUBFLOW, None),
        ("signal, port", Some(80), None, SIGNAL, None),
        ("signal and subflow", None, None, SIGNAL.with(SUBFLOW), None),
        ("no flag at all", None, Some(9), NO_FLAGS, None),
        ("laminar", None, None, EndpointFlags::LAMINAR, None),
        (
            "port, no signal",
            Some(80),
            None,
            SUBFLOW,
            Some(EndpointError::PortNeedsSignal),
        ),
        (
            "port, subflow",
            Some(80),
            None,
            SIGNAL.with(SUBFLOW),
            Some(EndpointError::PortNeedsSignal),
        ),
        (
            "signal, fullmesh",
            None,
            None,
            SIGNAL.with(FULLMESH),
            Some(EndpointError::SignalledFullmesh),
        ),
        (
            "implicit",
            None,
            None,
            IMPLICIT,
            Some(EndpointError::Implicit),
        ),
        ("id 0", None, Some(0), SUBFLOW, Some(EndpointError::IdZero)),
    ] {
        let wanted = NewEndpoint {
            id,
            port,
            ..new(1, flags)
        };
        let mut table = Endpoints::<4>::new();
        assert_eq!(table.add(wanted).err(), expected, "{name}");
        assert_eq!(
            table.view().iter().count(),
            usize::from(expected.is_none()),
            "{name}"
        );
    }
}

#[test]
fn ids_and_addresses_are_taken_once() {
    let mut table = Endpoints::<3>::default();
    let with_id = |last, id| NewEndpoint {
        id: Some(id),
        ..new(last, SIGNAL)
    };
    assert_eq!(table.add(with_id(1, 7)).map(|e| e.id), Ok(7));
    assert_eq!(table.add(with_id(2, 7)), Err(EndpointError::IdTaken));
    assert_eq!(table.add(with_id(1, 7)), Err(EndpointError::IdTaken));
    assert_eq!(table.add(new(1, SUBFLOW)), Err(EndpointError::AddressTaken));
    // One address may be announced with several ports.
    let ported = NewEndpoint {
        port: Some(8080),
        ..new(1, SIGNAL)
    };
    assert_eq!(
        table.add(ported).map(|e| (e.id, e.port)),
        Ok((8, Some(8080)))
    );
    assert_eq!(table.add(new(3, SUBFLOW)).map(|e| e.id), Ok(9));
    assert_eq!(table.add(new(4, SUBFLOW)), Err(EndpointError::Full));
    assert_eq!(
        table.view().at(&address(1), Some(8080)).map(|e| e.id),
        Some(8)
    );
    assert_eq!(table.view().at(&address(1), None).map(|e| e.id), Some(7));
    assert_eq!(table.remove(7).map(|e| e.address), Ok(address(1)));
    assert_eq!(table.remove(7), Err(EndpointError::Unknown));
    table.flush();
    assert_eq!(table.view().iter().count(), 0);
}

#[test]
// rfc8684:3.4.1-1
fn an_id_rests_before_it_is_given_again() {
    let mut table = Endpoints::<8>::new();
    let mut given = Vec::new();
    for round in 0..600_u32 {
        let id = table.add(new(1, SUBFLOW)).map(|e| e.id).unwrap();
        assert_eq!(u32::from(id), round % 255 + 1);
        given.push(id);
        table.remove(id).unwrap();
    }
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), 255);
}

#[test]
fn ids_go_on_behind_the_highest_and_begin_anew_after_a_flush() {
    let mut table = Endpoints::<16>::new();
    let add = |table: &mut Endpoints<16>, last, id| {
        table
            .add(NewEndpoint {
                id,
                ..new(last, SUBFLOW)
            })
            .map(|e| e.id)
            .unwrap()
    };
    for (last, id, expected) in [
        (1, None, 1),
        (2, None, 2),
        (3, Some(100), 100),
        (4, None, 101),
        (5, Some(254), 254),
        (6, None, 255),
        (7, None, 3),
        (8, Some(253), 253),
        (9, None, 4),
    ] {
        assert_eq!(add(&mut table, last, id), expected, "endpoint {last}");
    }
    table.flush();
    assert_eq!(add(&mut table, 1, None), 1);
}

#[test]
fn no_more_endpoints_than_ids() {
    let mut table = Endpoints::<300>::new();
    for last in 0..=254 {
        assert!(table.add(new(last, SUBFLOW)).is_ok());
    }
    assert_eq!(table.add(new(255, SUBFLOW)), Err(EndpointError::Full));
    assert_eq!(table.id_of(address(255)), Err(EndpointError::Full));
}

#[test]
fn an_implicit_endpoint_can_be_replaced() {
    let mut table = Endpoints::<4>::new();
    assert_eq!(table.id_of(address(5)), Ok(1));
    assert_eq!(table.id_of(address(5)), Ok(1));
    assert!(table.view().by_id(1).unwrap().flags.has(IMPLICIT));
    let asks = NewEndpoint {
        id: Some(9),
        ..new(5, SUBFLOW)
    };
    assert_eq!(table.add(asks), Err(EndpointError::AddressTaken));
    let replaced = table.add(new(5, SUBFLOW)).unwrap();
    assert_eq!((replaced.id, replaced.flags), (1, SUBFLOW));
    assert_eq!(table.view().iter().count(), 1);
    assert_eq!(table.id_of(address(5)), Ok(1));
}

#[test]
fn an_address_with_a_port_is_another_than_without() {
    let mut table = Endpoints::<4>::new();
    let ported = NewEndpoint {
        port: Some(8080),
        ..new(5, SIGNAL)
    };
    assert_eq!(table.add(ported).map(|e| e.id), Ok(1));
    assert_eq!(table.id_at(address(5), 8080), Ok(1));
    assert_eq!(table.id_of(address(5)), Ok(2));
    assert_eq!(table.id_at(address(5), 80), Ok(2));
    let serving = |port| table.view().serving(&address(5), port).map(|e| e.id);
    assert_eq!((serving(8080), serving(80)), (Some(1), Some(2)));
}

#[test]
fn backup_and_fullmesh_can_change() {
    let mut table = Endpoints::<4>::new();
    let id = table.add(new(1, SUBFLOW)).unwrap().id;
    let changed = table.set_flags(id, true, true).unwrap();
    assert_eq!(changed.flags, SUBFLOW.with(BACKUP).with(FULLMESH));
    assert_eq!(
        table.set_flags(id, false, false).map(|e| e.flags),
        Ok(SUBFLOW)
    );
    assert_eq!(table.set_flags(9, true, false), Err(EndpointError::Unknown));
    let signal = table.add(new(2, SIGNAL)).unwrap().id;
    assert_eq!(
        table.set_flags(signal, true, true),
        Err(EndpointError::SignalledFullmesh)
    );
    assert_eq!(table.view().by_id(signal).unwrap().flags, SIGNAL);
}

#[test]
fn an_address_that_the_host_lost_is_not_usable() {
    let mut table = Endpoints::<4>::new();
    table.add(new(1, SUBFLOW)).unwrap();
    table.add(new(2, SUBFLOW)).unwrap();
    let usable = |table: &Endpoints<4>, flags| -> Vec<u8> {
        table.view().usable(flags).map(|e| e.id).collect()
    };
    assert_eq!(usable(&table, SUBFLOW), [1, 2]);
    table.set_usable(&address(1), false);
    assert_eq!(usable(&table, SUBFLOW), [2]);
    assert_eq!(usable(&table, SIGNAL), []);
    table.set_usable(&address(1), true);
    assert_eq!(usable(&table, SUBFLOW), [1, 2]);
    assert_eq!(EndpointView::NONE.iter().count(), 0);
}

proptest! {
    #[test]
    fn ids_and_addresses_stay_unique(
        steps in proptest::collection::vec((0..4_u8, any::<u8>(), 0..6_u8, 0..64_u32), 0..80)
    ) {
        let mut table = Endpoints::<6>::new();
        for (step, id, last, bits) in steps {
            let flags = EndpointFlags::from_bits(bits).unwrap();
            let id = id % 9;
            let _ = match step {
                0 => table.add(NewEndpoint { id: Some(id), ..new(last, flags) }).err(),
                1 => table.add(new(last, flags)).err(),
                2 => table.id_of(address(last)).err(),
                _ => table.remove(id).err(),
            };
            let all: Vec<_> = table.view().iter().copied().collect();
            let ids: HashSet<_> = all.iter().map(|e| e.id).collect();
            let places: HashSet<_> = all.iter().map(|e| (e.address, e.port)).collect();
            prop_assert!(ids.len() == all.len() && places.len() == all.len());
            prop_assert!(!ids.contains(&0));
        }
    }
}
