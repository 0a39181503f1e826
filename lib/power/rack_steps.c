/* rack_steps.c: the order of raises. On the concave hull of benefit over watts every machine's steps have falling
 * benefit per watt, so sorting all steps once gives, for any budget, the greedy optimum as a prefix: splitting
 * then needs no search, and ten thousand machines cost a walk through an array. */
#include "power/rack_internal.h"

#include "num/sort.h"
#include <math.h>

static double benefit(double slowdown, double fairness)
{
    return fairness < 1e-6 ? -log(slowdown) : -(pow(slowdown, fairness) - 1.0) / fairness;
}

/* Steepest reachable point above `from`; 0 when nothing above helps. */
static size_t next_on_hull(const ctw_rack *f, size_t base, size_t from, size_t count, double *slope)
{
    size_t best = 0;
    *slope = 0.0;
    double here = benefit(f->slow[base + from], f->fairness);
    for (size_t k = from + 1; k < count; k++) {
        double gain = benefit(f->slow[base + k], f->fairness) - here;
        double s = gain / (f->watts[base + k] - f->watts[base + from]);
        if (s > *slope || (best && s == *slope)) {
            *slope = s;
            best = k;
        }
    }
    return best;
}

typedef struct keyed {
    ctw_rack__step step;
    int64_t priority;
    double slope;
} keyed;

static int compare(const void *a, const void *b, void *user)
{
    const keyed *p = a, *q = b;
    (void)user;
    if (p->priority != q->priority) return p->priority > q->priority ? -1 : 1;
    if (p->slope != q->slope) return p->slope > q->slope ? -1 : 1;
    if (p->step.machine != q->step.machine) return p->step.machine < q->step.machine ? -1 : 1;
    return (p->step.from > q->step.from) - (p->step.from < q->step.from);
}

ctw_status ctw_rack__order_steps(ctw_rack *f, const double *weight, const int64_t *priority)
{
    keyed *all = ctw_base__alloc(f->h.ctx, f->n_points, sizeof *all);
    if (!all) return CTW_E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        size_t base = f->first[i], count = f->first[i + 1] - base, from = 0, to;
        double slope;
        while ((to = next_on_hull(f, base, from, count, &slope)) != 0) {
            all[n++] = (keyed){{(uint32_t)i, (uint16_t)from, (uint16_t)to},
                               priority ? priority[i] : 0,
                               slope * (weight ? weight[i] : 1.0)};
            from = to;
        }
    }
    ctw_num__sort_by(all, n, sizeof *all, compare, NULL);
    for (size_t k = 0; k < n; k++) f->steps[k] = all[k].step;
    f->n_steps = n;
    ctw_base__free(f->h.ctx, all);
    return CTW_OK;
}
