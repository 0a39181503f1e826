/* Contract of rack.h: split against brute force, priorities, feedback, planning, errors. */
#include "test.h"
#include <cybertwin/rack.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

/* Two kinds of machine: one pays dearly for a lower clock, one hardly. */
static const uint64_t first[] = {0, 4, 8, 12};
static const double watts[] = {100, 150, 200, 280, 90, 140, 210, 300, 110, 150, 220, 290};
static const double slow[] = {2.0, 1.5, 1.2, 1.0, 1.10, 1.05, 1.02, 1.0, 1.5, 1.3, 1.1, 1.0};

static ctw_rack *make(const double *weight, const int64_t *priority, const char *key, const char *value)
{
    ctw_params *opt;
    ctw_rack *f;
    CTW_OKAY(ctw_params_new(ctx, "rack", &opt));
    CTW_OKAY(ctw_params_set_f64(opt, "margin_least", 0.0));
    if (key) CTW_OKAY(ctw_params_set_text(opt, key, value));
    CTW_OKAY(ctw_rack_new(ctx, opt, &f));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_rack_set_machines(f, 3, first, watts, slow, weight, priority));
    return f;
}

static double benefit(const int64_t *p)
{
    double b = 0;
    for (int i = 0; i < 3; i++) b -= (pow(slow[4 * i + p[i]], 2) - 1) / 2;
    return b;
}

static double drawn(const int64_t *p)
{
    return watts[p[0]] + watts[4 + p[1]] + watts[8 + p[2]];
}

START_TEST(near_the_best_split)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_rack *f = make(NULL, NULL, NULL, NULL);
    for (double budget = 300; budget <= 880; budget += 10) {
        int64_t point[3], p[3];
        double cap[3], total, best = -INFINITY;
        CTW_OKAY(ctw_rack_split(f, budget, point, cap, &total));
        ck_assert(total <= budget && fabs(total - drawn(point)) < 1e-9);
        ck_assert(cap[0] == watts[point[0]]);
        for (p[0] = 0; p[0] < 4; p[0]++)
            for (p[1] = 0; p[1] < 4; p[1]++)
                for (p[2] = 0; p[2] < 4; p[2]++)
                    if (drawn(p) <= budget && benefit(p) > best) best = benefit(p);
        /* Greedy on the hull loses at most one step against the best of all 64. */
        ck_assert(benefit(point) >= best - 0.45);
        if (budget >= 870) ck_assert(benefit(point) == best);
    }
    int64_t point[3];
    CTW_FAILS(ctw_rack_split(f, 200, point, NULL, NULL), CTW_E_INFEASIBLE, "lowest points");
    ck_assert(point[0] == 0 && point[1] == 0 && point[2] == 0);
    ctw_rack_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(priorities_shed_last)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int64_t priority[] = {0, 5, 1}, point[3];
    ctw_rack *f = make(NULL, priority, NULL, NULL);
    /* The insensitive machine has the highest priority and is served first all the same. */
    CTW_OKAY(ctw_rack_split(f, 510, point, NULL, NULL));
    ck_assert(point[1] == 3 && point[0] == 0 && point[2] == 0);
    CTW_OKAY(ctw_rack_split(f, 690, point, NULL, NULL));
    ck_assert(point[1] == 3 && point[2] == 3 && point[0] == 0);
    ctw_rack_unref(f);
    double weight[] = {1, 1, 100};
    f = make(weight, NULL, NULL, NULL);
    CTW_OKAY(ctw_rack_split(f, 480, point, NULL, NULL));
    ck_assert(point[2] == 3);
    ctw_rack_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(feedback_corrects)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_rack *f = make(NULL, NULL, "gain", "0.5");
    int64_t point[3];
    double real[3], error = 0, total = 0;
    CTW_FAILS(ctw_rack_observe(f, real, NULL), CTW_E_STATE, "split");
    /* The first machine draws a quarter more than its model says. */
    for (int t = 0; t < 30; t++) {
        CTW_OKAY(ctw_rack_split(f, 700, point, NULL, NULL));
        total = 0;
        for (int i = 0; i < 3; i++) {
            real[i] = watts[4 * i + point[i]] * (i ? 1.0 : 1.25);
            total += real[i];
        }
        if (t == 5) real[2] = NAN; /* a sensor that vanished */
        CTW_OKAY(ctw_rack_observe(f, real, &error));
    }
    ck_assert(total <= 700 && fabs(error) < 0.01);
    ck_assert(ctw_rack_margin(f) >= 0 && ctw_rack_margin(f) < 0.2 && ctw_rack_margin(NULL) == 0);
    real[0] = -1;
    CTW_FAILS(ctw_rack_observe(f, real, NULL), CTW_E_RANGE, "watts[0]");
    real[0] = real[1] = real[2] = 0;
    CTW_FAILS(ctw_rack_observe(f, real, NULL), CTW_E_RANGE, "believed");
    ctw_rack_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(plans)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    enum { T = 200, M = 10 };
    static double samples[T * M], together[T * M];
    uint64_t n, nameplate, n2;
    for (int t = 0; t < T; t++)
        for (int m = 0; m < M; m++) {
            samples[t * M + m] = (t * 7 + m * 20) % T < T / 4 ? 300 : 100; /* peaks at different times */
            together[t * M + m] = t < T / 4 ? 300 : 100;
        }
    CTW_OKAY(ctw_rack_plan(ctx, samples, T, M, M, 3000, 0.01, 1000, NULL, &n, &nameplate));
    ck_assert(nameplate == 10 && n > 10 && n <= 30);
    CTW_OKAY(ctw_rack_plan(ctx, together, T, M, M, 3000, 0.01, 1000, NULL, &n2, NULL));
    ck_assert(n2 == 10);
    CTW_OKAY(ctw_rack_plan(ctx, together, T, M, M, 3000, 0.5, 1000, NULL, &n2, NULL));
    ck_assert(n2 == 30);
    CTW_OKAY(ctw_rack_plan(ctx, samples, T, M, M, 1e9, 0.0, 50, NULL, &n, &nameplate));
    ck_assert(n == 50 && nameplate == 50);
    CTW_FAILS(ctw_rack_plan(ctx, samples, T, M, M - 1, 3000, 0.01, 10, NULL, &n, NULL), CTW_E_SHAPE, NULL);
    CTW_FAILS(ctw_rack_plan(ctx, samples, T, M, M, 3000, 2, 10, NULL, &n, NULL), CTW_E_RANGE, "risk");
    CTW_FAILS(ctw_rack_plan(ctx, samples, T, M, M, 0, 0, 10, NULL, &n, NULL), CTW_E_RANGE, "feed_watts");
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_rack *f;
    double bad[12];
    uint64_t hole[] = {0, 0, 4, 8}, offset[] = {1, 4, 8, 12};
    CTW_OKAY(ctw_rack_new(ctx, NULL, &f));
    CTW_FAILS(ctw_rack_split(f, 100, NULL, NULL, NULL), CTW_E_STATE, "machines");
    CTW_FAILS(ctw_rack_set_machines(f, 0, first, watts, slow, NULL, NULL), CTW_E_RANGE, "n is 0");
    CTW_FAILS(ctw_rack_set_machines(f, 3, hole, watts, slow, NULL, NULL), CTW_E_SHAPE, "machine 0");
    CTW_FAILS(ctw_rack_set_machines(f, 3, offset, watts, slow, NULL, NULL), CTW_E_SHAPE, "first[0]");
    CTW_FAILS(ctw_rack_set_machines(f, 3, first, slow, slow, NULL, NULL), CTW_E_RANGE, "watts[1]");
    CTW_FAILS(ctw_rack_set_machines(f, 3, first, watts, watts, NULL, NULL), CTW_E_RANGE, "slowdown[1]");
    CTW_FAILS(ctw_rack_set_machines(f, 3, first, NULL, slow, NULL, NULL), CTW_E_ARG, "watts");
    for (int i = 0; i < 12; i++) bad[i] = 0;
    CTW_FAILS(ctw_rack_set_machines(f, 3, first, watts, slow, bad, NULL), CTW_E_RANGE, "weight");
    CTW_FAILS(ctw_rack_split(f, NAN, NULL, NULL, NULL), CTW_E_NONFINITE, "budget_watts");
    CTW_FAILS(ctw_rack_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    ctw_rack_unref(ctw_rack_ref(f));
    ctw_rack_unref(f);
    ctw_rack_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Random rows of racks of strips. Oracles: no feed is ever above its limit; feeds that never bind change nothing; with
 * a row that never binds every rack is split as if it stood alone. */
START_TEST(feeds)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    enum { M = 24, K = 4, FEEDS = 6 };
    static const double loose[FEEDS] = {1e9, 1e9, 1e9, 1e9, 1e9, 1e9};
    static const int64_t parent[FEEDS] = {-1, -1, 0, 0, 1, 1}; /* two racks of two strips */
    uint32_t rng = 3;
    for (int round = 0; round < 60; round++) {
        double w[M * K], s[M * K], limit[FEEDS], cap[M], total;
        uint64_t starts[M + 1] = {0}, of[M];
        int64_t a[M], b[M];
        for (int i = 0; i < M; i++) {
            starts[i + 1] = starts[i] + K;
            of[i] = 2 + (uint64_t)(i % 4);
            for (int k = 0; k < K; k++) {
                rng = rng * 1664525u + 1013904223u;
                w[i * K + k] = (k ? w[i * K + k - 1] : 50) + 20 + (rng >> 8) / 16777216.0 * 60;
            }
            for (int k = K; k-- > 0;) s[i * K + k] = k == K - 1 ? 1.0 : s[i * K + k + 1] + 0.1 + (rng >> 20) / 8192.0;
        }
        ctw_rack *f, *alone;
        CTW_OKAY(ctw_rack_new(ctx, NULL, &f));
        CTW_OKAY(ctw_rack_set_machines(f, M, starts, w, s, NULL, NULL));
        CTW_OKAY(ctw_rack_split(f, 4000, a, NULL, NULL));
        CTW_OKAY(ctw_rack_set_feeds(f, FEEDS, loose, parent, of));
        CTW_OKAY(ctw_rack_split(f, 4000, b, NULL, NULL));
        ck_assert(memcmp(a, b, sizeof a) == 0);
        for (int k = 0; k < FEEDS; k++) {
            rng = rng * 1664525u + 1013904223u;
            limit[k] = (k < 2 ? 1500 : 800) + (rng >> 8) / 16777216.0 * 800;
        }
        CTW_OKAY(ctw_rack_set_feeds(f, FEEDS, limit, parent, of));
        for (double budget = 2600; budget < 6000; budget += 300) {
            double sum[FEEDS] = {0}, all = 0;
            ctw_status st = ctw_rack_split(f, budget, a, cap, &total);
            if (st == CTW_E_INFEASIBLE) continue;
            CTW_OKAY(st);
            for (int i = 0; i < M; i++) {
                all += cap[i];
                for (int64_t k = (int64_t)of[i]; k >= 0; k = parent[k]) sum[k] += cap[i];
            }
            ck_assert(all <= budget && fabs(all - total) < 1e-6);
            for (int k = 0; k < FEEDS; k++) ck_assert(sum[k] <= limit[k]);
        }
        /* Racks alone: feeds 0 and 1 directly, no strips; machines of rack r in the same order. */
        uint64_t rack_of[M];
        for (int i = 0; i < M; i++) rack_of[i] = (uint64_t)parent[of[i]];
        CTW_OKAY(ctw_rack_set_feeds(f, 2, limit, NULL, rack_of));
        CTW_OKAY(ctw_rack_split(f, 1e6, a, NULL, NULL));
        for (uint64_t r = 0; r < 2; r++) {
            double w1[M * K], s1[M * K];
            uint64_t n = 0, f1[M + 1] = {0};
            for (int i = 0; i < M; i++) {
                if (rack_of[i] != r) continue;
                memcpy(w1 + n * K, w + i * K, K * sizeof *w);
                memcpy(s1 + n * K, s + i * K, K * sizeof *s);
                f1[n + 1] = f1[n] + K;
                n++;
            }
            CTW_OKAY(ctw_rack_new(ctx, NULL, &alone));
            CTW_OKAY(ctw_rack_set_machines(alone, n, f1, w1, s1, NULL, NULL));
            CTW_OKAY(ctw_rack_split(alone, limit[r], b, NULL, NULL));
            n = 0;
            for (int i = 0; i < M; i++)
                if (rack_of[i] == r) ck_assert(a[i] == b[n++]);
            ctw_rack_unref(alone);
        }
        /* Without feeds again. */
        CTW_OKAY(ctw_rack_set_feeds(f, 0, NULL, NULL, NULL));
        CTW_OKAY(ctw_rack_split(f, 1e6, a, NULL, NULL));
        for (int i = 0; i < M; i++) ck_assert(a[i] == K - 1);
        ctw_rack_unref(f);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(feed_errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const uint64_t starts[] = {0, 2, 4}, of[] = {0, 1}, far[] = {0, 2};
    static const double w[] = {90, 200, 90, 200}, s[] = {2, 1, 2, 1}, limit[] = {80, 300}, bad[] = {0, 300};
    static const int64_t self[] = {-1, 1};
    static unsigned char buf[4096];
    int64_t point[2];
    uint64_t need;
    ctw_rack *f, *q;
    CTW_OKAY(ctw_rack_new(ctx, NULL, &f));
    CTW_FAILS(ctw_rack_set_feeds(f, 2, limit, NULL, of), CTW_E_STATE, "machines");
    CTW_OKAY(ctw_rack_set_machines(f, 2, starts, w, s, NULL, NULL));
    CTW_FAILS(ctw_rack_set_feeds(f, 2, bad, NULL, of), CTW_E_RANGE, "limit_watts");
    CTW_FAILS(ctw_rack_set_feeds(f, 2, limit, self, of), CTW_E_RANGE, "parent[1]");
    CTW_FAILS(ctw_rack_set_feeds(f, 2, limit, NULL, far), CTW_E_RANGE, "feed_of[1]");
    CTW_FAILS(ctw_rack_set_feeds(f, 2, NULL, NULL, of), CTW_E_ARG, "limit_watts");
    CTW_FAILS(ctw_rack_set_feeds(NULL, 0, NULL, NULL, NULL), CTW_E_ARG, "f");
    CTW_OKAY(ctw_rack_set_feeds(f, 2, limit, NULL, of));
    /* The first rack is over its limit even at its lowest point, which it keeps; the second still gets its share. */
    CTW_FAILS(ctw_rack_split(f, 1000, point, NULL, NULL), CTW_E_INFEASIBLE, "feed 0");
    ck_assert(point[0] == 0 && point[1] == 1);
    CTW_OKAY(ctw_rack_save_mem(f, buf, sizeof buf, &need));
    CTW_OKAY(ctw_rack_load_mem(ctx, buf, need, &q));
    CTW_FAILS(ctw_rack_split(q, 1000, point, NULL, NULL), CTW_E_INFEASIBLE, "feed 0");
    ctw_rack_unref(q);
    CTW_OKAY(ctw_rack_set_machines(f, 2, starts, w, s, NULL, NULL)); /* forgets the feeds */
    CTW_OKAY(ctw_rack_split(f, 1000, point, NULL, NULL));
    ctw_rack_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"near_the_best_split", near_the_best_split},
        {"priorities_shed_last", priorities_shed_last},
        {"feedback_corrects", feedback_corrects},
        {"plans", plans},
        {"errors", errors},
        {"feeds", feeds},
        {"feed_errors", feed_errors},
    };
    return ctw_test_main("api-rack", cases, sizeof cases / sizeof *cases, 20);
}
