/* Contract of rack.h: split against brute force, priorities, feedback, planning, errors. */
#include "test.h"
#include <cybertwin/rack.h>
#include <math.h>

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

int main(void)
{
    const ctw_test_case cases[] = {
        {"near_the_best_split", near_the_best_split},
        {"priorities_shed_last", priorities_shed_last},
        {"feedback_corrects", feedback_corrects},
        {"plans", plans},
        {"errors", errors},
    };
    return ctw_test_main("api-rack", cases, sizeof cases / sizeof *cases, 20);
}
