/* intake.h: where threads that may not touch the line leave jobs for its owner: a bounded ring that many put into and
 * one takes from (Vyukov's bounded queue), 40 bytes a place, allocated once. Nobody ever waits for anybody: putting
 * retries only when another thread has just succeeded, taking never. */
#ifndef CTW_QUEUE_INTAKE_H
#define CTW_QUEUE_INTAKE_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_queue__offer {
    int64_t job;
    double predicted, weight, arrival;
} ctw_queue__offer;

typedef struct ctw_queue__intake ctw_queue__intake;

/* At least `places` of them; a power of two. */
ctw_status ctw_queue__intake_new(ctw_ctx *ctx, size_t places, ctw_queue__intake **out);
void ctw_queue__intake_free(ctw_queue__intake *in);
/* Any thread. 0 when there is no room. */
int ctw_queue__intake_put(ctw_queue__intake *in, const ctw_queue__offer *o);
/* Owner: the next offer, NULL when there is none that is complete; it stays until done with. */
const ctw_queue__offer *ctw_queue__intake_front(const ctw_queue__intake *in);
void ctw_queue__intake_done(ctw_queue__intake *in);
size_t ctw_queue__intake_places(const ctw_queue__intake *in);
size_t ctw_queue__intake_bytes(const ctw_queue__intake *in);

#endif
