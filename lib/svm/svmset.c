/* svmset.c: the public verbs of a data set. */
#include "svm/svmset.h"
#include "io/file.h"
#include <string.h>

#define FILE_LIMIT ((size_t)4 << 30)

static void destroy(ctw_svmset *s)
{
    ctw_svm__rows_free(s->h.ctx, &s->rows);
    ctw_base__free(s->h.ctx, s->label);
}

CTW_DEFINE_REFS(ctw_svmset, destroy)

ctw_status ctw_svm__set_check(const ctw_svmset *s, const char *fn)
{
    return ctw_base__handle_check(s ? &s->h : NULL, CTW_SVMSET_MAGIC, fn, "s");
}

ctw_status ctw_svmset_new(ctw_ctx *ctx, ctw_svmset **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    *out = ctw_base__handle_new(ctx, sizeof **out, CTW_SVMSET_MAGIC);
    return *out ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status room_for_labels(ctw_svmset *s, size_t n)
{
    if (n > SIZE_MAX - s->rows.n) return ctw_base__nomem();
    return ctw_base__grow(s->h.ctx, (void **)&s->label, &s->label_cap, s->rows.n + n, sizeof *s->label);
}

ctw_status ctw_svm__set_push(ctw_svmset *s, const int32_t *col, const double *val, size_t nz, int64_t label)
{
    CTW_TRY(room_for_labels(s, 1));
    CTW_TRY(ctw_svm__rows_reserve(s->h.ctx, &s->rows, 1, nz));
    s->label[s->rows.n] = label;
    ctw_svm__rows_push(&s->rows, col, val, nz);
    return CTW_OK;
}

static void put_labels(ctw_svmset *s, size_t at, const int64_t *label, size_t n)
{
    if (n && label) memcpy(s->label + at, label, n * sizeof *label);
    if (n && !label) memset(s->label + at, 0, n * sizeof *label);
}

static ctw_status add_dense(ctw_svmset *s, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                            const int64_t *label)
{
    size_t at = s->rows.n;
    CTW_TRY(room_for_labels(s, (size_t)n));
    CTW_TRY(ctw_svm__rows_add_dense(s->h.ctx, &s->rows, x, (size_t)n, (size_t)d, (size_t)stride));
    put_labels(s, at, label, (size_t)n);
    return CTW_OK;
}

ctw_status ctw_svmset_add(ctw_svmset *s, const double *x, uint64_t n, uint64_t d, uint64_t stride, const int64_t *label)
{
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SVMSET_MAGIC, __func__, "s"));
    ctw_status st = ctw_base__in_u64(d, 0, INT32_MAX, __func__, "d");
    if (st == CTW_OK) st = ctw_base__matrix(x, n, d, stride, __func__, "x");
    if (st == CTW_OK) st = add_dense(s, x, n, d, stride, label);
    ctw_base__handle_leave(&s->h);
    return st;
}

/* Row i's columns must ascend from 0 and its values be finite. */
static ctw_status check_sparse_row(const int32_t *column, const double *value, uint64_t from, uint64_t to, uint64_t i,
                                   const char *fn)
{
    for (uint64_t p = from; p < to; p++) {
        if (column[p] < 0 || column[p] == INT32_MAX || (p > from && column[p] <= column[p - 1]))
            return ctw_base__fail(CTW_E_RANGE, "%s: column[%llu] is %d in row %llu, must ascend from 0", fn,
                                  (unsigned long long)p, (int)column[p], (unsigned long long)i);
        CTW_TRY(ctw_base__finite(value[p], fn, "value"));
    }
    return CTW_OK;
}

static ctw_status check_sparse(const uint64_t *start, const int32_t *column, const double *value, uint64_t n,
                               const char *fn)
{
    CTW_TRY(ctw_base__need_n(start, n, fn, "start"));
    for (uint64_t i = 0; i < n; i++) {
        if (start[i + 1] < start[i])
            return ctw_base__fail(CTW_E_SHAPE, "%s: start[%llu] is below start[%llu]", fn, (unsigned long long)i + 1,
                                  (unsigned long long)i);
        CTW_TRY(ctw_base__need_n(column, start[i + 1] - start[i], fn, "column"));
        CTW_TRY(ctw_base__need_n(value, start[i + 1] - start[i], fn, "value"));
        CTW_TRY(check_sparse_row(column, value, start[i], start[i + 1], i, fn));
    }
    return CTW_OK;
}

static ctw_status add_sparse(ctw_svmset *s, const uint64_t *start, const int32_t *column, const double *value,
                             uint64_t n, const int64_t *label)
{
    if (n == 0) return CTW_OK;
    size_t at = s->rows.n;
    CTW_TRY(room_for_labels(s, (size_t)n));
    CTW_TRY(ctw_svm__rows_reserve(s->h.ctx, &s->rows, (size_t)n, (size_t)(start[n] - start[0])));
    for (uint64_t i = 0; i < n; i++)
        ctw_svm__rows_push(&s->rows, column + start[i], value + start[i], (size_t)(start[i + 1] - start[i]));
    put_labels(s, at, label, (size_t)n);
    return CTW_OK;
}

ctw_status ctw_svmset_add_sparse(ctw_svmset *s, const uint64_t *start, const int32_t *column, const double *value,
                                 uint64_t n, const int64_t *label)
{
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SVMSET_MAGIC, __func__, "s"));
    ctw_status st = check_sparse(start, column, value, n, __func__);
    if (st == CTW_OK) st = add_sparse(s, start, column, value, n, label);
    ctw_base__handle_leave(&s->h);
    return st;
}

uint64_t ctw_svmset_rows(const ctw_svmset *s)
{
    return s ? s->rows.n : 0;
}

uint64_t ctw_svmset_features(const ctw_svmset *s)
{
    return s ? s->rows.d : 0;
}

uint64_t ctw_svmset_entries(const ctw_svmset *s)
{
    return s ? ctw_svm__rows_entries(&s->rows) : 0;
}

static ctw_status row_check(const ctw_svmset *s, uint64_t i, const char *fn)
{
    CTW_TRY(ctw_svm__set_check(s, fn));
    if (i < s->rows.n) return CTW_OK;
    return ctw_base__fail(CTW_E_RANGE, "%s: row %llu, the set has %llu", fn, (unsigned long long)i,
                          (unsigned long long)s->rows.n);
}

ctw_status ctw_svmset_label(const ctw_svmset *s, uint64_t i, int64_t *label)
{
    CTW_TRY(row_check(s, i, __func__));
    CTW_TRY(ctw_base__need(label, __func__, "label"));
    *label = s->label[i];
    return CTW_OK;
}

ctw_status ctw_svmset_row(const ctw_svmset *s, uint64_t i, const int32_t **column, const double **value,
                          uint64_t *count)
{
    CTW_TRY(row_check(s, i, __func__));
    size_t at = s->rows.start[i];
    if (column) *column = s->rows.col + at;
    if (value) *value = s->rows.val + at;
    if (count) *count = s->rows.start[i + 1] - at;
    return CTW_OK;
}

static ctw_status load(ctw_ctx *ctx, const void *text, uint64_t len, ctw_svmset **out, const char *fn)
{
    ctw_svmset *s;
    CTW_TRY(ctw_svmset_new(ctx, &s));
    ctw_status st = ctw_svm__text_parse(s, text, (size_t)len, fn);
    if (st == CTW_OK)
        *out = s;
    else
        ctw_svmset_unref(s);
    return st;
}

ctw_status ctw_svmset_load_mem(ctw_ctx *ctx, const void *text, uint64_t len, ctw_svmset **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__need_n(text, len, __func__, "text"));
    return load(ctx, text, len, out, __func__);
}

ctw_status ctw_svmset_load_file(ctw_ctx *ctx, const char *path, ctw_svmset **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__need(path, __func__, "path"));
    unsigned char *data;
    size_t size;
    CTW_TRY(ctw_io__file_read(ctx, path, FILE_LIMIT, &data, &size, __func__));
    ctw_status st = load(ctx, data, size, out, __func__);
    ctw_base__free(ctx, data);
    return st == CTW_OK ? st : ctw_base__fail_in(st, "%s", path);
}

ctw_status ctw_svmset_save_mem(const ctw_svmset *s, void *buf, uint64_t cap, uint64_t *need)
{
    CTW_TRY(ctw_svm__set_check(s, __func__));
    ctw_io__writer w = {.ctx = s->h.ctx};
    ctw_svm__text_write(s, &w);
    return ctw_svm__writer_to_mem(&w, buf, cap, need, __func__);
}

ctw_status ctw_svmset_save_file(const ctw_svmset *s, const char *path)
{
    CTW_TRY(ctw_svm__set_check(s, __func__));
    ctw_io__writer w = {.ctx = s->h.ctx};
    ctw_svm__text_write(s, &w);
    return ctw_svm__writer_to_file(&w, path, __func__);
}
