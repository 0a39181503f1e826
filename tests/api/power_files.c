/* Saving and loading of what the power module learns beside device models and meters: sensitivities, limit searches,
 * load shapes, racks, governors, clusters. A loaded handle answers with the same bits and goes on where the saved one
 * was; damaged, cut and foreign files leave no handle. The golden files are of the first released format. */
#include "test.h"
#include <cybertwin/cluster.h>
#include <cybertwin/governor.h>
#include <cybertwin/limit.h>
#include <cybertwin/power.h>
#include <cybertwin/rack.h>
#include <cybertwin/sensitivity.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;
static unsigned char buf[65536], more[65536];

/* What all kinds share: sizes, files, every third byte flipped, every third length cut, another kind's bytes. The copy
 * saves to the same bytes again. Leaves the copy in *out. */
#define ROUND_TRIP(type, x, out)                                                                         \
    do {                                                                                                 \
        uint64_t need_, n_;                                                                              \
        const char *path_ = ctw_test_tmp(#type ".ctw");                                                  \
        type *bad_ = NULL;                                                                               \
        CTW_OKAY(type##_save_mem((x), NULL, 0, &need_));                                                 \
        CTW_FAILS(type##_save_mem((x), buf, need_ - 1, &n_), CTW_E_BUFFER, NULL);                        \
        CTW_OKAY(type##_save_mem((x), buf, sizeof buf, &need_));                                         \
        for (uint64_t i_ = 0; i_ < need_; i_ += 3) {                                                     \
            buf[i_] ^= 0x41;                                                                             \
            ck_assert(type##_load_mem(ctx, buf, need_, &bad_) != CTW_OK && bad_ == NULL);                \
            buf[i_] ^= 0x41;                                                                             \
            ck_assert(type##_load_mem(ctx, buf, i_, &bad_) != CTW_OK && bad_ == NULL);                   \
        }                                                                                                \
        CTW_FAILS(type##_load_mem(ctx, NULL, 5, &bad_), CTW_E_ARG, "buf");                               \
        CTW_FAILS(type##_load_mem(ctx, buf, need_, NULL), CTW_E_ARG, "out");                             \
        CTW_FAILS(type##_load_file(ctx, "no/such/file", &bad_), CTW_E_IO, "no/such/file");               \
        CTW_FAILS(type##_load_file(ctx, ctw_test_golden("power/meter-1.ctw"), &bad_), CTW_E_KIND, NULL); \
        CTW_FAILS(type##_save_file((x), "no/such/dir/file"), CTW_E_IO, NULL);                            \
        CTW_FAILS(type##_save_file(NULL, path_), CTW_E_ARG, "handle");                                   \
        CTW_FAILS(type##_save_mem((x), buf, sizeof buf, NULL), CTW_E_ARG, "need");                       \
        CTW_OKAY(type##_save_file((x), path_));                                                          \
        CTW_OKAY(type##_load_file(ctx, path_, (out)));                                                   \
        CTW_OKAY(type##_save_mem(*(out), more, sizeof more, &n_));                                       \
        ck_assert(n_ == need_ && memcmp(buf, more, n_) == 0);                                            \
    } while (0)

/* ---- limit searches ---- */

static const double limits[] = {100, 125, 150, 175, 200, 225, 250};

static void next_is(const ctw_limit *l, double watts, int32_t done)
{
    double w;
    int32_t d;
    CTW_OKAY(ctw_limit_next(l, &w, &d));
    ck_assert(w == watts && d == done);
}

START_TEST(limit_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_params *opt;
    ctw_limit *l, *q;
    double w, s, e, w2, s2, e2;
    CTW_OKAY(ctw_params_new(ctx, "limit", &opt));
    CTW_OKAY(ctw_params_set_text(opt, "trials", "4"));
    CTW_OKAY(ctw_limit_new(ctx, opt, limits, 7, 1.05, &l));
    ctw_params_unref(opt);
    ROUND_TRIP(ctw_limit, l, &q);
    next_is(q, 250, 0);
    ctw_limit_unref(q);
    CTW_OKAY(ctw_limit_tell(l, 250, 10, 240));
    CTW_OKAY(ctw_limit_next(l, &w, &(int32_t){0}));
    CTW_OKAY(ctw_limit_tell(l, w, 10.1, w));
    ROUND_TRIP(ctw_limit, l, &q);
    CTW_OKAY(ctw_limit_next(l, &w, &(int32_t){0}));
    next_is(q, w, 0);
    CTW_OKAY(ctw_limit_tell(l, w, 10.3, w));
    CTW_OKAY(ctw_limit_tell(q, w, 10.3, w));
    CTW_OKAY(ctw_limit_best(l, &w, &s, &e));
    CTW_OKAY(ctw_limit_best(q, &w2, &s2, &e2));
    ck_assert(w == w2 && s == s2 && e == e2);
    ctw_limit_unref(l);
    ctw_limit_unref(q);
    CTW_OKAY(ctw_limit_load_file(ctx, ctw_test_golden("power/limit-1.ctw"), &q));
    CTW_OKAY(ctw_limit_best(q, &w, &s, &e));
    ck_assert(w == 200);
    ck_assert_double_eq_tol(s, 1.01, 1e-12);
    ctw_limit_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* ---- shapes ---- */

static ctw_shapes *curves(void)
{
    static const double u[] = {0, 0.25, 0.5, 0.75, 1};
    ctw_shapes *s;
    CTW_OKAY(ctw_shapes_new(ctx, NULL, &s));
    for (int i = 0; i < 12; i++) {
        double f[2] = {i, 0.5 * (i % 4)}, w[5];
        for (int k = 0; k < 5; k++) w[k] = 60 + 5 * i + 200 * pow(u[k], 0.5 + 0.1 * i);
        CTW_OKAY(ctw_shapes_add(s, f, 2, u, w, 5));
    }
    return s;
}

static double completed(ctw_shapes *s)
{
    static const double u[] = {0, 1}, w[] = {80, 300}, f[] = {5.5, 1};
    double half = 0.5, out;
    ctw_power *p;
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_set_shapes(p, s, f, 2));
    CTW_OKAY(ctw_power_fit(p, NULL, u, w, NULL, 2, NULL));
    CTW_OKAY(ctw_power_watts(p, NULL, &half, 1, &out));
    ctw_power_unref(p);
    return out;
}

START_TEST(shapes_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_shapes *s = curves(), *q, *none;
    ROUND_TRIP(ctw_shapes, s, &q);
    ck_assert(ctw_shapes_count(q) == 12 && completed(s) == completed(q));
    static const double u[] = {0, 1}, w[] = {80, 300}, f[] = {5.5, 1};
    CTW_FAILS(ctw_shapes_add(q, f, 1, u, w, 2), CTW_E_SHAPE, "d is 1");
    CTW_OKAY(ctw_shapes_add(q, f, 2, u, w, 2));
    CTW_OKAY(ctw_shapes_add(s, f, 2, u, w, 2));
    ck_assert(completed(s) == completed(q));
    ctw_shapes_unref(s);
    ctw_shapes_unref(q);
    CTW_OKAY(ctw_shapes_new(ctx, NULL, &none));
    ROUND_TRIP(ctw_shapes, none, &q);
    ck_assert(ctw_shapes_count(q) == 0);
    ctw_shapes_unref(none);
    ctw_shapes_unref(q);
    CTW_OKAY(ctw_shapes_load_file(ctx, ctw_test_golden("power/shapes-1.ctw"), &q));
    ck_assert(ctw_shapes_count(q) == 12);
    ck_assert_double_eq_tol(completed(q), 196.096, 0.001);
    ctw_shapes_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* ---- sensitivities ---- */

static ctw_sensitivity *learned(void)
{
    double counters[40 * 2], slow[40 * 2];
    static const double clock[] = {0.5, 0.75};
    ctw_sensitivity *s;
    for (int i = 0; i < 40; i++) {
        double a = (i % 20) / 20.0, m = pow(a / 0.9 < 1 ? a / 0.9 : 1, 2);
        counters[2 * i] = a;
        counters[2 * i + 1] = 1 - a;
        for (int k = 0; k < 2; k++) slow[2 * i + k] = sqrt(m + (1 - m) / (clock[k] * clock[k]));
    }
    CTW_OKAY(ctw_sensitivity_new(ctx, &s));
    CTW_OKAY(ctw_sensitivity_fit(s, counters, 40, 2, clock, slow, 2, NULL, NULL, NULL));
    return s;
}

START_TEST(sensitivity_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double ask[] = {0.33, 0.6};
    double m, m2, p, p2, want;
    ctw_sensitivity *s = learned(), *q;
    ROUND_TRIP(ctw_sensitivity, s, &q);
    CTW_OKAY(ctw_sensitivity_predict(s, ask, 1, 2, &m, &p));
    CTW_OKAY(ctw_sensitivity_predict(q, ask, 1, 2, &m2, &p2));
    ck_assert(m == m2 && p == p2 && p > 1);
    want = m; /* the golden file was learned from the same kernels */
    CTW_FAILS(ctw_sensitivity_predict(q, ask, 2, 1, &m, &p), CTW_E_SHAPE, "d is 1");
    ctw_sensitivity_unref(s);
    ctw_sensitivity_unref(q);
    double e, e2, far[2] = {0.02, 0.02};
    CTW_OKAY(ctw_sensitivity_load_file(ctx, ctw_test_golden("power/sensitivity-1.ctw"), &q));
    CTW_OKAY(ctw_sensitivity_error(q, ask, 1, 2, &e));
    ck_assert(e >= 0 && e < 0.1);                       /* kernels that follow one law, well inside their range */
    CTW_OKAY(ctw_sensitivity_error(q, far, 1, 2, &e2)); /* counters as no kernel had: less is known */
    ck_assert(isfinite(e2) && e2 >= e - 1e-9);
    CTW_FAILS(ctw_sensitivity_error(q, ask, 2, 1, &e), CTW_E_SHAPE, "d is 1");
    CTW_FAILS(ctw_sensitivity_error(NULL, ask, 1, 2, &e), CTW_E_ARG, "s");
    ctw_sensitivity_unref(q);
    CTW_OKAY(ctw_sensitivity_new(ctx, &s)); /* the plain rule stays the plain rule */
    CTW_OKAY(ctw_sensitivity_error(s, ask, 1, 2, &e));
    ck_assert(isinf(e));
    ROUND_TRIP(ctw_sensitivity, s, &q);
    CTW_OKAY(ctw_sensitivity_predict(q, ask, 1, 1, &m, &p));
    ck_assert(p == 1);
    ctw_sensitivity_unref(s);
    ctw_sensitivity_unref(q);
    CTW_OKAY(ctw_sensitivity_load_file(ctx, ctw_test_golden("power/sensitivity-1.ctw"), &q));
    CTW_OKAY(ctw_sensitivity_predict(q, ask, 1, 2, &m2, &p2));
    ck_assert_double_eq_tol(m2, want, 1e-12);
    ck_assert(p2 == 2);
    ctw_sensitivity_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* ---- racks ---- */

static ctw_rack *rack(void)
{
    static const uint64_t first[] = {0, 3, 5, 9};
    static const double w[] = {100, 150, 210, 80, 200, 60, 90, 130, 180},
                        slow[] = {1.9, 1.3, 1, 1.5, 1, 2.5, 1.7, 1.2, 1};
    static const int64_t priority[] = {1, 0, 0};
    ctw_rack *f;
    CTW_OKAY(ctw_rack_new(ctx, NULL, &f));
    CTW_OKAY(ctw_rack_set_machines(f, 3, first, w, slow, NULL, priority));
    return f;
}

static double share(ctw_rack *f, double budget, int64_t point[3])
{
    double total;
    CTW_OKAY(ctw_rack_split(f, budget, point, NULL, &total));
    return total;
}

START_TEST(rack_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double read_w[] = {190, 190, NAN};
    int64_t a[3], b[3];
    double e;
    ctw_rack *f = rack(), *q;
    ROUND_TRIP(ctw_rack, f, &q);
    CTW_FAILS(ctw_rack_observe(q, read_w, &e), CTW_E_STATE, "split");
    ctw_rack_unref(q);
    for (int i = 0; i < 4; i++) {
        share(f, 500, a);
        CTW_OKAY(ctw_rack_observe(f, read_w, &e));
    }
    ROUND_TRIP(ctw_rack, f, &q);
    ck_assert(ctw_rack_margin(f) == ctw_rack_margin(q));
    CTW_OKAY(ctw_rack_observe(f, read_w, &e));
    CTW_OKAY(ctw_rack_observe(q, read_w, &e));
    for (double budget = 420; budget < 900; budget += 10) {
        ck_assert(share(f, budget, a) == share(q, budget, b));
        ck_assert(memcmp(a, b, sizeof a) == 0);
    }
    ctw_rack_unref(f);
    ctw_rack_unref(q);
    CTW_OKAY(ctw_rack_new(ctx, NULL, &f));
    ROUND_TRIP(ctw_rack, f, &q);
    CTW_FAILS(ctw_rack_split(q, 100, a, NULL, NULL), CTW_E_STATE, "machines");
    ctw_rack_unref(f);
    ctw_rack_unref(q);
    CTW_OKAY(ctw_rack_load_file(ctx, ctw_test_golden("power/rack-1.ctw"), &q));
    double total = share(q, 600, a);
    ck_assert_double_eq_tol(total, 503.038, 1e-3);
    ck_assert(a[0] == 2 && a[1] == 0 && a[2] == 3);
    ctw_rack_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* ---- governors ---- */

static const double mhz[] = {800, 1200, 1600, 2000}, slowdown[] = {2.5, 5.0 / 3.0, 1.25, 1.0};
static const double watts[] = {90, 130, 190, 280}, idle[] = {60, 62, 65, 70};

/* One request at a time, spaced by 10 s from `begin`, with deadlines that leave room; returns the sum of clocks. */
static double serve(ctw_governor *g, double begin, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double t = begin + 10.0 * i, f, s = 1;
        CTW_OKAY(ctw_governor_arrive(g, i, t, 1.0, t + (i % 5 ? 3.0 : 1.1)));
        CTW_OKAY(ctw_governor_decide(g, t, &f, NULL));
        for (int k = 0; k < 4; k++)
            if (mhz[k] == f) s = slowdown[k];
        sum += f;
        CTW_OKAY(ctw_governor_complete(g, i, t + s, NAN));
    }
    return sum;
}

static int64_t metric(const ctw_governor *g, const char *key)
{
    ctw_report *r;
    int64_t v;
    CTW_OKAY(ctw_governor_report(g, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

static ctw_governor *governor(void)
{
    ctw_params *opt;
    ctw_governor *g;
    CTW_OKAY(ctw_params_new(ctx, "governor", &opt));
    CTW_OKAY(ctw_params_set_text(opt, "tune_every", "64"));
    CTW_OKAY(ctw_params_set_text(opt, "window", "256"));
    CTW_OKAY(ctw_governor_new(ctx, opt, &g));
    ctw_params_unref(opt);
    return g;
}

START_TEST(governor_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double f;
    ctw_governor *g = governor(), *q;
    ROUND_TRIP(ctw_governor, g, &q);
    CTW_FAILS(ctw_governor_decide(q, 0, &f, NULL), CTW_E_STATE, "table");
    ctw_governor_unref(q);
    CTW_OKAY(ctw_governor_set_table(g, mhz, slowdown, watts, idle, 4));
    serve(g, 0, 300);
    ROUND_TRIP(ctw_governor, g, &q);
    ck_assert(metric(q, "completed") == 300 && metric(q, "tunings") == metric(g, "tunings"));
    /* The clock of the loaded one starts anew, far below; it goes on as the saved one does. */
    ck_assert(serve(g, 4000, 200) == serve(q, -7000, 200));
    ck_assert(metric(q, "completed") == 500 && metric(q, "late") == metric(g, "late"));
    ctw_governor_unref(q);
    /* A cap is kept; what waited is not. */
    CTW_OKAY(ctw_governor_set_cap(g, 200));
    CTW_OKAY(ctw_governor_arrive(g, 1, 9000, 1, 9000.5));
    ROUND_TRIP(ctw_governor, g, &q);
    ck_assert(metric(q, "waiting") == 0);
    CTW_OKAY(ctw_governor_arrive(q, 1, 0, 1, 0.5));
    CTW_OKAY(ctw_governor_decide(q, 0, &f, NULL));
    ck_assert(f <= 1600);
    ctw_governor_unref(q);
    ctw_governor_unref(g);
    CTW_OKAY(ctw_governor_load_file(ctx, ctw_test_golden("power/governor-1.ctw"), &q));
    ck_assert(metric(q, "completed") == 300 && serve(q, 0, 10) < 10 * 2000);
    ctw_governor_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* ---- clusters ---- */

enum { SERVERS = 5 };

static ctw_cluster *cluster(void)
{
    static const double cap[SERVERS] = {1, 2, 1, 1.5, 1}, idle_w[SERVERS] = {100, 150, 90, 140, 120};
    static const double low[SERVERS] = {5, 8, 5, 7, 5}, wake_s[SERVERS] = {30, 0, 20, 30, 40};
    static const double joule[SERVERS] = {6000, 9000, 5000, 7000, 8000};
    ctw_cluster *c;
    CTW_OKAY(ctw_cluster_new(ctx, NULL, &c));
    CTW_OKAY(ctw_cluster_set_servers(c, SERVERS, cap, idle_w, low, wake_s, joule));
    return c;
}

/* n updates ten seconds apart after time t under a load that comes and goes; the states of all as one number. */
static double run_cluster(ctw_cluster *c, double t, int from, int n)
{
    double sum = 0;
    for (int i = from; i < from + n; i++) {
        int32_t state[SERVERS];
        (void)ctw_cluster_update(c, t += 10, i / 40 % 2 ? 3.0 : 0.6, state, NULL);
        for (int k = 0; k < SERVERS; k++) sum += state[k] * pow(1.01, i - from) * (k + 1);
    }
    return sum;
}

static double spent(const ctw_cluster *c, const char *key)
{
    ctw_report *r;
    double v;
    CTW_OKAY(ctw_cluster_report(c, &r));
    CTW_OKAY(ctw_report_get_f64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

START_TEST(cluster_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_cluster *c, *q;
    CTW_OKAY(ctw_cluster_new(ctx, NULL, &c));
    ROUND_TRIP(ctw_cluster, c, &q);
    CTW_FAILS(ctw_cluster_update(q, 0, 1, NULL, NULL), CTW_E_STATE, "servers");
    ctw_cluster_unref(c);
    ctw_cluster_unref(q);
    c = cluster();
    ROUND_TRIP(ctw_cluster, c, &q); /* before the first update: its clock begins at any time */
    ck_assert(run_cluster(c, 500, 0, 50) == run_cluster(q, 500, 0, 50));
    ctw_cluster_unref(q);
    (void)run_cluster(c, 1000, 0, 83); /* some asleep, some spare, and when more comes some waking */
    ROUND_TRIP(ctw_cluster, c, &q);
    /* The loaded one's clock starts anew, below; no time has passed for it, so it goes on as the saved one does when
     * updated at once. */
    ck_assert(run_cluster(c, 1820, 83, 100) == run_cluster(q, -9010, 83, 100));
    ck_assert_double_eq_tol(spent(q, "idle_joule"), spent(c, "idle_joule"), 1e-6);
    ck_assert_double_eq_tol(spent(q, "seconds"), spent(c, "seconds"), 1e-6);
    CTW_FAILS(ctw_cluster_update(q, -9999, 1, NULL, NULL), CTW_E_RANGE, "now_s");
    ctw_cluster_unref(c);
    ctw_cluster_unref(q);
    CTW_OKAY(ctw_cluster_load_file(ctx, ctw_test_golden("power/cluster-1.ctw"), &q));
    c = cluster();
    (void)run_cluster(c, 0, 0, 100);
    ck_assert(run_cluster(c, 990, 100, 50) == run_cluster(q, 0, 100, 50));
    ctw_cluster_unref(c);
    ctw_cluster_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Called as "power_files write FOLDER": writes the golden files anew, for a new version of the format. */
static int write_golden(const char *folder)
{
    char path[512];
    ctw_limit *l;
    ctw_shapes *s;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_limit_new(ctx, NULL, limits, 7, 1.05, &l));
    CTW_OKAY(ctw_limit_tell(l, 250, 10, 240));
    CTW_OKAY(ctw_limit_tell(l, 200, 10.1, 199));
    snprintf(path, sizeof path, "%s/limit-1.ctw", folder);
    CTW_OKAY(ctw_limit_save_file(l, path));
    ctw_limit_unref(l);
    s = curves();
    snprintf(path, sizeof path, "%s/shapes-1.ctw", folder);
    CTW_OKAY(ctw_shapes_save_file(s, path));
    ctw_shapes_unref(s);
    ctw_sensitivity *t = learned();
    snprintf(path, sizeof path, "%s/sensitivity-1.ctw", folder);
    CTW_OKAY(ctw_sensitivity_save_file(t, path));
    ctw_sensitivity_unref(t);
    ctw_rack *f = rack();
    int64_t a[3];
    static const double read_w[] = {190, 190, NAN};
    share(f, 500, a);
    CTW_OKAY(ctw_rack_observe(f, read_w, NULL));
    snprintf(path, sizeof path, "%s/rack-1.ctw", folder);
    CTW_OKAY(ctw_rack_save_file(f, path));
    ctw_rack_unref(f);
    ctw_governor *g = governor();
    CTW_OKAY(ctw_governor_set_table(g, mhz, slowdown, watts, idle, 4));
    serve(g, 0, 300);
    snprintf(path, sizeof path, "%s/governor-1.ctw", folder);
    CTW_OKAY(ctw_governor_save_file(g, path));
    ctw_governor_unref(g);
    ctw_cluster *c = cluster();
    (void)run_cluster(c, 0, 0, 100);
    snprintf(path, sizeof path, "%s/cluster-1.ctw", folder);
    CTW_OKAY(ctw_cluster_save_file(c, path));
    ctw_cluster_unref(c);
    ctw_ctx_unref(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    const ctw_test_case cases[] = {
        {"limit_files", limit_files}, {"shapes_files", shapes_files},     {"sensitivity_files", sensitivity_files},
        {"rack_files", rack_files},   {"governor_files", governor_files}, {"cluster_files", cluster_files},
    };
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_golden(argv[2]);
    return ctw_test_main("api-power-files", cases, sizeof cases / sizeof *cases, 20);
}
