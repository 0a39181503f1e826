/* small_day.h: a tiny installation and a few busy hours of it, with every part, for tests of the twin. */
#ifndef CTW_SMALL_DAY_H
#define CTW_SMALL_DAY_H

#include <cybertwin/twin.h>

/* What the day has. */
enum {
    DAY_PARTS = 1,  /* forecast, guard, power, place, queue, an agent on the first service */
    DAY_RCA = 2,    /* a localiser from a rehearsal */
    DAY_FAULTS = 4, /* a loss, a slow server, a stuck sensor */
    DAY_ALL = 7
};

/* Two regions, servers 0..9 (the last two with LLM instances), two services, 40 jobs, 300 requests within 12 hours. */
ctw_status small_day(ctw_ctx *ctx, int what, ctw_twin **out);
/* An untrained agent that fits the seat of a service. */
ctw_status small_day_agent(ctw_ctx *ctx, double epsilon, ctw_agent **out);
/* `hours` values of a daily wave with a deterministic wobble, as intensity. */
void small_day_signal(double *out, int hours, double mean);

#endif
