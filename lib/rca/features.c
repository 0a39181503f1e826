/* features.c: the table of features and how a window's rows are put together; the shifts of single operations
 * are in shift.c. */
#include "rca/features.h"
#include "base/alloc.h"
#include "num/sort.h"
#include "num/stats.h"
#include "rca/blame.h"
#include "rca/relate.h"
#include "rca/shift.h"
#include <math.h>
#include <string.h>

const ctw_rca__feature ctw_rca__features[FEAT_COUNT] = {
    [FEAT_RI] = {"RI", "z:RI", "correlation of the component's time in a trace with the trace's response time (FIRM)"},
    [FEAT_CI] = {"CI", "z:CI", "log of p99 / p50 of the component's time in a trace (FIRM)"},
    [FEAT_RIX] = {"RIx", "z:RIx", "as RI, of exclusive time"},
    [FEAT_CIX] = {"CIx", "z:CIx", "as CI, of exclusive time + 50 us"},
    [FEAT_RICP] = {"RIcp", "z:RIcp", "as RI, of time on the critical path, over all traces"},
    [FEAT_VAR] = {"var", "z:var",
                  "covariance of time on the critical path with response time, over the latter's variance"},
    [FEAT_LX_SELF] = {"lx_self", "z:lx_self",
                      "log shift of the median self time against the reference, mean over operations"},
    [FEAT_LX_CLI] = {"lx_cli", "z:lx_cli", "the same of the client side's time"},
    [FEAT_LX_NET] = {"lx_net", "z:lx_net", "the same of the time on the way"},
    [FEAT_LX_EXCL] = {"lx_excl", "z:lx_excl", "the same of exclusive time as the caller sees it"},
    [FEAT_EX_SELF] = {"ex_self", "z:ex_self", "signed log of excess self time per trace, in ms"},
    [FEAT_EX_CLI] = {"ex_cli", "z:ex_cli", "the same of the client side's time"},
    [FEAT_EX_EXCL] = {"ex_excl", "z:ex_excl", "the same of exclusive time"},
    [FEAT_EX_NET] = {"ex_net", "z:ex_net", "the same of the time on the way"},
    [FEAT_EX_EXCL_SHARE] = {"ex_excl_share", "z:ex_excl_share", "share in the excess exclusive time of all components"},
    [FEAT_D_CALLS] = {"d_calls", "z:d_calls", "log ratio of calls per trace"},
    [FEAT_D_SPANS] = {"d_spans", "z:d_spans", "log ratio of spans per call, mean over operations"},
    [FEAT_D_OUT] = {"d_out", "z:d_out", "log ratio of outgoing calls per call, mean over operations"},
    [FEAT_UP_FRAC] = {"up_frac", "z:up_frac",
                      "share of calls with exclusive time above the reference's p90, minus 0.1"},
    [FEAT_DRI] = {"dRI", "z:dRI", "RI minus the reference's"},
    [FEAT_DCI] = {"dCI", "z:dCI", "CI minus the reference's"},
    [FEAT_LX_EXCL_MAX] = {"lx_excl_max", "z:lx_excl_max", "largest shift of median exclusive time among operations"},
    [FEAT_LX_EXCL90] = {"lx_excl90", "z:lx_excl90",
                        "log shift of the 90th percentile of exclusive time, mean over operations"},
    [FEAT_ERR] = {"err", "z:err", "excess share of failed calls"},
    [FEAT_ERR_UP] = {"err_up", "z:err_up", "excess share of calls whose caller failed"},
    [FEAT_WZ_EXCL] = {"wz_excl", "z:wz_excl", "signed log of the rank-sum z of exclusive time against the reference"},
    [FEAT_LX_IN] = {"lx_in", "z:lx_in",
                    "shift of exclusive time beyond chance, less what the callers' own trouble explains"},
    [FEAT_LX_OUT] = {"lx_out", "z:lx_out",
                     "shift of the time on the way common to all the component calls: its trouble as a caller"},
    [FEAT_BLAME] = {"blame", "z:blame", "the larger of lx_in and lx_out, at least 0"},
    [FEAT_STRUCT] = {"struct", "z:struct",
                     "change of what calls do, beyond chance: spans or outgoing calls per call, or 10 times the share "
                     "of calls with another number of these"},
    [FEAT_EVIDENCE] = {"evidence", "z:evidence", "the larger of blame and of twice struct (at most 1)"},
    [FEAT_FAIL] = {"fail", "z:fail", "excess of failed calls or of failed callers, beyond chance"},
};

typedef struct work {
    const ctw_rca__window *w;
    const ctw_rca__reference *ref;
    const ctw_rca__names *names;
    double *incl, *excl, *path; /* sums by trace, of the member at hand */
    uint32_t *seen;             /* traces the member was in */
    double *scratch;            /* as long as the window has calls */
    double *a, *b;              /* as long as the window has traces */
    double mean_root, var_root;
} work;

static double signed_log(double v)
{
    return copysign(log1p(fabs(v)), v);
}

/* Sums of the member by trace; returns the number of traces it was in. */
static size_t sum_by_trace(work *k, size_t begin, size_t end)
{
    size_t n = 0;
    for (size_t i = begin; i < end; i++) {
        const ctw_rca__call *r = &k->w->calls->row[k->w->order[i]];
        if (k->incl[r->trace] < 0) {
            k->seen[n++] = r->trace;
            k->incl[r->trace] = k->excl[r->trace] = k->path[r->trace] = 0;
        }
        k->incl[r->trace] += r->v[CTW_CALL_INCL];
        k->excl[r->trace] += r->v[CTW_CALL_EXCL];
        k->path[r->trace] += r->v[CTW_CALL_PATH];
    }
    return n;
}

static double gather(work *k, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        k->a[i] = from[k->seen[i]];
        k->b[i] = k->w->calls->root_us[k->seen[i]];
    }
    return ctw_rca__importance(k->a, k->b, n);
}

/* RIcp and var from summed products of deviations over all traces. */
static void path_numbers(const work *k, double cov, double var, double *z)
{
    double total = (double)k->w->traces;
    if (total < 3 || k->var_root <= 0) return;
    z[FEAT_VAR] = cov / (total - 1) / k->var_root;
    if (sqrt(fmax(var, 0) / total) >= 1e-9 && sqrt(k->var_root) >= 1e-9)
        z[FEAT_RICP] = cov / sqrt(var * k->var_root * total);
}

/* Over all traces: where the component was absent its path time is 0. */
static void relate_path(work *k, size_t n, double *z)
{
    double total = (double)k->w->traces, mean = 0, cov = 0, var = 0;
    for (size_t i = 0; i < n; i++) mean += k->path[k->seen[i]];
    mean /= total;
    for (size_t i = 0; i < n; i++) {
        double c = k->path[k->seen[i]] - mean, t = k->w->calls->root_us[k->seen[i]] - k->mean_root;
        cov += (c + mean) * t;
        var += c * c - mean * mean;
    }
    var += total * mean * mean;
    path_numbers(k, cov, var, z);
}

/* The same numbers from moments and sketches. */
static void relate_digest(const work *k, const ctw_rca__share *c, double *z)
{
    const ctw_rca__scale *s = &k->w->digest->scale;
    double total = (double)k->w->traces, mean = c->path.n * c->path.mean_x / total;
    double cov = c->path.xy + c->path.n * c->path.mean_x * (c->path.mean_y - k->mean_root);
    double var = c->path.xx + c->path.n * c->path.mean_x * c->path.mean_x - total * mean * mean;
    if (c->calls < 3) return;
    z[FEAT_RI] = ctw_rca__moments_correlation(&c->incl);
    z[FEAT_RIX] = ctw_rca__moments_correlation(&c->excl);
    z[FEAT_CI] = ctw_rca__congestion_of(ctw_rca__sketch_quantile(s, &c->incl_time, 0.99),
                                        ctw_rca__sketch_quantile(s, &c->incl_time, 0.5), 0);
    z[FEAT_CIX] = ctw_rca__congestion_of(ctw_rca__sketch_quantile(s, &c->excl_time, 0.99),
                                         ctw_rca__sketch_quantile(s, &c->excl_time, 0.5), CTW_RCA_OFFSET_US);
    path_numbers(k, cov, var, z);
}

static void relate_member(work *k, const ctw_rca__member *m, double *z)
{
    if (k->w->digest) {
        relate_digest(k, &k->w->digest->member[m - k->w->member], z);
        return;
    }
    size_t begin = k->w->group[m->first_group].begin, end = k->w->group[m->last_group - 1].end;
    if (end - begin < 3) return;
    size_t n = sum_by_trace(k, begin, end);
    z[FEAT_RI] = gather(k, k->incl, n);
    z[FEAT_CI] = ctw_rca__congestion(k->a, n, 0);
    z[FEAT_RIX] = gather(k, k->excl, n);
    z[FEAT_CIX] = ctw_rca__congestion(k->a, n, CTW_RCA_OFFSET_US);
    relate_path(k, n, z);
    for (size_t i = 0; i < n; i++) k->incl[k->seen[i]] = -1;
}

/* Differences from the reference's component: dRI, dCI, d_calls. */
static void relate_reference(const work *k, const ctw_rca__past_component *past, size_t calls, double *z)
{
    double past_calls = past ? past->calls : 0, traces = (double)k->w->traces;
    if (past && past->calls >= 3) {
        z[FEAT_DRI] = z[FEAT_RI] - past->importance;
        z[FEAT_DCI] = z[FEAT_CI] - past->congestion;
    }
    if (traces > 0 && k->ref->traces > 0)
        z[FEAT_D_CALLS] = log(((double)calls / traces + 0.02) / (past_calls / k->ref->traces + 0.02));
}

static void fill_member(work *k, const ctw_rca__member *m, ctw_rca__row *row)
{
    const ctw_rca__names *now = k->w->names;
    int64_t id = ctw_rca__names_find(k->names, now->text[m->name], strlen(now->text[m->name]));
    const ctw_rca__past_component *past = id < 0 ? NULL : ctw_rca__reference_component(k->ref, (uint32_t)id);
    size_t calls = k->w->group[m->last_group - 1].end - k->w->group[m->first_group].begin;
    row->name = now->text[m->name];
    relate_member(k, m, row->z);
    relate_reference(k, past, calls, row->z);
    if (!past) return;
    ctw_rca__shift s = {0};
    for (size_t g = m->first_group; g < m->last_group; g++) {
        const ctw_rca__group *group = &k->w->group[g];
        const char *op = now->text[group->op];
        int64_t op_id = ctw_rca__names_find(k->names, op, strlen(op));
        const ctw_rca__past_op *past_op =
            op_id < 0 ? NULL : ctw_rca__reference_op(k->ref, (uint32_t)id, (uint32_t)op_id, CTW_RCA_ANYBODY);
        if (past_op) ctw_rca__shift_add(&s, k->w, group, past_op, k->scratch);
    }
    ctw_rca__shift_finish(&s, (double)k->w->traces, past->calls, row->z);
}

/* Components the reference knows and the window lacks: silence is a sign too. */
static void fill_absent(work *k, ctw_rca__row *rows, size_t *n)
{
    for (size_t i = 0; i < k->ref->components; i++) {
        const ctw_rca__past_component *past = &k->ref->component[i];
        const char *text = k->names->text[past->name];
        int64_t id = ctw_rca__names_find(k->w->names, text, strlen(text));
        int present = 0;
        for (size_t m = 0; id >= 0 && m < k->w->members && !present; m++) present = k->w->member[m].name == id;
        if (present || past->calls <= 0) continue;
        rows[*n].name = text;
        relate_reference(k, past, 0, rows[*n].z);
        ++*n;
    }
}

static int by_name(const void *a, const void *b, void *user)
{
    (void)user;
    return strcmp((*(const ctw_rca__row *const *)a)->name, (*(const ctw_rca__row *const *)b)->name);
}

/* Puts the rows into order through pointers: a row is long, and moving it once is enough. */
static ctw_status sort_rows(ctw_ctx *ctx, ctw_rca__row **rows, size_t n)
{
    const ctw_rca__row **order = ctw_base__alloc(ctx, n, sizeof *order);
    ctw_rca__row *sorted = ctw_base__alloc(ctx, n, sizeof *sorted);
    int good = order && sorted;
    if (good) {
        for (size_t i = 0; i < n; i++) order[i] = &(*rows)[i];
        ctw_num__sort_by(order, n, sizeof *order, by_name, NULL);
        for (size_t i = 0; i < n; i++) sorted[i] = *order[i];
    }
    ctw_base__free(ctx, order);
    ctw_base__free(ctx, good ? *rows : sorted);
    if (good) *rows = sorted;
    return good ? CTW_OK : CTW_E_NOMEM;
}

static void share_excess(ctw_rca__row *rows, size_t n)
{
    double total = 1e-9;
    for (size_t i = 0; i < n; i++) total += fmax(0, rows[i].z[FEAT_EX_EXCL_SHARE]);
    for (size_t i = 0; i < n; i++) rows[i].z[FEAT_EX_EXCL_SHARE] /= total;
}

/* Mean and variance of the response times. */
static void fill_roots(work *k)
{
    const ctw_calls *c = k->w->calls;
    if (k->w->digest) {
        const ctw_rca__moments *root = &k->w->digest->root;
        k->mean_root = root->mean_x;
        k->var_root = root->n > 0 ? root->xx / root->n : 0;
        return;
    }
    for (size_t t = 0; t < c->trace_count; t++) k->incl[t] = -1;
    k->mean_root = c->trace_count ? ctw_num__mean(c->root_us, c->trace_count) : 0;
    for (size_t t = 0; t < c->trace_count; t++) {
        double d = c->root_us[t] - k->mean_root;
        k->var_root += d * d / (double)c->trace_count;
    }
}

static void fill(work *k, ctw_rca__row *rows, size_t *n)
{
    fill_roots(k);
    for (size_t m = 0; m < k->w->members; m++) fill_member(k, &k->w->member[m], &rows[(*n)++]);
    fill_absent(k, rows, n);
    for (size_t i = 0; i < *n; i++)
        for (int j = FEAT_EX_SELF; j <= FEAT_EX_NET; j++) {
            if (j == FEAT_EX_EXCL) rows[i].z[FEAT_EX_EXCL_SHARE] = rows[i].z[j];
            rows[i].z[j] = signed_log(rows[i].z[j]);
        }
    for (size_t i = 0; i < *n; i++)
        rows[i].z[FEAT_EVIDENCE] = fmax(rows[i].z[FEAT_BLAME], fmin(2 * rows[i].z[FEAT_STRUCT], 1));
    share_excess(rows, *n);
}

ctw_status ctw_rca__features_of(ctw_ctx *ctx, const ctw_rca__window *w, const ctw_rca__reference *ref,
                                const ctw_rca__names *names, ctw_rca__row **rows, size_t *n)
{
    size_t traces = w->digest ? 0 : w->traces, calls = w->count;
    *n = 0;
    *rows = CTW_NEW(ctx, w->members + ref->components, ctw_rca__row);
    work k = {.w = w, .ref = ref, .names = names};
    k.incl = ctw_base__alloc(ctx, 5 * traces + calls, sizeof(double));
    k.seen = ctw_base__alloc(ctx, traces, sizeof *k.seen);
    ctw_status st = *rows && k.incl && k.seen ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) st = ctw_rca__blame(ctx, w, ref, names, *rows);
    if (st == CTW_OK) {
        k.excl = k.incl + traces;
        k.path = k.excl + traces;
        k.a = k.path + traces;
        k.b = k.a + traces;
        k.scratch = k.b + traces;
        fill(&k, *rows, n);
        st = sort_rows(ctx, rows, *n);
    }
    if (st != CTW_OK) {
        ctw_base__free(ctx, *rows);
        *rows = NULL;
    }
    ctw_base__free(ctx, k.incl);
    ctw_base__free(ctx, k.seen);
    return st;
}
