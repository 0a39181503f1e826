/* green_day: 24 hours of a small data centre, lived twice on the same arrivals and faults: once by a carbon-agnostic
 * first-come-first-served scheduler at top frequency, once by the cybertwin with every module of the library.
 * Prints one table; --csv and --html write the series and a report with charts. */
#include "green_day.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *fmt, ...)
{
    va_list ap;
    fputs("green_day: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

void need(ctw_status s, const char *what)
{
    if (s != CTW_OK) die("%s: %s: %s", what, ctw_status_name(s), ctw_error_message());
}

void *room(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) die("out of memory");
    return p;
}

double report_f64(const ctw_report *r, const char *key)
{
    double v = NAN;
    if (ctw_report_get_f64(r, key, &v) != CTW_OK) return NAN;
    return v;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void usage(FILE *to)
{
    fputs("usage: green_day [options]\n"
          "  --region NAME    grid region: SUN, WIND, COAL (synthetic) or, with --data, a name such as CISO [SUN]\n"
          "  --date DATE      day to live, YYYY-MM-DD [2021-06-15]\n"
          "  --data DIR       real inputs: carbon/ load/ jobs/ llm/ as doc/twin.md describes; without: generated ones\n"
          "  --servers N      servers, one in ten of them with an LLM instance [40]\n"
          "  --jobs N         best-effort jobs of the day [400]\n"
          "  --seed N         seed of every random choice [1]\n"
          "  --faults SPEC    none, or KIND[:SERVER]@START+LENGTH[*SPEED],...; KIND loss, slow or stuck\n"
          "                   [loss@9.5h+2h,slow@13h+2h*0.4,stuck@18h+4h]\n"
          "  --without PARTS  leave out parts of the cybertwin: any of forecast,place,power,queue,rca\n"
          "  --csv FILE       every figure and series as CSV\n"
          "  --html FILE      a report with charts that opens offline\n",
          to);
}

static int64_t whole(const char *name, const char *text, int64_t lo, int64_t hi)
{
    char *end;
    long long v = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || v < lo || v > hi)
        die("%s is \"%s\", must be a whole number from %lld to %lld", name, text, (long long)lo, (long long)hi);
    return v;
}

static void parse(int argc, char **argv, options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            usage(stdout);
            exit(0);
        }
        if (i + 1 == argc) die("%s needs a value; --help lists the options", argv[i]);
        const char *name = argv[i], *value = argv[++i];
        if (strcmp(name, "--region") == 0)
            o->region = value;
        else if (strcmp(name, "--date") == 0)
            o->date = value;
        else if (strcmp(name, "--data") == 0)
            o->data = value;
        else if (strcmp(name, "--faults") == 0)
            o->faults = value;
        else if (strcmp(name, "--without") == 0)
            o->without = value;
        else if (strcmp(name, "--csv") == 0)
            o->csv = value;
        else if (strcmp(name, "--html") == 0)
            o->html = value;
        else if (strcmp(name, "--seed") == 0)
            o->seed = whole(name, value, 0, INT64_MAX);
        else if (strcmp(name, "--servers") == 0)
            o->servers = whole(name, value, 10, 100000);
        else if (strcmp(name, "--jobs") == 0)
            o->jobs = whole(name, value, 1, 1000000);
        else
            die("there is no option %s; --help lists them", name);
    }
}

int main(int argc, char **argv)
{
    options o = {.date = "2021-06-15",
                 .faults = "loss@9.5h+2h,slow@13h+2h*0.4,stuck@18h+4h",
                 .seed = 1,
                 .servers = 40,
                 .jobs = 400};
    parse(argc, argv, &o);
    if (!o.region) o.region = o.data ? "CISO" : "SUN";
    ctw_ctx *ctx = NULL;
    need(ctw_ctx_new(NULL, NULL, &ctx), "context");
    need(ctw_ctx_set_seed(ctx, (uint64_t)o.seed), "seed");
    ctw_status threads = ctw_ctx_set_blas_threads(ctx, 1); /* small matrices: one thread is fastest */
    if (threads != CTW_E_UNSUPPORTED) need(threads, "BLAS threads");

    fault_spec faults[MAX_FAULTS];
    size_t n_faults = fault_parse(o.faults, faults);
    inputs in = {0};
    outcome base = {0}, twin = {0};
    double start = cpu_s();
    if (o.data)
        real_inputs(ctx, &o, &in);
    else
        synthetic_inputs(&o, &in);
    world_run(ctx, &o, &in, faults, n_faults, 0, &base);
    world_run(ctx, &o, &in, faults, n_faults, 1, &twin);
    print_table(&o, &in, &base, &twin, cpu_s() - start);
    if (o.csv) write_csv(o.csv, &base, &twin);
    if (o.html) write_html(o.html, &o, &in, &base, &twin);
    if (o.csv) printf("series:  %s\n", o.csv);
    if (o.html) printf("report:  %s (opens in any browser, offline)\n", o.html);
    ctw_report_unref(base.report);
    ctw_report_unref(twin.report);
    inputs_free(&in);
    ctw_ctx_unref(ctx);
    return 0;
}
