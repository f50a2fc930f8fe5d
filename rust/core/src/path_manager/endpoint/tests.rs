// SPDX-License-Identifier: GPL-2.0

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::vec::Vec;

const SUBFLOW: EndpointFlags = EndpointFlags::SUBFLOW;

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
fn vectors_hold() {
    assert_eq!(crate::vectors::endpoints::check(), Ok(()));
}

#[test]
fn no_view_has_endpoints_without_a_table() {
    assert_eq!(EndpointView::NONE.iter().count(), 0);
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
fn no_more_endpoints_than_ids() {
    let mut table = Endpoints::<300>::new();
    for last in 0..=254 {
        assert!(table.add(new(last, SUBFLOW)).is_ok());
    }
    assert_eq!(table.add(new(255, SUBFLOW)), Err(EndpointError::Full));
    assert_eq!(table.id_of(address(255)), Err(EndpointError::Full));
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
