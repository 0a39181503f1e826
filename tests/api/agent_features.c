/* Contract of features.h: every form against its formula, limits, and least-squares policy iteration on top. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_features *make(const char *form, const char *key, const char *value)
{
    ctw_params *p;
    ctw_features *f;
    CTW_OKAY(ctw_params_new(ctx, "features", &p));
    CTW_OKAY(ctw_params_set_text(p, "form", form));
    CTW_OKAY(ctw_params_set_i64(p, "dims", 2));
    if (key) CTW_OKAY(ctw_params_set_text(p, key, value));
    CTW_OKAY(ctw_features_new(ctx, p, &f));
    ctw_params_unref(p);
    return f;
}

static const double lo[2] = {-1, 0}, hi[2] = {1, 10};
static const int64_t bins[2] = {4, 5};

static uint64_t encode(const ctw_features *f, double a, double b, int64_t *idx, double *val)
{
    double x[2] = {a, b};
    uint64_t n;
    CTW_OKAY(ctw_features_encode(f, x, 2, idx, val, 64, &n));
    return n;
}

START_TEST(grids)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_features *f = make("tiles", NULL, NULL), *h = make("hashed", "size", "97"), *c = make("cross", NULL, NULL);
    int64_t idx[64], far[64];
    double val[64];
    uint64_t count, active;
    CTW_FAILS(ctw_features_count(f, &count, &active), CTW_E_STATE, "set_ranges");
    CTW_OKAY(ctw_features_set_ranges(f, lo, hi, bins, 2));
    CTW_OKAY(ctw_features_set_ranges(h, lo, hi, bins, 2));
    CTW_OKAY(ctw_features_set_ranges(c, lo, hi, bins, 2));
    CTW_OKAY(ctw_features_count(f, &count, &active));
    ck_assert(count == 8 * 5 * 6 && active == 8);
    for (double a = -1.5; a < 1.5; a += 0.13)
        for (double b = -2; b < 12; b += 0.37) {
            double u = fmin(fmax((a + 1) * 16, 0), 31), v = fmin(fmax(b * 4, 0), 39);
            ck_assert(encode(f, a, b, idx, val) == 8);
            for (int t = 0; t < 8; t++) { /* the definition, with the shifts (1, 3) */
                int64_t cell = ((int64_t)u + t) / 8 + 5 * (((int64_t)v + 3 * t % 8) / 8);
                ck_assert_msg(idx[t] == 30 * t + cell && val[t] == 1, "%g %g tiling %d", a, b, t);
            }
            ck_assert(encode(h, a, b, idx, val) == 8);
            for (int t = 0; t < 8; t++) ck_assert(idx[t] >= 0 && idx[t] < 97);
            ck_assert(encode(c, a, b, idx, val) == 3);
            ck_assert(idx[0] == (int64_t)(u / 8) + 4 * (int64_t)(v / 8));
            ck_assert(idx[1] == 20 + (int64_t)(u / 8) && idx[2] == 24 + (int64_t)(v / 8));
        }
    encode(f, 1e6, -1e6, idx, val);
    encode(f, 1, 0, far, val);
    ck_assert(memcmp(idx, far, 8 * sizeof *idx) == 0); /* beyond the border is at the border */
    ctw_features_unref(f);
    ctw_features_unref(h);
    ctw_features_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(dense_forms)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    int64_t idx[64];
    double val[64];
    ctw_features *f = make("fourier", "order", "2"), *p = make("poly", "order", "2"), *r = make("rbf", "bins", "3"),
                 *w = make("raw", NULL, NULL);
    CTW_OKAY(ctw_features_set_ranges(f, lo, hi, NULL, 2));
    CTW_OKAY(ctw_features_set_ranges(p, lo, hi, NULL, 2));
    CTW_OKAY(ctw_features_set_ranges(r, lo, hi, NULL, 2));
    CTW_OKAY(ctw_features_set_ranges(w, lo, hi, NULL, 2));
    double u = 0.65, v = 0.2;
    ck_assert(encode(f, 0.3, 2, idx, val) == 9);
    ck_assert(val[0] == 1);
    ck_assert_double_eq_tol(val[5], cos(M_PI * (2 * u + v)), 1e-12);
    ck_assert(encode(p, 0.3, 2, idx, val) == 6);
    ck_assert_double_eq_tol(val[2], u * u, 1e-12);
    ck_assert_double_eq_tol(val[4], u * v, 1e-12);
    ck_assert(encode(r, 0.3, 2, idx, val) == 10);
    ck_assert(val[0] == 1);
    ck_assert_double_eq_tol(val[1], exp(-0.5 * (1.3 * 1.3 + 0.16)), 1e-12);
    ck_assert(encode(w, 0.3, 2, idx, val) == 3);
    ck_assert(val[0] == 1 && fabs(val[1] - u) < 1e-12 && fabs(val[2] - v) < 1e-12);
    ctw_features_unref(f);
    ctw_features_unref(p);
    ctw_features_unref(r);
    ctw_features_unref(w);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(limits)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_features *f = make("tiles", NULL, NULL), *g;
    double up[2] = {1, 2}, nan[2] = {NAN, 0}, wide[2] = {1e7, 1}, x[2] = {0, 0}, val[64];
    int64_t many[2] = {4096, 4096}, none[2] = {0, 1}, idx[64];
    uint64_t n;
    CTW_FAILS(ctw_features_set_ranges(f, lo, hi, NULL, 3), CTW_E_SHAPE, "dims");
    CTW_FAILS(ctw_features_set_ranges(f, up, up, NULL, 2), CTW_E_RANGE, "wide");
    CTW_FAILS(ctw_features_set_ranges(f, nan, hi, NULL, 2), CTW_E_NONFINITE, "lo");
    CTW_FAILS(ctw_features_set_ranges(f, lo, wide, NULL, 2), CTW_E_RANGE, "hi");
    CTW_FAILS(ctw_features_set_ranges(f, lo, hi, none, 2), CTW_E_RANGE, "bins");
    CTW_FAILS(ctw_features_set_ranges(f, lo, hi, many, 2), CTW_E_RANGE, "features");
    CTW_FAILS(ctw_features_set_ranges(f, NULL, hi, NULL, 2), CTW_E_ARG, "lo");
    CTW_OKAY(ctw_features_set_ranges(f, lo, hi, bins, 2)); /* the failures left it as it was */
    CTW_FAILS(ctw_features_set_ranges(f, lo, hi, bins, 2), CTW_E_STATE, "already");
    CTW_FAILS(ctw_features_encode(f, x, 1, idx, val, 64, &n), CTW_E_SHAPE, "dims");
    CTW_FAILS(ctw_features_encode(f, nan, 2, idx, val, 64, &n), CTW_E_NONFINITE, "x");
    CTW_FAILS(ctw_features_encode(f, x, 2, idx, val, 7, &n), CTW_E_BUFFER, "at least 8");
    ck_assert(n == 8);
    CTW_FAILS(ctw_features_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    g = make("fourier", "order", "64");
    ctw_features_unref(g);
    ctw_features_unref(ctw_features_ref(f));
    ctw_features_unref(f);
    ctw_features_unref(NULL);
    ck_assert_ptr_null(ctw_features_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

/* Three resources, two values each: whatever their order, the same features; and the order is told. */
START_TEST(ranks)
{
    static const int perms[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const double low[7] = {0, 0, 0, 0, 0, 0, 0}, high[7] = {1, 1, 1, 1, 1, 1, 1};
    const double pressure[3] = {0.9, 0.5, 0.2}, limit[3] = {0.1, 0.7, 0.4};
    ctw_params *p;
    ctw_features *f;
    int64_t idx[8], order[3];
    double val[8], x[7];
    uint64_t n;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "features", &p));
    CTW_OKAY(ctw_params_set_text(p, "form", "raw"));
    CTW_OKAY(ctw_params_set_i64(p, "dims", 7));
    CTW_OKAY(ctw_params_set_i64(p, "ranked", 3));
    CTW_OKAY(ctw_params_set_i64(p, "rank_blocks", 3));
    CTW_FAILS(ctw_features_new(ctx, p, &f), CTW_E_ARG, "ranked");
    CTW_OKAY(ctw_params_set_i64(p, "rank_blocks", 2));
    CTW_OKAY(ctw_features_new(ctx, p, &f));
    CTW_FAILS(ctw_features_order(f, low, 7, order, 3), CTW_E_STATE, "set_ranges");
    CTW_OKAY(ctw_features_set_ranges(f, low, high, NULL, 7));
    for (int k = 0; k < 6; k++) {
        x[6] = 0.3;
        for (int i = 0; i < 3; i++) { /* resource i has rank perms[k][i] */
            x[i] = pressure[perms[k][i]];
            x[3 + i] = limit[perms[k][i]];
        }
        CTW_OKAY(ctw_features_encode(f, x, 7, idx, val, 8, &n));
        ck_assert_uint_eq(n, 8);
        for (int i = 0; i < 3; i++) {
            ck_assert_double_eq_tol(val[1 + i], pressure[i], 1e-12);
            ck_assert_double_eq_tol(val[4 + i], limit[i], 1e-12);
        }
        ck_assert_double_eq_tol(val[7], 0.3, 1e-12);
        CTW_OKAY(ctw_features_order(f, x, 7, order, 3));
        for (int i = 0; i < 3; i++) ck_assert_int_eq(perms[k][order[i]], i);
    }
    CTW_FAILS(ctw_features_order(f, x, 7, order, 2), CTW_E_BUFFER, "cap");
    CTW_FAILS(ctw_features_order(f, x, 6, order, 3), CTW_E_SHAPE, "dims");
    const double same[7] = {0.5, 0.5, 0.5, 0, 0, 0, 0};
    CTW_OKAY(ctw_features_order(f, same, 7, order, 3));
    for (int i = 0; i < 3; i++) ck_assert_int_eq(order[i], i);

    /* an agent keeps it in its file */
    static unsigned char buf[2][8192];
    uint64_t m;
    ctw_params *q;
    ctw_agent *a, *b;
    CTW_OKAY(ctw_params_new(ctx, "agent", &q));
    CTW_OKAY(ctw_params_set_text(q, "form", "linear"));
    CTW_OKAY(ctw_agent_new(ctx, q, &a));
    CTW_OKAY(ctw_agent_set_features(a, f));
    CTW_OKAY(ctw_agent_save_mem(a, buf[0], sizeof buf[0], &n));
    CTW_OKAY(ctw_agent_load_mem(ctx, buf[0], n, &b));
    CTW_OKAY(ctw_agent_save_mem(b, buf[1], sizeof buf[1], &m));
    ck_assert(n == m && memcmp(buf[0], buf[1], n) == 0);
    ctw_agent_unref(a);
    ctw_agent_unref(b);
    ctw_features_unref(f);
    ctw_params_unref(p);
    ctw_params_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Two actions on one feature: the fixed point is known in closed form. */
START_TEST(lspi)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_params *p;
    ctw_agent *a;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_str(p, "form", "linear"));
    CTW_OKAY(ctw_params_set_i64(p, "features", 1));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", 0.5));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    const double phi[4] = {1, 1, 1, 1}, next[4] = {1, 1, 1, 1}, r[4] = {1, 1, 3, 3};
    const int64_t act[4] = {0, 0, 1, 1}, bad[4] = {0, 0, 0, 9};
    const uint8_t end[4] = {0, 0, 0, 0};
    int64_t rounds;
    double w[2];
    uint64_t need;
    CTW_OKAY(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 1, 1, 0, 1e-9, 20, NULL, &rounds));
    CTW_OKAY(ctw_agent_get_weights(a, w, 2, &need));
    ck_assert_double_eq_tol(w[1], 6, 1e-9);
    ck_assert_double_eq_tol(w[0], 4, 1e-9);
    ck_assert(rounds >= 2 && rounds < 20);
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, bad, r, next, end, 4, 1, 1, 0, 1e-9, 20, NULL, NULL), CTW_E_RANGE, "action");
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 2, 1, 1, 0, 1e-9, 20, NULL, NULL), CTW_E_SINGULAR, NULL);
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 1, 1, -1, 1e-9, 20, NULL, NULL), CTW_E_RANGE, "ridge");
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 1, 1, 0, 1e-9, 0, NULL, NULL), CTW_E_RANGE,
              "max_rounds");
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 2, 2, 0, 1e-9, 5, NULL, NULL), CTW_E_SHAPE, "n is 2");
    CTW_OKAY(ctw_agent_get_weights(a, w, 2, &need));
    ck_assert_double_eq_tol(w[1], 6, 1e-9);
    ctw_cancel *stop;
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 1, 1, 0, 1e-9, 5, stop, NULL), CTW_E_CANCELLED, NULL);
    ctw_cancel_unref(stop);
    ctw_agent_unref(a);
    CTW_OKAY(ctw_agent_new(ctx, NULL, &a));
    CTW_FAILS(ctw_agent_fit_lspi(a, phi, act, r, next, end, 4, 1, 1, 0, 1e-9, 5, NULL, NULL), CTW_E_ARG, "linear");
    ctw_agent_unref(a);
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"grids", grids}, {"dense_forms", dense_forms}, {"limits", limits}, {"ranks", ranks}, {"lspi", lspi}};
    return ctw_test_main("api-agent-features", cases, sizeof cases / sizeof *cases, 60);
}
