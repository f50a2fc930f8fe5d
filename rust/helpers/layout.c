// SPDX-License-Identifier: GPL-2.0
/* Where the C compiler puts what crate knet reaches into. */
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "socket.h"

const unsigned long knet_layout[KNET_LAYOUT_COUNT] = {
	sizeof(struct sock_common),
	offsetof(struct sock, sk_receive_queue),
	offsetof(struct sock, sk_rcvbuf),
	offsetof(struct sock, sk_lock),
	offsetof(struct sock, sk_timer),
	offsetof(struct sock, sk_sndbuf),
	offsetof(struct sock, sk_write_space),
	sizeof(struct sock),
	offsetof(struct inet_sock, inet_sport),
	sizeof(struct inet_sock),
	offsetof(struct inet_connection_sock, icsk_ca_ops),
	offsetof(struct inet_connection_sock, icsk_af_ops),
	offsetof(struct inet_connection_sock, icsk_ulp_ops),
	offsetof(struct inet_connection_sock, icsk_ca_priv),
	offsetof(struct tcp_sock, copied_seq),
	offsetof(struct tcp_sock, rcv_nxt),
	offsetof(struct tcp_sock, write_seq),
	offsetof(struct tcp_sock, pushed_seq),
	offsetof(struct tcp_sock, snd_cwnd),
	sizeof(struct tcp_sock),
	offsetof(struct tcp_congestion_ops, name),
	sizeof(struct tcp_congestion_ops),
	offsetof(struct sk_buff, data),
	offsetof(struct sk_buff, truesize),
	sizeof(struct sk_buff),
	offsetof(struct request_sock, saved_syn),
	offsetof(struct tcp_request_sock, snt_isn),
	sizeof(struct proto),
	sizeof(struct proto_ops),
	sizeof(struct ipv6_pinfo),
	sizeof(struct socket),
};
