/* place_data.c: reading an instance folder, row by row, into columns; a missing optional column means "no such
 * limit". Names (of classes, regions, jobs) may be any text; they become numbers in order of appearance. */
#include "place_data.h"
#include "place_csv.h"
#include "place_energy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the files ---- */

static void load_carbon(bench *b, const char *dir, place_data *d, place_names *regions)
{
    place_file f;
    size_t n = 0, cap = 0;
    double *value = NULL;
    int64_t *slot = NULL, *region = NULL;
    place_open(b, dir, "carbon.csv", 0, &f);
    int64_t cs = place_column(&f, "slot", 0), cr = place_column(&f, "region", 1), cg = place_column(&f, "g_per_kwh", 0);
    while (place_next(&f)) {
        if (n == cap) {
            cap = cap ? 2 * cap : 256;
            value = place_grow(value, cap, sizeof *value);
            slot = place_grow(slot, cap, sizeof *slot);
            region = place_grow(region, cap, sizeof *region);
        }
        slot[n] = place_whole(&f, cs, -1);
        region[n] = place_intern(regions, place_text(&f, cr), 1);
        value[n] = place_number(&f, cg, NAN);
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
    d->count = place_grow(d->count, n, 8);
    d->region = place_grow(d->region, n, 8);
    d->type = place_grow(d->type, n, 8);
    d->rack = place_grow(d->rack, n, 8);
    d->idle = place_grow(d->idle, n, 8);
    d->startup = place_grow(d->startup, n, 8);
    d->embodied = place_grow(d->embodied, n, 8);
    d->server_cap = place_grow(d->server_cap, n, 8);
    d->capacity = place_grow(d->capacity, n, PLACE_RESOURCES * 8);
    d->watt = place_grow(d->watt, n, PLACE_RESOURCES * 8);
}

static void load_servers(bench *b, const char *dir, place_data *d, place_names *regions, place_names *types,
                         place_names *racks)
{
    place_file f;
    place_open(b, dir, "servers.csv", 0, &f);
    int64_t name = place_column(&f, "class", 1), count = place_column(&f, "count", 1),
            region = place_column(&f, "region", 1);
    int64_t cores = place_column(&f, "cpu_cores", 0), mem = place_column(&f, "memory_gib", 1),
            gpus = place_column(&f, "gpus", 1);
    int64_t idle = place_column(&f, "idle_w", 0), wc = place_column(&f, "w_per_core", 0),
            wg = place_column(&f, "w_per_gpu", 1);
    int64_t startup = place_column(&f, "startup_wh", 1), rack = place_column(&f, "rack", 1),
            emb = place_column(&f, "embodied_g_per_h", 1);
    int64_t cap = place_column(&f, "cap_w", 1);
    while (place_next(&f)) {
        grow_servers(d);
        size_t i = d->classes++;
        d->type[i] = place_intern(types, place_text(&f, name), 1);
        d->count[i] = place_whole(&f, count, 1);
        d->region[i] = place_region(&f, region, regions, 0);
        const char *r = place_text(&f, rack);
        d->rack[i] = *r ? place_intern(racks, r, 1) : -1;
        d->capacity[3 * i] = place_number(&f, cores, NAN);
        d->capacity[3 * i + 1] = place_number(&f, mem, mem < 0 ? 1e12 : NAN);
        d->capacity[3 * i + 2] = place_number(&f, gpus, 0);
        d->watt[3 * i] = place_number(&f, wc, NAN);
        d->watt[3 * i + 1] = 0;
        d->watt[3 * i + 2] = place_number(&f, wg, 0);
        d->idle[i] = place_number(&f, idle, NAN);
        d->startup[i] = place_number(&f, startup, 0);
        d->embodied[i] = place_number(&f, emb, 0);
        d->server_cap[i] = place_number(&f, cap, INFINITY);
    }
}

static void grow_jobs(place_data *d)
{
    if (d->jobs < d->job_cap) return;
    size_t n = d->job_cap = d->job_cap ? d->job_cap + d->job_cap / 2 : 1024;
    int64_t **wide[] = {&d->release, &d->deadline, &d->duration, &d->units, &d->home, &d->spread, &d->wants};
    int32_t **flags[] = {&d->kind, &d->preemptible, &d->movable};
    for (size_t i = 0; i < 7; i++) *wide[i] = place_grow(*wide[i], n, 8);
    for (size_t i = 0; i < 3; i++) *flags[i] = place_grow(*flags[i], n, 4);
    d->penalty = place_grow(d->penalty, n, 8);
    d->demand = place_grow(d->demand, n, PLACE_RESOURCES * 8);
}

static void load_jobs(bench *b, const char *dir, place_data *d, place_names *regions, place_names *types,
                      place_names *services)
{
    place_file f;
    place_open(b, dir, "jobs.csv", 0, &f);
    int64_t job = place_column(&f, "job", 0), kind = place_column(&f, "kind", 1), count = place_column(&f, "count", 1);
    int64_t cores = place_column(&f, "cpu_cores", 0), mem = place_column(&f, "memory_gib", 1),
            gpus = place_column(&f, "gpus", 1);
    int64_t rel = place_column(&f, "release_slot", 1), dl = place_column(&f, "deadline_slot", 1),
            dur = place_column(&f, "duration_slots", 1);
    int64_t pre = place_column(&f, "preemptible", 1), region = place_column(&f, "region", 1),
            mov = place_column(&f, "movable", 1);
    int64_t pen = place_column(&f, "miss_penalty_g", 1), spread = place_column(&f, "max_per_server", 1),
            cls = place_column(&f, "server_class", 1);
    while (place_next(&f)) {
        grow_jobs(d);
        size_t i = d->jobs++;
        const char *k = place_text(&f, kind), *c = place_text(&f, cls);
        d->kind[i] = strcmp(k, "LC") == 0 || strcmp(k, "service") == 0;
        d->units[i] = place_whole(&f, count, 1);
        d->total_units += d->units[i];
        d->demand[3 * i] = place_number(&f, cores, NAN);
        d->demand[3 * i + 1] = place_number(&f, mem, 0);
        d->demand[3 * i + 2] = place_number(&f, gpus, 0);
        d->release[i] = place_whole(&f, rel, 0);
        d->deadline[i] = place_whole(&f, dl, (int64_t)d->slots);
        d->duration[i] = place_whole(&f, dur, 1);
        d->preemptible[i] = place_number(&f, pre, 0) != 0;
        d->home[i] = place_region(&f, region, regions, -1);
        d->movable[i] = place_number(&f, mov, 0) != 0;
        d->penalty[i] = place_number(&f, pen, INFINITY);
        d->spread[i] = place_whole(&f, spread, 0);
        d->wants[i] = *c ? place_intern(types, c, 0) : -1;
        if (*c && d->wants[i] < 0) bench_die(2, "%s: server_class \"%s\" is not in servers.csv", f.path, c);
        if (d->kind[i]) {
            if (place_intern(services, place_text(&f, job), 0) >= 0)
                bench_die(2, "%s: job \"%s\" twice", f.path, place_text(&f, job));
            place_intern(services, place_text(&f, job), 1);
        }
    }
}

static void load_loads(bench *b, const char *dir, place_data *d, place_names *services)
{
    place_file f;
    int64_t *row_of = bench_alloc(services->n + 1, sizeof *row_of);
    for (size_t i = 0, s = 0; i < d->jobs; i++) {
        if (d->kind[i]) row_of[s++] = (int64_t)i;
    }
    if (place_open(b, dir, "load.csv", 1, &f)) {
        int64_t slot = place_column(&f, "slot", 0), job = place_column(&f, "job", 0),
                count = place_column(&f, "count", 0);
        while (place_next(&f)) {
            if (d->loads == d->load_cap) {
                d->load_cap = d->load_cap ? 2 * d->load_cap : 1024;
                d->load_row = place_grow(d->load_row, d->load_cap, 8);
                d->load_slot = place_grow(d->load_slot, d->load_cap, 8);
                d->load_count = place_grow(d->load_count, d->load_cap, 8);
            }
            int64_t s = place_intern(services, place_text(&f, job), 0);
            if (s < 0)
                bench_die(2, "%s:%llu: job \"%s\" is no service of jobs.csv", f.path,
                          (unsigned long long)ctw_csv_line(f.csv), place_text(&f, job));
            d->load_row[d->loads] = row_of[s];
            d->load_slot[d->loads] = place_whole(&f, slot, -1);
            d->load_count[d->loads++] = place_whole(&f, count, 0);
        }
    }
    free(row_of);
}

static void load_horizon(bench *b, const char *dir, place_data *d)
{
    place_file f;
    d->slot_s = 3600;
    d->cap_w = INFINITY;
    strcpy(d->reserve, "none");
    if (!place_open(b, dir, "horizon.csv", 1, &f)) return;
    int64_t slot = place_column(&f, "slot_seconds", 1), thr = place_column(&f, "throughput_min", 1),
            cap = place_column(&f, "cap_w", 1);
    int64_t res = place_column(&f, "reserve", 1), tail = place_column(&f, "tail", 1);
    while (place_next(&f)) {
        const char *r = place_text(&f, res);
        d->slot_s = place_number(&f, slot, 3600);
        d->throughput_min = place_number(&f, thr, 0);
        d->cap_w = place_number(&f, cap, INFINITY);
        d->tail = place_number(&f, tail, 0);
        if (*r && strlen(r) < sizeof d->reserve) strcpy(d->reserve, r);
    }
}

place_data *place_data_load(bench *b, const char *dir)
{
    place_data *d = bench_alloc(1, sizeof *d);
    place_names regions = {0}, types = {0}, services = {0}, racks = {0};
    load_carbon(b, dir, d, &regions);
    load_servers(b, dir, d, &regions, &types, &racks);
    load_jobs(b, dir, d, &regions, &types, &services);
    load_loads(b, dir, d, &services);
    load_horizon(b, dir, d);
    place_energy_load(b, dir, d, &regions, &racks);
    place_names_free(&racks);
    place_names_free(&regions);
    place_names_free(&types);
    place_names_free(&services);
    return d;
}

void place_data_free(place_data *d)
{
    void *all[] = {d->count,   d->region,   d->type,       d->rack,       d->capacity, d->watt,        d->idle,
                   d->startup, d->embodied, d->server_cap, d->demand,     d->release,  d->deadline,    d->duration,
                   d->units,   d->home,     d->spread,     d->wants,      d->kind,     d->preemptible, d->movable,
                   d->penalty, d->load_row, d->load_slot,  d->load_count, d->carbon};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    place_energy_free(d);
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
    place_energy_set(d, p);
    return p;
}
