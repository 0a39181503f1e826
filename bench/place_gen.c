/* place_gen.c: synthetic placement instances. Three server models per region (or more classes of them, with other
 * power draws), eighteen job sizes, services whose
 * replicas follow the time of day, batch jobs with log-normal durations (shorter beyond 20 jobs a server, to fit) and
 * windows of 1 to 4 times their length, half of them preemptible, a quarter movable between regions, and a daily carbon
 * curve per region. */
#include "place_data.h"
#include "place_gen_energy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct dice {
    uint64_t state;
} dice;

static uint64_t next(dice *g)
{
    uint64_t z = (g->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double uniform(dice *g)
{
    return (double)(next(g) >> 11) / 9007199254740992.0;
}

static int below(dice *g, int n)
{
    return n > 0 ? (int)(next(g) % (uint64_t)n) : 0;
}

static double normal(dice *g)
{
    double u = 1 - uniform(g);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * uniform(g));
}

static int pick(dice *g, const double *share, int n)
{
    double u = uniform(g);
    for (int i = 0; i < n - 1; i++) {
        if ((u -= share[i]) < 0) return i;
    }
    return n - 1;
}

typedef struct plan {
    int servers, services, batch, slots, regions, classes; /* classes: per region */
    dice g;
    double startup_wh, dirtiest;
    double *carbon, *full; /* regions x slots; regions: W that all servers draw at most */
    const place_extras *extras;
    FILE *racks; /* racks.csv, or NULL */
    int rack;
    const char *dir;
} plan;

static const double cores_of[] = {1, 2, 4, 8, 16, 24}, share_of[] = {.18, .25, .27, .18, .09, .03};
static const double gib_per_core[] = {2, 4, 8}, share_of_ratio[] = {.35, .45, .2};
static const double model[3][5] = {{32, 128, 90, 5.0, .40}, {64, 256, 140, 3.4, .35}, {96, 768, 230, 2.6, .25}};

static FILE *create(const plan *p, const char *name, const char *header)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    FILE *f = fopen(path, "wb");
    if (!f) bench_die(2, "cannot write %s", path);
    fprintf(f, "%s\n", header);
    return f;
}

static void close_file(FILE *f, const char *name)
{
    if (fclose(f)) bench_die(2, "cannot write %s", name);
}

static void write_carbon(plan *p)
{
    static const double base[] = {300, 180, 420, 250, 350};
    FILE *f = create(p, "carbon.csv", "slot,region,g_per_kwh");
    for (int r = 0; r < p->regions; r++) {
        for (int t = 0; t < p->slots; t++) {
            double h = t * 24.0 / p->slots + (p->regions > 1 ? 8.0 * r / (p->regions - 1) : 0),
                   m = (fmod(h, 24) - 13) / 3;
            double v =
                base[r % 5] + 110 * cos((h - 19) / 24 * 6.283185307179586) - 80 * exp(-m * m) + 18 * normal(&p->g);
            v = v < 30 ? 30 : round(v * 1000) / 1000;
            if (v > p->dirtiest) p->dirtiest = v;
            p->carbon[r * p->slots + t] = v;
            fprintf(f, "%d,%d,%.3f\n", t, r, v);
        }
    }
    close_file(f, "carbon.csv");
}

/* The k-th server class of a region: one of the three models, later generations with other power draws. */
static void write_class(plan *p, FILE *f, int k, int n, int region)
{
    const double *m = model[k % 3];
    double idle = m[2], watts = m[3];
    if (k >= 3) {
        idle = round(idle * (.8 + .4 * uniform(&p->g)) * 10) / 10;
        watts = round(watts * (.8 + .4 * uniform(&p->g)) * 1000) / 1000;
    }
    double full = idle + watts * m[0];
    p->full[region] += n * full;
    for (int left = n, here; left > 0; left -= here) {
        here = p->racks && left > 20 ? 20 : left;
        fprintf(f, "m%d,%d,%d,%g,%g,0,%g,%g,0,%g,", k, here, region, m[0], m[1], idle, watts, p->startup_wh);
        if (p->racks) {
            fprintf(f, "k%d", p->rack);
            fprintf(p->racks, "k%d,%.0f\n", p->rack++, p->extras->rack_cap * full * here);
        }
        fprintf(f, "\n");
    }
}

static void write_servers(plan *p)
{
    FILE *f = create(p, "servers.csv",
                     "class,count,region,cpu_cores,memory_gib,gpus,idle_w,w_per_core,w_per_gpu,startup_wh,rack");
    if (p->extras->rack_cap > 0) p->racks = create(p, "racks.csv", "rack,cap_w");
    for (int r = 0, left = p->servers; r < p->regions; r++) {
        int here = left / (p->regions - r), rest = here;
        left -= here;
        for (int k = 0; k < p->classes; k++) {
            double share = p->classes == 3 ? model[k][4] : 1.0 / p->classes;
            int n = k == p->classes - 1 ? rest : (int)floor(here * share + 0.5);
            if (n > rest) n = rest;
            rest -= n;
            write_class(p, f, k, n, r);
        }
    }
    if (p->racks) close_file(p->racks, "racks.csv");
    close_file(f, "servers.csv");
}

static double level(const plan *p, int region, int slot)
{
    double h = slot * 24.0 / p->slots + (p->regions > 1 ? 8.0 * region / (p->regions - 1) : 0);
    double v = .62 + .38 * sin((h - 9) / 24 * 6.283185307179586);
    return v < .3 ? .3 : v;
}

static void draw_size(plan *p, double *cores, double *gib)
{
    *cores = cores_of[pick(&p->g, share_of, 6)];
    *gib = fmin(*cores * gib_per_core[pick(&p->g, share_of_ratio, 3)], 120);
}

static void write_services(plan *p, FILE *jobs)
{
    FILE *load = create(p, "load.csv", "slot,job,count");
    int most = p->services / 20 < 3 ? 3 : p->services / 20 > 40 ? 40 : p->services / 20;
    for (int left = p->services, i = 0; left > 0; i++) {
        int n = 1 + below(&p->g, most), region = below(&p->g, p->regions);
        double cores, gib, *rank;
        draw_size(p, &cores, &gib);
        if (n > left) n = left;
        left -= n;
        rank = bench_alloc((size_t)n, sizeof *rank);
        for (int q = 0; q < n; q++) rank[q] = uniform(&p->g);
        fprintf(jobs, "s%d,LC,%d,%g,%g,0,,,,0,%d,0,,,,1\n", i, n, cores, gib, region);
        for (int t = 0; t < p->slots; t++) {
            int active = 0;
            for (int q = 0; q < n; q++) active += rank[q] <= level(p, region, t);
            fprintf(load, "%d,s%d,%d\n", t, i, active);
        }
        free(rank);
    }
    close_file(load, "load.csv");
}

static void write_batch(plan *p, FILE *jobs)
{
    static const double stretch[] = {1, 1.5, 2, 4}, share[] = {.15, .25, .3, .3};
    double hours = 24.0 / p->slots;
    for (int i = 0; i < p->batch; i++) {
        double cores, gib;
        draw_size(p, &cores, &gib);
        double s = stretch[pick(&p->g, share, 4)];
        int n = (int)floor(exp(log(p->slots / 6.0 * fmin(1, 20.0 * p->servers / p->batch)) + .7 * normal(&p->g)) + .5),
            T = p->slots;
        n = n < 1 ? 1 : n > T ? T : n;
        int from = (int)(uniform(&p->g) * T * .8);
        if (from > T - n) from = T - n;
        int to = (int)ceil(from + n * s + (s > 1 ? below(&p->g, T / 4) : 0));
        if (to > T) to = T;
        double penalty = 3 * p->dirtiest / 1000 * hours * cores * (5.0 + 90.0 / 32) * n;
        fprintf(jobs, "b%d,BE,1,%g,%g,0,%d,%d,%d,%d,%d,%d,%.3f,,,0\n", i, cores, gib, from, to, n, below(&p->g, 2),
                below(&p->g, p->regions), p->regions > 1 && below(&p->g, 4) == 0, penalty);
    }
}

static void write_horizon(const plan *p)
{
    double most = 0;
    for (int r = 0; r < p->regions; r++) most = fmax(most, p->full[r]);
    FILE *f = create(p, "horizon.csv", "slot_seconds,throughput_min,cap_w,reserve,tail");
    fprintf(f, "%g,0.9,", 86400.0 / p->slots);
    if (p->extras->cap > 0) fprintf(f, "%.0f", p->extras->cap * most);
    fprintf(f, ",none,%g\n", p->extras->tail);
    close_file(f, "horizon.csv");
}

void place_generate(const char *spec, const char *dir, double startup_wh, int classes, const place_extras *extras)
{
    plan p = {.startup_wh = startup_wh, .dir = dir, .classes = classes, .extras = extras};
    long long seed;
    char rest;
    if (sscanf(spec, "%d,%d,%d,%d,%d,%lld%c", &p.servers, &p.services, &p.batch, &p.slots, &p.regions, &seed, &rest) !=
            6 ||
        p.servers < 1 || p.services < 0 || p.batch < 0 || p.slots < 1 || p.slots > 100000 || p.regions < 1 ||
        p.regions > 64 || classes < 3) {
        bench_die(2, "--generate wants S,LC,BE,T,R,SEED, not \"%s\"", spec);
    }
    p.g.state = (uint64_t)seed * 0x9E3779B97F4A7C15u + 1;
    p.carbon = bench_alloc((size_t)p.regions * (size_t)p.slots, sizeof(double));
    p.full = bench_alloc((size_t)p.regions, sizeof(double));
    write_carbon(&p);
    write_servers(&p);
    FILE *jobs =
        create(&p, "jobs.csv",
               "job,kind,count,cpu_cores,memory_gib,gpus,release_slot,deadline_slot,duration_slots,preemptible,"
               "region,movable,miss_penalty_g,max_per_server,server_class,criticality");
    write_services(&p, jobs);
    write_batch(&p, jobs);
    close_file(jobs, "jobs.csv");
    write_horizon(&p);
    const place_site site = {dir, p.regions, p.slots, p.full, p.carbon, (uint64_t)seed};
    place_generate_energy(&site, extras);
    free(p.carbon);
    free(p.full);
}
