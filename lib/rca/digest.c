/* digest.c: see digest.h. */
#include "rca/digest.h"
#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <string.h>

const int32_t ctw_rca__past_column[PAST_COLUMNS] = {
    CTW_CALL_CLIENT, CTW_CALL_SELF, CTW_CALL_NET,   CTW_CALL_EXCL,
    CTW_CALL_SPANS,  CTW_CALL_OUT,  CTW_CALL_ERROR, CTW_CALL_CALLER_ERROR,
};

void ctw_rca__moments_add(ctw_rca__moments *m, double x, double y)
{
    m->n += 1;
    double dx = x - m->mean_x, dy = y - m->mean_y;
    m->mean_x += dx / m->n;
    m->mean_y += dy / m->n;
    m->xx += dx * (x - m->mean_x);
    m->yy += dy * (y - m->mean_y);
    m->xy += dx * (y - m->mean_y);
}

void ctw_rca__moments_merge(ctw_rca__moments *m, const ctw_rca__moments *other)
{
    if (other->n <= 0) return;
    double n = m->n + other->n, dx = other->mean_x - m->mean_x, dy = other->mean_y - m->mean_y;
    double w = m->n * other->n / n, part = other->n / n;
    m->xx += other->xx + dx * dx * w;
    m->yy += other->yy + dy * dy * w;
    m->xy += other->xy + dx * dy * w;
    m->mean_x += dx * part;
    m->mean_y += dy * part;
    m->n = n;
}

double ctw_rca__moments_correlation(const ctw_rca__moments *m)
{
    if (m->n < 3 || sqrt(m->xx / m->n) < 1e-9 || sqrt(m->yy / m->n) < 1e-9) return 0;
    return m->xy / sqrt(m->xx * m->yy);
}

ctw_status ctw_rca__cell_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__cell *to, const ctw_rca__cell *from)
{
    if (!from->calls) return CTW_OK;
    for (int c = 0; c < PAST_TIMES; c++) {
        const ctw_rca__sketch *k = &from->time[c];
        CTW_TRY(ctw_rca__sketch_room(ctx, s, &to->time[c], k->lo, k->lo + (int32_t)k->bins - 1));
    }
    for (int c = 0; c < PAST_TIMES; c++) CTW_TRY(ctw_rca__sketch_merge(ctx, s, &to->time[c], &from->time[c]));
    for (int c = 0; c < PAST_COLUMNS; c++) to->sum[c] += from->sum[c];
    ctw_rca__shapes_merge(&to->shape, &from->shape);
    to->calls += from->calls;
    return CTW_OK;
}

ctw_status ctw_rca__share_merge(ctw_ctx *ctx, const ctw_rca__scale *s, ctw_rca__share *to, const ctw_rca__share *from)
{
    const ctw_rca__sketch *e = &from->excl_time;
    if (!from->calls) return CTW_OK;
    CTW_TRY(ctw_rca__sketch_room(ctx, s, &to->excl_time, e->lo, e->lo + (int32_t)e->bins - 1));
    CTW_TRY(ctw_rca__sketch_merge(ctx, s, &to->incl_time, &from->incl_time));
    CTW_TRY(ctw_rca__sketch_merge(ctx, s, &to->excl_time, e));
    ctw_rca__moments_merge(&to->incl, &from->incl);
    ctw_rca__moments_merge(&to->excl, &from->excl);
    ctw_rca__moments_merge(&to->path, &from->path);
    to->calls += from->calls;
    return CTW_OK;
}

void ctw_rca__cell_clear(ctw_rca__cell *c)
{
    for (int k = 0; k < PAST_TIMES; k++) ctw_rca__sketch_clear(&c->time[k]);
    memset(c->sum, 0, sizeof c->sum);
    memset(&c->shape, 0, sizeof c->shape);
    c->calls = 0;
}

void ctw_rca__share_clear(ctw_rca__share *c)
{
    ctw_rca__sketch_clear(&c->incl_time);
    ctw_rca__sketch_clear(&c->excl_time);
    c->incl = c->excl = c->path = (ctw_rca__moments){0};
    c->calls = 0;
}

void ctw_rca__cell_free(ctw_ctx *ctx, ctw_rca__cell *c)
{
    for (int k = 0; k < PAST_TIMES; k++) ctw_rca__sketch_free(ctx, &c->time[k]);
}

void ctw_rca__share_free(ctw_ctx *ctx, ctw_rca__share *c)
{
    ctw_rca__sketch_free(ctx, &c->incl_time);
    ctw_rca__sketch_free(ctx, &c->excl_time);
}
