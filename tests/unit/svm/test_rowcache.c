/* The kernel row cache against a naive model: what is found, what is dropped, what compaction leaves; and rows beyond
 * 4 GiB. */
#include "num/rng.h"
#include "svm/rowcache.h"
#include "test.h"
#include <string.h>
#include <sys/mman.h>

enum { N = 40 };
static ctw_ctx *ctx;

/* The value of row i at column k, as if the rows were a matrix of original numbers. */
static float cell(size_t i, size_t k)
{
    return (float)(i * 1000 + k);
}

/* Fetches the row of a position; fills it when fresh, checks it otherwise. name: original numbers by position. */
static float *use(ctw_svm__rowcache *c, const size_t *name, size_t active, size_t pos, int *fresh)
{
    float *row = ctw_svm__rowcache_get(c, pos, fresh);
    for (size_t k = 0; k < active; k++) {
        if (*fresh) row[k] = cell(name[pos], name[k]);
        ck_assert(row[k] == cell(name[pos], name[k]));
    }
    return row;
}

START_TEST(random_use)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_num__rng g;
    ctw_num__rng_init(&g, 5, 6, 7);
    ctw_svm__rowcache c;
    CTW_OKAY(ctw_svm__rowcache_new(ctx, N, sizeof(float), 6 * N * sizeof(float), &c));
    size_t name[N], keep[N], active = N, hits = 0;
    for (size_t i = 0; i < N; i++) name[i] = i;
    for (int round = 0; round < 3000; round++) {
        int fresh, other;
        size_t a = ctw_num__rng_below(&g, active), b = ctw_num__rng_below(&g, active);
        const float *first = use(&c, name, active, a, &fresh);
        use(&c, name, active, b, &other);
        ck_assert(first[active - 1] == cell(name[a], name[active - 1]));
        hits += !fresh;
        if (round % 100 == 99 && active > 8) {
            size_t m = 0;
            for (size_t k = 0; k < active; k++)
                if (ctw_num__rng_below(&g, 4)) keep[m++] = k;
            if (m < 4) continue;
            ctw_svm__rowcache_shrink(&c, keep, m);
            for (size_t k = 0; k < m; k++) name[k] = name[keep[k]];
            active = m;
            ck_assert_uint_eq(c.slots, 6 * N / m < N ? 6 * N / m : N);
        }
        if (round % 1000 == 999) {
            for (size_t i = 0; i < N; i++) name[i] = i;
            active = N;
            ctw_svm__rowcache_reset(&c, N);
        }
    }
    ck_assert(hits > 500);
    ctw_svm__rowcache_free(ctx, &c);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The least recently used row goes first, and two rows always fit. */
START_TEST(order)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_svm__rowcache c;
    int fresh;
    CTW_OKAY(ctw_svm__rowcache_new(ctx, 5, sizeof(double), 0, &c));
    const void *a = ctw_svm__rowcache_get(&c, 0, &fresh), *b = ctw_svm__rowcache_get(&c, 1, &fresh);
    ck_assert(fresh && a != b);
    ck_assert_ptr_eq(ctw_svm__rowcache_get(&c, 0, &fresh), a);
    ck_assert(!fresh);
    ck_assert_ptr_eq(ctw_svm__rowcache_get(&c, 2, &fresh), b);
    ck_assert(fresh);
    ctw_svm__rowcache_get(&c, 0, &fresh);
    ck_assert(!fresh);
    ctw_svm__rowcache_get(&c, 1, &fresh);
    ck_assert(fresh);
    ctw_svm__rowcache_free(ctx, &c);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Memory straight from the system, so that what is never touched is never there (a test run may fill malloc's). */
static void *map_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size)
{
    void *p = NULL;
    (void)user;
    if (new_size) {
        p = mmap(NULL, new_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) return NULL;
        if (ptr) memcpy(p, ptr, old_size < new_size ? old_size : new_size);
    }
    if (ptr) munmap(ptr, old_size);
    return p;
}

START_TEST(beyond_4_gib)
{
    enum { WIDE = 70000 };
    CTW_OKAY(ctw_ctx_new(map_alloc, NULL, &ctx));
    ctw_svm__rowcache c;
    if (ctw_svm__rowcache_new(ctx, WIDE, sizeof(float), (size_t)5 << 30, &c) == CTW_OK) {
        int fresh;
        float *a = ctw_svm__rowcache_get(&c, 7, &fresh), *b = ctw_svm__rowcache_get(&c, 9, &fresh);
        ck_assert(c.slots > 19000);
        ck_assert((size_t)((unsigned char *)(a > b ? a : b) - c.mem) > (size_t)4 << 30);
        for (size_t k = 0; k < WIDE; k++) {
            a[k] = 1;
            b[k] = 2;
        }
        ck_assert(ctw_svm__rowcache_get(&c, 7, &fresh) == a && !fresh && a[WIDE - 1] == 1);
        ck_assert(ctw_svm__rowcache_get(&c, 9, &fresh) == b && !fresh && b[0] == 2);
        ctw_svm__rowcache_free(ctx, &c);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"random_use", random_use}, {"order", order}, {"beyond_4_gib", beyond_4_gib}};
    return ctw_test_main("unit-svm-rowcache", cases, sizeof cases / sizeof *cases, 60);
}
