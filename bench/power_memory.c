/* power_memory.c: kernels measured over two clocks: each is known at five pairs (lowest, middle and highest core clock
 * at the highest memory clock, the two ends at the lowest) and predicted at all others. Beside it the model that does
 * not know of the memory clock. */
#include "power_pairs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GPU, KIND, BENCHMARK, ARG, KERNEL, CORE, MEM, TIME, WATTS, MOST = PAIRS_MOST };

typedef pairs kernel;

typedef struct errors {
    size_t n;
    double time[65536], watts[65536], time_plain[65536], watts_plain[65536];
} errors;

typedef struct row {
    const bench_table *t;
    size_t i;
} row;

static int compare(const void *a, const void *b)
{
    const row *p = a, *q = b;
    for (int c = GPU; c <= KERNEL; c++) {
        int d = strcmp(p->t->text[c][p->i], q->t->text[c][q->i]);
        if (d) return d;
    }
    for (int c = MEM; c >= CORE; c--) {
        double x = p->t->value[c][p->i], y = q->t->value[c][q->i];
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

static int same_kernel(const row *p, const row *q)
{
    for (int c = GPU; c <= KERNEL; c++)
        if (strcmp(p->t->text[c][p->i], q->t->text[c][q->i]) != 0) return 0;
    return 1;
}

/* The five measured pairs (few enough that a search for each is simplest); 0 when the kernel lacks a second clock. */
int pairs_five(const kernel *k, size_t pick[5])
{
    double low = k->mem[0], high = k->mem[k->n - 1];
    size_t at_high[MOST], at_low[MOST], nh = 0, nl = 0;
    for (size_t i = 0; i < k->n; i++) {
        if (k->mem[i] == high) at_high[nh++] = i;
        if (k->mem[i] == low) at_low[nl++] = i;
    }
    if (low == high || nh < 3 || nl < 2) return 0;
    size_t five[5] = {at_low[0], at_low[nl - 1], at_high[0], at_high[nh / 2], at_high[nh - 1]};
    memcpy(pick, five, sizeof five);
    return 1;
}

ctw_power *pairs_fit(bench *b, const kernel *k, const size_t *pick, size_t n, int both)
{
    double mhz[5], mem[5], watts[5], seconds[5];
    ctw_power *p;
    for (size_t i = 0; i < n; i++) {
        mhz[i] = k->mhz[pick[i]];
        mem[i] = k->mem[pick[i]];
        watts[i] = k->watts[pick[i]];
        seconds[i] = k->seconds[pick[i]];
    }
    bench_ok(ctw_power_new(b->ctx, NULL, &p), "power");
    if (both)
        bench_ok(ctw_power_fit_memory(p, mhz, mem, NULL, watts, seconds, n, NULL), "fit");
    else
        bench_ok(ctw_power_fit(p, mhz, NULL, watts, seconds, n, NULL), "fit");
    return p;
}

static void score(bench *b, const kernel *k, errors *e)
{
    size_t pick[5];
    if (!pairs_five(k, pick)) return;
    ctw_power *both = pairs_fit(b, k, pick, 5, 1), *one = pairs_fit(b, k, pick + 2, 3, 0);
    double top = k->seconds[pick[4]];
    for (size_t i = 0; i < k->n && e->n < 65536; i++) {
        double w, s, w1, s1;
        int known = 0;
        for (int j = 0; j < 5; j++) known |= pick[j] == i;
        if (known) continue;
        bench_ok(ctw_power_at_memory(both, &k->mhz[i], &k->mem[i], NULL, 1, &w, &s), "memory");
        bench_ok(ctw_power_watts(one, &k->mhz[i], NULL, 1, &w1), "watts");
        bench_ok(ctw_power_slowdown(one, &k->mhz[i], NULL, 1, &s1), "slowdown");
        e->time[e->n] = 100.0 * fabs(s * top / k->seconds[i] - 1.0);
        e->watts[e->n] = 100.0 * fabs(w / k->watts[i] - 1.0);
        e->time_plain[e->n] = 100.0 * fabs(s1 * top / k->seconds[i] - 1.0);
        e->watts_plain[e->n++] = 100.0 * fabs(w1 / k->watts[i] - 1.0);
    }
    ctw_power_unref(both);
    ctw_power_unref(one);
}

static double mean(const double *v, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += v[i] / (double)n;
    return sum;
}

static void print(bench *b, const char *gpu, size_t kernels, errors *e)
{
    bench_begin(b);
    bench_out_str("task", "memory");
    bench_out_str("gpu", gpu);
    bench_out_i64("kernels", (int64_t)kernels);
    bench_out_i64("n", (int64_t)e->n);
    bench_out_f64("time_mape", mean(e->time, e->n));
    bench_out_f64("time_p95", power_quantile(e->time, e->n, 0.95));
    bench_out_f64("watts_mape", mean(e->watts, e->n));
    bench_out_f64("watts_p95", power_quantile(e->watts, e->n, 0.95));
    bench_out_f64("time_mape_core_only", mean(e->time_plain, e->n));
    bench_out_f64("watts_mape_core_only", mean(e->watts_plain, e->n));
    bench_end();
}

int power_memory(bench *b)
{
    static const char *const wanted[] = {"$gpu",     "$kind",   "$benchmark", "$arg",    "$kernel",
                                         "core_MHz", "mem_MHz", "time_ms",    "power_W", NULL};
    const char *gpu = bench_need(b, "--gpu");
    bench_table *t = bench_load(b, bench_need(b, "--memory"), wanted);
    row *rows = bench_alloc(t->rows + 1, sizeof *rows);
    errors *e = bench_alloc(1, sizeof *e);
    pairs_sweep *sweep = bench_str(b, "--trace", NULL) ? pairs_begin(b) : NULL;
    size_t n = 0, kernels = 0;
    for (size_t i = 0; i < t->rows; i++)
        if (strcmp(t->text[GPU][i], gpu) == 0 && strcmp(t->text[KIND][i], "real") == 0 && t->value[TIME][i] > 0.0 &&
            t->value[WATTS][i] > 0.0)
            rows[n++] = (row){t, i};
    qsort(rows, n, sizeof *rows, compare);
    for (size_t i = 0; i < n;) {
        kernel k = {.n = 0};
        size_t first = i;
        for (; i < n && same_kernel(&rows[first], &rows[i]) && k.n < MOST; i++, k.n++) {
            k.mhz[k.n] = t->value[CORE][rows[i].i];
            k.mem[k.n] = t->value[MEM][rows[i].i];
            k.seconds[k.n] = 1e-3 * t->value[TIME][rows[i].i];
            k.watts[k.n] = t->value[WATTS][rows[i].i];
        }
        while (i < n && same_kernel(&rows[first], &rows[i])) i++;
        size_t before = e->n;
        score(b, &k, e);
        kernels += e->n > before;
        if (sweep && e->n > before) pairs_govern(b, sweep, &k);
    }
    if (e->n == 0) bench_die(2, "no kernel of %s with two memory clocks", gpu);
    print(b, gpu, kernels, e);
    if (sweep) pairs_end(b, sweep, gpu);
    free(e);
    free(rows);
    bench_free(t);
    return 0;
}
