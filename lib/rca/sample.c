/* sample.c: see sample.h. */
#include "rca/sample.h"
#include "num/stats.h"

static ctw_rca__sample of_rows(const ctw_rca__window *w, size_t begin, size_t end, int col, double *scratch)
{
    ctw_rca__sample s = {.n = end - begin, .v = scratch};
    for (size_t i = 0; i < s.n; i++)
        s.sum += scratch[i] = w->calls->row[w->order[begin + i]].v[ctw_rca__past_column[col]];
    return s;
}

static ctw_rca__sample of_cell(const ctw_rca__window *w, const ctw_rca__cell *c, int col)
{
    return (ctw_rca__sample){(size_t)c->calls, c->sum[col], NULL, col < PAST_TIMES ? &c->time[col] : NULL,
                             &w->digest->scale};
}

ctw_rca__sample ctw_rca__sample_group(const ctw_rca__window *w, const ctw_rca__group *g, int col, double *scratch)
{
    return w->digest ? of_cell(w, &w->digest->group[g - w->group], col) : of_rows(w, g->begin, g->end, col, scratch);
}

ctw_rca__sample ctw_rca__sample_edge(const ctw_rca__window *w, const ctw_rca__edge *e, int col, double *scratch)
{
    return w->digest ? of_cell(w, &w->digest->edge[e - w->edge], col) : of_rows(w, e->begin, e->end, col, scratch);
}

ctw_rca__shapes ctw_rca__sample_shapes(const ctw_rca__window *w, const ctw_rca__group *g)
{
    ctw_rca__shapes s = {0};
    if (w->digest) return w->digest->group[g - w->group].shape;
    for (size_t i = g->begin; i < g->end; i++) {
        const double *v = w->calls->row[w->order[i]].v;
        ctw_rca__shapes_add(&s, ctw_rca__shape(v[CTW_CALL_SPANS], v[CTW_CALL_OUT], v[CTW_CALL_ERROR]), 1);
    }
    return s;
}

double ctw_rca__sample_quantile(const ctw_rca__sample *s, double q)
{
    return s->v ? ctw_num__quantile(s->v, s->n, q) : ctw_rca__sketch_quantile(s->scale, s->sketch, q);
}

/* Number of reference values below v, ties counting half. */
static double rank_of(const ctw_rca__past_op *past, float v)
{
    size_t lo = 0, hi = past->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (past->sorted[mid] < v)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t below = lo;
    hi = past->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (past->sorted[mid] <= v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0.5 * (double)(below + lo);
}

static void one_against(const ctw_rca__past_op *past, float v, double times, double *above, double *ranks)
{
    *above += times * ((double)v > past->p90[PAST_EXCL]);
    *ranks += times * (rank_of(past, v) / (double)past->count);
}

void ctw_rca__sample_against(const ctw_rca__sample *s, const ctw_rca__past_op *past, double *above, double *ranks)
{
    *above = *ranks = 0;
    for (size_t i = 0; s->v && i < s->n; i++) one_against(past, (float)s->v[i], 1, above, ranks);
    for (uint32_t i = 0; s->sketch && i < s->sketch->bins; i++) {
        double v = ctw_rca__bin_value(s->scale, s->sketch->lo + (int32_t)i);
        if (s->sketch->bin[i]) one_against(past, (float)v, s->sketch->bin[i], above, ranks);
    }
}
