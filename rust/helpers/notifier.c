// SPDX-License-Identifier: GPL-2.0

#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/if_inet6.h>

#include "helpers.h"

struct net *knet_helper_notified_device_net(void *info)
{
	return dev_net(netdev_notifier_info_to_dev(info));
}

struct net *knet_helper_in_ifaddr_net(const struct in_ifaddr *address)
{
	return dev_net(address->ifa_dev->dev);
}

struct net *knet_helper_inet6_ifaddr_net(const struct inet6_ifaddr *address)
{
	return dev_net(address->idev->dev);
}

bool knet_helper_device_works(const struct net_device *device)
{
	return netif_running(device) && netif_carrier_ok(device);
}

bool knet_helper_egress_works(const struct sock *sk)
{
	const struct dst_entry *dst;
	bool works;

	rcu_read_lock();
	dst = rcu_dereference(sk->sk_dst_cache);
	works = dst && knet_helper_device_works(dst_dev_rcu(dst));
	rcu_read_unlock();
	return works;
}
