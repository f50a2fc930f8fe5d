/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel headers from which bindgen makes the declarations of crate knet, and our own helpers.
 * What is taken from them is listed in bindgen_parameters.
 */
#ifndef KNET_BINDINGS_H
#define KNET_BINDINGS_H

#include <asm/ioctls.h>
#include <crypto/sha2.h>
#include <linux/cpu.h>
#include <linux/errqueue.h>
#include <linux/hrtimer.h>
#include <linux/inet.h>
#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/mptcp.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/seq_file.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/splice.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/timer.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/genetlink.h>
#include <net/hotdata.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netns/generic.h>
#include <net/protocol.h>
#include <net/request_sock.h>
#include <net/rps.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <uapi/linux/mptcp.h>

#include "../../helpers/helpers.h"
#include "../../helpers/socket.h"
#if IS_BUILTIN(CONFIG_KUNIT)
#include "../../helpers/testing.h"
#endif

/*
 * Constants whose macros bindgen cannot evaluate (casts, enum values, sizeof). The prefix is taken off
 * after bindgen ran.
 */
#define KNET_CONST(type, name) static const type KNET_CONST_##name = (type)(name)

KNET_CONST(u32, MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED);
KNET_CONST(u8, TCPHDR_FIN);
KNET_CONST(u8, TCPHDR_SYN);
KNET_CONST(u8, TCPHDR_RST);
KNET_CONST(u8, TCPHDR_PSH);
KNET_CONST(u8, TCPHDR_ACK);
KNET_CONST(u8, TCPHDR_URG);
KNET_CONST(u32, EPOLLIN);
KNET_CONST(u32, EPOLLPRI);
KNET_CONST(u32, EPOLLOUT);
KNET_CONST(u32, EPOLLERR);
KNET_CONST(u32, EPOLLHUP);
KNET_CONST(u32, EPOLLRDHUP);
KNET_CONST(u32, EPOLLRDNORM);
KNET_CONST(u32, EPOLLWRNORM);
KNET_CONST(u32, GFP_KERNEL);
KNET_CONST(u32, GFP_ATOMIC);
KNET_CONST(u32, ICSK_CA_PRIV_SIZE);
KNET_CONST(u32, SLAB_TYPESAFE_BY_RCU);
KNET_CONST(u32, TCP_CONG_NON_RESTRICTED);
KNET_CONST(unsigned long, PAGE_SIZE);
KNET_CONST(u8, GENL_MCAST_CAP_NET_ADMIN);

#endif /* KNET_BINDINGS_H */
