/* place_days.c: ctw-bench place-days: one instance on many days of real carbon intensity. Every day is planned three
 * times: jobs at their earliest (same packer), with the true intensities, and with those that the library's forecaster
 * predicts from the hours before; all three plans are then charged at the true ones. Says how much of the saving
 * survives the forecast. The plans are charged here, from their placements, not by the library. */
#include "commands.h"
#include "place_data.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY = 24 * 365 }; /* hours the forecaster learns from */

typedef struct grid {
    bench_table *table;
    size_t start; /* row of the first day */
    ctw_forecast *f;
} grid;

static void open_grid(bench *b, grid *g, const char *dir, const char *name, const char *date, int64_t hours)
{
    char path[1024];
    static const char *const wanted[] = {"ci_lifecycle_gco2_kwh", NULL};
    snprintf(path, sizeof path, "%s/%s_hourly.csv", dir, name);
    g->table = bench_load(b, path, wanted);
    int y, m, d, y0 = 0, m0 = 0, d0 = 0;
    FILE *f = fopen(path, "rb");
    char line[512];
    if (!f || !fgets(line, sizeof line, f) || !fgets(line, sizeof line, f) ||
        sscanf(line, "%4d-%2d-%2d", &y0, &m0, &d0) != 3 || sscanf(date, "%4d-%2d-%2d", &y, &m, &d) != 3) {
        bench_die(2, "%s or --date %s: no dates", path, date);
    }
    fclose(f);
    /* Days since 1 March of year 0 (proleptic Gregorian). */
    int a[2][3] = {{y0, m0, d0}, {y, m, d}};
    int64_t day[2];
    for (int i = 0; i < 2; i++) {
        int64_t yy = a[i][0] - (a[i][1] < 3), mm = (a[i][1] + 9) % 12;
        day[i] = 365 * yy + yy / 4 - yy / 100 + yy / 400 + (153 * mm + 2) / 5 + a[i][2] - 1;
    }
    int64_t row = (day[1] - day[0]) * 24;
    if (row < HISTORY || (uint64_t)(row + hours) > g->table->rows)
        bench_die(2, "%s: needs a year before %s and %lld hours after", path, date, (long long)hours);
    g->start = (size_t)row;
    bench_ok(ctw_forecast_new(b->ctx, NULL, &g->f), "forecast");
    bench_ok(ctw_forecast_fit(g->f, g->table->value[0] + row - HISTORY, HISTORY, 1, NULL, 0, 0, NULL), name);
}

/* Grams of the plan at the carbon in `d`, penalties of what did not run included. */
static double charge(const place_data *d, const ctw_solution *s, const double *truth)
{
    uint64_t n = ctw_solution_placement_count(s);
    int64_t *job = bench_alloc(n + 1, 8), *slot = bench_alloc(n + 1, 8), *node = bench_alloc(n + 1, 8),
            *server = bench_alloc(n + 1, 8);
    size_t *first = bench_alloc(d->classes + 1, sizeof *first);
    for (size_t i = 0; i < d->classes; i++) first[i + 1] = first[i] + (size_t)d->count[i];
    uint8_t *on = bench_alloc(first[d->classes] * d->slots + 1, 1);
    double grams = 0, penalty;
    ctw_report *r;
    bench_ok(ctw_solution_placements(s, job, NULL, slot, node, server, n), "placements");
    for (uint64_t i = 0; i < n; i++) {
        size_t k = (size_t)node[i], j = (size_t)job[i], t = (size_t)slot[i];
        uint8_t *seen = on + t * first[d->classes] + first[k] + (size_t)server[i];
        double watts = *seen ? 0 : d->idle[k];
        *seen = 1;
        for (size_t q = 0; q < PLACE_RESOURCES; q++)
            watts += d->demand[j * PLACE_RESOURCES + q] * d->watt[k * PLACE_RESOURCES + q];
        grams += watts * truth[(size_t)d->region[k] * d->slots + t] / 1000 * d->slot_s / 3600;
    }
    bench_ok(ctw_solution_report(s, &r), "report");
    bench_ok(ctw_report_get_f64(r, "penalty_g", &penalty), "penalty_g");
    ctw_report_unref(r);
    void *all[] = {job, slot, node, server, first, on};
    for (size_t i = 0; i < 6; i++) free(all[i]);
    return grams + penalty;
}

/* Solves with the carbon now in `d`; what it costs at the true one. */
static double plan(bench *b, const place_data *d, double deadline, const double *truth, double *bound)
{
    ctw_place *p = place_data_problem(b, d, "auto", -1);
    ctw_solution *s;
    ctw_report *r;
    bench_ok(ctw_place_solve(p, deadline, NULL, &s), "solve");
    bench_ok(ctw_place_verify(p, s), "verify");
    double g = charge(d, s, truth);
    if (bound) {
        bench_ok(ctw_solution_report(s, &r), "report");
        bench_ok(ctw_report_get_f64(r, "bound", bound), "bound");
        ctw_report_unref(r);
    }
    ctw_solution_unref(s);
    ctw_place_unref(p);
    return g;
}

typedef struct tally {
    double asap, truth, forecast, bound;
    double worst[2], best[2], sum[2]; /* savings of a day: truth, forecast */
} tally;

static void add_day(tally *t, double asap, double truth, double forecast, double bound)
{
    double saving[] = {(asap - truth) / asap, (asap - forecast) / asap};
    t->asap += asap;
    t->truth += truth;
    t->forecast += forecast;
    t->bound += bound;
    for (int i = 0; i < 2; i++) {
        t->worst[i] = fmin(t->worst[i], saving[i]);
        t->best[i] = fmax(t->best[i], saving[i]);
        t->sum[i] += saving[i];
    }
}

static void one_day(bench *b, place_data *d, grid *g, int64_t day, double deadline, tally *total)
{
    size_t n = d->regions * d->slots;
    double *truth = bench_alloc(n, 8), *ahead = bench_alloc(n, 8), *given = d->carbon, bound;
    int64_t *until = d->deadline, *early = bench_alloc(d->jobs + 1, 8);
    for (size_t r = 0; r < d->regions; r++) {
        size_t at = g[r].start + (size_t)day * 24;
        memcpy(truth + r * d->slots, g[r].table->value[0] + at, d->slots * 8);
        if (day > 0) bench_ok(ctw_forecast_update(g[r].f, g[r].table->value[0] + at - 24, 24, 1, NULL, 0), "update");
        bench_ok(ctw_forecast_predict(g[r].f, d->slots, 0.9, NULL, 0, ahead + r * d->slots, NULL, NULL), "predict");
    }
    for (size_t i = 0; i < n; i++) ahead[i] = fmax(0, ahead[i]);
    for (size_t i = 0; i < d->jobs; i++) early[i] = d->kind[i] ? until[i] : d->release[i] + d->duration[i];
    d->carbon = truth;
    double with_truth = plan(b, d, deadline, truth, &bound);
    d->deadline = early;
    double asap = plan(b, d, deadline, truth, NULL);
    d->deadline = until;
    d->carbon = ahead;
    double with_forecast = plan(b, d, deadline, truth, NULL);
    d->carbon = given;
    add_day(total, asap, with_truth, with_forecast, bound);
    free(truth);
    free(ahead);
    free(early);
}

static void print(const tally *t, int64_t days)
{
    static const char *const name[2][3] = {{"saving_mean", "saving_worst", "saving_best"},
                                           {"forecast_mean", "forecast_worst", "forecast_best"}};
    bench_out_i64("days", days);
    for (int i = 0; i < 2; i++) {
        bench_out_f64(name[i][0], t->sum[i] / (double)days);
        bench_out_f64(name[i][1], t->worst[i]);
        bench_out_f64(name[i][2], t->best[i]);
    }
    bench_out_f64("possible", (t->asap - t->bound) / t->asap);
    bench_out_f64("share_of_possible", (t->asap - t->truth) / (t->asap - t->bound));
    bench_out_f64("survives_forecast", (t->asap - t->forecast) / (t->asap - t->truth));
}

int bench_place_days(bench *b)
{
    const char *dir = bench_need(b, "--dir"), *data = bench_need(b, "--data"), *date = bench_need(b, "--date");
    int64_t days = bench_i64(b, "--days", 30);
    double deadline = bench_f64(b, "--deadline", 0);
    char *names = strdup(bench_need(b, "--regions")), *rest = NULL;
    tally total = {.worst = {INFINITY, INFINITY}, .best = {-INFINITY, -INFINITY}};
    place_data *d = place_data_load(b, dir);
    grid *g = bench_alloc(d->regions, sizeof *g);
    size_t n = 0;
    for (char *s = strtok_r(names, ",", &rest); s; s = strtok_r(NULL, ",", &rest), n++) {
        if (n == d->regions) bench_die(2, "--regions: %s has %zu", dir, d->regions);
        open_grid(b, g + n, data, s, date, days * 24 + (int64_t)d->slots);
    }
    if (n != d->regions) bench_die(2, "--regions: %s has %zu, not %zu", dir, d->regions, n);
    for (int64_t day = 0; day < days; day++) one_day(b, d, g, day, deadline, &total);
    bench_no_more(b);
    bench_begin(b);
    print(&total, days);
    bench_out_f64("cpu_s", bench_cpu_s());
    bench_end();
    for (size_t i = 0; i < n; i++) {
        bench_free(g[i].table);
        ctw_forecast_unref(g[i].f);
    }
    free(g);
    free(names);
    place_data_free(d);
    return 0;
}
