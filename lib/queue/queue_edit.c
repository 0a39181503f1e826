/* queue_edit.c: changing and looking at jobs while they wait, pulling under a token budget, learning from
 * finished jobs, and the report. */
#include "base/report.h"
#include "queue/queue_internal.h"
#include <math.h>

/* Seconds that a job of mean length may be overtaken for, over the worst wait of first come first served. */
#define REACH 1.42

/* Slots between the one whose entry is asked for and the one that is keyed anew. */
#define AHEAD ((size_t)16)

/* Const for the caller: the mutex changes nothing that can be observed. */
ctw_status ctw_queue__look(const ctw_queue *q, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(q ? &q->h : NULL, CTW_QUEUE_MAGIC, fn, "q"));
    if (q->locked) pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&q->mutex);
    return CTW_OK;
}

void ctw_queue__look_away(const ctw_queue *q)
{
    if (q->locked) pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&q->mutex);
}

static ctw_status slot_of(const ctw_queue *q, int64_t job, const char *fn, uint32_t *slot)
{
    *slot = ctw_queue__jobs_find(&q->jobs, job);
    if (*slot != CTW_QUEUE_NONE) return CTW_OK;
    return ctw_base__fail(CTW_E_KEY, "%s: job %lld does not wait", fn, (long long)job);
}

ctw_status ctw_queue_peek(const ctw_queue *q, double now_s, int64_t *job)
{
    CTW_TRY(ctw_base__need(job, __func__, "job"));
    CTW_TRY(ctw_queue__look(q, __func__));
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) *job = q->jobs.n ? q->jobs.rec[ctw_queue__jobs_first(&q->jobs)].id : -1;
    ctw_queue__look_away(q);
    return s;
}

ctw_status ctw_queue_find(const ctw_queue *q, int64_t job, double *arrival_s, double *predicted_s)
{
    CTW_TRY(ctw_queue__look(q, __func__));
    uint32_t slot;
    ctw_status s = slot_of(q, job, __func__, &slot);
    if (!s && arrival_s) *arrival_s = q->jobs.rec[slot].arrival;
    if (!s && predicted_s) *predicted_s = (double)q->jobs.mate[slot].predicted;
    ctw_queue__look_away(q);
    return s;
}

uint64_t ctw_queue_size(const ctw_queue *q)
{
    if (!q || ctw_queue__look(q, __func__)) return 0;
    uint64_t n = q->jobs.n;
    ctw_queue__look_away(q);
    return n;
}

ctw_status ctw_queue_repredict(ctw_queue *q, int64_t job, double predicted_s, double now_s)
{
    CTW_TRY(ctw_base__in(predicted_s, 0, CTW_QUEUE_MAX_WORK, __func__, "predicted_s"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    uint32_t slot;
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) s = slot_of(q, job, __func__, &slot);
    if (!s) {
        double before = (double)q->jobs.mate[slot].predicted;
        q->jobs.mate[slot].predicted = (float)(predicted_s * ctw_queue__bias(q));
        ctw_queue__jobs_place(&q->jobs, slot, ctw_queue__key(q, slot));
        if (q->ledger) q->ledger->in += (double)q->jobs.mate[slot].predicted - before;
        if (q->tail) ctw_queue__tail_change(q->tail, &q->jobs, slot);
        q->now = now_s;
    }
    ctw_queue__leave(q);
    return s;
}

/* Finds the job, makes sure that it has extras, applies the change, restores the order. */
static ctw_status change(ctw_queue *q, int64_t job, const ctw_queue__extra *from, size_t field, const char *fn)
{
    CTW_TRY(ctw_queue__enter(q, fn));
    uint32_t slot;
    ctw_status s = slot_of(q, job, fn, &slot);
    if (!s) s = ctw_queue__jobs_need_extra(&q->jobs);
    if (!s) {
        ctw_queue__extra *x = &q->jobs.extra[slot];
        if (field == offsetof(ctw_queue__extra, weight)) x->weight = from->weight;
        if (field == offsetof(ctw_queue__extra, deadline)) x->deadline = from->deadline;
        if (field == offsetof(ctw_queue__extra, head_start)) x->head_start = from->head_start;
        if (field == offsetof(ctw_queue__extra, tokens)) x->tokens = from->tokens;
        ctw_queue__jobs_place(&q->jobs, slot, ctw_queue__key(q, slot));
    }
    ctw_queue__leave(q);
    return s;
}

ctw_status ctw_queue_set_weight(ctw_queue *q, int64_t job, double weight)
{
    CTW_TRY(ctw_base__in(weight, CTW_QUEUE_MIN_WEIGHT, CTW_QUEUE_MAX_WEIGHT, __func__, "weight"));
    const ctw_queue__extra x = {.weight = (float)weight};
    return change(q, job, &x, offsetof(ctw_queue__extra, weight), __func__);
}

ctw_status ctw_queue_set_deadline(ctw_queue *q, int64_t job, double deadline_s)
{
    if (!(deadline_s > -INFINITY))
        return ctw_base__fail(CTW_E_NONFINITE, "%s: deadline_s must be a time, or INFINITY for none", __func__);
    const ctw_queue__extra x = {.deadline = deadline_s};
    return change(q, job, &x, offsetof(ctw_queue__extra, deadline), __func__);
}

ctw_status ctw_queue_set_head_start(ctw_queue *q, int64_t job, double seconds)
{
    CTW_TRY(ctw_base__in(seconds, -1e9, 1e9, __func__, "seconds"));
    const ctw_queue__extra x = {.head_start = seconds};
    return change(q, job, &x, offsetof(ctw_queue__extra, head_start), __func__);
}

ctw_status ctw_queue_set_tokens(ctw_queue *q, int64_t job, uint32_t tokens)
{
    const ctw_queue__extra x = {.tokens = tokens};
    return change(q, job, &x, offsetof(ctw_queue__extra, tokens), __func__);
}

ctw_status ctw_queue_remove(ctw_queue *q, int64_t job)
{
    CTW_TRY(ctw_queue__enter(q, __func__));
    uint32_t slot;
    ctw_status s = slot_of(q, job, __func__, &slot);
    if (!s) {
        ctw_queue__forget(q, slot);
        q->removed++;
    }
    ctw_queue__leave(q);
    return s;
}

/* In the order of slots, which reads the records in a row, unless most slots are free. */
void ctw_queue__rekey(ctw_queue *q)
{
    ctw_queue__jobs *j = &q->jobs;
    int by_slot = j->n > j->cap / 2;
    for (size_t i = 0, end = by_slot ? j->cap : j->n; i < end; i++) {
        uint32_t slot = by_slot ? (uint32_t)i : ctw_queue__jobs_nth(j, i), pos = j->mate[slot].pos;
        if (pos == CTW_QUEUE_NONE) continue;
        if (by_slot && i + AHEAD < end) ctw_queue__soon(&j->at[j->mate[i + AHEAD].pos]);
        j->at[pos].key = ctw_queue__order(ctw_queue__key(q, slot));
    }
    ctw_queue__jobs_heapify(j);
}

/* The mean job may be overtaken for a little over the worst hundredth of the waits of first come first served.
 * Looked at every 64 pops, changed by at least a sixth, and not before half as many jobs as wait have been popped since
 * the last change: re-ordering costs a pop two new keys at most. */
void ctw_queue__choose(ctw_queue *q)
{
    const ctw_queue__ledger *l = q->ledger;
    uint64_t since = q->popped - q->chosen_at;
    if (q->popped % 64 || since < q->jobs.n / 2 || !(l->in > 0)) return;
    double wait = fmax(l->worst, ctw_queue__ledger_backlog(l, q->now));
    double a = fmin(fmax(REACH * wait * l->pushed / l->in, CTW_QUEUE_LEAST_AGEING), 1e9);
    if (a < q->ageing * 7 / 6 && a > q->ageing * 6 / 7) return;
    q->ageing = a;
    q->chosen_at = q->popped;
    ctw_queue__rekey(q);
}

ctw_status ctw_queue_set_ageing(ctw_queue *q, double ageing)
{
    CTW_TRY(ctw_base__in(ageing, 0, 1e9, __func__, "ageing"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = CTW_OK;
    if (q->policy != CTW_QUEUE_GUARDED)
        s = ctw_base__fail(CTW_E_STATE, "%s: only the policy \"guarded\" has an ageing factor", __func__);
    if (!s) {
        q->ageing = ageing;
        q->choose = 0;
        ctw_queue__rekey(q);
    }
    ctw_queue__leave(q);
    return s;
}

ctw_status ctw_queue_remaining(double predicted_s, double served_s, double *remaining_s)
{
    CTW_TRY(ctw_base__need(remaining_s, __func__, "remaining_s"));
    CTW_TRY(ctw_base__in(predicted_s, 0, CTW_QUEUE_MAX_WORK, __func__, "predicted_s"));
    CTW_TRY(ctw_base__in(served_s, 0, CTW_QUEUE_MAX_WORK, __func__, "served_s"));
    *remaining_s = ctw_queue__rest(predicted_s, served_s);
    return CTW_OK;
}

/* The running job's key is what it would have in the line; among equals it goes on. */
ctw_status ctw_queue_displaces(const ctw_queue *q, double remaining_s, double weight, double arrival_s, double now_s,
                               int32_t *yes)
{
    CTW_TRY(ctw_base__need(yes, __func__, "yes"));
    CTW_TRY(ctw_queue__check_job(0, remaining_s, weight, __func__));
    CTW_TRY(ctw_base__finite(arrival_s, __func__, "arrival_s"));
    CTW_TRY(ctw_queue__look(q, __func__));
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) {
        double own = ctw_queue__plain_key(q, remaining_s / weight, arrival_s);
        *yes = q->jobs.n && ctw_queue__jobs_key(&q->jobs, ctw_queue__jobs_first(&q->jobs)) < own;
    }
    ctw_queue__look_away(q);
    return s;
}

/* Forgets by halving both sums, so that a drifting predictor is followed and nothing overflows. */
ctw_status ctw_queue_observe(ctw_queue *q, double predicted_s, double actual_s)
{
    CTW_TRY(ctw_base__in(predicted_s, 1e-9, CTW_QUEUE_MAX_WORK, __func__, "predicted_s"));
    CTW_TRY(ctw_base__in(actual_s, 1e-9, CTW_QUEUE_MAX_WORK, __func__, "actual_s"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    q->predicted_sum += predicted_s;
    q->actual_sum += actual_s;
    q->observed += 1;
    if (q->observed >= 4096) {
        q->predicted_sum /= 2;
        q->actual_sum /= 2;
        q->observed /= 2;
    }
    ctw_queue__leave(q);
    return CTW_OK;
}

/* Takes jobs in order while they fit. A job that does not fit is set aside and put back under the key it had, so that
 * the line is as if it had never been looked at. Who is next the policy says until somebody is passed over; what then
 * fills the rest of the budget goes by the line's plain order. */
static uint64_t pull(ctw_queue *q, double now, uint64_t budget, int64_t *job, uint64_t cap, uint64_t *used)
{
    ctw_queue__jobs *j = &q->jobs;
    uint32_t aside[1024];
    double key[1024];
    size_t n_aside = 0;
    uint64_t n = 0, taken = 0;
    while (n < cap && n_aside < j->n) {
        uint32_t slot = n_aside ? ctw_queue__jobs_first(j) : ctw_queue__next(q, now);
        uint64_t tokens = j->extra ? j->extra[slot].tokens : 0;
        if (tokens <= budget - taken) {
            taken += tokens;
            job[n++] = ctw_queue__take(q, slot, now);
        } else if (n_aside < q->lookahead) {
            key[n_aside] = ctw_queue__jobs_key(j, slot);
            aside[n_aside++] = slot;
            ctw_queue__jobs_place(j, slot, INFINITY);
        } else {
            break;
        }
    }
    for (size_t i = 0; i < n_aside; i++) ctw_queue__jobs_place(j, aside[i], key[i]);
    *used = taken;
    return n;
}

ctw_status ctw_queue_pop_budget(ctw_queue *q, double now_s, uint64_t budget, int64_t *job, uint64_t cap, uint64_t *n,
                                uint64_t *used)
{
    CTW_TRY(ctw_base__need_n(job, cap, __func__, "job"));
    CTW_TRY(ctw_base__need(n, __func__, "n"));
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = ctw_queue__check_now(q, now_s, __func__);
    if (!s) {
        uint64_t taken;
        *n = pull(q, now_s, budget, job, cap, &taken);
        if (used) *used = taken;
        q->now = now_s;
    }
    ctw_queue__leave(q);
    return s;
}

static ctw_status fill(const ctw_queue *q, ctw_report *r)
{
    const ctw_queue__jobs *j = &q->jobs;
    double oldest = 0, backlog = 0;
    for (size_t i = 0; i < j->n; i++) {
        uint32_t slot = ctw_queue__jobs_nth(j, i);
        oldest = fmax(oldest, q->now - j->rec[slot].arrival);
        backlog += (double)j->mate[slot].predicted;
    }
    size_t watch = (q->ledger ? sizeof *q->ledger : 0) + (q->tail ? ctw_queue__tail_bytes(q->tail) : 0) +
                   (q->intake ? ctw_queue__intake_bytes(q->intake) : 0);
    double bytes = (double)(ctw_queue__jobs_bytes(j) + sizeof *q + watch);
    CTW_TRY(ctw_base__report_i64(r, "waiting", (int64_t)j->n));
    CTW_TRY(ctw_base__report_i64(r, "pushed", (int64_t)q->pushed));
    CTW_TRY(ctw_base__report_i64(r, "popped", (int64_t)q->popped));
    CTW_TRY(ctw_base__report_i64(r, "removed", (int64_t)q->removed));
    CTW_TRY(ctw_base__report_i64(r, "overtaken", (int64_t)q->overtaken));
    CTW_TRY(ctw_base__report_f64(r, "wait_mean_s", q->popped ? q->wait_sum / (double)q->popped : 0));
    CTW_TRY(ctw_base__report_f64(r, "wait_max_s", q->wait_max));
    CTW_TRY(ctw_base__report_f64(r, "oldest_s", oldest));
    CTW_TRY(ctw_base__report_f64(r, "backlog_s", backlog));
    if (q->policy != CTW_QUEUE_AUTO) {
        double ageing = q->policy == CTW_QUEUE_GUARDED ? q->ageing : q->policy == CTW_QUEUE_FCFS ? 0 : INFINITY;
        CTW_TRY(ctw_base__report_f64(r, "ageing", ageing));
    }
    CTW_TRY(ctw_base__report_f64(r, "bias", ctw_queue__bias(q)));
    CTW_TRY(ctw_base__report_f64(r, "bytes", bytes));
    return ctw_base__report_f64(r, "bytes_per_job", j->n ? bytes / (double)j->n : 0);
}

ctw_status ctw_queue_report(const ctw_queue *q, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_queue__look(q, __func__));
    ctw_report *r = NULL;
    ctw_status s = ctw_base__report_new(q->h.ctx, &r);
    if (!s) s = fill(q, r);
    ctw_queue__look_away(q);
    if (s)
        ctw_report_unref(r);
    else
        *out = r;
    return s;
}
