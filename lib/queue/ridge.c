/* ridge.c: conjugate gradients on the normal equations, preconditioned by their diagonal: frequent words and rare
 * ones differ by three orders of magnitude, and without it the rare ones converge last. */
#include "queue/ridge.h"
#include "base/cancel.h"
#include "base/error.h"
#include "num/blas.h"
#include <string.h>

#define COLUMN(e)       ((e)&0xFFFFFFu)
#define KIND(e)         ((e) >> 24)
#define MOST_ITERATIONS 200
#define TOLERANCE       1e-3 /* of the preconditioned residual's norm: finer does not change held-out errors */

double ctw_queue__row_dot(const ctw_queue__design *d, size_t row, const double *w)
{
    double sum = 0;
    for (size_t k = d->start[row]; k < d->start[row + 1]; k++)
        sum += (double)d->scale[KIND(d->entry[k])] * w[COLUMN(d->entry[k])];
    const double *x = d->x + row * d->dense;
    for (size_t k = 0; k < d->dense; k++) sum += x[k] * w[d->columns + k];
    return sum;
}

static void row_add(const ctw_queue__design *d, size_t row, double by, double *w)
{
    for (size_t k = d->start[row]; k < d->start[row + 1]; k++)
        w[COLUMN(d->entry[k])] += by * (double)d->scale[KIND(d->entry[k])];
    const double *x = d->x + row * d->dense;
    for (size_t k = 0; k < d->dense; k++) w[d->columns + k] += by * x[k];
}

static void diagonal(const ctw_queue__design *d, const uint32_t *use, size_t n, double lambda, double *diag)
{
    size_t m = d->columns + d->dense;
    for (size_t i = 0; i < m; i++) diag[i] = lambda;
    for (size_t r = 0; r < n; r++) {
        for (size_t k = d->start[use[r]]; k < d->start[use[r] + 1]; k++) {
            double v = (double)d->scale[KIND(d->entry[k])];
            diag[COLUMN(d->entry[k])] += v * v;
        }
        const double *x = d->x + use[r] * d->dense;
        for (size_t k = 0; k < d->dense; k++) diag[d->columns + k] += x[k] * x[k];
    }
}

/* q = (X'X + lambda) p */
static void apply(const ctw_queue__design *d, const uint32_t *use, size_t n, double lambda, const double *p, double *q)
{
    size_t m = d->columns + d->dense;
    for (size_t i = 0; i < m; i++) q[i] = lambda * p[i];
    for (size_t r = 0; r < n; r++) row_add(d, use[r], ctw_queue__row_dot(d, use[r], p), q);
}

static double preconditioned(size_t m, const double *r, const double *diag)
{
    double sum = 0;
    for (size_t i = 0; i < m; i++) sum += r[i] * r[i] / diag[i];
    return sum;
}

ctw_status ctw_queue__ridge(const ctw_queue__design *d, const uint32_t *use, size_t n_use, const double *t,
                            double lambda, double *w, double *scratch, const ctw_cancel *cancel, const char *fn)
{
    size_t m = d->columns + d->dense;
    double *r = scratch, *p = r + m, *q = p + m, *diag = q + m;
    diagonal(d, use, n_use, lambda, diag);
    for (size_t i = 0; i < m; i++) r[i] = 0;
    for (size_t i = 0; i < n_use; i++) row_add(d, use[i], t[use[i]], r);
    double goal = TOLERANCE * TOLERANCE * preconditioned(m, r, diag);
    apply(d, use, n_use, lambda, w, q);
    ctw_num__axpy(m, -1, q, r);
    double rho = preconditioned(m, r, diag);
    for (size_t i = 0; i < m; i++) p[i] = r[i] / diag[i];
    for (int it = 0; it < MOST_ITERATIONS && rho > goal; it++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        apply(d, use, n_use, lambda, p, q);
        double alpha = rho / ctw_num__dot(m, p, q);
        ctw_num__axpy(m, alpha, p, w);
        ctw_num__axpy(m, -alpha, q, r);
        double next = preconditioned(m, r, diag), beta = next / rho;
        rho = next;
        for (size_t i = 0; i < m; i++) p[i] = r[i] / diag[i] + beta * p[i];
    }
    return CTW_OK;
}
