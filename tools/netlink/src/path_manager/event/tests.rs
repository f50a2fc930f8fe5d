// SPDX-License-Identifier: GPL-2.0

use super::{
    Event,
    EventKind, //
};
use crate::{
    recorded,
    transport::payloads, //
};
use netlink_packet_generic::GenlMessage;
use std::net::{
    IpAddr,
    Ipv4Addr,
    Ipv6Addr, //
};

fn event(datagram: &[u8]) -> Event {
    let mut events: Vec<GenlMessage<Event>> = payloads(datagram).expect("a recorded event");
    events.remove(0).payload
}

#[test]
fn connection_of_a_server() {
    let address = Some(IpAddr::from([10, 0, 0, 1]));
    let expected = Event {
        kind: EventKind::Created,
        token: Some(0xc382_4c53),
        remote_id: Some(0),
        local_id: Some(0),
        source: address,
        destination: address,
        source_port: Some(9000),
        destination_port: Some(42588),
        server_side: true,
        ..Event::default()
    };
    assert_eq!(event(&recorded::bytes(recorded::CREATED)), expected);
}

#[test]
fn connection_of_a_client() {
    let address = Some(IpAddr::from(Ipv6Addr::LOCALHOST));
    let event = event(&recorded::bytes(recorded::ESTABLISHED6));
    assert_eq!(event.kind, EventKind::Established);
    assert_eq!((event.source, event.destination), (address, address));
    assert!(!event.server_side);
}

#[test]
fn announced_address() {
    let expected = Event {
        kind: EventKind::Announced,
        token: Some(0xea63_b44b),
        remote_id: Some(7),
        destination: Some(IpAddr::from(Ipv4Addr::new(10, 0, 0, 1))),
        destination_port: Some(8684),
        ..Event::default()
    };
    assert_eq!(event(&recorded::bytes(recorded::ANNOUNCED)), expected);
}

#[test]
fn flags_unknown_and_known() {
    let mut datagram =
        recorded::bytes("1c000000 1c00 0000 00000000 00000000 0a 01 0000 0600 0d00 0b00 0000");
    let known = event(&datagram);
    assert!(known.server_side && known.deny_join_id0);
    assert_eq!(known.flags, 8);
    assert_eq!(known.kind, EventKind::SubflowEstablished);
    datagram[16] = 99;
    assert_eq!(event(&datagram).kind, EventKind::Unknown(99));
}

#[test]
fn attribute_of_wrong_size() {
    let datagram =
        recorded::bytes("1c000000 1c00 0000 00000000 00000000 03 01 0000 0600 0100 0b00 0000");
    let result = payloads::<GenlMessage<Event>>(&datagram);
    let error = result
        .expect_err("a token of two bytes is none")
        .to_string();
    assert!(error.contains("attribute 1 of an event"), "{error}");
}
