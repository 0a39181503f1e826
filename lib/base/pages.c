/* pages.c: the default allocator: the C library's, except that a block of 8 MiB or more lies at a multiple of 2 MiB and
 * the kernel is asked for pages of that size. Structures that are walked at random (a million waiting jobs, a cache of
 * kernel rows) otherwise miss the TLB at each step. Only whole large pages are asked for, so that no block holds more
 * memory than without; where the kernel refuses, small pages do. The block's size tells how it was made. */
#define _GNU_SOURCE /* mremap */
#include "base/pages.h"
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

/* AddressSanitizer sees only what the C library has allocated. */
#if defined __SANITIZE_ADDRESS__
#define WATCHED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

static void *libc_alloc(void *ptr, uint64_t new_size)
{
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return new_size > SIZE_MAX / 2 ? NULL : realloc(ptr, (size_t)new_size);
}

#if defined MADV_HUGEPAGE && !defined WATCHED

#define HUGE  ((size_t)2 << 20)
#define LARGE (4 * HUGE)        /* smaller ones come and go, and the C library keeps them mapped */
#define STEP  ((size_t)1 << 16) /* a multiple of every page size in use */

static size_t whole(uint64_t bytes)
{
    return ((size_t)bytes + STEP - 1) / STEP * STEP;
}

/* Mapped with room for the alignment, and trimmed. */
static char *map(size_t bytes)
{
    char *p = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE;
    if (before) munmap(p, before);
    if (HUGE - before) munmap(p + before + bytes, HUGE - before);
    (void)madvise(p + before, bytes, MADV_HUGEPAGE);
    return p + before;
}

/* The last part of the block, on small pages so far, has become a whole large page: written anew, so that it is one. */
static void refill(char *part, size_t used)
{
    void *copy = malloc(used);
    if (!copy) return;
    memcpy(copy, part, used);
    if (!madvise(part, HUGE, MADV_DONTNEED)) memcpy(part, copy, used);
    free(copy);
}

/* Moves page tables, not bytes: both places are multiples of a large page. A target that could not be used may by then
 * belong to another thread, so it is left alone. */
static char *remap(char *p, size_t old_size, size_t new_size)
{
    char *q = mremap(p, old_size, new_size, 0);
    if (q == MAP_FAILED) {
        char *to = map(new_size);
        if (!to) return NULL;
        q = mremap(p, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
        if (q == MAP_FAILED) return NULL;
    }
    size_t part = old_size / HUGE * HUGE;
    if (part < old_size && part + HUGE <= new_size) refill(q + part, old_size - part);
    return q;
}

static void release(void *ptr, uint64_t size)
{
    if (size < LARGE)
        free(ptr);
    else
        munmap(ptr, whole(size));
}

void *ctw_base__default_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size)
{
    (void)user;
    if (old_size < LARGE && new_size < LARGE) return libc_alloc(ptr, new_size);
    if (!new_size) {
        if (ptr) release(ptr, old_size);
        return NULL;
    }
    if (new_size > SIZE_MAX / 2) return NULL;
    if (ptr && old_size >= LARGE && new_size >= LARGE) return remap(ptr, whole(old_size), whole(new_size));
    void *fresh = new_size < LARGE ? malloc((size_t)new_size) : map(whole(new_size));
    if (!fresh || !ptr) return fresh;
    memcpy(fresh, ptr, (size_t)(old_size < new_size ? old_size : new_size));
    release(ptr, old_size);
    return fresh;
}

#else

void *ctw_base__default_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size)
{
    (void)user;
    (void)old_size;
    return libc_alloc(ptr, new_size);
}

#endif
