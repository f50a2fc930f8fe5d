// SPDX-License-Identifier: GPL-2.0

use super::{
    figures,
    join,
    of_kernel,
    table, //
};
use mptcp_netlink::{
    KernelSubflow,
    TcpSocket, //
};

/// A socket with some figures.
pub(crate) fn socket(local: &str, remote: &str) -> TcpSocket {
    TcpSocket {
        local: local.parse().expect("an end"),
        remote: remote.parse().expect("an end"),
        receive_queue: 1,
        send_queue: 2,
        rtt: 3000,
        min_rtt: 400,
        congestion_window: 5,
        bytes_sent: 6,
        bytes_retransmitted: 7,
        bytes_received: 8,
        congestion_control: Some("lia".into()),
        subflow: None,
    }
}

#[test]
fn lines_find_their_sockets() {
    let text = "local remote token\n10.0.0.1:1 10.0.0.2:2 a\n[fd00::1]:1 [fd00::2]:2 b\n";
    let sockets = vec![
        socket("10.0.0.1:1", "10.0.0.2:3"),
        socket("[fd00::1]:1", "[fd00::2]:2"),
    ];
    let paths = join(table::parse(text), sockets);
    assert_eq!(paths.len(), 2);
    assert!(paths[0].tcp.is_none());
    assert!(paths[1].tcp.is_some());
}

#[test]
fn figures_follow_the_ends() {
    let mut row = table::parse("local remote token\n10.0.0.1:1 10.0.0.2:2 a\n").remove(0);
    row.extend(figures(&socket("10.0.0.1:1", "10.0.0.2:2")));
    assert_eq!(
        row.line(),
        "10.0.0.1:1 10.0.0.2:2 token a rtt 3000 min_rtt 400 cwnd 5 bytes_sent 6 bytes_retrans 7 \
         bytes_received 8 send_queue 2 receive_queue 1 congestion lia"
    );
}

#[test]
fn subflows_of_the_kernel_and_no_other_sockets() {
    let subflow = TcpSocket {
        subflow: Some(KernelSubflow {
            token: 0xab,
            local_id: 1,
            remote_id: 2,
        }),
        ..socket("10.0.0.1:1", "10.0.0.2:2")
    };
    let paths = of_kernel(vec![socket("10.0.0.1:5", "10.0.0.2:2"), subflow]);
    assert_eq!(paths.len(), 1);
    assert_eq!(
        paths[0].row.line(),
        "10.0.0.1:1 10.0.0.2:2 token 000000ab local_id 1 remote_id 2"
    );
}
