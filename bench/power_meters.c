/* power_meters.c: watts from counters of a node (Kepler's layout: first 60 % of the rows calibrate, the rest is
 * predicted, or --train FILE), and of an accelerator from utilisation and clock (10 s means of a 1 Hz log, each job
 * left out in turn). */
#include "power_commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
    size_t n, d;
    double *x, *watts;
    int *job;
} sample;

static void free_sample(sample *s)
{
    free(s->x);
    free(s->watts);
    free(s->job);
}

static ctw_meter *calibrate(bench *b, const double *x, size_t n, size_t d, const double *watts)
{
    ctw_params *opt;
    ctw_meter *m;
    bench_ok(ctw_params_new(b->ctx, "meter", &opt), "params");
    bench_params(b, opt);
    bench_ok(ctw_meter_new(b->ctx, opt, &m), "meter");
    bench_ok(ctw_meter_fit(m, x, n, d, d, watts, NULL), "fit");
    ctw_params_unref(opt);
    return m;
}

static void print(bench *b, const char *task, const char *method, double *e, size_t n, size_t trained)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += e[i];
    bench_begin(b);
    bench_out_str("task", task);
    bench_out_str("method", method);
    bench_out_f64("mape", sum / (double)n);
    bench_out_f64("mape_median", power_quantile(e, n, 0.5));
    bench_out_f64("mape_p95", power_quantile(e, n, 0.95));
    bench_out_i64("n", (int64_t)n);
    bench_out_i64("n_train", (int64_t)trained);
    bench_end();
}

/* ---- nodes ---- */

static sample load_node(bench *b, const char *path)
{
    static const char *const wanted[] = {"cpu_cycles",     "cpu_instructions", "cache_miss",      "bpf_cpu_time_us",
                                         "?package_power", "?dram_power",      "?platform_power", NULL};
    bench_table *t = bench_load(b, path, wanted);
    sample s = {.d = 4};
    s.x = bench_alloc(t->rows * 4 + 1, sizeof *s.x);
    s.watts = bench_alloc(t->rows + 1, sizeof *s.watts);
    if (!t->value[6] && !t->value[4]) bench_die(2, "%s: neither package_power nor platform_power", path);
    for (size_t i = 0; i < t->rows; i++) {
        double w = t->value[6] ? t->value[6][i] : t->value[4][i] + (t->value[5] ? t->value[5][i] : 0.0);
        int fine = w > 0.0;
        for (int c = 0; c < 4; c++) {
            s.x[4 * s.n + (size_t)c] = t->value[c][i];
            fine = fine && t->value[c][i] >= 0.0;
        }
        s.watts[s.n] = w;
        s.n += (size_t)fine;
    }
    bench_free(t);
    return s;
}

/* Straight line in the last counter (processor time), relative least squares. */
static double time_line(const sample *t, size_t n, double at)
{
    double s11 = 0, s12 = 0, s22 = 0, r1 = 0, r2 = 0;
    for (size_t i = 0; i < n; i++) {
        double a = 1.0 / t->watts[i], c = t->x[4 * i + 3] / t->watts[i];
        s11 += a * a;
        s12 += a * c;
        s22 += c * c;
        r1 += a;
        r2 += c;
    }
    double det = s11 * s22 - s12 * s12;
    return (r1 * s22 - r2 * s12) / det + at * (r2 * s11 - r1 * s12) / det;
}

int power_fit_node(bench *b)
{
    const char *train_path = bench_str(b, "--train", NULL);
    sample s = load_node(b, bench_need(b, "--fit")), t = {0};
    if (train_path)
        t = load_node(b, train_path);
    else
        t = s;
    size_t from = train_path ? 0 : (size_t)(0.6 * (double)s.n), trained = train_path ? t.n : from;
    if (trained < 10 || s.n - from < 1)
        bench_die(2, "%zu rows to calibrate, %zu to predict: too few", trained, s.n - from);
    ctw_meter *m = calibrate(b, t.x, trained, 4, t.watts);
    double *out = bench_alloc(s.n + 1, sizeof *out), *e = bench_alloc(s.n + 1, sizeof *e),
           *line = bench_alloc(s.n + 1, sizeof *line);
    double *online = bench_alloc(s.n + 1, sizeof *online);
    bench_ok(ctw_meter_predict(m, s.x + 4 * from, s.n - from, 4, 4, out, NULL), "predict");
    for (size_t i = from; i < s.n; i++) {
        double one;
        e[i - from] = 100.0 * fabs(out[i - from] / s.watts[i] - 1.0);
        line[i - from] = 100.0 * fabs(time_line(&t, trained, s.x[4 * i + 3]) / s.watts[i] - 1.0);
        bench_ok(ctw_meter_predict(m, s.x + 4 * i, 1, 4, 4, &one, NULL), "predict");
        online[i - from] = 100.0 * fabs(one / s.watts[i] - 1.0);
        (void)ctw_meter_update(m, s.x + 4 * i, 4, s.watts[i]);
    }
    print(b, "node", "meter", e, s.n - from, trained);
    print(b, "node", "meter, corrected online", online, s.n - from, trained);
    print(b, "node", "processor time", line, s.n - from, trained);
    ctw_meter_unref(m);
    free(out);
    free(e);
    free(line);
    free(online);
    free_sample(&s);
    if (train_path) free_sample(&t);
    return 0;
}

/* ---- an accelerator's log ---- */

enum { TERMS = 6 };

/* One window's counters: clock, its cube, and utilisation of cores and memory at it. */
static void window_terms(double u, double m, double x, double out[TERMS])
{
    out[0] = x;
    out[1] = x * x * x;
    out[2] = u * x;
    out[3] = u * x * x * x;
    out[4] = m * x;
    out[5] = u * m * x;
}

static sample load_log(bench *b, const char *path)
{
    static const char *const wanted[] = {"$job", "t_s", "gpu_util_pct", "mem_util_pct", "power_W", "sm_MHz", NULL};
    bench_table *t = bench_load(b, path, wanted);
    sample s = {.d = TERMS};
    double top = 0.0, sum[4] = {0};
    size_t in_window = 0;
    int job = 0;
    s.x = bench_alloc(t->rows * TERMS + 1, sizeof *s.x);
    s.watts = bench_alloc(t->rows + 1, sizeof *s.watts);
    s.job = bench_alloc(t->rows + 1, sizeof *s.job);
    for (size_t i = 0; i < t->rows; i++) top = fmax(top, t->value[5][i]);
    for (size_t i = 0; i < t->rows; i++) {
        sum[0] += t->value[2][i] / 100.0;
        sum[1] += t->value[3][i] / 100.0;
        sum[2] += t->value[4][i];
        sum[3] += t->value[5][i] / top;
        in_window++;
        int last = i + 1 == t->rows || strcmp(t->text[0][i], t->text[0][i + 1]) != 0;
        if (!last && floor(t->value[1][i] / 10.0) == floor(t->value[1][i + 1] / 10.0)) continue;
        if (in_window >= 5) {
            double n = (double)in_window;
            window_terms(sum[0] / n, sum[1] / n, sum[3] / n, s.x + s.n * TERMS);
            s.watts[s.n] = sum[2] / n;
            s.job[s.n++] = job;
        }
        memset(sum, 0, sizeof sum);
        in_window = 0;
        job += last;
    }
    bench_free(t);
    return s;
}

int power_fit_log(bench *b)
{
    sample s = load_log(b, bench_need(b, "--fit"));
    double *x = bench_alloc(s.n * TERMS + 1, sizeof *x), *w = bench_alloc(s.n + 1, sizeof *w);
    double *out = bench_alloc(s.n + 1, sizeof *out), *e = bench_alloc(s.n + 1, sizeof *e),
           *jobs = bench_alloc(s.n + 1, sizeof *jobs);
    size_t done = 0, n_jobs = 0;
    for (size_t first = 0, last; first < s.n; first = last) {
        size_t n = 0;
        double sum = 0.0;
        for (last = first; last < s.n && s.job[last] == s.job[first]; last++) {
        }
        for (size_t i = 0; i < s.n; i++) {
            if (i >= first && i < last) continue;
            memcpy(x + n * TERMS, s.x + i * TERMS, TERMS * sizeof *x);
            w[n++] = s.watts[i];
        }
        ctw_meter *m = calibrate(b, x, n, TERMS, w);
        bench_ok(ctw_meter_predict(m, s.x + first * TERMS, last - first, TERMS, TERMS, out, NULL), "predict");
        for (size_t i = first; i < last; i++) {
            e[done] = 100.0 * fabs(out[i - first] / s.watts[i] - 1.0);
            sum += e[done++];
        }
        jobs[n_jobs++] = sum / (double)(last - first);
        ctw_meter_unref(m);
    }
    print(b, "log, 10 s means", "meter", e, done, s.n);
    print(b, "log, 10 s means, per job", "meter", jobs, n_jobs, s.n);
    free(x);
    free(w);
    free(out);
    free(e);
    free(jobs);
    free_sample(&s);
    return 0;
}
