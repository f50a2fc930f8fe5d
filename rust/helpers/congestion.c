// SPDX-License-Identifier: GPL-2.0
/* Congestion control of TCP sockets. */
#include <linux/bpf.h>
#include <net/tcp.h>

#include "socket.h"

bool knet_helper_is_cwnd_limited(const struct sock *sk)
{
	return tcp_is_cwnd_limited(sk);
}

bool knet_helper_congestion_get(const struct tcp_congestion_ops *ops)
{
	return bpf_try_module_get(ops, ops->owner);
}

void knet_helper_congestion_put(const struct tcp_congestion_ops *ops)
{
	bpf_module_put(ops, ops->owner);
}
