/* press.c: contention. What runs beside a server's services takes part of a resource from them, and how much slower
 * they get depends on how much of it they need: the five kinds of faults that FIRM injects (Qiu et al., OSDI'20, table
 * 5). */
#include "twin/twin_internal.h"
#include <math.h>

int ctw_twin__slows(const ctw_twin__fault *f)
{
    return f->kind == CTW_FAULT_SLOWDOWN || (f->kind >= CTW_FAULT_CPU && f->kind <= CTW_FAULT_NETWORK);
}

ctw_twin__press ctw_twin__press_on(const ctw_twin *t, uint32_t server)
{
    ctw_twin__press p = {1.0, 1.0, 1.0, 1.0, 1.0};
    double *const left[] = {&p.cpu, &p.memory, &p.cache, &p.io, &p.network};
    for (size_t i = 0; i < t->n_fault; i++) {
        const ctw_twin__fault *f = &t->fault[i];
        if (!f->active || f->target != server || f->kind < CTW_FAULT_CPU || f->kind > CTW_FAULT_NETWORK) continue;
        double *v = left[f->kind - CTW_FAULT_CPU];
        *v = fmin(*v, f->magnitude);
    }
    return p;
}

double ctw_twin__pressed(const ctw_twin__press *p, double level, double membound)
{
    double misses = 1.0 / sqrt(p->cache);
    return membound * misses / p->memory + (1.0 - membound) / (level * p->cpu);
}

double ctw_twin__io_wait(const ctw_twin *t, const ctw_twin__service *s, const ctw_twin__press *p)
{
    return t->io_share * s->work_s * (1.0 / p->io - 1.0);
}

double ctw_twin__hop_wait(const ctw_twin *t, const ctw_twin__press *p)
{
    return t->hop_s * (1.0 / p->network - 1.0);
}
