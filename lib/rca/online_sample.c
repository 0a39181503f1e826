/* online_sample.c: a uniform sample of whole traces of each pane: every trace draws a lot, those with the smallest are
 * kept. Unlike a reservoir by position, samples of several windows merge by the same rule. */
#include "base/alloc.h"
#include "rca/online_internal.h"
#include <string.h>

uint64_t ctw_rca__lot(const ctw_online *o, uint64_t trace)
{
    uint64_t x = trace * 0x9e3779b97f4a7c15u + o->salt; /* splitmix64 */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static size_t worst(const ctw_rca__pane *p)
{
    size_t at = 0;
    for (size_t i = 1; i < p->n_kept; i++)
        if (p->kept[i].lot > p->kept[at].lot) at = i;
    return at;
}

int ctw_rca__lot_wins(const ctw_online *o, const ctw_rca__pane *p, uint64_t lot)
{
    if (p->n_kept < o->max_kept) return 1;
    return o->max_kept && lot < p->kept[worst(p)].lot;
}

ctw_status ctw_rca__kept_room(ctw_online *o, ctw_rca__pane *p, size_t more)
{
    size_t need = p->n_kept + more < o->max_kept ? p->n_kept + more : o->max_kept;
    return ctw_base__grow(o->h.ctx, (void **)&p->kept, &p->kept_cap, need, sizeof *p->kept);
}

void ctw_rca__keep(ctw_online *o, ctw_rca__pane *p, ctw_rca__kept k)
{
    if (p->n_kept < o->max_kept) {
        p->kept[p->n_kept++] = k;
        return;
    }
    size_t at = worst(p);
    if (k.lot < p->kept[at].lot) {
        ctw_rca__kept out = p->kept[at];
        p->kept[at] = k;
        k = out;
    }
    ctw_base__free(o->h.ctx, k.call);
}

void ctw_rca__pane_clear(ctw_online *o, ctw_rca__pane *p)
{
    for (size_t i = 0; i < p->n_kept; i++) ctw_base__free(o->h.ctx, p->kept[i].call);
    p->n_kept = 0;
    p->calls = 0;
    p->root = (ctw_rca__moments){0};
}

typedef struct rows {
    size_t n, next;
    int64_t *trace, *component, *op, *caller;
    double *root, *v;
} rows;

/* Trace numbers that no host would choose, and that go on where an earlier sample ended. */
static ctw_status put_trace(const ctw_online *o, const ctw_rca__kept *k, int64_t trace, rows *r, ctw_calls *out)
{
    for (size_t i = 0; i < k->calls; i++, r->next++) {
        const ctw_rca__bond *b = &o->t.bond[k->call[i].bond];
        CTW_TRY(ctw_calls_name(out, o->t.names.text[b->component], &r->component[r->next]));
        CTW_TRY(ctw_calls_name(out, o->t.names.text[b->op], &r->op[r->next]));
        r->caller[r->next] = -1;
        if (b->caller != CTW_RCA_NONE) CTW_TRY(ctw_calls_name(out, o->t.names.text[b->caller], &r->caller[r->next]));
        r->trace[r->next] = trace;
        r->root[r->next] = k->root_us;
        memcpy(r->v + r->next * CTW_CALL_COLUMNS, k->call[i].v, sizeof k->call[i].v);
    }
    return CTW_OK;
}

static ctw_status put_all(const ctw_online *o, rows *r, ctw_calls *out)
{
    int64_t trace = INT64_MIN + (int64_t)ctw_calls_traces(out);
    for (size_t age = o->panes; age-- > 0;) {
        const ctw_rca__pane *p = &o->pane[(o->newest + o->panes - age) % o->panes];
        for (size_t i = 0; i < p->n_kept; i++) CTW_TRY(put_trace(o, &p->kept[i], trace++, r, out));
    }
    return ctw_calls_add(out, r->n, r->trace, r->root, r->component, r->op, r->caller, r->v, CTW_CALL_COLUMNS);
}

ctw_status ctw_online_sample(const ctw_online *o, ctw_calls *out)
{
    static const char fn[] = "ctw_online_sample";
    CTW_TRY(ctw_base__handle_check(o ? &o->h : NULL, CTW_ONLINE_MAGIC, fn, "o"));
    CTW_TRY(ctw_base__handle_check(out ? &out->h : NULL, CTW_CALLS_MAGIC, fn, "out"));
    rows r = {0};
    for (size_t p = 0; p < o->panes; p++)
        for (size_t i = 0; i < o->pane[p].n_kept; i++) r.n += o->pane[p].kept[i].calls;
    int64_t *id = ctw_base__alloc(o->h.ctx, 4 * r.n, sizeof *id);
    double *v = ctw_base__alloc(o->h.ctx, (1 + CTW_CALL_COLUMNS) * r.n, sizeof *v);
    ctw_status st = CTW_E_NOMEM;
    if (id && v) {
        r = (rows){r.n, 0, id, id + r.n, id + 2 * r.n, id + 3 * r.n, v, v + r.n};
        st = put_all(o, &r, out);
    }
    ctw_base__free(o->h.ctx, id);
    ctw_base__free(o->h.ctx, v);
    return st;
}
