/* A governor whose points are pairs of a core and a memory clock: what it orders is a pair, memory that the work does
 * not need is left slow, memory-bound work leaves the core slow, files keep the pairs. */
#include "test.h"
#include <cybertwin/governor.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;
static const double core[] = {800, 1100, 1400, 1700}, memory[] = {400, 600, 800};

/* Seconds = a + b/x + c/y; power as a GPU's. */
static ctw_power *device(double a, double b, double c)
{
    double f[24], y[24], u[24], w[24], t[24];
    uint64_t n = 0;
    ctw_power *p;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            for (int busy = 0; busy < 2; busy++, n++) {
                double x = core[i] / 1700, m = memory[k] / 800;
                f[n] = core[i];
                y[n] = memory[k];
                u[n] = busy;
                w[n] = 40 + 20 * m + busy * (30 * x + 90 * x * x * x + 25 * m);
                t[n] = busy ? a + b / x + c / m : NAN;
            }
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_fit_memory(p, f, y, u, w, t, n, NULL));
    return p;
}

static ctw_governor *governor(const ctw_power *p)
{
    ctw_params *opt;
    ctw_governor *g;
    CTW_OKAY(ctw_params_new(ctx, "governor", &opt));
    CTW_OKAY(ctw_params_set_text(opt, "tune_every", "64"));
    CTW_OKAY(ctw_governor_new(ctx, opt, &g));
    ctw_params_unref(opt);
    CTW_OKAY(ctw_governor_set_device_memory(g, p));
    return g;
}

static void decide(ctw_governor *g, double now, double *f, double *y)
{
    CTW_OKAY(ctw_governor_decide(g, now, f, NULL));
    CTW_OKAY(ctw_governor_memory(g, y));
}

/* n requests of one second each, ten seconds apart, served at the pairs ordered; returns the late. */
static int serve(ctw_governor *g, const ctw_power *p, int from, int n, double slack)
{
    int late = 0;
    for (int i = from; i < from + n; i++) {
        double t = 10.0 * i, f, y, s;
        CTW_OKAY(ctw_governor_arrive(g, i, t, 1.0, t + slack));
        decide(g, t, &f, &y);
        CTW_OKAY(ctw_power_at_memory(p, &f, &y, NULL, 1, NULL, &s));
        CTW_OKAY(ctw_governor_complete(g, i, t + s, NAN));
        late += s > slack;
        decide(g, t + s, &f, &y);
    }
    return late;
}

START_TEST(orders_pairs)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    double f, y;
    /* Work that never waits for memory: its clock is low from the start, at no cost in time. */
    ctw_power *p = device(0.1, 0.9, 0);
    ctw_governor *g = governor(p);
    decide(g, 0, &f, &y);
    ck_assert(f == 1700 && y == 400);
    ctw_governor_unref(g);
    ctw_power_unref(p);
    /* Memory-bound work: high memory clock while busy, core slow once there is slack. */
    p = device(0.05, 0.15, 0.8);
    g = governor(p);
    decide(g, 0, &f, &y);
    ck_assert(f == 1700 && y == 800);
    ck_assert(serve(g, p, 0, 200, 1.25) == 0);
    CTW_OKAY(ctw_governor_arrive(g, 1, 5000, 1.0, 5001.25));
    decide(g, 5000, &f, &y);
    ck_assert(f < 1700 && y == 800);
    /* Idle: both at the lowest. */
    CTW_OKAY(ctw_governor_complete(g, 1, 5001, NAN));
    decide(g, 5001, &f, &y);
    ck_assert(f == 800 && y == 400);
    ctw_governor_unref(g);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Against every pair tried by hand: what is ordered for one request with known slack is never beaten in both. */
START_TEST(never_beaten)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = device(0.1, 0.5, 0.4);
    ctw_governor *g = governor(p);
    for (int i = 0; i < 300; i++) {
        double t = 10.0 * i, f, y, w, s, slack = 1.05 + 0.01 * (i % 100);
        CTW_OKAY(ctw_governor_arrive(g, i, t, 1.0, t + slack));
        decide(g, t, &f, &y);
        CTW_OKAY(ctw_power_at_memory(p, &f, &y, NULL, 1, &w, &s));
        ck_assert(s <= slack);
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < 3; b++) {
                double w2, s2;
                CTW_OKAY(ctw_power_at_memory(p, &core[a], &memory[b], NULL, 1, &w2, &s2));
                ck_assert(!(w2 < w - 1e-9 && s2 < s - 1e-9));
            }
        CTW_OKAY(ctw_governor_complete(g, i, t + s, NAN));
    }
    ctw_governor_unref(g);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[65536], more[65536];
    uint64_t need, n;
    double f, y, f2, y2;
    ctw_power *p = device(0.1, 0.5, 0.4);
    ctw_governor *g = governor(p), *q;
    serve(g, p, 0, 200, 1.5);
    CTW_OKAY(ctw_governor_save_mem(g, buf, sizeof buf, &need));
    CTW_OKAY(ctw_governor_load_mem(ctx, buf, need, &q));
    CTW_OKAY(ctw_governor_save_mem(q, more, sizeof more, &n));
    ck_assert(n == need && memcmp(buf, more, n) == 0);
    CTW_OKAY(ctw_governor_arrive(g, 1, 5000, 1.0, 5001.4));
    CTW_OKAY(ctw_governor_arrive(q, 1, 0, 1.0, 1.4));
    decide(g, 5000, &f, &y);
    decide(q, 0, &f2, &y2);
    ck_assert(f == f2 && y == y2);
    for (uint64_t i = 0; i < need; i += 3) {
        ctw_governor *bad = NULL;
        buf[i] ^= 0x41;
        ck_assert(ctw_governor_load_mem(ctx, buf, need, &bad) != CTW_OK && bad == NULL);
        buf[i] ^= 0x41;
    }
    ctw_governor_unref(g);
    ctw_governor_unref(q);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const double f[] = {1000, 2000, 2000}, y[] = {400, 800, 400}, s[] = {2, 1, 1.2}, w[] = {90, 280, 250};
    static const double over[] = {2, 1.1, 1.2}, neg[] = {1, -1, 1};
    ctw_governor *g;
    ctw_power *plain;
    double v;
    CTW_OKAY(ctw_governor_new(ctx, NULL, &g));
    CTW_FAILS(ctw_governor_memory(g, &v), CTW_E_STATE, "memory");
    CTW_FAILS(ctw_governor_set_pairs(g, f, y, over, w, NULL, 3), CTW_E_RANGE, "fastest");
    CTW_FAILS(ctw_governor_set_pairs(g, neg, y, s, w, NULL, 3), CTW_E_RANGE, "mhz[1]");
    CTW_FAILS(ctw_governor_set_pairs(g, f, neg, s, w, NULL, 3), CTW_E_RANGE, "mem_mhz[1]");
    CTW_FAILS(ctw_governor_set_pairs(g, f, y, neg, w, NULL, 3), CTW_E_RANGE, "slowdown[1]");
    CTW_FAILS(ctw_governor_set_pairs(g, f, y, s, neg, NULL, 3), CTW_E_RANGE, "watts[1]");
    CTW_FAILS(ctw_governor_set_pairs(g, f, y, s, w, neg, 3), CTW_E_RANGE, "idle_watts[1]");
    CTW_FAILS(ctw_governor_set_pairs(g, f, NULL, s, w, NULL, 3), CTW_E_ARG, "mem_mhz");
    CTW_FAILS(ctw_governor_set_pairs(g, f, y, s, w, NULL, 1025), CTW_E_RANGE, "n");
    CTW_FAILS(ctw_governor_set_pairs(NULL, f, y, s, w, NULL, 3), CTW_E_ARG, "g");
    CTW_OKAY(ctw_governor_set_pairs(g, f, y, s, w, NULL, 3));
    CTW_OKAY(ctw_governor_decide(g, 0, &v, NULL));
    CTW_FAILS(ctw_governor_memory(g, NULL), CTW_E_ARG, "mem_mhz");
    CTW_FAILS(ctw_governor_memory(NULL, &v), CTW_E_ARG, "g");
    CTW_OKAY(ctw_governor_memory(g, &v));
    ck_assert(v == 800);
    CTW_OKAY(ctw_governor_set_cap(g, 260)); /* the cap takes pairs as it takes points */
    CTW_OKAY(ctw_governor_decide(g, 1, NULL, NULL));
    CTW_OKAY(ctw_governor_memory(g, &v));
    ck_assert(v == 400);
    CTW_OKAY(ctw_governor_set_table(g, f, s, w, NULL, 2)); /* one clock again */
    CTW_FAILS(ctw_governor_memory(g, &v), CTW_E_STATE, "memory");
    CTW_OKAY(ctw_power_new(ctx, NULL, &plain));
    CTW_FAILS(ctw_governor_set_device_memory(g, plain), CTW_E_STATE, "memory clocks");
    CTW_FAILS(ctw_governor_set_device_memory(g, NULL), CTW_E_ARG, "device");
    CTW_FAILS(ctw_governor_set_device_memory(NULL, plain), CTW_E_ARG, "g");
    ctw_power_unref(plain);
    ctw_governor_unref(g);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"orders_pairs", orders_pairs},
        {"never_beaten", never_beaten},
        {"files", files},
        {"errors", errors},
    };
    return ctw_test_main("api-governor-memory", cases, sizeof cases / sizeof *cases, 20);
}
