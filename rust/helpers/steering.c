// SPDX-License-Identifier: GPL-2.0

#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/preempt.h>
#include <linux/sched/isolation.h>
#include <linux/topology.h>
#include <net/hotdata.h>
#include <net/rps.h>
#include <net/sock.h>

#include "helpers.h"

u32 knet_helper_flow_cpu_mask(void)
{
#ifdef CONFIG_RPS
	return READ_ONCE(net_hotdata.rps_cpu_mask);
#else
	return 0;
#endif
}

u32 knet_helper_receive_hash(const struct sock *sk)
{
#ifdef CONFIG_RPS
	return READ_ONCE(sk->sk_rxhash);
#else
	return 0;
#endif
}

u32 knet_helper_skb_hash(const struct sk_buff *skb)
{
	return skb->hash;
}

bool knet_helper_cpu_possible(unsigned int cpu)
{
	return cpu < nr_cpu_ids && cpu_possible(cpu);
}

bool knet_helper_cpu_online(unsigned int cpu)
{
	return cpu_online(cpu);
}

void knet_helper_preempt_disable(void)
{
	preempt_disable();
}

void knet_helper_preempt_enable(void)
{
	preempt_enable();
}

bool knet_helper_cpu_runs_tasks(unsigned int cpu)
{
	return housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN);
}

bool knet_helper_cpu_runs_work(unsigned int cpu)
{
	return housekeeping_test_cpu(cpu, HK_TYPE_WQ);
}

u32 knet_helper_cpu_cache(unsigned int cpu)
{
#ifdef CONFIG_X86
	return per_cpu_llc_id(cpu);
#else
	return topology_physical_package_id(cpu);
#endif
}

int knet_helper_watch_cpus(const char *name, int (*came)(unsigned int cpu), int (*goes)(unsigned int cpu))
{
	return cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, name, came, goes);
}

void knet_helper_unwatch_cpus(int state)
{
	cpuhp_remove_state_nocalls(state);
}
