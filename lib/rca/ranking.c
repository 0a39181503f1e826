/* ranking.c: the answer of one ranking: names, scores, features and what speaks for each component. */
#include "num/sort.h"
#include "rca/rca_internal.h"
#include <math.h>
#include <string.h>

typedef struct place {
    char *name;
    double score;
    double x[CTW_RCA_COLUMNS], contribution[CTW_RCA_COLUMNS];
} place;

struct ctw_ranking {
    ctw_base__handle h;
    place *row;
    size_t count, guilty;
};

static void destroy(ctw_ranking *r)
{
    for (size_t i = 0; i < r->count; i++) ctw_base__free(r->h.ctx, r->row[i].name);
    ctw_base__free(r->h.ctx, r->row);
}

CTW_DEFINE_REFS(ctw_ranking, destroy)

/* One fault shows in several components. Each one's score is lowered by a share of the strongest other score, which
 * keeps the order, lets equals stay guilty together and clears those that only echo the first. */
static void compete(ctw_ranking *r, double rivalry)
{
    double first = r->count ? fmax(0, r->row[0].score) : 0, second = r->count > 1 ? fmax(0, r->row[1].score) : 0;
    for (size_t i = 0; i < r->count; i++) {
        r->row[i].score -= rivalry * (i ? first : second);
        r->guilty += r->row[i].score >= 0;
    }
}

/* Best first; equal scores by name (the rows come in that order), so that the order of calls never decides. */
static ctw_status fill(ctw_ranking *r, const ctw_rca *m, const ctw_rca__row *rows, const double *x, size_t n,
                       double *key, size_t *order)
{
    for (size_t i = 0; i < n; i++) key[i] = -ctw_rca__score(m, x + i * CTW_RCA_COLUMNS, NULL);
    ctw_num__argsort(key, order, n);
    for (size_t i = 0; i < n; i++) {
        place *p = &r->row[i];
        p->name = ctw_base__strdup(r->h.ctx, rows[order[i]].name);
        if (!p->name) return CTW_E_NOMEM;
        r->count++;
        memcpy(p->x, x + order[i] * CTW_RCA_COLUMNS, sizeof p->x);
        p->score = ctw_rca__score(m, p->x, p->contribution);
    }
    compete(r, m->rivalry);
    return CTW_OK;
}

ctw_status ctw_rca__ranking_new(const ctw_rca *m, const ctw_rca__row *rows, const double *x, size_t n,
                                ctw_ranking **out)
{
    ctw_ctx *ctx = m->h.ctx;
    ctw_ranking *r = ctw_base__handle_new(ctx, sizeof *r, CTW_RANKING_MAGIC);
    if (!r) return CTW_E_NOMEM;
    double *key = ctw_base__alloc(ctx, n, sizeof *key);
    size_t *order = ctw_base__alloc(ctx, n, sizeof *order);
    r->row = ctw_base__alloc(ctx, n, sizeof *r->row);
    ctw_status st = key && order && r->row ? fill(r, m, rows, x, n, key, order) : CTW_E_NOMEM;
    ctw_base__free(ctx, key);
    ctw_base__free(ctx, order);
    if (st == CTW_OK)
        *out = r;
    else
        ctw_ranking_unref(r);
    return st;
}

uint64_t ctw_ranking_count(const ctw_ranking *r)
{
    return r ? r->count : 0;
}

uint64_t ctw_ranking_guilty(const ctw_ranking *r)
{
    return r ? r->guilty : 0;
}

static ctw_status check_row(const ctw_ranking *r, uint64_t i, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(r ? &r->h : NULL, CTW_RANKING_MAGIC, fn, "r"));
    if (i >= r->count)
        return ctw_base__fail(CTW_E_RANGE, "%s: i is %llu, the ranking has %zu components", fn, (unsigned long long)i,
                              r->count);
    return CTW_OK;
}

ctw_status ctw_ranking_at(const ctw_ranking *r, uint64_t i, const char **component, double *score)
{
    CTW_TRY(check_row(r, i, "ctw_ranking_at"));
    if (component) *component = r->row[i].name;
    if (score) *score = r->row[i].score;
    return CTW_OK;
}

ctw_status ctw_ranking_value(const ctw_ranking *r, uint64_t i, const char *feature, double *value)
{
    static const char fn[] = "ctw_ranking_value";
    CTW_TRY(check_row(r, i, fn));
    CTW_TRY(ctw_base__need(feature, fn, "feature"));
    CTW_TRY(ctw_base__need(value, fn, "value"));
    int column;
    CTW_TRY(ctw_rca__column_named(feature, strlen(feature), &column, fn));
    *value = r->row[i].x[column];
    return CTW_OK;
}

/* Column of the j-th largest positive contribution, -1 when there are fewer. */
static int reason_column(const place *p, uint64_t j)
{
    double last = INFINITY;
    int last_column = -1;
    for (uint64_t k = 0; k <= j; k++) {
        int best = -1;
        for (int c = 0; c < CTW_RCA_COLUMNS; c++) {
            double v = p->contribution[c];
            if (v <= 0 || v > last || (v == last && c <= last_column)) continue;
            if (best < 0 || v > p->contribution[best]) best = c;
        }
        if (best < 0) return -1;
        last = p->contribution[best];
        last_column = best;
    }
    return last_column;
}

ctw_status ctw_ranking_reason(const ctw_ranking *r, uint64_t i, uint64_t j, const char **feature, double *value,
                              double *contribution)
{
    static const char fn[] = "ctw_ranking_reason";
    CTW_TRY(check_row(r, i, fn));
    int c = j < CTW_RCA_COLUMNS ? reason_column(&r->row[i], j) : -1;
    if (c < 0)
        return ctw_base__fail(CTW_E_RANGE, "%s: j is %llu, fewer features speak for '%s'", fn, (unsigned long long)j,
                              r->row[i].name);
    const ctw_rca__feature *f = &ctw_rca__features[c % FEAT_COUNT];
    if (feature) *feature = c < FEAT_COUNT ? f->name : f->relative;
    if (value) *value = r->row[i].x[c];
    if (contribution) *contribution = r->row[i].contribution[c];
    return CTW_OK;
}
