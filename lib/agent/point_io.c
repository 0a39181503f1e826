/* point_io.c: a state inside the file of an agent or a policy. */
#include "agent/point_io.h"
#include <math.h>

void ctw_agent__point_save(ctw_io__writer *w, const ctw_agent__point *p)
{
    ctw_io__put_u64(w, p->n);
    ctw_io__put_u8(w, (uint8_t)p->unit);
    ctw_io__put_f64(w, p->norm2);
    for (size_t i = 0; i < p->n; i++) ctw_io__put_u32(w, p->idx[i]);
    if (!p->unit) ctw_io__put_f64s(w, p->val, p->n);
}

static ctw_status bad(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: damaged file: %s", fn, what);
}

ctw_status ctw_agent__point_load(ctw_io__reader *r, size_t max_active, size_t rows, ctw_agent__point *p, const char *fn)
{
    size_t n = (size_t)ctw_io__get_u64(r);
    p->unit = ctw_io__get_u8(r);
    p->norm2 = ctw_io__get_f64(r);
    if (r->failed || n > max_active || p->unit > 1 || !(p->norm2 > 0) || !isfinite(p->norm2))
        return bad(fn, "a state of impossible size");
    p->n = n;
    for (size_t i = 0; i < n; i++) {
        p->idx[i] = ctw_io__get_u32(r);
        if (p->idx[i] >= rows) return bad(fn, "a feature number out of range");
    }
    if (p->unit) return CTW_OK;
    ctw_io__get_f64s(r, p->val, n);
    for (size_t i = 0; !r->failed && i < n; i++)
        if (!(fabs(p->val[i]) <= CTW_AGENT_MAX_INPUT)) return bad(fn, "a feature value out of range");
    return CTW_OK;
}
