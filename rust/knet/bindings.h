/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel headers from which bindgen makes the declarations of crate knet, and our own helpers.
 * What is taken from them is listed in bindgen_parameters.
 */
#ifndef KNET_BINDINGS_H
#define KNET_BINDINGS_H

#include <crypto/sha2.h>
#include <linux/errqueue.h>
#include <linux/hrtimer.h>
#include <linux/inet.h>
#include <linux/ipv6.h>
#include <linux/mptcp.h>
#include <linux/net.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
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
#include <net/netns/generic.h>
#include <net/protocol.h>
#include <net/request_sock.h>
#include <net/rps.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <uapi/linux/mptcp.h>

#include "../helpers/helpers.h"

#endif /* KNET_BINDINGS_H */
