/* lengths_class.c: which class a length falls into. Any cut has a probability by the held-out distribution at the
 * prompt's score; the cut that was learnt from may besides have a head for each class (head "classes", one against the
 * rest), whose scores are then the probabilities themselves. */
#include "queue/lengths_internal.h"
#include <math.h>

static void by_distribution(const ctw_lengths__head *m, double score, const double *edge, uint64_t n, int64_t *cls,
                            double *probability)
{
    double below = 0, best = -1;
    for (uint64_t k = 0; k <= n; k++) {
        double upto = k < n ? ctw_queue__spread_below(&m->spread, score, edge[k] - m->shift) : 1;
        if (upto - below > best) {
            best = upto - below;
            *cls = (int64_t)k;
        }
        below = upto;
    }
    *probability = best;
}

/* Least squares on 0 and 1 gives probabilities but for its errors: what lies outside [0, 1] is cut off. */
static void by_heads(const ctw_lengths *l, int64_t model, const ctw_queue__text *t, int64_t *cls, double *probability)
{
    const ctw_lengths__head *m = ctw_lengths__of(l, model) + 1;
    double best = -INFINITY, sum = 0;
    for (int64_t k = 0; k < l->planes - 1; k++) {
        double p = ctw_lengths__score(&m[k], t->feature, t->n, t->dense, l->bits);
        sum += fmin(fmax(p, 0), 1);
        if (p <= best) continue;
        best = p;
        *cls = k;
    }
    best = fmin(fmax(best, 0), 1);
    *probability = sum > 0 ? best / sum : 1 / (double)(l->planes - 1);
}

static ctw_status check_edges(const double *edge, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, 64, fn, "n_edges"));
    CTW_TRY(ctw_base__need(edge, fn, "edge"));
    CTW_TRY(ctw_base__all_in(edge, n, 1, 0, 1e9, fn, "edge"));
    for (uint64_t i = 1; i < n; i++)
        if (edge[i] < edge[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: edge[%llu] is %g, below the edge before it", fn,
                                  (unsigned long long)i, edge[i]);
    return CTW_OK;
}

ctw_status ctw_lengths_class(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model,
                             const double *edge, uint64_t n_edges, int64_t *cls, double *probability)
{
    ctw_queue__text t;
    double cut[64], p = 0;
    uint64_t n = n_edges;
    int learnt = !edge && !n_edges;
    CTW_TRY(ctw_base__need(cls, __func__, "cls"));
    if (!learnt) CTW_TRY(check_edges(edge, n_edges, __func__));
    CTW_TRY(ctw_lengths__prompt(l, prompt, bytes, model, __func__, &t));
    const ctw_lengths__head *m = ctw_lengths__of(l, model);
    if (learnt && isnan(m->edge[0]))
        return ctw_base__fail(CTW_E_STATE, "%s: a predictor from a file of format 2.0 knows no classes of its own",
                              __func__);
    if (learnt) n = l->kind == CTW_LENGTHS_BINARY ? 1 : CTW_LENGTHS_EDGES;
    for (uint64_t k = 0; k < n; k++)
        cut[k] = !learnt ? log1p(edge[k]) : m->edge[l->kind == CTW_LENGTHS_BINARY ? 1 : k] + m->shift;
    if (learnt && l->kind == CTW_LENGTHS_CLASSES)
        by_heads(l, model, &t, cls, &p);
    else
        by_distribution(m, ctw_lengths__score(m, t.feature, t.n, t.dense, l->bits), cut, n, cls, &p);
    if (probability) *probability = p;
    return CTW_OK;
}
