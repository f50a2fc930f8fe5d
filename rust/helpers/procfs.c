// SPDX-License-Identifier: GPL-2.0

#include <linux/proc_fs.h>
#include <net/net_namespace.h>

#include "helpers.h"

struct proc_dir_entry *knet_helper_proc_net_mkdir(struct net *net, const char *name)
{
	return proc_net_mkdir(net, name, net->proc_net);
}
