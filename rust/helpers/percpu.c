// SPDX-License-Identifier: GPL-2.0

#include <linux/percpu.h>

#include "helpers.h"

u64 __percpu *knet_helper_alloc_percpu_u64(size_t count)
{
	return __alloc_percpu(array_size(count, sizeof(u64)), __alignof__(u64));
}

void knet_helper_this_cpu_add_u64(u64 __percpu *base, size_t index, u64 amount)
{
	this_cpu_add(base[index], amount);
}

u64 knet_helper_sum_percpu_u64(const u64 __percpu *base, size_t index)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(base + index, cpu));
	return sum;
}

u64 knet_helper_percpu_u64(const u64 __percpu *base, size_t index, unsigned int cpu)
{
	return READ_ONCE(*per_cpu_ptr(base + index, cpu));
}
