/* Contract of prior.h: the prior is that of its applications, the posterior the closed form, a few shots are enough. */
#include "test.h"
#include <cybertwin/prior.h>
#include <math.h>
#include <string.h>

enum { D = 5, APPS = 12 };
static ctw_ctx *ctx;

static ctw_prior *make(const char *noise, const char *components)
{
    ctw_params *o;
    ctw_prior *p;
    CTW_OKAY(ctw_params_new(ctx, "prior", &o));
    CTW_OKAY(ctw_params_set_i64(o, "dims", D));
    CTW_OKAY(ctw_params_set_text(o, "noise", noise));
    CTW_OKAY(ctw_params_set_text(o, "components", components));
    CTW_OKAY(ctw_params_set_f64(o, "ridge", 1e-9));
    CTW_OKAY(ctw_prior_new(ctx, o, &p));
    ctw_params_unref(o);
    return p;
}

/* Applications on a line in weight space: w = m + a u. */
static void weights(double a, double *w)
{
    static const double m[D] = {1, -2, 0.5, 3, 0}, u[D] = {0.6, 0, 0, 0.8, 0};
    for (int i = 0; i < D; i++) w[i] = m[i] + a * u[i];
}

static double row(int i, double *x)
{
    for (int k = 0; k < D; k++) x[k] = sin(1.0 + i * (k + 1.3) + k * k);
    return x[0];
}

static double value(const double *w, const double *x)
{
    double s = 0;
    for (int k = 0; k < D; k++) s += w[k] * x[k];
    return s;
}

START_TEST(finds_the_line)
{
    double w[D], x[30 * D], y[30], mean[D], sd[4], rest, z[1];
    uint64_t k;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_prior *p = make("0.1", "1");
    for (int a = 0; a < APPS; a++) {
        weights(a - 5.5, w);
        if (a % 2) {
            CTW_OKAY(ctw_prior_add(p, w, D));
            continue;
        }
        for (int i = 0; i < 30; i++) {
            row(i, x + i * D);
            y[i] = value(w, x + i * D);
        }
        CTW_OKAY(ctw_prior_add_rows(p, x, y, 30, D, D));
    }
    ck_assert(ctw_prior_count(p) == APPS && ctw_prior_count(NULL) == 0);
    CTW_OKAY(ctw_prior_fit(p));
    CTW_OKAY(ctw_prior_get(p, mean, D, sd, 4, &k, &rest));
    weights(0, w);
    for (int i = 0; i < D; i++) ck_assert_double_eq_tol(mean[i], w[i], 1e-6);
    ck_assert(k == 1);
    ck_assert_double_eq_tol(sd[0], sqrt(13.0), 1e-4); /* of -5.5 .. 5.5, n - 1 */
    ck_assert(rest < 0.2);
    weights(2.5, w);
    CTW_OKAY(ctw_prior_embed(p, w, D, z, 1));
    ck_assert_double_eq_tol(fabs(z[0]), 2.5, 1e-4);
    /* One shot on an unseen application tells where on the line it is: five weights from one number. */
    double got[D];
    weights(3.7, w);
    row(9, x);
    y[0] = value(w, x);
    CTW_OKAY(ctw_prior_posterior(p, x, NULL, y, 1, D, D, 0, got));
    for (int i = 0; i < D; i++) ck_assert_double_eq_tol(got[i], w[i], 0.05);
    CTW_OKAY(ctw_prior_posterior(p, NULL, NULL, NULL, 0, D, D, 0, got));
    for (int i = 0; i < D; i++) ck_assert_double_eq_tol(got[i], mean[i], 1e-9);
    ctw_prior_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A w - b = 0 for the documented A and b, and Bayesian LSTD on a two-state ring whose values are known. */
START_TEST(closed_form)
{
    double w[D], x[8 * D], next[8 * D], y[8], got[D], mean[D], sd[4], rest, z[4], again[4];
    uint64_t k;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_prior *p = make("0.5", "3");
    for (int a = 0; a < 7; a++) {
        for (int i = 0; i < D; i++) w[i] = cos(3.0 * a + i * i);
        CTW_OKAY(ctw_prior_add(p, w, D));
    }
    CTW_OKAY(ctw_prior_fit(p));
    CTW_OKAY(ctw_prior_get(p, mean, D, sd, 4, &k, &rest));
    ck_assert(k == 3 && sd[0] >= sd[1] && sd[1] >= sd[2] && rest > 0);
    for (int i = 0; i < 8; i++) {
        y[i] = 1 + row(i, x + i * D);
        row(i + 20, next + i * D);
    }
    CTW_OKAY(ctw_prior_posterior(p, x, next, y, 8, D, D, 0.7, got));
    for (int i = 0; i < D; i++) w[i] = 0;
    for (int i = 0; i < 8; i++) { /* what the rows leave: X' (y - (X - gamma X') w) / v = S^-1 (w - m) */
        double td = y[i] - value(got, x + i * D) + 0.7 * value(got, next + i * D);
        for (int c = 0; c < D; c++) w[c] += x[i * D + c] * td / 0.25;
    }
    /* S^-1 (w - m) has component z / (v + r) along each axis: compare embeddings. */
    CTW_OKAY(ctw_prior_embed(p, got, D, z, 3));
    for (int c = 0; c < D; c++) w[c] += mean[c];
    CTW_OKAY(ctw_prior_embed(p, w, D, again, 3));
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(again[i], z[i] / (sd[i] * sd[i] + rest * rest), 1e-8);
    double ring[200 * D] = {0}, to[200 * D] = {0}, r[200];
    for (int i = 0; i < 200; i++) { /* states 0 and 1 by turns, reward 1 in state 0, gamma .5: 4/3 and 2/3 */
        ring[i * D + i % 2] = 1;
        to[i * D + 1 - i % 2] = 1;
        r[i] = i % 2 == 0;
    }
    CTW_OKAY(ctw_prior_posterior(p, ring, to, r, 200, D, D, 0.5, got));
    ck_assert_double_eq_tol(got[0], 4.0 / 3, 0.03);
    ck_assert_double_eq_tol(got[1], 2.0 / 3, 0.03);
    ctw_prior_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A loaded prior answers with the same bits, fitted or not, and goes on; damage is refused. */
START_TEST(saved)
{
    double w[D], x[3 * D], y[3], was[D], is[D];
    unsigned char buf[4096];
    uint64_t n, need;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_prior *p = make("0.5", "3"), *q;
    for (int a = 0; a < 7; a++) {
        for (int i = 0; i < D; i++) w[i] = cos(3.0 * a + i * i);
        CTW_OKAY(ctw_prior_add(p, w, D));
        if (a == 0) CTW_OKAY(ctw_prior_save_mem(p, buf, sizeof buf, &n));
        if (a == 5) CTW_OKAY(ctw_prior_fit(p)); /* the last one is known but not in the fit */
    }
    CTW_OKAY(ctw_prior_load_mem(ctx, buf, n, &q));
    ck_assert(ctw_prior_count(q) == 1);
    CTW_FAILS(ctw_prior_posterior(q, NULL, NULL, NULL, 0, D, D, 0, is), CTW_E_STATE, "not fitted");
    ctw_prior_unref(q);
    CTW_OKAY(ctw_prior_save_mem(p, NULL, 0, &need));
    CTW_OKAY(ctw_prior_save_mem(p, buf, sizeof buf, &n));
    ck_assert(n == need);
    CTW_OKAY(ctw_prior_load_mem(ctx, buf, n, &q));
    for (int i = 0; i < 3; i++) y[i] = row(i, x + i * D);
    for (int again = 0; again < 2; again++) {
        CTW_OKAY(ctw_prior_posterior(p, x, NULL, y, 3, D, D, 0, was));
        CTW_OKAY(ctw_prior_posterior(q, x, NULL, y, 3, D, D, 0, is));
        ck_assert(memcmp(was, is, sizeof was) == 0);
        CTW_OKAY(ctw_prior_add(p, was, D));
        CTW_OKAY(ctw_prior_add(q, was, D));
        CTW_OKAY(ctw_prior_fit(p));
        CTW_OKAY(ctw_prior_fit(q));
    }
    ctw_prior_unref(q);
    for (uint64_t i = 0; i < n; i++) {
        buf[i] ^= 1;
        ctw_status s = ctw_prior_load_mem(ctx, buf, n, &q);
        ck_assert_msg(s != CTW_OK && q == NULL, "byte %d", (int)i);
        buf[i] ^= 1;
        ck_assert(ctw_prior_load_mem(ctx, buf, i, &q) == CTW_E_FORMAT && q == NULL);
    }
    CTW_FAILS(ctw_prior_load_mem(ctx, buf, n, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_prior_save_mem(p, buf, 10, &n), CTW_E_BUFFER, "10");
    CTW_FAILS(ctw_prior_load_file(ctx, "/nowhere/prior", &q), CTW_E_IO, "nowhere");
    ctw_prior_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_calls)
{
    double w[D] = {1, 2, 3, 4, 5}, nan[D] = {NAN, 0, 0, 0, 0}, z[4], y = 1;
    uint64_t k;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_prior *p = make("0.5", "4");
    CTW_FAILS(ctw_prior_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_prior_add(p, w, 4), CTW_E_SHAPE, "n is 4");
    CTW_FAILS(ctw_prior_add(p, NULL, D), CTW_E_ARG, "w");
    CTW_FAILS(ctw_prior_add(p, nan, D), CTW_E_NONFINITE, "w");
    CTW_FAILS(ctw_prior_add_rows(p, w, &y, 0, D, D), CTW_E_SHAPE, "rows");
    CTW_FAILS(ctw_prior_add_rows(p, w, &y, 1, D, 4), CTW_E_SHAPE, "apart");
    CTW_FAILS(ctw_prior_add_rows(p, w, NULL, 1, D, D), CTW_E_ARG, "y");
    CTW_OKAY(ctw_prior_add(p, w, D));
    CTW_FAILS(ctw_prior_fit(p), CTW_E_STATE, "1 applications");
    CTW_FAILS(ctw_prior_get(p, NULL, 0, NULL, 0, &k, NULL), CTW_E_STATE, "fitted");
    w[0] = 7;
    CTW_OKAY(ctw_prior_add(p, w, D));
    CTW_OKAY(ctw_prior_fit(p));
    CTW_OKAY(ctw_prior_get(p, NULL, 0, NULL, 0, &k, NULL));
    ck_assert(k == 1);
    CTW_FAILS(ctw_prior_get(p, w, 4, NULL, 0, NULL, NULL), CTW_E_SHAPE, "n is 4");
    CTW_FAILS(ctw_prior_get(p, NULL, 0, z, 0, NULL, NULL), CTW_E_BUFFER, "cap");
    CTW_FAILS(ctw_prior_embed(p, w, D, z, 2), CTW_E_SHAPE, "k is 2");
    CTW_FAILS(ctw_prior_posterior(p, w, NULL, &y, 1, D, D, 2, w), CTW_E_RANGE, "gamma");
    CTW_FAILS(ctw_prior_posterior(p, nan, NULL, &y, 1, D, D, 0, w), CTW_E_NONFINITE, "x");
    CTW_FAILS(ctw_prior_posterior(p, w, NULL, &y, 1, D, D, 0, NULL), CTW_E_ARG, "out_w");
    ck_assert_ptr_eq(ctw_prior_ref(p), p);
    ctw_prior_unref(p);
    ctw_prior_unref(p);
    ctw_prior_unref(NULL);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_status life(ctw_ctx *c, void *user)
{
    ctw_params *o = NULL;
    ctw_prior *p = NULL, *q = NULL;
    unsigned char buf[2048];
    uint64_t need;
    double x[4] = {1, 0, 0, 1}, y[2] = {1, 2}, w[2] = {0, 3};
    (void)user;
    ctw_status s = ctw_params_new(c, "prior", &o);
    if (s == CTW_OK) s = ctw_params_set_i64(o, "dims", 2);
    if (s == CTW_OK) s = ctw_prior_new(c, o, &p);
    if (s == CTW_OK) s = ctw_prior_add_rows(p, x, y, 2, 2, 2);
    if (s == CTW_OK) s = ctw_prior_add(p, w, 2);
    if (s == CTW_OK) s = ctw_prior_fit(p);
    if (s == CTW_OK) s = ctw_prior_posterior(p, x, x, y, 2, 2, 2, 0.5, w);
    if (s == CTW_OK) s = ctw_prior_save_mem(p, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_prior_load_mem(c, buf, need, &q);
    ctw_params_unref(o);
    ctw_prior_unref(p);
    ctw_prior_unref(q);
    return s;
}

START_TEST(out_of_memory)
{
    ck_assert(ctw_oom_sweep(life, NULL, 1) > 8);
}
END_TEST

int main(void)
{
    ctw_test_case cases[] = {
        {"finds_the_line", finds_the_line}, {"closed_form", closed_form},     {"saved", saved},
        {"bad_calls", bad_calls},           {"out_of_memory", out_of_memory},
    };
    return ctw_test_main("api-prior", cases, sizeof cases / sizeof *cases, 30);
}
