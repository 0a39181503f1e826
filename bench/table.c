/* table.c: whole columns of a CSV file, through the library's public reader. */
#include "bench.h"
#include <stdlib.h>
#include <string.h>

/* "?$name": optional text. */
typedef struct wish {
    const char *name;
    int text, optional;
    uint64_t index;
    int present;
} wish;

static wish parse_wish(const char *w)
{
    wish out = {0};
    for (; *w == '?' || *w == '$'; w++) {
        if (*w == '?') out.optional = 1;
        if (*w == '$') out.text = 1;
    }
    out.name = w;
    return out;
}

static void *grown(void *p, size_t count, size_t size)
{
    void *q = realloc(p, count * size);
    if (!q) bench_die(3, "out of memory");
    return q;
}

/* Room for `cap` rows in every column that is there. */
static void reserve(bench_table *t, const wish *w, size_t cap)
{
    for (size_t c = 0; c < t->cols; c++) {
        if (!w[c].present) continue;
        if (w[c].text)
            t->text[c] = grown(t->text[c], cap, sizeof **t->text);
        else
            t->value[c] = grown(t->value[c], cap, sizeof **t->value);
    }
}

static void read_row(bench_table *t, const wish *w, const ctw_csv *csv)
{
    for (size_t c = 0; c < t->cols; c++) {
        if (!w[c].present) continue;
        if (w[c].text) {
            const char *s;
            bench_ok(ctw_csv_text(csv, w[c].index, &s, NULL), w[c].name);
            t->text[c][t->rows] = strdup(s);
            if (!t->text[c][t->rows]) bench_die(3, "out of memory");
        } else {
            bench_ok(ctw_csv_f64(csv, w[c].index, &t->value[c][t->rows]), "data");
        }
    }
    t->rows++;
}

bench_table *bench_load(bench *b, const char *path, const char *const *wanted)
{
    bench_table *t = bench_alloc(1, sizeof *t);
    while (wanted[t->cols]) t->cols++;
    wish *w = bench_alloc(t->cols, sizeof *w);
    t->name = bench_alloc(t->cols, sizeof *t->name);
    t->text = bench_alloc(t->cols, sizeof *t->text);
    t->value = bench_alloc(t->cols, sizeof *t->value);
    ctw_csv *csv;
    bench_ok(ctw_csv_open(b->ctx, path, &csv), "data");
    for (size_t c = 0; c < t->cols; c++) {
        w[c] = parse_wish(wanted[c]);
        t->name[c] = strdup(w[c].name);
        w[c].present = ctw_csv_column(csv, w[c].name, &w[c].index) == CTW_OK;
        if (!w[c].present && !w[c].optional) bench_die(2, "%s", ctw_error_message());
    }
    int32_t row;
    size_t cap = 0;
    for (;;) {
        bench_ok(ctw_csv_next(csv, &row), "data");
        if (!row) break;
        if (t->rows == cap) reserve(t, w, cap = cap ? 2 * cap : 1024);
        read_row(t, w, csv);
    }
    ctw_csv_unref(csv);
    free(w);
    return t;
}

void bench_free(bench_table *t)
{
    if (!t) return;
    for (size_t c = 0; c < t->cols; c++) {
        for (size_t r = 0; t->text[c] && r < t->rows; r++) free(t->text[c][r]);
        free(t->text[c]);
        free(t->value[c]);
        free(t->name[c]);
    }
    free(t->text);
    free(t->value);
    free(t->name);
    free(t);
}
