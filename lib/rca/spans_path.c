/* spans_path.c: the critical path of one trace, for hosts that want to look at it. */
#include "rca/path.h"
#include "rca/spans_internal.h"

static ctw_status copy_segments(const ctw_rca__forest *f, const ctw_rca__walk *w, uint64_t cap, int64_t *row,
                                int64_t *start_ns, int64_t *duration_ns, const char *fn)
{
    if (w->count > cap)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %llu, the path has %zu segments", fn, (unsigned long long)cap,
                              w->count);
    for (size_t i = 0; i < w->count; i++) {
        const ctw_rca__segment *s = &w->segment[w->count - 1 - i];
        if (row) row[i] = f->order[s->p];
        if (start_ns) start_ns[i] = s->start;
        if (duration_ns) duration_ns[i] = s->end - s->start;
    }
    return CTW_OK;
}

ctw_status ctw_spans_path(const ctw_spans *s, uint64_t of_row, uint64_t cap, int64_t *row, int64_t *start_ns,
                          int64_t *duration_ns, uint64_t *n)
{
    static const char fn[] = "ctw_spans_path";
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SPANS_MAGIC, fn, "s"));
    CTW_TRY(ctw_base__need(n, fn, "n"));
    if (of_row >= s->count)
        return ctw_base__fail(CTW_E_RANGE, "%s: of_row is %llu, the table has %zu spans", fn,
                              (unsigned long long)of_row, s->count);
    uint32_t t = s->row[of_row].trace;
    ctw_rca__forest f;
    CTW_TRY(ctw_rca__forest_build(s->h.ctx, &f, s, 0, t));
    ctw_rca__walk w = {0};
    ctw_status st = ctw_rca__path(s->h.ctx, &w, &f, f.root[t]);
    if (st == CTW_OK) {
        *n = w.count;
        st = copy_segments(&f, &w, cap, row, start_ns, duration_ns, fn);
    }
    ctw_rca__walk_free(s->h.ctx, &w);
    ctw_rca__forest_free(s->h.ctx, &f);
    return st;
}
