/* serving_events.c: requests that run to their end once begun. An instance serves up to `batch` of them; with
 * dynamic batching it waits until all of a batch have ended. Everything that happens at one instant is taken in
 * before anyone is chosen. */
#include "base/cancel.h"
#include "queue/serving_internal.h"
#include <math.h>

typedef struct instance {
    ctw_serving__line *line;
    ctw_serving__busy busy;
    double work; /* predicted seconds routed here and not yet ended */
} instance;

void ctw_serving__busy_push(ctw_serving__busy *b, double end, uint32_t job)
{
    size_t i = b->n++;
    for (; i && b->end[(i - 1) / 2] > end; i = (i - 1) / 2) {
        b->end[i] = b->end[(i - 1) / 2];
        b->job[i] = b->job[(i - 1) / 2];
    }
    b->end[i] = end;
    b->job[i] = job;
}

uint32_t ctw_serving__busy_pop(ctw_serving__busy *b, double *end)
{
    uint32_t first = b->job[0];
    *end = b->end[0];
    double last = b->end[--b->n];
    uint32_t job = b->job[b->n];
    size_t i = 0, c;
    while ((c = 2 * i + 1) < b->n) {
        if (c + 1 < b->n && b->end[c + 1] < b->end[c]) c++;
        if (b->end[c] >= last) break;
        b->end[i] = b->end[c];
        b->job[i] = b->job[c];
        i = c;
    }
    b->end[i] = last;
    b->job[i] = job;
    return first;
}

static void close_all(ctw_serving__run *r, instance *in)
{
    for (size_t k = 0; in && k < r->s->instances; k++) {
        ctw_serving__line_free(in[k].line);
        ctw_base__free(r->ctx, in[k].busy.end);
        ctw_base__free(r->ctx, in[k].busy.job);
    }
    ctw_base__free(r->ctx, in);
}

static ctw_status open_all(ctw_serving__run *r, instance **out)
{
    instance *in = CTW_NEW(r->ctx, r->s->instances, instance);
    *out = in;
    if (!in) return CTW_E_NOMEM;
    for (size_t k = 0; k < r->s->instances; k++) {
        CTW_TRY(ctw_serving__line_new(r, k, &in[k].line));
        in[k].busy.end = ctw_base__alloc(r->ctx, r->s->batch, sizeof *in[k].busy.end);
        in[k].busy.job = ctw_base__alloc(r->ctx, r->s->batch, sizeof *in[k].busy.job);
        if (!in[k].busy.end || !in[k].busy.job) return CTW_E_NOMEM;
    }
    return CTW_OK;
}

/* Fills the free places of an instance. */
static ctw_status serve(ctw_serving__run *r, instance *in, double now)
{
    if (r->s->batching == CTW_SERVE_DYNAMIC && in->busy.n) return CTW_OK;
    uint32_t batch[1024], job;
    size_t n = 0;
    double longest = 0;
    while (in->busy.n + n < r->s->batch && ctw_serving__line_size(in->line)) {
        CTW_TRY(ctw_serving__line_pop(in->line, now, INFINITY, &job));
        batch[n++] = job;
    }
    for (size_t i = 0; i < n; i++)
        longest = fmax(longest, r->work[batch[i]] + r->s->crowd * (double)(n - 1) * r->output[batch[i]]);
    for (size_t i = 0; i < n; i++) {
        double takes = r->s->batching == CTW_SERVE_DYNAMIC ? longest : r->work[batch[i]];
        ctw_serving__busy_push(&in->busy, now + takes, batch[i]);
    }
    return CTW_OK;
}

/* Joins the shortest predicted work. */
static ctw_status route(ctw_serving__run *r, instance *in, uint32_t job)
{
    size_t best = 0;
    for (size_t k = 1; k < r->s->instances; k++)
        if (in[k].work < in[best].work) best = k;
    in[best].work += r->predicted[job];
    return ctw_serving__line_push(in[best].line, job, r->arrival[job]);
}

static ctw_status end_due(ctw_serving__run *r, instance *in, double now)
{
    while (in->busy.n && in->busy.end[0] <= now) {
        double end;
        uint32_t job = ctw_serving__busy_pop(&in->busy, &end);
        r->end[job] = end;
        in->work -= r->predicted[job];
        CTW_TRY(ctw_serving__line_ended(in->line, job, now));
    }
    return CTW_OK;
}

static ctw_status loop(ctw_serving__run *r, instance *in)
{
    size_t next = 0, step = 0;
    for (;;) {
        double now = next < r->n ? r->arrival[next] : INFINITY;
        for (size_t k = 0; k < r->s->instances; k++)
            if (in[k].busy.n && in[k].busy.end[0] < now) now = in[k].busy.end[0];
        if (isinf(now)) return CTW_OK;
        if (step++ % 1024 == 0) CTW_TRY(ctw_base__stopped(r->cancel, r->fn));
        for (size_t k = 0; k < r->s->instances; k++) CTW_TRY(end_due(r, &in[k], now));
        while (next < r->n && r->arrival[next] <= now) CTW_TRY(route(r, in, (uint32_t)next++));
        for (size_t k = 0; k < r->s->instances; k++) CTW_TRY(serve(r, &in[k], now));
    }
}

ctw_status ctw_serving__run_events(ctw_serving__run *r)
{
    instance *in;
    ctw_status s = open_all(r, &in);
    if (!s) s = loop(r, in);
    if (!s) r->ageing = ctw_serving__line_ageing(in[0].line);
    close_all(r, in);
    return s;
}
