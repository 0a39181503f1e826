/* power_shape.c: load curves of servers (specpower_levels): how well a curve is known from idle and full load, from
 * three levels, and with one level left out. Curves of other machines come from --train, or are those of the other
 * machines in the same file. */
#include "power_commands.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 11, OPS = 0, WATTS = 10, IDLE = 20, CORES = 21, FEATURES = 3 };

static const char *const columns[] = {"ssj_ops_per_s_at_10",
                                      "ssj_ops_per_s_at_20",
                                      "ssj_ops_per_s_at_30",
                                      "ssj_ops_per_s_at_40",
                                      "ssj_ops_per_s_at_50",
                                      "ssj_ops_per_s_at_60",
                                      "ssj_ops_per_s_at_70",
                                      "ssj_ops_per_s_at_80",
                                      "ssj_ops_per_s_at_90",
                                      "ssj_ops_per_s_at_100",
                                      "avg_power_W_at_10",
                                      "avg_power_W_at_20",
                                      "avg_power_W_at_30",
                                      "avg_power_W_at_40",
                                      "avg_power_W_at_50",
                                      "avg_power_W_at_60",
                                      "avg_power_W_at_70",
                                      "avg_power_W_at_80",
                                      "avg_power_W_at_90",
                                      "avg_power_W_at_100",
                                      "active_idle_power_W",
                                      "cpu_cores",
                                      NULL};

typedef struct server {
    double util[LEVELS], watts[LEVELS], feature[FEATURES];
} server;

typedef struct servers {
    size_t n;
    server *at;
} servers;

/* Relative errors in percent, growing. */
typedef struct errors {
    double *v;
    size_t n, cap;
} errors;

static void push(errors *e, double percent)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 1024;
        e->v = realloc(e->v, e->cap * sizeof *e->v);
        if (!e->v) bench_die(3, "out of memory");
    }
    e->v[e->n++] = percent;
}

static servers load(bench *b, const char *path)
{
    bench_table *t = bench_load(b, path, columns);
    servers s = {.at = bench_alloc(t->rows + 1, sizeof *s.at)};
    for (size_t i = 0; i < t->rows; i++) {
        server *v = &s.at[s.n];
        double ops = t->value[OPS + 9][i], cores = t->value[CORES][i];
        v->util[0] = 0.0;
        v->watts[0] = t->value[IDLE][i];
        int fine = v->watts[0] > 0.0 && ops > 0.0;
        for (int k = 1; k < LEVELS; k++) {
            v->util[k] = fmin(1.0, t->value[OPS + k - 1][i] / ops);
            v->watts[k] = t->value[WATTS + k - 1][i];
            fine = fine && v->watts[k] > 0.0 && v->util[k] > v->util[k - 1];
        }
        if (!fine || !(v->watts[LEVELS - 1] > v->watts[0])) continue;
        if (!(cores > 0.0)) cores = 8.0;
        v->feature[0] = log(ops / v->watts[LEVELS - 1]);
        v->feature[1] = log(v->watts[LEVELS - 1] / cores);
        v->feature[2] = log(cores);
        s.n++;
    }
    if (s.n == 0) bench_die(2, "%s: no complete curve", path);
    if (s.n < t->rows)
        fprintf(stderr, "%s: %zu rows without a complete rising curve were left out\n", path, t->rows - s.n);
    bench_free(t);
    return s;
}

/* Memory of every machine but `skip`. */
static ctw_shapes *memory(bench *b, const servers *s, size_t skip)
{
    ctw_params *opt;
    ctw_shapes *m;
    bench_ok(ctw_params_new(b->ctx, "shapes", &opt), "params");
    bench_params(b, opt);
    bench_ok(ctw_shapes_new(b->ctx, opt, &m), "shapes");
    ctw_params_unref(opt);
    for (size_t i = 0; i < s->n; i++)
        if (i != skip)
            bench_ok(ctw_shapes_add(m, s->at[i].feature, FEATURES, s->at[i].util, s->at[i].watts, LEVELS), "add");
    return m;
}

/* Fits on the levels in `known`, predicts the levels in `asked`; also the straight line between idle and full load. */
static void try_levels(bench *b, const server *s, ctw_shapes *m, const int *known, int n_known, const int *asked,
                       int n_asked, errors *e, errors *line)
{
    double util[LEVELS], watts[LEVELS], out[LEVELS];
    ctw_power *p;
    for (int k = 0; k < n_known; k++) {
        util[k] = s->util[known[k]];
        watts[k] = s->watts[known[k]];
    }
    bench_ok(ctw_power_new(b->ctx, NULL, &p), "power");
    if (m) bench_ok(ctw_power_set_shapes(p, m, s->feature, FEATURES), "set_shapes");
    bench_ok(ctw_power_fit(p, NULL, util, watts, NULL, (uint64_t)n_known, NULL), "fit");
    for (int k = 0; k < n_asked; k++) util[k] = s->util[asked[k]];
    bench_ok(ctw_power_watts(p, NULL, util, (uint64_t)n_asked, out), "watts");
    for (int k = 0; k < n_asked; k++) {
        double truth = s->watts[asked[k]];
        double straight = s->watts[0] + (s->watts[LEVELS - 1] - s->watts[0]) * util[k];
        push(e, 100.0 * fabs(out[k] / truth - 1.0));
        if (line) push(line, 100.0 * fabs(straight / truth - 1.0));
    }
    ctw_power_unref(p);
}

static void print(bench *b, const char *known, const char *method, errors *e, size_t machines, size_t trained)
{
    double sum = 0.0;
    for (size_t i = 0; i < e->n; i++) sum += e->v[i];
    bench_begin(b);
    bench_out_str("task", "load");
    bench_out_str("known", known);
    bench_out_str("method", method);
    bench_out_f64("mape", sum / (double)e->n);
    bench_out_f64("mape_median", bench_median(e->v, e->n));
    bench_out_f64("mape_p95", power_quantile(e->v, e->n, 0.95));
    bench_out_i64("n", (int64_t)e->n);
    bench_out_i64("machines", (int64_t)machines);
    bench_out_i64("machines_in_memory", (int64_t)trained);
    bench_end();
    free(e->v);
    *e = (errors){0};
}

static void sweep_known(bench *b, const servers *s, const servers *train, const char *name, const int *known,
                        int n_known)
{
    errors e = {0}, line = {0}, plain = {0};
    int asked[LEVELS], n_asked = 0;
    for (int k = 0; k < LEVELS; k++) {
        int is = 0;
        for (int j = 0; j < n_known; j++) is |= known[j] == k;
        if (!is) asked[n_asked++] = k;
    }
    ctw_shapes *m = train ? memory(b, train, SIZE_MAX) : NULL;
    for (size_t i = 0; i < s->n; i++) {
        ctw_shapes *own = train ? m : memory(b, s, i);
        try_levels(b, &s->at[i], own, known, n_known, asked, n_asked, &e, &line);
        try_levels(b, &s->at[i], NULL, known, n_known, asked, n_asked, &plain, NULL);
        if (!train) ctw_shapes_unref(own);
    }
    ctw_shapes_unref(m);
    size_t trained = train ? train->n : s->n - 1;
    print(b, name, "shapes", &e, s->n, trained);
    print(b, name, "no-memory", &plain, s->n, 0);
    print(b, name, "straight", &line, s->n, 0);
}

static void leave_one_level(bench *b, const servers *s, const servers *train)
{
    errors e = {0}, line = {0}, plain = {0};
    ctw_shapes *m = train ? memory(b, train, SIZE_MAX) : NULL;
    for (size_t i = 0; i < s->n; i++) {
        ctw_shapes *own = train ? m : memory(b, s, i);
        for (int out = 1; out < LEVELS - 1; out++) {
            int known[LEVELS], n = 0;
            for (int k = 0; k < LEVELS; k++)
                if (k != out) known[n++] = k;
            try_levels(b, &s->at[i], own, known, n, &out, 1, &e, &line);
            try_levels(b, &s->at[i], NULL, known, n, &out, 1, &plain, NULL);
        }
        if (!train) ctw_shapes_unref(own);
    }
    ctw_shapes_unref(m);
    size_t trained = train ? train->n : s->n - 1;
    print(b, "all but one of 10-90 %", "shapes", &e, s->n, trained);
    print(b, "all but one of 10-90 %", "no-memory", &plain, s->n, 0);
    print(b, "all but one of 10-90 %", "straight", &line, s->n, 0);
}

int power_fit_load(bench *b)
{
    static const int two[] = {0, 10}, three[] = {0, 5, 10};
    const char *what = bench_str(b, "--leave-out", "all"), *train_path = bench_str(b, "--train", NULL);
    servers s = load(b, bench_need(b, "--fit")), train = {0};
    if (train_path) train = load(b, train_path);
    if (s.n < 2 && !train_path) bench_die(2, "one machine alone needs --train");
    const servers *from = train_path ? &train : NULL;
    if (strcmp(what, "level") != 0) {
        sweep_known(b, &s, from, "idle,100", two, 2);
        sweep_known(b, &s, from, "idle,50,100", three, 3);
    }
    if (strcmp(what, "device") != 0) leave_one_level(b, &s, from);
    free(s.at);
    free(train.at);
    return 0;
}
