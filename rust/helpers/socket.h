/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of the socket, packet and TCP helpers of crate knet; see helpers.h.
 */
#ifndef KNET_SOCKET_HELPERS_H
#define KNET_SOCKET_HELPERS_H

#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/tcp.h>

/* param.c */
extern int knet_protocol;

/* layout.c */
#define KNET_LAYOUT_COUNT 31
extern const unsigned long knet_layout[KNET_LAYOUT_COUNT];

/* sock.c */
void knet_helper_sock_hold(struct sock *sk);
void knet_helper_sock_put(struct sock *sk);
void knet_helper_lock_sock(struct sock *sk);
void knet_helper_own_lock_class(struct sock *sk);
void knet_helper_data_lock(struct sock *sk);
void knet_helper_data_unlock(struct sock *sk);
void knet_helper_bh_lock_sock(struct sock *sk);
void knet_helper_bh_unlock_sock(struct sock *sk);
bool knet_helper_sock_owned_by_user(const struct sock *sk);
unsigned int knet_helper_sock_slab_flags(void);
void knet_helper_sock_free_after_rcu(struct sock *sk);
void knet_helper_sock_orphan(struct sock *sk);
bool knet_helper_sk_fullsock(const struct sock *sk);
bool knet_helper_sk_kern_sock(const struct sock *sk);
struct net *knet_helper_sock_net(const struct sock *sk);
bool knet_helper_sk_stream_memory_free(const struct sock *sk);
bool knet_helper_sk_stream_is_writeable(const struct sock *sk);
bool knet_helper_sk_wmem_schedule(struct sock *sk, int size);
bool knet_helper_sk_rmem_schedule(struct sock *sk, int size);
void knet_helper_sk_mem_charge(struct sock *sk, int size);
void knet_helper_sk_forward_alloc_add(struct sock *sk, int size);
void knet_helper_sk_mem_reclaim(struct sock *sk);
void knet_helper_sk_sockets_allocated_inc(struct sock *sk);
void knet_helper_sk_sockets_allocated_dec(struct sock *sk);
void knet_helper_sk_wmem_queued_add(struct sock *sk, int value);
void knet_helper_rmem_add(struct sock *sk, int size);
void knet_helper_rmem_sub(struct sock *sk, int size);
struct page_frag *knet_helper_sk_page_frag(struct sock *sk);
int knet_helper_sock_rcvlowat(const struct sock *sk, int waitall, int len);
int knet_helper_sock_intr_errno(long timeo);
int knet_helper_sock_error(struct sock *sk);
bool knet_helper_signal_pending(void);
void knet_helper_sock_poll_wait(struct file *file, struct socket *sock, poll_table *p);
void knet_helper_set_nospace(struct sock *sk);
void knet_helper_report_room(struct sock *sk, bool wanted);
bool knet_helper_wants_room(const struct sock *sk);
void knet_helper_shell_init(struct socket *shell, struct sock *sk);
void knet_helper_shell_attach(struct sock *sk, struct socket *shell);
void knet_helper_shell_detach(struct sock *sk);
void knet_helper_set_custom_sockopt(struct socket *sock);
void knet_helper_state_store(struct sock *sk, int state);
sockptr_t knet_helper_kernel_sockptr(void *value);
void knet_helper_timer_setup(struct sock *sk, void (*function)(struct timer_list *));
struct sock *knet_helper_sock_of_timer(struct timer_list *timer);
void knet_helper_init_work(struct work_struct *work, work_func_t function);
bool knet_helper_queue_work(struct work_struct *work);
void knet_helper_init_softirq_work(struct work_struct *work, work_func_t function);
bool knet_helper_queue_softirq_work(struct work_struct *work);
void knet_helper_release_family(struct sock *sk, const struct sock *parent);
void knet_helper_copy_addresses(struct sock *to, const struct sock *from);
void knet_helper_wait_for_data(struct sock *sk, long *timeo);
void knet_helper_wait_for_close(struct sock *sk, long timeo);
int knet_helper_copy_from_sockptr(void *to, sockptr_t from, size_t size);
int knet_helper_put_option(char __user *value, int __user *len, const void *from, int size);
void knet_helper_init_buffers(struct sock *sk);

/* congestion.c */
bool knet_helper_is_cwnd_limited(const struct sock *sk);
bool knet_helper_congestion_get(const struct tcp_congestion_ops *ops);
void knet_helper_congestion_put(const struct tcp_congestion_ops *ops);

/* skb.c */
int knet_helper_skb_cow_head(struct sk_buff *skb, unsigned int headroom);
void knet_helper_skb_orphan(struct sk_buff *skb);
bool knet_helper_pskb_may_pull(struct sk_buff *skb, unsigned int length);
void knet_helper_kfree_skb(struct sk_buff *skb);
void knet_helper_consume_skb(struct sk_buff *skb);
void knet_helper_skb_unlink(struct sk_buff *skb, struct sk_buff_head *list);
void knet_helper_skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb);
void knet_helper_skb_queue_init(struct sk_buff_head *list);
int knet_helper_skb_copy_datagram_msg(const struct sk_buff *skb, int offset, struct msghdr *msg, int size);
struct sk_buff *knet_helper_alloc_skb(unsigned int size, gfp_t flags);
unsigned int knet_helper_skb_copy_behind(struct sk_buff *to, const struct sk_buff *from, unsigned int offset,
					 unsigned int length);
u32 knet_helper_skb_checksum(const struct sk_buff *skb, int offset, int length);
void knet_helper_put_page(struct page *page);
void knet_helper_get_page(struct page *page);
int knet_helper_page_references(const struct page *page);
unsigned long knet_helper_page_size(struct page *page);
bool knet_helper_page_is_pfmemalloc(const struct page *page);
void knet_helper_bvec_set_page(struct bio_vec *bv, struct page *page, unsigned int length, unsigned int offset);
u32 knet_helper_csum_bvec(const struct bio_vec *bv);
void knet_helper_packet_checksum(struct sk_buff *skb, bool ipv6);
void knet_helper_partial_checksum(struct sk_buff *skb, struct tcphdr *th);
void knet_helper_fix_ip_length(struct sk_buff *skb, bool ipv6);
unsigned int knet_helper_nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, bool ipv6);
size_t knet_helper_copy_from_iter_to_page(struct page *page, size_t offset, size_t bytes, struct iov_iter *from);
void knet_helper_reset_transport_header(struct sk_buff *skb);
void knet_helper_reset_headers(struct sk_buff *skb, unsigned int ip_length);
unsigned int knet_helper_transport_offset(const struct sk_buff *skb);
struct sk_buff *knet_helper_skb_peek_next(struct sk_buff *skb, const struct sk_buff_head *list);
struct sk_buff *knet_helper_skb_peek_tail(const struct sk_buff_head *list);

/* joining.c */
/* Hands @skb, a SYN without socket, to the listener @sk instead of the one of its port. */
void knet_helper_give_to_socket(struct sk_buff *skb, struct sock *sk);
/* Answers @skb, whose TCP header lies @offset bytes behind its start, with a RST and MP_TCPRST. */
void knet_helper_send_reset(const struct sock *listener, struct sk_buff *skb, unsigned int offset, u8 reason,
			    bool transient);
/* The request ends when its timer runs next. */
void knet_helper_request_expire(struct request_sock *req);
/* Takes a request whose child exists out of its listener's count, so that nobody accepts the child. */
void knet_helper_request_withdraw(struct request_sock *req);
void knet_helper_sock_unhash(struct sock *sk);

/* tcp.c */
void knet_helper_set_ulp_data(struct sock *sk, void *data);
void knet_helper_add_ext_hdr_len(struct sock *sk, int bytes);
int knet_helper_splice_pages(struct sock *sk, struct bio_vec *bv, unsigned int segments, size_t size, int flags);
u32 knet_helper_tcp_receive_window(const struct sock *sk);
bool knet_helper_owes_ack(const struct sock *sk);
int knet_helper_tcp_space_from_win(const struct sock *sk, int win);
int knet_helper_tcp_win_from_space(const struct sock *sk, int space);
u8 knet_helper_rcv_wscale(const struct sock *sk);
u8 knet_helper_snd_wscale(const struct sock *sk);
bool knet_helper_timestamps_comparable(const struct sock *sk);
void knet_helper_set_nodelay(struct sock *sk);
struct tcp_request_sock *knet_helper_tcp_rsk(struct request_sock *req);
struct request_sock *knet_helper_inet_reqsk(struct sock *sk);
struct sock *knet_helper_rsk_listener(const struct request_sock *req);
u32 knet_helper_rto_us(const struct sock *sk);
void knet_helper_module_get(struct module *module);
void knet_helper_rcu_read_lock(void);
void knet_helper_rcu_read_unlock(void);
struct sock *knet_helper_lookup_established(struct sk_buff *skb, const struct tcphdr *th, bool ipv6);
struct nf_hook_state;
/* The IPv4 listener that answers with @skb; RCU read side, no reference is taken. */
struct sock *knet_helper_lookup_listener(const struct nf_hook_state *state, const struct sk_buff *skb,
					 const struct tcphdr *th);
/* The listener to which @skb, a SYN, goes; RCU read side, no reference is taken. */
struct sock *knet_helper_listener_of_syn(const struct nf_hook_state *state, struct sk_buff *skb,
					 const struct tcphdr *th, bool ipv6);
void knet_helper_sock_gen_put(struct sock *sk);
struct nf_hook_ops;
struct tcphdr *knet_helper_tcp_hdr(const struct sk_buff *skb);
bool knet_helper_rtx_empty(const struct sock *sk);
unsigned long knet_helper_jiffies(void);
u32 knet_helper_jiffies_to_msecs(u32 ticks);
unsigned long knet_helper_usecs_to_jiffies(u64 usecs);
u64 knet_helper_now_us(void);
bool knet_helper_has_connection_waiting(const struct sock *sk);
void knet_helper_saved_syn_free(struct sock *sk);
int knet_helper_tcp_rmem_max(const struct sock *sk);
int knet_helper_tcp_wmem_max(const struct sock *sk);

/* write_queue.c */
int knet_helper_max_skb_frags(void);
int knet_helper_bound_to_half_window(struct sock *sk, int size);
/* A segment without data, as TCP allocates it. */
struct sk_buff *knet_helper_alloc_segment(gfp_t flags);
void knet_helper_free_segment(struct sk_buff *skb);
void knet_helper_segment_add_page(struct sk_buff *skb, struct page *page, unsigned int offset, unsigned int length);
void knet_helper_queue_segment(struct sock *sk, struct sk_buff *skb);
bool knet_helper_ask_for_push(struct sock *sk);
bool knet_helper_push_is_due(const struct sock *sk);
bool knet_helper_can_scatter(const struct sock *sk);
bool knet_helper_was_idle(const struct sock *sk);
void knet_helper_check_probe_timer(struct sock *sk);
void knet_helper_local_bh_disable(void);
void knet_helper_local_bh_enable(void);

#endif /* KNET_SOCKET_HELPERS_H */
