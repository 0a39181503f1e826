/* pages.h: the allocator of a context that was given none. */
#ifndef CTW_BASE_PAGES_H
#define CTW_BASE_PAGES_H

#include <stdint.h>

/* A ctw_alloc_fn. `old_size` decides which way a block is freed. */
void *ctw_base__default_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size);

#endif
