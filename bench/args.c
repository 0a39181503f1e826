/* args.c: command-line options of ctw-bench, errors, and clocks. Every option that a command asks for is
 * marked, so that a misspelt one is an error and not silently a default. */
#include "bench.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_ARGS = 256 };
static unsigned char used[MAX_ARGS];

void bench_die(int code, const char *fmt, ...)
{
    va_list ap;
    fputs("ctw-bench: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(code);
}

void bench_ok(ctw_status s, const char *what)
{
    if (s == CTW_OK) return;
    int data = s == CTW_E_IO || s == CTW_E_FORMAT || s == CTW_E_KEY || s == CTW_E_TYPE || s == CTW_E_RANGE;
    bench_die(data ? 2 : 3, "%s: %s: %s", what, ctw_status_name(s), ctw_error_message());
}

/* Position of the i-th "--name", -1 when there are fewer. */
static int find(bench *b, const char *name, size_t i)
{
    for (int k = 0; k < b->argc && k < MAX_ARGS; k++)
        if (strcmp(b->argv[k], name) == 0 && i-- == 0) {
            used[k] = 1;
            return k;
        }
    return -1;
}

const char *bench_nth(bench *b, const char *name, size_t i)
{
    int k = find(b, name, i);
    if (k < 0) return NULL;
    if (k + 1 >= b->argc || k + 1 >= MAX_ARGS) bench_die(2, "%s needs a value", name);
    used[k + 1] = 1;
    return b->argv[k + 1];
}

const char *bench_str(bench *b, const char *name, const char *dflt)
{
    const char *v = bench_nth(b, name, 0);
    return v ? v : dflt;
}

const char *bench_need(bench *b, const char *name)
{
    const char *v = bench_nth(b, name, 0);
    if (!v) bench_die(2, "%s needs %s", b->command, name);
    return v;
}

double bench_f64(bench *b, const char *name, double dflt)
{
    const char *v = bench_nth(b, name, 0);
    if (!v) return dflt;
    char *end;
    double x = strtod(v, &end);
    if (end == v || *end || x != x) bench_die(2, "%s is \"%s\", not a number", name, v);
    return x;
}

int64_t bench_i64(bench *b, const char *name, int64_t dflt)
{
    const char *v = bench_nth(b, name, 0);
    if (!v) return dflt;
    char *end;
    long long x = strtoll(v, &end, 10);
    if (end == v || *end) bench_die(2, "%s is \"%s\", not an integer", name, v);
    return x;
}

int bench_flag(bench *b, const char *name)
{
    return find(b, name, 0) >= 0;
}

void bench_seeds(bench *b, int64_t *first, int64_t *last)
{
    const char *v = bench_str(b, "--seed", "0");
    char *end;
    *first = *last = strtoll(v, &end, 10);
    if (end == v) bench_die(2, "--seed is \"%s\", not A or A..B", v);
    if (strncmp(end, "..", 2) == 0) {
        const char *second = end + 2;
        *last = strtoll(second, &end, 10);
        if (end == second) bench_die(2, "--seed is \"%s\", not A or A..B", v);
    }
    if (*end || *last < *first || *last - *first >= 100000) bench_die(2, "--seed is \"%s\", not A or A..B", v);
}

void bench_params(bench *b, ctw_params *p)
{
    const char *kv;
    for (size_t i = 0; (kv = bench_nth(b, "--set", i)); i++) {
        char key[64];
        const char *eq = strchr(kv, '=');
        if (!eq || (size_t)(eq - kv) >= sizeof key) bench_die(2, "--set is \"%s\", not key=value", kv);
        memcpy(key, kv, (size_t)(eq - kv));
        key[eq - kv] = 0;
        if (ctw_params_set_text(p, key, eq + 1)) bench_die(2, "--set %s: %s", kv, ctw_error_message());
    }
}

void bench_no_more(bench *b)
{
    if (b->argc > MAX_ARGS) bench_die(2, "more than %d arguments", MAX_ARGS);
    for (int k = 0; k < b->argc; k++)
        if (!used[k]) bench_die(2, "%s does not know \"%s\"", b->command, b->argv[k]);
}

void *bench_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) bench_die(3, "out of memory");
    return p;
}

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_cpu_s(void)
{
    return clock_s(CLOCK_THREAD_CPUTIME_ID);
}

double bench_process_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double bench_peak_rss_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}
