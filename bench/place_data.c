/* place_data.c: reading an instance folder, row by row, into columns; a missing optional column means "no such
 * limit". Names (of classes, regions, jobs) may be any text; they become numbers in order of appearance. */
#include "place_data.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names to numbers: open addressing over FNV-1a ---- */

typedef struct names {
    char **name;
    size_t *slot; /* index + 1, 0 empty */
    size_t n, cap;
} names;

static size_t hash(const char *s)
{
    uint64_t h = 1469598103934665603u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)h;
}

static void *grow(void *p, size_t n, size_t size)
{
    void *q = realloc(p, n * size);
    if (!q) bench_die(3, "out of memory");
    return q;
}

static size_t find(const names *s, const char *name)
{
    size_t i = hash(name) & (s->cap - 1);
    while (s->slot[i] && strcmp(s->name[s->slot[i] - 1], name) != 0) i = (i + 1) & (s->cap - 1);
    return i;
}

/* Index of the name; -1 when it is new and `add` is 0. */
static int64_t intern(names *s, const char *name, int add)
{
    if (2 * (s->n + 1) > s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        free(s->slot);
        s->slot = bench_alloc(s->cap, sizeof *s->slot);
        for (size_t i = 0; i < s->n; i++) s->slot[find(s, s->name[i])] = i + 1;
        s->name = grow(s->name, s->cap, sizeof *s->name);
    }
    size_t i = find(s, name);
    if (s->slot[i]) return (int64_t)s->slot[i] - 1;
    if (!add) return -1;
    size_t n = strlen(name) + 1;
    s->name[s->n] = memcpy(bench_alloc(n, 1), name, n);
    s->slot[i] = ++s->n;
    return (int64_t)s->n - 1;
}

static void names_free(names *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->name[i]);
    free(s->name);
    free(s->slot);
    memset(s, 0, sizeof *s);
}

/* ---- one CSV file ---- */

typedef struct file {
    ctw_csv *csv;
    char path[1024];
} file;

static int exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}

static int open_csv(bench *b, const char *dir, const char *name, int optional, file *f)
{
    snprintf(f->path, sizeof f->path, "%s/%s", dir, name);
    f->csv = NULL;
    if (optional && !exists(f->path)) return 0;
    bench_ok(ctw_csv_open(b->ctx, f->path, &f->csv), f->path);
    return 1;
}

/* Column index, -1 for an absent optional one. */
static int64_t column(file *f, const char *name, int optional)
{
    uint64_t i;
    for (i = 0; i < ctw_csv_columns(f->csv); i++) {
        if (strcmp(ctw_csv_column_name(f->csv, i), name) == 0) return (int64_t)i;
    }
    if (!optional) bench_ok(ctw_csv_column(f->csv, name, &i), f->path);
    return -1;
}

static int next_row(file *f)
{
    int32_t more;
    bench_ok(ctw_csv_next(f->csv, &more), f->path);
    if (!more) ctw_csv_unref(f->csv);
    return more != 0;
}

static const char *text(file *f, int64_t col)
{
    const char *s = "";
    if (col >= 0) bench_ok(ctw_csv_text(f->csv, (uint64_t)col, &s, NULL), f->path);
    return s;
}

/* A number; `dflt` for an absent column or an empty field. */
static double number(file *f, int64_t col, double dflt)
{
    double v = NAN;
    if (col >= 0) bench_ok(ctw_csv_f64(f->csv, (uint64_t)col, &v), f->path);
    return isnan(v) ? dflt : v;
}

static int64_t whole(file *f, int64_t col, int64_t dflt)
{
    double v = number(f, col, (double)dflt);
    if (v != floor(v) || fabs(v) > 1e15) {
        bench_die(2, "%s:%llu: %g is not a whole number", f->path, (unsigned long long)ctw_csv_line(f->csv), v);
    }
    return (int64_t)v;
}

static int64_t region_of(file *f, int64_t col, names *regions, int64_t empty)
{
    const char *s = text(f, col);
    if (!*s) return empty;
    int64_t r = intern(regions, s, 0);
    if (r < 0)
        bench_die(2, "%s:%llu: region \"%s\" is not in carbon.csv", f->path, (unsigned long long)ctw_csv_line(f->csv),
                  s);
    return r;
}

/* ---- the files ---- */

static void load_carbon(bench *b, const char *dir, place_data *d, names *regions)
{
    file f;
    size_t n = 0, cap = 0;
    double *value = NULL;
    int64_t *slot = NULL, *region = NULL;
    open_csv(b, dir, "carbon.csv", 0, &f);
    int64_t cs = column(&f, "slot", 0), cr = column(&f, "region", 1), cg = column(&f, "g_per_kwh", 0);
    while (next_row(&f)) {
        if (n == cap) {
            cap = cap ? 2 * cap : 256;
            value = grow(value, cap, sizeof *value);
            slot = grow(slot, cap, sizeof *slot);
            region = grow(region, cap, sizeof *region);
        }
        slot[n] = whole(&f, cs, -1);
        region[n] = intern(regions, text(&f, cr), 1);
        value[n] = number(&f, cg, NAN);
        if (slot[n] < 0 || slot[n] >= 100000) bench_die(2, "%s: slot %lld", f.path, (long long)slot[n]);
        if ((size_t)slot[n] >= d->slots) d->slots = (size_t)slot[n] + 1;
        n++;
    }
    d->regions = regions->n;
    d->carbon = bench_alloc(d->regions * d->slots + 1, sizeof(double));
    for (size_t i = 0; i < d->regions * d->slots; i++) d->carbon[i] = NAN;
    for (size_t i = 0; i < n; i++) d->carbon[(size_t)region[i] * d->slots + (size_t)slot[i]] = value[i];
    for (size_t i = 0; i < d->regions * d->slots; i++) {
        if (isnan(d->carbon[i]))
            bench_die(2, "%s: no value for region %s slot %zu", f.path, regions->name[i / d->slots], i % d->slots);
    }
    free(value);
    free(slot);
    free(region);
}

static void grow_servers(place_data *d)
{
    if (d->classes < d->class_cap) return;
    size_t n = d->class_cap = d->class_cap ? 2 * d->class_cap : 64;
    d->count = grow(d->count, n, 8);
    d->region = grow(d->region, n, 8);
    d->type = grow(d->type, n, 8);
    d->rack = grow(d->rack, n, 8);
    d->idle = grow(d->idle, n, 8);
    d->startup = grow(d->startup, n, 8);
    d->embodied = grow(d->embodied, n, 8);
    d->server_cap = grow(d->server_cap, n, 8);
    d->capacity = grow(d->capacity, n, PLACE_RESOURCES * 8);
    d->watt = grow(d->watt, n, PLACE_RESOURCES * 8);
}

static void load_servers(bench *b, const char *dir, place_data *d, names *regions, names *types)
{
    file f;
    names racks = {0};
    open_csv(b, dir, "servers.csv", 0, &f);
    int64_t name = column(&f, "class", 1), count = column(&f, "count", 1), region = column(&f, "region", 1);
    int64_t cores = column(&f, "cpu_cores", 0), mem = column(&f, "memory_gib", 1), gpus = column(&f, "gpus", 1);
    int64_t idle = column(&f, "idle_w", 0), wc = column(&f, "w_per_core", 0), wg = column(&f, "w_per_gpu", 1);
    int64_t startup = column(&f, "startup_wh", 1), rack = column(&f, "rack", 1),
            emb = column(&f, "embodied_g_per_h", 1);
    int64_t cap = column(&f, "cap_w", 1);
    while (next_row(&f)) {
        grow_servers(d);
        size_t i = d->classes++;
        d->type[i] = intern(types, text(&f, name), 1);
        d->count[i] = whole(&f, count, 1);
        d->region[i] = region_of(&f, region, regions, 0);
        const char *r = text(&f, rack);
        d->rack[i] = *r ? intern(&racks, r, 1) : -1;
        d->capacity[3 * i] = number(&f, cores, NAN);
        d->capacity[3 * i + 1] = number(&f, mem, mem < 0 ? 1e12 : NAN);
        d->capacity[3 * i + 2] = number(&f, gpus, 0);
        d->watt[3 * i] = number(&f, wc, NAN);
        d->watt[3 * i + 1] = 0;
        d->watt[3 * i + 2] = number(&f, wg, 0);
        d->idle[i] = number(&f, idle, NAN);
        d->startup[i] = number(&f, startup, 0);
        d->embodied[i] = number(&f, emb, 0);
        d->server_cap[i] = number(&f, cap, INFINITY);
    }
    names_free(&racks);
}

static void grow_jobs(place_data *d)
{
    if (d->jobs < d->job_cap) return;
    size_t n = d->job_cap = d->job_cap ? d->job_cap + d->job_cap / 2 : 1024;
    int64_t **wide[] = {&d->release, &d->deadline, &d->duration, &d->units, &d->home, &d->spread, &d->wants};
    int32_t **flags[] = {&d->kind, &d->preemptible, &d->movable};
    for (size_t i = 0; i < 7; i++) *wide[i] = grow(*wide[i], n, 8);
    for (size_t i = 0; i < 3; i++) *flags[i] = grow(*flags[i], n, 4);
    d->penalty = grow(d->penalty, n, 8);
    d->demand = grow(d->demand, n, PLACE_RESOURCES * 8);
}

static void load_jobs(bench *b, const char *dir, place_data *d, names *regions, names *types, names *services)
{
    file f;
    open_csv(b, dir, "jobs.csv", 0, &f);
    int64_t job = column(&f, "job", 0), kind = column(&f, "kind", 1), count = column(&f, "count", 1);
    int64_t cores = column(&f, "cpu_cores", 0), mem = column(&f, "memory_gib", 1), gpus = column(&f, "gpus", 1);
    int64_t rel = column(&f, "release_slot", 1), dl = column(&f, "deadline_slot", 1),
            dur = column(&f, "duration_slots", 1);
    int64_t pre = column(&f, "preemptible", 1), region = column(&f, "region", 1), mov = column(&f, "movable", 1);
    int64_t pen = column(&f, "miss_penalty_g", 1), spread = column(&f, "max_per_server", 1),
            cls = column(&f, "server_class", 1);
    while (next_row(&f)) {
        grow_jobs(d);
        size_t i = d->jobs++;
        const char *k = text(&f, kind), *c = text(&f, cls);
        d->kind[i] = strcmp(k, "LC") == 0 || strcmp(k, "service") == 0;
        d->units[i] = whole(&f, count, 1);
        d->total_units += d->units[i];
        d->demand[3 * i] = number(&f, cores, NAN);
        d->demand[3 * i + 1] = number(&f, mem, 0);
        d->demand[3 * i + 2] = number(&f, gpus, 0);
        d->release[i] = whole(&f, rel, 0);
        d->deadline[i] = whole(&f, dl, (int64_t)d->slots);
        d->duration[i] = whole(&f, dur, 1);
        d->preemptible[i] = number(&f, pre, 0) != 0;
        d->home[i] = region_of(&f, region, regions, -1);
        d->movable[i] = number(&f, mov, 0) != 0;
        d->penalty[i] = number(&f, pen, INFINITY);
        d->spread[i] = whole(&f, spread, 0);
        d->wants[i] = *c ? intern(types, c, 0) : -1;
        if (*c && d->wants[i] < 0) bench_die(2, "%s: server_class \"%s\" is not in servers.csv", f.path, c);
        if (d->kind[i]) {
            if (intern(services, text(&f, job), 0) >= 0) bench_die(2, "%s: job \"%s\" twice", f.path, text(&f, job));
            intern(services, text(&f, job), 1);
        }
    }
}

static void load_loads(bench *b, const char *dir, place_data *d, names *services)
{
    file f;
    int64_t *row_of = bench_alloc(services->n + 1, sizeof *row_of);
    for (size_t i = 0, s = 0; i < d->jobs; i++) {
        if (d->kind[i]) row_of[s++] = (int64_t)i;
    }
    if (open_csv(b, dir, "load.csv", 1, &f)) {
        int64_t slot = column(&f, "slot", 0), job = column(&f, "job", 0), count = column(&f, "count", 0);
        while (next_row(&f)) {
            if (d->loads == d->load_cap) {
                d->load_cap = d->load_cap ? 2 * d->load_cap : 1024;
                d->load_row = grow(d->load_row, d->load_cap, 8);
                d->load_slot = grow(d->load_slot, d->load_cap, 8);
                d->load_count = grow(d->load_count, d->load_cap, 8);
            }
            int64_t s = intern(services, text(&f, job), 0);
            if (s < 0)
                bench_die(2, "%s:%llu: job \"%s\" is no service of jobs.csv", f.path,
                          (unsigned long long)ctw_csv_line(f.csv), text(&f, job));
            d->load_row[d->loads] = row_of[s];
            d->load_slot[d->loads] = whole(&f, slot, -1);
            d->load_count[d->loads++] = whole(&f, count, 0);
        }
    }
    free(row_of);
}

static void load_horizon(bench *b, const char *dir, place_data *d)
{
    file f;
    d->slot_s = 3600;
    d->cap_w = INFINITY;
    strcpy(d->reserve, "none");
    if (!open_csv(b, dir, "horizon.csv", 1, &f)) return;
    int64_t slot = column(&f, "slot_seconds", 1), thr = column(&f, "throughput_min", 1), cap = column(&f, "cap_w", 1);
    int64_t res = column(&f, "reserve", 1);
    while (next_row(&f)) {
        const char *r = text(&f, res);
        d->slot_s = number(&f, slot, 3600);
        d->throughput_min = number(&f, thr, 0);
        d->cap_w = number(&f, cap, INFINITY);
        if (*r && strlen(r) < sizeof d->reserve) strcpy(d->reserve, r);
    }
}

place_data *place_data_load(bench *b, const char *dir)
{
    place_data *d = bench_alloc(1, sizeof *d);
    names regions = {0}, types = {0}, services = {0};
    load_carbon(b, dir, d, &regions);
    load_servers(b, dir, d, &regions, &types);
    load_jobs(b, dir, d, &regions, &types, &services);
    load_loads(b, dir, d, &services);
    load_horizon(b, dir, d);
    names_free(&regions);
    names_free(&types);
    names_free(&services);
    return d;
}

void place_data_free(place_data *d)
{
    void *all[] = {d->count,   d->region,   d->type,       d->rack,       d->capacity, d->watt,        d->idle,
                   d->startup, d->embodied, d->server_cap, d->demand,     d->release,  d->deadline,    d->duration,
                   d->units,   d->home,     d->spread,     d->wants,      d->kind,     d->preemptible, d->movable,
                   d->penalty, d->load_row, d->load_slot,  d->load_count, d->carbon};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(d);
}

void place_data_drop_jobs(place_data *d)
{
    void **all[] = {(void **)&d->demand,   (void **)&d->release,     (void **)&d->deadline,  (void **)&d->duration,
                    (void **)&d->units,    (void **)&d->home,        (void **)&d->spread,    (void **)&d->wants,
                    (void **)&d->kind,     (void **)&d->preemptible, (void **)&d->movable,   (void **)&d->penalty,
                    (void **)&d->load_row, (void **)&d->load_slot,   (void **)&d->load_count};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(*all[i]);
        *all[i] = NULL;
    }
}

static ctw_params *options(bench *b, const place_data *d, const char *mode, double gap)
{
    ctw_params *opt;
    bench_ok(ctw_params_new(b->ctx, "place", &opt), "options");
    bench_ok(ctw_params_set_f64(opt, "slot_s", d->slot_s), "slot_seconds");
    bench_ok(ctw_params_set_f64(opt, "throughput_min", d->throughput_min), "throughput_min");
    bench_ok(ctw_params_set_str(opt, "reserve", d->reserve), "reserve");
    if (mode) bench_ok(ctw_params_set_str(opt, "mode", mode), "--mode");
    if (gap >= 0) bench_ok(ctw_params_set_f64(opt, "mip_gap", gap), "--gap");
    bench_params(b, opt);
    return opt;
}

ctw_place *place_data_problem(bench *b, const place_data *d, const char *mode, double gap)
{
    ctw_place *p;
    ctw_params *opt = options(b, d, mode, gap);
    uint64_t n = d->classes, m = d->jobs;
    bench_ok(ctw_place_new(b->ctx, opt, &p), "place");
    ctw_params_unref(opt);
    bench_ok(ctw_place_set_nodes(p, NULL, n, d->capacity, PLACE_RESOURCES, PLACE_RESOURCES), "servers.csv");
    bench_ok(ctw_place_set_node_counts(p, d->count, n), "servers.csv");
    bench_ok(ctw_place_set_node_regions(p, d->region, n), "servers.csv");
    bench_ok(ctw_place_set_node_types(p, d->type, n), "servers.csv");
    bench_ok(ctw_place_set_node_racks(p, d->rack, n), "servers.csv");
    bench_ok(ctw_place_set_node_power(p, d->idle, d->watt, n, PLACE_RESOURCES), "servers.csv");
    bench_ok(ctw_place_set_node_startup(p, d->startup, n), "servers.csv");
    bench_ok(ctw_place_set_node_embodied(p, d->embodied, n), "servers.csv");
    bench_ok(ctw_place_set_node_caps(p, d->server_cap, n), "servers.csv");
    bench_ok(ctw_place_set_jobs(p, NULL, m, d->demand, PLACE_RESOURCES, PLACE_RESOURCES, d->release, d->deadline,
                                d->duration),
             "jobs.csv");
    bench_ok(ctw_place_set_job_kinds(p, d->kind, m), "jobs.csv");
    bench_ok(ctw_place_set_job_counts(p, d->units, m), "jobs.csv");
    bench_ok(ctw_place_set_job_preemptible(p, d->preemptible, m), "jobs.csv");
    bench_ok(ctw_place_set_job_regions(p, d->home, d->movable, m), "jobs.csv");
    bench_ok(ctw_place_set_job_penalties(p, d->penalty, m), "jobs.csv");
    bench_ok(ctw_place_set_job_spread(p, d->spread, m), "jobs.csv");
    bench_ok(ctw_place_set_job_types(p, d->wants, m), "jobs.csv");
    bench_ok(ctw_place_set_loads(p, d->load_row, d->load_slot, d->load_count, d->loads), "load.csv");
    bench_ok(ctw_place_set_carbon(p, d->carbon, d->regions, d->slots, d->slots), "carbon.csv");
    if (isfinite(d->cap_w)) {
        double *caps = bench_alloc(d->regions, sizeof *caps);
        for (size_t i = 0; i < d->regions; i++) caps[i] = d->cap_w;
        bench_ok(ctw_place_set_region_caps(p, caps, d->regions), "horizon.csv");
        free(caps);
    }
    return p;
}
