// SPDX-License-Identifier: GPL-2.0
/* The write queue of a TCP socket. */
#include <linux/bottom_half.h>
#include <net/hotdata.h>

#include "socket.h"

int knet_helper_max_skb_frags(void)
{
	return READ_ONCE(net_hotdata.sysctl_max_skb_frags);
}

int knet_helper_bound_to_half_window(struct sock *sk, int size)
{
	return tcp_bound_to_half_wnd(tcp_sk(sk), size);
}

struct sk_buff *knet_helper_alloc_segment(gfp_t flags)
{
	struct sk_buff *skb = alloc_skb_fclone(MAX_TCP_HEADER, flags);

	if (skb) {
		skb_reserve(skb, MAX_TCP_HEADER);
		skb->ip_summed = CHECKSUM_PARTIAL;
		INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
	}
	return skb;
}

void knet_helper_free_segment(struct sk_buff *skb)
{
	/* The anchor lies where who frees a packet looks for its route. */
	tcp_skb_tsorted_anchor_cleanup(skb);
	consume_skb(skb);
}

void knet_helper_segment_add_page(struct sk_buff *skb, struct page *page, unsigned int offset, unsigned int length)
{
	get_page(page);
	skb_fill_page_desc(skb, skb_shinfo(skb)->nr_frags, page, offset, length);
	skb_len_add(skb, length);
}

void knet_helper_queue_segment(struct sock *sk, struct sk_buff *skb)
{
	__skb_header_release(skb);
	tcp_add_write_queue_tail(sk, skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
}

bool knet_helper_ask_for_push(struct sock *sk)
{
	return test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags);
}

bool knet_helper_push_is_due(const struct sock *sk)
{
	return test_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags);
}

bool knet_helper_can_scatter(const struct sock *sk)
{
	return sk->sk_route_caps & NETIF_F_SG;
}

bool knet_helper_was_idle(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return !tp->packets_out && time_after32(tcp_jiffies32, tp->lsndtime + inet_csk(sk)->icsk_rto);
}

void knet_helper_check_probe_timer(struct sock *sk)
{
	tcp_check_probe_timer(sk);
}

void knet_helper_local_bh_disable(void)
{
	local_bh_disable();
}

void knet_helper_local_bh_enable(void)
{
	local_bh_enable();
}
