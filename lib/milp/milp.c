/* milp.c: building the column-wise model, and checking a point against it without any solver. */
#include "milp/milp.h"
#include "base/alloc.h"
#include "base/error.h"
#include <math.h>
#include <string.h>

void ctw_milp__model_init(ctw_milp__model *m, ctw_ctx *ctx)
{
    memset(m, 0, sizeof *m);
    m->ctx = ctx;
}

void ctw_milp__model_free(ctw_milp__model *m)
{
    void *all[] = {m->row_lo, m->row_hi, m->cost, m->lo, m->hi, m->integer, m->col_start, m->row_index, m->value};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(m->ctx, all[i]);
    ctw_milp__model_init(m, m->ctx);
}

/* Grows several arrays to one common capacity; `cap` moves only when all of them have grown. */
static ctw_status grow_all(ctw_ctx *ctx, size_t *cap, size_t need, void **const *arrays, const size_t *sizes, size_t n)
{
    if (need <= *cap) return CTW_OK;
    size_t want = *cap < 64 ? 64 : *cap;
    while (want < need) want += want / 2;
    for (size_t i = 0; i < n; i++) {
        void *bigger = ctw_base__realloc(ctx, *arrays[i], want + 1, sizes[i]);
        if (!bigger) return CTW_E_NOMEM;
        *arrays[i] = bigger;
    }
    *cap = want;
    return CTW_OK;
}

ctw_status ctw_milp__add_row(ctw_milp__model *m, double lo, double hi, size_t *index)
{
    void **arrays[] = {(void **)&m->row_lo, (void **)&m->row_hi};
    const size_t sizes[] = {sizeof(double), sizeof(double)};
    CTW_TRY(grow_all(m->ctx, &m->row_cap, m->rows + 1, arrays, sizes, 2));
    m->row_lo[m->rows] = lo;
    m->row_hi[m->rows] = hi;
    if (index) *index = m->rows;
    m->rows++;
    return CTW_OK;
}

ctw_status ctw_milp__add_col(ctw_milp__model *m, double cost, double lo, double hi, int integer, const size_t *rows,
                             const double *values, size_t n, size_t *index)
{
    void **per_col[] = {(void **)&m->cost, (void **)&m->lo, (void **)&m->hi, (void **)&m->integer,
                        (void **)&m->col_start};
    const size_t col_sizes[] = {sizeof(double), sizeof(double), sizeof(double), sizeof(uint8_t), sizeof(size_t)};
    void **per_entry[] = {(void **)&m->row_index, (void **)&m->value};
    const size_t entry_sizes[] = {sizeof(size_t), sizeof(double)};
    CTW_TRY(grow_all(m->ctx, &m->col_cap, m->cols + 1, per_col, col_sizes, 5));
    CTW_TRY(grow_all(m->ctx, &m->nnz_cap, m->nnz + n, per_entry, entry_sizes, 2));
    if (m->cols == 0) m->col_start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i] >= m->rows)
            return ctw_base__fail(CTW_E_INTERNAL, "milp: column %zu names row %zu", m->cols, rows[i]);
        m->row_index[m->nnz + i] = rows[i];
        m->value[m->nnz + i] = values[i];
    }
    m->nnz += n;
    m->cost[m->cols] = cost;
    m->lo[m->cols] = lo;
    m->hi[m->cols] = hi;
    m->integer[m->cols] = integer != 0;
    m->col_start[m->cols + 1] = m->nnz;
    if (index) *index = m->cols;
    m->cols++;
    return CTW_OK;
}

double ctw_milp__objective(const ctw_milp__model *m, const double *x)
{
    double z = m->offset;
    for (size_t j = 0; j < m->cols; j++) z += m->cost[j] * x[j];
    return z;
}

double ctw_milp__violation(const ctw_milp__model *m, const double *x)
{
    double worst = 0;
    for (size_t j = 0; j < m->cols; j++) {
        worst = fmax(worst, fmax(m->lo[j] - x[j], x[j] - m->hi[j]));
        if (m->integer[j]) worst = fmax(worst, fabs(x[j] - round(x[j])));
    }
    double *row = CTW_NEW(m->ctx, m->rows, double);
    if (!row) return INFINITY;
    for (size_t j = 0; j < m->cols; j++) {
        for (size_t e = m->col_start[j]; e < m->col_start[j + 1]; e++) row[m->row_index[e]] += m->value[e] * x[j];
    }
    for (size_t i = 0; i < m->rows; i++) worst = fmax(worst, fmax(m->row_lo[i] - row[i], row[i] - m->row_hi[i]));
    ctw_base__free(m->ctx, row);
    return worst;
}
