// SPDX-License-Identifier: GPL-2.0

#include <linux/spinlock.h>

#include "helpers.h"

void knet_helper_spin_lock_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

void knet_helper_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

void knet_helper_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}
