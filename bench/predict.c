/* predict.c: ctw-bench predict: how well and how fast output lengths are predicted.
 *   --train F.csv --test G.csv --column C[,C2...] [--test-column D]   fit on F, test on G (column C unless D is given);
 *                 C2... are the lengths of further answers to the same prompts, which only the fit uses
 *   --test-column D,E,... or 'NAME*'   transfer: several columns of G in turn and their mean, without a refit
 *   --online      then stream a part of G as finished requests and test on the rest, after 0, 200, 500, 1000 and
 *                 2000 of them (at most half of G is streamed; --stream N sets the part)
 *   --set key=value   options of kind "lengths"; acc5_learnt is the accuracy for the classes that the fit cut itself
 *   --cold        with --online: no fit on --train; G alone teaches
 * Columns: prompt, C. Rows without a length are left out. */
#include "commands.h"
#include "metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct set {
    size_t n, stride;
    char **prompt;
    double *tokens; /* n x stride: the first column, then further answers to the same prompts */
    bench_table *t;
} set;

enum { MOST_COLUMNS = 64 };

/* Prompts with the columns of `list`, separated by commas; rows without a first length are left out. */
static set load(bench *b, const char *path, const char *list)
{
    const char *wanted[MOST_COLUMNS + 2] = {"$prompt"};
    char *names = strdup(list);
    set s = {0};
    for (char *c = strtok(names, ","); c && s.stride < MOST_COLUMNS; c = strtok(NULL, ",")) wanted[++s.stride] = c;
    s.t = bench_load(b, path, wanted);
    s.prompt = bench_alloc(s.t->rows, sizeof *s.prompt);
    s.tokens = bench_alloc(s.t->rows * s.stride, sizeof *s.tokens);
    for (size_t i = 0; i < s.t->rows; i++) {
        if (isnan(s.t->value[1][i])) continue;
        s.prompt[s.n] = s.t->text[0][i];
        for (size_t k = 0; k < s.stride; k++) s.tokens[s.n * s.stride + k] = s.t->value[1 + k][i];
        s.n++;
    }
    free(names);
    return s;
}

static void unload(set *s)
{
    free(s->prompt);
    free(s->tokens);
    bench_free(s->t);
}

typedef struct quality {
    double tau, rho, mae, acc5, acc2, acc50, acc100, share, covered90;
    double learnt; /* accuracy of the classes that the fit cut itself */
} quality;

static quality judge(const ctw_lengths *l, char *const *prompt, const double *y, size_t n)
{
    static const double cut[] = {0.25, 0.5, 0.75, 0.99};
    double edge[4], *p = bench_alloc(n, sizeof *p);
    quality r = {0};
    ctw_report *about;
    const double *own;
    uint64_t n_own;
    bench_ok(ctw_lengths_report(l, &about), "report");
    bench_ok(ctw_report_series(about, "edges", &own, &n_own), "edges");
    for (size_t k = 0; k < 4; k++) edge[k] = bench_quantile(y, n, cut[k]);
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = strlen(prompt[i]);
        int64_t five, two, learnt, true5 = 0, true_own = 0;
        double upper;
        bench_ok(ctw_lengths_predict(l, prompt[i], bytes, 0, 0.5, &p[i]), "predict");
        bench_ok(ctw_lengths_predict(l, prompt[i], bytes, 0, 0.9, &upper), "predict");
        bench_ok(ctw_lengths_class(l, prompt[i], bytes, 0, edge, 4, &five, NULL), "class");
        bench_ok(ctw_lengths_class(l, prompt[i], bytes, 0, edge + 1, 1, &two, NULL), "class");
        bench_ok(ctw_lengths_class(l, prompt[i], bytes, 0, NULL, 0, &learnt, NULL), "class");
        while (true_own < 4 && y[i] >= own[true_own]) true_own++;
        while (true5 < 4 && y[i] >= edge[true5]) true5++;
        double miss = fabs(p[i] - y[i]);
        r.mae += miss / (double)n;
        r.acc5 += (double)(five == true5) / (double)n;
        r.learnt += (double)(learnt == true_own) / (double)n;
        r.acc2 += (double)(two == (y[i] >= edge[1])) / (double)n;
        r.acc50 += (double)(miss < 50) / (double)n;
        r.acc100 += (double)(miss < 100) / (double)n;
        r.covered90 += (double)(y[i] <= upper) / (double)n;
    }
    r.tau = bench_kendall(p, y, n);
    r.rho = bench_spearman(p, y, n);
    r.share = bench_share(p, y, n);
    ctw_report_unref(about);
    free(p);
    return r;
}

static void print_quality(const quality *q)
{
    bench_out_f64("kendall_tau", q->tau);
    bench_out_f64("spearman", q->rho);
    bench_out_f64("mae", q->mae);
    bench_out_f64("acc5", q->acc5);
    bench_out_f64("acc5_learnt", q->learnt);
    bench_out_f64("acc2", q->acc2);
    bench_out_f64("acc50", q->acc50);
    bench_out_f64("acc100", q->acc100);
    bench_out_f64("share", q->share);
    bench_out_f64("coverage90", q->covered90);
}

/* Mean and 99th percentile of one prediction. The mean is CPU time over whole passes; the percentile is of single
 * calls by the wall clock, less what an empty measurement takes, and so includes what else the machine did. */
static void time_predictions(const ctw_lengths *l, const set *s, size_t from, size_t to, int64_t reps, double *mean_us,
                             double *p99_us)
{
    size_t n = 0;
    double *single = bench_alloc(s->n + 1, sizeof *single), *pass = bench_alloc((size_t)reps, sizeof *pass), tokens;
    *mean_us = *p99_us = NAN;
    for (int64_t r = -1; r < reps; r++) {
        n = 0;
        double t0 = bench_cpu_s();
        for (size_t i = 0; i < s->n; i++) {
            uint64_t bytes = strlen(s->prompt[i]);
            if (bytes < from || bytes > to) continue;
            bench_ok(ctw_lengths_predict(l, s->prompt[i], bytes, 0, 0.5, &tokens), "predict");
            n++;
        }
        if (r >= 0) pass[r] = (bench_cpu_s() - t0) / (double)(n ? n : 1) * 1e6;
    }
    n = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t bytes = strlen(s->prompt[i]);
        if (bytes < from || bytes > to) continue;
        double t0 = bench_wall_s(), t1, empty = bench_wall_s() - t0;
        t0 = bench_wall_s();
        bench_ok(ctw_lengths_predict(l, s->prompt[i], bytes, 0, 0.5, &tokens), "predict");
        t1 = bench_wall_s();
        single[n++] = (t1 - t0 - empty) * 1e6;
    }
    if (n) {
        *mean_us = bench_median(pass, (size_t)reps);
        *p99_us = bench_quantile(single, n, 0.99);
    }
    free(single);
    free(pass);
}

/* Prompts of about 4 kB: neighbouring ones joined. */
static double time_long(const ctw_lengths *l, const set *s, int64_t reps)
{
    size_t n = 0, most = 256;
    set j = {.prompt = bench_alloc(most, sizeof *j.prompt)};
    for (size_t i = 0; i < s->n && n < most;) {
        char *p = bench_alloc(8192, 1);
        size_t at = 0;
        while (i < s->n && at < 4096) {
            size_t k = strlen(s->prompt[i]);
            if (k > 8190 - at) k = 8190 - at;
            memcpy(p + at, s->prompt[i++], k);
            at += k;
            p[at++] = ' ';
        }
        p[at < 4096 ? at : 4096] = 0;
        j.prompt[n++] = p;
    }
    j.n = n;
    double mean, p99;
    time_predictions(l, &j, 0, 8192, reps, &mean, &p99);
    for (size_t i = 0; i < n; i++) free(j.prompt[i]);
    free(j.prompt);
    return mean;
}

static void fit(ctw_lengths *l, const set *s)
{
    bench_ok(ctw_lengths_fit(l, (const char *const *)s->prompt, NULL, s->n, s->tokens, s->stride, NULL), "fit");
}

static double report_f64(const ctw_lengths *l, const char *key)
{
    ctw_report *r;
    const double *v;
    uint64_t n;
    double x;
    bench_ok(ctw_lengths_report(l, &r), "report");
    if (ctw_report_get_f64(r, key, &x)) x = ctw_report_series(r, key, &v, &n) ? NAN : v[0];
    ctw_report_unref(r);
    return x;
}

static void common(bench *b, const set *train, size_t n_test, int64_t seed, const char *mode)
{
    bench_begin(b);
    bench_out_i64("seed", seed);
    bench_out_str("mode", mode);
    bench_out_i64("n_train", (int64_t)(train ? train->n : 0));
    bench_out_i64("n_test", (int64_t)n_test);
}

static void batch(bench *b, ctw_lengths *l, const set *train, const set *test, int64_t seed)
{
    int64_t reps = bench_i64(b, "--reps", 5);
    double t0 = bench_cpu_s();
    fit(l, train);
    double fit_s = bench_cpu_s() - t0, mean, p99, short_mean, short_p99;
    quality q = judge(l, test->prompt, test->tokens, test->n);
    time_predictions(l, test, 0, SIZE_MAX, reps, &mean, &p99);
    time_predictions(l, test, 0, 200, reps, &short_mean, &short_p99);
    common(b, train, test->n, seed, "batch");
    print_quality(&q);
    bench_out_f64("predict_us_mean", mean);
    bench_out_f64("predict_us_p99", p99);
    bench_out_f64("predict_us_mean_200b", short_mean);
    bench_out_f64("predict_us_p99_200b", short_p99);
    bench_out_f64("predict_us_mean_4kb", time_long(l, test, reps));
    bench_out_f64("model_bytes", report_f64(l, "bytes"));
    bench_out_f64("fit_s", fit_s);
    bench_out_f64("ridge", report_f64(l, "ridge"));
    bench_out_f64("held_out_tau", report_f64(l, "held_out_tau"));
    bench_end();
}

/* Other served models and prompts without a refit: each column of the test file whose name is listed, or begins with
 * what stands before a '*'. One line a column and the mean. */
static void transfer(bench *b, const ctw_lengths *l, const set *train, const char *test_file, const char *list,
                     int64_t seed)
{
    double tau[MOST_COLUMNS], share[MOST_COLUMNS];
    size_t n = 0;
    char *names = strdup(list);
    for (char *c = strtok(names, ","); c && n < MOST_COLUMNS; c = strtok(NULL, ",")) {
        set test = load(b, test_file, c);
        quality q = judge(l, test.prompt, test.tokens, test.n);
        tau[n] = q.tau;
        share[n++] = q.share;
        common(b, train, test.n, seed, "transfer");
        bench_out_str("test_column", c);
        print_quality(&q);
        bench_end();
        unload(&test);
    }
    bench_begin(b);
    bench_out_aggregate(n);
    bench_out_str("mode", "transfer");
    bench_out_mean("kendall_tau", tau, n);
    bench_out_mean("share", share, n);
    bench_end();
    free(names);
}

/* The names of a file's columns that begin as `pattern` does before its '*', separated by commas. */
static char *matching_columns(bench *b, const char *path, const char *pattern)
{
    size_t head = (size_t)(strchr(pattern, '*') - pattern), at = 0;
    ctw_csv *csv;
    bench_ok(ctw_csv_open(b->ctx, path, &csv), "data");
    char *list = bench_alloc(1 << 16, 1);
    for (uint64_t i = 0; i < ctw_csv_columns(csv); i++) {
        const char *name = ctw_csv_column_name(csv, i);
        size_t bytes = strlen(name);
        if (strncmp(name, pattern, head) != 0 || at + bytes + 2 > 1 << 16) continue;
        if (at) list[at++] = ',';
        memcpy(list + at, name, bytes + 1);
        at += bytes;
    }
    ctw_csv_unref(csv);
    if (!at) bench_die(2, "%s has no column like %s", path, pattern);
    return list;
}

static void shuffle(set *s, int64_t seed)
{
    uint64_t x = (uint64_t)seed * 0x9E3779B97F4A7C15u + 1;
    for (size_t i = s->n; i > 1; i--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        size_t k = (size_t)(x % i);
        char *p = s->prompt[k];
        double t = s->tokens[k]; /* of one column: only sets to test on are shuffled */
        s->prompt[k] = s->prompt[i - 1];
        s->tokens[k] = s->tokens[i - 1];
        s->prompt[i - 1] = p;
        s->tokens[i - 1] = t;
    }
}

static void online(bench *b, ctw_lengths *l, const set *train, set *test, int64_t seed, int64_t stream)
{
    static const size_t mark[] = {0, 200, 500, 1000, 2000, 5000, 10000};
    shuffle(test, seed);
    size_t most = stream > 0 && (size_t)stream < test->n ? (size_t)stream : test->n / 2, done = 0;
    if (train) fit(l, train);
    for (size_t m = 0; m < sizeof mark / sizeof *mark; m++) {
        size_t upto = mark[m] < most ? mark[m] : most;
        double t0 = bench_cpu_s();
        for (; done < upto; done++)
            bench_ok(ctw_lengths_observe(l, test->prompt[done], strlen(test->prompt[done]), 0, test->tokens[done]),
                     "observe");
        if (done) bench_ok(ctw_lengths_update(l, NULL, NULL), "update");
        double update_s = bench_cpu_s() - t0;
        if (!done && !train) continue;
        quality q = judge(l, test->prompt + most, test->tokens + most, test->n - most);
        common(b, train, test->n - most, seed, "online");
        bench_out_i64("n_online", (int64_t)done);
        print_quality(&q);
        bench_out_f64("update_s", update_s);
        bench_out_f64("model_bytes", report_f64(l, "bytes"));
        bench_end();
        if (upto == most) break;
    }
}

static void run(bench *b, const ctw_params *p, const set *train, set *test, const char *test_columns, int64_t seed)
{
    ctw_lengths *l;
    bench_ok(ctw_lengths_new(b->ctx, p, &l), "predictor");
    if (bench_flag(b, "--online"))
        online(b, l, train, test, seed, bench_i64(b, "--stream", 0));
    else if (strchr(test_columns, ',')) {
        fit(l, train);
        transfer(b, l, train, bench_need(b, "--test"), test_columns, seed);
    } else {
        batch(b, l, train, test, seed);
    }
    ctw_lengths_unref(l);
}

int bench_predict(bench *b)
{
    int64_t first, last;
    int cold = bench_flag(b, "--cold");
    const char *train_file = cold ? bench_str(b, "--train", NULL) : bench_need(b, "--train");
    const char *test_file = bench_need(b, "--test"), *column = bench_need(b, "--column");
    char *own = strdup(column), *listed = NULL;
    strtok(own, ",");
    const char *test_column = bench_str(b, "--test-column", own);
    if (strchr(test_column, '*')) test_column = listed = matching_columns(b, test_file, test_column);
    ctw_params *p;
    bench_seeds(b, &first, &last);
    bench_ok(ctw_params_new(b->ctx, "lengths", &p), "options");
    bench_params(b, p);
    bench_flag(b, "--online");
    bench_i64(b, "--stream", 0);
    bench_i64(b, "--reps", 5);
    bench_no_more(b);
    set train = {0}, test = load(b, test_file, test_column);
    if (train_file && !cold) {
        train = load(b, train_file, column);
        bench_ok(ctw_params_set_i64(p, "samples", (int64_t)train.stride), "--column");
    }
    for (int64_t seed = first; seed <= last; seed++) run(b, p, cold ? NULL : &train, &test, test_column, seed);
    if (train.t) unload(&train);
    unload(&test);
    free(own);
    free(listed);
    ctw_params_unref(p);
    return 0;
}
