/* intake.c: every place has a turn, which says whose it is: equal to the ticket of the one who may write, one more when
 * written, and a whole round more when read. A thread that is stopped between taking a ticket and writing hides the
 * offers behind it until it goes on, and delays nobody else. */
#include "queue/intake.h"
#include "base/alloc.h"
#include <stdatomic.h>

typedef struct place {
    _Atomic uint64_t turn;
    ctw_queue__offer offer;
} place;

struct ctw_queue__intake {
    ctw_ctx *ctx;
    place *at;
    uint64_t mask, head; /* head: the owner's */
    unsigned char apart[64];
    _Atomic uint64_t tail; /* the next ticket: all writers meet here, so it has a cache line of its own */
    unsigned char end[64];
};

ctw_status ctw_queue__intake_new(ctw_ctx *ctx, size_t places, ctw_queue__intake **out)
{
    size_t n = 2;
    while (n < places) n *= 2;
    ctw_queue__intake *in = CTW_NEW(ctx, 1, ctw_queue__intake);
    if (!in) return CTW_E_NOMEM;
    in->ctx = ctx;
    in->mask = n - 1;
    in->at = ctw_base__alloc(ctx, n, sizeof *in->at);
    if (!in->at) {
        ctw_queue__intake_free(in);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) atomic_init(&in->at[i].turn, i);
    atomic_init(&in->tail, 0);
    *out = in;
    return CTW_OK;
}

void ctw_queue__intake_free(ctw_queue__intake *in)
{
    if (!in) return;
    ctw_base__free(in->ctx, in->at);
    ctw_base__free(in->ctx, in);
}

int ctw_queue__intake_put(ctw_queue__intake *in, const ctw_queue__offer *o)
{
    uint64_t ticket = atomic_load_explicit(&in->tail, memory_order_relaxed);
    for (;;) {
        place *p = &in->at[ticket & in->mask];
        uint64_t turn = atomic_load_explicit(&p->turn, memory_order_acquire);
        if (turn == ticket) {
            if (!atomic_compare_exchange_weak_explicit(&in->tail, &ticket, ticket + 1, memory_order_relaxed,
                                                       memory_order_relaxed))
                continue;
            p->offer = *o;
            atomic_store_explicit(&p->turn, ticket + 1, memory_order_release);
            return 1;
        }
        if (turn < ticket) return 0; /* still holds the offer of the last round */
        ticket = atomic_load_explicit(&in->tail, memory_order_relaxed);
    }
}

const ctw_queue__offer *ctw_queue__intake_front(const ctw_queue__intake *in)
{
    place *p = &in->at[in->head & in->mask];
    return atomic_load_explicit(&p->turn, memory_order_acquire) == in->head + 1 ? &p->offer : NULL;
}

void ctw_queue__intake_done(ctw_queue__intake *in)
{
    place *p = &in->at[in->head & in->mask];
    atomic_store_explicit(&p->turn, in->head + in->mask + 1, memory_order_release);
    in->head++;
}

size_t ctw_queue__intake_places(const ctw_queue__intake *in)
{
    return (size_t)in->mask + 1;
}

size_t ctw_queue__intake_bytes(const ctw_queue__intake *in)
{
    return sizeof *in + ctw_queue__intake_places(in) * sizeof *in->at;
}
