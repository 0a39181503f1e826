/* online.c: the public sliding window: its life, its panes, what it can be asked, and its ranking. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "base/report.h"
#include "num/rng.h"
#include "rca/online_internal.h"
#include "rca/rca_internal.h"
#include <string.h>

static void destroy(ctw_online *o)
{
    ctw_ctx *ctx = o->h.ctx;
    for (size_t p = 0; o->pane && p < o->panes; p++) {
        ctw_rca__pane_clear(o, &o->pane[p]);
        ctw_base__free(ctx, o->pane[p].kept);
    }
    ctw_base__free(ctx, o->pane);
    ctw_rca__tables_free(ctx, &o->t, o->panes);
    ctw_params_unref(o->params);
}

CTW_DEFINE_REFS(ctw_online, destroy)

static ctw_status configure(ctw_online *o, const ctw_params *params)
{
    const ctw_base__kind *kind = &ctw_online__kind;
    CTW_TRY(ctw_base__params_copy(o->h.ctx, params, kind, &o->params));
    o->scale = ctw_rca__scale_of(ctw_base__opt_f64(o->params, kind, "error"),
                                 (size_t)ctw_base__opt_i64(o->params, kind, "max_bins"));
    o->max_bonds = (size_t)ctw_base__opt_i64(o->params, kind, "max_edges");
    o->max_kept = (size_t)ctw_base__opt_i64(o->params, kind, "sample");
    o->salt = ctw_base__seed(o->h.ctx) + 0xd1342543de82ef95u * (uint64_t)ctw_base__opt_i64(o->params, kind, "stream");
    o->t.bond_index.salt = o->t.part_index.salt = o->salt;
    size_t panes = (size_t)ctw_base__opt_i64(o->params, kind, "panes");
    o->pane = CTW_NEW(o->h.ctx, panes, ctw_rca__pane);
    if (!o->pane) return CTW_E_NOMEM;
    o->panes = panes;
    return CTW_OK;
}

ctw_status ctw_online_new(ctw_ctx *ctx, const ctw_params *params, ctw_online **out)
{
    static const char fn[] = "ctw_online_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_online__kind, fn));
    ctw_online *o = ctw_base__handle_new(ctx, sizeof *o, CTW_ONLINE_MAGIC);
    if (!o) return CTW_E_NOMEM;
    ctw_status st = configure(o, params);
    if (st != CTW_OK) {
        ctw_online_unref(o);
        return st;
    }
    *out = o;
    return CTW_OK;
}

static void clear_pane(ctw_online *o, size_t p)
{
    ctw_rca__pane_clear(o, &o->pane[p]);
    for (size_t i = 0; i < o->t.bonds; i++) ctw_rca__cell_clear(&o->t.cell[i * o->panes + p]);
    for (size_t i = 0; i < o->t.parts; i++) ctw_rca__share_clear(&o->t.share[i * o->panes + p]);
}

/* Bonds that have calls in another pane than the oldest, which is about to be forgotten. */
static size_t will_live(const ctw_online *o, size_t oldest)
{
    size_t n = 0;
    for (size_t i = 0; i < o->t.bonds; i++) {
        uint64_t calls = 0;
        for (size_t p = 0; p < o->panes; p++)
            if (p != oldest) calls += o->t.cell[i * o->panes + p].calls;
        n += calls > 0;
    }
    return n;
}

/* Purging costs as much as the tables are large, so it waits until half of them is dead. The pane that is forgotten
 * afterwards may still hold the last calls of a bond, which the next purge then removes. */
ctw_status ctw_online_advance(ctw_online *o)
{
    static const char fn[] = "ctw_online_advance";
    CTW_TRY(ctw_base__handle_enter(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    size_t oldest = (o->newest + 1) % o->panes;
    ctw_status st = 2 * will_live(o, oldest) <= o->t.bonds && o->t.bonds ? ctw_rca__online_purge(o, fn) : CTW_OK;
    if (st == CTW_OK) {
        clear_pane(o, oldest);
        o->newest = oldest;
        o->advances++;
    }
    ctw_base__handle_leave(&o->h);
    return st;
}

uint64_t ctw_online_calls(const ctw_online *o)
{
    uint64_t n = 0;
    for (size_t p = 0; o && p < o->panes; p++) n += o->pane[p].calls;
    return n;
}

uint64_t ctw_online_traces(const ctw_online *o)
{
    double n = 0;
    for (size_t p = 0; o && p < o->panes; p++) n += o->pane[p].root.n;
    return (uint64_t)n;
}

static int is_named(const ctw_online *o, uint32_t id, const char *text)
{
    return !text || (id != CTW_RCA_NONE && strcmp(o->t.names.text[id], text) == 0);
}

static ctw_status gather(const ctw_online *o, const char *const text[3], int col, ctw_rca__sketch *sum)
{
    for (size_t i = 0; i < o->t.bonds; i++) {
        const ctw_rca__bond *b = &o->t.bond[i];
        if (!is_named(o, b->component, text[0]) || !is_named(o, b->op, text[1]) || !is_named(o, b->caller, text[2]))
            continue;
        for (size_t p = 0; p < o->panes; p++)
            CTW_TRY(ctw_rca__sketch_merge(o->h.ctx, &o->scale, sum, &o->t.cell[i * o->panes + p].time[col]));
    }
    return CTW_OK;
}

ctw_status ctw_online_quantile(const ctw_online *o, const char *component, const char *operation, const char *caller,
                               int32_t column, double q, double *value)
{
    static const char fn[] = "ctw_online_quantile";
    const char *const text[3] = {component, operation, caller};
    int col = 0;
    CTW_TRY(ctw_base__handle_check(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    CTW_TRY(ctw_base__need(component, fn, "component"));
    CTW_TRY(ctw_base__need(value, fn, "value"));
    CTW_TRY(ctw_base__in(q, 0, 1, fn, "q"));
    while (col < PAST_TIMES && ctw_rca__past_column[col] != column) col++;
    if (col == PAST_TIMES) return ctw_base__fail(CTW_E_RANGE, "%s: no sketch is kept of column %d", fn, column);
    ctw_rca__sketch sum = {0};
    ctw_status st = gather(o, text, col, &sum);
    if (st == CTW_OK && !sum.bins)
        st = ctw_base__fail(CTW_E_KEY, "%s: no calls of '%s'%s%s in the window", fn, component, operation ? ", " : "",
                            operation ? operation : "");
    if (st == CTW_OK) *value = ctw_rca__sketch_quantile(&o->scale, &sum, q);
    ctw_rca__sketch_free(o->h.ctx, &sum);
    return st;
}

static uint64_t bytes_of(const ctw_online *o)
{
    uint64_t n = sizeof *o + o->panes * sizeof *o->pane;
    const ctw_rca__tables *t = &o->t;
    n += t->cell_cap * sizeof *t->cell + t->share_cap * sizeof *t->share + t->bond_cap * sizeof *t->bond;
    n += t->part_cap * sizeof *t->part + t->names.cap * sizeof(char *) + (t->names.hash_cap + t->names.slots) * 4;
    n += (t->bond_index.slots + t->part_index.slots) * (sizeof(ctw_rca__id) + 4);
    for (size_t i = 0; i < t->names.count; i++) n += strlen(t->names.text[i]) + 1;
    for (size_t i = 0; i < t->bonds * o->panes; i++)
        for (int k = 0; k < PAST_TIMES; k++) n += (uint64_t)t->cell[i].time[k].cap * 4;
    for (size_t i = 0; i < t->parts * o->panes; i++)
        n += ((uint64_t)t->share[i].incl_time.cap + t->share[i].excl_time.cap) * 4;
    for (size_t p = 0; p < o->panes; p++) {
        n += o->pane[p].kept_cap * sizeof *o->pane[p].kept;
        for (size_t k = 0; k < o->pane[p].n_kept; k++) n += o->pane[p].kept[k].calls * sizeof(ctw_rca__kept_call);
    }
    return n;
}

static ctw_status fill_report(const ctw_online *o, ctw_report *r)
{
    uint64_t sampled = 0;
    for (size_t p = 0; p < o->panes; p++) sampled += o->pane[p].n_kept;
    const struct {
        const char *key;
        uint64_t value;
    } all[] = {
        {"calls", ctw_online_calls(o)}, {"traces", ctw_online_traces(o)},
        {"edges", o->t.bonds},          {"components", o->t.parts},
        {"dropped", o->dropped},        {"advances", o->advances},
        {"bytes", bytes_of(o)},         {"sampled", sampled},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CTW_TRY(ctw_base__report_i64(r, all[i].key, (int64_t)all[i].value));
    return CTW_OK;
}

ctw_status ctw_online_report(const ctw_online *o, ctw_report **out)
{
    static const char fn[] = "ctw_online_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    ctw_report *r;
    CTW_TRY(ctw_base__report_new(o->h.ctx, &r));
    ctw_status st = fill_report(o, r);
    if (st == CTW_OK)
        *out = r;
    else
        ctw_report_unref(r);
    return st;
}

/* A view of the window, after the checks that rows get as well. */
static ctw_status view(const ctw_online *o, ctw_rca__window *w, ctw_rca__digests *d, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "window"));
    if (!ctw_online_calls(o)) return ctw_base__fail(CTW_E_ARG, "%s: window has no calls", fn);
    return ctw_rca__online_view(o, w, d);
}

ctw_status ctw_rca_rank_online(const ctw_rca *m, const ctw_online *window, ctw_cancel *cancel, ctw_ranking **out)
{
    static const char fn[] = "ctw_rca_rank_online";
    ctw_rca__window w;
    ctw_rca__digests d;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    CTW_TRY(ctw_base__stopped(cancel, fn));
    CTW_TRY(view(window, &w, &d, fn));
    ctw_status st = ctw_rca__rank_window(m, &w, out, fn);
    ctw_rca__digests_free(window->h.ctx, &w, &d);
    ctw_rca__window_free(window->h.ctx, &w);
    return st;
}

ctw_status ctw_rca_add_case_online(ctw_rca *m, const ctw_online *window, const char *const *culprit, uint64_t n)
{
    static const char fn[] = "ctw_rca_add_case_online";
    ctw_rca__window w;
    ctw_rca__digests d;
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    ctw_status st = view(window, &w, &d, fn);
    if (st == CTW_OK) {
        st = ctw_rca__add_case_window(m, &w, culprit, n, fn);
        ctw_rca__digests_free(window->h.ctx, &w, &d);
        ctw_rca__window_free(window->h.ctx, &w);
    }
    ctw_base__handle_leave(&m->h);
    return st;
}
