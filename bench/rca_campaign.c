/* rca_campaign.c: ctw-bench rca-campaign: how well labels from injected faults train a localiser. A campaign on one
 * made-up installation trains; another installation, with other services and its own quiet windows, is where it is
 * tested: one to `--at-once` servers are guilty at the same time. */
#include "commands.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 24, SERVICES = 8, MOST = 16, KINDS = 9 };

typedef struct score {
    double cases, first, found, culprits, flagged, hit, exact;
    double quiet, quiet_rows, alarms;
    double kind_cases[KINDS], kind_found[KINDS];
} score;

static double unit(uint64_t *x)
{
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return (double)(*x >> 11) / 9007199254740992.0;
}

/* Services at a fifth to a half of what their replicas can do, on servers of which each hosts several. */
static ctw_twin *installation(bench *b, int64_t seed)
{
    uint64_t x = 0x9e3779b97f4a7c15u * (uint64_t)(seed + 1);
    double ci = 300, level[3] = {0.6, 0.8, 1};
    int64_t id[SERVERS], region[SERVERS] = {0}, klass[SERVERS] = {0};
    ctw_twin *t;
    bench_ok(ctw_twin_new(b->ctx, NULL, &t), "twin");
    bench_ok(ctw_twin_add_region(t, 0, &ci, 1, 3600), "region");
    bench_ok(ctw_twin_add_class(t, 0, 16, 100, 300, 2, level, 3), "class");
    for (int64_t i = 0; i < SERVERS; i++) id[i] = i;
    bench_ok(ctw_twin_add_servers(t, id, region, klass, SERVERS), "servers");
    for (int64_t s = 0; s < SERVICES; s++) {
        uint64_t components = 3 + (uint64_t)(3 * unit(&x)), replicas = 2 + (uint64_t)(2 * unit(&x));
        double work = 0.004 * exp(2 * unit(&x)), membound = 0.1 + 0.6 * unit(&x), rate[24];
        double full = (double)replicas * 2 / work;
        for (int h = 0; h < 24; h++) rate[h] = full * (0.35 + 0.15 * sin(h * 0.2618 + 6.28 * unit(&x)));
        bench_ok(ctw_twin_add_service(t, s, 0, components, replicas, 2, work, membound, 30 * work * (double)components,
                                      rate, 24, 3600),
                 "service");
    }
    return t;
}

static ctw_campaign *campaign(bench *b, const ctw_twin *t, int64_t at_once, int64_t stream)
{
    ctw_params *p;
    ctw_campaign *c;
    bench_ok(ctw_params_new(b->ctx, "campaign", &p), "params");
    bench_params(b, p);
    bench_ok(ctw_params_set_i64(p, "at_once", at_once), "at_once");
    bench_ok(ctw_params_set_i64(p, "stream", stream), "stream");
    bench_ok(ctw_campaign_new(b->ctx, p, t, &c), "campaign");
    ctw_params_unref(p);
    return c;
}

static ctw_rca *localiser(bench *b, const char *features)
{
    ctw_params *p;
    ctw_rca *m;
    bench_ok(ctw_params_new(b->ctx, "rca", &p), "params");
    bench_ok(ctw_params_set_str(p, "features", features), "features");
    bench_ok(ctw_rca_new(b->ctx, p, &m), "rca");
    ctw_params_unref(p);
    return m;
}

static int place_of(const ctw_ranking *r, int64_t server)
{
    char text[48];
    (void)snprintf(text, sizeof text, "server %lld", (long long)server);
    for (uint64_t i = 0; i < ctw_ranking_count(r); i++) {
        const char *name;
        bench_ok(ctw_ranking_at(r, i, &name, NULL), "ranking");
        if (strcmp(name, text) == 0) return (int)i;
    }
    return 1 << 20;
}

static void judge(score *s, const ctw_ranking *r, const int64_t *server, const int32_t *kind, uint64_t n)
{
    uint64_t flagged = ctw_ranking_guilty(r), hit = 0, first = 0;
    if (!n) {
        s->quiet++;
        s->quiet_rows += (double)ctw_ranking_count(r);
        s->alarms += (double)flagged;
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        int at = place_of(r, server[k]);
        first |= at == 0;
        s->found += (uint64_t)at < n;
        hit += (uint64_t)at < flagged;
        s->kind_cases[kind[k]]++;
        s->kind_found[kind[k]] += (uint64_t)at < n;
    }
    s->cases++;
    s->first += (double)first;
    s->culprits += (double)n;
    s->flagged += (double)flagged;
    s->hit += (double)hit;
    s->exact += hit == n && flagged == n;
}

static void print_score(bench *b, const score *s, const char *features, int64_t at_once, int64_t seed, double train_s)
{
    static const char *const kind[KINDS] = {"", "", "", "", "cpu", "memory", "llc", "io", "network"};
    char key[64];
    bench_begin(b);
    bench_out_str("features", features);
    bench_out_i64("at_once", at_once);
    bench_out_i64("seed", seed);
    bench_out_f64("cases", s->cases);
    bench_out_f64("first_is_guilty", s->first / s->cases);
    bench_out_f64("recall_at_n", s->found / s->culprits);
    bench_out_f64("f1", 2 * s->hit / (s->flagged + s->culprits));
    bench_out_f64("set_exact", s->exact / s->cases);
    bench_out_f64("false_alarms", s->quiet_rows > 0 ? s->alarms / s->quiet_rows : NAN);
    bench_out_f64("train_s", train_s);
    for (int k = CTW_FAULT_CPU; k < KINDS; k++) {
        (void)snprintf(key, sizeof key, "%s_recall_at_n", kind[k]);
        bench_out_f64(key, s->kind_cases[k] > 0 ? s->kind_found[k] / s->kind_cases[k] : NAN);
    }
    bench_end();
}

/* Quiet windows of the installation that is tested become its localiser's reference. */
static void learn(bench *b, const ctw_twin *t, ctw_rca *m, int64_t windows)
{
    ctw_params *p;
    ctw_campaign *c;
    ctw_calls *w;
    bench_ok(ctw_params_new(b->ctx, "campaign", &p), "params");
    bench_ok(ctw_params_set_f64(p, "quiet", 1), "quiet");
    bench_ok(ctw_campaign_new(b->ctx, p, t, &c), "campaign");
    bench_ok(ctw_calls_new(b->ctx, NULL, &w), "calls");
    for (int64_t i = 0; i < windows; i++) {
        uint64_t n;
        bench_ok(ctw_calls_clear(w), "clear");
        bench_ok(ctw_campaign_next(c, w, 0, NULL, NULL, NULL, &n, NULL), "episode");
        bench_ok(ctw_rca_learn(m, w, NULL), "learn");
    }
    ctw_calls_unref(w);
    ctw_campaign_unref(c);
    ctw_params_unref(p);
}

static void run(bench *b, const char *features, int64_t at_once, int64_t seed, int64_t cases, int64_t quiet,
                const char *save)
{
    int none = strcmp(features, "none") == 0;
    ctw_twin *here = installation(b, seed), *there = installation(b, 1000 + seed);
    ctw_rca *trained = localiser(b, none ? "auto" : features), *m = localiser(b, "auto");
    double t = bench_cpu_s();
    if (!none) {
        ctw_campaign *c = campaign(b, here, at_once, seed);
        bench_ok(ctw_campaign_train(c, trained, (uint64_t)quiet, (uint64_t)cases, NULL), "train");
        ctw_campaign_unref(c);
        if (save) bench_ok(ctw_rca_save_file(trained, save), save);
    }
    t = bench_cpu_s() - t;
    learn(b, there, m, quiet);
    if (!none) bench_ok(ctw_rca_adopt(m, trained), "adopt");
    ctw_campaign *c = campaign(b, there, at_once, 1000 + seed);
    ctw_calls *w;
    score s = {0};
    bench_ok(ctw_calls_new(b->ctx, NULL, &w), "calls");
    for (int64_t i = 0; i < cases; i++) {
        int64_t server[MOST];
        int32_t kind[MOST];
        uint64_t n;
        ctw_ranking *r;
        bench_ok(ctw_calls_clear(w), "clear");
        bench_ok(ctw_campaign_next(c, w, MOST, server, kind, NULL, &n, NULL), "episode");
        bench_ok(ctw_rca_rank(m, w, NULL, &r), "rank");
        judge(&s, r, server, kind, n);
        ctw_ranking_unref(r);
    }
    print_score(b, &s, features, at_once, seed, t);
    ctw_calls_unref(w);
    ctw_campaign_unref(c);
    ctw_rca_unref(m);
    ctw_rca_unref(trained);
    ctw_twin_unref(here);
    ctw_twin_unref(there);
}

int bench_rca_campaign(bench *b)
{
    const char *features = bench_str(b, "--features", "auto"), *save = bench_str(b, "--save", NULL);
    int64_t first, last, at_once = bench_i64(b, "--at-once", 1), cases = bench_i64(b, "--cases", 200);
    int64_t quiet = bench_i64(b, "--quiet", 30);
    if (at_once < 1 || at_once > MOST || cases < 1 || quiet < 1)
        bench_die(2, "--at-once is 1..16, --cases and --quiet 1 or more");
    bench_seeds(b, &first, &last);
    bench_nth(b, "--set", 0);
    bench_no_more(b);
    for (int64_t seed = first; seed <= last; seed++) {
        run(b, "none", at_once, seed, cases, quiet, NULL);
        run(b, features, at_once, seed, cases, quiet, save);
        if (strcmp(features, "firm") != 0) run(b, "firm", at_once, seed, cases, quiet, NULL);
    }
    return 0;
}
