/* cancel.h: how long-running code asks whether it must stop. */
#ifndef CTW_BASE_CANCEL_H
#define CTW_BASE_CANCEL_H

#include <cybertwin/base.h>

/* CTW_OK, CTW_E_CANCELLED or CTW_E_DEADLINE (text set). NULL never stops. A few ns when no deadline is set. */
ctw_status ctw_base__stopped(const ctw_cancel *c, const char *fn);
/* Seconds left until the flag's deadline, INFINITY without one. */
double ctw_base__time_left(const ctw_cancel *c);
/* Monotonic clock; used for deadlines and reported times only, never in a decision. */
double ctw_base__now(void);
/* CPU seconds of the calling thread. */
double ctw_base__cpu_now(void);

#endif
