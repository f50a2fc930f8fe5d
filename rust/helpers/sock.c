// SPDX-License-Identifier: GPL-2.0
/* Sockets: locks, references, memory accounting, waiting. */
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>

#include "socket.h"

void knet_helper_sock_hold(struct sock *sk)
{
	sock_hold(sk);
}

void knet_helper_sock_put(struct sock *sk)
{
	sock_put(sk);
}

void knet_helper_lock_sock(struct sock *sk)
{
	lock_sock(sk);
}

/* Otherwise lockdep takes the locks of meta-sockets for those of other TCP sockets of the application. */
void knet_helper_own_lock_class(struct sock *sk)
{
	static struct lock_class_key data, owner;

	lockdep_set_class_and_name(&sk->sk_lock.slock, &data, "slock-mptcp_rs");
	lockdep_init_map(&sk->sk_lock.dep_map, "sk_lock-mptcp_rs", &owner, 0);
}

void knet_helper_data_lock(struct sock *sk)
{
	spin_lock_bh(&sk->sk_lock.slock);
}

void knet_helper_data_unlock(struct sock *sk)
{
	spin_unlock_bh(&sk->sk_lock.slock);
}

void knet_helper_bh_lock_sock(struct sock *sk)
{
	bh_lock_sock(sk);
}

void knet_helper_bh_unlock_sock(struct sock *sk)
{
	bh_unlock_sock(sk);
}

bool knet_helper_sock_owned_by_user(const struct sock *sk)
{
	return sock_owned_by_user(sk);
}

/* With this, as TCP's sockets have it, a new socket is cleared once: not by the allocator too. */
unsigned int knet_helper_sock_slab_flags(void)
{
	return (__force unsigned int)SLAB_TYPESAFE_BY_RCU;
}

void knet_helper_sock_free_after_rcu(struct sock *sk)
{
	sock_set_flag(sk, SOCK_RCU_FREE);
}

void knet_helper_sock_orphan(struct sock *sk)
{
	sock_orphan(sk);
}

bool knet_helper_sk_fullsock(const struct sock *sk)
{
	return sk_fullsock(sk);
}

bool knet_helper_sk_kern_sock(const struct sock *sk)
{
	return sk->sk_kern_sock;
}

struct net *knet_helper_sock_net(const struct sock *sk)
{
	return sock_net(sk);
}

bool knet_helper_sk_stream_memory_free(const struct sock *sk)
{
	return sk_stream_memory_free(sk);
}

bool knet_helper_sk_stream_is_writeable(const struct sock *sk)
{
	return sk_stream_is_writeable(sk);
}

bool knet_helper_sk_wmem_schedule(struct sock *sk, int size)
{
	return sk_wmem_schedule(sk, size);
}

bool knet_helper_sk_rmem_schedule(struct sock *sk, int size)
{
	return __sk_rmem_schedule(sk, size, false);
}

void knet_helper_sk_mem_charge(struct sock *sk, int size)
{
	sk_mem_charge(sk, size);
}

void knet_helper_sk_forward_alloc_add(struct sock *sk, int size)
{
	sk_forward_alloc_add(sk, size);
}

void knet_helper_sk_mem_reclaim(struct sock *sk)
{
	sk_mem_reclaim(sk);
}

void knet_helper_sk_sockets_allocated_inc(struct sock *sk)
{
	sk_sockets_allocated_inc(sk);
}

void knet_helper_sk_sockets_allocated_dec(struct sock *sk)
{
	sk_sockets_allocated_dec(sk);
}

void knet_helper_sk_wmem_queued_add(struct sock *sk, int value)
{
	sk_wmem_queued_add(sk, value);
}

void knet_helper_rmem_add(struct sock *sk, int size)
{
	atomic_add(size, &sk->sk_rmem_alloc);
}

void knet_helper_rmem_sub(struct sock *sk, int size)
{
	atomic_sub(size, &sk->sk_rmem_alloc);
}

struct page_frag *knet_helper_sk_page_frag(struct sock *sk)
{
	return sk_page_frag(sk);
}

int knet_helper_sock_rcvlowat(const struct sock *sk, int waitall, int len)
{
	return sock_rcvlowat(sk, waitall, len);
}

int knet_helper_sock_intr_errno(long timeo)
{
	return sock_intr_errno(timeo);
}

int knet_helper_sock_error(struct sock *sk)
{
	return sock_error(sk);
}

bool knet_helper_signal_pending(void)
{
	return signal_pending(current);
}

void knet_helper_sock_poll_wait(struct file *file, struct socket *sock, poll_table *p)
{
	sock_poll_wait(file, sock, p);
}

void knet_helper_set_nospace(struct sock *sk)
{
	if (sk->sk_socket) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		smp_mb__after_atomic();
	}
}

void knet_helper_report_room(struct sock *sk, bool wanted)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	if (sock && test_bit(SOCK_NOSPACE, &sock->flags) != wanted)
		assign_bit(SOCK_NOSPACE, &sock->flags, wanted);
}

bool knet_helper_wants_room(const struct sock *sk)
{
	const struct socket *sock;

	/* Pairs with the barrier between setting the bit and looking for room. */
	smp_mb();
	sock = READ_ONCE(sk->sk_socket);
	return sock && test_bit(SOCK_NOSPACE, &sock->flags);
}

void knet_helper_shell_init(struct socket *shell, struct sock *sk)
{
	init_waitqueue_head(&shell->wq.wait);
	shell->type = SOCK_STREAM;
	shell->state = SS_CONNECTED;
	shell->sk = sk;
	set_bit(SOCK_NOSPACE, &shell->flags);
}

void knet_helper_shell_attach(struct sock *sk, struct socket *shell)
{
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_pointer(sk->sk_wq, &shell->wq);
	sk->sk_socket = shell;
	write_unlock_bh(&sk->sk_callback_lock);
}

void knet_helper_shell_detach(struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	sk->sk_socket = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
}

void knet_helper_set_custom_sockopt(struct socket *sock)
{
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
}

void knet_helper_state_store(struct sock *sk, int state)
{
	smp_store_release(&sk->sk_state, state);
}

sockptr_t knet_helper_kernel_sockptr(void *value)
{
	return KERNEL_SOCKPTR(value);
}

void knet_helper_timer_setup(struct sock *sk, void (*function)(struct timer_list *))
{
	timer_setup(&sk->sk_timer, function, 0);
}

struct sock *knet_helper_sock_of_timer(struct timer_list *timer)
{
	return timer_container_of((struct sock *)NULL, timer, sk_timer);
}

void knet_helper_init_work(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
}

bool knet_helper_queue_work(struct work_struct *work)
{
	return queue_work(system_percpu_wq, work);
}

/* Apart from the above: lock debugging tells work items by the place of their initialisation. */
void knet_helper_init_softirq_work(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
}

bool knet_helper_queue_softirq_work(struct work_struct *work)
{
	return queue_work(system_bh_wq, work);
}

/* What a copy of @parent must not share with it: per-family state that each socket owns. */
void knet_helper_release_family(struct sock *sk, const struct sock *parent)
{
	struct inet_sock *inet = inet_sk(sk);

	RCU_INIT_POINTER(inet->inet_opt, NULL);
	RCU_INIT_POINTER(inet->mc_list, NULL);
	sk->sk_rx_dst = NULL;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		struct ipv6_pinfo *np = (void *)sk + sk->sk_prot->ipv6_pinfo_offset;

		inet->pinet6 = np;
		inet->ipv6_fl_list = NULL;
		np->ipv6_mc_list = NULL;
		np->ipv6_ac_list = NULL;
		np->pktoptions = NULL;
		np->rxpmtu = NULL;
		RCU_INIT_POINTER(np->opt, NULL);
	}
#endif
}

void knet_helper_copy_addresses(struct sock *to, const struct sock *from)
{
	inet_sk(to)->inet_num = inet_sk(from)->inet_num;
	inet_sk(to)->inet_dport = inet_sk(from)->inet_dport;
	inet_sk(to)->inet_sport = inet_sk(from)->inet_sport;
	inet_sk(to)->inet_daddr = inet_sk(from)->inet_daddr;
	inet_sk(to)->inet_saddr = inet_sk(from)->inet_saddr;
	inet_sk(to)->inet_rcv_saddr = inet_sk(from)->inet_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	if (to->sk_family == AF_INET6) {
		if (from->sk_family == AF_INET6) {
			to->sk_v6_daddr = from->sk_v6_daddr;
			to->sk_v6_rcv_saddr = from->sk_v6_rcv_saddr;
			inet6_sk(to)->saddr = inet6_sk(from)->saddr;
		} else {
			ipv6_addr_set_v4mapped(inet_sk(from)->inet_daddr, &to->sk_v6_daddr);
			ipv6_addr_set_v4mapped(inet_sk(from)->inet_rcv_saddr, &to->sk_v6_rcv_saddr);
			ipv6_addr_set_v4mapped(inet_sk(from)->inet_saddr, &inet6_sk(to)->saddr);
		}
	}
#endif
}

/* As sk_wait_data(), but the end of the stream may come without the socket's owner lock too. */
void knet_helper_wait_for_data(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, timeo,
		      !skb_queue_empty_lockless(&sk->sk_receive_queue) || READ_ONCE(sk->sk_err) ||
		      (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
		      READ_ONCE(sk->sk_state) == TCP_CLOSE, &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

static bool waits_for_peer(const struct sock *sk)
{
	return (1 << READ_ONCE(sk->sk_state)) & (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK);
}

/* Until all that was written is acknowledged, the end of the stream included, or a signal comes. */
void knet_helper_wait_for_close(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	while (timeo && waits_for_peer(sk) && !signal_pending(current))
		sk_wait_event(sk, &timeo, !waits_for_peer(sk), &wait);
	remove_wait_queue(sk_sleep(sk), &wait);
}

int knet_helper_copy_from_sockptr(void *to, sockptr_t from, size_t size)
{
	return copy_from_sockptr(to, from, size);
}

int knet_helper_put_option(char __user *value, int __user *len, const void *from, int size)
{
	int room;

	if (get_user(room, len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = min(room, size);
	if (put_user(room, len) || copy_to_user(value, from, room))
		return -EFAULT;
	return 0;
}

/* The sizes that a TCP socket of the namespace begins with, and TCP's way to wake writers. */
void knet_helper_init_buffers(struct sock *sk)
{
	sk->sk_rcvbuf = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[1]);
	sk->sk_sndbuf = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[1]);
}
