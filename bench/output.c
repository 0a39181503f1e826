/* output.c: the JSON lines of the bench contract. */
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void quoted(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

void bench_begin(bench *b)
{
    printf("{\"bench\":");
    quoted(b->command);
    bench_out_str("build", ctw_build_info());
}

void bench_out_str(const char *key, const char *v)
{
    putchar(',');
    quoted(key);
    putchar(':');
    quoted(v);
}

void bench_out_f64(const char *key, double v)
{
    putchar(',');
    quoted(key);
    if (isfinite(v))
        printf(":%.10g", v);
    else
        printf(":null");
}

void bench_out_i64(const char *key, int64_t v)
{
    putchar(',');
    quoted(key);
    printf(":%lld", (long long)v);
}

void bench_out_aggregate(size_t n_seeds)
{
    printf(",\"aggregate\":true");
    bench_out_i64("n_seeds", (int64_t)n_seeds);
}

void bench_out_bool(const char *key, int v)
{
    putchar(',');
    quoted(key);
    printf(v ? ":true" : ":false");
}

void bench_end(void)
{
    puts("}");
    fflush(stdout);
}

void bench_out_mean(const char *key, const double *v, size_t n)
{
    char name[96];
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (v[i] - mean) * (v[i] - mean);
    bench_out_f64(key, mean);
    snprintf(name, sizeof name, "%s_se", key);
    bench_out_f64(name, n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *v, size_t n)
{
    if (n == 0) return NAN;
    qsort(v, n, sizeof *v, compare);
    return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}
