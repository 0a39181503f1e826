/* smo.c: kernel machines by sequential minimal optimisation with second-order choice of the pair (Fan, Chen & Lin,
 * JMLR 6, 2005), shrinking (Joachims 1998) and a cache of kernel rows. The update of f after a step and the search
 * for the next first variable are one pass over the active set, the choice of the second variable is the other. */
#include "svm/smo.h"
#include "base/ctx.h"
#include <math.h>
#include <string.h>

#define TAU  1e-12
#define TICK 128 /* iterations between looks at the cancel flag */

static void smo_free(ctw_ctx *ctx, ctw_svm__smo *s)
{
    ctw_base__free(ctx, s->row);
    ctw_base__free(ctx, s->var);
    ctw_base__free(ctx, s->b);
    ctw_base__free(ctx, s->lo);
    ctw_base__free(ctx, s->hi);
    ctw_base__free(ctx, s->f);
    ctw_base__free(ctx, s->q);
    ctw_base__free(ctx, s->flags);
    ctw_base__free(ctx, s->b_exact);
    ctw_base__free(ctx, s->f_exact);
    ctw_base__free(ctx, s->keep);
    ctw_base__free(ctx, s->spare);
    ctw_svm__columns_free(ctx, &s->active_cols);
    ctw_svm__work_free(ctx, &s->work);
    ctw_svm__rowcache_free(ctx, &s->cache);
}

static ctw_status smo_new(ctw_svm__smo *s, const ctw_svm__problem *p)
{
    ctw_ctx *ctx = s->run->ctx;
    size_t n = p->n, entries = 0;
    s->row = CTW_NEW(ctx, n, size_t);
    s->var = CTW_NEW(ctx, n, size_t);
    s->b = CTW_NEW(ctx, n, double);
    s->lo = CTW_NEW(ctx, n, double);
    s->hi = CTW_NEW(ctx, n, double);
    s->f = CTW_NEW(ctx, n, double);
    s->q = CTW_NEW(ctx, n, double);
    s->flags = CTW_NEW(ctx, n, uint8_t);
    s->b_exact = CTW_NEW(ctx, n, double);
    s->f_exact = CTW_NEW(ctx, n, double);
    s->keep = CTW_NEW(ctx, n, size_t);
    s->spare = CTW_NEW(ctx, n, double);
    int ok = s->row && s->var && s->b && s->lo && s->hi && s->f && s->q && s->flags && s->b_exact && s->f_exact &&
             s->keep && s->spare;
    if (!ok) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) entries += p->x->start[p->row[i] + 1] - p->x->start[p->row[i]];
    const ctw_svm__opts *o = s->run->opts;
    ctw_svm__kernel k = {o->kernel, o->degree, s->run->gamma, o->coef0};
    CTW_TRY(ctw_svm__columns_new(ctx, p->x, n, entries, &k, &s->active_cols));
    CTW_TRY(ctw_svm__work_new(ctx, &s->active_cols, 1, &s->work));
    return ctw_svm__rowcache_new(ctx, n, o->wide_rows ? sizeof(double) : sizeof(float), o->cache_bytes, &s->cache);
}

static void set_flags(ctw_svm__smo *s, size_t k)
{
    s->flags[k] = (uint8_t)((s->b[k] < s->hi[k] ? CTW_SVM_UP : 0) | (s->b[k] > s->lo[k] ? CTW_SVM_LOW : 0));
}

void ctw_svm__smo_look(ctw_svm__smo *s)
{
    ctw_svm__extremes e = {-INFINITY, INFINITY, s->active};
    for (size_t k = 0; k < s->active; k++) {
        if ((s->flags[k] & CTW_SVM_UP) && s->f[k] >= e.max_up) {
            e.max_up = s->f[k];
            e.at = k;
        }
        if ((s->flags[k] & CTW_SVM_LOW) && s->f[k] < e.min_low) e.min_low = s->f[k];
    }
    s->e = e;
}

ctw_status ctw_svm__smo_apply(const ctw_svm__smo *s, const ctw_svm__columns *c, const size_t *from,
                              const double *weight, size_t m, double *f)
{
    enum { ROWS = 16 };
    ctw_svm__work w;
    CTW_TRY(ctw_svm__work_new(s->run->ctx, c, ROWS, &w));
    ctw_status st = CTW_OK;
    for (size_t at = 0; st == CTW_OK && at < m; at += ROWS) {
        size_t n = m - at < ROWS ? m - at : ROWS;
        ctw_svm__kernel_block(c, &w, s->x, from + at, n);
        for (size_t k = 0; k < n; k++) c->loops.subtract(f, w.dot + k * c->m, weight[at + k], c->m);
        st = ctw_svm__tick(s->run, s->iterations, s->e.max_up - s->e.min_low);
    }
    ctw_svm__work_free(s->run->ctx, &w);
    return st;
}

/* f of the positions idx[0..m) less the weighted kernel rows of the variables listed in keep/spare[0..from). */
static ctw_status apply_to(ctw_svm__smo *s, const size_t *idx, size_t m, size_t from)
{
    size_t *row = CTW_NEW(s->run->ctx, m, size_t), entries = 0;
    double *f = CTW_NEW(s->run->ctx, m, double);
    ctw_svm__columns c = {0};
    ctw_status st = row && f ? CTW_OK : CTW_E_NOMEM;
    for (size_t k = 0; st == CTW_OK && k < m; k++) {
        row[k] = s->row[idx[k]];
        f[k] = s->f[idx[k]];
        entries += s->x->start[row[k] + 1] - s->x->start[row[k]];
    }
    if (st == CTW_OK) st = ctw_svm__columns_new(s->run->ctx, s->x, m, entries, &s->active_cols.kernel, &c);
    if (st == CTW_OK) st = ctw_svm__columns_fill(s->run->ctx, &c, s->x, s->norm, row, m);
    if (st == CTW_OK) st = ctw_svm__smo_apply(s, &c, s->keep, s->spare, from, f);
    for (size_t k = 0; st == CTW_OK && k < m; k++) s->f[idx[k]] = f[k];
    ctw_svm__columns_free(s->run->ctx, &c);
    ctw_base__free(s->run->ctx, row);
    ctw_base__free(s->run->ctx, f);
    return st;
}

/* f at a start with multipliers. Where f is known for other multipliers, only the difference between the two counts:
 * adding a few rows to a solved problem costs a few kernel rows. */
static ctw_status warm(ctw_svm__smo *s, const ctw_svm__problem *p)
{
    size_t *idx = CTW_NEW(s->run->ctx, s->n, size_t);
    ctw_status st = idx ? CTW_OK : CTW_E_NOMEM;
    for (int known = 0; st == CTW_OK && known < 2; known++) {
        size_t m = 0, from = 0;
        for (size_t k = 0; k < s->n; k++) {
            int is = p->f0 && !isnan(p->f0[k]);
            double change = s->b[k] - (known ? p->b0[k] : 0);
            if (is && known) s->f[k] = p->f0[k];
            if (is == known) idx[m++] = k;
            if (change == 0) continue;
            s->keep[from] = s->row[k];
            s->spare[from++] = change;
        }
        if (m && from) st = apply_to(s, idx, m, from);
        if (!p->f0) break;
    }
    ctw_base__free(s->run->ctx, idx);
    return st;
}

static ctw_status start(ctw_svm__smo *s, const ctw_svm__problem *p)
{
    for (size_t k = 0; k < s->n; k++) {
        s->var[k] = k;
        s->row[k] = p->row[k];
        s->b[k] = p->y[k] * p->alpha[k];
        s->lo[k] = p->y[k] > 0 ? 0 : -p->c[k];
        s->hi[k] = p->y[k] > 0 ? p->c[k] : 0;
        s->f[k] = p->y[k];
        s->q[k] = ctw_svm__kernel_self(&s->active_cols.kernel, s->norm[s->row[k]]);
        set_flags(s, k);
    }
    s->active = s->n;
    CTW_TRY(ctw_svm__columns_fill(s->run->ctx, &s->active_cols, s->x, s->norm, s->row, s->n));
    if (p->warm) CTW_TRY(warm(s, p));
    memcpy(s->b_exact, s->b, s->n * sizeof *s->b);
    memcpy(s->f_exact, s->f, s->n * sizeof *s->f);
    ctw_svm__smo_look(s);
    return CTW_OK;
}

static const void *kernel_row(ctw_svm__smo *s, size_t k)
{
    int fresh;
    void *row = ctw_svm__rowcache_get(&s->cache, k, &fresh);
    int wide = s->run->opts->wide_rows;
    if (fresh) ctw_svm__kernel_row(&s->active_cols, &s->work, s->x, s->row[k], s->norm[s->row[k]], wide, row);
    return row;
}

/* One step on the pair (i, j): b_i rises and b_j falls by the same amount. */
static void step(ctw_svm__smo *s, size_t i, size_t j, const void *ki)
{
    int wide = s->run->opts->wide_rows;
    double a = s->q[i] + s->q[j] - 2 * ctw_svm__row_at(ki, j, wide);
    double t = (s->f[i] - s->f[j]) / (a > 0 ? a : TAU);
    double room_i = s->hi[i] - s->b[i], room_j = s->b[j] - s->lo[j];
    double bi = s->b[i], bj = s->b[j];
    if (t > room_i) t = room_i;
    if (t > room_j) t = room_j;
    s->b[i] = t == room_i ? s->hi[i] : bi + t;
    s->b[j] = t == room_j ? s->lo[j] : bj - t;
    if (s->b[i] > s->hi[i]) s->b[i] = s->hi[i];
    if (s->b[j] < s->lo[j]) s->b[j] = s->lo[j];
    set_flags(s, i);
    set_flags(s, j);
    const void *kj = kernel_row(s, j);
    s->e = s->active_cols.loops.update[wide](s->f, ki, kj, s->b[i] - bi, s->b[j] - bj, s->flags, s->active);
}

/* One iteration; *done when the active set is optimal to tol. */
static void iterate(ctw_svm__smo *s, int *done)
{
    *done = 1;
    size_t i = s->e.at;
    if (i == s->active || s->e.max_up - s->e.min_low < s->run->opts->tol) return;
    const void *ki = kernel_row(s, i);
    size_t j =
        s->active_cols.loops.second[s->run->opts->wide_rows](s->f, ki, s->q, s->f[i], s->q[i], s->flags, s->active);
    if (j == s->active) return;
    *done = 0;
    step(s, i, j, ki);
    s->iterations++;
}

static ctw_status optimise(ctw_svm__smo *s, int *converged)
{
    uint64_t limit = s->run->opts->max_iter;
    size_t period = s->n < 1000 ? s->n : 1000, left = period;
    if (limit == 0) limit = s->n > 100000 ? 100 * (uint64_t)s->n : 10000000;
    *converged = 0;
    while (s->iterations < limit) {
        int done;
        if (s->iterations % TICK == 0) CTW_TRY(ctw_svm__tick(s->run, s->iterations, s->e.max_up - s->e.min_low));
        if (left-- == 0) {
            left = period;
            if (s->run->opts->shrinking) CTW_TRY(ctw_svm__smo_shrink(s));
        }
        iterate(s, &done);
        if (!done) continue;
        *converged = 1;
        if (s->active == s->n) return CTW_OK;
        CTW_TRY(ctw_svm__smo_unshrink(s)); /* optimal for all, or continue with all */
        left = 1;
        *converged = 0;
    }
    return s->active < s->n ? ctw_svm__smo_unshrink(s) : CTW_OK;
}

/* Bias from the free variables, or from the middle of the interval that bounded ones leave. */
static void conclude(const ctw_svm__smo *s, ctw_svm__problem *p, ctw_svm__solution *out)
{
    double free_sum = 0, objective = 0;
    size_t free_n = 0;
    for (size_t k = 0; k < s->n; k++) {
        double alpha = fabs(s->b[k]);
        p->alpha[s->var[k]] = alpha;
        objective -= s->b[k] * s->f[k] + alpha;
        if (p->f0) {
            p->f0[s->var[k]] = s->f[k];
            p->b0[s->var[k]] = s->b[k];
        }
        if (s->flags[k] != (CTW_SVM_UP | CTW_SVM_LOW)) continue;
        free_sum += s->f[k];
        free_n++;
    }
    out->objective = objective / 2;
    out->bias = free_n ? free_sum / (double)free_n : (s->e.max_up + s->e.min_low) / 2;
    out->iterations = s->iterations;
}

ctw_status ctw_svm__smo_solve(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out)
{
    ctw_svm__smo s = {.run = run, .x = p->x, .norm = p->norm, .n = p->n};
    memset(out, 0, sizeof *out);
    ctw_status st = smo_new(&s, p);
    if (st == CTW_OK) st = start(&s, p);
    if (st == CTW_OK) st = optimise(&s, &out->converged);
    if (st == CTW_OK) conclude(&s, p, out);
    smo_free(run->ctx, &s);
    return st;
}
