/* mps.c: the model as free-format MPS text, so that any other solver can be asked the same question. */
#include "base/alloc.h"
#include "base/textnum.h"
#include "io/bytes.h"
#include "io/file.h"
#include "milp/milp.h"
#include <math.h>
#include <string.h>

static void put_text(ctw_io__writer *w, const char *s)
{
    ctw_io__put_raw(w, s, strlen(s));
}

static void put_num(ctw_io__writer *w, double v)
{
    char buf[40];
    size_t n = ctw_base__print_f64(buf, sizeof buf, v);
    ctw_io__put_raw(w, buf, n);
}

/* A name: letter and decimal index. */
static void put_name(ctw_io__writer *w, char letter, size_t i)
{
    char buf[24], *at = buf + sizeof buf;
    *--at = '\0';
    do {
        *--at = (char)('0' + i % 10);
        i /= 10;
    } while (i);
    *--at = letter;
    put_text(w, at);
}

static char row_type(double lo, double hi)
{
    if (lo == hi) return 'E';
    if (isinf(lo)) return isinf(hi) ? 'N' : 'L';
    return 'G';
}

static void put_entry(ctw_io__writer *w, size_t col, const char *row, size_t i, double v)
{
    put_text(w, " ");
    put_name(w, 'x', col);
    put_text(w, " ");
    if (row) {
        put_text(w, row);
    } else {
        put_name(w, 'r', i);
    }
    put_text(w, " ");
    put_num(w, v);
    put_text(w, "\n");
}

static void put_columns(ctw_io__writer *w, const ctw_milp__model *m)
{
    int inside = 0;
    put_text(w, "COLUMNS\n");
    for (size_t j = 0; j < m->cols; j++) {
        if (m->integer[j] != inside) {
            inside = m->integer[j];
            put_text(w, inside ? " M 'MARKER' 'INTORG'\n" : " M 'MARKER' 'INTEND'\n");
        }
        put_entry(w, j, "cost", 0, m->cost[j]);
        for (size_t e = m->col_start[j]; e < m->col_start[j + 1]; e++)
            put_entry(w, j, NULL, m->row_index[e], m->value[e]);
    }
    if (inside) put_text(w, " M 'MARKER' 'INTEND'\n");
}

static void put_row_value(ctw_io__writer *w, const char *set, size_t i, double v)
{
    put_text(w, set);
    put_name(w, 'r', i);
    put_text(w, " ");
    put_num(w, v);
    put_text(w, "\n");
}

static void put_rhs(ctw_io__writer *w, const ctw_milp__model *m)
{
    put_text(w, "RHS\n");
    if (m->offset != 0) {
        put_text(w, " R cost ");
        put_num(w, -m->offset);
        put_text(w, "\n");
    }
    for (size_t i = 0; i < m->rows; i++) {
        double v = row_type(m->row_lo[i], m->row_hi[i]) == 'L' ? m->row_hi[i] : m->row_lo[i];
        if (v != 0 && !isinf(v)) put_row_value(w, " R ", i, v);
    }
    put_text(w, "RANGES\n");
    for (size_t i = 0; i < m->rows; i++) {
        if (row_type(m->row_lo[i], m->row_hi[i]) == 'G' && !isinf(m->row_hi[i])) {
            put_row_value(w, " G ", i, m->row_hi[i] - m->row_lo[i]);
        }
    }
}

static void put_bound(ctw_io__writer *w, const char *type, size_t col, double v)
{
    put_text(w, type);
    put_name(w, 'x', col);
    if (!isinf(v)) {
        put_text(w, " ");
        put_num(w, v);
    }
    put_text(w, "\n");
}

static void put_bounds(ctw_io__writer *w, const ctw_milp__model *m)
{
    put_text(w, "BOUNDS\n");
    for (size_t j = 0; j < m->cols; j++) {
        if (isinf(m->lo[j])) {
            put_bound(w, " MI B ", j, m->lo[j]);
        } else {
            put_bound(w, " LO B ", j, m->lo[j]);
        }
        put_bound(w, isinf(m->hi[j]) ? " PL B " : " UP B ", j, m->hi[j]);
    }
}

ctw_status ctw_milp__write_mps(const ctw_milp__model *m, const char *path, const char *fn)
{
    ctw_io__writer w;
    memset(&w, 0, sizeof w);
    w.ctx = m->ctx;
    put_text(&w, "NAME cybertwin FREE\nROWS\n N cost\n");
    for (size_t i = 0; i < m->rows; i++) {
        const char kind[] = {' ', row_type(m->row_lo[i], m->row_hi[i]), ' ', '\0'};
        put_text(&w, kind);
        put_name(&w, 'r', i);
        put_text(&w, "\n");
    }
    put_columns(&w, m);
    put_rhs(&w, m);
    put_bounds(&w, m);
    put_text(&w, "ENDATA\n");
    ctw_status s = w.failed ? CTW_E_NOMEM : ctw_io__file_write(m->ctx, path, w.data, w.size, fn);
    ctw_io__writer_free(&w);
    return s;
}
