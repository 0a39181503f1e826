/* rows.c: building and reading sparse rows. Appending commits the row count last, so a failed append changes
 * nothing that a reader sees. */
#include "svm/rows.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

void ctw_svm__rows_free(ctw_ctx *ctx, ctw_svm__rows *r)
{
    ctw_base__free(ctx, r->start);
    ctw_base__free(ctx, r->col);
    ctw_base__free(ctx, r->val);
    memset(r, 0, sizeof *r);
}

size_t ctw_svm__rows_entries(const ctw_svm__rows *r)
{
    return r->n ? r->start[r->n] : 0;
}

ctw_status ctw_svm__rows_reserve(ctw_ctx *ctx, ctw_svm__rows *r, size_t n, size_t nz)
{
    size_t have = ctw_svm__rows_entries(r);
    if (n > SIZE_MAX - r->n - 1 || nz > SIZE_MAX - have) return ctw_base__nomem();
    CTW_TRY(ctw_base__grow(ctx, (void **)&r->start, &r->start_cap, r->n + n + 1, sizeof *r->start));
    if (r->n == 0) r->start[0] = 0;
    CTW_TRY(ctw_base__grow(ctx, (void **)&r->col, &r->col_cap, have + nz, sizeof *r->col));
    return ctw_base__grow(ctx, (void **)&r->val, &r->val_cap, have + nz, sizeof *r->val);
}

void ctw_svm__rows_push(ctw_svm__rows *r, const int32_t *col, const double *val, size_t nz)
{
    size_t at = r->start[r->n];
    if (nz) {
        memcpy(r->col + at, col, nz * sizeof *col);
        memcpy(r->val + at, val, nz * sizeof *val);
        if ((size_t)col[nz - 1] >= r->d) r->d = (size_t)col[nz - 1] + 1;
    }
    r->start[++r->n] = at + nz;
}

ctw_status ctw_svm__rows_add_dense(ctw_ctx *ctx, ctw_svm__rows *r, const double *x, size_t n, size_t d, size_t stride)
{
    size_t nz = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++) nz += x[i * stride + k] != 0;
    CTW_TRY(ctw_svm__rows_reserve(ctx, r, n, nz));
    for (size_t i = 0; i < n; i++) {
        size_t at = r->start[r->n];
        for (size_t k = 0; k < d; k++) {
            if (x[i * stride + k] == 0) continue;
            r->col[at] = (int32_t)k;
            r->val[at++] = x[i * stride + k];
        }
        r->start[++r->n] = at;
    }
    if (n && d > r->d) r->d = d;
    return CTW_OK;
}

ctw_status ctw_svm__rows_add(ctw_ctx *ctx, ctw_svm__rows *r, const ctw_svm__rows *src, const size_t *idx, size_t n)
{
    size_t nz = 0;
    for (size_t k = 0; k < n; k++) {
        size_t i = idx ? idx[k] : k;
        nz += src->start[i + 1] - src->start[i];
    }
    CTW_TRY(ctw_svm__rows_reserve(ctx, r, n, nz));
    for (size_t k = 0; k < n; k++) {
        size_t i = idx ? idx[k] : k;
        ctw_svm__rows_push(r, src->col + src->start[i], src->val + src->start[i], src->start[i + 1] - src->start[i]);
    }
    if (src->d > r->d) r->d = src->d;
    return CTW_OK;
}

double ctw_svm__rows_dot(const ctw_svm__rows *r, size_t i, const double *w, size_t width)
{
    double s = 0;
    for (size_t p = r->start[i]; p < r->start[i + 1]; p++) {
        if ((size_t)r->col[p] >= width) break;
        s += r->val[p] * w[r->col[p]];
    }
    return s;
}

double ctw_svm__rows_norm2(const ctw_svm__rows *r, size_t i)
{
    double s = 0;
    for (size_t p = r->start[i]; p < r->start[i + 1]; p++) s += r->val[p] * r->val[p];
    return s;
}

ctw_status ctw_svm__norms(ctw_ctx *ctx, const ctw_svm__rows *r, double **out)
{
    double *v = CTW_NEW(ctx, r->n, double);
    if (!v) return CTW_E_NOMEM;
    for (size_t i = 0; i < r->n; i++) v[i] = ctw_svm__rows_norm2(r, i);
    *out = v;
    return CTW_OK;
}
