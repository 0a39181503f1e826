/* columns.c: turning rows round into columns, and the choice of each column's form. */
#include "base/alloc.h"
#include "base/error.h"
#include "num/sort.h"
#include "svm/kernel.h"
#include <string.h>

/* A feature with different values goes into the dense block when at least this share of rows has it: adding an entry
 * through its place costs about four times as much as one more element of a dense column. */
#define DENSE_SHARE 0.25
/* Features are numbered directly up to this many plus four an entry. */
#define SPARSE_FEATURES 65536

ctw_svm__column *ctw_svm__columns_search(const ctw_svm__columns *c, int32_t feature)
{
    size_t lo = 0, hi = c->d;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->feature[mid] < feature)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->d && c->feature[lo] == feature ? &c->column[lo] : NULL;
}

static int by_number(const void *a, const void *b, void *user)
{
    int32_t x, y;
    (void)user;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Features that occur, where numbering all of them would take far more room than the data. */
static ctw_status list_features(ctw_ctx *ctx, ctw_svm__columns *c, const ctw_svm__rows *x)
{
    size_t n = ctw_svm__rows_entries(x), d = 0;
    c->d = x->d;
    if (x->d <= SPARSE_FEATURES + 4 * n) return CTW_OK;
    c->feature = ctw_base__dup(ctx, x->col, n, sizeof *c->feature);
    if (!c->feature) return CTW_E_NOMEM;
    ctw_num__sort_by(c->feature, n, sizeof *c->feature, by_number, NULL);
    for (size_t k = 0; k < n; k++)
        if (k == 0 || c->feature[k] != c->feature[k - 1]) c->feature[d++] = c->feature[k];
    c->d = d;
    return CTW_OK;
}

ctw_status ctw_svm__columns_new(ctw_ctx *ctx, const ctw_svm__rows *x, size_t m, size_t entries,
                                const ctw_svm__kernel *k, ctw_svm__columns *out)
{
    *out = (ctw_svm__columns){.kernel = *k, .loops = ctw_svm__loops_pick(), .cap_m = m};
    if (m > INT32_MAX - 2) return ctw_base__fail(CTW_E_RANGE, "a kernel machine takes at most 2^31-3 rows");
    CTW_TRY(list_features(ctx, out, x));
    out->norm = ctw_base__alloc(ctx, m, sizeof *out->norm);
    out->column = CTW_NEW(ctx, out->d, ctw_svm__column);
    out->place = ctw_base__alloc(ctx, entries, sizeof *out->place);
    out->value = ctw_base__alloc(ctx, entries, sizeof *out->value);
    if (out->norm && out->column && out->place && out->value) return CTW_OK;
    ctw_svm__columns_free(ctx, out);
    return CTW_E_NOMEM;
}

void ctw_svm__columns_free(ctw_ctx *ctx, ctw_svm__columns *c)
{
    ctw_base__free(ctx, c->norm);
    ctw_base__free(ctx, c->feature);
    ctw_base__free(ctx, c->column);
    ctw_base__free(ctx, c->place);
    ctw_base__free(ctx, c->value);
    ctw_base__free(ctx, c->block.a);
    memset(c, 0, sizeof *c);
}

/* Counts every feature's entries and finds features with one common value. */
static void count(ctw_svm__columns *c, const ctw_svm__rows *x, const size_t *idx)
{
    for (size_t f = 0; f < c->d; f++) c->column[f] = (ctw_svm__column){.dense = -1};
    for (size_t k = 0; k < c->m; k++) {
        size_t i = idx ? idx[k] : k;
        for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
            ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
            if (f->count++ == 0)
                f->common = x->val[p];
            else if (f->common != x->val[p])
                f->common = 0;
        }
    }
}

/* Decides every feature's form and where its entries begin; the number of dense columns. */
static size_t decide(ctw_svm__columns *c)
{
    size_t dense = 0, at = 0;
    for (size_t f = 0; f < c->d; f++) {
        ctw_svm__column *g = &c->column[f];
        g->at = at;
        if (g->common == 0 && g->count > 0 && (double)g->count >= DENSE_SHARE * (double)c->m)
            g->dense = (int32_t)dense++;
        else if (g->common != 0 && g->count > c->m - g->count)
            g->absent = 1;
        if (g->dense < 0) at += g->absent ? c->m - g->count : g->count;
        g->count = 0; /* refilled as a cursor */
    }
    return dense;
}

static ctw_status room_for_block(ctw_ctx *ctx, ctw_svm__columns *c, size_t dense)
{
    size_t need = dense * c->m;
    if (need > c->cap_block) {
        double *a = ctw_base__alloc(ctx, need, sizeof *a);
        if (!a) return CTW_E_NOMEM;
        ctw_base__free(ctx, c->block.a);
        c->block.a = a;
        c->cap_block = need;
    }
    c->block.rows = c->block.ld = c->m;
    c->block.cols = dense;
    if (need) memset(c->block.a, 0, need * sizeof *c->block.a);
    return CTW_OK;
}

/* One row into its columns. An absent-form feature lists the rows between two that have it; `next` is kept in the
 * feature's dense field, which such features do not use: -2 - (first row not yet accounted for). */
static void place_row(ctw_svm__columns *c, const ctw_svm__rows *x, size_t i, size_t k)
{
    for (size_t p = x->start[i]; p < x->start[i + 1]; p++) {
        ctw_svm__column *f = ctw_svm__columns_find(c, x->col[p]);
        if (f->dense >= 0) {
            CTW_AT(&c->block, k, f->dense) = x->val[p];
        } else if (f->absent) {
            for (size_t r = (size_t)(-2 - f->dense); r < k; r++) c->place[f->at + f->count++] = (uint32_t)r;
            f->dense = -2 - (int32_t)(k + 1);
        } else {
            c->place[f->at + f->count] = (uint32_t)k;
            c->value[f->at + f->count++] = x->val[p];
        }
    }
}

ctw_status ctw_svm__columns_fill(ctw_ctx *ctx, ctw_svm__columns *c, const ctw_svm__rows *x, const double *norm,
                                 const size_t *idx, size_t m)
{
    c->m = m;
    count(c, x, idx);
    CTW_TRY(room_for_block(ctx, c, decide(c)));
    for (size_t f = 0; f < c->d; f++)
        if (c->column[f].absent) c->column[f].dense = -2;
    for (size_t k = 0; k < m; k++) {
        size_t i = idx ? idx[k] : k;
        c->norm[k] = norm[i];
        place_row(c, x, i, k);
    }
    for (size_t f = 0; f < c->d; f++) {
        ctw_svm__column *g = &c->column[f];
        if (!g->absent) continue;
        for (size_t r = (size_t)(-2 - g->dense); r < m; r++) c->place[g->at + g->count++] = (uint32_t)r;
        g->dense = -1;
    }
    return CTW_OK;
}
