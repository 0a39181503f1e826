/* queue.c: life of a queue, and jobs coming in and going out. The keys are static, so that every verb is one
 * heap operation; all checks come before the first change. */
#include "base/ctx.h"
#include "queue/queue_internal.h"
#include "queue/queue_params.h"
#include <math.h>

static void destroy(ctw_queue *q)
{
    ctw_queue__jobs_free(&q->jobs);
    ctw_queue__tail_free(q->tail);
    ctw_queue__intake_free(q->intake);
    ctw_base__free(q->h.ctx, q->ledger);
    if (q->locked) pthread_mutex_destroy(&q->mutex);
}

CTW_DEFINE_REFS(ctw_queue, destroy)

/* What a policy that adapts itself needs. */
static ctw_status watch(ctw_queue *q, const ctw_params *params)
{
    q->choose = q->policy == CTW_QUEUE_GUARDED && q->ageing < 0;
    if (q->choose) q->ageing = CTW_QUEUE_LEAST_AGEING;
    if (!q->choose && q->policy != CTW_QUEUE_AUTO) return CTW_OK;
    q->ledger = CTW_NEW(q->h.ctx, 1, ctw_queue__ledger);
    if (!q->ledger) return CTW_E_NOMEM;
    ctw_queue__ledger_init(q->ledger);
    if (q->policy != CTW_QUEUE_AUTO) return CTW_OK;
    return ctw_queue__tail_new(q->h.ctx, ctw_base__opt_f64(params, &ctw_queue__kind, "tail"),
                               ctw_base__opt_f64(params, &ctw_queue__kind, "worst"), q->ledger, &q->tail);
}

ctw_status ctw_queue_new(ctw_ctx *ctx, const ctw_params *params, ctw_queue **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__params_check(params, &ctw_queue__kind, __func__));
    ctw_queue *q = ctw_base__handle_new(ctx, sizeof *q, CTW_QUEUE_MAGIC);
    if (!q) return CTW_E_NOMEM;
    ctw_queue__jobs_init(&q->jobs, ctx);
    q->policy = ctw_base__opt_choice(params, &ctw_queue__kind, "policy");
    q->ageing = ctw_base__opt_f64(params, &ctw_queue__kind, "ageing");
    q->correct = ctw_base__opt_bool(params, &ctw_queue__kind, "bias_correction");
    q->blend = ctw_base__opt_f64(params, &ctw_queue__kind, "deadline_blend");
    q->capacity = (size_t)ctw_base__opt_i64(params, &ctw_queue__kind, "capacity");
    q->lookahead = (size_t)ctw_base__opt_i64(params, &ctw_queue__kind, "lookahead");
    q->now = q->latest = -INFINITY;
    ctw_status s = q->capacity ? ctw_queue__jobs_reserve(&q->jobs, q->capacity, 1) : CTW_OK;
    if (!s) s = watch(q, params);
    int64_t places = ctw_base__opt_i64(params, &ctw_queue__kind, "intake");
    if (!s && places) s = ctw_queue__intake_new(ctx, (size_t)places, &q->intake);
    if (!s && ctw_base__opt_bool(params, &ctw_queue__kind, "locked")) {
        if (pthread_mutex_init(&q->mutex, NULL))
            s = ctw_base__nomem();
        else
            q->locked = 1;
    }
    if (s) {
        ctw_queue_unref(q);
        return s;
    }
    *out = q;
    return CTW_OK;
}

ctw_status ctw_queue__enter(ctw_queue *q, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(q ? &q->h : NULL, CTW_QUEUE_MAGIC, fn, "q"));
    if (!q->locked) return ctw_base__handle_enter(&q->h, CTW_QUEUE_MAGIC, fn, "q");
    pthread_mutex_lock(&q->mutex);
    return CTW_OK;
}

void ctw_queue__leave(ctw_queue *q)
{
    if (q->locked)
        pthread_mutex_unlock(&q->mutex);
    else
        ctw_base__handle_leave(&q->h);
}

ctw_status ctw_queue__check_now(const ctw_queue *q, double now, const char *fn)
{
    CTW_TRY(ctw_base__finite(now, fn, "now_s"));
    if (now < q->now)
        return ctw_base__fail(CTW_E_RANGE, "%s: now_s is %g, before an earlier call's %g", fn, now, q->now);
    return CTW_OK;
}

double ctw_queue__bias(const ctw_queue *q)
{
    return q->correct && q->observed >= 32 ? q->actual_sum / q->predicted_sum : 1;
}

double ctw_queue__plain_key(const ctw_queue *q, double work, double arrival)
{
    if (q->policy == CTW_QUEUE_SJF || q->policy == CTW_QUEUE_AUTO) return work;
    return arrival + (q->policy == CTW_QUEUE_FCFS ? 0 : q->ageing * work);
}

double ctw_queue__key(const ctw_queue *q, uint32_t slot)
{
    const ctw_queue__rec *r = &q->jobs.rec[slot];
    const ctw_queue__extra *x = q->jobs.extra ? &q->jobs.extra[slot] : NULL;
    double predicted = (double)q->jobs.mate[slot].predicted;
    double key = ctw_queue__plain_key(q, x ? predicted / (double)x->weight : predicted, r->arrival);
    if (!x) return key;
    key -= x->head_start;
    double start_by = x->deadline - predicted;
    if (q->policy != CTW_QUEUE_SJF && q->policy != CTW_QUEUE_AUTO && start_by < key) key += q->blend * (start_by - key);
    return key;
}

ctw_status ctw_queue__check_job(int64_t job, double predicted, double weight, const char *fn)
{
    if (job < 0) return ctw_base__fail(CTW_E_RANGE, "%s: job is %lld, ids must be >= 0", fn, (long long)job);
    if (!(predicted >= 0 && predicted <= CTW_QUEUE_MAX_WORK))
        return ctw_base__in(predicted, 0, CTW_QUEUE_MAX_WORK, fn, "predicted_s");
    if (weight >= CTW_QUEUE_MIN_WEIGHT && weight <= CTW_QUEUE_MAX_WEIGHT) return CTW_OK;
    return ctw_base__in(weight, CTW_QUEUE_MIN_WEIGHT, CTW_QUEUE_MAX_WEIGHT, fn, "weight");
}

static ctw_status make_room(ctw_queue *q, uint64_t n, int extra, const char *fn)
{
    ctw_queue__jobs *j = &q->jobs;
    size_t limit = q->capacity ? q->capacity : CTW_QUEUE_MAX_JOBS;
    if (n > limit - j->n)
        return ctw_base__fail(CTW_E_RANGE, "%s: %zu jobs wait and %llu more would pass the limit of %zu", fn, j->n,
                              (unsigned long long)n, limit);
    if (n > UINT32_MAX - j->next_seq) CTW_TRY(ctw_queue__jobs_renumber(j));
    CTW_TRY(ctw_queue__jobs_reserve(j, j->n + (size_t)n, q->capacity != 0));
    if (extra) CTW_TRY(ctw_queue__jobs_need_extra(j));
    return q->tail ? ctw_queue__tail_reserve(q->tail, j, j->n + (size_t)n) : CTW_OK;
}

static uint32_t insert(ctw_queue *q, int64_t job, double predicted, double weight, double arrival)
{
    ctw_queue__jobs *j = &q->jobs;
    uint32_t s = ctw_queue__jobs_add(j, job, arrival, (float)(predicted * ctw_queue__bias(q)));
    if (j->extra) j->extra[s].weight = (float)weight;
    ctw_queue__jobs_place(j, s, ctw_queue__key(q, s));
    if (q->ledger) ctw_queue__ledger_push(q->ledger, (double)j->mate[s].predicted, arrival);
    if (q->tail) ctw_queue__tail_add(q->tail, j, s, arrival);
    q->pushed++;
    return s;
}

ctw_status ctw_queue__push_one(ctw_queue *q, int64_t job, double predicted, double weight, double arrival, double now,
                               const char *fn)
{
    CTW_TRY(ctw_queue__check_job(job, predicted, weight, fn));
    CTW_TRY(ctw_queue__check_now(q, now, fn));
    if (ctw_queue__jobs_find(&q->jobs, job) != CTW_QUEUE_NONE)
        return ctw_base__fail(CTW_E_KEY, "%s: job %lld waits already", fn, (long long)job);
    CTW_TRY(make_room(q, 1, weight != 1, fn));
    insert(q, job, predicted, weight, arrival);
    q->now = now;
    return CTW_OK;
}

ctw_status ctw_queue_push(ctw_queue *q, int64_t job, double predicted_s, double weight, double now_s)
{
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = ctw_queue__push_one(q, job, predicted_s, weight, now_s, now_s, __func__);
    ctw_queue__leave(q);
    return s;
}

ctw_status ctw_queue_requeue(ctw_queue *q, int64_t job, double remaining_s, double weight, double arrival_s,
                             double now_s)
{
    CTW_TRY(ctw_base__finite(arrival_s, __func__, "arrival_s"));
    if (arrival_s > now_s)
        return ctw_base__fail(CTW_E_RANGE, "%s: arrival_s is %g, after now_s %g", __func__, arrival_s, now_s);
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = ctw_queue__push_one(q, job, remaining_s, weight, arrival_s, now_s, __func__);
    ctw_queue__leave(q);
    return s;
}

/* Everything is checked before the first insertion, except duplicates within the batch, which are found on the
 * way; the jobs inserted by then are taken out again. */
static ctw_status push_all(ctw_queue *q, const int64_t *job, const double *predicted, const double *weight, uint64_t n,
                           double now, const char *fn)
{
    int weighted = 0;
    CTW_TRY(ctw_queue__check_now(q, now, fn));
    for (uint64_t i = 0; i < n; i++) {
        CTW_TRY(ctw_queue__check_job(job[i], predicted[i], weight ? weight[i] : 1, fn));
        if (weight && weight[i] != 1) weighted = 1;
    }
    CTW_TRY(make_room(q, n, weighted, fn));
    for (uint64_t i = 0; i < n; i++) {
        if (ctw_queue__jobs_find(&q->jobs, job[i]) == CTW_QUEUE_NONE) {
            insert(q, job[i], predicted[i], weight ? weight[i] : 1, now);
            continue;
        }
        q->pushed -= i;
        for (uint64_t k = 0; k < i; k++) ctw_queue__forget(q, ctw_queue__jobs_find(&q->jobs, job[k]));
        return ctw_base__fail(CTW_E_KEY, "%s: job %lld (element %llu) waits already", fn, (long long)job[i],
                              (unsigned long long)i);
    }
    q->now = now;
    return CTW_OK;
}

ctw_status ctw_queue_push_batch(ctw_queue *q, const int64_t *job, const double *predicted_s, const double *weight,
                                uint64_t n, double now_s)
{
    CTW_TRY(ctw_base__need_n(job, n, __func__, "job"));
    CTW_TRY(ctw_base__need_n(predicted_s, n, __func__, "predicted_s"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = push_all(q, job, predicted_s, weight, n, now_s, __func__);
    ctw_queue__leave(q);
    return s;
}

static void leave(ctw_queue *q, uint32_t slot, double now, int served)
{
    if (q->ledger) ctw_queue__ledger_pop(q->ledger, (double)q->jobs.mate[slot].predicted, now, q->jobs.n > 1, served);
    if (q->tail) ctw_queue__tail_drop(q->tail, slot);
    ctw_queue__jobs_drop(&q->jobs, slot);
}

int64_t ctw_queue__take(ctw_queue *q, uint32_t slot, double now)
{
    const ctw_queue__rec r = q->jobs.rec[slot];
    double wait = now - r.arrival;
    q->popped++;
    q->wait_sum += wait;
    if (wait > q->wait_max) q->wait_max = wait;
    if (r.arrival < q->latest)
        q->overtaken++;
    else
        q->latest = r.arrival;
    leave(q, slot, now, 1);
    if (q->choose) ctw_queue__choose(q);
    return r.id;
}

void ctw_queue__forget(ctw_queue *q, uint32_t slot)
{
    leave(q, slot, q->now, 0);
}

uint32_t ctw_queue__next(ctw_queue *q, double now)
{
    return q->tail ? ctw_queue__tail_next(q->tail, &q->jobs, now) : ctw_queue__jobs_first(&q->jobs);
}

ctw_status ctw_queue_pop(ctw_queue *q, double now_s, int64_t *job)
{
    CTW_TRY(ctw_base__need(job, __func__, "job"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) {
        *job = q->jobs.n ? ctw_queue__take(q, ctw_queue__next(q, now_s), now_s) : -1;
        q->now = now_s;
    }
    ctw_queue__leave(q);
    return s;
}

ctw_status ctw_queue_pop_batch(ctw_queue *q, double now_s, int64_t *job, uint64_t cap, uint64_t *n)
{
    CTW_TRY(ctw_base__need_n(job, cap, __func__, "job"));
    CTW_TRY(ctw_base__need(n, __func__, "n"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) {
        uint64_t k = 0;
        while (k < cap && q->jobs.n) job[k++] = ctw_queue__take(q, ctw_queue__next(q, now_s), now_s);
        *n = k;
        q->now = now_s;
    }
    ctw_queue__leave(q);
    return s;
}
