/* queue.c: ctw-bench queue: what a policy gains and costs on given lengths and arrivals.
 *   --lengths F.csv --column C       output tokens of the requests; drawn with replacement, except that a trace which
 *                                    is also the lengths file keeps its own
 *   --predictor oracle|random|column:NAME|train:FILE.csv[:COLUMN,...]
 *       column: a column of F with predicted tokens; with at most 16 different values they are classes, and each
 *       stands for the median length of its rows. train: the library's predictor, fitted on FILE, on F's prompts;
 * several columns are answers to the same prompts
 *   --arrivals poisson:RHO|gamma:RHO:CV|trace:FILE.csv:RHO|paper-poisson:RATE[..RATE]|paper-gamma:RATE:CV
 *       RHO is load relative to what first come first served can take
 *   --policy P[,P...]   --jobs N   --batching none|dynamic|continuous   --batch B
 *   --warm N    requests before the first one that counts (synthetic arrivals: N jobs / 5), so that the empty start
 * does not flatter; --runs N independent runs a seed, over which the figures are averaged (8; paper 20)
 *   --set key=value     options of kind "serving"
 * jct_reduction and share_of_oracle are fractions: of the mean under first come first served, and of what ordering by
 * the true lengths takes off it. */
#include "commands.h"
#include "metrics.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct workload {
    size_t rows;
    double *output, *predicted; /* by row of the lengths file */
    size_t trace_n;
    double *trace; /* arrival times of a trace from 0, NULL without one */
    int own;       /* the trace's own lengths */
    int paper;     /* 1 gamma, 2 poisson */
    double rho, cv, rate, last_rate;
    int64_t jobs, runs, warm;
} workload;

enum { MEAN, P50, P95, P99, MAX, SLOW, RATE, RATE25, AGEING, METRICS };
static const char *const metric[METRICS] = {"jct_mean",      "jct_p50",    "jct_p95",      "jct_p99", "jct_max",
                                            "slowdown_mean", "throughput", "throughput25", "ageing"};
static const char *const shown[METRICS] = {"jct_mean",      "jct_p50",    "p95",          "p99",   "max",
                                           "slowdown_mean", "throughput", "throughput25", "ageing"};

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x >> 11;
}

/* ---- predictors ---- */

static void predict_classes(workload *w, const double *label)
{
    double seen[16];
    size_t n = 0;
    for (size_t i = 0; i < w->rows; i++) {
        size_t k = 0;
        while (k < n && seen[k] != label[i]) k++;
        if (k < n) continue;
        if (n == 16) {
            memcpy(w->predicted, label, w->rows * sizeof *label);
            return;
        }
        seen[n++] = label[i];
    }
    double *v = bench_alloc(w->rows, sizeof *v);
    for (size_t k = 0; k < n; k++) {
        size_t m = 0;
        for (size_t i = 0; i < w->rows; i++)
            if (label[i] == seen[k]) v[m++] = w->output[i];
        double median = bench_median(v, m);
        for (size_t i = 0; i < w->rows; i++)
            if (label[i] == seen[k]) w->predicted[i] = median;
    }
    free(v);
}

/* The fit's columns: `column`, or those after the file's name. */
static ctw_lengths *train(bench *b, char *file, const char *column)
{
    const char *wanted[18] = {"$prompt"};
    char *other = strchr(file, ':');
    size_t n = 0;
    if (other) *other++ = 0;
    for (char *c = other ? strtok(other, ",") : NULL; c && n < 16; c = strtok(NULL, ",")) wanted[++n] = c;
    if (!n) wanted[++n] = column;
    bench_table *t = bench_load(b, file, wanted);
    double *tokens = bench_alloc(t->rows * n, sizeof *tokens);
    for (size_t i = 0; i < t->rows * n; i++) tokens[i] = t->value[1 + i % n][i / n];
    ctw_params *p;
    ctw_lengths *l;
    bench_ok(ctw_params_new(b->ctx, "lengths", &p), "options");
    bench_ok(ctw_params_set_i64(p, "samples", (int64_t)n), "columns");
    bench_ok(ctw_lengths_new(b->ctx, p, &l), "predictor");
    bench_ok(ctw_lengths_fit(l, (const char *const *)t->text[0], NULL, t->rows, tokens, n, NULL), "fit");
    ctw_params_unref(p);
    free(tokens);
    bench_free(t);
    return l;
}

static void predict_trained(bench *b, workload *w, char **prompt, char *file, const char *column)
{
    ctw_lengths *l = train(b, file, column);
    for (size_t i = 0; i < w->rows; i++)
        bench_ok(ctw_lengths_predict(l, prompt[i], strlen(prompt[i]), 0, 0.5, &w->predicted[i]), "predict");
    ctw_lengths_unref(l);
}

static void load_lengths(bench *b, workload *w, const char *path, const char *column, const char *predictor)
{
    const char *wanted[] = {column, NULL, NULL};
    char *copy = strdup(predictor);
    int trained = !strncmp(predictor, "train:", 6), by_column = !strncmp(predictor, "column:", 7);
    if (trained) wanted[1] = "$prompt";
    if (by_column) wanted[1] = predictor + 7;
    bench_table *t = bench_load(b, path, wanted);
    w->rows = t->rows;
    w->output = bench_alloc(t->rows, sizeof *w->output);
    w->predicted = bench_alloc(t->rows, sizeof *w->predicted);
    if (!t->rows) bench_die(2, "%s: no rows", path);
    memcpy(w->output, t->value[0], t->rows * sizeof *w->output);
    memcpy(w->predicted, w->output, t->rows * sizeof *w->output);
    for (size_t i = 0; i < t->rows; i++)
        if (!(w->output[i] >= 0)) bench_die(2, "%s: row %zu has no length in %s", path, i + 1, column);
    if (trained)
        predict_trained(b, w, t->text[1], copy + 6, column);
    else if (by_column)
        predict_classes(w, t->value[1]);
    else if (!strcmp(predictor, "random"))
        w->rows = t->rows;
    else if (strcmp(predictor, "oracle") != 0)
        bench_die(2, "--predictor %s is none of oracle, random, column:NAME, train:FILE", predictor);
    free(copy);
    bench_free(t);
}

/* ---- arrivals ---- */

static void load_trace(bench *b, workload *w, const char *path)
{
    const char *wanted[] = {"arrival_s", NULL};
    bench_table *t = bench_load(b, path, wanted);
    if (t->rows < 2) bench_die(2, "%s: a trace needs two arrivals", path);
    w->trace_n = t->rows;
    w->trace = bench_alloc(t->rows, sizeof *w->trace);
    for (size_t i = 0; i < t->rows; i++) {
        w->trace[i] = t->value[0][i] - t->value[0][0];
        if (!(w->trace[i] >= (i ? w->trace[i - 1] : 0)))
            bench_die(2, "%s: arrival %zu is before the one before it", path, i + 1);
    }
    bench_free(t);
}

static void parse_arrivals(bench *b, workload *w, const char *spec, const char *lengths)
{
    char path[4096];
    w->cv = 1;
    const char *last = strrchr(spec, ':');
    if (!strncmp(spec, "trace:", 6) && last > spec + 6 && (size_t)(last - spec) < sizeof path) {
        snprintf(path, sizeof path, "%.*s", (int)(last - spec - 6), spec + 6);
        w->rho = atof(last + 1);
        w->own = !strcmp(path, lengths);
        load_trace(b, w, path);
    } else if (!strncmp(spec, "paper-poisson:", 14)) {
        const char *range = strstr(spec, "..");
        w->paper = 2;
        w->rate = floor(atof(spec + 14));
        w->last_rate = range ? floor(atof(range + 2)) : w->rate;
        if (w->last_rate < w->rate || w->last_rate > w->rate + 100) bench_die(2, "--arrivals %s: no such range", spec);
    } else if (sscanf(spec, "paper-gamma:%lf:%lf", &w->rate, &w->cv) == 2) {
        w->paper = 1;
        w->last_rate = w->rate;
    } else if (sscanf(spec, "gamma:%lf:%lf", &w->rho, &w->cv) != 2 && sscanf(spec, "poisson:%lf", &w->rho) != 1) {
        bench_die(2, "--arrivals %s is no arrival process that is known", spec);
    }
    if (w->paper ? !(w->rate > 0) : !(w->rho > 0)) bench_die(2, "--arrivals %s: the load must be positive", spec);
}

/* Requests of one seed. */
typedef struct sample {
    size_t n;
    double *arrival, *output, *predicted;
} sample;

static void draw_jobs(const workload *w, uint64_t *x, const char *predictor, sample *m)
{
    for (size_t i = 0; i < m->n; i++) {
        size_t k = w->own ? i : (size_t)(next_random(x) % w->rows);
        m->output[i] = w->output[k];
        m->predicted[i] = w->predicted[k];
        if (!strcmp(predictor, "random")) m->predicted[i] = w->output[next_random(x) % w->rows];
    }
}

static void draw_arrivals(const workload *w, const ctw_serving *s, uint64_t draw, double rate, uint64_t *x, sample *m)
{
    double capacity;
    if (w->paper == 2) { /* counts of each second, by Knuth's product of uniforms */
        double t = 0;
        for (size_t i = 0; i < m->n; t += 1) {
            double left = exp(-rate), p = 1;
            while ((p *= (double)next_random(x) / 9007199254740992.0) > left && i < m->n) m->arrival[i++] = t;
        }
        return;
    }
    if (w->paper) {
        bench_ok(ctw_serving_arrivals(s, rate, w->cv, 1, draw, m->arrival, m->n), "arrivals");
        return;
    }
    bench_ok(ctw_serving_capacity(s, NULL, w->output, w->rows, &capacity), "capacity");
    if (!w->trace) {
        bench_ok(ctw_serving_arrivals(s, w->rho * capacity, w->cv, 0, draw, m->arrival, m->n), "arrivals");
        return;
    }
    double natural = (double)(w->trace_n - 1) / w->trace[w->trace_n - 1];
    for (size_t i = 0; i < m->n; i++) m->arrival[i] = w->trace[i] * natural / (w->rho * capacity);
}

static void simulate(const ctw_serving *s, const sample *m, int paper, double *out)
{
    ctw_report *r;
    if (paper)
        bench_ok(ctw_serving_run_paper(s, m->arrival, m->output, m->predicted, m->n, &r), "run");
    else
        bench_ok(ctw_serving_run(s, m->arrival, NULL, m->output, m->predicted, m->n, NULL, &r), "run");
    for (int k = 0; k < METRICS; k++)
        if (ctw_report_get_f64(r, metric[k], &out[k])) out[k] = NAN;
    ctw_report_unref(r);
}

/* ---- results ---- */

enum { FCFS_MEAN = METRICS, FCFS_P99, FCFS_MAX, REDUCTION, SHARE, RATIO99, RATIO_MAX, THR25_RATIO, THR_RATIO, FIGURES };
static const char *const figure[FIGURES] = {[FCFS_MEAN] = "fcfs_jct_mean",
                                            [FCFS_P99] = "fcfs_p99",
                                            [FCFS_MAX] = "fcfs_max",
                                            [REDUCTION] = "jct_reduction",
                                            [SHARE] = "share_of_oracle",
                                            [RATIO99] = "p99_over_fcfs",
                                            [RATIO_MAX] = "max_over_fcfs",
                                            [THR25_RATIO] = "throughput25_over_fcfs",
                                            [THR_RATIO] = "throughput_over_fcfs"};

static const char *key_of(int k)
{
    return k < METRICS ? shown[k] : figure[k];
}

static void compare(const double *own, const double *fcfs, const double *oracle, double *out)
{
    memcpy(out, own, METRICS * sizeof *out);
    out[FCFS_MEAN] = fcfs[MEAN];
    out[FCFS_P99] = fcfs[P99];
    out[FCFS_MAX] = fcfs[MAX];
    out[REDUCTION] = 1 - own[MEAN] / fcfs[MEAN];
    out[SHARE] = (fcfs[MEAN] - own[MEAN]) / (fcfs[MEAN] - oracle[MEAN]);
    out[RATIO99] = own[P99] / fcfs[P99];
    out[RATIO_MAX] = own[MAX] / fcfs[MAX];
    out[THR25_RATIO] = own[RATE25] / fcfs[RATE25];
    out[THR_RATIO] = own[RATE] / fcfs[RATE];
}

typedef struct contest {
    bench *b;
    const workload *w;
    const char *predictor, *batching;
    int64_t batch;
    size_t n; /* policies; then fcfs and sjf follow */
    char **policy;
    ctw_serving **s;
} contest;

static ctw_serving *service(bench *b, const contest *c, const char *policy, const char *ageing)
{
    ctw_params *p;
    ctw_serving *s;
    bench_ok(ctw_params_new(b->ctx, "serving", &p), "options");
    bench_ok(ctw_params_set_str(p, "batching", c->batching), "--batching");
    bench_ok(ctw_params_set_i64(p, "batch", c->batch), "--batch");
    bench_ok(ctw_params_set_str(p, "policy", policy), "--policy");
    bench_ok(ctw_params_set_i64(p, "warmup", c->w->warm), "--warm");
    if (ageing) bench_ok(ctw_params_set_text(p, "ageing", ageing), "--ageing");
    bench_params(b, p);
    bench_ok(ctw_serving_new(b->ctx, p, &s), "service");
    ctw_params_unref(p);
    return s;
}

/* One seed, all policies on the same requests; steady state or a mean over the paper's runs and rates. */
static void run_seed(const contest *c, int64_t seed, double (*out)[FIGURES])
{
    const workload *w = c->w;
    size_t all = c->n + 2;
    sample m = {.n = w->trace && w->trace_n < (size_t)w->jobs ? w->trace_n : (size_t)(w->jobs + w->warm)};
    m.arrival = bench_alloc(m.n, sizeof *m.arrival);
    m.output = bench_alloc(m.n, sizeof *m.output);
    m.predicted = bench_alloc(m.n, sizeof *m.predicted);
    double(*got)[METRICS] = bench_alloc(all, sizeof *got), one[METRICS], figures[FIGURES];
    uint64_t x = ((uint64_t)seed + 1) * 0x9E3779B97F4A7C15u, draw = (uint64_t)seed * 4096;
    double rates = w->paper ? floor(w->last_rate - w->rate) + 1 : 1;
    for (size_t p = 0; p < c->n; p++) memset(out[p], 0, sizeof out[p]);
    for (double k = 0; k < rates; k++) {
        memset(got, 0, all * sizeof *got);
        for (int64_t run = 0; run < w->runs; run++) {
            draw_jobs(w, &x, c->predictor, &m);
            draw_arrivals(w, c->s[0], draw++, w->rate + k, &x, &m);
            for (size_t p = 0; p < all; p++) {
                simulate(c->s[p], &m, w->paper, one);
                for (int f = 0; f < METRICS; f++) got[p][f] += one[f] / (double)w->runs;
            }
        }
        for (size_t p = 0; p < c->n; p++) {
            compare(got[p], got[c->n], got[c->n + 1], figures);
            for (int f = 0; f < FIGURES; f++) out[p][f] += figures[f] / rates;
        }
    }
    free(m.arrival);
    free(m.output);
    free(m.predicted);
    free(got);
}

static void label(const contest *c, size_t p)
{
    bench_out_str("policy", c->policy[p]);
    bench_out_str("batching", c->batching);
    bench_out_i64("batch", c->batch);
    bench_out_str("predictor", c->predictor);
}

static void run_all(const contest *c, int64_t first, int64_t last)
{
    size_t seeds = (size_t)(last - first + 1);
    double(*out)[FIGURES] = bench_alloc(seeds * c->n, sizeof *out), *column = bench_alloc(seeds, sizeof *column);
    for (size_t k = 0; k < seeds; k++) {
        run_seed(c, first + (int64_t)k, out + k * c->n);
        for (size_t p = 0; p < c->n; p++) {
            bench_begin(c->b);
            bench_out_i64("seed", first + (int64_t)k);
            label(c, p);
            for (int f = 0; f < FIGURES; f++) bench_out_f64(key_of(f), out[k * c->n + p][f]);
            bench_end();
        }
    }
    for (size_t p = 0; p < c->n && seeds > 1; p++) {
        bench_begin(c->b);
        bench_out_bool("aggregate", 1);
        label(c, p);
        for (int f = 0; f < FIGURES; f++) {
            for (size_t k = 0; k < seeds; k++) column[k] = out[k * c->n + p][f];
            bench_out_mean(key_of(f), column, seeds);
        }
        bench_end();
    }
    free(out);
    free(column);
}

int bench_queue(bench *b)
{
    int64_t first, last;
    workload w = {.rows = 0};
    const char *lengths = bench_need(b, "--lengths"), *column = bench_need(b, "--column");
    contest c = {.b = b, .w = &w, .predictor = bench_str(b, "--predictor", "oracle")};
    const char *arrivals = bench_need(b, "--arrivals"), *ageing = bench_str(b, "--ageing", NULL);
    c.batching = bench_str(b, "--batching", "none");
    c.batch = bench_i64(b, "--batch", strcmp(c.batching, "none") ? 8 : 1);
    char *list = strdup(bench_str(b, "--policy", "fcfs,sjf,ssjf,guarded,strict"));
    int paper = !strncmp(arrivals, "paper", 5), trace = !strncmp(arrivals, "trace:", 6);
    w.jobs = bench_i64(b, "--jobs", trace ? 1 << 24 : paper ? 50 : 5000);
    w.warm = bench_i64(b, "--warm", trace || paper ? 0 : w.jobs / 5);
    w.runs = bench_i64(b, "--runs", paper ? 20 : 8);
    bench_seeds(b, &first, &last);
    for (size_t i = 0; bench_nth(b, "--set", i); i++) {
    }
    bench_no_more(b);
    if (w.jobs < 8 || w.runs < 1 || w.warm < 0 || ((trace || paper) && w.warm))
        bench_die(2, "--jobs must be at least 8, --runs at least 1, --warm at least 0 and 0 for traces");
    load_lengths(b, &w, lengths, column, c.predictor);
    parse_arrivals(b, &w, arrivals, lengths);
    if (w.own) w.runs = 1;
    char *policy[16];
    for (char *p = strtok(list, ","); p && c.n < 14; p = strtok(NULL, ",")) policy[c.n++] = p;
    policy[c.n] = "fcfs";
    policy[c.n + 1] = "sjf";
    ctw_serving *s[16];
    for (size_t k = 0; k < c.n + 2; k++) s[k] = service(b, &c, policy[k], ageing);
    c.policy = policy;
    c.s = s;
    run_all(&c, first, last);
    for (size_t k = 0; k < c.n + 2; k++) ctw_serving_unref(s[k]);
    free(list);
    free(w.output);
    free(w.predicted);
    free(w.trace);
    return 0;
}
