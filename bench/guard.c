/* guard.c: ctw-bench guard: change detectors by their run lengths.
 *   --task arl      mean number of values until a false alarm in N(0,1)
 *   --task delay    N(0,1), N(shift,1) from value --at on: delay, false alarms before it, misses within 5000 values
 *   --task series   --data F.csv --column C --learn N [--change ROW]: alarms on a real series; with --change the delay
 * of the first one at or after that row, and the share of values before it that raised one Options of the detector by
 * --set key=value; --runs N (default 2000), --shift D (1), --at T (200). */
#include "commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64, Box and Muller: the stream of the bench, not of the library. */
static double normal(uint64_t *state)
{
    double u[2];
    for (int i = 0; i < 2; i++) {
        uint64_t z = (*state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        u[i] = (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
    }
    return sqrt(-2.0 * log(1.0 - u[0])) * cos(6.283185307179586 * u[1]);
}

typedef struct figures {
    double arl0, delay, false_alarms, missed, alarms;
} figures;

static ctw_detector *detector(bench *b, int64_t learn)
{
    ctw_params *p = NULL;
    ctw_detector *d = NULL;
    bench_ok(ctw_params_new(b->ctx, "detector", &p), "options");
    bench_ok(ctw_params_set_i64(p, "learn", learn), "learn");
    bench_params(b, p);
    bench_ok(ctw_detector_new(b->ctx, p, &d), "detector");
    ctw_params_unref(p);
    return d;
}

static figures task_arl(ctw_detector *d, uint64_t seed, int64_t runs)
{
    double total = 0.0;
    uint64_t state = seed;
    for (int64_t r = 0; r < runs; r++) {
        int32_t alarm = 0;
        bench_ok(ctw_detector_reset(d), "reset");
        for (int64_t n = 0; !alarm && n < 1000000; n++, total += 1.0) {
            double x = normal(&state);
            bench_ok(ctw_detector_push(d, &x, 1, NULL, &alarm), "push");
        }
    }
    return (figures){total / (double)runs, NAN, NAN, NAN, NAN};
}

static figures task_delay(ctw_detector *d, uint64_t seed, int64_t runs, double shift, int64_t at)
{
    double delay = 0.0, early = 0.0, missed = 0.0, found = 0.0;
    uint64_t state = seed;
    for (int64_t r = 0; r < runs; r++) {
        int32_t alarm = 0;
        int64_t n = 0;
        bench_ok(ctw_detector_reset(d), "reset");
        for (; !alarm && n < at + 5000; n++) {
            double x = normal(&state) + (n >= at ? shift : 0.0);
            bench_ok(ctw_detector_push(d, &x, 1, NULL, &alarm), "push");
        }
        if (!alarm) {
            missed += 1.0;
        } else if (n <= at) {
            early += 1.0;
        } else {
            found += 1.0;
            delay += (double)(n - at);
        }
    }
    return (figures){NAN, found > 0.0 ? delay / found : NAN, early / (double)runs, missed / (double)runs, NAN};
}

static figures task_series(bench *b, ctw_detector *d, const char *path, const char *column, int64_t change)
{
    const char *wanted[] = {column, NULL};
    bench_table *t = bench_load(b, path, wanted);
    figures f = {NAN, NAN, 0.0, NAN, 0.0};
    size_t before = 0, early = 0;
    for (size_t i = 0; i < t->rows; i++) {
        int32_t alarm = 0;
        if (isnan(t->value[0][i])) continue;
        bench_ok(ctw_detector_push(d, &t->value[0][i], 1, NULL, &alarm), "push");
        f.alarms += alarm != 0;
        if (change < 0 || (int64_t)i < change) {
            before++;
            early += alarm != 0;
        } else if (alarm && isnan(f.delay)) {
            f.delay = (double)((int64_t)i - change);
        }
    }
    f.false_alarms = before ? (double)early / (double)before : 0.0;
    bench_free(t);
    return f;
}

static double update_ns(ctw_detector *d, uint64_t seed)
{
    enum { N = 1 << 20 };
    double *x = bench_alloc(N, sizeof *x), best = INFINITY;
    for (size_t i = 0; i < N; i++) x[i] = normal(&seed);
    for (int rep = 0; rep < 5; rep++) {
        uint64_t used = 0, at = 0;
        double start = bench_cpu_s();
        while (at < N) {
            int32_t alarm;
            bench_ok(ctw_detector_push(d, x + at, N - at, &used, &alarm), "push");
            at += used;
        }
        best = fmin(best, (bench_cpu_s() - start) / N);
    }
    free(x);
    return 1e9 * best;
}

int bench_guard(bench *b)
{
    const char *task = bench_need(b, "--task");
    int64_t runs = bench_i64(b, "--runs", 2000), at = bench_i64(b, "--at", 200), learn = bench_i64(b, "--learn", 0),
            change = bench_i64(b, "--change", -1), first, last;
    double shift = bench_f64(b, "--shift", 1.0);
    const char *data = bench_str(b, "--data", NULL), *column = bench_str(b, "--column", "value");
    bench_seeds(b, &first, &last);
    ctw_detector *d = detector(b, learn);
    bench_no_more(b);
    if (runs < 1 || at < 0) bench_die(2, "--runs must be at least 1 and --at at least 0");
    for (int64_t seed = first; seed <= last; seed++) {
        figures f;
        if (strcmp(task, "arl") == 0)
            f = task_arl(d, (uint64_t)seed, runs);
        else if (strcmp(task, "delay") == 0)
            f = task_delay(d, (uint64_t)seed, runs, shift, at);
        else if (strcmp(task, "series") == 0 && data)
            f = task_series(b, d, data, column, change);
        else
            bench_die(2, "--task is \"%s\", must be arl, delay, or series with --data", task);
        bench_begin(b);
        bench_out_str("task", task);
        bench_out_i64("seed", seed);
        bench_out_f64("arl0", f.arl0);
        bench_out_f64("delay_mean", f.delay);
        bench_out_f64("false_alarm_rate", f.false_alarms);
        bench_out_f64("missed", f.missed);
        bench_out_f64("alarms", f.alarms);
        bench_out_f64("update_ns", update_ns(d, (uint64_t)seed));
        bench_end();
    }
    ctw_detector_unref(d);
    return 0;
}
