/* place_csv.c: see place_csv.h. */
#include "place_csv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- place_names to numbers: open addressing over FNV-1a ---- */

static size_t hash(const char *s)
{
    uint64_t h = 1469598103934665603u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)h;
}

void *place_grow(void *p, size_t n, size_t size)
{
    void *q = realloc(p, n * size);
    if (!q) bench_die(3, "out of memory");
    return q;
}

static size_t find(const place_names *s, const char *name)
{
    size_t i = hash(name) & (s->cap - 1);
    while (s->slot[i] && strcmp(s->name[s->slot[i] - 1], name) != 0) i = (i + 1) & (s->cap - 1);
    return i;
}

/* Index of the name; -1 when it is new and `add` is 0. */
int64_t place_intern(place_names *s, const char *name, int add)
{
    if (2 * (s->n + 1) > s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        free(s->slot);
        s->slot = bench_alloc(s->cap, sizeof *s->slot);
        for (size_t i = 0; i < s->n; i++) s->slot[find(s, s->name[i])] = i + 1;
        s->name = place_grow(s->name, s->cap, sizeof *s->name);
    }
    size_t i = find(s, name);
    if (s->slot[i]) return (int64_t)s->slot[i] - 1;
    if (!add) return -1;
    size_t n = strlen(name) + 1;
    s->name[s->n] = memcpy(bench_alloc(n, 1), name, n);
    s->slot[i] = ++s->n;
    return (int64_t)s->n - 1;
}

void place_names_free(place_names *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->name[i]);
    free(s->name);
    free(s->slot);
    memset(s, 0, sizeof *s);
}

/* ---- one CSV file ---- */

static int exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}

int place_open(bench *b, const char *dir, const char *name, int optional, place_file *f)
{
    snprintf(f->path, sizeof f->path, "%s/%s", dir, name);
    f->csv = NULL;
    if (optional && !exists(f->path)) return 0;
    bench_ok(ctw_csv_open(b->ctx, f->path, &f->csv), f->path);
    return 1;
}

/* Column index, -1 for an absent optional one. */
int64_t place_column(place_file *f, const char *name, int optional)
{
    uint64_t i;
    for (i = 0; i < ctw_csv_columns(f->csv); i++) {
        if (strcmp(ctw_csv_column_name(f->csv, i), name) == 0) return (int64_t)i;
    }
    if (!optional) bench_ok(ctw_csv_column(f->csv, name, &i), f->path);
    return -1;
}

int place_next(place_file *f)
{
    int32_t more;
    bench_ok(ctw_csv_next(f->csv, &more), f->path);
    if (!more) ctw_csv_unref(f->csv);
    return more != 0;
}

const char *place_text(place_file *f, int64_t col)
{
    const char *s = "";
    if (col >= 0) bench_ok(ctw_csv_text(f->csv, (uint64_t)col, &s, NULL), f->path);
    return s;
}

/* A number; `dflt` for an absent column or an empty field. */
double place_number(place_file *f, int64_t col, double dflt)
{
    double v = NAN;
    if (col >= 0) bench_ok(ctw_csv_f64(f->csv, (uint64_t)col, &v), f->path);
    return isnan(v) ? dflt : v;
}

int64_t place_whole(place_file *f, int64_t col, int64_t dflt)
{
    double v = place_number(f, col, (double)dflt);
    if (v != floor(v) || fabs(v) > 1e15) {
        bench_die(2, "%s:%llu: %g is not a whole number", f->path, (unsigned long long)ctw_csv_line(f->csv), v);
    }
    return (int64_t)v;
}

int64_t place_region(place_file *f, int64_t col, place_names *regions, int64_t empty)
{
    const char *s = place_text(f, col);
    if (!*s) return empty;
    int64_t r = place_intern(regions, s, 0);
    if (r < 0)
        bench_die(2, "%s:%llu: region \"%s\" is not in carbon.csv", f->path, (unsigned long long)ctw_csv_line(f->csv),
                  s);
    return r;
}
