// SPDX-License-Identifier: GPL-2.0

use super::{
    fields,
    line, //
};
use mptcp_netlink::{
    Event,
    EventKind, //
};
use std::net::IpAddr;

#[test]
fn subflow_of_a_server() {
    let event = Event {
        kind: EventKind::SubflowClosed,
        token: Some(0xbeef),
        remote_id: Some(2),
        local_id: Some(1),
        source: Some("fd00::1".parse().expect("an address")),
        destination: Some("fd00::2".parse().expect("an address")),
        source_port: Some(80),
        destination_port: Some(4000),
        backup: Some(1),
        error: Some(104),
        device: Some(1),
        reset_reason: Some(3),
        reset_flags: Some(1),
        server_side: true,
        ..Event::default()
    };
    assert_eq!(
        line(&event),
        "[       SF_CLOSED] token=0000beef remid=2 locid=1 saddr6=fd00::1 daddr6=fd00::2 sport=80 dport=4000 \
         backup=1 error=104 ifindex=1 dev=lo reset_reason=3 reset_flags=0x1 server_side"
    );
}

#[test]
fn announced_address_as_json() {
    let event = Event {
        kind: EventKind::Announced,
        token: Some(0x1234_5678),
        remote_id: Some(7),
        destination: Some(IpAddr::from([10, 0, 0, 1])),
        flags: 8,
        ..Event::default()
    };
    let json = serde_json::Value::Object(fields(&event)).to_string();
    assert_eq!(
        json,
        r#"{"event":"ANNOUNCED","token":"0x12345678","remid":7,"daddr4":"10.0.0.1","flags":"0x8"}"#
    );
}

#[test]
fn unknown_kind_has_its_number() {
    let event = Event {
        kind: EventKind::Unknown(99),
        token: Some(1),
        ..Event::default()
    };
    assert_eq!(line(&event), "[UNKNOWN 99]");
}
