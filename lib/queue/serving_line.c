/* serving_line.c: the waiting line of one simulated instance: the library's own queue for the policies that it has, and
 * a plain array searched from end to end for rivals whose order changes with time. */
#include "base/report.h"
#include "num/rng.h"
#include "queue/serving_internal.h"
#include <cybertwin/queue.h>
#include <math.h>

#define STRICT_TAIL  0.98
#define STRICT_WORST 3

struct ctw_serving__line {
    const ctw_serving__run *r;
    ctw_queue *queue; /* or: */
    uint32_t *job;
    double *key; /* random: drawn at arrival */
    size_t n, cap;
    ctw_num__rng rng;
};

/* "strict" is the self-chosen guard held to the tail of first come first served. */
static ctw_status new_queue(const ctw_serving__run *r, ctw_queue **out)
{
    static const char *const name[] = {
        [CTW_SERVE_FCFS] = "fcfs",       [CTW_SERVE_SJF] = "sjf",     [CTW_SERVE_SSJF] = "sjf",
        [CTW_SERVE_GUARDED] = "guarded", [CTW_SERVE_STRICT] = "auto", [CTW_SERVE_AUTO] = "auto"};
    ctw_params *p = NULL;
    int strict = r->s->policy == CTW_SERVE_STRICT;
    ctw_status s = ctw_params_new(r->ctx, "queue", &p);
    if (!s) s = ctw_params_set_str(p, "policy", name[r->s->policy]);
    if (!s) s = ctw_params_set_f64(p, "ageing", r->s->ageing);
    if (!s) s = ctw_params_set_f64(p, "tail", strict ? STRICT_TAIL : r->s->tail);
    if (!s) s = ctw_params_set_f64(p, "worst", strict ? STRICT_WORST : r->s->worst);
    if (!s) s = ctw_queue_new(r->ctx, p, out);
    ctw_params_unref(p);
    return s;
}

ctw_status ctw_serving__line_new(const ctw_serving__run *r, size_t instance, ctw_serving__line **out)
{
    ctw_serving__line *l = CTW_NEW(r->ctx, 1, ctw_serving__line);
    if (!l) return CTW_E_NOMEM;
    l->r = r;
    ctw_num__rng_init(&l->rng, instance, CTW_SERVING_MAGIC, r->s->stream);
    if (r->s->policy != CTW_SERVE_HRRN && r->s->policy != CTW_SERVE_RANDOM) {
        ctw_status s = new_queue(r, &l->queue);
        if (s) {
            ctw_base__free(r->ctx, l);
            return s;
        }
    }
    *out = l;
    return CTW_OK;
}

void ctw_serving__line_free(ctw_serving__line *l)
{
    if (!l) return;
    ctw_queue_unref(l->queue);
    ctw_base__free(l->r->ctx, l->job);
    ctw_base__free(l->r->ctx, l->key);
    ctw_base__free(l->r->ctx, l);
}

/* Tokens that must be free for a job to begin: its input and the first that it writes. */
static uint32_t need(const ctw_serving__run *r, uint32_t job)
{
    return r->input ? (uint32_t)ceil(r->input[job]) + 1 : 1;
}

static ctw_status into_queue(ctw_serving__line *l, uint32_t job, double now)
{
    const ctw_serving__run *r = l->r;
    CTW_TRY(ctw_queue_requeue(l->queue, job, r->predicted[job], 1, r->arrival[job], now));
    return r->s->kv > 0 ? ctw_queue_set_tokens(l->queue, job, need(r, job)) : CTW_OK;
}

ctw_status ctw_serving__line_return(ctw_serving__line *l, uint32_t job, double now)
{
    return l->queue ? into_queue(l, job, now) : ctw_serving__line_push(l, job, now);
}

ctw_status ctw_serving__line_push(ctw_serving__line *l, uint32_t job, double now)
{
    if (l->queue) return into_queue(l, job, now);
    size_t cap = l->cap;
    CTW_TRY(ctw_base__grow(l->r->ctx, (void **)&l->job, &cap, l->n + 1, sizeof *l->job));
    CTW_TRY(ctw_base__grow(l->r->ctx, (void **)&l->key, &l->cap, l->n + 1, sizeof *l->key));
    l->job[l->n] = job;
    l->key[l->n++] = ctw_num__rng_uniform(&l->rng);
    return CTW_OK;
}

/* Highest response ratio, (wait + work) / work, first; or a random job. Ties to the one that came first. */
static double urgency(const ctw_serving__line *l, size_t i, double now)
{
    uint32_t job = l->job[i];
    if (l->r->s->policy == CTW_SERVE_RANDOM) return l->key[i];
    return (now - l->r->arrival[job]) / fmax(l->r->predicted[job], 1e-9);
}

static ctw_status from_queue(ctw_serving__line *l, double now, double room, uint32_t *job)
{
    int64_t next = -1;
    uint64_t n;
    if (l->r->s->kv > 0)
        CTW_TRY(ctw_queue_pop_budget(l->queue, now, room > 0 ? (uint64_t)room : 0, &next, 1, &n, NULL));
    else
        CTW_TRY(ctw_queue_pop(l->queue, now, &next));
    if (next >= 0) *job = (uint32_t)next;
    return CTW_OK;
}

ctw_status ctw_serving__line_pop(ctw_serving__line *l, double now, double room, uint32_t *job)
{
    *job = UINT32_MAX;
    if (l->queue) return from_queue(l, now, room, job);
    if (!l->n) return CTW_OK;
    size_t best = 0;
    for (size_t i = 1; i < l->n; i++) {
        double a = urgency(l, i, now), b = urgency(l, best, now);
        if (a > b || (a == b && l->job[i] < l->job[best])) best = i;
    }
    if (l->r->s->kv > 0 && need(l->r, l->job[best]) > room) return CTW_OK;
    *job = l->job[best];
    l->n--;
    l->job[best] = l->job[l->n];
    l->key[best] = l->key[l->n];
    return CTW_OK;
}

size_t ctw_serving__line_size(const ctw_serving__line *l)
{
    return l->queue ? (size_t)ctw_queue_size(l->queue) : l->n;
}

ctw_status ctw_serving__line_ended(ctw_serving__line *l, uint32_t job, double now)
{
    (void)now;
    if (!l->queue || !(l->r->predicted[job] > 1e-9) || !(l->r->work[job] > 1e-9)) return CTW_OK;
    return ctw_queue_observe(l->queue, l->r->predicted[job], l->r->work[job]);
}

double ctw_serving__line_ageing(const ctw_serving__line *l)
{
    ctw_report *r;
    double a = NAN;
    if (!l->queue || ctw_queue_report(l->queue, &r)) return NAN;
    if (ctw_report_get_f64(r, "ageing", &a)) a = NAN;
    ctw_report_unref(r);
    return a;
}
