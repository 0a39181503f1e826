/* lspi.c: least-squares policy iteration (Lagoudakis and Parr, JMLR 4, 2003). The part of A that does not depend on the
 * policy is summed once; features are encoded once; each round only adds the -gamma phi phi'^T part and solves. */
#include "agent/batch.h"
#include "base/cancel.h"
#include "num/lapack.h"
#include <math.h>
#include <string.h>

static const char fn[] = "ctw_agent_fit_lspi";

typedef struct lspi {
    ctw_agent *a;
    const ctw_agent__log *log;
    double ridge;
    size_t rows, f, d;            /* f features, d = actions * f unknowns */
    ctw_agent__point *now, *next; /* one a row */
    ctw_num__mat fixed, A, b;
    double *w, *b0; /* by action, then feature */
} lspi;

static void release(lspi *p)
{
    ctw_ctx *ctx = p->a->h.ctx;
    for (size_t i = 0; p->now && i < p->rows; i++) ctw_base__free(ctx, p->now[i].val);
    ctw_base__free(ctx, p->now);
    ctw_base__free(ctx, p->next);
    ctw_base__free(ctx, p->w);
    ctw_base__free(ctx, p->b0);
    ctw_num__mat_free(ctx, &p->fixed);
    ctw_num__mat_free(ctx, &p->A);
    ctw_num__mat_free(ctx, &p->b);
}

static ctw_status encode(lspi *p, ctw_cancel *cancel)
{
    const ctw_agent__log *l = p->log;
    for (size_t i = 0; i < p->rows; i++) {
        ctw_agent__point *points[] = {&p->now[i], &p->next[i]};
        void *memory;
        if ((i & 255) == 0) CTW_TRY(ctw_base__stopped(cancel, fn));
        CTW_TRY(ctw_agent__points_new(p->a->h.ctx, p->a->max_active, 2, points, &memory));
        CTW_TRY(ctw_agent__point_read(p->a, l->phi + i * l->stride, l->n, &p->now[i], fn));
        if (!l->terminal[i]) CTW_TRY(ctw_agent__point_read(p->a, l->phi_next + i * l->stride, l->n, &p->next[i], fn));
    }
    return CTW_OK;
}

/* m[x block, y block] += amount * x y'. */
static void outer(ctw_num__mat *m, const ctw_agent__point *x, size_t xo, const ctw_agent__point *y, size_t yo,
                  double amount)
{
    for (size_t j = 0; j < y->n; j++) {
        double *col = m->a + (yo + y->idx[j]) * m->ld + xo, v = amount * (y->unit ? 1.0 : y->val[j]);
        for (size_t i = 0; i < x->n; i++) col[x->idx[i]] += v * (x->unit ? 1.0 : x->val[i]);
    }
}

static ctw_status sum_fixed(lspi *p, ctw_cancel *cancel)
{
    double q0 = p->a->o.initial, gamma = p->a->o.gamma;
    for (size_t i = 0; i < p->d; i++) CTW_AT(&p->fixed, i, i) = p->ridge;
    for (size_t i = 0; i < p->rows; i++) {
        size_t block = (size_t)p->log->action[i] * p->f;
        const ctw_agent__point *x = &p->now[i];
        if ((i & 63) == 0) CTW_TRY(ctw_base__stopped(cancel, fn));
        double r = p->log->reward[i] - q0 + (p->log->terminal[i] ? 0.0 : gamma * q0);
        outer(&p->fixed, x, block, x, block, 1.0);
        for (size_t j = 0; j < x->n; j++) p->b0[block + x->idx[j]] += r * (x->unit ? 1.0 : x->val[j]);
    }
    return CTW_OK;
}

static size_t greedy_block(const lspi *p, const ctw_agent__point *x)
{
    size_t best = 0, actions = (size_t)p->a->o.actions;
    double top = -INFINITY;
    for (size_t k = 0; k < actions; k++) {
        const double *w = p->w + k * p->f;
        double q = 0.0;
        for (size_t j = 0; j < x->n; j++) q += w[x->idx[j]] * (x->unit ? 1.0 : x->val[j]);
        if (q > top) {
            top = q;
            best = k;
        }
    }
    return best * p->f;
}

/* One evaluation of the greedy policy; *moved is how far the weights went. */
static ctw_status solve(lspi *p, double *moved, ctw_cancel *cancel)
{
    double gamma = p->a->o.gamma, limit = p->a->o.value_limit, sum = 0.0;
    memcpy(p->A.a, p->fixed.a, p->d * p->fixed.ld * sizeof(double));
    memcpy(p->b.a, p->b0, p->d * sizeof(double));
    for (size_t i = 0; i < p->rows; i++) {
        if ((i & 63) == 0) CTW_TRY(ctw_base__stopped(cancel, fn));
        if (!p->log->terminal[i])
            outer(&p->A, &p->now[i], (size_t)p->log->action[i] * p->f, &p->next[i], greedy_block(p, &p->next[i]),
                  -gamma);
    }
    CTW_TRY(ctw_num__lu_solve_until(p->a->h.ctx, &p->A, &p->b, cancel, fn));
    for (size_t i = 0; i < p->d; i++) {
        double v = p->b.a[i], step = v - p->w[i];
        if (!(fabs(v) <= limit))
            return ctw_base__fail(CTW_E_NOCONV, "%s: a weight is %g, beyond value_limit %g", fn, v, limit);
        sum += step * step;
    }
    memcpy(p->w, p->b.a, p->d * sizeof(double));
    *moved = sqrt(sum);
    return CTW_OK;
}

static ctw_status prepare(lspi *p)
{
    ctw_ctx *ctx = p->a->h.ctx;
    uint64_t need;
    if (!(p->now = CTW_NEW(ctx, p->rows, ctw_agent__point)) || !(p->next = CTW_NEW(ctx, p->rows, ctw_agent__point)) ||
        !(p->w = CTW_NEW(ctx, p->d, double)) || !(p->b0 = CTW_NEW(ctx, p->d, double)))
        return CTW_E_NOMEM;
    CTW_TRY(ctw_num__mat_new(ctx, p->d, p->d, &p->fixed));
    CTW_TRY(ctw_num__mat_new(ctx, p->d, p->d, &p->A));
    CTW_TRY(ctw_num__mat_new(ctx, p->d, 1, &p->b));
    return ctw_agent_get_weights(p->a, p->w, p->d, &need);
}

static ctw_status fit(lspi *p, double tol, int64_t max_rounds, ctw_cancel *cancel, int64_t *rounds)
{
    double moved = INFINITY;
    CTW_TRY(prepare(p));
    CTW_TRY(encode(p, cancel));
    CTW_TRY(sum_fixed(p, cancel));
    for (*rounds = 0; *rounds < max_rounds && moved >= tol; ++*rounds) {
        CTW_TRY(solve(p, &moved, cancel));
    }
    return ctw_agent__put_weights(p->a, p->w, p->d, fn);
}

static ctw_status check(const ctw_agent *a, const ctw_agent__log *l, double ridge, double tol, int64_t max_rounds)
{
    CTW_TRY(ctw_base__in(ridge, 0.0, 1e9, fn, "ridge"));
    CTW_TRY(ctw_base__in(tol, 0.0, 1e9, fn, "tol"));
    CTW_TRY(ctw_base__in_i64(max_rounds, 1, 10000, fn, "max_rounds"));
    if (a->o.form != CTW_AGENT_LINEAR || a->tables != 1)
        return ctw_base__fail(CTW_E_ARG, "%s: needs form linear and one table of weights", fn);
    CTW_TRY(ctw_agent__log_check(a, l, fn));
    return ctw_base__in_u64((uint64_t)a->rows * (uint64_t)a->o.actions, 1, 4096, fn, "actions * features");
}

ctw_status ctw_agent_fit_lspi(ctw_agent *a, const double *phi, const int64_t *action, const double *reward,
                              const double *phi_next, const uint8_t *terminal, uint64_t rows, uint64_t n,
                              uint64_t stride, double ridge, double tol, int64_t max_rounds, ctw_cancel *cancel,
                              int64_t *out_rounds)
{
    ctw_agent__log l = {phi, action, reward, phi_next, terminal, rows, n, stride};
    int64_t rounds = 0;
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    ctw_status s = check(a, &l, ridge, tol, max_rounds);
    if (s == CTW_OK) {
        lspi p = {
            .a = a, .log = &l, .ridge = ridge, .rows = (size_t)rows, .f = a->rows, .d = a->rows * (size_t)a->o.actions};
        s = fit(&p, tol, max_rounds, cancel, &rounds);
        release(&p);
    }
    if (s == CTW_OK && out_rounds) *out_rounds = rounds;
    ctw_base__handle_leave(&a->h);
    return s;
}
