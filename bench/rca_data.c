/* rca_data.c: see rca_data.h. */
#include "rca_data.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *path_of(const char *dir, const char *name)
{
    static char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) bench_die(2, "%s: path too long", dir);
    return path;
}

int rca_has_file(const char *dir, const char *name)
{
    return access(path_of(dir, name), R_OK) == 0;
}

static bench_table *load_if_there(bench *b, const char *dir, const char *name, const char *const *wanted)
{
    return rca_has_file(dir, name) ? bench_load(b, path_of(dir, name), wanted) : NULL;
}

static size_t find_window(const rca_set *s, const char *name)
{
    for (size_t i = 0; i < s->n_windows; i++)
        if (strcmp(s->windows[i].name, name) == 0) return i;
    return SIZE_MAX;
}

static void index_windows(rca_set *s, size_t app)
{
    const bench_table *t = s->calls[app];
    for (size_t i = 0; i < t->rows; i++) {
        if (i && strcmp(t->text[0][i], t->text[0][i - 1]) == 0) {
            s->windows[s->n_windows - 1].end = i + 1;
            continue;
        }
        if (find_window(s, t->text[0][i]) != SIZE_MAX)
            bench_die(2, "%s: rows of window %s are not together", s->dir, t->text[0][i]);
        if (s->n_windows == s->cap_windows) {
            s->cap_windows = s->cap_windows ? 2 * s->cap_windows : 256;
            s->windows = realloc(s->windows, s->cap_windows * sizeof *s->windows);
            if (!s->windows) bench_die(3, "out of memory");
        }
        s->windows[s->n_windows++] = (rca_window){t->text[0][i], app, i, i + 1};
    }
}

static void load_app(rca_set *s, const char *app)
{
    static const char *const calls[] = {"$window", "trace",  "root_us", "svc",        "op",      "caller",
                                        "incl_us", "cli_us", "self_us", "net_us",     "excl_us", "nspans",
                                        "nout",    "cp_us",  "err",     "err_caller", NULL};
    static const char *const spans[] = {"$window", "trace", "span", "parent", "svc", "op", "start_us", "dur_us", NULL};
    char name[256];
    for (size_t i = 0; i < s->n_apps; i++)
        if (strcmp(s->app[i], app) == 0) return;
    if (s->n_apps == 8) bench_die(2, "%s: more than 8 applications", s->dir);
    snprintf(name, sizeof name, "%s_%s.csv", s->from_spans ? "spans" : "calls", app);
    s->app[s->n_apps] = app;
    s->calls[s->n_apps] = bench_load(s->b, path_of(s->dir, name), s->from_spans ? spans : calls);
    index_windows(s, s->n_apps++);
}

static void push(rca_list *l, size_t window)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 8;
        l->window = realloc(l->window, l->cap * sizeof *l->window);
        if (!l->window) bench_die(3, "out of memory");
    }
    l->window[l->n++] = window;
}

enum { CASE, APP, FAULT, LATENCY, USABLE, CULPRIT_SVC, CULPRIT, ROLE, WINDOW };

/* Name of a service; its id as text when there is no services.csv. */
static const char *service_name(const rca_set *s, double id, char *buf, size_t cap)
{
    if (s->services)
        for (size_t i = 0; i < s->services->rows; i++)
            if (s->services->value[0][i] == id) return s->services->text[1][i];
    snprintf(buf, cap, "service-%.0f", id);
    return buf;
}

static void load_cases(rca_set *s)
{
    const bench_table *t = s->cases_file;
    s->cases = bench_alloc(t->rows + 1, sizeof *s->cases);
    for (size_t i = 0; i < t->rows; i++) {
        if (t->value[USABLE][i] == 0) continue;
        load_app(s, t->text[APP][i]);
        rca_case *c = s->n_cases ? &s->cases[s->n_cases - 1] : NULL;
        if (!c || strcmp(c->name, t->text[CASE][i]) != 0) {
            c = &s->cases[s->n_cases++];
            c->name = t->text[CASE][i];
            c->app = t->text[APP][i];
            c->fault = t->text[FAULT][i];
            c->latency = t->value[LATENCY][i] == 1;
            char buf[64];
            c->culprit =
                s->services ? t->text[CULPRIT][i] : strdup(service_name(s, t->value[CULPRIT_SVC][i], buf, sizeof buf));
        }
        size_t w = find_window(s, t->text[WINDOW][i]);
        if (w == SIZE_MAX) continue; /* a window without traces */
        const char *role = t->text[ROLE][i];
        if (strcmp(role, "fault") == 0)
            push(&c->fault_windows, w);
        else if (strcmp(role, "before") == 0)
            push(&c->before, w);
        else if (strcmp(role, "reference") == 0)
            push(&c->reference, w);
    }
}

rca_set *rca_load(bench *b, const char *dir, int from_spans)
{
    static const char *const cases[] = {"$case",        "$app",     "$fault", "latency_fault", "usable",
                                        "?culprit_svc", "$culprit", "$role",  "$window",       NULL};
    static const char *const services[] = {"id", "$name", NULL};
    static const char *const operations[] = {"id", "$operation", NULL};
    rca_set *s = bench_alloc(1, sizeof *s);
    s->b = b;
    s->dir = dir;
    s->from_spans = from_spans;
    s->cases_file = bench_load(b, path_of(dir, "cases.csv"), cases);
    s->services = load_if_there(b, dir, "services.csv", services);
    s->operations = load_if_there(b, dir, "operations.csv", operations);
    load_cases(s);
    return s;
}

void rca_free(rca_set *s)
{
    for (size_t i = 0; i < s->n_cases; i++) {
        free(s->cases[i].fault_windows.window);
        free(s->cases[i].before.window);
        free(s->cases[i].reference.window);
        if (!s->services) free((char *)(uintptr_t)s->cases[i].culprit);
    }
    for (size_t i = 0; i < s->n_apps; i++) bench_free(s->calls[i]);
    bench_free(s->cases_file);
    if (s->services) bench_free(s->services);
    if (s->operations) bench_free(s->operations);
    free(s->cases);
    free(s->windows);
    free(s);
}

static void add_calls(const rca_set *s, ctw_calls *out, const rca_window *w, size_t nth)
{
    const bench_table *t = s->calls[w->app];
    size_t n = w->end - w->begin;
    int64_t *id = bench_alloc(4 * n, sizeof *id);
    double *v = bench_alloc(n * CTW_CALL_COLUMNS, sizeof *v);
    char buf[64];
    for (size_t i = 0; i < n; i++) {
        size_t r = w->begin + i;
        id[i] = (int64_t)t->value[1][r] + (int64_t)nth * 1000000000;
        bench_ok(ctw_calls_name(out, service_name(s, t->value[3][r], buf, sizeof buf), &id[n + i]), "service");
        snprintf(buf, sizeof buf, "op-%.0f", t->value[4][r]);
        bench_ok(ctw_calls_name(out, buf, &id[2 * n + i]), "operation");
        id[3 * n + i] = -1;
        if (t->value[5][r] >= 0)
            bench_ok(ctw_calls_name(out, service_name(s, t->value[5][r], buf, sizeof buf), &id[3 * n + i]), "caller");
        for (size_t c = 0; c < CTW_CALL_COLUMNS; c++) v[i * CTW_CALL_COLUMNS + c] = t->value[6 + c][r];
    }
    bench_ok(ctw_calls_add(out, n, id, t->value[2] + w->begin, id + n, id + 2 * n, id + 3 * n, v, CTW_CALL_COLUMNS),
             w->name);
    free(id);
    free(v);
}

/* The data marks failures by the operation's name only (Spring's BasicErrorController.error). */
static int is_error(const rca_set *s, double op)
{
    if (s->operations)
        for (size_t i = 0; i < s->operations->rows; i++)
            if (s->operations->value[0][i] == op) return strstr(s->operations->text[1][i], "rror") != NULL;
    return 0;
}

static void add_spans(const rca_set *s, ctw_spans *out, const rca_window *w, size_t nth)
{
    const bench_table *t = s->calls[w->app];
    size_t n = w->end - w->begin;
    int64_t *v = bench_alloc(7 * n, sizeof *v);
    int32_t *status = bench_alloc(n, sizeof *status);
    char buf[64];
    for (size_t i = 0; i < n; i++) {
        size_t r = w->begin + i;
        double parent = t->value[3][r];
        v[i] = (int64_t)t->value[1][r] + (int64_t)nth * 1000000000;
        v[n + i] = (int64_t)t->value[2][r] + 1;
        v[2 * n + i] = parent == -1 ? 0 : parent < 0 ? INT64_MAX : (int64_t)parent + 1; /* -2: not in the table */
        bench_ok(ctw_spans_name(out, service_name(s, t->value[4][r], buf, sizeof buf), &v[3 * n + i]), "service");
        snprintf(buf, sizeof buf, "op-%.0f", t->value[5][r]);
        bench_ok(ctw_spans_name(out, buf, &v[4 * n + i]), "operation");
        v[5 * n + i] = (int64_t)t->value[6][r] * 1000;
        v[6 * n + i] = (int64_t)t->value[7][r] * 1000;
        status[i] = is_error(s, t->value[5][r]) ? CTW_SPAN_ERROR : CTW_SPAN_UNSET;
    }
    bench_ok(ctw_spans_add(out, n, v, v + n, v + 2 * n, v + 3 * n, NULL, v + 4 * n, v + 5 * n, v + 6 * n, NULL, status),
             w->name);
    free(v);
    free(status);
}

ctw_spans *rca_spans(const rca_set *s, const size_t *window, size_t n)
{
    ctw_spans *out;
    bench_ok(ctw_spans_new(s->b->ctx, NULL, &out), "spans");
    for (size_t i = 0; i < n; i++) add_spans(s, out, &s->windows[window[i]], i);
    return out;
}

ctw_calls *rca_calls(const rca_set *s, const size_t *window, size_t n)
{
    ctw_calls *out;
    bench_ok(ctw_calls_new(s->b->ctx, NULL, &out), "calls");
    if (s->from_spans) {
        ctw_spans *spans = rca_spans(s, window, n);
        bench_ok(ctw_calls_add_spans(out, spans, NULL), "calls of spans");
        ctw_spans_unref(spans);
    } else {
        for (size_t i = 0; i < n; i++) add_calls(s, out, &s->windows[window[i]], i);
    }
    return out;
}
