/* rca_online.c: ctw-bench rca-online: what a minute of traffic costs a localiser that keeps no calls: spans to entry
 * calls, calls into the sliding window, a ranking a window. The graph is made up; only its size matters here. */
#include "commands.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_A_TRACE = 23, READY = 8 };

typedef struct graph {
    int64_t instances, traces;
    uint64_t x; /* generator */
} graph;

static uint64_t next(graph *g)
{
    g->x ^= g->x << 13;
    g->x ^= g->x >> 7;
    g->x ^= g->x << 17;
    return g->x;
}

static double unit(graph *g)
{
    return (double)(next(g) >> 11) / 9007199254740992.0;
}

typedef struct columns {
    int64_t *trace, *span, *parent, *service, *op, *start, *dur;
    uint64_t n;
} columns;

static void put(columns *c, int64_t trace, int64_t parent, int64_t service, int64_t op, int64_t start, int64_t dur)
{
    uint64_t i = c->n++;
    c->trace[i] = trace, c->span[i] = (int64_t)i + 1, c->parent[i] = parent, c->service[i] = service, c->op[i] = op;
    c->start[i] = start, c->dur[i] = dur;
}

/* One request: each call is a client's span in the caller and a server's span in one of its three callees. `slow` is an
 * instance that takes five times as long, -1 for none. */
static void one_trace(graph *g, columns *c, const int64_t *name, const int64_t *op, int64_t trace, int64_t slow)
{
    int64_t who[CALLS_A_TRACE], span[CALLS_A_TRACE], at[CALLS_A_TRACE];
    for (int k = 0; k < CALLS_A_TRACE; k++) {
        int up = k ? (int)(next(g) % (uint64_t)k) : 0;
        who[k] = k ? (who[up] * 3 + 1 + (int64_t)(next(g) % 3)) % g->instances : (int64_t)(next(g) % 20);
        int64_t own = (int64_t)((1 + unit(g)) * 4e5 * (who[k] == slow ? 5 : 1));
        int64_t begin = k ? at[up] : 0;
        if (k) {
            put(c, trace, span[up], name[who[up]], op[0], begin, own + 200000);
            at[up] += own + 200000;
        }
        put(c, trace, k ? (int64_t)c->n : 0, name[who[k]], op[1], begin + (k ? 100000 : 0),
            k ? own : CALLS_A_TRACE * 3000000);
        span[k] = (int64_t)c->n;
        at[k] = begin + 100000;
    }
}

static ctw_spans *make(bench *b, graph *g, int64_t slow)
{
    size_t n = (size_t)g->traces * 2 * CALLS_A_TRACE;
    int64_t *v = bench_alloc(7 * n, sizeof *v), *name = bench_alloc((size_t)g->instances, sizeof *name), op[2];
    columns c = {v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n, v + 6 * n, 0};
    ctw_spans *s;
    bench_ok(ctw_spans_new(b->ctx, NULL, &s), "spans");
    for (int64_t i = 0; i < g->instances; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "pod-%lld", (long long)i);
        bench_ok(ctw_spans_name(s, text, &name[i]), "name");
    }
    bench_ok(ctw_spans_name(s, "call", &op[0]), "name");
    bench_ok(ctw_spans_name(s, "serve", &op[1]), "name");
    for (int64_t t = 0; t < g->traces; t++) one_trace(g, &c, name, op, t, slow);
    bench_ok(ctw_spans_add(s, c.n, c.trace, c.span, c.parent, c.service, NULL, c.op, c.start, c.dur, NULL, NULL),
             "spans");
    free(v);
    free(name);
    return s;
}

typedef struct costs {
    double derive, fold, rank;
    size_t found;
} costs;

static void report(bench *b, const graph *g, const ctw_online *o, const costs *c, int64_t windows, uint64_t spans)
{
    ctw_report *r;
    int64_t bytes = 0, edges = 0, dropped = 0;
    double n = (double)windows, all = (c->derive + c->fold + c->rank) / n;
    bench_ok(ctw_online_report(o, &r), "report");
    bench_ok(ctw_report_get_i64(r, "bytes", &bytes), "report");
    bench_ok(ctw_report_get_i64(r, "edges", &edges), "report");
    bench_ok(ctw_report_get_i64(r, "dropped", &dropped), "report");
    ctw_report_unref(r);
    bench_begin(b);
    bench_out_i64("instances", g->instances);
    bench_out_i64("spans_a_window", (int64_t)spans);
    bench_out_i64("windows", windows);
    bench_out_f64("derive_ms", 1e3 * c->derive / n);
    bench_out_f64("fold_ms", 1e3 * c->fold / n);
    bench_out_f64("rank_ms", 1e3 * c->rank / n);
    bench_out_f64("window_ms", 1e3 * all);
    bench_out_f64("windows_a_minute", 60 / all);
    bench_out_f64("found_share", (double)c->found / n);
    bench_out_i64("edges", edges);
    bench_out_i64("dropped", dropped);
    bench_out_f64("window_mb", (double)bytes / 1e6);
    bench_out_f64("peak_rss_mb", bench_peak_rss_mb());
    bench_end();
}

/* Is the slow instance the first of the ranking? */
static int is_first(const ctw_ranking *r, int64_t slow)
{
    const char *name;
    char text[32];
    (void)snprintf(text, sizeof text, "pod-%lld", (long long)slow);
    bench_ok(ctw_ranking_at(r, 0, &name, NULL), "ranking");
    return ctw_ranking_guilty(r) > 0 && strcmp(name, text) == 0;
}

/* Every window: the spans of a second become calls, go into the newest pane, and the window is ranked. */
static void one_window(ctw_rca *m, ctw_online *o, ctw_calls *calls, const ctw_spans *spans, int64_t slow, costs *c)
{
    ctw_ranking *r;
    double t = bench_cpu_s(), u;
    bench_ok(ctw_calls_clear(calls), "clear");
    bench_ok(ctw_calls_add_spans(calls, spans, NULL), "calls");
    c->derive += (u = bench_cpu_s()) - t;
    bench_ok(ctw_online_advance(o), "advance");
    bench_ok(ctw_online_add(o, calls, NULL), "add");
    c->fold += (t = bench_cpu_s()) - u;
    bench_ok(ctw_rca_rank_online(m, o, NULL, &r), "rank");
    c->rank += bench_cpu_s() - t;
    c->found += (size_t)is_first(r, slow);
    ctw_ranking_unref(r);
}

int bench_rca_online(bench *b)
{
    int64_t first, last, windows = bench_i64(b, "--windows", 60);
    graph g = {.instances = bench_i64(b, "--instances", 1000), .traces = bench_i64(b, "--traces", 1000)};
    if (g.instances < 30 || g.traces < 1 || windows < 1) bench_die(2, "at least 30 instances, a trace and a window");
    bench_seeds(b, &first, &last);
    ctw_params *p;
    ctw_online *o;
    ctw_rca *m;
    ctw_calls *calls;
    ctw_spans *ready[READY];
    costs c = {0};
    bench_ok(ctw_params_new(b->ctx, "online", &p), "params");
    bench_params(b, p);
    bench_no_more(b);
    g.x = 0x9e3779b97f4a7c15u * (uint64_t)(first + 1);
    int64_t slow = g.instances / 2;
    bench_ok(ctw_online_new(b->ctx, p, &o), "online");
    bench_ok(ctw_rca_new(b->ctx, NULL, &m), "rca");
    bench_ok(ctw_calls_new(b->ctx, NULL, &calls), "calls");
    for (int i = 0; i < READY; i++) { /* as many fault-free windows to learn from, then the faulty ones */
        ctw_spans *s = make(b, &g, -1);
        bench_ok(ctw_calls_clear(calls), "clear");
        bench_ok(ctw_calls_add_spans(calls, s, NULL), "calls");
        bench_ok(ctw_rca_learn(m, calls, NULL), "learn");
        ctw_spans_unref(s);
        ready[i] = make(b, &g, slow);
    }
    for (int64_t w = 0; w < 8 + windows; w++) { /* eight to fill the panes */
        if (w == 8) c = (costs){0};
        one_window(m, o, calls, ready[w % READY], slow, &c);
    }
    report(b, &g, o, &c, windows, ctw_spans_count(ready[0]));
    for (int i = 0; i < READY; i++) ctw_spans_unref(ready[i]);
    ctw_calls_unref(calls);
    ctw_rca_unref(m);
    ctw_online_unref(o);
    ctw_params_unref(p);
    return 0;
}
