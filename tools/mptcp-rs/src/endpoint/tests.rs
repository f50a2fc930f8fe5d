// SPDX-License-Identifier: GPL-2.0

use super::{
    endpoint_to_delete,
    line,
    to_json, //
};
use crate::arguments::EndpointDelete;
use mptcp_netlink::{
    Endpoint,
    Flags, //
};
use std::net::IpAddr;

#[test]
fn line_of_ip() {
    let endpoint = Endpoint {
        address: Some(IpAddr::from([10, 0, 0, 1])),
        id: Some(3),
        port: Some(8684),
        flags: Flags::LAMINAR | Flags::SIGNAL | Flags::from_bits_retain(0x40),
        device: None,
    };
    assert_eq!(
        line(&endpoint),
        "10.0.0.1 port 8684 id 3 signal laminar rawflags 40 "
    );
    let json =
        r#"{"address":"10.0.0.1","port":8684,"id":3,"signal":true,"laminar":true,"rawflags":"40"}"#;
    assert_eq!(to_json(&endpoint).to_string(), json);
}

#[test]
fn device_by_its_name() {
    let endpoint = Endpoint {
        address: Some(IpAddr::from([127, 0, 0, 1])),
        device: Some(1),
        ..Endpoint::default()
    };
    assert_eq!(line(&endpoint), "127.0.0.1 dev lo ");
}

#[test]
fn id_zero_goes_with_an_address() {
    let address = Some(IpAddr::from([10, 0, 0, 1]));
    assert!(endpoint_to_delete(&EndpointDelete { id: 0, address }).is_ok());
    assert!(endpoint_to_delete(&EndpointDelete {
        id: 3,
        address: None
    })
    .is_ok());
    assert!(endpoint_to_delete(&EndpointDelete {
        id: 0,
        address: None
    })
    .is_err());
    assert!(endpoint_to_delete(&EndpointDelete { id: 3, address }).is_err());
}
