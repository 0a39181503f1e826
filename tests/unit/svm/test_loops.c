/* The vector loops against the plain ones, and kernel rows against the formula, for every form of column. */
#include "base/alloc.h"
#include "num/rng.h"
#include "svm/kernel.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { MAX = 70 };

typedef struct arrays {
    double f[MAX], q[MAX], dot[MAX], norm[MAX];
    float ki[MAX], kj[MAX];
    double wi[MAX], wj[MAX];
    uint8_t flags[MAX];
} arrays;

static void fill(ctw_num__rng *g, arrays *a)
{
    for (size_t k = 0; k < MAX; k++) {
        a->f[k] = ctw_num__rng_normal(g);
        a->q[k] = 1 + ctw_num__rng_uniform(g);
        a->norm[k] = 5 * ctw_num__rng_uniform(g);
        a->dot[k] = 3 * ctw_num__rng_uniform(g);
        a->ki[k] = (float)ctw_num__rng_uniform(g);
        a->kj[k] = (float)ctw_num__rng_uniform(g);
        a->wi[k] = ctw_num__rng_uniform(g);
        a->wj[k] = ctw_num__rng_uniform(g);
        a->flags[k] = (uint8_t)ctw_num__rng_below(g, 4);
    }
}

START_TEST(same_as_plain)
{
    const ctw_svm__loops table[] = {ctw_svm__loops_pick(), ctw_svm__loops_plain()}, *fast = table, *plain = table + 1;
    ctw_num__rng g;
    ctw_num__rng_init(&g, 1, 2, 3);
    for (size_t n = 0; n <= MAX; n++) {
        arrays a, b;
        double da[MAX], db[MAX];
        float ea[MAX], eb[MAX];
        fill(&g, &a);
        if (n % 3 == 0) memcpy(a.f + n / 2, a.f, n / 2 * sizeof *a.f); /* ties */
        b = a;
        fast->rbf_f64(da, a.dot, a.norm, 2, 0.7, n);
        plain->rbf_f64(db, a.dot, a.norm, 2, 0.7, n);
        fast->rbf_f32(ea, a.dot, a.norm, 2, 900, n);
        plain->rbf_f32(eb, a.dot, a.norm, 2, 900, n);
        for (size_t k = 0; k < n; k++) {
            ck_assert_double_eq_tol(da[k], db[k], 1e-15);
            ck_assert_double_eq_tol((double)ea[k], (double)eb[k], 1e-7);
        }
        for (int wide = 0; wide < 2; wide++) {
            const void *ki = wide ? (const void *)a.wi : a.ki, *kj = wide ? (const void *)a.wj : a.kj;
            ck_assert_uint_eq(fast->second[wide](a.f, ki, a.q, 0.8, 1.1, a.flags, n),
                              plain->second[wide](a.f, ki, a.q, 0.8, 1.1, a.flags, n));
            ctw_svm__extremes ex = fast->update[wide](a.f, ki, kj, 0.0, 0.0, a.flags, n);
            ctw_svm__extremes ey = plain->update[wide](b.f, ki, kj, 0.0, 0.0, a.flags, n);
            ck_assert(ex.at == ey.at && ex.max_up == ey.max_up && ex.min_low == ey.min_low);
            ex = fast->update[wide](a.f, ki, kj, 0.3, -0.2, a.flags, n);
            ey = plain->update[wide](b.f, ki, kj, 0.3, -0.2, a.flags, n);
            if (n && ey.at < n) ck_assert_double_eq_tol(ex.max_up, ey.max_up, 1e-14);
            for (size_t k = 0; k < n; k++) {
                ck_assert_double_eq_tol(a.f[k], b.f[k], 1e-14);
                a.f[k] = b.f[k];
            }
        }
        const double *cols[] = {a.q, a.norm, a.dot, a.q}, v[] = {0.1, -0.2, 0.3, 2};
        fast->four(a.f, cols, v, n);
        plain->four(b.f, cols, v, n);
        fast->subtract(a.f, a.q, 0.4, n);
        plain->subtract(b.f, a.q, 0.4, n);
        for (size_t k = 0; k < n; k++) ck_assert_double_eq_tol(a.f[k], b.f[k], 1e-14);
    }
}
END_TEST

START_TEST(exponent_range)
{
    const ctw_svm__loops table = ctw_svm__loops_pick(), *l = &table;
    for (double d = 0; d < 1000; d += 0.37) {
        double zero = 0, out;
        l->rbf_f64(&out, &zero, &d, 0, 1, 1);
        ck_assert(fabs(out - exp(-d)) <= 4e-16 * exp(-d) + 1e-300);
    }
}
END_TEST

/* Features of every form: 0 one-hot and rare, 1 one-hot and common, 2 dense reals, 3 sparse reals, 4 never there. */
static void make(double *x, size_t n, size_t d)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 9, 9, 9);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++) {
            double u = ctw_num__rng_uniform(&g), r = ctw_num__rng_normal(&g);
            x[i * d + k] = k % 5 == 0   ? (u < 0.2)
                           : k % 5 == 1 ? 0.5 * (u < 0.8)
                           : k % 5 == 2 ? r
                           : k % 5 == 3 ? (u < 0.1 ? r : 0)
                                        : 0;
        }
}

static double formula(const ctw_svm__kernel *k, const double *a, const double *b, size_t d)
{
    double dot = 0, dist = 0;
    for (size_t i = 0; i < d; i++) {
        dot += a[i] * b[i];
        dist += (a[i] - b[i]) * (a[i] - b[i]);
    }
    switch (k->kind) {
    case CTW_SVM_RBF: return exp(-k->gamma * dist);
    case CTW_SVM_POLY: return pow(k->gamma * dot + k->coef0, k->degree);
    case CTW_SVM_SIGMOID: return tanh(k->gamma * dot + k->coef0);
    default: return dot;
    }
}

START_TEST(rows_by_columns)
{
    enum { N = 40, D = 12 };
    static double x[N * D];
    size_t idx[N], left[N];
    float row[N];
    double wide[N], *norm;
    ctw_ctx *ctx;
    ctw_svm__rows r = {0};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    make(x, N, D);
    CTW_OKAY(ctw_svm__rows_add_dense(ctx, &r, x, N, D, D));
    CTW_OKAY(ctw_svm__norms(ctx, &r, &norm));
    for (int kind = 0; kind < 4; kind++) {
        ctw_svm__kernel k = {kind, 3, 0.3, 0.2};
        ctw_svm__columns c;
        ctw_svm__work w;
        CTW_OKAY(ctw_svm__columns_new(ctx, &r, N, ctw_svm__rows_entries(&r), &k, &c));
        CTW_OKAY(ctw_svm__work_new(ctx, &c, 8, &w));
        for (size_t m = 0; m <= N; m += 13) {
            for (size_t i = 0; i < N; i++) {
                idx[i] = N - 1 - i;
                left[i] = i;
            }
            CTW_OKAY(ctw_svm__columns_fill(ctx, &c, &r, norm, idx, m));
            for (size_t i = 0; i < N; i++) {
                ctw_svm__kernel_row(&c, &w, &r, i, norm[i], 0, row);
                ctw_svm__kernel_row(&c, &w, &r, i, norm[i], 1, wide);
                for (size_t j = 0; j < m; j++) {
                    double want = formula(&k, x + i * D, x + idx[j] * D, D);
                    ck_assert_double_eq_tol((double)row[j], want, 1e-6 * (1 + fabs(want)));
                    ck_assert_double_eq_tol(wide[j], want, 1e-12 * (1 + fabs(want)));
                }
            }
            ctw_svm__kernel_block(&c, &w, &r, left, 8);
            for (size_t i = 0; i < 8; i++)
                for (size_t j = 0; j < m; j++) {
                    double want = formula(&k, x + i * D, x + idx[j] * D, D);
                    ck_assert_double_eq_tol(w.dot[i * m + j], want, 1e-12 * (1 + fabs(want)));
                }
        }
        ctw_svm__work_free(ctx, &w);
        ctw_svm__columns_free(ctx, &c);
    }
    ctw_base__free(ctx, norm);
    ctw_svm__rows_free(ctx, &r);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"same_as_plain", same_as_plain}, {"exponent_range", exponent_range}, {"rows_by_columns", rows_by_columns}};
    return ctw_test_main("unit-svm-loops", cases, sizeof cases / sizeof *cases, 60);
}
