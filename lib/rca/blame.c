/* blame.c: shifts by caller and callee, and how they are shared out between the two. All shifts are logarithms of
 * medians against the reference's, drawn towards 0 by their standard error, so that three slow calls say less than
 * three hundred. */
#include "rca/blame.h"
#include "base/alloc.h"
#include "num/sort.h"
#include "rca/sample.h"
#include <math.h>
#include <string.h>

/* One caller and callee over all operations. */
typedef struct pair {
    uint32_t caller, callee; /* members */
    double calls, net;       /* net: sum, then mean of shifts of the time on the way */
    double others;           /* largest such shift of the same callee seen by other callers; -INFINITY without */
} pair;

/* One edge of the window with enough calls on both sides. */
typedef struct seen {
    uint32_t caller, callee;
    double calls, excl;
} seen;

typedef struct blame {
    const ctw_rca__window *w;
    const ctw_rca__reference *ref;
    uint32_t *model;  /* the model's id of each of the window's names, NONE if it has none */
    uint32_t *member; /* the member of each of the window's names, NONE */
    seen *edge;
    size_t edges;
    pair *pair; /* by (caller, net) */
    size_t pairs;
    size_t *first; /* member -> its first pair as caller; members + 1 */
    double *scratch;
} blame;

/* A slowdown of some calls only shows in the upper quantile, which is also the noisier one. */
#define UPPER_SHARE 0.5

static double log_ratio(double now, double past)
{
    return log((now + CTW_RCA_OFFSET_US) / (past + CTW_RCA_OFFSET_US));
}

static double beyond(double v, double error)
{
    return copysign(fmax(0, fabs(v) - error), v);
}

static double shift(const blame *b, const ctw_rca__edge *e, const ctw_rca__past_op *past, int col)
{
    ctw_rca__sample now = ctw_rca__sample_edge(b->w, e, col, b->scratch);
    double root = sqrt(1 / (double)now.n + 1 / (double)past->count);
    double middle =
        beyond(log_ratio(ctw_rca__sample_quantile(&now, 0.5), past->median[col]), 1.25 * past->spread[col] * root);
    double upper =
        beyond(log_ratio(ctw_rca__sample_quantile(&now, 0.9), past->p90[col]), 1.71 * past->tail[col] * root);
    return fmax(middle, UPPER_SHARE * upper);
}

static const ctw_rca__past_op *past_of(const blame *b, uint32_t component, uint32_t op, uint32_t caller)
{
    uint32_t c = b->model[component], o = b->model[op], x = caller == CTW_RCA_NONE ? caller : b->model[caller];
    if (c == CTW_RCA_NONE || o == CTW_RCA_NONE || (x == CTW_RCA_NONE && caller != CTW_RCA_NONE)) return NULL;
    return ctw_rca__reference_op(b->ref, c, o, x);
}

static void add_edge(blame *b, uint32_t callee, uint32_t op, const ctw_rca__edge *e)
{
    const ctw_rca__past_op *past = past_of(b, b->w->member[callee].name, op, e->caller);
    double n = (double)(e->end - e->begin);
    if (!past || past->count < 5 || n < 3) return;
    uint32_t caller = e->caller == CTW_RCA_NONE ? CTW_RCA_NONE : b->member[e->caller];
    b->edge[b->edges++] = (seen){caller, callee, n, shift(b, e, past, PAST_EXCL)};
    if (caller == CTW_RCA_NONE) return;
    b->pair[b->pairs++] = (pair){caller, callee, n, n * shift(b, e, past, PAST_NET), -INFINITY};
}

static int by_ends(const void *a, const void *b, void *user)
{
    const pair *x = a, *y = b;
    (void)user;
    if (x->callee != y->callee) return x->callee < y->callee ? -1 : 1;
    return x->caller < y->caller ? -1 : x->caller > y->caller;
}

static int by_caller(const void *a, const void *b, void *user)
{
    const pair *x = a, *y = b;
    (void)user;
    if (x->caller != y->caller) return x->caller < y->caller ? -1 : 1;
    if (x->net != y->net) return x->net < y->net ? -1 : 1;
    return x->callee < y->callee ? -1 : x->callee > y->callee;
}

/* Sums of one caller and callee into one pair. */
static void merge_pairs(blame *b)
{
    size_t n = 0;
    ctw_num__sort_by(b->pair, b->pairs, sizeof *b->pair, by_ends, NULL);
    for (size_t i = 0; i < b->pairs; i++) {
        if (n && by_ends(&b->pair[n - 1], &b->pair[i], NULL) == 0) {
            b->pair[n - 1].calls += b->pair[i].calls;
            b->pair[n - 1].net += b->pair[i].net;
        } else {
            b->pair[n++] = b->pair[i];
        }
    }
    b->pairs = n;
    for (size_t i = 0; i < n; i++) b->pair[i].net /= b->pair[i].calls;
}

/* What the other callers of each callee see; pairs are by callee here. */
static void compare_callers(blame *b)
{
    for (size_t i = 0, end; i < b->pairs; i = end) {
        size_t best = i;
        double second = -INFINITY;
        for (end = i; end < b->pairs && b->pair[end].callee == b->pair[i].callee; end++)
            if (b->pair[end].net > b->pair[best].net) best = end;
        for (size_t k = i; k < end; k++)
            if (k != best) second = fmax(second, b->pair[k].net);
        for (size_t k = i; k < end; k++) b->pair[k].others = k == best ? second : b->pair[best].net;
    }
}

/* A single callee's shift as evidence about its caller: what exceeds the other callers' view of it. */
static double exceeds_others(const pair *p, double without_others)
{
    return p->others == -INFINITY ? without_others : p->net - fmax(0, p->others);
}

/* Shift common to what a member calls: the lower median over its callees, one of which may be left out. */
static double common_shift(const blame *b, uint32_t caller, uint32_t without)
{
    const pair *v = b->pair + b->first[caller];
    size_t n = b->first[caller + 1] - b->first[caller], skip = n;
    for (size_t i = 0; i < n; i++)
        if (v[i].callee == without) skip = i;
    size_t left = skip < n ? n - 1 : n;
    if (left >= 2) {
        size_t middle = (left - 1) / 2;
        return v[middle + (skip <= middle)].net;
    }
    if (left == 1) {
        const pair *p = &v[skip == 0];
        return exceeds_others(p, skip < n ? p->net : 0);
    }
    return n ? exceeds_others(&v[0], 0) : 0;
}

static void share_out(blame *b, ctw_rca__row *rows)
{
    double *calls = b->scratch;
    memset(calls, 0, b->w->members * sizeof *calls);
    for (size_t i = 0; i < b->edges; i++) {
        const seen *e = &b->edge[i];
        double theirs = e->caller == CTW_RCA_NONE ? 0 : fmax(0, common_shift(b, e->caller, e->callee));
        rows[e->callee].z[FEAT_LX_IN] += e->calls * fmax(e->excl - theirs, fmin(e->excl, 0));
        calls[e->callee] += e->calls;
    }
    for (uint32_t m = 0; m < b->w->members; m++) {
        double *z = rows[m].z;
        if (calls[m] > 0) z[FEAT_LX_IN] /= calls[m];
        z[FEAT_LX_OUT] = fmax(0, common_shift(b, m, CTW_RCA_NONE));
        z[FEAT_BLAME] = fmax(0, fmax(z[FEAT_LX_IN], z[FEAT_LX_OUT]));
    }
}

static void run(blame *b, const ctw_rca__names *names, ctw_rca__row *rows)
{
    const ctw_rca__names *now = b->w->names;
    for (size_t i = 0; i < now->count; i++) {
        int64_t id = ctw_rca__names_find(names, now->text[i], strlen(now->text[i]));
        b->model[i] = id < 0 ? CTW_RCA_NONE : (uint32_t)id;
        b->member[i] = CTW_RCA_NONE;
    }
    for (uint32_t m = 0; m < b->w->members; m++) b->member[b->w->member[m].name] = m;
    for (uint32_t m = 0; m < b->w->members; m++)
        for (size_t g = b->w->member[m].first_group; g < b->w->member[m].last_group; g++)
            for (size_t e = b->w->group[g].first_edge; e < b->w->group[g].last_edge; e++)
                add_edge(b, m, b->w->group[g].op, &b->w->edge[e]);
    merge_pairs(b);
    compare_callers(b);
    ctw_num__sort_by(b->pair, b->pairs, sizeof *b->pair, by_caller, NULL);
    for (size_t i = 0; i < b->pairs; i++) b->first[b->pair[i].caller + 1]++;
    for (size_t m = 0; m < b->w->members; m++) b->first[m + 1] += b->first[m];
    share_out(b, rows);
}

ctw_status ctw_rca__blame(ctw_ctx *ctx, const ctw_rca__window *w, const ctw_rca__reference *ref,
                          const ctw_rca__names *names, ctw_rca__row *rows)
{
    blame b = {.w = w, .ref = ref};
    b.model = ctw_base__alloc(ctx, 2 * w->names->count, sizeof *b.model);
    b.edge = ctw_base__alloc(ctx, w->edges, sizeof *b.edge);
    b.pair = ctw_base__alloc(ctx, w->edges, sizeof *b.pair);
    b.first = CTW_NEW(ctx, w->members + 1, size_t);
    b.scratch = ctw_base__alloc(ctx, w->count + w->members, sizeof *b.scratch);
    int good = b.model && b.edge && b.pair && b.first && b.scratch;
    if (good) {
        b.member = b.model + w->names->count;
        run(&b, names, rows);
    }
    ctw_base__free(ctx, b.model);
    ctw_base__free(ctx, b.edge);
    ctw_base__free(ctx, b.pair);
    ctw_base__free(ctx, b.first);
    ctw_base__free(ctx, b.scratch);
    return good ? CTW_OK : CTW_E_NOMEM;
}
