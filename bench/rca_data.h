/* rca_data.h: a folder of labelled fault cases (cases.csv, calls_APP.csv or spans_APP.csv, services.csv,
 * operations.csv) as windows ready for the localiser. */
#ifndef CTW_BENCH_RCA_DATA_H
#define CTW_BENCH_RCA_DATA_H

#include "bench.h"

typedef struct rca_list {
    size_t *window;
    size_t n, cap;
} rca_list;

typedef struct rca_case {
    const char *name, *app, *fault, *culprit;
    int latency;
    rca_list fault_windows, before, reference;
} rca_case;

typedef struct rca_window {
    const char *name;
    size_t app, begin, end; /* rows of the app's file */
} rca_window;

typedef struct rca_set {
    bench *b;
    const char *dir;
    int from_spans;
    bench_table *cases_file;
    rca_case *cases;
    size_t n_cases;
    const char *app[8];
    bench_table *calls[8]; /* calls_APP.csv or spans_APP.csv */
    bench_table *services, *operations;
    rca_window *windows;
    size_t n_windows, cap_windows;
    size_t n_apps;
} rca_set;

/* from_spans: read spans_APP.csv and derive the calls. Exits 2 on errors. */
rca_set *rca_load(bench *b, const char *dir, int from_spans);
void rca_free(rca_set *s);
/* The calls of the given windows together, new. */
ctw_calls *rca_calls(const rca_set *s, const size_t *window, size_t n);
/* The spans of the given windows (from_spans only), new. */
ctw_spans *rca_spans(const rca_set *s, const size_t *window, size_t n);
/* 1 when DIR/NAME can be read. */
int rca_has_file(const char *dir, const char *name);

#endif
