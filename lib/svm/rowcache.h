/* rowcache.h: kernel rows kept during a fit, least recently used out first. Rows are keyed by the variable's current
 * position and hold the active positions only; when the active set shrinks, rows are compacted in place and the space
 * won holds more rows. Sizes are size_t throughout: caches beyond 4 GiB work. */
#ifndef CTW_SVM_ROWCACHE_H
#define CTW_SVM_ROWCACHE_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_svm__rowcache {
    unsigned char *mem;
    size_t size;         /* bytes of a value: a float's or a double's */
    size_t values;       /* in mem */
    size_t n;            /* variables */
    size_t stride;       /* values a row = active variables */
    size_t slots;        /* rows that fit now */
    size_t *slot_of;     /* n: slot of a position's row, SIZE_MAX when not there */
    size_t *row_of;      /* position of a slot's row, SIZE_MAX when empty */
    size_t *prev, *next; /* n + 1: list of slots, most recent first; element n is its head */
} ctw_svm__rowcache;

/* Values of `size` bytes. At least two rows, at most `bytes` beyond that, never more than n rows. */
ctw_status ctw_svm__rowcache_new(ctw_ctx *ctx, size_t n, size_t size, size_t bytes, ctw_svm__rowcache *c);
void ctw_svm__rowcache_free(ctw_ctx *ctx, ctw_svm__rowcache *c);
/* The row of a position and makes it the most recent; *fresh: its values must be computed. The row fetched before
 * this one stays in place. */
void *ctw_svm__rowcache_get(ctw_svm__rowcache *c, size_t pos, int *fresh);
/* Positions keep[0..m), ascending, become positions 0..m; everything else is dropped. */
void ctw_svm__rowcache_shrink(ctw_svm__rowcache *c, const size_t *keep, size_t m);
/* Drops every row; rows now have `stride` values. */
void ctw_svm__rowcache_reset(ctw_svm__rowcache *c, size_t stride);

#endif
