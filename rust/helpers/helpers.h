/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of the C helpers of crate knet: inline functions and macros of the kernel under names that
 * Rust can call. bindgen reads this file too, so both sides agree by construction. No logic, no state.
 */
#ifndef KNET_HELPERS_H
#define KNET_HELPERS_H

#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/workqueue_types.h>

struct genl_family;
struct genl_info;
struct in_ifaddr;
struct inet6_ifaddr;
struct net;
struct net_device;
struct netlink_callback;
struct nlattr;
struct proc_dir_entry;
struct rhashtable;
struct sk_buff;
struct sock;

/* established.c; the walk from first to next is one RCU read-side section */
unsigned int knet_helper_established_slots(const struct net *net);
struct sock *knet_helper_established_first(const struct net *net, unsigned int slot);
struct sock *knet_helper_established_next(const struct sock *sk);
bool knet_helper_sock_try_hold(struct sock *sk);
void knet_helper_cond_resched(void);

/* genetlink.c */
struct net *knet_helper_genl_info_net(const struct genl_info *info);
const struct genl_info *knet_helper_genl_info_dump(struct netlink_callback *cb);
bool knet_helper_genl_has_listeners(const struct genl_family *family, struct net *net, unsigned int group);
struct sk_buff *knet_helper_nlmsg_new(gfp_t flags);
void knet_helper_nlmsg_free(struct sk_buff *skb);
void knet_helper_genlmsg_end(struct sk_buff *skb, void *header);
void knet_helper_genlmsg_cancel(struct sk_buff *skb, void *header);
int knet_helper_genlmsg_unicast(struct net *net, struct sk_buff *skb, u32 portid);
int knet_helper_genlmsg_multicast(const struct genl_family *family, struct net *net, struct sk_buff *skb,
				  unsigned int group, gfp_t flags);
struct nlattr *knet_helper_nla_nest_start(struct sk_buff *skb, int type);
void knet_helper_nla_nest_end(struct sk_buff *skb, struct nlattr *nest);

/* index.c */
struct knet_index_entry {
	void *next;
	u32 key;
};
struct rhashtable *knet_helper_index_alloc(void);
int knet_helper_index_init(struct rhashtable *index);
int knet_helper_index_insert(struct rhashtable *index, struct knet_index_entry *entry);
/* The entry of @key; RCU read side. */
struct knet_index_entry *knet_helper_index_find(struct rhashtable *index, u32 key);
int knet_helper_index_remove(struct rhashtable *index, struct knet_index_entry *entry);

/* lock.c */
void knet_helper_spin_lock_init(spinlock_t *lock);
void knet_helper_spin_lock_bh(spinlock_t *lock);
void knet_helper_spin_unlock_bh(spinlock_t *lock);

/* netns.c */
void *knet_helper_net_generic(const struct net *net, unsigned int id);
void knet_helper_init_namespace_work(struct work_struct *work, work_func_t function);

/* notifier.c */
struct net *knet_helper_notified_device_net(void *info);
struct net *knet_helper_in_ifaddr_net(const struct in_ifaddr *address);
struct net *knet_helper_inet6_ifaddr_net(const struct inet6_ifaddr *address);
bool knet_helper_device_works(const struct net_device *device);
bool knet_helper_egress_works(const struct sock *sk);

/* percpu.c */
u64 __percpu *knet_helper_alloc_percpu_u64(size_t count);
void knet_helper_this_cpu_add_u64(u64 __percpu *base, size_t index, u64 amount);
u64 knet_helper_sum_percpu_u64(const u64 __percpu *base, size_t index);
u64 knet_helper_percpu_u64(const u64 __percpu *base, size_t index, unsigned int cpu);

/* procfs.c */
struct proc_dir_entry *knet_helper_proc_net_mkdir(struct net *net, const char *name);

/* steering.c; the masks of isolated processors live while the RCU read-side section lasts */
u32 knet_helper_flow_cpu_mask(void);
u32 knet_helper_receive_hash(const struct sock *sk);
u32 knet_helper_skb_hash(const struct sk_buff *skb);
bool knet_helper_cpu_possible(unsigned int cpu);
bool knet_helper_cpu_online(unsigned int cpu);
void knet_helper_preempt_disable(void);
void knet_helper_preempt_enable(void);
bool knet_helper_cpu_runs_tasks(unsigned int cpu);
bool knet_helper_cpu_runs_work(unsigned int cpu);
u32 knet_helper_cpu_cache(unsigned int cpu);
int knet_helper_watch_cpus(const char *name, int (*came)(unsigned int cpu), int (*goes)(unsigned int cpu));
void knet_helper_unwatch_cpus(int state);

#endif /* KNET_HELPERS_H */
