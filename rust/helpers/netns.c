// SPDX-License-Identifier: GPL-2.0

#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "helpers.h"

void *knet_helper_net_generic(const struct net *net, unsigned int id)
{
	return net_generic(net, id);
}

/* Apart from other work: lock debugging tells work items by the place of their initialisation. */
void knet_helper_init_namespace_work(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
}
