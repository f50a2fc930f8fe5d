// SPDX-License-Identifier: GPL-2.0
/* A hash table of numbers that are given out once. */
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "helpers.h"

static_assert(sizeof(struct rhash_head) == sizeof_field(struct knet_index_entry, next));

/* At most a million entries: then numbers are refused. */
#define INDEX_PARAMETERS ((const struct rhashtable_params) {			\
	.key_len = sizeof_field(struct knet_index_entry, key),			\
	.key_offset = offsetof(struct knet_index_entry, key),			\
	.head_offset = offsetof(struct knet_index_entry, next),			\
	.max_size = 1 << 20,							\
	.automatic_shrinking = true,						\
})

struct rhashtable *knet_helper_index_alloc(void)
{
	return kzalloc(sizeof(struct rhashtable), GFP_KERNEL);
}

int knet_helper_index_init(struct rhashtable *index)
{
	const struct rhashtable_params parameters = INDEX_PARAMETERS;

	return rhashtable_init(index, &parameters);
}

int knet_helper_index_insert(struct rhashtable *index, struct knet_index_entry *entry)
{
	return rhashtable_lookup_insert_fast(index, (struct rhash_head *)&entry->next, INDEX_PARAMETERS);
}

struct knet_index_entry *knet_helper_index_find(struct rhashtable *index, u32 key)
{
	struct rhash_head *found = rhashtable_lookup(index, &key, INDEX_PARAMETERS);

	return found ? container_of((void **)found, struct knet_index_entry, next) : NULL;
}

int knet_helper_index_remove(struct rhashtable *index, struct knet_index_entry *entry)
{
	return rhashtable_remove_fast(index, (struct rhash_head *)&entry->next, INDEX_PARAMETERS);
}
