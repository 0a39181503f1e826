/* power_data.c: groups the rows of a kernel table into sweeps. */
#include "power_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GPU, KIND, BENCHMARK, ARG, KERNEL, CORE, MEM, TIME, WATTS };

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
    double x = p->t->value[CORE][p->i], y = q->t->value[CORE][q->i];
    return (x > y) - (x < y);
}

static int same_kernel(const row *p, const row *q)
{
    for (int c = GPU; c <= KERNEL; c++)
        if (strcmp(p->t->text[c][p->i], q->t->text[c][q->i]) != 0) return 0;
    return 1;
}

static double top_memory(const bench_table *t, const char *gpu)
{
    double top = 0.0;
    for (size_t i = 0; i < t->rows; i++)
        if (strcmp(t->text[GPU][i], gpu) == 0 && t->value[MEM][i] > top) top = t->value[MEM][i];
    return top;
}

static void add_point(sweep *s, const row *r)
{
    double mhz = r->t->value[CORE][r->i];
    if (s->n == SWEEP_MAX || (s->n && mhz == s->mhz[s->n - 1])) return;
    s->mhz[s->n] = mhz;
    s->ms[s->n] = r->t->value[TIME][r->i];
    s->watts[s->n++] = r->t->value[WATTS][r->i];
}

sweeps *sweeps_load(bench *b, const char *path, const char *gpu, double min_mhz, int micro)
{
    static const char *const wanted[] = {"$gpu",     "$kind",   "$benchmark", "$arg",    "$kernel",
                                         "core_MHz", "mem_MHz", "time_ms",    "power_W", NULL};
    sweeps *s = bench_alloc(1, sizeof *s);
    s->table = bench_load(b, path, wanted);
    const bench_table *t = s->table;
    row *rows = bench_alloc(t->rows + 1, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < t->rows; i++) {
        if ((gpu && strcmp(t->text[GPU][i], gpu) != 0) || t->value[CORE][i] < min_mhz) continue;
        if (!micro && strcmp(t->text[KIND][i], "real") != 0) continue;
        if (!(t->value[TIME][i] > 0.0 && t->value[WATTS][i] > 0.0)) continue;
        if (t->value[MEM][i] == top_memory(t, t->text[GPU][i])) rows[n++] = (row){t, i};
    }
    qsort(rows, n, sizeof *rows, compare);
    s->at = bench_alloc(n + 1, sizeof *s->at);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !same_kernel(&rows[i - 1], &rows[i])) {
            size_t k = rows[i].i;
            s->at[s->n++] = (sweep){.gpu = t->text[GPU][k],
                                    .benchmark = t->text[BENCHMARK][k],
                                    .arg = t->text[ARG][k],
                                    .micro = strcmp(t->text[KIND][k], "real") != 0};
        }
        add_point(&s->at[s->n - 1], &rows[i]);
    }
    free(rows);
    if (s->n == 0) bench_die(2, "%s: no kernel of %s", path, gpu ? gpu : "any device");
    return s;
}

void sweeps_free(sweeps *s)
{
    bench_free(s->table);
    free(s->at);
    free(s);
}

size_t sweep_three(const sweep *s, size_t pick[3])
{
    pick[0] = 0;
    pick[1] = (size_t)lrint(0.5 * (double)(s->n - 1));
    pick[2] = s->n - 1;
    return 3;
}

ctw_power *sweep_fit(bench *b, const sweep *s, const size_t *pick, size_t m, const double *idle)
{
    double mhz[2 * SWEEP_MAX], util[2 * SWEEP_MAX], watts[2 * SWEEP_MAX], seconds[2 * SWEEP_MAX];
    size_t n = 0;
    ctw_power *p;
    for (size_t k = 0; k < m; k++, n++) {
        mhz[n] = s->mhz[pick[k]];
        util[n] = 1.0;
        watts[n] = s->watts[pick[k]];
        seconds[n] = s->ms[pick[k]] * 1e-3;
    }
    for (size_t k = 0; idle && k < m; k++, n++) {
        mhz[n] = s->mhz[pick[k]];
        util[n] = 0.0;
        watts[n] = idle[pick[k]];
        seconds[n] = NAN;
    }
    bench_ok(ctw_power_new(b->ctx, NULL, &p), "power");
    bench_ok(ctw_power_set_points(p, s->mhz, NULL, s->n), "points");
    bench_ok(ctw_power_fit(p, mhz, util, watts, seconds, n, NULL), "fit");
    return p;
}
