// SPDX-License-Identifier: GPL-2.0
/* Packets, senders and pages for the KUnit suites. Empty in kernels without KUnit. */
#include <linux/kconfig.h>

#if IS_BUILTIN(CONFIG_KUNIT)
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/inet_connection_sock.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "testing.h"

struct sk_buff *knet_helper_test_skb(unsigned int headroom, const void *bytes, unsigned int length)
{
	struct sk_buff *skb = alloc_skb(headroom + length, GFP_KERNEL);

	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put_data(skb, bytes, length);
	return skb;
}

bool knet_helper_test_add_page(struct sk_buff *skb, const void *bytes, unsigned int length)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	memcpy(page_address(page), bytes, length);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, length, PAGE_SIZE);
	return true;
}

void knet_helper_test_make_gso(struct sk_buff *skb, unsigned int size, bool ipv6)
{
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->data_len, size);
	skb_shinfo(skb)->gso_type = ipv6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
}

/* The packet holds no reference: it has no destructor, and forgets the sender before it is freed. */
void knet_helper_test_set_sender(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
}

void knet_helper_test_set_headers(struct sk_buff *skb, unsigned int ip_length)
{
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, ip_length);
}

void knet_helper_test_facts(const struct sk_buff *skb, struct knet_test_facts *facts)
{
	facts->headroom = skb_headroom(skb);
	facts->network_offset = skb_network_offset(skb);
	facts->transport_offset = skb_transport_offset(skb);
	facts->csum_start = skb->csum_start - (int)skb_headroom(skb);
	facts->csum_offset = skb->csum_offset;
	facts->gso_size = skb_shinfo(skb)->gso_size;
	facts->partial = skb->ip_summed == CHECKSUM_PARTIAL;
}

/* Completes the checksum as the stack does for a device that cannot, then checks it as a receiver. */
bool knet_helper_test_checksum_is_right(struct sk_buff *skb, bool ipv6, const void *from, const void *to)
{
	unsigned int at = skb_transport_offset(skb);
	unsigned int length = skb->len - at;
	__wsum sum;

	skb_shinfo(skb)->gso_size = 0;
	if (skb_checksum_help(skb))
		return false;
	sum = skb_checksum(skb, at, length, 0);
	if (ipv6)
		return !csum_ipv6_magic(from, to, length, IPPROTO_TCP, sum);
	return !tcp_v4_check(length, *(const __be32 *)from, *(const __be32 *)to, sum);
}

struct socket *knet_helper_test_socket(bool ipv6, const void *local, const void *remote)
{
	struct socket *sock;
	struct sock *sk;

	if (sock_create_kern(&init_net, ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock))
		return NULL;
	sk = sock->sk;
	if (ipv6) {
		memcpy(&inet6_sk(sk)->saddr, local, sizeof(struct in6_addr));
		memcpy(&sk->sk_v6_daddr, remote, sizeof(struct in6_addr));
	} else {
		memcpy(&inet_sk(sk)->inet_saddr, local, sizeof(__be32));
		memcpy(&inet_sk(sk)->inet_daddr, remote, sizeof(__be32));
	}
	return sock;
}

struct sock *knet_helper_test_request(bool ipv6, const void *local, const void *remote)
{
	struct tcp_request_sock *tcp = kzalloc(sizeof(*tcp), GFP_KERNEL);
	struct inet_request_sock *inet = (struct inet_request_sock *)tcp;
	struct sock *sk = (struct sock *)tcp;

	if (!tcp)
		return NULL;
	sk->sk_family = ipv6 ? AF_INET6 : AF_INET;
	sk->sk_state = TCP_NEW_SYN_RECV;
	if (ipv6) {
		memcpy(&inet->ir_v6_loc_addr, local, sizeof(struct in6_addr));
		memcpy(&inet->ir_v6_rmt_addr, remote, sizeof(struct in6_addr));
	} else {
		memcpy(&inet->ir_loc_addr, local, sizeof(__be32));
		memcpy(&inet->ir_rmt_addr, remote, sizeof(__be32));
	}
	return sk;
}

struct page *knet_helper_test_page(unsigned long size)
{
	return alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(size));
}

void knet_helper_test_fill_page(struct page *page, unsigned int offset, const void *bytes, unsigned int length)
{
	memcpy(page_address(page) + offset, bytes, length);
}

void knet_helper_test_read_bvec(void *to, const struct bio_vec *bv)
{
	memcpy(to, page_address(bv->bv_page) + bv->bv_offset, bv->bv_len);
}
#endif
