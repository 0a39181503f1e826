/* power_limits.c: choosing a power limit for a training job by three trials (Zeus's layout: time per epoch and mean
 * power at each limit), against the best limit in hindsight. */
#include "power_commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GPU, DATASET, NETWORK, OPTIMIZER, BATCH, LIMIT, SECONDS, WATTS, MOST = 64 };

typedef struct row {
    const bench_table *t;
    size_t i;
} row;

static int same_job(const row *p, const row *q)
{
    for (int c = GPU; c <= OPTIMIZER; c++)
        if (strcmp(p->t->text[c][p->i], q->t->text[c][q->i]) != 0) return 0;
    return p->t->value[BATCH][p->i] == q->t->value[BATCH][q->i];
}

static int compare(const void *a, const void *b)
{
    const row *p = a, *q = b;
    for (int c = GPU; c <= OPTIMIZER; c++) {
        int d = strcmp(p->t->text[c][p->i], q->t->text[c][q->i]);
        if (d) return d;
    }
    for (int c = BATCH; c <= LIMIT; c++) {
        double x = p->t->value[c][p->i], y = q->t->value[c][q->i];
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

typedef struct totals {
    double saving, oracle, worst;
    size_t n, over, trials;
} totals;

static void one_job(bench *b, const row *r, size_t n, double bound, totals *sum)
{
    double limit[MOST], seconds[MOST], watts[MOST], next, best, slow, ratio;
    int32_t done = 0;
    ctw_limit *l;
    ctw_params *opt;
    for (size_t i = 0; i < n; i++) {
        limit[i] = r[i].t->value[LIMIT][r[i].i];
        seconds[i] = r[i].t->value[SECONDS][r[i].i];
        watts[i] = r[i].t->value[WATTS][r[i].i];
    }
    bench_ok(ctw_params_new(b->ctx, "limit", &opt), "params");
    bench_params(b, opt);
    bench_ok(ctw_limit_new(b->ctx, opt, limit, n, bound, &l), "limit");
    ctw_params_unref(opt);
    for (;;) {
        bench_ok(ctw_limit_next(l, &next, &done), "next");
        if (done) break;
        size_t i = 0;
        while (limit[i] != next) i++;
        bench_ok(ctw_limit_tell(l, next, seconds[i], watts[i]), "tell");
        sum->trials++;
    }
    bench_ok(ctw_limit_best(l, &best, &slow, &ratio), "best");
    ctw_limit_unref(l);
    double top = seconds[n - 1] * watts[n - 1], least = top;
    for (size_t i = 0; i < n; i++)
        if (seconds[i] <= bound * seconds[n - 1] * (1 + 1e-9)) least = fmin(least, seconds[i] * watts[i]);
    sum->saving += 1.0 - ratio;
    sum->oracle += 1.0 - least / top;
    sum->over += slow > bound * (1 + 1e-9);
    sum->worst = fmax(sum->worst, slow);
    sum->n++;
}

int power_fit_limits(bench *b)
{
    static const char *const wanted[] = {"$gpu",       "$dataset",      "$network",         "$optimizer",
                                         "batch_size", "power_limit_W", "time_per_epoch_s", "average_power_W",
                                         NULL};
    double bound = 1.0 + bench_f64(b, "--slowdown", 0.05);
    bench_table *t = bench_load(b, bench_need(b, "--fit"), wanted);
    row *rows = bench_alloc(t->rows + 1, sizeof *rows);
    totals sum = {0};
    size_t n = 0;
    for (size_t i = 0; i < t->rows; i++)
        if (t->value[SECONDS][i] > 0.0 && t->value[WATTS][i] > 0.0) rows[n++] = (row){t, i};
    qsort(rows, n, sizeof *rows, compare);
    for (size_t first = 0, last; first < n; first = last) {
        for (last = first + 1; last < n && last - first < MOST && same_job(&rows[first], &rows[last]); last++) {
        }
        if (last - first >= 3) one_job(b, rows + first, last - first, bound, &sum);
    }
    if (sum.n == 0) bench_die(2, "no job with at least three limits");
    bench_begin(b);
    bench_out_str("task", "limit");
    bench_out_f64("max_slowdown", bound);
    bench_out_f64("saving_pct", 100.0 * sum.saving / (double)sum.n);
    bench_out_f64("saving_oracle_pct", 100.0 * sum.oracle / (double)sum.n);
    bench_out_i64("violations", (int64_t)sum.over);
    bench_out_f64("worst_slowdown", sum.worst);
    bench_out_f64("trials", (double)sum.trials / (double)sum.n);
    bench_out_i64("n", (int64_t)sum.n);
    bench_end();
    free(rows);
    bench_free(t);
    return 0;
}
