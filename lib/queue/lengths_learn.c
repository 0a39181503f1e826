/* lengths_learn.c: one head from rows of features. The target is the rank of the length among the rows, not
 * its logarithm: a queue needs the order, ranks weigh an error by how many jobs it misplaces, and they are
 * the same for a terse and a verbose model (measured: tau +0.004, share of the attainable gain +0.01 over log
 * lengths). Held-out scores of the cross-validation choose the penalty and calibrate the spread. */
#include "num/rng.h"
#include "num/sort.h"
#include "num/stats.h"
#include "queue/lengths_internal.h"
#include "queue/ridge.h"
#include <math.h>
#include <string.h>

#define FIRST_RIDGE 40.0
#define LEAST_RIDGE 1.0
#define MOST_RIDGE  20480.0
#define PRIOR_SIZE  10.0 /* the prior score enters with this deviation: nearly unpenalised */
#define CONSTANT    3.0
#define DENSE       (CTW_TEXT_DENSE + 2) /* prior and constant */

typedef struct learner {
    ctw_queue__design d;
    const ctw_lengths__rows *rows;
    double mean[CTW_TEXT_DENSE + 1], scale[CTW_TEXT_DENSE + 1]; /* of dense facts and prior */
    double level;                                               /* mean target */
    double *target;                                             /* by row, less the mean */
    double *x;                                                  /* dense part of the design */
    double *w;                                                  /* folds + 1 weight vectors */
    double *scratch;                                            /* of the solver */
    double *held, *try;                                         /* held-out scores: the best so far, the current */
    uint32_t *use;                                              /* rows with a known length, shuffled */
    uint32_t *part;                                             /* those of one fit */
    size_t n, m;                                                /* of use; of one weight vector */
} learner;

static void let_go(ctw_ctx *ctx, learner *g)
{
    void *all[] = {g->target, g->x, g->w, g->scratch, g->held, g->try, g->use, g->part};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
}

static ctw_status get_ready(ctw_lengths *l, const ctw_lengths__rows *rows, learner *g)
{
    ctw_ctx *ctx = l->h.ctx;
    size_t n = rows->n;
    memset(g, 0, sizeof *g);
    g->rows = rows;
    g->m = ((size_t)1 << l->bits) + DENSE;
    g->target = CTW_NEW(ctx, n, double);
    g->x = CTW_NEW(ctx, n * DENSE, double);
    g->w = CTW_NEW(ctx, g->m * (size_t)(l->folds + 1), double);
    g->scratch = CTW_NEW(ctx, g->m * 4, double);
    g->held = CTW_NEW(ctx, n, double);
    g->try = CTW_NEW(ctx, n, double);
    g->use = CTW_NEW(ctx, n, uint32_t);
    g->part = CTW_NEW(ctx, n, uint32_t);
    if (!g->target || !g->x || !g->w || !g->scratch || !g->held || !g->try || !g->use || !g->part) return CTW_E_NOMEM;
    g->d = (ctw_queue__design){.n = n,
                               .columns = (size_t)1 << l->bits,
                               .start = rows->start,
                               .entry = rows->entry,
                               .scale = ctw_queue__text_scale,
                               .dense = DENSE,
                               .x = g->x};
    for (size_t i = 0; i < n; i++)
        if (!isnan(rows->value[i])) g->use[g->n++] = (uint32_t)i;
    return CTW_OK;
}

/* Targets: average ranks in (0, 1), less one half. */
static ctw_status rank_targets(ctw_ctx *ctx, learner *g)
{
    double *v = ctw_base__alloc(ctx, g->n, sizeof *v);
    size_t *order = ctw_base__alloc(ctx, g->n, sizeof *order);
    ctw_status s = v && order ? CTW_OK : CTW_E_NOMEM;
    if (!s) {
        for (size_t i = 0; i < g->n; i++) v[i] = g->rows->value[g->use[i]];
        ctw_num__argsort(v, order, g->n);
        for (size_t i = 0, end; i < g->n; i = end) {
            for (end = i + 1; end < g->n && v[order[end]] <= v[order[i]]; end++) {
            }
            double rank = ((double)i + (double)end) / 2 / (double)g->n - 0.5;
            for (size_t k = i; k < end; k++) g->target[g->use[order[k]]] = rank;
        }
    }
    ctw_base__free(ctx, v);
    ctw_base__free(ctx, order);
    return s;
}

static double fact(const ctw_lengths__rows *r, size_t row, size_t k)
{
    return k < CTW_TEXT_DENSE ? (double)r->dense[row * CTW_TEXT_DENSE + k] : r->prior ? r->prior[row] : 0;
}

/* Dense facts standardised over the rows used; a constant one becomes 0. */
static void standardise(learner *g)
{
    for (size_t k = 0; k <= CTW_TEXT_DENSE; k++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < g->n; i++) mean += fact(g->rows, g->use[i], k) / (double)g->n;
        for (size_t i = 0; i < g->n; i++) square += pow(fact(g->rows, g->use[i], k) - mean, 2) / (double)g->n;
        g->mean[k] = mean;
        g->scale[k] = square > 1e-12 ? (k == CTW_TEXT_DENSE ? PRIOR_SIZE : 1) / sqrt(square) : 0;
        for (size_t i = 0; i < g->n; i++)
            g->x[g->use[i] * DENSE + k] = (fact(g->rows, g->use[i], k) - mean) * g->scale[k];
    }
    for (size_t i = 0; i < g->n; i++) g->x[g->use[i] * DENSE + DENSE - 1] = CONSTANT;
}

/* Held-out scores under one penalty, each row scored by the fit that left its fold out; the folds' weights are
 * kept as the next start. *error: mean squared. */
static ctw_status cross_validate(ctw_lengths *l, learner *g, double ridge, const ctw_cancel *cancel, const char *fn,
                                 double *error)
{
    size_t folds = (size_t)l->folds;
    double sum = 0;
    for (size_t f = 0; f < folds; f++) {
        double *w = g->w + f * g->m;
        size_t n = 0;
        for (size_t i = 0; i < g->n; i++)
            if (i % folds != f) g->part[n++] = g->use[i];
        CTW_TRY(ctw_queue__ridge(&g->d, g->part, n, g->target, ridge, w, g->scratch, cancel, fn));
        for (size_t i = f; i < g->n; i += folds) {
            size_t row = g->use[i];
            double score = ctw_queue__row_dot(&g->d, row, w), miss = score - g->target[row];
            g->try[i] = score;
            sum += miss * miss;
        }
    }
    *error = sum / (double)g->n;
    return CTW_OK;
}

static void keep(learner *g)
{
    double *t = g->held;
    g->held = g->try;
    g->try = t;
}

/* Walks the penalty in factors of two from a start that suits thousands of prompts, downhill either way. */
static ctw_status choose_ridge(ctw_lengths *l, learner *g, const ctw_cancel *cancel, const char *fn, double *ridge)
{
    double best, error;
    *ridge = l->ridge > 0 ? l->ridge : FIRST_RIDGE;
    CTW_TRY(cross_validate(l, g, *ridge, cancel, fn, &best));
    keep(g);
    if (l->ridge > 0) return CTW_OK;
    for (int way = 0; way < 2; way++) {
        int moved = 0;
        for (double r = *ridge;;) {
            r = way ? r / 2 : r * 2;
            if (r < LEAST_RIDGE || r > MOST_RIDGE) break;
            CTW_TRY(cross_validate(l, g, r, cancel, fn, &error));
            if (error >= best) break;
            best = error;
            *ridge = r;
            moved = 1;
            keep(g);
        }
        if (moved) break;
    }
    return CTW_OK;
}

/* From the learner's scaled columns to the head's plain ones, the prior folded in. */
static void write_head(const ctw_lengths *l, const learner *g, const double *w, const ctw_lengths__head *base,
                       int16_t *to, ctw_lengths__head *m)
{
    size_t columns = g->d.columns;
    const double *v = w + columns;
    double share = base ? v[CTW_TEXT_DENSE] * g->scale[CTW_TEXT_DENSE] : 0, largest = 0;
    m->bias = CONSTANT * v[DENSE - 1] - share * g->mean[CTW_TEXT_DENSE] + (base ? share * base->bias : 0);
    for (size_t k = 0; k < CTW_TEXT_DENSE; k++) {
        m->dense[k] = v[k] * g->scale[k] + (base ? share * base->dense[k] : 0);
        m->bias -= v[k] * g->scale[k] * g->mean[k];
    }
    for (size_t i = 0; i < columns; i++) {
        double x = w[i] + (base ? share * base->unit * base->w[i] : 0);
        if (fabs(x) > largest) largest = fabs(x);
    }
    m->unit = largest > 0 ? largest / 32767 : 1;
    for (size_t i = 0; i < columns; i++)
        to[i] = (int16_t)lrint((w[i] + (base ? share * base->unit * base->w[i] : 0)) / m->unit);
    (void)l;
}

static ctw_status calibrate(ctw_ctx *ctx, learner *g, ctw_lengths__head *m)
{
    double *v = g->try; /* the other buffer is free now */
    double sum = 0;
    for (size_t i = 0; i < g->n; i++) v[i] = g->rows->value[g->use[i]];
    CTW_TRY(ctw_queue__spread_fit(&m->spread, ctx, g->held, v, g->n));
    CTW_TRY(ctw_num__kendall(ctx, g->held, v, g->n, &m->tau));
    for (size_t i = 0; i < g->n; i++) sum += pow(ctw_queue__spread_quantile(&m->spread, g->held[i], 0.5) - v[i], 2);
    m->rmse = sqrt(sum / (double)g->n);
    return CTW_OK;
}

static ctw_status learn(ctw_lengths *l, learner *g, const ctw_lengths__head *base, int16_t *to, ctw_lengths__head *m,
                        const ctw_cancel *cancel, const char *fn)
{
    ctw_num__rng rng;
    ctw_num__rng_init(&rng, 0, CTW_LENGTHS_MAGIC, 0);
    for (size_t i = g->n; i > 1; i--) {
        size_t k = (size_t)ctw_num__rng_below(&rng, i);
        uint32_t t = g->use[k];
        g->use[k] = g->use[i - 1];
        g->use[i - 1] = t;
    }
    CTW_TRY(rank_targets(l->h.ctx, g));
    standardise(g);
    CTW_TRY(choose_ridge(l, g, cancel, fn, &m->ridge));
    double *w = g->w + g->m * (size_t)l->folds;
    memcpy(w, g->w, g->m * sizeof *w);
    CTW_TRY(ctw_queue__ridge(&g->d, g->use, g->n, g->target, m->ridge, w, g->scratch, cancel, fn));
    write_head(l, g, w, base, to, m);
    return calibrate(l->h.ctx, g, m);
}

ctw_status ctw_lengths__learn(ctw_lengths *l, const ctw_lengths__rows *rows, const ctw_lengths__head *base,
                              ctw_lengths__head *m, const ctw_cancel *cancel, const char *fn)
{
    learner g;
    ctw_lengths__head made = {.w = NULL};
    ctw_status s = get_ready(l, rows, &g);
    int16_t *to = s ? NULL : CTW_NEW(l->h.ctx, (size_t)1 << l->bits, int16_t);
    if (!s && !to) s = CTW_E_NOMEM;
    if (!s && g.n < 16)
        s = ctw_base__fail(CTW_E_ARG, "%s: %zu requests of known length, at least 16 are needed", fn, g.n);
    if (!s) s = learn(l, &g, base, to, &made, cancel, fn);
    if (!s) {
        made.w = to;
        made.rows = (double)g.n;
        to = m->w;
        *m = made;
    }
    ctw_base__free(l->h.ctx, to);
    let_go(l->h.ctx, &g);
    return s;
}
