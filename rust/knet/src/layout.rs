// SPDX-License-Identifier: GPL-2.0

//! Whether the two compilers agree on the structures that this crate reaches into.
//!
//! bindgen reads the kernel's headers with another compiler than the one that built the kernel, and a
//! module may be built against the wrong tree. A disagreement would corrupt memory, so it is looked
//! for before anything is registered.

use crate::bindings;
use core::mem::{offset_of, size_of};

/// In the order of `knet_layout` in `helpers/layout.c`.
const LAYOUT: [(&str, usize); bindings::KNET_LAYOUT_COUNT as usize] = [
    ("sock_common", size_of::<bindings::sock_common>()),
    (
        "sock.sk_receive_queue",
        offset_of!(bindings::sock, sk_receive_queue),
    ),
    ("sock.sk_rcvbuf", offset_of!(bindings::sock, sk_rcvbuf)),
    ("sock.sk_lock", offset_of!(bindings::sock, sk_lock)),
    (
        "sock.sk_timer",
        offset_of!(bindings::sock, __bindgen_anon_3),
    ),
    ("sock.sk_sndbuf", offset_of!(bindings::sock, sk_sndbuf)),
    (
        "sock.sk_write_space",
        offset_of!(bindings::sock, sk_write_space),
    ),
    ("sock", size_of::<bindings::sock>()),
    (
        "inet_sock.inet_sport",
        offset_of!(bindings::inet_sock, inet_sport),
    ),
    ("inet_sock", size_of::<bindings::inet_sock>()),
    (
        "inet_connection_sock.icsk_ca_ops",
        offset_of!(bindings::inet_connection_sock, icsk_ca_ops),
    ),
    (
        "inet_connection_sock.icsk_af_ops",
        offset_of!(bindings::inet_connection_sock, icsk_af_ops),
    ),
    (
        "inet_connection_sock.icsk_ulp_ops",
        offset_of!(bindings::inet_connection_sock, icsk_ulp_ops),
    ),
    (
        "inet_connection_sock.icsk_ca_priv",
        offset_of!(bindings::inet_connection_sock, icsk_ca_priv),
    ),
    (
        "tcp_sock.copied_seq",
        offset_of!(bindings::tcp_sock, copied_seq),
    ),
    ("tcp_sock.rcv_nxt", offset_of!(bindings::tcp_sock, rcv_nxt)),
    (
        "tcp_sock.write_seq",
        offset_of!(bindings::tcp_sock, write_seq),
    ),
    (
        "tcp_sock.pushed_seq",
        offset_of!(bindings::tcp_sock, pushed_seq),
    ),
    (
        "tcp_sock.snd_cwnd",
        offset_of!(bindings::tcp_sock, snd_cwnd),
    ),
    ("tcp_sock", size_of::<bindings::tcp_sock>()),
    (
        "tcp_congestion_ops.name",
        offset_of!(bindings::tcp_congestion_ops, name),
    ),
    (
        "tcp_congestion_ops",
        size_of::<bindings::tcp_congestion_ops>(),
    ),
    ("sk_buff.data", offset_of!(bindings::sk_buff, data)),
    ("sk_buff.truesize", offset_of!(bindings::sk_buff, truesize)),
    ("sk_buff", size_of::<bindings::sk_buff>()),
    (
        "request_sock.saved_syn",
        offset_of!(bindings::request_sock, saved_syn),
    ),
    (
        "tcp_request_sock.snt_isn",
        offset_of!(bindings::tcp_request_sock, snt_isn),
    ),
    ("proto", size_of::<bindings::proto>()),
    ("proto_ops", size_of::<bindings::proto_ops>()),
    ("ipv6_pinfo", size_of::<bindings::ipv6_pinfo>()),
    ("socket", size_of::<bindings::socket>()),
];

/// A structure on which the compilers disagree.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The structure, or the member whose place differs.
    pub name: &'static str,
    /// What the bindings say, in bytes.
    pub bound: usize,
    /// What the C compiler says.
    pub actual: usize,
}

/// Compares both views. The first difference is the error.
pub fn check() -> core::result::Result<(), Difference> {
    // SAFETY: A constant of this module.
    let places = unsafe { &bindings::knet_layout };
    for ((name, bound), actual) in LAYOUT.iter().zip(places) {
        if bound != actual {
            return Err(Difference {
                name,
                bound: *bound,
                actual: *actual,
            });
        }
    }
    Ok(())
}
