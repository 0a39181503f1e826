/* serving_preempt.c: rivals that stop running requests. Shortest remaining processing time knows the truth and is the
 * bound that no policy beats in the mean, or has only predictions (psrpt); the multilevel feedback queue knows nothing
 * and learns by running: each level's slice is twice the last, and who uses it up sinks. Preemption is free here, which
 * flatters both. */
#include "base/cancel.h"
#include "queue/queue_internal.h"
#include "queue/serving_internal.h"
#include <math.h>

#define LEVELS 12

typedef struct runner {
    uint32_t job;
    double slice; /* seconds until it sinks; INFINITY under SRPT */
} runner;

typedef struct preempt {
    ctw_serving__run *r;
    ctw_serving__busy wait; /* by key */
    runner *run;
    size_t n;
    double *left;
    uint8_t *level;
    double order; /* of joining a level */
    size_t next;
} preempt;

static int feedback(const preempt *p)
{
    return p->r->s->policy == CTW_SERVE_MLFQ;
}

/* What is left of a job: in truth, or to be expected by its prediction, which is corrected once it has been outlived.
 */
static double rest(const preempt *p, uint32_t job)
{
    double left = p->left[job];
    if (p->r->s->policy != CTW_SERVE_PSRPT) return left;
    return ctw_queue__rest(p->r->predicted[job], p->r->work[job] - left);
}

/* Key of a job that joins the line now: its remaining time, or its level and then its turn. */
static void join(preempt *p, uint32_t job)
{
    double key = rest(p, job);
    if (feedback(p)) key = (double)p->level[job] + 1 - 1 / (1 + (p->order += 1) * 1e-6);
    ctw_serving__busy_push(&p->wait, key, job);
}

/* Key of a running job, comparable with those that wait: a job is not displaced by one of its own level. */
static double running_key(const preempt *p, size_t i)
{
    uint32_t job = p->run[i].job;
    return feedback(p) ? (double)p->level[job] : rest(p, job);
}

static void start(preempt *p)
{
    double key;
    uint32_t job = ctw_serving__busy_pop(&p->wait, &key);
    p->run[p->n++] = (runner){job, feedback(p) ? ldexp(p->r->s->quantum, p->level[job]) : INFINITY};
}

static void advance(preempt *p, double by, double now)
{
    for (size_t i = 0; i < p->n;) {
        runner *run = &p->run[i];
        p->left[run->job] -= by;
        run->slice -= by;
        if (p->left[run->job] > 1e-9 && run->slice > 1e-9) {
            i++;
            continue;
        }
        if (p->left[run->job] <= 1e-9) {
            p->r->end[run->job] = now;
        } else {
            if (p->level[run->job] < LEVELS) p->level[run->job]++;
            join(p, run->job);
            p->r->preemptions += 1;
        }
        *run = p->run[--p->n];
    }
}

static void displace(preempt *p)
{
    while (p->wait.n && p->n == p->r->s->batch) {
        size_t worst = 0;
        for (size_t i = 1; i < p->n; i++)
            if (running_key(p, i) > running_key(p, worst)) worst = i;
        if (p->wait.end[0] >= running_key(p, worst) - 1e-12) return;
        uint32_t job = p->run[worst].job;
        p->run[worst] = p->run[--p->n];
        start(p);
        join(p, job);
        p->r->preemptions += 1;
    }
}

static ctw_status play(preempt *p)
{
    double now = p->r->arrival[0];
    for (size_t step = 0; p->next < p->r->n || p->n; step++) {
        double until = p->next < p->r->n ? p->r->arrival[p->next] : INFINITY;
        for (size_t i = 0; i < p->n; i++) until = fmin(until, now + fmin(p->left[p->run[i].job], p->run[i].slice));
        if (step % 1024 == 0) CTW_TRY(ctw_base__stopped(p->r->cancel, p->r->fn));
        double by = until - now;
        now = until;
        advance(p, by, now);
        for (; p->next < p->r->n && p->r->arrival[p->next] <= now; p->next++) join(p, (uint32_t)p->next);
        while (p->wait.n && p->n < p->r->s->batch) start(p);
        displace(p);
    }
    return CTW_OK;
}

ctw_status ctw_serving__run_preempt(ctw_serving__run *r)
{
    preempt p = {.r = r};
    p.wait.end = ctw_base__alloc(r->ctx, r->n, sizeof *p.wait.end);
    p.wait.job = ctw_base__alloc(r->ctx, r->n, sizeof *p.wait.job);
    p.run = ctw_base__alloc(r->ctx, r->s->batch, sizeof *p.run);
    p.left = ctw_base__dup(r->ctx, r->work, r->n, sizeof *p.left);
    p.level = CTW_NEW(r->ctx, r->n, uint8_t);
    ctw_status s = p.wait.end && p.wait.job && p.run && p.left && p.level ? play(&p) : CTW_E_NOMEM;
    void *all[] = {p.wait.end, p.wait.job, p.run, p.left, p.level};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(r->ctx, all[i]);
    r->ageing = NAN;
    return s;
}
