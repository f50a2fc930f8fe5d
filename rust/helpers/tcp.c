// SPDX-License-Identifier: GPL-2.0
/* TCP sockets, requests and their ULP. */
#include <linux/netfilter.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/uio.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>

#include "socket.h"

void knet_helper_set_ulp_data(struct sock *sk, void *data)
{
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, data);
}

void knet_helper_add_ext_hdr_len(struct sock *sk, int bytes)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_ext_hdr_len += bytes;
	icsk->icsk_sync_mss(sk, icsk->icsk_pmtu_cookie);
}

int knet_helper_splice_pages(struct sock *sk, struct bio_vec *bv, unsigned int segments, size_t size, int flags)
{
	struct msghdr msg = { .msg_flags = MSG_SPLICE_PAGES | MSG_DONTWAIT | MSG_NOSIGNAL | flags };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, segments, size);
	return tcp_sendmsg_locked(sk, &msg, size);
}

u32 knet_helper_tcp_receive_window(const struct sock *sk)
{
	return tcp_receive_window(tcp_sk(sk));
}

int knet_helper_tcp_space_from_win(const struct sock *sk, int win)
{
	return tcp_space_from_win(sk, win);
}

int knet_helper_tcp_win_from_space(const struct sock *sk, int space)
{
	return tcp_win_from_space(sk, space);
}

bool knet_helper_owes_ack(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return inet_csk_ack_scheduled(sk) &&
	       READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->rcv_wup) > READ_ONCE(icsk->icsk_ack.rcv_mss);
}

u8 knet_helper_rcv_wscale(const struct sock *sk)
{
	return tcp_sk(sk)->rx_opt.rcv_wscale;
}

u8 knet_helper_snd_wscale(const struct sock *sk)
{
	return tcp_sk(sk)->rx_opt.snd_wscale;
}

bool knet_helper_timestamps_comparable(const struct sock *sk)
{
	const struct tcp_options_received *rx_opt = &tcp_sk(sk)->rx_opt;

	return rx_opt->tstamp_ok &&
	       time_before32(ktime_get_seconds(), READ_ONCE(rx_opt->ts_recent_stamp) + TCP_PAWS_WRAP);
}

void knet_helper_set_nodelay(struct sock *sk)
{
	tcp_sk(sk)->nonagle |= TCP_NAGLE_OFF;
}

struct tcp_request_sock *knet_helper_tcp_rsk(struct request_sock *req)
{
	return tcp_rsk(req);
}

struct request_sock *knet_helper_inet_reqsk(struct sock *sk)
{
	return inet_reqsk(sk);
}

u32 knet_helper_rto_us(const struct sock *sk)
{
	return jiffies_to_usecs(inet_csk(sk)->icsk_rto);
}

void knet_helper_module_get(struct module *module)
{
	__module_get(module);
}

void knet_helper_rcu_read_lock(void)
{
	rcu_read_lock();
}

void knet_helper_rcu_read_unlock(void)
{
	rcu_read_unlock();
}

struct sock *knet_helper_lookup_established(struct sk_buff *skb, const struct tcphdr *th, bool ipv6)
{
	struct net *net = dev_net(skb->dev);

#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return __inet6_lookup_established(net, &ipv6_hdr(skb)->saddr, th->source,
						  &ipv6_hdr(skb)->daddr, ntohs(th->dest),
						  inet6_iif(skb), inet6_sdif(skb));
#endif
	return __inet_lookup_established(net, ip_hdr(skb)->saddr, th->source, ip_hdr(skb)->daddr,
					 ntohs(th->dest), inet_iif(skb), inet_sdif(skb));
}

struct sock *knet_helper_lookup_listener(const struct nf_hook_state *state, const struct sk_buff *skb,
					 const struct tcphdr *th)
{
	return __inet_lookup_listener(state->net, NULL, 0, ip_hdr(skb)->daddr, th->dest, ip_hdr(skb)->saddr,
				      ntohs(th->source), state->out->ifindex, 0);
}

struct sock *knet_helper_listener_of_syn(const struct nf_hook_state *state, struct sk_buff *skb,
					 const struct tcphdr *th, bool ipv6)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return inet6_lookup_listener(state->net, NULL, 0, &ipv6_hdr(skb)->saddr, th->source,
					     &ipv6_hdr(skb)->daddr, ntohs(th->dest), inet6_iif(skb),
					     inet6_sdif(skb));
#endif
	return __inet_lookup_listener(state->net, NULL, 0, ip_hdr(skb)->saddr, th->source, ip_hdr(skb)->daddr,
				      ntohs(th->dest), inet_iif(skb), inet_sdif(skb));
}

void knet_helper_sock_gen_put(struct sock *sk)
{
	sock_gen_put(sk);
}

struct tcphdr *knet_helper_tcp_hdr(const struct sk_buff *skb)
{
	return tcp_hdr(skb);
}

bool knet_helper_rtx_empty(const struct sock *sk)
{
	return tcp_rtx_and_write_queues_empty(sk);
}

unsigned long knet_helper_jiffies(void)
{
	return jiffies;
}

u32 knet_helper_jiffies_to_msecs(u32 ticks)
{
	return jiffies_to_msecs(ticks);
}

unsigned long knet_helper_usecs_to_jiffies(u64 usecs)
{
	return usecs_to_jiffies(min_t(u64, usecs, UINT_MAX));
}

u64 knet_helper_now_us(void)
{
	return ktime_to_us(ktime_get());
}

bool knet_helper_has_connection_waiting(const struct sock *sk)
{
	return !reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

void knet_helper_saved_syn_free(struct sock *sk)
{
	tcp_saved_syn_free(tcp_sk(sk));
}

int knet_helper_tcp_rmem_max(const struct sock *sk)
{
	return READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]);
}

int knet_helper_tcp_wmem_max(const struct sock *sk)
{
	return READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]);
}

struct sock *knet_helper_rsk_listener(const struct request_sock *req)
{
	return req->rsk_listener;
}
