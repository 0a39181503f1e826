/* cd.c: linear support vector machines by dual coordinate descent (Hsieh, Chang, Lin, Keerthi & Sundararajan,
 * ICML 2008, algorithm 3): one multiplier at a time in random order, the weight vector kept up to date, settled
 * multipliers set aside. The bias is the weight of a constant feature, so there is no equality constraint. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "num/rng.h"
#include "svm/svm_internal.h"
#include <math.h>
#include <string.h>

#define CD_MODULE 0x53564344u /* random streams of this solver */

/* All that a visit needs of one row, on one cache line; visits come in random order. */
typedef struct cd_row {
    const int32_t *col;
    const double *val; /* NULL where all entries are `common` (one-hot data): half the memory to read */
    double common;
    double alpha, upper, q, d; /* q: diagonal of Q with d, the loss's own part of it */
    uint32_t nz;
    int32_t y;
} cd_row;

typedef struct cd {
    const ctw_svm__rows *x;
    cd_row *row;
    double *w;
    uint32_t *order;
    size_t n, active;
    double bias; /* value of the constant feature */
    int shrink;
    double old_max, old_min, new_max, new_min; /* projected gradients of a sweep */
} cd;

/* Four partial sums: one chain of additions would wait for itself. */
static double margin(const cd *s, const cd_row *r)
{
    const double *w = s->w;
    double f = s->bias * w[s->x->d], a = 0, b = 0, c = 0, e = 0;
    uint32_t p = 0, nz = r->nz;
    if (!r->val) {
        for (; p + 4 <= nz; p += 4) {
            a += w[r->col[p]];
            b += w[r->col[p + 1]];
            c += w[r->col[p + 2]];
            e += w[r->col[p + 3]];
        }
        for (; p < nz; p++) a += w[r->col[p]];
        return f + r->common * ((a + b) + (c + e));
    }
    for (; p + 4 <= nz; p += 4) {
        a += r->val[p] * w[r->col[p]];
        b += r->val[p + 1] * w[r->col[p + 1]];
        c += r->val[p + 2] * w[r->col[p + 2]];
        e += r->val[p + 3] * w[r->col[p + 3]];
    }
    for (; p < nz; p++) a += r->val[p] * w[r->col[p]];
    return f + ((a + b) + (c + e));
}

static void add_row(cd *s, const cd_row *r, double by)
{
    if (r->val) {
        for (uint32_t p = 0; p < r->nz; p++) s->w[r->col[p]] += by * r->val[p];
    } else {
        double v = by * r->common;
        for (uint32_t p = 0; p < r->nz; p++) s->w[r->col[p]] += v;
    }
    s->w[s->x->d] += by * s->bias;
}

/* Projected gradient of a multiplier; *settled when it may be set aside. */
static double projected(const cd *s, const cd_row *r, double g, int *settled)
{
    *settled = 0;
    if (r->alpha == 0) {
        *settled = g > s->old_max;
        return g < 0 ? g : 0;
    }
    if (r->alpha == r->upper) {
        *settled = g < s->old_min;
        return g > 0 ? g : 0;
    }
    return g;
}

/* One visit; 1 when the row may be set aside. */
static int visit(cd *s, cd_row *r)
{
    double g = r->y * margin(s, r) - 1 + r->d * r->alpha;
    int settled;
    double pg = projected(s, r, g, &settled);
    if (settled && s->shrink) return 1;
    if (pg > s->new_max) s->new_max = pg;
    if (pg < s->new_min) s->new_min = pg;
    if (fabs(pg) < 1e-12 || r->q <= 0) return 0;
    double old = r->alpha, a = old - g / r->q;
    if (a < 0) a = 0;
    if (a > r->upper) a = r->upper;
    if (a != old) {
        r->alpha = a;
        add_row(s, r, (a - old) * r->y);
    }
    return 0;
}

/* A new random order. One draw of 64 bits gives two places: the high half of a 32-bit product is close enough to
 * uniform for an order of visits. */
static void shuffle(cd *s, ctw_num__rng *g)
{
    uint64_t bits = 0;
    for (size_t k = 0; k < s->active; k++) {
        bits = k % 2 ? bits >> 32 : ctw_num__rng_u64(g);
        size_t j = k + (size_t)(((bits & 0xffffffffu) * (s->active - k)) >> 32);
        uint32_t t = s->order[j];
        s->order[j] = s->order[k];
        s->order[k] = t;
    }
}

static void sweep(cd *s, ctw_num__rng *g)
{
    s->new_max = -INFINITY;
    s->new_min = INFINITY;
    shuffle(s, g);
    for (size_t k = 0; k < s->active;) {
        if (k + 6 < s->active) __builtin_prefetch(&s->row[s->order[k + 6]]);
        if (k + 3 < s->active) {
            const cd_row *soon = &s->row[s->order[k + 3]];
            __builtin_prefetch(soon->col);
            if (soon->val) __builtin_prefetch(soon->val);
        }
        if (!visit(s, &s->row[s->order[k]])) {
            k++;
            continue;
        }
        uint32_t t = s->order[--s->active];
        s->order[s->active] = s->order[k];
        s->order[k] = t;
    }
}

/* After a sweep: 1 when optimal to tol over all rows. */
static int finished(cd *s, double tol)
{
    if (s->active == 0 || s->new_max - s->new_min <= tol) {
        if (s->active == s->n) return 1;
        s->active = s->n;
        s->old_max = INFINITY;
        s->old_min = -INFINITY;
        return 0;
    }
    s->old_max = s->new_max > 0 ? s->new_max : INFINITY;
    s->old_min = s->new_min < 0 ? s->new_min : -INFINITY;
    return 0;
}

static double common_value(const double *val, size_t nz)
{
    for (size_t p = 1; p < nz; p++)
        if (val[p] != val[0]) return 0;
    return nz ? val[0] : 1;
}

static void prepare(cd *s, const ctw_svm__problem *p, int squared)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t at = s->x->start[p->row[i]], nz = s->x->start[p->row[i] + 1] - at;
        cd_row *r = &s->row[i];
        *r = (cd_row){.col = s->x->col + at, .val = s->x->val + at, .nz = (uint32_t)nz, .y = p->y[i] > 0 ? 1 : -1};
        r->common = common_value(r->val, nz);
        if (r->common != 0) r->val = NULL;
        r->d = squared ? 0.5 / p->c[i] : 0;
        r->upper = squared ? INFINITY : p->c[i];
        r->q = r->d + s->bias * s->bias + ctw_svm__rows_norm2(s->x, p->row[i]);
        r->alpha = p->alpha[i];
        if (r->q <= 0) r->alpha = r->upper; /* an empty row without bias: the dual is linear in it */
        s->order[i] = (uint32_t)i;
        if (r->alpha > 0) add_row(s, r, r->alpha * r->y);
    }
}

static ctw_status descend(const ctw_svm__run *run, cd *s, ctw_svm__solution *out)
{
    uint64_t limit = run->opts->max_iter;
    ctw_num__rng g;
    ctw_num__rng_init(&g, ctw_base__seed(run->ctx), CD_MODULE, run->opts->stream);
    s->old_max = INFINITY;
    s->old_min = -INFINITY;
    while (out->iterations < limit && !out->converged) {
        sweep(s, &g);
        CTW_TRY(ctw_svm__tick(run, ++out->iterations, s->new_max - s->new_min));
        out->converged = finished(s, run->opts->tol);
    }
    return CTW_OK;
}

static void conclude(const cd *s, ctw_svm__problem *p, ctw_svm__solution *out)
{
    double v = 0;
    for (size_t k = 0; k <= s->x->d; k++) v += s->w[k] * s->w[k];
    for (size_t i = 0; i < s->n; i++) {
        p->alpha[i] = s->row[i].alpha;
        v += s->row[i].alpha * (s->row[i].alpha * s->row[i].d - 2);
    }
    out->objective = v / 2;
    out->bias = s->w[s->x->d] * s->bias;
}

ctw_status ctw_svm__cd(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out)
{
    cd s = {.x = p->x, .n = p->n, .active = p->n, .bias = run->opts->bias, .shrink = run->opts->shrinking};
    memset(out, 0, sizeof *out);
    s.w = CTW_NEW(run->ctx, p->x->d + 1, double);
    s.row = CTW_NEW(run->ctx, p->n, cd_row);
    s.order = CTW_NEW(run->ctx, p->n, uint32_t);
    ctw_status st = s.w && s.row && s.order ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) {
        prepare(&s, p, run->opts->loss == CTW_SVM_SQUARED);
        st = descend(run, &s, out);
    }
    if (st == CTW_OK) {
        conclude(&s, p, out);
        out->w = s.w;
        s.w = NULL;
    }
    ctw_base__free(run->ctx, s.w);
    ctw_base__free(run->ctx, s.row);
    ctw_base__free(run->ctx, s.order);
    return st;
}
