/* real.c: inputs from public data on disk: hourly intensity of a region, a web site's request log, a cluster's job
 * trace, prompts with the lengths of their answers. Nothing of it comes with the repository; doc/twin.md says where
 * each file is to be had. */
#include "green_day.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_HOURS (24 * 730)
#define MAX_PROMPTS   8000

static ctw_csv *open_csv(ctw_ctx *ctx, const char *dir, const char *name)
{
    char path[4096];
    ctw_csv *csv = NULL;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) die("--data is too long");
    need(ctw_csv_open(ctx, path, &csv), "data");
    return csv;
}

static uint64_t column(const ctw_csv *csv, const char *name)
{
    uint64_t i = 0;
    need(ctw_csv_column(csv, name, &i), "data");
    return i;
}

static int next(ctw_csv *csv)
{
    int32_t more = 0;
    need(ctw_csv_next(csv, &more), "data");
    return more;
}

/* Appends to a growing array. */
static void push(double **v, size_t *n, size_t *cap, double x)
{
    if (*n == *cap) {
        *cap = *cap ? 2 * *cap : 4096;
        *v = realloc(*v, *cap * sizeof **v);
        if (!*v) die("out of memory");
    }
    (*v)[(*n)++] = x;
}

static void load_carbon(ctw_ctx *ctx, const options *o, inputs *in)
{
    char name[256], midnight[32];
    const char *time;
    snprintf(name, sizeof name, "carbon/%.64s_hourly.csv", o->region);
    snprintf(midnight, sizeof midnight, "%.10sT00:00Z", o->date);
    ctw_csv *csv = open_csv(ctx, o->data, name);
    uint64_t t = column(csv, "time_utc"), c = column(csv, "ci_lifecycle_gco2_kwh");
    double *all = NULL, v;
    size_t n = 0, cap = 0, day = SIZE_MAX;
    while (next(csv)) {
        need(ctw_csv_text(csv, t, &time, NULL), "data");
        need(ctw_csv_f64(csv, c, &v), "data");
        if (strcmp(time, midnight) == 0) day = n;
        push(&all, &n, &cap, v);
    }
    ctw_csv_unref(csv);
    if (day == SIZE_MAX) die("%s/%s has no %s", o->data, name, midnight);
    if (day < 24 * 28) die("%s/%s has only %zu hours before %s, four weeks are needed", o->data, name, day, o->date);
    if (n < day + 24) die("%s/%s ends before the day does", o->data, name);
    size_t first = day > HISTORY_HOURS ? day - HISTORY_HOURS : 0;
    in->n_history = day - first;
    in->history = room(in->n_history, sizeof *in->history);
    memcpy(in->history, all + first, in->n_history * sizeof *all);
    for (size_t i = 0; i < HOURS_AHEAD; i++) in->ci[i] = all[day + i < n ? day + i : n - 1];
    free(all);
    for (size_t i = 0; i < HOURS_AHEAD; i++)
        if (!isfinite(in->ci[i])) die("%s/%s has a gap on %s: choose another date", o->data, name, o->date);
}

/* A day of the log, chosen by the seed, smoothed over five minutes so that a missing minute is no outage. */
static void load_requests(ctw_ctx *ctx, const options *o, inputs *in, dice *d)
{
    ctw_csv *csv = open_csv(ctx, o->data, "load/wc98_requests_per_minute.csv");
    uint64_t c = column(csv, "requests");
    double *all = NULL, v, peak = 0.0;
    size_t n = 0, cap = 0;
    while (next(csv)) {
        need(ctw_csv_f64(csv, c, &v), "data");
        push(&all, &n, &cap, v);
    }
    ctw_csv_unref(csv);
    size_t days = n / 1440;
    if (days < 4) die("%s/load/wc98_requests_per_minute.csv holds fewer than four days", o->data);
    size_t first = 150 + 1440 * (2 + dice_below(d, days - 3)); /* the log begins at 21:30 */
    in->n_load = 1440;
    in->load = room(in->n_load, sizeof(double));
    for (size_t m = 0; m < in->n_load; m++) {
        for (size_t k = 0; k < 5; k++) in->load[m] += all[first + m - k] / 5.0;
        peak = fmax(peak, in->load[m]);
    }
    for (size_t m = 0; m < in->n_load; m++) in->load[m] = fmax(0.02, in->load[m] / fmax(peak, 1.0));
    free(all);
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Consecutive jobs of the trace from a place the seed chooses; the hour of the day is kept, the day is not. */
static void load_jobs(ctw_ctx *ctx, const options *o, inputs *in, dice *d)
{
    ctw_csv *csv = open_csv(ctx, o->data, "jobs/gaia_alibaba_pai2020_100k.csv");
    uint64_t a = column(csv, "arrival_h"), l = column(csv, "length_h");
    double *pair = NULL, v;
    size_t n = 0, cap = 0;
    while (next(csv)) {
        need(ctw_csv_f64(csv, a, &v), "data");
        push(&pair, &n, &cap, fmod(v, 24.0));
        need(ctw_csv_f64(csv, l, &v), "data");
        push(&pair, &n, &cap, v);
    }
    ctw_csv_unref(csv);
    size_t rows = n / 2, jobs = (size_t)o->jobs;
    if (rows < jobs) die("the job trace has %zu jobs, fewer than --jobs", rows);
    size_t first = dice_below(d, rows - jobs + 1);
    job_room(in, jobs);
    qsort(pair + 2 * first, jobs, 2 * sizeof *pair, by_time);
    for (size_t i = 0; i < jobs; i++) {
        in->arrival_s[i] = 3600.0 * pair[2 * (first + i)];
        in->work_s[i] = 3600.0 * fmin(6.0, fmax(0.1, pair[2 * (first + i) + 1]));
    }
    free(pair);
    job_promises(o, in, d);
}

/* Every other prompt is for fitting the length predictor, the rest is what users send. */
static void load_prompts(ctw_ctx *ctx, const options *o, inputs *in)
{
    ctw_csv *csv = open_csv(ctx, o->data, "llm/alpaca_vicuna7b_train.csv");
    uint64_t p = column(csv, "prompt"), k = column(csv, "output_tokens_t00"), len;
    in->prompt = room(MAX_PROMPTS, sizeof(char *));
    in->tokens = room(MAX_PROMPTS, sizeof(double));
    while (in->n_prompts < MAX_PROMPTS && next(csv)) {
        const char *text;
        double v;
        need(ctw_csv_text(csv, p, &text, &len), "data");
        need(ctw_csv_f64(csv, k, &v), "data");
        if (len == 0 || !(v >= 1.0)) continue;
        in->prompt[in->n_prompts] = room(len + 1, 1);
        memcpy(in->prompt[in->n_prompts], text, len);
        in->tokens[in->n_prompts++] = v;
    }
    ctw_csv_unref(csv);
    if (in->n_prompts < 100) die("%s/llm/alpaca_vicuna7b_train.csv has fewer than 100 prompts", o->data);
    in->n_train = in->n_prompts / 2;
}

void real_inputs(ctw_ctx *ctx, const options *o, inputs *in)
{
    dice d = {(uint64_t)o->seed * 0x9e3779b9u + 77};
    (void)days_from_text(o->date);
    load_carbon(ctx, o, in);
    load_requests(ctx, o, in, &d);
    load_jobs(ctx, o, in, &d);
    load_prompts(ctx, o, in);
    snprintf(
        in->source, sizeof in->source,
        "Real inputs: grid %s (hourly life-cycle intensity), WorldCup98 requests, Alibaba PAI jobs, Alpaca prompts",
        o->region);
}
