/* serving_shared.c: continuous batching where company costs: each running request slows the others (option crowd_s),
 * and all share an instance's KV memory (kv_tokens). A request holds its input and what it has written so far, which
 * grows evenly over its time. One is let in while its input fits and a hundredth stays free; when memory runs out, the
 * one let in last loses what it has written and goes back to its place in the line, and nobody is let in until one
 * ends. So does vLLM by default (recomputation), except that it would let others in at once. */
#include "base/cancel.h"
#include "queue/serving_internal.h"
#include <math.h>

#define WATERMARK 0.99
#define TINY      0.01 /* tokens */

typedef struct member {
    uint32_t job;
    double done; /* of its seconds of work alone */
} member;

typedef struct instance {
    ctw_serving__line *line;
    member *run; /* in the order in which they were let in */
    size_t n;
    double now, next; /* the state is that of now; when it will change by itself */
    double full;      /* when memory will have run out: with a clock of coarse steps `held` may then still be below */
    double held;      /* tokens */
    double work;      /* predicted seconds routed here and not yet ended */
    int closed;       /* since an eviction */
} instance;

/* Seconds of work done in a second. */
static double speed(const ctw_serving__run *r, const instance *in, uint32_t job)
{
    double slow = r->work[job] > 0 ? r->s->crowd * r->output[job] / r->work[job] : 0;
    return 1 / (1 + slow * (double)(in->n - 1));
}

static double written_by_second(const ctw_serving__run *r, uint32_t job)
{
    return r->work[job] > 0 ? r->output[job] / r->work[job] : 0;
}

static double tokens_of(const ctw_serving__run *r, const member *m)
{
    return (r->input ? r->input[m->job] : 0) + written_by_second(r, m->job) * fmin(m->done, r->work[m->job]);
}

static void take_stock(const ctw_serving__run *r, instance *in)
{
    in->held = 0;
    for (size_t i = 0; i < in->n; i++) in->held += tokens_of(r, &in->run[i]);
}

static void advance(ctw_serving__run *r, instance *in, double to)
{
    for (size_t i = 0; i < in->n; i++) in->run[i].done += speed(r, in, in->run[i].job) * (to - in->now);
    in->now = to;
    take_stock(r, in);
    r->kv_peak = fmax(r->kv_peak, in->held);
}

static void plan(const ctw_serving__run *r, instance *in)
{
    double growth = 0;
    in->next = INFINITY;
    for (size_t i = 0; i < in->n; i++) {
        uint32_t job = in->run[i].job;
        double v = speed(r, in, job);
        growth += v * written_by_second(r, job);
        in->next = fmin(in->next, in->now + fmax(r->work[job] - in->run[i].done, 0) / v);
    }
    in->full = INFINITY;
    if (r->s->kv > 0 && in->n > 1 && growth > 0) in->full = in->now + fmax(r->s->kv - in->held, 0) / growth;
    in->next = fmin(in->next, in->full);
}

static ctw_status end_due(ctw_serving__run *r, instance *in)
{
    double tiny = 1e-9 + 1e-15 * in->now;
    size_t kept = 0;
    for (size_t i = 0; i < in->n; i++) {
        uint32_t job = in->run[i].job;
        if (r->work[job] - in->run[i].done > tiny) {
            in->run[kept++] = in->run[i];
            continue;
        }
        r->end[job] = in->now;
        in->work -= r->predicted[job];
        in->closed = 0;
        CTW_TRY(ctw_serving__line_ended(in->line, job, in->now));
    }
    in->n = kept;
    take_stock(r, in);
    return CTW_OK;
}

static ctw_status evict(ctw_serving__run *r, instance *in)
{
    while (r->s->kv > 0 && in->n > 1 && (in->now >= in->full || in->held > r->s->kv - TINY)) {
        uint32_t job = in->run[--in->n].job;
        in->full = INFINITY;
        r->preemptions += 1;
        in->closed = 1;
        CTW_TRY(ctw_serving__line_return(in->line, job, in->now));
        take_stock(r, in);
    }
    return CTW_OK;
}

static ctw_status let_in(ctw_serving__run *r, instance *in)
{
    while (!in->closed && in->n < r->s->batch && ctw_serving__line_size(in->line)) {
        uint32_t job;
        double room = r->s->kv > 0 ? r->s->kv * (in->n ? WATERMARK : 1) - in->held : INFINITY;
        CTW_TRY(ctw_serving__line_pop(in->line, in->now, room, &job));
        if (job == UINT32_MAX) break;
        in->run[in->n++] = (member){job, 0};
        take_stock(r, in);
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

static ctw_status loop(ctw_serving__run *r, instance *in)
{
    size_t next = 0, step = 0;
    for (;;) {
        double now = next < r->n ? r->arrival[next] : INFINITY;
        for (size_t k = 0; k < r->s->instances; k++) now = fmin(now, in[k].next);
        if (isinf(now)) return CTW_OK;
        if (step++ % 1024 == 0) CTW_TRY(ctw_base__stopped(r->cancel, r->fn));
        for (size_t k = 0; k < r->s->instances; k++) {
            advance(r, &in[k], now);
            CTW_TRY(end_due(r, &in[k]));
            CTW_TRY(evict(r, &in[k]));
        }
        while (next < r->n && r->arrival[next] <= now) CTW_TRY(route(r, in, (uint32_t)next++));
        for (size_t k = 0; k < r->s->instances; k++) {
            CTW_TRY(let_in(r, &in[k]));
            plan(r, &in[k]);
        }
    }
}

static ctw_status open_all(ctw_serving__run *r, instance **out)
{
    instance *in = CTW_NEW(r->ctx, r->s->instances, instance);
    *out = in;
    if (!in) return CTW_E_NOMEM;
    for (size_t k = 0; k < r->s->instances; k++) {
        in[k].now = r->arrival[0];
        in[k].next = in[k].full = INFINITY;
        CTW_TRY(ctw_serving__line_new(r, k, &in[k].line));
        in[k].run = ctw_base__alloc(r->ctx, r->s->batch, sizeof *in[k].run);
        if (!in[k].run) return CTW_E_NOMEM;
    }
    return CTW_OK;
}

ctw_status ctw_serving__run_shared(ctw_serving__run *r)
{
    instance *in;
    ctw_status s = open_all(r, &in);
    if (!s) s = loop(r, in);
    if (!s) r->ageing = ctw_serving__line_ageing(in[0].line);
    for (size_t k = 0; in && k < r->s->instances; k++) {
        ctw_serving__line_free(in[k].line);
        ctw_base__free(r->ctx, in[k].run);
    }
    ctw_base__free(r->ctx, in);
    return s;
}
