/* lstd.c: least-squares temporal differences with traces (Boyan, Machine Learning 49, 2002) on logged episodes: what
 * the policy that lived them is worth, without a step size. The ridge pulls towards the weights the agent has, so that
 * a few episodes correct a prior instead of replacing it. */
#include "agent/batch.h"
#include "base/cancel.h"
#include "num/lapack.h"
#include <math.h>

static const char fn[] = "ctw_agent_fit_lstd";

typedef struct lstd {
    ctw_agent *a;
    const ctw_agent__log *log;
    const int64_t *action_next;
    double lambda, ridge;
    size_t f, d; /* features; unknowns */
    ctw_agent__point now, next;
    void *points;
    ctw_num__mat A, b;
    double *z, *w; /* the trace; weights by action, then feature */
} lstd;

static void release(lstd *p)
{
    ctw_ctx *ctx = p->a->h.ctx;
    ctw_base__free(ctx, p->points);
    ctw_base__free(ctx, p->z);
    ctw_base__free(ctx, p->w);
    ctw_num__mat_free(ctx, &p->A);
    ctw_num__mat_free(ctx, &p->b);
}

static ctw_status prepare(lstd *p)
{
    ctw_ctx *ctx = p->a->h.ctx;
    ctw_agent__point *points[] = {&p->now, &p->next};
    uint64_t need;
    if (!(p->z = CTW_NEW(ctx, p->d, double)) || !(p->w = CTW_NEW(ctx, p->d, double))) return CTW_E_NOMEM;
    CTW_TRY(ctw_agent__points_new(ctx, p->a->max_active, 2, points, &p->points));
    CTW_TRY(ctw_num__mat_new(ctx, p->d, p->d, &p->A));
    CTW_TRY(ctw_num__mat_new(ctx, p->d, 1, &p->b));
    CTW_TRY(ctw_agent_get_weights(p->a, p->w, p->d, &need));
    for (size_t i = 0; i < p->d; i++) {
        CTW_AT(&p->A, i, i) = p->ridge;
        p->b.a[i] = p->ridge * p->w[i];
    }
    return CTW_OK;
}

static double value_at(const ctw_agent__point *x, size_t j)
{
    return x->unit ? 1.0 : x->val[j];
}

/* A += amount z x', x in the block of its action. */
static void add_columns(lstd *p, const ctw_agent__point *x, size_t block, double amount)
{
    for (size_t j = 0; j < x->n; j++) {
        double v = amount * value_at(x, j), *col = p->A.a + (block + x->idx[j]) * p->A.ld;
        for (size_t i = 0; i < p->d; i++) col[i] += v * p->z[i];
    }
}

static ctw_status add_row(lstd *p, uint64_t i)
{
    const ctw_agent__log *l = p->log;
    double gamma = p->a->o.gamma, r = l->reward[i] - p->a->o.initial;
    size_t block = (size_t)l->action[i] * p->f;
    CTW_TRY(ctw_agent__point_read(p->a, l->phi + i * l->stride, l->n, &p->now, fn));
    for (size_t j = 0; j < p->now.n; j++) p->z[block + p->now.idx[j]] += value_at(&p->now, j);
    add_columns(p, &p->now, block, 1.0);
    if (l->terminal[i] != 1) {
        CTW_TRY(ctw_agent__point_read(p->a, l->phi_next + i * l->stride, l->n, &p->next, fn));
        add_columns(p, &p->next, (size_t)p->action_next[i] * p->f, -gamma);
        r += gamma * p->a->o.initial;
    }
    double keep = l->terminal[i] ? 0.0 : gamma * p->lambda;
    for (size_t k = 0; k < p->d; k++) {
        p->b.a[k] += r * p->z[k];
        p->z[k] *= keep;
    }
    return CTW_OK;
}

static ctw_status fit(lstd *p, ctw_cancel *cancel)
{
    double limit = p->a->o.value_limit;
    CTW_TRY(prepare(p));
    for (uint64_t i = 0; i < p->log->rows; i++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        CTW_TRY(add_row(p, i));
    }
    CTW_TRY(ctw_num__lu_solve_until(p->a->h.ctx, &p->A, &p->b, cancel, fn));
    for (size_t i = 0; i < p->d; i++)
        if (!(fabs(p->b.a[i]) <= limit))
            return ctw_base__fail(CTW_E_NOCONV, "%s: a weight is %g, beyond value_limit %g", fn, p->b.a[i], limit);
    return ctw_agent__put_weights(p->a, p->b.a, p->d, fn);
}

static ctw_status check(const lstd *p)
{
    const ctw_agent *a = p->a;
    const ctw_agent__log *l = p->log;
    CTW_TRY(ctw_base__in(p->lambda, 0.0, 1.0, fn, "lambda"));
    CTW_TRY(ctw_base__in(p->ridge, 0.0, 1e9, fn, "ridge"));
    if (a->tables != 1) return ctw_base__fail(CTW_E_ARG, "%s: needs another algo than double-q", fn);
    CTW_TRY(ctw_agent__log_check(a, l, fn));
    CTW_TRY(ctw_base__need_n(p->action_next, l->rows, fn, "action_next"));
    for (uint64_t i = 0; i < l->rows; i++) {
        CTW_TRY(ctw_base__in_i64(l->terminal[i], 0, 2, fn, "end"));
        if (l->terminal[i] != 1) CTW_TRY(ctw_base__in_i64(p->action_next[i], 0, a->o.actions - 1, fn, "action_next"));
    }
    return ctw_base__in_u64((uint64_t)a->rows * (uint64_t)a->o.actions, 1, 4096, fn, "actions * features");
}

ctw_status ctw_agent_fit_lstd(ctw_agent *a, const double *phi, const int64_t *action, const double *reward,
                              const double *phi_next, const int64_t *action_next, const uint8_t *end, uint64_t rows,
                              uint64_t n, uint64_t stride, double lambda, double ridge, ctw_cancel *cancel)
{
    ctw_agent__log l = {phi, action, reward, phi_next, end, rows, n, stride};
    CTW_TRY(ctw_base__handle_enter(a ? &a->h : NULL, CTW_AGENT_MAGIC, fn, "a"));
    lstd p = {.a = a, .log = &l, .action_next = action_next, .lambda = lambda, .ridge = ridge};
    ctw_status s = check(&p);
    if (s == CTW_OK) {
        p.f = a->rows;
        p.d = a->rows * (size_t)a->o.actions;
        s = fit(&p, cancel);
        release(&p);
    }
    ctw_base__handle_leave(&a->h);
    return s;
}
