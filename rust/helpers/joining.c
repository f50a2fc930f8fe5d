// SPDX-License-Identifier: GPL-2.0
/* Segments that join a connection, whatever port they go to. */
#include <linux/skbuff.h>
#include <net/inet_connection_sock.h>
#include <net/mptcp.h>
#include <net/request_sock.h>
#include <net/rstreason.h>
#include <net/tcp.h>

#include "socket.h"

void knet_helper_give_to_socket(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	sock_hold(sk);
	skb->sk = sk;
	skb->destructor = sock_edemux;
}

#if IS_ENABLED(CONFIG_MPTCP)
static void set_reset_reason(struct sk_buff *skb, u8 reason, bool transient)
{
	struct mptcp_ext *extension = skb_ext_add(skb, SKB_EXT_MPTCP);

	if (!extension)
		return;
	memset(extension, 0, sizeof(*extension));
	extension->reset_reason = reason;
	extension->reset_transient = transient;
}
#else
static void set_reset_reason(struct sk_buff *skb, u8 reason, bool transient)
{
}
#endif

void knet_helper_send_reset(const struct sock *listener, struct sk_buff *skb, unsigned int offset, u8 reason,
			    bool transient)
{
	set_reset_reason(skb, reason, transient);
	__skb_pull(skb, offset);
	listener->sk_prot->rsk_prot->send_reset(listener, skb, SK_RST_REASON_MPTCP_RST_EMPTCP);
	__skb_push(skb, offset);
}

void knet_helper_request_expire(struct request_sock *req)
{
	/* More than any sensible number of repetitions, and still one by which a time can be shifted. */
	req->num_timeout = 31;
}

void knet_helper_request_withdraw(struct request_sock *req)
{
	if (timer_delete_sync(&req->rsk_timer))
		refcount_dec(&req->rsk_refcnt);
	reqsk_queue_removed(&inet_csk(req->rsk_listener)->icsk_accept_queue, req);
}

void knet_helper_sock_unhash(struct sock *sk)
{
	sk->sk_prot->unhash(sk);
}
