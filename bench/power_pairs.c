/* power_pairs.c: what the memory clock is worth to a governor: one server for each kernel under a recorded trace, with
 * a table of core clocks at the highest memory clock, and with all pairs. Both know five (three) measured pairs; power
 * and time are those measured at the pair ordered. Beside them the best fixed core clock and the best fixed pair that
 * keep the top point's deadlines in hindsight. Idle power goes with the options --idle-share (of the top power) and
 * --idle-memory (the part of it that goes with the memory clock): the data has none. Scored on the second half of the
 * trace. */
#include "power_pairs.h"

#include "power_govern.h"
#include <math.h>
#include <stdlib.h>

enum { CORE_FIXED, PAIR_FIXED, CORE, PAIR, METHODS, CELLS = 12 };

struct pairs_sweep {
    bench_table *trace;
    size_t cells, kernels;
    setting at[CELLS];
    double saving[CELLS][METHODS], diff[CELLS][METHODS], idle_share, idle_memory;
};

pairs_sweep *pairs_begin(bench *b)
{
    static const char *const columns[] = {"arrival_s", "context_tokens", "generated_tokens", NULL};
    static const double slos[] = {2, 5, 10}, loads[] = {0.1, 0.3, 0.5};
    pairs_sweep *s = bench_alloc(1, sizeof *s);
    double slo = bench_f64(b, "--slo", 0), rho = bench_f64(b, "--load", 0);
    s->trace = bench_load(b, bench_need(b, "--trace"), columns);
    s->idle_share = bench_f64(b, "--idle-share", 0.3);
    s->idle_memory = bench_f64(b, "--idle-memory", 0.2);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            if ((slo > 0.0 && i) || (rho > 0.0 && j)) continue;
            s->at[s->cells++] = (setting){.work = bench_str(b, "--work", "llm"),
                                          .sizes = "known",
                                          .slo = slo > 0.0 ? slo : slos[i],
                                          .rho = rho > 0.0 ? rho : loads[j]};
        }
    return s;
}

/* All pairs, or those of the highest memory clock. */
static truth make_truth(const pairs_sweep *s, const pairs *k, int both)
{
    truth d = {.n = 0};
    double top = k->mem[k->n - 1], seconds = k->seconds[k->n - 1], watts = k->watts[k->n - 1], x_top = k->mhz[k->n - 1];
    for (size_t i = 0; i < k->n; i++) {
        if (!both && k->mem[i] != top) continue;
        if (d.n == SWEEP_MAX) bench_die(2, "more than %d pairs", SWEEP_MAX);
        d.mhz[d.n] = k->mhz[i];
        d.mem[d.n] = both ? k->mem[i] : 0.0;
        d.slow[d.n] = k->seconds[i] / seconds;
        d.watts[d.n] = k->watts[i];
        d.idle[d.n++] =
            s->idle_share * watts * (0.8 - s->idle_memory + 0.2 * k->mhz[i] / x_top + s->idle_memory * k->mem[i] / top);
    }
    return d;
}

static ctw_governor *make_governor(bench *b, const pairs_sweep *s, const pairs *k, int both)
{
    size_t pick[5], n = 0;
    ctw_governor *g;
    truth d = make_truth(s, k, 1);
    double mhz[10], mem[10], util[10], watts[10], seconds[10];
    (void)pairs_five(k, pick);
    for (size_t i = both ? 0 : 2; i < 5; i++)
        for (int busy = 1; busy >= 0; busy--) {
            mhz[n] = k->mhz[pick[i]];
            mem[n] = k->mem[pick[i]];
            util[n] = busy;
            watts[n] = busy ? k->watts[pick[i]] : d.idle[pick[i]];
            seconds[n++] = busy ? k->seconds[pick[i]] : NAN;
        }
    ctw_power *p;
    double points[PAIRS_MOST];
    size_t m = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->mem[i] == k->mem[k->n - 1]) points[m++] = k->mhz[i];
    bench_ok(ctw_power_new(b->ctx, NULL, &p), "power");
    bench_ok(ctw_power_set_points(p, points, NULL, m), "points");
    bench_ok(ctw_governor_new(b->ctx, NULL, &g), "governor");
    if (both) {
        bench_ok(ctw_power_fit_memory(p, mhz, mem, util, watts, seconds, n, NULL), "fit");
        bench_ok(ctw_governor_set_device_memory(g, p), "device");
    } else {
        bench_ok(ctw_power_fit(p, mhz, util, watts, seconds, n, NULL), "fit");
        bench_ok(ctw_governor_set_device(g, p, -1.0), "device");
    }
    ctw_power_unref(p);
    return g;
}

static void one_cell(bench *b, pairs_sweep *s, const pairs *k, size_t cell)
{
    const setting *c = &s->at[cell];
    load *l = govern_load(s->trace, c);
    truth core = make_truth(s, k, 0), pair = make_truth(s, k, 1);
    score top = govern_fixed(&core, l, core.n - 1, l->half, l->n), r[METHODS];
    effort cost;
    r[CORE_FIXED] = govern_fixed(&core, l, govern_best_fixed(&core, l, 0.005, l->half, l->n), l->half, l->n);
    r[PAIR_FIXED] = govern_fixed(&pair, l, govern_best_fixed(&pair, l, 0.005, l->half, l->n), l->half, l->n);
    for (int both = 0; both < 2; both++) {
        ctw_governor *g = make_governor(b, s, k, both);
        r[both ? PAIR : CORE] = govern_run(both ? &pair : &core, l, g, c, &cost);
        ctw_governor_unref(g);
    }
    for (int m = 0; m < METHODS; m++) {
        s->saving[cell][m] += (top.joule / top.seconds) / (r[m].joule / r[m].seconds);
        s->diff[cell][m] += 100.0 * (r[m].met - top.met);
    }
    govern_load_free(l);
}

void pairs_govern(bench *b, pairs_sweep *s, const pairs *k)
{
    for (size_t i = 0; i < s->cells; i++) one_cell(b, s, k, i);
    s->kernels++;
}

void pairs_end(bench *b, pairs_sweep *s, const char *gpu)
{
    static const char *const names[METHODS] = {"best fixed core clock in hindsight", "best fixed pair in hindsight",
                                               "governor, core clock", "governor, both clocks"};
    double n = (double)s->kernels;
    for (size_t i = 0; i < s->cells; i++)
        for (int m = 0; m < METHODS; m++) {
            bench_begin(b);
            bench_out_str("task", "memory-govern");
            bench_out_str("gpu", gpu);
            bench_out_i64("kernels", (int64_t)s->kernels);
            bench_out_f64("slo", s->at[i].slo);
            bench_out_f64("load", s->at[i].rho);
            bench_out_str("method", names[m]);
            bench_out_f64("saving", s->saving[i][m] / n);
            bench_out_f64("attainment_diff_pp", s->diff[i][m] / n);
            bench_end();
        }
    bench_free(s->trace);
    free(s);
}
