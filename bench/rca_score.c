/* rca_score.c: see rca_score.h. Ties in a ranking count half, so that a constant score earns nothing. */
#include "rca_score.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void push_instance(rca_score *s, double score, int guilty, int latency)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 1024;
        s->score = realloc(s->score, s->cap * sizeof *s->score);
        s->guilty = realloc(s->guilty, s->cap * sizeof *s->guilty);
        s->latency = realloc(s->latency, s->cap * sizeof *s->latency);
        if (!s->score || !s->guilty || !s->latency) bench_die(3, "out of memory");
    }
    s->score[s->n] = score;
    s->latency[s->n] = latency;
    s->guilty[s->n++] = guilty;
}

void rca_score_time(rca_score *s, double seconds)
{
    if (s->times == s->times_cap) {
        s->times_cap = s->times_cap ? 2 * s->times_cap : 256;
        s->seconds = realloc(s->seconds, s->times_cap * sizeof *s->seconds);
        if (!s->seconds) bench_die(3, "out of memory");
    }
    s->seconds[s->times++] = seconds;
}

/* Place of the culprit: 1 + those above + half of its equals; beyond the list when it is not there. */
static double place_of(const ctw_ranking *r, const char *culprit)
{
    double own = NAN, score, above = 0, equal = -1;
    uint64_t n = ctw_ranking_count(r);
    for (uint64_t i = 0; i < n; i++) {
        const char *name;
        bench_ok(ctw_ranking_at(r, i, &name, &score), "ranking");
        if (strcmp(name, culprit) == 0) own = score;
    }
    if (isnan(own)) return (double)n + 1;
    for (uint64_t i = 0; i < n; i++) {
        bench_ok(ctw_ranking_at(r, i, NULL, &score), "ranking");
        above += score > own;
        equal += score == own;
    }
    return 1 + above + equal / 2;
}

static void add_fault(rca_score *s, const char *name, double place)
{
    size_t i = 0;
    while (i < s->faults && strcmp(s->fault[i].name, name) != 0) i++;
    if (i == sizeof s->fault / sizeof *s->fault) return;
    if (i == s->faults) s->fault[s->faults++].name = name;
    s->fault[i].cases++;
    s->fault[i].ac1 += place <= 1;
    s->fault[i].ac3 += place <= 3;
}

void rca_score_add(rca_score *s, const ctw_ranking *r, const rca_case *of, int faulty)
{
    const char *culprit = of->culprit;
    int latency = of->latency;
    uint64_t n = ctw_ranking_count(r), flagged = ctw_ranking_guilty(r);
    if (!faulty) {
        s->free_windows++;
        s->free_rows += n;
        s->free_flagged += flagged;
        return;
    }
    double place = place_of(r, culprit);
    s->cases++;
    s->culprits++;
    add_fault(s, of->fault, place);
    s->latency_cases += latency != 0;
    s->flagged += flagged;
    s->latency_flagged += latency ? flagged : 0;
    for (int k = 1; k <= 5; k++) {
        s->ac[k] += place <= k;
        s->latency_ac[k] += latency && place <= k;
    }
    for (uint64_t i = 0; i < n; i++) {
        const char *name;
        double score;
        bench_ok(ctw_ranking_at(r, i, &name, &score), "ranking");
        int guilty = strcmp(name, culprit) == 0;
        s->hit += guilty && i < flagged;
        s->latency_hit += latency && guilty && i < flagged;
        push_instance(s, score, guilty, latency);
    }
}

static int by_score(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

/* Probability that a guilty instance scores above an innocent one; over all cases or those of latency alone. */
static double auc(const rca_score *s, int latency_only)
{
    double(*v)[2] = malloc((s->n + 1) * sizeof *v), ranks = 0, guilty = 0;
    size_t n = 0;
    if (!v) bench_die(3, "out of memory");
    for (size_t i = 0; i < s->n; i++) {
        if (latency_only && !s->latency[i]) continue;
        v[n][0] = s->score[i];
        v[n++][1] = s->guilty[i];
    }
    qsort(v, n, sizeof *v, by_score);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && v[end][0] == v[i][0];) end++;
        for (size_t k = i; k < end; k++)
            if (v[k][1] != 0) {
                ranks += 0.5 * (double)(i + 1 + end);
                guilty++;
            }
    }
    free(v);
    double innocent = (double)n - guilty;
    return (ranks - guilty * (guilty + 1) / 2) / (guilty * innocent);
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static void print_faults(const rca_score *s)
{
    static const char *const what[] = {"cases", "ac1", "ac3"};
    char key[128];
    for (size_t i = 0; i < s->faults; i++) {
        const rca_fault *f = &s->fault[i];
        double v[] = {f->cases, f->ac1 / f->cases, f->ac3 / f->cases};
        for (size_t k = 0; k < 3; k++) {
            snprintf(key, sizeof key, "%s_%s", f->name, what[k]);
            bench_out_f64(key, v[k]);
        }
    }
}

void rca_score_print(const rca_score *s)
{
    double n = (double)s->cases, lat = (double)s->latency_cases, code = n - lat;
    bench_out_i64("cases", (int64_t)s->cases);
    bench_out_f64("ac1", share(s->ac[1], n));
    bench_out_f64("ac3", share(s->ac[3], n));
    bench_out_f64("ac5", share(s->ac[5], n));
    bench_out_f64("avg5", share(s->ac[1] + s->ac[2] + s->ac[3] + s->ac[4] + s->ac[5], 5 * n));
    bench_out_f64("f1", share(2 * (double)s->hit, (double)(s->flagged + s->culprits)));
    bench_out_f64("auc", auc(s, 0));
    bench_out_f64("precision", share((double)s->hit, (double)s->flagged));
    bench_out_f64("recall", share((double)s->hit, (double)s->culprits));
    bench_out_i64("latency_cases", (int64_t)s->latency_cases);
    bench_out_f64("latency_ac1", share(s->latency_ac[1], lat));
    bench_out_f64("latency_ac3", share(s->latency_ac[3], lat));
    bench_out_f64("latency_f1", share(2 * (double)s->latency_hit, (double)(s->latency_flagged + s->latency_cases)));
    bench_out_f64("latency_auc", auc(s, 1));
    bench_out_f64("code_ac1", share(s->ac[1] - s->latency_ac[1], code));
    bench_out_i64("fault_free_windows", (int64_t)s->free_windows);
    bench_out_f64("false_alarms", share((double)s->free_flagged, (double)s->free_rows));
    bench_out_f64("rank_us", bench_median(s->seconds, s->times) * 1e6);
    print_faults(s);
}

void rca_score_free(rca_score *s)
{
    free(s->score);
    free(s->guilty);
    free(s->latency);
    free(s->seconds);
}

/* Windows of one application together, up to about `want` spans. */
static size_t gather(const rca_set *s, size_t app, size_t want, size_t *window)
{
    size_t n = 0, spans = 0;
    for (size_t i = 0; i < s->n_windows && spans < want; i++) {
        if (s->windows[i].app != app) continue;
        window[n++] = i;
        spans += s->windows[i].end - s->windows[i].begin;
    }
    return n;
}

static double ingest_app(bench *b, const rca_set *s, size_t app, size_t *window)
{
    ctw_rca *m;
    double t, best = INFINITY, rank = INFINITY, error;
    size_t n = gather(s, app, 46000, window);
    ctw_spans *spans = rca_spans(s, window, n);
    ctw_calls *calls;
    bench_ok(ctw_rca_new(b->ctx, NULL, &m), "rca");
    bench_ok(ctw_calls_new(b->ctx, NULL, &calls), "calls");
    for (int rep = 0; rep < 6; rep++) {
        ctw_ranking *r;
        bench_ok(ctw_calls_clear(calls), "clear");
        t = bench_cpu_s();
        bench_ok(ctw_calls_add_spans(calls, spans, NULL), "calls of spans");
        if (rep) best = fmin(best, bench_cpu_s() - t);
        if (!rep) bench_ok(ctw_rca_learn(m, calls, NULL), "learn");
        t = bench_cpu_s();
        bench_ok(ctw_rca_rank(m, calls, NULL, &r), "rank");
        rank = fmin(rank, bench_cpu_s() - t);
        ctw_ranking_unref(r);
    }
    ctw_report *report;
    bench_ok(ctw_calls_report(calls, &report), "report");
    bench_ok(ctw_report_get_f64(report, "path_error_us", &error), "report");
    bench_begin(b);
    bench_out_str("app", s->app[app]);
    bench_out_str("protocol", "ingest");
    bench_out_i64("spans", (int64_t)ctw_spans_count(spans));
    bench_out_i64("calls", (int64_t)ctw_calls_count(calls));
    double rate = (double)ctw_spans_count(spans) / best;
    bench_out_f64("ingest_spans_per_s", rate);
    bench_out_f64("derive_ms", best * 1e3);
    bench_out_f64("rank_us", rank * 1e6);
    bench_out_f64("window_ms", (best + rank) * 1e3);
    bench_out_f64("path_error_us", error);
    bench_out_f64("peak_rss_mb", bench_peak_rss_mb());
    bench_end();
    ctw_report_unref(report);
    ctw_calls_unref(calls);
    ctw_spans_unref(spans);
    ctw_rca_unref(m);
    return rate;
}

void rca_ingest(bench *b, const char *dir, const rca_set *like, double rate[8])
{
    char name[256];
    for (size_t a = 0; a < 8; a++) rate[a] = NAN;
    for (size_t a = 0; a < like->n_apps; a++) {
        snprintf(name, sizeof name, "spans_%s.csv", like->app[a]);
        if (!rca_has_file(dir, name)) return;
    }
    rca_set *s = rca_load(b, dir, 1);
    size_t *window = bench_alloc(s->n_windows + 1, sizeof *window);
    for (size_t a = 0; a < s->n_apps; a++) rate[a] = ingest_app(b, s, a, window); /* cases name both in one order */
    free(window);
    rca_free(s);
}
