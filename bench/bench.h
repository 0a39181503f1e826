/* bench.h: what every ctw-bench command shares: arguments, JSON lines, clocks, CSV columns. Uses the public
 * API only. A command is `int bench_NAME(bench *b)`, listed in main.c; it returns the exit code
 * (0 computed, 2 bad arguments or data, 3 a computation failed). */
#ifndef CTW_BENCH_H
#define CTW_BENCH_H

#include <cybertwin/cybertwin.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench {
    const char *command;
    int argc; /* what follows the command */
    char **argv;
    ctw_ctx *ctx;
} bench;

/* ---- arguments: "--name value" and "--flag" ---- */
const char *bench_str(bench *b, const char *name, const char *dflt);
double bench_f64(bench *b, const char *name, double dflt); /* exits 2 on a malformed number */
int64_t bench_i64(bench *b, const char *name, int64_t dflt);
int bench_flag(bench *b, const char *name);
/* i-th value of a repeated option, NULL past the last. */
const char *bench_nth(bench *b, const char *name, size_t i);
/* Exits 2 naming the option when it is missing. */
const char *bench_need(bench *b, const char *name);
/* --seed A or A..B */
void bench_seeds(bench *b, int64_t *first, int64_t *last);
/* Exits 2 for an option that no call above asked for: call it after reading all of them. */
void bench_no_more(bench *b);
/* Applies every "--set key=value" to the bag; exits 2 on an error. */
void bench_params(bench *b, ctw_params *p);

/* ---- JSON lines on stdout ---- */
void bench_begin(bench *b); /* {"bench":...,"build":... */
void bench_out_str(const char *key, const char *v);
void bench_out_f64(const char *key, double v); /* null when not finite */
void bench_out_i64(const char *key, int64_t v);
/* "aggregate":true,"n_seeds":n: marks the line that sums up over seeds. */
void bench_out_aggregate(size_t n_seeds);
void bench_out_bool(const char *key, int v);
void bench_end(void); /* } and newline, flushed */
/* Mean and standard error of values as "key" and "key_se" within an aggregate line. */
void bench_out_mean(const char *key, const double *v, size_t n);

/* ---- measuring ---- */
double bench_cpu_s(void);         /* of the calling thread */
double bench_process_cpu_s(void); /* of all threads */
double bench_wall_s(void);
double bench_peak_rss_mb(void);
double bench_median(double *v, size_t n); /* reorders */

/* ---- errors: message on stderr, exit ---- */
void bench_die(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* Exits 3 (2 for CTW_E_IO, CTW_E_FORMAT, CTW_E_KEY of data) with the library's message unless s is CTW_OK. */
void bench_ok(ctw_status s, const char *what);

/* ---- data: whole columns of a CSV file; exits 2 on errors; freed by bench_free ---- */
typedef struct bench_table {
    size_t rows, cols;
    char **name;    /* cols */
    char ***text;   /* text[col][row], NULL unless asked for */
    double **value; /* value[col][row], NaN for blank; NULL for text columns */
} bench_table;
/* wanted: NULL-terminated names ("name" numeric, "$name" text, "?name" numeric and optional, "?$name"); they
 * become columns 0, 1, ... of the table in this order; an optional missing one has NULL for both arrays. */
bench_table *bench_load(bench *b, const char *path, const char *const *wanted);
void bench_free(bench_table *t);
void *bench_alloc(size_t count, size_t size); /* zeroed; exits 3 when out of memory */

#endif
