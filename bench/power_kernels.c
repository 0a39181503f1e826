/* power_kernels.c: time and power of measured kernels over the clock: a kernel known at three clocks is predicted
 * at the others; the clock of least energy under a time bound is chosen; and, with --counters, the reaction to the
 * clock is predicted from counters at the top clock alone (each benchmark left out in turn, or --train-fit with
 * --train-counters). One line a device and question, with the plain models in the same run. */
#include "power_commands.h"
#include "power_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sums {
    double total, worst;
    size_t n, over;
    double p95[65536];
} sums;

static void push(sums *s, double percent)
{
    if (s->n < sizeof s->p95 / sizeof *s->p95) s->p95[s->n] = percent;
    s->total += percent;
    if (percent > s->worst) s->worst = percent;
    s->n++;
}

static void print(bench *b, const char *gpu, const char *what, const char *method, sums *s)
{
    size_t kept = s->n < sizeof s->p95 / sizeof *s->p95 ? s->n : sizeof s->p95 / sizeof *s->p95;
    bench_begin(b);
    bench_out_str("task", "frequency");
    bench_out_str("gpu", gpu);
    bench_out_str("quantity", what);
    bench_out_str("method", method);
    bench_out_f64("mape", s->n ? s->total / (double)s->n : NAN);
    bench_out_f64("mape_p95", kept ? power_quantile(s->p95, kept, 0.95) : NAN);
    bench_out_i64("n", (int64_t)s->n);
    bench_end();
}

/* Share of errors within two of the standard errors told. */
static void print_trust(bench *b, const char *gpu, const sums *s)
{
    bench_begin(b);
    bench_out_str("task", "confidence");
    bench_out_str("gpu", gpu);
    bench_out_f64("within_two_errors_pct", 100.0 * (double)s->over / (double)s->n);
    bench_out_i64("n", (int64_t)s->n);
    bench_end();
}

static int is_in(const size_t *pick, size_t m, size_t i)
{
    for (size_t k = 0; k < m; k++)
        if (pick[k] == i) return 1;
    return 0;
}

static double percent_off(double predicted, double truth)
{
    return 100.0 * fabs(predicted / truth - 1.0);
}

/* ---- three clocks ---- */

/* Straight line in the clock through the three power measurements, least squares. */
static double line_at(const sweep *s, const size_t *pick, size_t m, size_t i)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, n = (double)m;
    for (size_t k = 0; k < m; k++) {
        double x = s->mhz[pick[k]], y = s->watts[pick[k]];
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    return sy / n + slope * (s->mhz[i] - sx / n);
}

static void three_clocks(bench *b, const sweeps *set, const char *gpu)
{
    sums *t = bench_alloc(4, sizeof *t), *p = t + 1, *t0 = t + 2, *p0 = t + 3;
    size_t within = 0;
    for (size_t k = 0; k < set->n; k++) {
        const sweep *s = &set->at[k];
        size_t pick[3], m = sweep_three(s, pick);
        double watts[SWEEP_MAX], slow[SWEEP_MAX], error[SWEEP_MAX], top = s->ms[s->n - 1];
        if (strcmp(s->gpu, gpu) != 0 || s->n < 4) continue;
        ctw_power *model = sweep_fit(b, s, pick, m, NULL);
        bench_ok(ctw_power_watts(model, s->mhz, NULL, s->n, watts), "watts");
        bench_ok(ctw_power_slowdown(model, s->mhz, NULL, s->n, slow), "slowdown");
        bench_ok(ctw_power_slowdown_error(model, s->mhz, s->n, error), "error");
        for (size_t i = 0; i < s->n; i++) {
            if (is_in(pick, m, i)) continue;
            within += percent_off(slow[i] * top, s->ms[i]) <= 200.0 * error[i];
            push(t, percent_off(slow[i] * top, s->ms[i]));
            push(p, percent_off(watts[i], s->watts[i]));
            push(t0, percent_off(top * s->mhz[s->n - 1] / s->mhz[i], s->ms[i]));
            push(p0, percent_off(line_at(s, pick, m, i), s->watts[i]));
        }
        ctw_power_unref(model);
    }
    print(b, gpu, "T(f), 3 clocks", "model", t);
    t->over = within;
    print_trust(b, gpu, t);
    print(b, gpu, "T(f), 3 clocks", "inverse", t0);
    print(b, gpu, "P(f), 3 clocks", "model", p);
    print(b, gpu, "P(f), 3 clocks", "line", p0);
    free(t);
}

/* ---- curves, for a plot: quartiles over the kernels, so that what one kernel measured is not told ---- */

static void print_curve(bench *b, const char *gpu, const char *what, double x, int known, double *v, double *m,
                        size_t n)
{
    bench_begin(b);
    bench_out_str("task", "curve");
    bench_out_str("gpu", gpu);
    bench_out_str("quantity", what);
    bench_out_f64("clock", x);
    bench_out_i64("calibrated", known);
    for (int k = 1; k <= 3; k++) {
        static const char *const names[] = {"", "measured_q25", "measured_q50", "measured_q75"};
        bench_out_f64(names[k], power_quantile(v, n, 0.25 * k));
    }
    for (int k = 1; k <= 3; k++) {
        static const char *const names[] = {"", "model_q25", "model_q50", "model_q75"};
        bench_out_f64(names[k], power_quantile(m, n, 0.25 * k));
    }
    bench_end();
}

static void curves(bench *b, const sweeps *set, const char *gpu)
{
    size_t points = 0, n = 0, pick[3];
    double *v = bench_alloc(4 * (set->n + 1) * SWEEP_MAX, sizeof *v), clock[SWEEP_MAX] = {0};
    for (size_t k = 0; k < set->n; k++)
        if (strcmp(set->at[k].gpu, gpu) == 0 && set->at[k].n > points) points = set->at[k].n;
    double *col[4] = {v, v + set->n * points, v + 2 * set->n * points, v + 3 * set->n * points};
    for (size_t k = 0; k < set->n; k++) {
        const sweep *s = &set->at[k];
        double watts[SWEEP_MAX], slow[SWEEP_MAX];
        if (strcmp(s->gpu, gpu) != 0 || s->n != points) continue;
        ctw_power *model = sweep_fit(b, s, pick, sweep_three(s, pick), NULL);
        bench_ok(ctw_power_watts(model, s->mhz, NULL, s->n, watts), "watts");
        bench_ok(ctw_power_slowdown(model, s->mhz, NULL, s->n, slow), "slowdown");
        for (size_t i = 0; i < points; i++) {
            clock[i] = s->mhz[i] / s->mhz[points - 1];
            col[0][i * set->n + n] = s->watts[i] / s->watts[points - 1];
            col[1][i * set->n + n] = watts[i] / s->watts[points - 1];
            col[2][i * set->n + n] = s->ms[i] / s->ms[points - 1];
            col[3][i * set->n + n] = slow[i];
        }
        n++;
        ctw_power_unref(model);
    }
    for (size_t i = 0; n && i < points; i++) {
        int known = is_in(pick, 3, i);
        print_curve(b, gpu, "power", clock[i], known, col[0] + i * set->n, col[1] + i * set->n, n);
        print_curve(b, gpu, "time", clock[i], known, col[2] + i * set->n, col[3] + i * set->n, n);
    }
    free(v);
}

/* ---- the choice of a clock ---- */

static double least_energy(const sweep *s, double bound)
{
    double best = INFINITY;
    for (size_t i = 0; i < s->n; i++)
        if (s->ms[i] <= bound * s->ms[s->n - 1] * (1 + 1e-9)) best = fmin(best, s->ms[i] * s->watts[i]);
    return best;
}

static void choices(bench *b, const sweeps *set, const char *gpu, double margin)
{
    static const double bounds[] = {1.05, 1.1, 1.2, 1.3, 1.5, 2.0};
    sums *regret = bench_alloc(1, sizeof *regret);
    double decide_s = 0.0, fit_s = 0.0;
    size_t fits = 0;
    for (size_t k = 0; k < set->n; k++) {
        const sweep *s = &set->at[k];
        size_t pick[3], m = sweep_three(s, pick);
        if (strcmp(s->gpu, gpu) != 0 || s->n < 4) continue;
        double start = bench_cpu_s();
        ctw_power *model = sweep_fit(b, s, pick, m, NULL);
        fit_s += bench_cpu_s() - start;
        fits++;
        for (size_t j = 0; j < sizeof bounds / sizeof *bounds; j++) {
            double mhz, began = bench_cpu_s();
            for (int r = 0; r < 100; r++)
                bench_ok(ctw_power_choose(model, 1.0, -1.0, 1.0 + (bounds[j] - 1.0) * (1.0 - margin), INFINITY, &mhz,
                                          NULL, NULL),
                         "choose");
            decide_s += (bench_cpu_s() - began) / 100.0;
            size_t i = 0;
            while (s->mhz[i] != mhz) i++;
            double slow = s->ms[i] / s->ms[s->n - 1];
            push(regret, 100.0 * (s->ms[i] * s->watts[i] / least_energy(s, bounds[j]) - 1.0));
            regret->over += slow > 1.02 * bounds[j];
            if (slow / bounds[j] > regret->p95[65535]) regret->p95[65535] = slow / bounds[j];
        }
        ctw_power_unref(model);
    }
    bench_begin(b);
    bench_out_str("task", "choice");
    bench_out_str("gpu", gpu);
    bench_out_f64("energy_regret_pct", regret->total / (double)regret->n);
    bench_out_f64("energy_regret_p95_pct", power_quantile(regret->p95, regret->n, 0.95));
    bench_out_f64("over_bound_2pct_share", 100.0 * (double)regret->over / (double)regret->n);
    bench_out_f64("worst_over_bound_pct", 100.0 * (regret->p95[65535] - 1.0));
    bench_out_i64("n", (int64_t)regret->n);
    bench_out_f64("fit_us", 1e6 * fit_s / (double)fits);
    bench_out_f64("decide_ns", 1e9 * decide_s / (double)regret->n);
    bench_end();
    free(regret);
}

/* ---- counters at the top clock ---- */

enum { COUNTERS = 5, CLOCKS = SWEEP_MAX };

typedef struct kernel {
    const sweep *s;
    double counters[COUNTERS], slow[CLOCKS];
} kernel;

typedef struct kernels {
    size_t n, clocks;
    double clock[CLOCKS]; /* over the top, ascending; all kernels of a device share them */
    kernel *at;
} kernels;

static int fill_counters(const bench_table *t, const sweep *s, double out[COUNTERS])
{
    for (size_t i = 0; i < t->rows; i++) {
        if (t->value[4][i] != s->mhz[s->n - 1] || strcmp(t->text[0][i], s->gpu) != 0) continue;
        if ((strcmp(t->text[1][i], "real") != 0) != s->micro) continue;
        if (strcmp(t->text[2][i], s->benchmark) != 0 || strcmp(t->text[3][i], s->arg) != 0) continue;
        for (int c = 0; c < COUNTERS; c++) {
            double v = t->value[5 + c][i];
            out[c] = isnan(v) ? 0.0 : fmin(1.0, fmax(0.0, v));
        }
        return 1;
    }
    return 0;
}

static kernels join(bench *b, const sweeps *set, const char *path, const char *gpu)
{
    static const char *const wanted[] = {"$gpu",
                                         "$kind",
                                         "$benchmark",
                                         "$arg",
                                         "core_MHz",
                                         "dram_active_frac",
                                         "sm_active_frac",
                                         "sm_occupancy_frac",
                                         "fp32_active_frac",
                                         "fp64_active_frac",
                                         NULL};
    bench_table *t = bench_load(b, path, wanted);
    kernels k = {.at = bench_alloc(set->n + 1, sizeof *k.at)};
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->at[i].gpu, gpu) == 0 && set->at[i].n > k.clocks) {
            k.clocks = set->at[i].n;
            for (size_t j = 0; j < k.clocks; j++) k.clock[j] = set->at[i].mhz[j] / set->at[i].mhz[k.clocks - 1];
        }
    for (size_t i = 0; i < set->n; i++) {
        const sweep *s = &set->at[i];
        kernel *out = &k.at[k.n];
        if (strcmp(s->gpu, gpu) != 0 || s->n != k.clocks || !fill_counters(t, s, out->counters)) continue;
        out->s = s;
        for (size_t j = 0; j < s->n; j++) out->slow[j] = s->ms[j] / s->ms[s->n - 1];
        k.n++;
    }
    bench_free(t);
    return k;
}

static int64_t name_hash(const char *name)
{
    uint64_t h = 1469598103934665603u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
    return (int64_t)(h >> 1);
}

/* Learns from every kernel whose benchmark is not `skip`. Applications together weigh what micro-kernels do
 * together, of which there are many alike. */
static void learn(ctw_sensitivity *sense, const kernels *k, const char *skip, ctw_cancel *none)
{
    double *counters = bench_alloc(k->n + 1, sizeof(double) * COUNTERS),
           *weight = bench_alloc(k->n + 1, sizeof *weight);
    double *slow = bench_alloc((k->n + 1) * k->clocks, sizeof *slow);
    int64_t *group = bench_alloc(k->n + 1, sizeof *group);
    size_t n = 0, apps = 0, micro = 0;
    for (size_t i = 0; i < k->n; i++) *(k->at[i].s->micro ? &micro : &apps) += 1;
    for (size_t i = 0; i < k->n; i++) {
        if (skip && strcmp(k->at[i].s->benchmark, skip) == 0) continue;
        memcpy(counters + n * COUNTERS, k->at[i].counters, sizeof k->at[i].counters);
        memcpy(slow + n * k->clocks, k->at[i].slow, k->clocks * sizeof *slow);
        weight[n] = k->at[i].s->micro ? 1.0 : fmax(1.0, (double)micro / (double)(apps ? apps : 1));
        group[n++] = name_hash(k->at[i].s->benchmark);
    }
    bench_ok(ctw_sensitivity_fit(sense, counters, n, COUNTERS, k->clock, slow, k->clocks, group, weight, none),
             "learn");
    free(counters);
    free(weight);
    free(slow);
    free(group);
}

static void score_kernel(bench *b, const ctw_sensitivity *sense, const kernels *k, const kernel *one, sums *learned,
                         sums *rule)
{
    double membound, overlap, error, truth = 0.0, least = INFINITY, err = 0.0, plain = 0.0;
    bench_ok(ctw_sensitivity_predict(sense, one->counters, 1, COUNTERS, &membound, &overlap), "predict");
    bench_ok(ctw_sensitivity_error(sense, one->counters, 1, COUNTERS, &error), "error");
    (void)b;
    for (double m = 0.0; m <= 1.0; m += 0.01) { /* the memory-boundness that fits this kernel best */
        double off = 0.0;
        for (size_t j = 0; j + 1 < k->clocks; j++)
            off += percent_off(pow(m + (1.0 - m) * pow(k->clock[j], -overlap), 1.0 / overlap), one->slow[j]);
        if (off >= least) continue;
        least = off;
        truth = m;
    }
    learned->over += fabs(truth - membound) <= 2.0 * error;
    for (size_t j = 0; j + 1 < k->clocks; j++) {
        double s = pow(membound + (1.0 - membound) * pow(k->clock[j], -overlap), 1.0 / overlap);
        err += percent_off(s, one->slow[j]);
        plain += percent_off(one->counters[0] + (1.0 - one->counters[0]) / k->clock[j], one->slow[j]);
    }
    push(learned, err / (double)(k->clocks - 1));
    push(rule, plain / (double)(k->clocks - 1));
}

static void zero_shot(bench *b, const sweeps *set, const char *gpu, const char *counters, const sweeps *train,
                      const char *train_counters)
{
    kernels k = join(b, set, counters, gpu), known = {0};
    if (train) known = join(b, train, train_counters, gpu);
    sums *learned = bench_alloc(2, sizeof *learned), *rule = learned + 1;
    ctw_sensitivity *sense;
    if (k.n == 0) bench_die(2, "%s: no counters for kernels of %s", counters, gpu);
    bench_ok(ctw_sensitivity_new(b->ctx, &sense), "sensitivity");
    if (train) learn(sense, &known, NULL, NULL);
    for (size_t i = 0; i < k.n; i++) {
        if (k.at[i].s->micro) continue;
        if (!train) learn(sense, &k, k.at[i].s->benchmark, NULL);
        score_kernel(b, sense, &k, &k.at[i], learned, rule);
    }
    print_trust(b, gpu, learned);
    print(b, gpu, "T(f) from counters", "learned", learned);
    print(b, gpu, "T(f) from counters", "rule", rule);
    ctw_sensitivity_unref(sense);
    free(learned);
    free(k.at);
    free(known.at);
}

int power_fit_kernels(bench *b)
{
    const char *only = bench_str(b, "--gpu", NULL), *counters = bench_str(b, "--counters", NULL);
    const char *train_fit = bench_str(b, "--train-fit", NULL), *train_counters = bench_str(b, "--train-counters", NULL);
    double draw = bench_f64(b, "--curves", 0), min_mhz = bench_f64(b, "--min-mhz", 0),
           margin = bench_f64(b, "--margin", 0.0);
    sweeps *set = sweeps_load(b, bench_need(b, "--fit"), only, min_mhz, 0);
    sweeps *all = counters ? sweeps_load(b, bench_need(b, "--fit"), only, min_mhz, 1) : NULL;
    sweeps *train = train_fit ? sweeps_load(b, train_fit, only, min_mhz, 1) : NULL;
    for (size_t i = 0; i < set->n; i++) {
        const char *gpu = set->at[i].gpu;
        if (i && strcmp(gpu, set->at[i - 1].gpu) == 0) continue;
        if (draw > 0.0) {
            curves(b, set, gpu);
            continue;
        }
        three_clocks(b, set, gpu);
        choices(b, set, gpu, margin);
        if (counters) zero_shot(b, all, gpu, counters, train, train_counters);
    }
    sweeps_free(set);
    if (all) sweeps_free(all);
    if (train) sweeps_free(train);
    return 0;
}
