/* crossval.c: cross-validation of a classifier's settings, and a small grid over c and gamma. Folds are dealt class by
 * class, or group by group where rows that belong together (one incident, one host) must not be split. */
#include "base/ctx.h"
#include "base/report.h"
#include "num/rng.h"
#include "num/sort.h"
#include "num/stats.h"
#include "svm/learn.h"
#include "svm/svmset.h"
#include <math.h>
#include <string.h>

#define CV_MODULE 0x53564356u

/* A validation under way: what every row was predicted to be by the machine that had not seen it. */
typedef struct cv {
    ctw_svm *m; /* settings; refitted for every fold */
    const ctw_svm__training *t;
    size_t n, folds;
    uint32_t *fold;
    size_t *order;
    int64_t *got;
    double *dec; /* decision for the second of two classes, NaN otherwise */
    double *score;
    ctw_cancel *cancel;
    const char *fn;
} cv;

static void cv_free(ctw_ctx *ctx, cv *v)
{
    ctw_base__free(ctx, v->fold);
    ctw_base__free(ctx, v->order);
    ctw_base__free(ctx, v->got);
    ctw_base__free(ctx, v->dec);
    ctw_base__free(ctx, v->score);
    ctw_svm_unref(v->m);
}

/* An own classifier with m's settings. */
static ctw_status same_settings(const ctw_svm *m, ctw_svm **out)
{
    CTW_TRY(ctw_svm_new(m->h.ctx, m->params, out));
    ctw_status st = CTW_OK;
    for (size_t i = 0; st == CTW_OK && i < m->n_cw; i++)
        st = ctw_svm_set_class_weight(*out, m->cw[i].label, m->cw[i].weight);
    (*out)->opts.incremental = 0;
    (*out)->opts.probability = 0;
    return st;
}

static ctw_status cv_new(const ctw_svm *m, const ctw_svm__training *t, size_t folds, ctw_cancel *cancel, const char *fn,
                         cv *v)
{
    ctw_ctx *ctx = m->h.ctx;
    size_t n = t->x->n;
    *v = (cv){.t = t, .n = n, .folds = folds, .cancel = cancel, .fn = fn};
    CTW_TRY(same_settings(m, &v->m));
    v->fold = CTW_NEW(ctx, n, uint32_t);
    v->order = CTW_NEW(ctx, n, size_t);
    v->got = CTW_NEW(ctx, n, int64_t);
    v->dec = CTW_NEW(ctx, n, double);
    v->score = CTW_NEW(ctx, folds, double);
    return v->fold && v->order && v->got && v->dec && v->score ? CTW_OK : CTW_E_NOMEM;
}

/* Equal keys together, in a random order of keys or, within == 1, in random order within each key. */
static ctw_status deal(cv *v, const int64_t *group)
{
    ctw_ctx *ctx = v->m->h.ctx;
    ctw_num__rng g;
    size_t *at = CTW_NEW(ctx, v->n + 1, size_t), *turn = CTW_NEW(ctx, v->n, size_t), k = 0;
    if (!at || !turn) {
        ctw_base__free(ctx, at);
        ctw_base__free(ctx, turn);
        return CTW_E_NOMEM;
    }
    const int64_t *key = group ? group : v->t->label;
    ctw_num__rng_init(&g, ctw_base__seed(ctx), CV_MODULE, v->m->opts.stream);
    ctw_num__argsort_i64(key, v->order, v->n);
    for (size_t i = 0; i < v->n; i++)
        if (i == 0 || key[v->order[i]] != key[v->order[i - 1]]) at[k++] = i;
    at[k] = v->n;
    for (size_t q = 0; q < k; q++) turn[q] = q;
    if (group) ctw_num__rng_shuffle(&g, turn, k);
    for (size_t q = 0, dealt = 0; q < k; q++) {
        size_t from = at[turn[q]], to = at[turn[q] + 1];
        if (!group) ctw_num__rng_shuffle(&g, v->order + from, to - from);
        for (size_t i = from; i < to; i++) v->fold[v->order[i]] = (uint32_t)((group ? q : dealt++) % v->folds);
    }
    ctw_base__free(ctx, at);
    ctw_base__free(ctx, turn);
    return k >= v->folds || !group ? CTW_OK
                                   : ctw_base__fail(CTW_E_RANGE, "%s: %llu groups do not fill %llu folds", v->fn,
                                                    (unsigned long long)k, (unsigned long long)v->folds);
}

/* The rows outside fold f, as a training problem of its own. */
typedef struct part {
    ctw_svm__rows x;
    int64_t *label;
    double *weight;
} part;

static ctw_status outside(const cv *v, size_t f, part *p)
{
    ctw_ctx *ctx = v->m->h.ctx;
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (v->fold[i] != f) v->order[n++] = i;
    p->label = CTW_NEW(ctx, n, int64_t);
    p->weight = CTW_NEW(ctx, n, double);
    if (!p->label || !p->weight) return CTW_E_NOMEM;
    for (size_t k = 0; k < n; k++) {
        p->label[k] = v->t->label[v->order[k]];
        p->weight[k] = v->t->weight ? v->t->weight[v->order[k]] : 1;
    }
    return ctw_svm__rows_add(ctx, &p->x, v->t->x, v->order, n);
}

static ctw_status test_fold(cv *v, size_t f)
{
    const ctw_svm__model *md = v->m->model;
    ctw_ctx *ctx = v->m->h.ctx;
    double *dec = CTW_NEW(ctx, md->machines, double);
    uint32_t *votes = CTW_NEW(ctx, md->classes, uint32_t);
    ctw_status st = dec && votes ? CTW_OK : CTW_E_NOMEM;
    size_t hit = 0, n = 0;
    for (size_t i = 0; st == CTW_OK && i < v->n; i++) {
        if (v->fold[i] != f) continue;
        st = ctw_svm__decide(ctx, md, v->t->x, i, 1, dec, md->machines);
        v->got[i] = md->label[ctw_svm__vote(md, dec, votes)];
        v->dec[i] = md->classes == 2 ? dec[0] : NAN;
        hit += v->got[i] == v->t->label[i];
        n++;
    }
    v->score[f] = n ? (double)hit / (double)n : NAN;
    ctw_base__free(ctx, dec);
    ctw_base__free(ctx, votes);
    return st;
}

static ctw_status one_fold(cv *v, size_t f)
{
    part p = {0};
    ctw_ctx *ctx = v->m->h.ctx;
    ctw_status st = outside(v, f, &p);
    ctw_svm__training t = {.x = &p.x, .label = p.label, .weight = p.weight};
    ctw_svm__model_free(ctx, v->m->model);
    v->m->model = NULL;
    if (st == CTW_OK) st = ctw_svm__learn(v->m, &t, v->cancel, v->fn, &v->m->model);
    if (st == CTW_OK) st = test_fold(v, f);
    ctw_svm__rows_free(ctx, &p.x);
    ctw_base__free(ctx, p.label);
    ctw_base__free(ctx, p.weight);
    return st;
}

static ctw_status run_folds(cv *v)
{
    for (size_t f = 0; f < v->folds; f++) CTW_TRY(one_fold(v, f));
    return CTW_OK;
}

/* Share of right rows; balanced: the mean over classes of each class's share. */
static double accuracy(const cv *v)
{
    size_t hit = 0;
    for (size_t i = 0; i < v->n; i++) hit += v->got[i] == v->t->label[i];
    return (double)hit / (double)v->n;
}

static double balanced(cv *v)
{
    double sum = 0, k = 0;
    ctw_num__argsort_i64(v->t->label, v->order, v->n);
    for (size_t i = 0; i < v->n;) {
        int64_t label = v->t->label[v->order[i]];
        size_t hit = 0, n = 0;
        for (; i < v->n && v->t->label[v->order[i]] == label; i++, n++) hit += v->got[v->order[i]] == label;
        sum += (double)hit / (double)n;
        k += 1;
    }
    return sum / k;
}

/* Area under the receiver operating characteristic of two classes, ties halved; `positive` is the larger label. */
static double auc(cv *v, int64_t positive)
{
    double below = 0, pairs = 0, neg = 0;
    ctw_num__argsort(v->dec, v->order, v->n);
    for (size_t i = 0; i < v->n;) {
        double p = 0, q = 0, d = v->dec[v->order[i]];
        for (; i < v->n && v->dec[v->order[i]] == d; i++) *(v->t->label[v->order[i]] == positive ? &p : &q) += 1;
        below += p * (neg + q / 2);
        neg += q;
        pairs += p;
    }
    pairs *= neg;
    return pairs > 0 ? below / pairs : NAN;
}

static ctw_status two_class_figures(cv *v, ctw_report *r)
{
    int64_t positive = INT64_MIN;
    double tp = 0, fp = 0, fn = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (isnan(v->dec[i])) return CTW_OK; /* more than two classes */
        if (v->t->label[i] > positive) positive = v->t->label[i];
    }
    for (size_t i = 0; i < v->n; i++) {
        tp += v->got[i] == positive && v->t->label[i] == positive;
        fp += v->got[i] == positive && v->t->label[i] != positive;
        fn += v->got[i] != positive && v->t->label[i] == positive;
    }
    CTW_TRY(ctw_base__report_f64(r, "precision", tp + fp > 0 ? tp / (tp + fp) : 0));
    CTW_TRY(ctw_base__report_f64(r, "recall", tp + fn > 0 ? tp / (tp + fn) : 0));
    CTW_TRY(ctw_base__report_f64(r, "f1", tp > 0 ? 2 * tp / (2 * tp + fp + fn) : 0));
    return ctw_base__report_f64(r, "auc", auc(v, positive));
}

static ctw_status figures(cv *v, ctw_report *r)
{
    CTW_TRY(ctw_base__report_i64(r, "rows", (int64_t)v->n));
    CTW_TRY(ctw_base__report_i64(r, "folds", (int64_t)v->folds));
    CTW_TRY(ctw_base__report_f64(r, "accuracy", accuracy(v)));
    CTW_TRY(ctw_base__report_f64(r, "accuracy_se", sqrt(ctw_num__variance(v->score, v->folds) / (double)v->folds)));
    CTW_TRY(ctw_base__report_f64(r, "balanced_accuracy", balanced(v)));
    CTW_TRY(ctw_base__report_series(r, "accuracy_each", v->score, v->folds));
    return two_class_figures(v, r);
}

static ctw_status can_validate(const ctw_svm *m, uint64_t n, uint64_t folds, const double *weight, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_SVM_MAGIC, fn, "m"));
    CTW_TRY(ctw_base__in_u64(n, 2, UINT32_MAX - 1, fn, "n"));
    CTW_TRY(ctw_base__in_u64(folds, 2, n, fn, "folds"));
    return weight ? ctw_base__all_in(weight, n, 1, 1e-12, 1e12, fn, "weight") : CTW_OK;
}

ctw_status ctw_svm_crossval(const ctw_svm *m, const ctw_svmset *s, const double *weight, const int64_t *group,
                            uint64_t folds, ctw_cancel *cancel, int64_t *out_label, double *out_decision,
                            ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_svm__set_check(s, __func__));
    CTW_TRY(can_validate(m, s->rows.n, folds, weight, __func__));
    ctw_svm__training t = {.x = &s->rows, .label = s->label, .weight = weight};
    ctw_report *r = NULL;
    cv v;
    ctw_status st = cv_new(m, &t, (size_t)folds, cancel, __func__, &v);
    if (st == CTW_OK) st = deal(&v, group);
    if (st == CTW_OK) st = run_folds(&v);
    if (st == CTW_OK) st = ctw_base__report_new(m->h.ctx, &r);
    if (st == CTW_OK) st = figures(&v, r);
    if (st == CTW_OK) {
        if (out_label) memcpy(out_label, v.got, v.n * sizeof *out_label);
        if (out_decision) memcpy(out_decision, v.dec, v.n * sizeof *out_decision);
        *out = r;
    } else {
        ctw_report_unref(r);
    }
    cv_free(m->h.ctx, &v);
    return st;
}

/* ---- grid ---- */

typedef struct grid {
    const double *c, *gamma;
    size_t nc, ng;
    double *score; /* nc x ng */
    size_t best;
} grid;

static ctw_status search(cv *v, grid *g)
{
    for (size_t k = 0; k < g->nc * g->ng; k++) {
        v->m->opts.c = g->c[k / g->ng];
        if (g->gamma) v->m->opts.gamma = g->gamma[k % g->ng];
        CTW_TRY(run_folds(v));
        g->score[k] = v->m->opts.balanced ? balanced(v) : accuracy(v);
        if (g->score[k] > g->score[g->best]) g->best = k;
    }
    return CTW_OK;
}

static ctw_status grid_report(const grid *g, ctw_report *r)
{
    CTW_TRY(ctw_base__report_f64(r, "best_c", g->c[g->best / g->ng]));
    if (g->gamma) CTW_TRY(ctw_base__report_f64(r, "best_gamma", g->gamma[g->best % g->ng]));
    CTW_TRY(ctw_base__report_f64(r, "best_score", g->score[g->best]));
    return ctw_base__report_series(r, "scores", g->score, g->nc * g->ng);
}

static ctw_status check_grid(const grid *g, const char *fn)
{
    CTW_TRY(ctw_base__need(g->c, fn, "c"));
    CTW_TRY(ctw_base__in_u64(g->nc, 1, 10000, fn, "n_c"));
    CTW_TRY(ctw_base__in_u64(g->ng, 1, 10000, fn, "n_gamma"));
    CTW_TRY(ctw_base__all_in(g->c, g->nc, 1, 1e-12, 1e12, fn, "c"));
    return g->gamma ? ctw_base__all_in(g->gamma, g->ng, 1, 1e-12, 1e12, fn, "gamma") : CTW_OK;
}

ctw_status ctw_svm_grid(const ctw_svm *m, const ctw_svmset *s, const double *weight, const int64_t *group,
                        uint64_t folds, const double *c, uint64_t n_c, const double *gamma, uint64_t n_gamma,
                        ctw_cancel *cancel, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_svm__set_check(s, __func__));
    CTW_TRY(can_validate(m, s->rows.n, folds, weight, __func__));
    grid g = {.c = c, .gamma = gamma, .nc = (size_t)n_c, .ng = gamma ? (size_t)n_gamma : 1};
    CTW_TRY(check_grid(&g, __func__));
    ctw_svm__training t = {.x = &s->rows, .label = s->label, .weight = weight};
    ctw_report *r = NULL;
    cv v;
    ctw_status st = cv_new(m, &t, (size_t)folds, cancel, __func__, &v);
    g.score = CTW_NEW(m->h.ctx, g.nc * g.ng, double);
    if (st == CTW_OK && !g.score) st = CTW_E_NOMEM;
    if (st == CTW_OK) st = deal(&v, group);
    if (st == CTW_OK) st = search(&v, &g);
    if (st == CTW_OK) st = ctw_base__report_new(m->h.ctx, &r);
    if (st == CTW_OK) st = grid_report(&g, r);
    ctw_base__free(m->h.ctx, g.score);
    cv_free(m->h.ctx, &v);
    if (st == CTW_OK)
        *out = r;
    else
        ctw_report_unref(r);
    return st;
}
