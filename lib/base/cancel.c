/* cancel.c: the flag that stops long calls, and the clocks behind deadlines. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "base/handle.h"
#include <math.h>
#include <time.h>

#define CANCEL_MAGIC CTW_FOUR('C', 'N', 'C', 'L')

struct ctw_cancel {
    ctw_base__handle h;
    atomic_int raised;
    _Atomic double deadline; /* monotonic seconds, INFINITY for none */
};

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double ctw_base__now(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double ctw_base__cpu_now(void)
{
    return clock_s(CLOCK_THREAD_CPUTIME_ID);
}

static void destroy(ctw_cancel *c)
{
    (void)c;
}
CTW_DEFINE_REFS(ctw_cancel, destroy)

ctw_status ctw_cancel_new(ctw_ctx *ctx, ctw_cancel **out)
{
    CTW_TRY(ctw_base__need(out, "ctw_cancel_new", "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_cancel_new"));
    ctw_cancel *c = ctw_base__handle_new(ctx, sizeof *c, CANCEL_MAGIC);
    if (!c) return CTW_E_NOMEM;
    atomic_init(&c->raised, 0);
    atomic_init(&c->deadline, INFINITY);
    *out = c;
    return CTW_OK;
}

void ctw_cancel_request(ctw_cancel *c)
{
    if (c) atomic_store(&c->raised, 1);
}

void ctw_cancel_reset(ctw_cancel *c)
{
    if (!c) return;
    atomic_store(&c->raised, 0);
    atomic_store(&c->deadline, INFINITY);
}

ctw_status ctw_cancel_set_deadline(ctw_cancel *c, double seconds)
{
    CTW_TRY(ctw_base__handle_check(c ? &c->h : NULL, CANCEL_MAGIC, "ctw_cancel_set_deadline", "c"));
    if (isnan(seconds)) return ctw_base__fail(CTW_E_RANGE, "ctw_cancel_set_deadline: seconds is NaN");
    atomic_store(&c->deadline, seconds < 0 ? INFINITY : ctw_base__now() + seconds);
    return CTW_OK;
}

double ctw_base__time_left(const ctw_cancel *c)
{
    double deadline = c ? atomic_load_explicit(&c->deadline, memory_order_relaxed) : INFINITY;
    return isinf(deadline) ? deadline : deadline - ctw_base__now();
}

ctw_status ctw_base__stopped(const ctw_cancel *c, const char *fn)
{
    if (!c) return CTW_OK;
    if (atomic_load_explicit(&c->raised, memory_order_relaxed))
        return ctw_base__fail(CTW_E_CANCELLED, "%s: cancelled on request", fn);
    if (ctw_base__time_left(c) <= 0) return ctw_base__fail(CTW_E_DEADLINE, "%s: the deadline has passed", fn);
    return CTW_OK;
}
