/* num.c: statistics against closed forms and brute force, sorting against order, linear algebra against
 * its defining equations, the random streams against published vectors and moments. */
#include "base/ctx.h"
#include "num/blas.h"
#include "num/lapack.h"
#include "num/rng.h"
#include "num/sort.h"
#include "num/stats.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

/* Philox4x32-10 with zero counter and key: the known-answer vector of the Random123 distribution. */
START_TEST(philox_known_answer)
{
    ctw_num__rng g = {.used = 4};
    ck_assert_uint_eq(ctw_num__rng_u64(&g), UINT64_C(0xe169c58d) << 32 | 0x6627e8d5u);
    ck_assert_uint_eq(ctw_num__rng_u64(&g), UINT64_C(0x9b00dbd8) << 32 | 0xbc57ac4cu);
}
END_TEST

START_TEST(streams_resume_and_differ)
{
    ctw_num__rng a, b, c;
    unsigned char state[CTW_RNG_STATE];
    ctw_num__rng_init(&a, 1, 2, 3);
    for (int k = 0; k < 7; k++) {
        ctw_num__rng_save(&a, state);
        ck_assert_int_eq(ctw_num__rng_load(&b, state), 0);
        for (int i = 0; i < 5; i++) {
            c = a;
            ck_assert_uint_eq(ctw_num__rng_u64(&c), ctw_num__rng_u64(&b));
            ctw_num__rng_u64(&a);
        }
    }
    state[24] = 3;
    ck_assert_int_eq(ctw_num__rng_load(&b, state), -1);
    memset(state, 0, sizeof state);
    ck_assert_int_eq(ctw_num__rng_load(&b, state), -1);
    ctw_num__rng_init(&b, 1, 2, 4);
    ctw_num__rng_init(&c, 1, 3, 3);
    ctw_num__rng_init(&a, 1, 2, 3);
    uint64_t x = ctw_num__rng_u64(&a);
    ck_assert(x != ctw_num__rng_u64(&b) && x != ctw_num__rng_u64(&c));
}
END_TEST

/* Mean and variance of n draws within 5 standard errors of the truth. */
static void moments(double (*draw)(ctw_num__rng *, double), double arg, double mean, double var)
{
    enum { N = 40000 };
    ctw_num__rng g;
    static double v[N];
    ctw_num__rng_init(&g, 7, 1, 0);
    for (int i = 0; i < N; i++) v[i] = draw(&g, arg);
    double m = ctw_num__mean(v, N), s2 = ctw_num__variance(v, N);
    ck_assert_msg(fabs(m - mean) < 5 * sqrt(var / N), "mean %g, not %g", m, mean);
    ck_assert_msg(fabs(s2 / var - 1) < 0.1, "variance %g, not %g", s2, var);
}

static double draw_uniform(ctw_num__rng *g, double a)
{
    (void)a;
    return ctw_num__rng_uniform(g);
}

static double draw_normal(ctw_num__rng *g, double a)
{
    (void)a;
    return ctw_num__rng_normal(g);
}

static double draw_exponential(ctw_num__rng *g, double a)
{
    (void)a;
    return ctw_num__rng_exponential(g);
}

static double draw_poisson(ctw_num__rng *g, double a)
{
    return (double)ctw_num__rng_poisson(g, a);
}

static double draw_below(ctw_num__rng *g, double a)
{
    return (double)ctw_num__rng_below(g, (uint64_t)a);
}

START_TEST(distributions)
{
    moments(draw_uniform, 0, 0.5, 1.0 / 12);
    moments(draw_normal, 0, 0, 1);
    moments(draw_exponential, 0, 1, 1);
    moments(ctw_num__rng_gamma, 0.3, 0.3, 0.3);
    moments(ctw_num__rng_gamma, 4, 4, 4);
    moments(draw_poisson, 3, 3, 3);
    moments(draw_poisson, 250, 250, 250);
    moments(draw_below, 6, 2.5, 35.0 / 12);
    ctw_num__rng g;
    ctw_num__rng_init(&g, 1, 1, 1);
    ck_assert_uint_eq(ctw_num__rng_poisson(&g, 0), 0);
    size_t idx[50], seen = 0;
    for (size_t i = 0; i < 50; i++) idx[i] = i;
    ctw_num__rng_shuffle(&g, idx, 50);
    for (size_t i = 0; i < 50; i++) seen += idx[i];
    ck_assert_uint_eq(seen, 49 * 25);
}
END_TEST

static int by_value(const void *a, const void *b, void *user)
{
    (void)user;
    return *(const int *)a - *(const int *)b;
}

START_TEST(sorting)
{
    enum { N = 3000 };
    static double v[N], w[N];
    static int64_t k[N];
    static size_t idx[N];
    static int small[N];
    ctw_num__rng g;
    ctw_num__rng_init(&g, 3, 3, 3);
    for (int shape = 0; shape < 6; shape++) {
        for (size_t i = 0; i < N; i++) {
            double u = ctw_num__rng_uniform(&g);
            v[i] = shape == 0   ? u
                   : shape == 1 ? floor(u * 5)
                   : shape == 2 ? (double)i
                   : shape == 3 ? -(double)i
                   : shape == 4 ? 1
                                : (double)(i % 2 ? i : N - i);
            k[i] = (int64_t)(v[i] * 1000);
            small[i] = (int)k[i];
        }
        ctw_num__argsort(v, idx, N);
        for (size_t i = 1; i < N; i++)
            ck_assert(v[idx[i - 1]] < v[idx[i]] || (v[idx[i - 1]] == v[idx[i]] && idx[i - 1] < idx[i]));
        ctw_num__argsort_i64(k, idx, N);
        for (size_t i = 1; i < N; i++) ck_assert(k[idx[i - 1]] <= k[idx[i]]);
        ctw_num__sort_by(small, N, sizeof *small, by_value, NULL);
        for (size_t i = 1; i < N; i++) ck_assert(small[i - 1] <= small[i]);
        memcpy(w, v, sizeof v);
        ctw_num__sort(w, N);
        for (size_t i = 1; i < N; i++) ck_assert(w[i - 1] <= w[i]);
        for (size_t q = 0; q < N; q += 499) {
            static double x[N];
            memcpy(x, v, sizeof v);
            ck_assert(ctw_num__select(x, N, q) == w[q]);
        }
        double at = ctw_num__quantile_sorted(w, N, 0.37);
        ck_assert(fabs(ctw_num__quantile(v, N, 0.37) - at) < 1e-12);
    }
}
END_TEST

/* Elements larger than any buffer inside move whole: key and payload stay together. */
START_TEST(sorting_large_elements)
{
    enum { N = 200, PAYLOAD = 191 };
    static struct {
        int key, payload[PAYLOAD];
    } v[N];
    for (int i = 0; i < N; i++) {
        v[i].key = (i * 37) % N;
        for (int k = 0; k < PAYLOAD; k++) v[i].payload[k] = v[i].key * 1000 + k;
    }
    ctw_num__sort_by(v, N, sizeof *v, by_value, NULL);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(v[i].key, i);
        for (int k = 0; k < PAYLOAD; k++) ck_assert_int_eq(v[i].payload[k], i * 1000 + k);
    }
}
END_TEST

START_TEST(statistics)
{
    double v[] = {4, 1, 3, 2}, s[] = {1, 2, 3, 4}, huge[] = {1e16, 1, -1e16};
    ck_assert(ctw_num__sum(huge, 3) == 1);
    ck_assert(ctw_num__mean(v, 4) == 2.5);
    ck_assert(fabs(ctw_num__variance(v, 4) - 5.0 / 3) < 1e-15);
    ck_assert(ctw_num__variance(v, 1) == 0);
    ck_assert(ctw_num__quantile_sorted(s, 4, 0.5) == 2.5 && ctw_num__quantile_sorted(s, 4, 1) == 4);
    ck_assert(ctw_num__quantile(v, 4, 0) == 1);
    ck_assert(ctw_num__conformal_sorted(s, 4, 0.6) == 3);
    ck_assert(isinf(ctw_num__conformal_sorted(s, 4, 0.9)));
    ck_assert(ctw_num__conformal_sorted(s, 4, 0) == 1);
    ck_assert(fabs(ctw_num__pearson(s, (double[]){2, 4, 6, 8}, 4) - 1) < 1e-15);
    ck_assert(ctw_num__pearson(s, (double[]){1, 1, 1, 1}, 4) == 0);
    ck_assert(ctw_num__pearson(s, s, 1) == 0);
    for (double p = 0.001; p < 1; p += 0.007)
        ck_assert(fabs(ctw_num__normal_cdf(ctw_num__normal_quantile(p)) - p) < 1e-14);
    ck_assert(fabs(ctw_num__normal_quantile(0.975) - 1.959963984540054) < 1e-14);
    ck_assert(fabs(ctw_num__normal_quantile(1e-20) + 9.262340089798408) < 1e-12);
    ck_assert(isinf(ctw_num__normal_quantile(0)) && isinf(ctw_num__normal_quantile(1)));
}
END_TEST

/* tau-b and rho against their definitions, with ties. */
START_TEST(rank_correlations)
{
    enum { N = 200 };
    double x[N], y[N], tau, rho;
    ctw_num__rng g;
    ctw_num__rng_init(&g, 5, 5, 5);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++) {
            x[i] = floor(ctw_num__rng_uniform(&g) * (round ? 20 : 1e9));
            y[i] = floor(x[i] / 3 + ctw_num__rng_uniform(&g) * 10);
        }
        double s = 0, tx = 0, ty = 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < i; j++) {
                int a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
                s += a * b;
                tx += a != 0;
                ty += b != 0;
            }
        CTW_OKAY(ctw_num__kendall(ctx, x, y, N, &tau));
        ck_assert(fabs(tau - s / sqrt(tx * ty)) < 1e-12);
        CTW_OKAY(ctw_num__spearman(ctx, x, y, N, &rho));
        ck_assert(rho > 0.4 && rho <= 1);
    }
    CTW_OKAY(ctw_num__spearman(ctx, x, x, N, &rho));
    ck_assert(fabs(rho - 1) < 1e-12);
    CTW_OKAY(ctw_num__kendall(ctx, x, y, 1, &tau));
    ck_assert(tau == 0);
    ctw_ctx_unref(ctx);
}
END_TEST

static void random_matrix(ctw_num__rng *g, size_t r, size_t c, ctw_num__mat *m)
{
    CTW_OKAY(ctw_num__mat_new(ctx, r, c, m));
    for (size_t i = 0; i < r * c; i++) m->a[i] = ctw_num__rng_normal(g);
}

static double distance(const ctw_num__mat *a, const ctw_num__mat *b)
{
    double d = 0;
    for (size_t j = 0; j < a->cols; j++)
        for (size_t i = 0; i < a->rows; i++) d = fmax(d, fabs(CTW_AT(a, i, j) - CTW_AT(b, i, j)));
    return d;
}

START_TEST(linear_algebra)
{
    enum { N = 30, D = 6, K = 3 };
    ctw_num__mat x, y, w, gram, rhs, q, prod, u, vt;
    ctw_num__rng g;
    double ev[D];
    ctw_num__rng_init(&g, 9, 9, 9);
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    random_matrix(&g, N, D, &x);
    random_matrix(&g, N, K, &y);
    CTW_OKAY(ctw_num__ridge(ctx, &x, &y, 0.7, &w));
    /* (X'X + 0.7 I) W = X'Y */
    CTW_OKAY(ctw_num__mat_new(ctx, D, D, &gram));
    ctw_num__gemm(1, 0, 1, &x, &x, 0, &gram);
    for (size_t i = 0; i < D; i++) CTW_AT(&gram, i, i) += 0.7;
    CTW_OKAY(ctw_num__mat_new(ctx, D, K, &rhs));
    CTW_OKAY(ctw_num__mat_new(ctx, D, K, &prod));
    ctw_num__gemm(1, 0, 1, &x, &y, 0, &rhs);
    ctw_num__gemm(0, 0, 1, &gram, &w, 0, &prod);
    ck_assert(distance(&prod, &rhs) < 1e-10);
    /* LU agrees with Cholesky */
    CTW_OKAY(ctw_num__mat_new(ctx, D, D, &q));
    memcpy(q.a, gram.a, D * D * sizeof(double));
    CTW_OKAY(ctw_num__lu_solve(ctx, &q, &rhs));
    ck_assert(distance(&rhs, &w) < 1e-10);
    /* eigenvalues: trace, and A V = V diag */
    memcpy(q.a, gram.a, D * D * sizeof(double));
    CTW_OKAY(ctw_num__eigh(ctx, &q, ev));
    double trace = 0;
    for (size_t i = 0; i < D; i++) trace += CTW_AT(&gram, i, i) - ev[i];
    ck_assert(fabs(trace) < 1e-9 && ev[0] <= ev[D - 1]);
    double column[D];
    ctw_num__gemv(0, 1, &gram, q.a, 0, column);
    for (size_t i = 0; i < D; i++) ck_assert(fabs(column[i] - ev[0] * q.a[i]) < 1e-9);
    /* inverse and triangles */
    memcpy(q.a, gram.a, D * D * sizeof(double));
    CTW_OKAY(ctw_num__chol(&q));
    memcpy(rhs.a, prod.a, D * K * sizeof(double));
    CTW_OKAY(ctw_num__tri_solve(&q, 0, &rhs));
    CTW_OKAY(ctw_num__tri_solve(&q, 1, &rhs));
    ck_assert(distance(&rhs, &w) < 1e-10);
    CTW_OKAY(ctw_num__chol_inverse(&q));
    double dot = 0;
    for (size_t i = 0; i < D; i++) dot += CTW_AT(&gram, 0, i) * CTW_AT(&q, i, 0);
    ck_assert(fabs(dot - 1) < 1e-10);
    /* SVD: X = U S V' */
    ctw_num__mat copy;
    CTW_OKAY(ctw_num__mat_new(ctx, N, D, &copy));
    memcpy(copy.a, x.a, N * D * sizeof(double));
    CTW_OKAY(ctw_num__svd(ctx, &copy, &u, ev, &vt));
    for (size_t i = 0; i < D; i++)
        for (size_t r = 0; r < N; r++) CTW_AT(&u, r, i) *= ev[i];
    ctw_num__gemm(0, 0, 1, &u, &vt, 0, &copy);
    ck_assert(distance(&copy, &x) < 1e-10);
    /* least squares agree with ridge at 0 */
    ctw_num__mat w0, y2;
    CTW_OKAY(ctw_num__ridge(ctx, &x, &y, 0, &w0));
    CTW_OKAY(ctw_num__mat_new(ctx, N, K, &y2));
    memcpy(y2.a, y.a, N * K * sizeof(double));
    CTW_OKAY(ctw_num__lstsq(ctx, &copy, &y2));
    ck_assert(distance(&w0, &y2) < 1e-10);
    ctw_num__mat *all[] = {&x, &y, &w, &gram, &rhs, &q, &prod, &u, &vt, &copy, &w0, &y2};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_num__mat_free(ctx, all[i]);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(blas_doors)
{
    double x[3] = {1, 2, 3}, y[3] = {1, 1, 1};
    float a[4] = {1, 2, 3, 4}, c[4] = {0};
    ctw_num__mat m;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ck_assert(ctw_num__dot(3, x, y) == 6);
    ck_assert(fabs(ctw_num__nrm2(3, x) - sqrt(14)) < 1e-15);
    ctw_num__axpy(3, 2, x, y);
    ck_assert(y[2] == 7);
    ctw_num__scal(3, 0.5, y);
    ck_assert(y[2] == 3.5);
    CTW_OKAY(ctw_num__mat_from_rows(ctx, x, 3, 1, 1, &m));
    ctw_num__mat s;
    CTW_OKAY(ctw_num__mat_new(ctx, 3, 3, &s));
    ctw_num__syr(1, x, &s);
    ck_assert(CTW_AT(&s, 2, 1) == 6 && CTW_AT(&s, 1, 2) == 0);
    ctw_num__sgemm(0, 0, 2, 2, 2, 1, a, 2, a, 2, 0, c, 2);
    ck_assert(c[0] == 7 && c[1] == 10 && c[2] == 15 && c[3] == 22);
    ctw_num__mat_free(ctx, &m);
    ctw_num__mat_free(ctx, &s);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The blocked LU: the same answer as the whole one, the pivot of a singular system by its number, and it stops. */
START_TEST(lu_in_blocks)
{
    enum { SIDE = 600 };
    ctw_num__mat a, b, keep, want;
    ctw_cancel *stop;
    uint64_t s = 5;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_num__mat_new(ctx, SIDE, SIDE, &a));
    CTW_OKAY(ctw_num__mat_new(ctx, SIDE, SIDE, &keep));
    CTW_OKAY(ctw_num__mat_new(ctx, SIDE, 2, &b));
    CTW_OKAY(ctw_num__mat_new(ctx, SIDE, 2, &want));
    for (size_t i = 0; i < SIDE * SIDE; i++) { /* no diagonal to lean on: it must exchange rows */
        s = s * 6364136223846793005u + 1442695040888963407u;
        a.a[i] = keep.a[i] = (double)(s >> 40) / 16777216.0 - 0.5;
    }
    for (size_t i = 0; i < 2 * SIDE; i++) b.a[i] = want.a[i] = (double)(i % 7);
    CTW_OKAY(ctw_num__lu_solve(ctx, &a, &want));
    memcpy(a.a, keep.a, SIDE * SIDE * sizeof(double));
    CTW_OKAY(ctw_num__lu_solve_until(ctx, &a, &b, NULL, "test"));
    for (size_t i = 0; i < 2 * SIDE; i++)
        ck_assert_msg(fabs(b.a[i] - want.a[i]) < 1e-8 * (1 + fabs(want.a[i])), "%zu: %g %g", i, b.a[i], want.a[i]);
    memset(a.a, 0, SIDE * SIDE * sizeof(double));
    for (size_t i = 0; i < SIDE; i++) CTW_AT(&a, i, i) = i == 299 ? 0 : 2;
    CTW_FAILS(ctw_num__lu_solve_until(ctx, &a, &b, NULL, "test"), CTW_E_SINGULAR, "pivot 300 of 600");
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_num__lu_solve_until(ctx, &a, &b, stop, "test"), CTW_E_CANCELLED, "test");
    ctw_cancel_unref(stop);
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &b);
    ctw_num__mat_free(ctx, &keep);
    ctw_num__mat_free(ctx, &want);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(singular_systems)
{
    ctw_num__mat a, b, w;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_num__mat_new(ctx, 3, 2, &a));
    CTW_OKAY(ctw_num__mat_new(ctx, 3, 1, &b));
    CTW_FAILS(ctw_num__ridge(ctx, &a, &b, 0, &w), CTW_E_SINGULAR, "pivot 1");
    ck_assert_ptr_null(w.a);
    CTW_AT(&a, 0, 0) = 1; /* an all-zero matrix has the answer 0 to dgels */
    CTW_FAILS(ctw_num__lstsq(ctx, &a, &b), CTW_E_SINGULAR, "dependent");
    ctw_num__mat_free(ctx, &a);
    CTW_OKAY(ctw_num__mat_new(ctx, 3, 3, &a));
    CTW_FAILS(ctw_num__lu_solve(ctx, &a, &b), CTW_E_SINGULAR, "singular");
    CTW_FAILS(ctw_num__tri_solve(&a, 0, &b), CTW_E_SINGULAR, "row 1");
    CTW_FAILS(ctw_num__chol_inverse(&a), CTW_E_SINGULAR, "zero pivot");
    CTW_FAILS(ctw_num__mat_new(ctx, (size_t)1 << 40, 1, &w), CTW_E_RANGE, "LAPACK");
    ctw_num__mat_free(ctx, &a);
    ctw_num__mat_free(ctx, &b);
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_status life(ctw_ctx *c, void *user)
{
    (void)user;
    double x[12] = {1, 0, 2, 1, 0, 3, 5, 1, 4, 2, 2, 7}, y[6] = {1, 2, 3, 4, 5, 6}, s[2], t;
    ctw_num__mat a = {0}, b = {0}, w = {0}, u = {0}, vt = {0};
    ctw_status st = ctw_num__mat_from_rows(c, x, 6, 2, 2, &a);
    if (st == CTW_OK) st = ctw_num__mat_from_rows(c, y, 6, 1, 1, &b);
    if (st == CTW_OK) st = ctw_num__ridge(c, &a, &b, 1, &w);
    if (st == CTW_OK) st = ctw_num__lstsq(c, &a, &b);
    if (st == CTW_OK) st = ctw_num__svd(c, &a, &u, s, &vt);
    if (st == CTW_OK) st = ctw_num__kendall(c, x, y, 6, &t);
    if (st == CTW_OK) st = ctw_num__spearman(c, x, y, 6, &t);
    ctw_num__mat_free(c, &a);
    ctw_num__mat_free(c, &b);
    ctw_num__mat_free(c, &w);
    ctw_num__mat_free(c, &u);
    ctw_num__mat_free(c, &vt);
    return st;
}

START_TEST(out_of_memory)
{
    ck_assert_uint_gt(ctw_oom_sweep(life, NULL, 1), 10);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"philox", philox_known_answer},
        {"streams", streams_resume_and_differ},
        {"distributions", distributions},
        {"sorting", sorting},
        {"sorting_large_elements", sorting_large_elements},
        {"statistics", statistics},
        {"rank", rank_correlations},
        {"algebra", linear_algebra},
        {"blas", blas_doors},
        {"lu_in_blocks", lu_in_blocks},
        {"singular", singular_systems},
        {"oom", out_of_memory},
    };
    return ctw_test_main("num", cases, sizeof cases / sizeof *cases, 60);
}
