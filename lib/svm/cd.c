/* cd.c: linear support vector machines by dual coordinate descent (Hsieh, Chang, Lin, Keerthi & Sundararajan,
 * ICML 2008, algorithm 3): one multiplier at a time in random order, the weight vector kept up to date, settled
 * multipliers set aside. The bias is the weight of a constant feature, so there is no equality constraint. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "num/rng.h"
#include "svm/svm_internal.h"
#include <math.h>
#include <string.h>

#define CD_SWEEPS 1000
#define CD_MODULE 0x53564344u /* random streams of this solver */

typedef struct cd {
    const ctw_svm__rows *x;
    const size_t *row;
    const double *y, *c;
    double *alpha, *w, *q; /* q: diagonal of Q */
    uint32_t *order;
    size_t n, active;
    double bias; /* value of the constant feature */
    int squared, shrink;
    double old_max, old_min, new_max, new_min; /* projected gradients of a sweep */
} cd;

static double diagonal(const cd *s, size_t i)
{
    return s->squared ? 0.5 / s->c[i] : 0.0;
}

static double margin(const cd *s, size_t i)
{
    const ctw_svm__rows *x = s->x;
    const int32_t *col = x->col + x->start[s->row[i]];
    const double *val = x->val + x->start[s->row[i]];
    size_t nz = x->start[s->row[i] + 1] - x->start[s->row[i]];
    double f = s->bias * s->w[x->d];
    for (size_t p = 0; p < nz; p++) f += val[p] * s->w[col[p]];
    return f;
}

static void add_row(cd *s, size_t i, double by)
{
    const ctw_svm__rows *x = s->x;
    for (size_t p = x->start[s->row[i]]; p < x->start[s->row[i] + 1]; p++) s->w[x->col[p]] += by * x->val[p];
    s->w[x->d] += by * s->bias;
}

/* Projected gradient of alpha_i; *settled when the multiplier may be set aside. */
static double projected(const cd *s, double alpha, double upper, double g, int *settled)
{
    *settled = 0;
    if (alpha == 0) {
        *settled = g > s->old_max;
        return g < 0 ? g : 0;
    }
    if (alpha == upper) {
        *settled = g < s->old_min;
        return g > 0 ? g : 0;
    }
    return g;
}

/* One visit; 1 when i may be set aside. */
static int visit(cd *s, size_t i)
{
    double d = diagonal(s, i), upper = s->squared ? INFINITY : s->c[i];
    double g = s->y[i] * margin(s, i) - 1 + d * s->alpha[i];
    int settled;
    double pg = projected(s, s->alpha[i], upper, g, &settled);
    if (settled && s->shrink) return 1;
    if (pg > s->new_max) s->new_max = pg;
    if (pg < s->new_min) s->new_min = pg;
    if (fabs(pg) < 1e-12 || s->q[i] <= 0) return 0;
    double old = s->alpha[i], a = old - g / s->q[i];
    if (a < 0) a = 0;
    if (a > upper) a = upper;
    if (a != old) {
        s->alpha[i] = a;
        add_row(s, i, (a - old) * s->y[i]);
    }
    return 0;
}

static void sweep(cd *s, ctw_num__rng *g)
{
    s->new_max = -INFINITY;
    s->new_min = INFINITY;
    for (size_t k = 0; k < s->active; k++) {
        size_t j = k + (size_t)ctw_num__rng_below(g, s->active - k);
        uint32_t t = s->order[j];
        s->order[j] = s->order[k];
        s->order[k] = t;
    }
    for (size_t k = 0; k < s->active;) {
        if (!visit(s, s->order[k])) {
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

static void prepare(cd *s)
{
    for (size_t i = 0; i < s->n; i++) {
        s->order[i] = (uint32_t)i;
        s->q[i] = diagonal(s, i) + s->bias * s->bias + ctw_svm__rows_norm2(s->x, s->row[i]);
        if (s->q[i] <= 0 && !s->squared) s->alpha[i] = s->c[i]; /* an empty row: the dual is linear in it */
        if (s->alpha[i] > 0) add_row(s, i, s->alpha[i] * s->y[i]);
    }
}

static ctw_status descend(const ctw_svm__run *run, cd *s, ctw_svm__solution *out)
{
    uint64_t limit = run->opts->max_iter ? run->opts->max_iter : CD_SWEEPS;
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

static void conclude(const cd *s, ctw_svm__solution *out)
{
    double v = 0;
    for (size_t k = 0; k <= s->x->d; k++) v += s->w[k] * s->w[k];
    for (size_t i = 0; i < s->n; i++) v += s->alpha[i] * (s->alpha[i] * diagonal(s, i) - 2);
    out->objective = v / 2;
    out->bias = s->w[s->x->d] * s->bias;
}

ctw_status ctw_svm__cd(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out)
{
    cd s = {.x = p->x,
            .row = p->row,
            .y = p->y,
            .c = p->c,
            .alpha = p->alpha,
            .n = p->n,
            .active = p->n,
            .bias = run->opts->bias,
            .squared = run->opts->loss == CTW_SVM_SQUARED,
            .shrink = run->opts->shrinking};
    memset(out, 0, sizeof *out);
    s.w = CTW_NEW(run->ctx, p->x->d + 1, double);
    s.q = CTW_NEW(run->ctx, p->n, double);
    s.order = CTW_NEW(run->ctx, p->n, uint32_t);
    ctw_status st = s.w && s.q && s.order ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) {
        prepare(&s);
        st = descend(run, &s, out);
    }
    if (st == CTW_OK) {
        conclude(&s, out);
        out->w = s.w;
        s.w = NULL;
    }
    ctw_base__free(run->ctx, s.w);
    ctw_base__free(run->ctx, s.q);
    ctw_base__free(run->ctx, s.order);
    return st;
}
