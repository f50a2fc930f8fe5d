// SPDX-License-Identifier: GPL-2.0

use super::{
    message::{
        Family,
        Message, //
    },
    parse_any,
    upper_layer::kernel_subflow,
    KernelSubflow,
    TcpSocket, //
};
use crate::recorded;
use netlink_packet_core::NetlinkSerializable;

#[test]
fn request_for_connected_sockets() {
    let request = Message::Request(Family::Inet6);
    let mut bytes = vec![0xaa; request.buffer_len()];
    request.serialize(&mut bytes);
    let mut expected = recorded::bytes("0a 06 0a 00 be0b0000");
    expected.resize(56, 0);
    assert_eq!(bytes, expected);
}

#[test]
fn figures_of_an_older_kernel_are_too_short() {
    let mut datagram = recorded::bytes(recorded::SOCKET);
    let info = datagram
        .windows(4)
        .position(|header| header == [0x1c, 0x01, 0x02, 0])
        .expect("tcp_info");
    datagram[info] = 0xa0;
    datagram[info + 1] = 0;
    assert_eq!(parse_any(&datagram), []);
}

#[test]
fn subflow_of_the_kernel() {
    let sockets = parse_any(&recorded::bytes(recorded::SOCKET));
    let expected = TcpSocket {
        local: "127.0.0.1:8684".parse().expect("an end"),
        remote: "127.0.0.1:57350".parse().expect("an end"),
        receive_queue: 0,
        send_queue: 0,
        rtt: 21,
        min_rtt: 9,
        congestion_window: 10,
        bytes_sent: 1000,
        bytes_retransmitted: 0,
        bytes_received: 500,
        congestion_control: Some("reno".into()),
        subflow: Some(KernelSubflow {
            token: 0x2c16_5ac3,
            local_id: 0,
            remote_id: 0,
        }),
    };
    assert_eq!(sockets, [expected]);
}

#[test]
fn upper_layers_of_others() {
    assert_eq!(
        kernel_subflow(&recorded::bytes("0800 0100 746c 7300")),
        None
    );
    assert_eq!(
        kernel_subflow(&recorded::bytes("0a00 0100 6d70746370 00 0000")),
        None
    );
    let without_name = recorded::bytes("0c00 0300 0800 0200 01000000");
    assert_eq!(kernel_subflow(&without_name), None);
}

#[test]
fn ids_of_a_subflow() {
    let nest = recorded::bytes(
        "0a00 0100 6d70746370 00 0000 1c00 0300 0800 0200 01000000 0500 0900 02 000000 0500 0a00 03 000000",
    );
    let expected = KernelSubflow {
        token: 1,
        local_id: 3,
        remote_id: 2,
    };
    assert_eq!(kernel_subflow(&nest), Some(expected));
}
