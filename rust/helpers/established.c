// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "helpers.h"

static struct sock *sock_of(struct hlist_nulls_node *node)
{
	return is_a_nulls(node) ? NULL : hlist_nulls_entry(node, struct sock, sk_nulls_node);
}

unsigned int knet_helper_established_slots(const struct net *net)
{
	return net->ipv4.tcp_death_row.hashinfo->ehash_mask + 1;
}

struct sock *knet_helper_established_first(const struct net *net, unsigned int slot)
{
	struct inet_ehash_bucket *bucket = inet_ehash_bucket(net->ipv4.tcp_death_row.hashinfo, slot);

	return sock_of(rcu_dereference(hlist_nulls_first_rcu(&bucket->chain)));
}

struct sock *knet_helper_established_next(const struct sock *sk)
{
	return sock_of(rcu_dereference(hlist_nulls_next_rcu(&sk->sk_nulls_node)));
}

bool knet_helper_sock_try_hold(struct sock *sk)
{
	return refcount_inc_not_zero(&sk->sk_refcnt);
}

void knet_helper_cond_resched(void)
{
	cond_resched();
}
