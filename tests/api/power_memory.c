/* The memory clock in power and time: a made-up device with two clocks is found again from five measurements, the pair
 * of clocks chosen is the best of all pairs by exhaustive search, limits have their safe action, files keep it. */
#include "test.h"
#include <cybertwin/power.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;
static const double core[] = {800, 1100, 1400, 1700}, memory[] = {400, 600, 800};

static double true_watts(double f, double y, double u)
{
    double x = f / 1700;
    return 40 + 20 * y / 800 + u * (30 * x + 90 * x * x * x + 25 * y / 800);
}

static double true_seconds(double f, double y)
{
    return 0.2 + 0.3 * 1700 / f + 0.5 * 800 / y;
}

typedef struct rows {
    double f[40], y[40], u[40], w[40], t[40];
    uint64_t n;
} rows;

static void add(rows *r, double f, double y, double u)
{
    r->f[r->n] = f;
    r->y[r->n] = y;
    r->u[r->n] = u;
    r->w[r->n] = true_watts(f, y, u);
    r->t[r->n++] = u == 1 ? true_seconds(f, y) : NAN;
}

/* Three clocks at the highest memory clock, two points below, and idle power at two memory clocks. */
static rows few(void)
{
    rows r = {.n = 0};
    add(&r, 800, 400, 1);
    for (int i = 0; i < 4; i++) add(&r, core[i], 800, 1);
    add(&r, 1700, 400, 1);
    add(&r, 1700, 800, 0);
    add(&r, 1700, 400, 0);
    return r;
}

static ctw_power *fitted(void)
{
    rows r = few();
    ctw_power *p;
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, r.n, NULL));
    return p;
}

static void at(const ctw_power *p, double f, double y, double u, double *w, double *s)
{
    CTW_OKAY(ctw_power_at_memory(p, &f, &y, &u, 1, w, s));
}

START_TEST(found_again)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = fitted();
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) {
            double w, s, one = 1;
            at(p, core[i], memory[j], 1, &w, &s);
            ck_assert_double_eq_tol(w / true_watts(core[i], memory[j], 1), 1, 0.01);
            ck_assert_double_eq_tol(s / (true_seconds(core[i], memory[j]) / true_seconds(1700, 800)), 1, 0.01);
            at(p, core[i], memory[j], 0, &w, NULL);
            ck_assert_double_eq_tol(w, true_watts(core[i], memory[j], 0), 0.5);
            /* At the highest memory clock it is the ordinary model. */
            if (memory[j] < 800) continue;
            double plain;
            at(p, core[i], 800, 1, &w, &s);
            CTW_OKAY(ctw_power_watts(p, &core[i], &one, 1, &plain));
            ck_assert(w == plain);
        }
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(best_pair)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = fitted();
    for (double bound = 1.0; bound < 2.2; bound += 0.1)
        for (double cap = 90; cap < 260; cap += 20) {
            double best = INFINITY, f, y, w, s;
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 3; j++) {
                    if (memory[j] == 600) continue; /* not measured, so not a candidate */
                    at(p, core[i], memory[j], 1, &w, &s);
                    if (s <= bound * 1.002 && w <= cap && w * s < best) best = w * s;
                }
            ctw_status st = ctw_power_choose_memory(p, bound, cap, &f, &y, &w, &s);
            ck_assert((st == CTW_OK) == (best < INFINITY));
            if (st == CTW_OK) ck_assert_double_eq_tol(w * s, best, 1e-9 * best);
            if (st != CTW_OK) ck_assert(st == CTW_E_INFEASIBLE);
        }
    double f, y, w;
    CTW_FAILS(ctw_power_choose_memory(p, 2, 30, &f, &y, &w, NULL), CTW_E_INFEASIBLE, "cap_watts");
    ck_assert(f == 800 && y == 400); /* the cap wins: the lowest power there is */
    CTW_FAILS(ctw_power_choose_memory(p, 0.5, INFINITY, &f, &y, NULL, NULL), CTW_E_INFEASIBLE, "max_slowdown");
    ck_assert(f == 1700 && y == 800); /* as fast as it goes */
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A kernel that does not touch memory: the memory clock costs watts and no time, so the lowest is chosen. */
START_TEST(core_bound)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    rows r = few();
    double f, y, w, s;
    ctw_power *p;
    for (uint64_t i = 0; i < r.n; i++)
        if (r.u[i] == 1) r.t[i] = 1700 / r.f[i];
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_OKAY(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, r.n, NULL));
    CTW_OKAY(ctw_power_choose_memory(p, 1.0, INFINITY, &f, &y, &w, &s));
    ck_assert(f == 1700 && y == 400);
    ck_assert_double_eq_tol(s, 1, 0.002);
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    rows r = few();
    ctw_power *p;
    double f = 1700, y = 800, w, s;
    CTW_OKAY(ctw_power_new(ctx, NULL, &p));
    CTW_FAILS(ctw_power_at_memory(p, &f, &y, NULL, 1, &w, &s), CTW_E_STATE, "memory clocks");
    CTW_FAILS(ctw_power_choose_memory(p, 2, INFINITY, &f, &y, &w, &s), CTW_E_STATE, "memory clocks");
    CTW_FAILS(ctw_power_fit_memory(p, r.f, NULL, r.u, r.w, r.t, r.n, NULL), CTW_E_ARG, "mem_mhz");
    CTW_FAILS(ctw_power_fit_memory(p, NULL, r.y, r.u, r.w, r.t, r.n, NULL), CTW_E_ARG, "mhz");
    CTW_FAILS(ctw_power_fit_memory(NULL, r.f, r.y, r.u, r.w, r.t, r.n, NULL), CTW_E_ARG, "p");
    r.w[0] = -3;
    CTW_FAILS(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, r.n, NULL), CTW_E_RANGE, "watts[0]");
    r.w[0] = INFINITY;
    CTW_FAILS(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, r.n, NULL), CTW_E_NONFINITE, "watts[0]");
    r = few();
    CTW_OKAY(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, r.n, NULL));
    y = 300;
    CTW_FAILS(ctw_power_at_memory(p, &f, &y, NULL, 1, &w, &s), CTW_E_RANGE, "mem_mhz[0]");
    CTW_FAILS(ctw_power_choose_memory(p, NAN, INFINITY, &f, &y, &w, &s), CTW_E_NONFINITE, "max_slowdown");
    CTW_FAILS(ctw_power_choose_memory(p, 2, 0, &f, &y, &w, &s), CTW_E_RANGE, "cap_watts");
    /* An ordinary fit forgets the memory clocks; too many are refused. */
    CTW_OKAY(ctw_power_fit(p, r.f, r.u, r.w, r.t, 2, NULL));
    CTW_FAILS(ctw_power_at_memory(p, &f, &y, NULL, 1, &w, &s), CTW_E_STATE, "memory clocks");
    for (int i = 0; i < 30; i++) {
        r.f[i] = 1000;
        r.y[i] = 100 + i;
        r.u[i] = 1;
        r.w[i] = r.t[i] = 5;
    }
    CTW_FAILS(ctw_power_fit_memory(p, r.f, r.y, r.u, r.w, r.t, 30, NULL), CTW_E_RANGE, "memory clocks");
    ctw_power_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The fitted device after one reading: what the golden file of format 1.1 holds. */
static ctw_power *corrected(void)
{
    ctw_power *p = fitted();
    CTW_OKAY(ctw_power_update(p, 1700, 1, 1.1 * true_watts(1700, 800, 1)));
    return p;
}

START_TEST(golden)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_power *p = corrected(), *q;
    double a, b, w, s, w2, s2;
    CTW_OKAY(ctw_power_load_file(ctx, ctw_test_golden("power/power-2.ctw"), &q));
    CTW_OKAY(ctw_power_drift(q, &a, &b, NULL, NULL));
    ck_assert(a > 1.01 && b > a);
    at(p, 1400, 600, 0.5, &w, &s);
    at(q, 1400, 600, 0.5, &w2, &s2);
    ck_assert_double_eq_tol(w, w2, 1e-9 * w);
    ck_assert_double_eq_tol(s, s2, 1e-9);
    ctw_power_unref(p);
    ctw_power_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static unsigned char buf[16384];
    uint64_t need;
    ctw_power *p = fitted(), *q;
    CTW_OKAY(ctw_power_save_mem(p, buf, sizeof buf, &need));
    CTW_OKAY(ctw_power_load_mem(ctx, buf, need, &q));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) {
            double w, s, w2, s2;
            at(p, core[i], memory[j], 0.5, &w, &s);
            at(q, core[i], memory[j], 0.5, &w2, &s2);
            ck_assert(w == w2 && s == s2);
        }
    ctw_power_unref(p);
    ctw_power_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Called as "power_memory write FILE": writes the golden file anew, for a new version of the format. */
int main(int argc, char **argv)
{
    const ctw_test_case cases[] = {
        {"found_again", found_again}, {"best_pair", best_pair}, {"core_bound", core_bound},
        {"errors", errors},           {"files", files},         {"golden", golden},
    };
    if (argc == 3 && strcmp(argv[1], "write") == 0) {
        CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
        ctw_power *p = corrected();
        CTW_OKAY(ctw_power_save_file(p, argv[2]));
        ctw_power_unref(p);
        ctw_ctx_unref(ctx);
        return 0;
    }
    return ctw_test_main("api-power-memory", cases, sizeof cases / sizeof *cases, 20);
}
