/* phases.c: one clock for each phase of a piece of work. Each phase has few points; of those only the corners of the
 * lower convex hull of (time, energy) can be best for any price of time, so all phases start at their least energy and
 * are moved along their hulls, always where a second costs least, until the whole is in time. What the last step saved
 * too much is given back. With one phase this is the ordinary choice; with several the gap to the true optimum is at
 * most one step of one phase. */
#include <cybertwin/phases.h>

#include "base/ctx.h"
#include "power/power_internal.h"
#include <math.h>

enum { MOST_PHASES = 16 };

typedef struct phase {
    const ctw_power *p;
    double work, membound;
    size_t n;  /* corners, time descending, energy rising */
    size_t at; /* corner in use */
    double mhz[CTW_POWER_POINTS], time[CTW_POWER_POINTS], energy[CTW_POWER_POINTS];
} phase;

/* 1 when corner b lies on or above the line from a to c (time descending). */
static int above(const phase *h, size_t a, size_t b, double time, double energy)
{
    double left = (h->energy[b] - h->energy[a]) * (h->time[a] - time);
    double right = (energy - h->energy[a]) * (h->time[a] - h->time[b]);
    return left >= right;
}

/* Adds a point that is no slower than all before: those it beats go, then those above the hull. */
static void add_corner(phase *h, double mhz, double time, double energy)
{
    while (h->n && h->energy[h->n - 1] >= energy) h->n--;
    if (h->n && time >= h->time[h->n - 1]) return;
    while (h->n > 1 && above(h, h->n - 2, h->n - 1, time, energy)) h->n--;
    h->mhz[h->n] = mhz;
    h->time[h->n] = time;
    h->energy[h->n++] = energy;
}

/* Corners of one phase under the cap; the lowest point when even that is above it (*over is then 1). */
static void corners(phase *h, double cap, int *over)
{
    double top = ctw_power__top(h->p);
    size_t n = (size_t)ctw_power_point_count(h->p);
    h->n = h->at = 0;
    for (size_t i = 0; i < n; i++) {
        double f = h->p->n_points ? h->p->mhz[i] : h->p->m.mhz[i], x = f / top;
        double w = ctw_power__watts_at(h->p, x, 1.0), t = h->work * ctw_power__slowdown_at(h->p, x, h->membound);
        if (w <= cap) add_corner(h, f, t, w * t);
    }
    *over = h->n == 0;
    if (h->n) return;
    double f = h->p->n_points ? h->p->mhz[0] : h->p->m.mhz[0];
    double t = h->work * ctw_power__slowdown_at(h->p, f / top, h->membound);
    add_corner(h, f, t, t * ctw_power__watts_at(h->p, f / top, 1.0));
}

static double total(const phase *h, size_t n, int energy)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += energy ? h[i].energy[h[i].at] : h[i].time[h[i].at];
    return sum;
}

/* The phase in which a second costs least; n when all run as fast as they may. */
static size_t cheapest(const phase *h, size_t n)
{
    size_t best = n;
    double least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (h[i].at + 1 == h[i].n) continue;
        size_t a = h[i].at;
        double price = (h[i].energy[a + 1] - h[i].energy[a]) / (h[i].time[a] - h[i].time[a + 1]);
        if (price >= least) continue;
        least = price;
        best = i;
    }
    return best;
}

/* Slower corners that still fit, the largest saving first. */
static void give_back(phase *h, size_t n, double allowed)
{
    for (;;) {
        double spare = allowed - total(h, n, 0), most = 0.0;
        size_t best = n, to = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t a = h[i].at; a-- > 0;) {
                double saved = h[i].energy[h[i].at] - h[i].energy[a];
                if (h[i].time[a] - h[i].time[h[i].at] > spare || saved <= most) continue;
                most = saved;
                best = i;
                to = a;
            }
        if (best == n) return;
        h[best].at = to;
    }
}

static ctw_status check(const ctw_power *const *device, const double *membound, const double *work_s, uint64_t n,
                        const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, MOST_PHASES, fn, "n"));
    CTW_TRY(ctw_base__need(device, fn, "device"));
    CTW_TRY(ctw_base__need(work_s, fn, "work_s"));
    CTW_TRY(ctw_base__all_in(work_s, n, 1, 1e-12, 1e12, fn, "work_s"));
    for (uint64_t i = 0; i < n; i++) {
        const ctw_power *p = device[i];
        CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, CTW_POWER_MAGIC, fn, "device"));
        CTW_TRY(ctw_power__check_membound(p, membound ? membound[i] : -1.0, fn));
        if (!(ctw_power__top(p) > 0.0) || !ctw_power__knows(p, 1.0))
            return ctw_base__fail(CTW_E_STATE, "%s: clocks and busy power of device[%llu] are not known", fn,
                                  (unsigned long long)i);
    }
    return CTW_OK;
}

static ctw_status choose(phase *h, uint64_t n, double work, double max_slowdown, double cap, const char *fn)
{
    double allowed = work * max_slowdown * (1.0 + 1e-12);
    int over = 0;
    for (uint64_t i = 0; i < n; i++) {
        int one;
        corners(&h[i], cap, &one);
        over |= one;
    }
    for (size_t i; total(h, (size_t)n, 0) > allowed && (i = cheapest(h, (size_t)n)) < n;) h[i].at++;
    if (over)
        return ctw_base__fail(CTW_E_INFEASIBLE, "%s: a phase draws more than cap_watts %g at its lowest point", fn,
                              cap);
    if (total(h, (size_t)n, 0) > allowed)
        return ctw_base__fail(CTW_E_INFEASIBLE, "%s: no clocks under the cap meet max_slowdown %g", fn, max_slowdown);
    give_back(h, (size_t)n, allowed);
    return CTW_OK;
}

ctw_status ctw_phases_choose(ctw_ctx *ctx, const ctw_power *const *device, const double *membound, const double *work_s,
                             uint64_t n, double max_slowdown, double cap_watts, double *mhz, double *joule,
                             double *slowdown)
{
    static const char *fn = "ctw_phases_choose";
    double work = 0.0;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(check(device, membound, work_s, n, fn));
    CTW_TRY(ctw_power__check_limit(max_slowdown, fn, "max_slowdown"));
    CTW_TRY(ctw_power__check_limit(cap_watts, fn, "cap_watts"));
    phase *h = ctw_base__alloc(ctx, n, sizeof *h);
    if (!h) return CTW_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        h[i].p = device[i];
        h[i].work = work_s[i];
        h[i].membound = membound ? membound[i] : -1.0;
        work += work_s[i];
    }
    ctw_status s = choose(h, n, work, max_slowdown, cap_watts, fn);
    for (uint64_t i = 0; mhz && i < n; i++) mhz[i] = h[i].mhz[h[i].at];
    if (joule) *joule = total(h, (size_t)n, 1);
    if (slowdown) *slowdown = total(h, (size_t)n, 0) / work;
    ctw_base__free(ctx, h);
    return s;
}
