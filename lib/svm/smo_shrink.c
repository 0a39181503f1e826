/* smo_shrink.c: setting variables at a bound aside while they are clearly settled, and bringing them back with exact
 * f. Instead of a second gradient of all bounded variables (which costs a full kernel row each time one reaches or
 * leaves its bound), f is rebuilt from the last exact moment: only multipliers that changed since then contribute,
 * in blocks of rows. */
#include "base/ctx.h"
#include "svm/smo.h"
#include <math.h>
#include <string.h>

/* f of the positions from `active` on, from the exact values and what changed since. */
static ctw_status rebuild(ctw_svm__smo *s)
{
    size_t m = 0, rest = s->n - s->active;
    size_t entries = 0;
    for (size_t k = s->active; k < s->n; k++) {
        s->f[k] = s->f_exact[s->var[k]];
        entries += s->x->start[s->row[k] + 1] - s->x->start[s->row[k]];
    }
    for (size_t k = 0; k < s->n; k++) {
        double change = s->b[k] - s->b_exact[s->var[k]];
        if (change == 0) continue;
        s->keep[m] = s->row[k];
        s->spare[m++] = change;
    }
    ctw_svm__columns c;
    CTW_TRY(ctw_svm__columns_new(s->run->ctx, s->x, rest, entries, &s->active_cols.kernel, &c));
    ctw_status st = ctw_svm__columns_fill(s->run->ctx, &c, s->x, s->norm, s->row + s->active, rest);
    if (st == CTW_OK) st = ctw_svm__smo_apply(s, &c, s->keep, s->spare, m, s->f + s->active);
    ctw_svm__columns_free(s->run->ctx, &c);
    return st;
}

/* rebuild, then the exact moment is now. */
static ctw_status make_exact(ctw_svm__smo *s)
{
    if (s->active < s->n) CTW_TRY(rebuild(s));
    for (size_t k = 0; k < s->n; k++) {
        s->b_exact[s->var[k]] = s->b[k];
        s->f_exact[s->var[k]] = s->f[k];
    }
    return CTW_OK;
}

static ctw_status refill(ctw_svm__smo *s)
{
    return ctw_svm__columns_fill(s->run->ctx, &s->active_cols, s->x, s->norm, s->row, s->active);
}

ctw_status ctw_svm__smo_unshrink(ctw_svm__smo *s)
{
    CTW_TRY(make_exact(s));
    s->active = s->n;
    CTW_TRY(refill(s));
    ctw_svm__rowcache_reset(&s->cache, s->n);
    ctw_svm__smo_look(s);
    return CTW_OK;
}

static int settled(const ctw_svm__smo *s, size_t k)
{
    if (!(s->flags[k] & CTW_SVM_UP)) return s->f[k] > s->e.max_up;
    if (!(s->flags[k] & CTW_SVM_LOW)) return s->f[k] < s->e.min_low;
    return 0;
}

static void permute_f64(double *v, const size_t *order, size_t n, double *spare)
{
    for (size_t k = 0; k < n; k++) spare[k] = v[order[k]];
    memcpy(v, spare, n * sizeof *v);
}

static void permute_size(size_t *v, const size_t *order, size_t n, double *spare)
{
    size_t *t = (size_t *)(void *)spare; /* both are 8 bytes on every platform the library supports */
    for (size_t k = 0; k < n; k++) t[k] = v[order[k]];
    memcpy(v, t, n * sizeof *v);
}

/* Reorders the first n positions. */
static void permute(ctw_svm__smo *s, const size_t *order, size_t n)
{
    permute_size(s->row, order, n, s->spare);
    permute_size(s->var, order, n, s->spare);
    permute_f64(s->b, order, n, s->spare);
    permute_f64(s->lo, order, n, s->spare);
    permute_f64(s->hi, order, n, s->spare);
    permute_f64(s->f, order, n, s->spare);
    permute_f64(s->q, order, n, s->spare);
    for (size_t k = 0; k < n; k++)
        s->flags[k] = (uint8_t)((s->b[k] < s->hi[k] ? CTW_SVM_UP : 0) | (s->b[k] > s->lo[k] ? CTW_SVM_LOW : 0));
}

ctw_status ctw_svm__smo_shrink(ctw_svm__smo *s)
{
    size_t was = s->active;
    int all = !s->unshrunk && s->e.max_up - s->e.min_low <= 10 * s->run->opts->tol;
    if (all) {
        s->unshrunk = 1;
        CTW_TRY(make_exact(s));
        s->active = s->n;
    }
    size_t m = 0, out = s->active;
    for (size_t k = 0; k < s->active; k++)
        if (!settled(s, k)) s->keep[m++] = k;
    if (!all && s->active - m < s->active / 8) return CTW_OK; /* moving the cache would cost more than it saves */
    for (size_t k = s->active, kept = m; k-- > 0;) {
        if (kept && s->keep[kept - 1] == k)
            kept--;
        else
            s->keep[--out] = k;
    }
    permute(s, s->keep, s->active);
    if (all && was < s->n)
        ctw_svm__rowcache_reset(&s->cache, m);
    else
        ctw_svm__rowcache_shrink(&s->cache, s->keep, m);
    s->active = m;
    CTW_TRY(refill(s));
    ctw_svm__smo_look(s);
    return CTW_OK;
}
