/* place_cases.c: see place_cases.h. */
#include "place_cases.h"
#include <math.h>
#include <string.h>

enum { MAX_NODES = 16, MAX_JOBS = 64, MAX_SLOTS = 48, MAX_REGIONS = 4 };

static uint64_t next(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int64_t below(uint64_t *s, int64_t n)
{
    return n > 0 ? (int64_t)(next(s) % (uint64_t)n) : 0;
}

/* Every other rack, from barely one server's idle power to more than all can draw; one of them does not exist. */
static ctw_status set_rack_caps(ctw_place *p, const place_case *c, const double *idle)
{
    double cap[MAX_NODES];
    int64_t id[MAX_NODES];
    uint64_t n = 0;
    for (int64_t i = c->nodes; i-- > 0;) {
        if (i % 2) continue;
        id[n] = i / 2;
        cap[n++] = i % 4 ? INFINITY : idle[i] * (1.2 + 0.7 * (double)((c->seed + (uint64_t)i) % 5));
    }
    return ctw_place_set_rack_caps(p, id, cap, n);
}

static ctw_status set_nodes(ctw_place *p, const place_case *c, uint64_t *s)
{
    double cap[MAX_NODES * 2], idle[MAX_NODES], watt[MAX_NODES * 2], startup[MAX_NODES], limit[MAX_NODES];
    int64_t region[MAX_NODES], type[MAX_NODES], count[MAX_NODES], rack[MAX_NODES];
    for (int64_t i = 0; i < c->nodes; i++) {
        int64_t kind = below(s, 3);
        cap[2 * i] = (double)(8 << kind);
        cap[2 * i + 1] = (double)(32 << kind);
        idle[i] = 40 + 30 * (double)kind;
        watt[2 * i] = 5 - (double)kind;
        watt[2 * i + 1] = 0;
        startup[i] = (double)below(s, 20);
        limit[i] = below(s, 3) ? INFINITY : idle[i] + 0.6 * cap[2 * i] * watt[2 * i];
        region[i] = below(s, c->regions);
        type[i] = kind;
        rack[i] = i / 2 - (i % 5 == 0);
        count[i] = 1 + below(s, 2);
    }
    uint64_t n = (uint64_t)c->nodes;
    ctw_status e = ctw_place_set_nodes(p, NULL, n, cap, 2, 2);
    if (!e) e = ctw_place_set_node_counts(p, count, n);
    if (!e) e = ctw_place_set_node_regions(p, region, n);
    if (!e) e = ctw_place_set_node_power(p, idle, watt, n, 2);
    if (!e && c->startup) e = ctw_place_set_node_startup(p, startup, n);
    if (!e && c->caps) e = ctw_place_set_node_caps(p, limit, n);
    if (!e && c->types) e = ctw_place_set_node_types(p, type, n);
    if (!e && (c->reserve || c->racks)) e = ctw_place_set_node_racks(p, rack, n);
    if (!e && c->racks) e = set_rack_caps(p, c, idle);
    return e;
}

static ctw_status set_jobs(ctw_place *p, const place_case *c, uint64_t *s)
{
    double demand[MAX_JOBS * 2], penalty[MAX_JOBS];
    int64_t release[MAX_JOBS], deadline[MAX_JOBS], duration[MAX_JOBS], region[MAX_JOBS], spread[MAX_JOBS],
        type[MAX_JOBS], count[MAX_JOBS];
    int32_t kind[MAX_JOBS], pre[MAX_JOBS], movable[MAX_JOBS];
    for (int64_t i = 0; i < c->jobs; i++) {
        demand[2 * i] = (double)(1 << below(s, 4));
        demand[2 * i + 1] = demand[2 * i] * (double)(1 + below(s, 5));
        duration[i] = 1 + below(s, c->slots < 5 ? c->slots : 5);
        release[i] = below(s, c->slots - duration[i] + 1);
        deadline[i] = release[i] + duration[i] + below(s, c->slots - release[i] - duration[i] + 1);
        penalty[i] = below(s, 4) ? INFINITY : (double)below(s, 200);
        region[i] = below(s, c->regions + 1) - 1;
        spread[i] = below(s, 3);
        type[i] = below(s, 4) - 1;
        count[i] = 1 + below(s, 3);
        kind[i] = c->services && below(s, 3) == 0;
        pre[i] = (int32_t)below(s, 2);
        movable[i] = (int32_t)below(s, 2);
    }
    uint64_t n = (uint64_t)c->jobs;
    ctw_status e = ctw_place_set_jobs(p, NULL, n, demand, 2, 2, release, deadline, duration);
    if (!e) e = ctw_place_set_job_kinds(p, kind, n);
    if (!e) e = ctw_place_set_job_counts(p, count, n);
    if (!e) e = ctw_place_set_job_preemptible(p, pre, n);
    if (!e) e = ctw_place_set_job_regions(p, region, movable, n);
    if (!e) e = ctw_place_set_job_penalties(p, penalty, n);
    if (!e && c->spread) e = ctw_place_set_job_spread(p, spread, n);
    if (!e && c->types) e = ctw_place_set_job_types(p, type, n);
    return e;
}

/* Moves cost energy, and every unit may run somewhere already. */
static ctw_status set_moves(ctw_place *p, const place_case *c, uint64_t *s)
{
    double wh[MAX_JOBS];
    int64_t row[MAX_JOBS], unit[MAX_JOBS], node[MAX_JOBS], server[MAX_JOBS];
    uint64_t runs = 0;
    for (int64_t i = 0; i < c->jobs; i++) {
        wh[i] = (double)below(s, 30);
        if (c->nodes == 0 || below(s, 2)) continue;
        row[runs] = i;
        unit[runs] = 0;
        node[runs] = below(s, c->nodes);
        server[runs++] = below(s, 2);
    }
    ctw_status e = ctw_place_set_job_migration(p, wh, (uint64_t)c->jobs);
    return e ? e : ctw_place_set_running(p, row, unit, node, server, runs);
}

/* Supply for some slots, and stores of all kinds: none, full, lossy, worn. */
static ctw_status set_on_site(ctw_place *p, const place_case *c, uint64_t *s)
{
    double watts[MAX_REGIONS * MAX_SLOTS], capacity[MAX_REGIONS], power[MAX_REGIONS], efficiency[MAX_REGIONS],
        wear[MAX_REGIONS], start[MAX_REGIONS], end[MAX_REGIONS];
    for (int64_t i = 0; i < c->regions * c->slots; i++) watts[i] = below(s, 2) ? 0 : (double)below(s, 300);
    for (int64_t g = 0; g < c->regions; g++) {
        capacity[g] = below(s, 3) ? (double)(50 + below(s, 400)) : 0;
        power[g] = (double)(20 + below(s, 150));
        efficiency[g] = below(s, 2) ? 1 : 0.8;
        wear[g] = below(s, 2) ? 0 : (double)below(s, 60);
        start[g] = capacity[g] * (double)below(s, 3) / 2;
        end[g] = below(s, 2) ? start[g] : 0;
    }
    ctw_status e = ctw_place_set_supply(p, watts, (uint64_t)c->regions, (uint64_t)c->slots, (uint64_t)c->slots);
    if (e || c->on_site == 1) return e;
    return ctw_place_set_storage(p, capacity, power, efficiency, wear, start, end, (uint64_t)c->regions);
}

/* The intensities and others, more or less likely. */
static ctw_status set_scenarios(ctw_place *p, const place_case *c, const double *ci, uint64_t *s)
{
    static double all[8 * MAX_REGIONS * MAX_SLOTS];
    double probability[8], sum = 0;
    int64_t n = c->regions * c->slots;
    for (int64_t q = 0; q < c->scenarios; q++) {
        for (int64_t i = 0; i < n; i++) all[q * n + i] = q ? ci[i] * (0.5 + (double)below(s, 11) / 10) : ci[i];
        sum += probability[q] = 1 + (double)below(s, 4);
    }
    for (int64_t q = 0; q < c->scenarios; q++) probability[q] /= sum;
    return ctw_place_set_carbon_scenarios(p, all, (uint64_t)c->scenarios, (uint64_t)c->regions, (uint64_t)c->slots,
                                          probability, c->scenarios % 2 ? 0 : 0.6);
}

place_case place_case_from_bytes(const uint8_t *data)
{
    static const char *const modes[] = {"auto", "greedy", "exact", "decompose"};
    place_case c = {.seed = data[0] + 256u * data[1],
                    .nodes = data[2] % 17,
                    .jobs = data[3] % 65,
                    .slots = 1 + data[4] % 48,
                    .regions = 1 + data[5] % 4};
    c.services = data[6] & 1;
    c.caps = data[6] >> 1 & 1;
    c.spread = data[6] >> 2 & 1;
    c.startup = data[6] >> 3 & 1;
    c.types = data[6] >> 4 & 1;
    c.throughput = data[6] >> 5 & 1;
    c.sticky = data[6] >> 6 & 1;
    c.reserve = data[6] >> 7 & 1;
    c.mode = modes[data[7] & 3];
    return c;
}

ctw_place *place_case_build(ctw_ctx *ctx, const place_case *c, ctw_status *status)
{
    ctw_params *opt = NULL;
    ctw_place *p = NULL;
    uint64_t s = c->seed;
    double ci[MAX_REGIONS * MAX_SLOTS], caps[MAX_REGIONS];
    ctw_status e = ctw_params_new(ctx, "place", &opt);
    if (!e && c->mode) e = ctw_params_set_str(opt, "mode", c->mode);
    if (!e && c->throughput) e = ctw_params_set_f64(opt, "throughput_min", 0.5);
    if (!e && c->sticky) e = ctw_params_set_f64(opt, "max_migrations", 0.1);
    if (!e && c->reserve) e = ctw_params_set_str(opt, "reserve", c->seed & 1 ? "rack" : "server");
    if (!e && c->rounds) e = ctw_params_set_i64(opt, "max_rounds", c->rounds);
    if (!e && c->nodes_most) e = ctw_params_set_i64(opt, "max_nodes", c->nodes_most);
    if (!e) e = ctw_place_new(ctx, opt, &p);
    if (!e) e = set_nodes(p, c, &s);
    if (!e) e = set_jobs(p, c, &s);
    if (!e && c->sticky) e = set_moves(p, c, &s);
    for (int64_t i = 0; i < c->regions * c->slots; i++) ci[i] = 50 + (double)below(&s, 500);
    for (int64_t i = 0; i < c->regions; i++) caps[i] = below(&s, 2) ? INFINITY : 60.0 * (double)(c->nodes + 1);
    if (!e) e = ctw_place_set_carbon(p, ci, (uint64_t)c->regions, (uint64_t)c->slots, (uint64_t)c->slots);
    if (!e && c->caps) e = ctw_place_set_region_caps(p, caps, (uint64_t)c->regions);
    if (!e && c->scenarios) e = set_scenarios(p, c, ci, &s);
    if (!e && c->on_site) e = set_on_site(p, c, &s);
    ctw_params_unref(opt);
    *status = e;
    if (!e) return p;
    ctw_place_unref(p);
    return NULL;
}
