/* power_rack.c: a rack of accelerators, each running one measured kernel, under a cap: loss of throughput with
 * models from three clocks, the plain splits in the same run; then the cap held over time while kernels change
 * unannounced and readings are noisy; then how fast ten thousand machines are split. */
#include "power_commands.h"
#include "power_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct rack {
    size_t n, points; /* machines; points of all together */
    uint64_t *first;
    double *watts, *slow;           /* as modelled, watts ascending */
    double *true_watts, *true_slow; /* as measured */
} rack;

static uint64_t random_state = 1;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2.0 * log(1.0 - uniform())) * cos(6.283185307179586 * uniform());
}

static rack make_rack(bench *b, const sweeps *set, const char *calibrate, size_t copies)
{
    rack r = {.n = set->n * copies};
    for (size_t i = 0; i < set->n; i++) r.points += set->at[i].n * copies;
    r.first = bench_alloc(r.n + 1, sizeof *r.first);
    r.watts = bench_alloc(4 * r.points, sizeof *r.watts);
    r.slow = r.watts + r.points;
    r.true_watts = r.slow + r.points;
    r.true_slow = r.true_watts + r.points;
    size_t at = 0;
    for (size_t i = 0; i < r.n; i++) {
        const sweep *s = &set->at[i % set->n];
        size_t pick[SWEEP_MAX], m = sweep_three(s, pick);
        if (strcmp(calibrate, "all") == 0)
            for (m = 0; m < s->n; m++) pick[m] = m;
        ctw_power *p = sweep_fit(b, s, pick, m, NULL);
        bench_ok(ctw_power_watts(p, s->mhz, NULL, s->n, r.watts + at), "watts");
        bench_ok(ctw_power_slowdown(p, s->mhz, NULL, s->n, r.slow + at), "slowdown");
        ctw_power_unref(p);
        for (size_t k = 0; k < s->n; k++) {
            r.true_watts[at + k] = s->watts[k];
            r.true_slow[at + k] = s->ms[k] / s->ms[s->n - 1];
            if (k && r.watts[at + k] <= r.watts[at + k - 1]) r.watts[at + k] = r.watts[at + k - 1] * (1.0 + 1e-9);
            if (r.slow[at + k] < 1.0) r.slow[at + k] = 1.0;
            if (k && r.slow[at + k] > r.slow[at + k - 1]) r.slow[at + k] = r.slow[at + k - 1];
        }
        at += s->n;
        r.first[i + 1] = at;
    }
    return r;
}

static void free_rack(rack *r)
{
    free(r->first);
    free(r->watts);
}

static double top_watts(const rack *r)
{
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++) sum += r->true_watts[r->first[i + 1] - 1];
    return sum;
}

typedef struct result {
    double watts, loss, worst;
} result;

static result judge(const rack *r, const int64_t *point)
{
    result s = {0, 0, 1};
    for (size_t i = 0; i < r->n; i++) {
        size_t k = r->first[i] + (size_t)point[i];
        s.watts += r->true_watts[k];
        s.loss += 100.0 * (1.0 - 1.0 / r->true_slow[k]) / (double)r->n;
        if (r->true_slow[k] > s.worst) s.worst = r->true_slow[k];
    }
    return s;
}

static ctw_rack *make_controller(bench *b, const rack *r)
{
    ctw_params *opt;
    ctw_rack *f;
    bench_ok(ctw_params_new(b->ctx, "rack", &opt), "params");
    bench_params(b, opt);
    bench_ok(ctw_rack_new(b->ctx, opt, &f), "rack");
    ctw_params_unref(opt);
    bench_ok(ctw_rack_set_machines(f, r->n, r->first, r->watts, r->slow, NULL, NULL), "machines");
    return f;
}

/* Splits, reads what the machines draw, splits again: the state after some periods. Only periods within the cap count.
 */
static result settle(bench *b, const rack *r, double budget, int periods, size_t *over)
{
    ctw_rack *f = make_controller(b, r);
    int64_t *point = bench_alloc(r->n, sizeof *point);
    double *drawn = bench_alloc(r->n, sizeof *drawn);
    result s = {0};
    *over = 0;
    for (int t = 0; t < periods; t++) {
        bench_ok(ctw_rack_split(f, budget, point, NULL, NULL), "split");
        s = judge(r, point);
        *over += t >= 2 && s.watts > 1.02 * budget;
        for (size_t i = 0; i < r->n; i++) drawn[i] = r->true_watts[r->first[i] + (size_t)point[i]];
        bench_ok(ctw_rack_observe(f, drawn, NULL), "observe");
    }
    ctw_rack_unref(f);
    free(point);
    free(drawn);
    return s;
}

/* The highest point index, the same for all machines of as many points, under the cap. */
static result uniform_clock(const rack *r, double budget)
{
    int64_t *point = bench_alloc(r->n, sizeof *point);
    result best = {0};
    for (int64_t j = 0;; j++) {
        int within = 1;
        for (size_t i = 0; i < r->n; i++) {
            within = within && r->first[i] + (size_t)j < r->first[i + 1];
            point[i] = j;
        }
        if (!within) break;
        result s = judge(r, point);
        if (s.watts <= budget) best = s;
    }
    free(point);
    return best;
}

/* Every machine at most the same wattage. */
static result equal_watts(const rack *r, double budget)
{
    int64_t *point = bench_alloc(r->n, sizeof *point);
    double lo = 0, hi = budget;
    result best = {0};
    for (int step = 0; step < 50; step++) {
        double cap = 0.5 * (lo + hi);
        for (size_t i = 0; i < r->n; i++) {
            point[i] = 0;
            for (size_t k = r->first[i]; k < r->first[i + 1]; k++)
                if (r->true_watts[k] <= cap) point[i] = (int64_t)(k - r->first[i]);
        }
        result s = judge(r, point);
        if (s.watts <= budget) {
            best = s;
            lo = cap;
        } else {
            hi = cap;
        }
    }
    free(point);
    return best;
}

static void print(bench *b, const char *gpu, const rack *r, double share, const char *method, result s)
{
    bench_begin(b);
    bench_out_str("task", "cap");
    bench_out_str("gpu", gpu);
    bench_out_i64("machines", (int64_t)r->n);
    bench_out_f64("cap_share", share);
    bench_out_str("method", method);
    bench_out_f64("used_share", s.watts / (share * top_watts(r)));
    bench_out_f64("loss_pct", s.loss);
    bench_out_f64("worst_slowdown", s.worst);
    bench_end();
}

/* Over `periods`, each machine swaps its kernel with another's now and then, and draws its table's power within some
 * per cent; the controller only sees the readings of the period before. */
static void track(bench *b, const char *gpu, const rack *r, double share, double noise, double change, int periods)
{
    ctw_rack *f = make_controller(b, r);
    int64_t *point = bench_alloc(r->n, sizeof *point);
    double *drawn = bench_alloc(r->n, sizeof *drawn), *wander = bench_alloc(r->n, sizeof *wander);
    size_t *runs = bench_alloc(r->n, sizeof *runs), over = 0, over5 = 0, counted = 0;
    double budget = share * top_watts(r), used = 0.0, worst = 0.0;
    for (size_t i = 0; i < r->n; i++) runs[i] = i;
    for (int t = 0; t < periods; t++) {
        double total = 0.0;
        bench_ok(ctw_rack_split(f, budget, point, NULL, NULL), "split");
        for (size_t i = 0; i < r->n; i++) {
            if (uniform() < change) runs[i] = (size_t)(uniform() * (double)r->n);
            wander[i] = 0.8 * wander[i] + 0.6 * noise * normal();
            size_t base = r->first[runs[i]], n = r->first[runs[i] + 1] - base;
            size_t k = (size_t)point[i] < n ? (size_t)point[i] : n - 1;
            drawn[i] = r->true_watts[base + k] * exp(wander[i]);
            total += drawn[i];
        }
        bench_ok(ctw_rack_observe(f, drawn, NULL), "observe");
        if (t < 2) continue;
        over += total > 1.02 * budget;
        over5 += total > 1.05 * budget;
        if (total / budget > worst) worst = total / budget;
        used += total / budget;
        counted++;
    }
    bench_begin(b);
    bench_out_str("task", "track");
    bench_out_str("gpu", gpu);
    bench_out_f64("cap_share", share);
    bench_out_f64("noise", noise);
    bench_out_f64("change_per_period", change);
    bench_out_i64("periods", (int64_t)counted);
    bench_out_f64("over_2pct_share", 100.0 * (double)over / (double)counted);
    bench_out_f64("over_5pct_share", 100.0 * (double)over5 / (double)counted);
    bench_out_f64("worst_over", worst);
    bench_out_f64("used_share", used / (double)counted);
    bench_out_f64("margin", ctw_rack_margin(f));
    bench_end();
    ctw_rack_unref(f);
    free(point);
    free(drawn);
    free(wander);
    free(runs);
}

static void time_split(bench *b, const sweeps *set, const char *gpu)
{
    rack r = make_rack(b, set, "3", 10000 / set->n + 1);
    ctw_rack *f = make_controller(b, &r);
    double t[9], budget = 0.8 * top_watts(&r);
    for (size_t k = 0; k < 9; k++) {
        double began = bench_cpu_s();
        bench_ok(ctw_rack_split(f, budget, NULL, NULL, NULL), "split");
        t[k] = bench_cpu_s() - began;
    }
    bench_begin(b);
    bench_out_str("task", "split-time");
    bench_out_str("gpu", gpu);
    bench_out_i64("machines", (int64_t)r.n);
    bench_out_f64("split_ms", 1e3 * bench_median(t, 9));
    bench_end();
    ctw_rack_unref(f);
    free_rack(&r);
}

int power_cap(bench *b)
{
    static const double shares[] = {0.9, 0.8, 0.7};
    const char *gpu = bench_need(b, "--gpu"), *calibrate = bench_str(b, "--calibrate", "3");
    double only = bench_f64(b, "--share", 0), noise = bench_f64(b, "--noise", 0.02);
    double change = bench_f64(b, "--change", 0.002);
    int periods = (int)bench_i64(b, "--periods", 5000);
    sweeps *set = sweeps_load(b, bench_need(b, "--cap"), gpu, bench_f64(b, "--min-mhz", 0), 0);
    rack r = make_rack(b, set, calibrate, 1);
    random_state = (uint64_t)bench_i64(b, "--seed", 1);
    for (size_t k = 0; k < 3; k++) {
        double share = only > 0.0 ? only : shares[k], budget = share * top_watts(&r);
        size_t over;
        if (only > 0.0 && k) break;
        print(b, gpu, &r, share, "rack, first split", settle(b, &r, budget, 1, &over));
        print(b, gpu, &r, share, "rack", settle(b, &r, budget, 20, &over));
        print(b, gpu, &r, share, "uniform clock", uniform_clock(&r, budget));
        print(b, gpu, &r, share, "equal watts", equal_watts(&r, budget));
        track(b, gpu, &r, share, noise, change, periods);
    }
    time_split(b, set, gpu);
    free_rack(&r);
    sweeps_free(set);
    return 0;
}
