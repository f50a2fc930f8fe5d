// SPDX-License-Identifier: GPL-2.0
/* Packet buffers, pages and checksums. */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>

#include "socket.h"

int knet_helper_skb_cow_head(struct sk_buff *skb, unsigned int headroom)
{
	return skb_cow_head(skb, headroom);
}

void knet_helper_skb_orphan(struct sk_buff *skb)
{
	skb_orphan(skb);
}

bool knet_helper_pskb_may_pull(struct sk_buff *skb, unsigned int length)
{
	return pskb_may_pull(skb, length);
}

void knet_helper_kfree_skb(struct sk_buff *skb)
{
	kfree_skb(skb);
}

void knet_helper_consume_skb(struct sk_buff *skb)
{
	__kfree_skb(skb);
}

void knet_helper_skb_unlink(struct sk_buff *skb, struct sk_buff_head *list)
{
	__skb_unlink(skb, list);
}

void knet_helper_skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb)
{
	__skb_queue_tail(list, skb);
}

void knet_helper_skb_queue_init(struct sk_buff_head *list)
{
	__skb_queue_head_init(list);
}

int knet_helper_skb_copy_datagram_msg(const struct sk_buff *skb, int offset, struct msghdr *msg, int size)
{
	return skb_copy_datagram_msg(skb, offset, msg, size);
}

struct sk_buff *knet_helper_alloc_skb(unsigned int size, gfp_t flags)
{
	return alloc_skb(size, flags);
}

/* Copies as much of the @length bytes at @offset of @from as @to has room for behind its data. */
unsigned int knet_helper_skb_copy_behind(struct sk_buff *to, const struct sk_buff *from, unsigned int offset,
					 unsigned int length)
{
	length = skb_cloned(to) ? 0 : min_t(unsigned int, length, skb_tailroom(to));
	if (!length || skb_copy_bits(from, offset, skb_tail_pointer(to), length))
		return 0;
	skb_put(to, length);
	return length;
}

u32 knet_helper_skb_checksum(const struct sk_buff *skb, int offset, int length)
{
	return (__force u32)skb_checksum(skb, offset, length, 0);
}

void knet_helper_put_page(struct page *page)
{
	put_page(page);
}

void knet_helper_get_page(struct page *page)
{
	get_page(page);
}

int knet_helper_page_references(const struct page *page)
{
	return page_ref_count(page);
}

unsigned long knet_helper_page_size(struct page *page)
{
	return page_size(page);
}

bool knet_helper_page_is_pfmemalloc(const struct page *page)
{
	return page_is_pfmemalloc(page);
}

void knet_helper_bvec_set_page(struct bio_vec *bv, struct page *page, unsigned int length, unsigned int offset)
{
	bvec_set_page(bv, page, length, offset);
}

u32 knet_helper_csum_bvec(const struct bio_vec *bv)
{
	return (__force u32)csum_partial(page_address(bv->bv_page) + bv->bv_offset, bv->bv_len, 0);
}

static void checksum_later(struct sk_buff *skb, const struct tcphdr *th)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (unsigned char *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

/* The TCP header of a packet changed: let its checksum be completed where it leaves. */
void knet_helper_packet_checksum(struct sk_buff *skb, bool ipv6)
{
	struct tcphdr *th = tcp_hdr(skb);
	unsigned int length = skb->len - skb_transport_offset(skb);

	checksum_later(skb, th);
	if (ipv6)
		th->check = ~tcp_v6_check(length, &ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, 0);
	else
		th->check = ~tcp_v4_check(length, ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, 0);
}

/* The same for the segment at @th, which has no IP header yet. */
void knet_helper_partial_checksum(struct sk_buff *skb, struct tcphdr *th)
{
	const struct sock *sk = skb->sk;
	unsigned int length = skb_tail_pointer(skb) - (unsigned char *)th + skb->data_len;

	checksum_later(skb, th);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		th->check = ~tcp_v6_check(length, &inet6_sk(sk)->saddr, &sk->sk_v6_daddr, 0);
		return;
	}
#endif
	th->check = ~tcp_v4_check(length, inet_sk(sk)->inet_saddr, inet_sk(sk)->inet_daddr, 0);
}

void knet_helper_fix_ip_length(struct sk_buff *skb, bool ipv6)
{
	if (ipv6) {
		ipv6_hdr(skb)->payload_len = htons(skb->len - sizeof(struct ipv6hdr));
	} else {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
	}
}

unsigned int knet_helper_nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, bool ipv6)
{
	return nf_checksum(skb, hook, offset, IPPROTO_TCP, ipv6 ? AF_INET6 : AF_INET);
}

size_t knet_helper_copy_from_iter_to_page(struct page *page, size_t offset, size_t bytes, struct iov_iter *from)
{
	return copy_from_iter(page_address(page) + offset, bytes, from);
}

void knet_helper_reset_transport_header(struct sk_buff *skb)
{
	skb_reset_transport_header(skb);
}

/* The headers of @skb begin at its data: an IP header of @ip_length bytes, then TCP's. */
void knet_helper_reset_headers(struct sk_buff *skb, unsigned int ip_length)
{
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, ip_length);
}

unsigned int knet_helper_transport_offset(const struct sk_buff *skb)
{
	return skb_transport_offset(skb);
}

struct sk_buff *knet_helper_skb_peek_next(struct sk_buff *skb, const struct sk_buff_head *list)
{
	return skb_peek_next(skb, list);
}

struct sk_buff *knet_helper_skb_peek_tail(const struct sk_buff_head *list)
{
	return skb_peek_tail(list);
}
