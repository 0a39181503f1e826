/* queue_offer.c: jobs from threads that do not own the queue. Offering touches only the intake, so that the owner may
 * be inside any call; draining moves what was offered into the line. */
#include "queue/queue_internal.h"
#include <math.h>

ctw_status ctw_queue_offer(ctw_queue *q, int64_t job, double predicted_s, double weight, double arrival_s)
{
    CTW_TRY(ctw_base__handle_check(q ? &q->h : NULL, CTW_QUEUE_MAGIC, __func__, "q"));
    CTW_TRY(ctw_queue__check_job(job, predicted_s, weight, __func__));
    CTW_TRY(ctw_base__finite(arrival_s, __func__, "arrival_s"));
    if (!q->intake) return ctw_base__fail(CTW_E_STATE, "%s: the queue has no intake, option \"intake\" is 0", __func__);
    const ctw_queue__offer o = {.job = job, .predicted = predicted_s, .weight = weight, .arrival = arrival_s};
    if (ctw_queue__intake_put(q->intake, &o)) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: all %zu places of the intake are taken until the next drain", __func__,
                          ctw_queue__intake_places(q->intake));
}

/* At most one round of the ring, so that the call ends however fast others offer. An offer stays in the intake
 * unless the line has it or will never take it. */
static ctw_status drain(ctw_queue *q, double now, uint64_t *taken, int64_t *refused, const char *fn)
{
    ctw_status s = ctw_queue__check_now(q, now, fn);
    const ctw_queue__offer *o;
    for (size_t left = ctw_queue__intake_places(q->intake); !s && left && (o = ctw_queue__intake_front(q->intake));
         left--) {
        s = ctw_queue__push_one(q, o->job, o->predicted, o->weight, fmin(o->arrival, now), now, fn);
        if (s == CTW_E_KEY) *refused = o->job;
        if (!s) *taken += 1;
        if (!s || s == CTW_E_KEY) ctw_queue__intake_done(q->intake);
    }
    if (!s) q->now = now;
    return s;
}

ctw_status ctw_queue_drain(ctw_queue *q, double now_s, uint64_t *taken, int64_t *refused)
{
    uint64_t n = 0;
    int64_t id = -1;
    CTW_TRY(ctw_queue__enter(q, __func__));
    ctw_status s = q->intake ? drain(q, now_s, &n, &id, __func__) : CTW_OK;
    ctw_queue__leave(q);
    if (taken) *taken = n;
    if (refused) *refused = id;
    return s;
}
