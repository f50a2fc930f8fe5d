/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of the helpers that make and examine packets for the KUnit suites; see helpers.h.
 */
#ifndef KNET_TESTING_HELPERS_H
#define KNET_TESTING_HELPERS_H

#include <linux/skbuff.h>
#include <net/sock.h>

/* What a device would read from a packet; offsets are from its data. */
struct knet_test_facts {
	unsigned int headroom;
	int network_offset;
	int transport_offset;
	int csum_start;
	unsigned int csum_offset;
	unsigned int gso_size;
	bool partial;
};

struct sk_buff *knet_helper_test_skb(unsigned int headroom, const void *bytes, unsigned int length);
bool knet_helper_test_add_page(struct sk_buff *skb, const void *bytes, unsigned int length);
void knet_helper_test_make_gso(struct sk_buff *skb, unsigned int size, bool ipv6);
void knet_helper_test_set_sender(struct sk_buff *skb, struct sock *sk);
void knet_helper_test_set_headers(struct sk_buff *skb, unsigned int ip_length);
void knet_helper_test_facts(const struct sk_buff *skb, struct knet_test_facts *facts);
bool knet_helper_test_checksum_is_right(struct sk_buff *skb, bool ipv6, const void *from, const void *to);
struct socket *knet_helper_test_socket(bool ipv6, const void *local, const void *remote);
struct sock *knet_helper_test_request(bool ipv6, const void *local, const void *remote);
struct page *knet_helper_test_page(unsigned long size);
void knet_helper_test_fill_page(struct page *page, unsigned int offset, const void *bytes, unsigned int length);
void knet_helper_test_read_bvec(void *to, const struct bio_vec *bv);

#endif /* KNET_TESTING_HELPERS_H */
