/* lengths_learn.c: one head from rows of features. The target is the rank of the length among the rows, not
 * its logarithm: a queue needs the order, ranks weigh an error by how many jobs it misplaces, and they are
 * the same for a terse and a verbose model (measured: tau +0.004, share of the attainable gain +0.01 over log
 * lengths). With several answers to a prompt it is their mean rank: one answer's length is mostly chance. Features seen
 * once teach nothing and are left out. Held-out scores of the cross-validation choose the penalty and
 * calibrate the spread. */
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

#define FULL      0.75 /* of the weights that the table can keep */
#define MOST_SEEN 255u

typedef struct learner {
    ctw_queue__design d;
    const ctw_lengths__rows *rows;
    double mean[CTW_TEXT_DENSE + 1], scale[CTW_TEXT_DENSE + 1]; /* of dense facts and prior */
    double *target;                                             /* by row */
    double *x;                                                  /* dense part of the design */
    size_t *start;                                              /* sparse part: features that are kept */
    uint32_t *entry, *code;                                     /* code by column, ascending */
    double *w;                                                  /* folds + 1 weight vectors */
    double *scratch;                                            /* of the solver */
    double *held, *try;                                         /* held-out scores: the best so far, the current */
    uint32_t *use;                                              /* rows with a known length, shuffled */
    uint32_t *part;                                             /* those of one fit */
    size_t n, m;                                                /* of use; of one weight vector */
    int kind;                                                   /* what is learnt, */
    int64_t plane;                                              /* and of it */
} learner;

static void let_go(ctw_ctx *ctx, learner *g)
{
    void *all[] = {g->target, g->x, g->start, g->entry, g->code, g->w, g->scratch, g->held, g->try, g->use, g->part};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
}

static int known(const ctw_lengths__rows *r, size_t row)
{
    for (size_t k = 0; k < r->samples; k++)
        if (!isnan(r->value[row * r->samples + k])) return 1;
    return 0;
}

/* How often a feature must occur: twice, or more when the table could not keep them all. */
static uint32_t least_seen(const uint32_t *seen, size_t codes, int64_t bits)
{
    size_t with[MOST_SEEN + 1] = {0}, all = 0, room = (size_t)(FULL * (double)((size_t)1 << bits));
    for (size_t c = 0; c < codes; c++) with[seen[c] < MOST_SEEN ? seen[c] : MOST_SEEN]++;
    uint32_t least = MOST_SEEN + 1;
    while (least > 2 && all + with[least - 1] <= room) all += with[--least];
    return least;
}

/* Columns for the codes that occur often enough; *seen becomes the column by code. */
static ctw_status choose_columns(ctw_lengths *l, learner *g, uint32_t *seen)
{
    size_t codes = ctw_queue__codes(l->bits), columns = 0;
    const ctw_lengths__rows *r = g->rows;
    for (size_t i = 0; i < g->n; i++)
        for (size_t k = r->start[g->use[i]]; k < r->start[g->use[i] + 1]; k++)
            seen[ctw_queue__code(r->feature[k], l->bits)]++;
    uint32_t least = least_seen(seen, codes, l->bits);
    for (size_t c = 0; c < codes; c++) columns += seen[c] >= least;
    g->code = ctw_base__alloc(l->h.ctx, columns + 1, sizeof *g->code);
    if (!g->code) return CTW_E_NOMEM;
    columns = 0;
    for (size_t c = 0; c < codes; c++) {
        int keep = seen[c] >= least;
        seen[c] = keep ? (uint32_t)columns : UINT32_MAX;
        if (keep) g->code[columns++] = (uint32_t)c;
    }
    g->d.columns = columns;
    return CTW_OK;
}

static ctw_status index_features(ctw_lengths *l, learner *g)
{
    const ctw_lengths__rows *r = g->rows;
    size_t at = 0;
    uint32_t *column = CTW_NEW(l->h.ctx, ctw_queue__codes(l->bits), uint32_t);
    g->start = ctw_base__alloc(l->h.ctx, r->n + 1, sizeof *g->start);
    g->entry = ctw_base__alloc(l->h.ctx, r->start[r->n] + 1, sizeof *g->entry);
    ctw_status s = column && g->start && g->entry ? choose_columns(l, g, column) : CTW_E_NOMEM;
    for (size_t i = 0; i < r->n && !s; i++) {
        g->start[i] = at;
        for (size_t k = r->start[i]; k < r->start[i + 1]; k++) {
            uint32_t c = column[ctw_queue__code(r->feature[k], l->bits)];
            if (c != UINT32_MAX) g->entry[at++] = CTW_TEXT_KIND(r->feature[k]) << 24 | c;
        }
    }
    if (!s) g->start[r->n] = at;
    ctw_base__free(l->h.ctx, column);
    return s;
}

static ctw_status get_ready(ctw_lengths *l, const ctw_lengths__rows *rows, learner *g)
{
    ctw_ctx *ctx = l->h.ctx;
    size_t n = rows->n;
    memset(g, 0, sizeof *g);
    g->rows = rows;
    g->target = CTW_NEW(ctx, n, double);
    g->x = CTW_NEW(ctx, n * DENSE, double);
    g->held = CTW_NEW(ctx, n, double);
    g->try = CTW_NEW(ctx, n, double);
    g->use = CTW_NEW(ctx, n, uint32_t);
    g->part = CTW_NEW(ctx, n, uint32_t);
    if (!g->target || !g->x || !g->held || !g->try || !g->use || !g->part) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (known(rows, i)) g->use[g->n++] = (uint32_t)i;
    CTW_TRY(index_features(l, g));
    g->m = g->d.columns + DENSE;
    g->w = CTW_NEW(ctx, g->m * (size_t)(l->folds + 1), double);
    g->scratch = CTW_NEW(ctx, g->m * 4, double);
    if (!g->w || !g->scratch) return CTW_E_NOMEM;
    g->d = (ctw_queue__design){.n = n,
                               .columns = g->d.columns,
                               .start = g->start,
                               .entry = g->entry,
                               .scale = ctw_queue__text_scale,
                               .dense = DENSE,
                               .x = g->x};
    return CTW_OK;
}

/* What is learnt of a length whose rank is u in (0, 1). */
static double target_of(const learner *g, double u, double value)
{
    static const double cut[CTW_LENGTHS_EDGES] = {0.25, 0.5, 0.75, 0.99};
    int64_t class = 0;
    while (class < CTW_LENGTHS_EDGES && u >= cut[class]) class ++;
    if (g->plane) return class == g->plane - 1;
    switch (g->kind) {
    case CTW_LENGTHS_RANK: return u - 0.5;
    case CTW_LENGTHS_LOG: return value;
    case CTW_LENGTHS_BINARY: return u >= cut[1] ? 0.5 : -0.5;
    default: return (double)class / CTW_LENGTHS_EDGES - 0.5;
    }
}

/* Adds to the targets those of one sample's lengths, over the prompts that have one. */
static void add_targets(learner *g, size_t sample, double *v, size_t *order, uint32_t *row)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        v[n] = g->rows->value[g->use[i] * g->rows->samples + sample];
        if (!isnan(v[n])) row[n++] = g->use[i];
    }
    ctw_num__argsort(v, order, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && v[order[end]] <= v[order[i]]; end++) {
        }
        double target = target_of(g, ((double)i + (double)end) / 2 / (double)n, v[order[i]]);
        for (size_t k = i; k < end; k++) g->target[row[order[k]]] += target;
    }
}

static ctw_status make_targets(ctw_ctx *ctx, learner *g)
{
    size_t samples = g->rows->samples;
    double *v = ctw_base__alloc(ctx, g->n, sizeof *v);
    size_t *order = ctw_base__alloc(ctx, g->n, sizeof *order);
    ctw_status s = v && order ? CTW_OK : CTW_E_NOMEM;
    for (size_t k = 0; k < samples && !s; k++) add_targets(g, k, v, order, g->part);
    for (size_t i = 0; i < g->n && !s; i++) {
        const double *value = g->rows->value + g->use[i] * samples;
        size_t n = 0;
        for (size_t k = 0; k < samples; k++) n += isnan(value[k]) ? 0 : 1;
        g->target[g->use[i]] /= (double)n;
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
static void write_head(const learner *g, const double *w, const ctw_lengths__head *base, size_t buckets,
                       ctw_lengths__head *m)
{
    const double *v = w + g->d.columns;
    double share = base ? v[CTW_TEXT_DENSE] * g->scale[CTW_TEXT_DENSE] : 0;
    m->bias = CONSTANT * v[DENSE - 1] - share * g->mean[CTW_TEXT_DENSE] + (base ? share * base->bias : 0);
    for (size_t k = 0; k < CTW_TEXT_DENSE; k++) {
        m->dense[k] = v[k] * g->scale[k] + (base ? share * base->dense[k] : 0);
        m->bias -= v[k] * g->scale[k] * g->mean[k];
    }
    m->unit = ctw_queue__weights_fill(m->table, buckets, g->code, w, g->d.columns, base ? base->table : NULL,
                                      base ? share * base->unit : 0);
}

/* Every answer is one pair of score and length, so that quantiles are those of an answer, not of a mean. */
static ctw_status calibrate(ctw_ctx *ctx, const learner *g, ctw_lengths__head *m)
{
    size_t samples = g->rows->samples, n = 0;
    double *score = ctw_base__alloc(ctx, g->n * samples, sizeof *score);
    double *v = ctw_base__alloc(ctx, g->n * samples, sizeof *v), sum = 0;
    for (size_t i = 0; i < g->n * samples && score && v; i++) {
        v[n] = g->rows->value[g->use[i / samples] * samples + i % samples];
        score[n] = g->held[i / samples];
        if (!isnan(v[n])) n++;
    }
    static const double cut[CTW_LENGTHS_EDGES] = {0.25, 0.5, 0.75, 0.99};
    ctw_status s = score && v ? ctw_queue__spread_fit(&m->spread, ctx, score, v, n) : CTW_E_NOMEM;
    if (!s) s = ctw_num__kendall(ctx, score, v, n, &m->tau);
    for (size_t i = 0; i < n && !s; i++) sum += pow(ctw_queue__spread_quantile(&m->spread, score[i], 0.5) - v[i], 2);
    m->rmse = sqrt(sum / (double)n);
    if (!s) ctw_num__sort(v, n);
    for (unsigned e = 0; e < CTW_LENGTHS_EDGES && !s; e++) m->edge[e] = ctw_num__quantile_sorted(v, n, cut[e]);
    ctw_base__free(ctx, score);
    ctw_base__free(ctx, v);
    return s;
}

static ctw_status learn(ctw_lengths *l, learner *g, double ridge, const ctw_lengths__head *base, ctw_lengths__head *m,
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
    CTW_TRY(make_targets(l->h.ctx, g));
    standardise(g);
    if (g->plane)
        m->ridge = ridge;
    else
        CTW_TRY(choose_ridge(l, g, cancel, fn, &m->ridge));
    double *w = g->w + g->m * (size_t)l->folds;
    memcpy(w, g->w, g->m * sizeof *w);
    CTW_TRY(ctw_queue__ridge(&g->d, g->use, g->n, g->target, m->ridge, w, g->scratch, cancel, fn));
    write_head(g, w, base, ctw_queue__buckets(l->bits), m);
    return g->plane ? CTW_OK : calibrate(l->h.ctx, g, m);
}

ctw_status ctw_lengths__learn(ctw_lengths *l, const ctw_lengths__rows *rows, int64_t plane, double ridge,
                              const ctw_lengths__head *base, ctw_lengths__head *m, const ctw_cancel *cancel,
                              const char *fn)
{
    learner g;
    ctw_lengths__head made = {.table = NULL};
    ctw_queue__bucket *spare = NULL;
    ctw_status s = get_ready(l, rows, &g);
    g.kind = l->kind;
    g.plane = plane;
    if (!s && g.n < 16)
        s = ctw_base__fail(CTW_E_ARG, "%s: %zu requests of known length, at least 16 are needed", fn, g.n);
    if (!s && !(spare = CTW_NEW(l->h.ctx, ctw_queue__buckets(l->bits), ctw_queue__bucket))) s = CTW_E_NOMEM;
    made.table = spare;
    if (!s) s = learn(l, &g, ridge, base, &made, cancel, fn);
    if (!s) {
        made.rows = (double)g.n;
        spare = m->table;
        *m = made;
    }
    ctw_base__free(l->h.ctx, spare);
    let_go(l->h.ctx, &g);
    return s;
}
