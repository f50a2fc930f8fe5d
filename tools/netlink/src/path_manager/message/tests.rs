// SPDX-License-Identifier: GPL-2.0

use super::{
    Attribute,
    Command,
    Message, //
};
use crate::{
    path_manager::{
        Endpoint,
        Flags,
        Limits, //
    },
    recorded,
    transport::payloads, //
};
use netlink_packet_core::Emitable;
use netlink_packet_generic::GenlMessage;
use proptest::prelude::*;
use std::net::IpAddr;

fn answers(digits: &str) -> Vec<Message> {
    let answers: Vec<GenlMessage<Message>> =
        payloads(&recorded::bytes(digits)).expect("a recorded answer");
    answers.into_iter().map(|answer| answer.payload).collect()
}

fn first_endpoint() -> Endpoint {
    Endpoint {
        address: Some(IpAddr::from([10, 0, 0, 1])),
        id: Some(7),
        port: Some(8684),
        flags: Flags::SIGNAL,
        device: Some(3),
    }
}

#[test]
fn limits_of_the_kernel() {
    let limits = Limits {
        add_addr_accepted: Some(0),
        subflows: Some(2),
    };
    assert_eq!(answers(recorded::LIMITS)[0].limits(), limits);
}

#[test]
fn endpoint_of_the_kernel() {
    let endpoint = answers(recorded::ENDPOINT)[0].endpoint();
    assert_eq!(endpoint.expect("an endpoint"), first_endpoint());
}

#[test]
fn endpoints_of_the_kernel() {
    let endpoints: Result<Vec<_>, _> = answers(recorded::ENDPOINTS)
        .iter()
        .map(Message::endpoint)
        .collect();
    let second = Endpoint {
        address: Some("fd00::2".parse().expect("an address")),
        id: Some(8),
        port: None,
        flags: Flags::SUBFLOW | Flags::BACKUP,
        device: None,
    };
    assert_eq!(
        endpoints.expect("two endpoints"),
        [first_endpoint(), second]
    );
}

#[test]
fn answer_without_endpoint() {
    assert!(answers(recorded::LIMITS)[0].endpoint().is_err());
}

#[test]
fn request_byte_by_byte() {
    let local = first_endpoint();
    let request = Message::new(
        Command::CreateSubflow,
        vec![
            Attribute::Token(0xdead_beef),
            Attribute::Address(local.to_attributes()),
            Attribute::LocalId(9),
        ],
    );
    let mut bytes = vec![0xaa; request.buffer_len()];
    request.emit(&mut bytes);
    let expected = recorded::bytes(
        "0800 0400 efbeadde \
         3400 0180 0600 0100 0200 0000 0800 0300 0a000001 0500 0200 07 000000 \
         0600 0500 ec21 0000 0800 0600 01000000 0800 0700 03000000 \
         0500 0500 09 000000",
    );
    assert_eq!(bytes, expected);
}

fn any_endpoint() -> impl Strategy<Value = Endpoint> {
    let address = prop::option::of(any::<IpAddr>());
    let device = prop::option::of(1..0x8000_0000_u32);
    (
        address,
        any::<Option<u8>>(),
        prop::option::of(1..=u16::MAX),
        any::<u32>(),
        device,
    )
        .prop_map(|(address, id, port, flags, device)| Endpoint {
            address,
            id,
            port,
            flags: Flags::from_bits_retain(flags),
            device,
        })
}

proptest! {
    #[test]
    fn written_endpoints_are_read_again(endpoint in any_endpoint()) {
        let attribute = Attribute::Address(endpoint.to_attributes());
        let mut bytes = vec![0xaa; attribute.buffer_len()];
        attribute.emit(&mut bytes);
        let header = netlink_packet_generic::GenlHeader { cmd: 3, version: 1 };
        let message = netlink_packet_core::ParseableParametrized::parse_with_param(&bytes[..], header);
        let message: Message = message.expect("what was written");
        prop_assert_eq!(message.endpoint().expect("an endpoint"), endpoint);
    }
}
