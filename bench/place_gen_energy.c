/* place_gen_energy.c: a sun whose clouds come and go, a store of so many hours of it, and scenarios of the intensities
 * whose errors grow with the horizon and last (a random walk that forgets), like those of a forecast. */
#include "place_gen_energy.h"
#include <math.h>
#include <stdio.h>

static double uniform(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *s)
{
    double u = 1 - uniform(s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * uniform(s));
}

static FILE *create(const place_site *p, const char *name, const char *header)
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

/* Returns the mean by region in mean[]. */
static void write_supply(const place_site *p, double noon, uint64_t *s, double *mean)
{
    FILE *f = create(p, "supply.csv", "slot,region,watts");
    for (int r = 0; r < p->regions; r++) {
        double cloud = 0;
        for (int t = 0; t < p->slots; t++) {
            double h = fmod(t * 24.0 / p->slots + (p->regions > 1 ? 8.0 * r / (p->regions - 1) : 0), 24);
            cloud = 0.8 * cloud + 0.15 * normal(s);
            double w = noon * p->full[r] * fmax(0, cos((h - 13) / 14 * 3.141592653589793)) * fmin(1, exp(-fabs(cloud)));
            w = fabs(h - 13) < 7 ? round(w) : 0;
            mean[r] += w / p->slots;
            fprintf(f, "%d,%d,%g\n", t, r, w);
        }
    }
    close_file(f, "supply.csv");
}

static void write_storage(const place_site *p, double hours, const double *mean)
{
    FILE *f = create(p, "storage.csv", "region,capacity_wh,power_w,efficiency,wear_g_per_kwh,start_wh,end_wh");
    for (int r = 0; r < p->regions; r++) {
        double w = mean[r] > 0 ? mean[r] : 0.1 * p->full[r], capacity = round(w * hours);
        fprintf(f, "%d,%g,%g,0.9,15,%g,%g\n", r, capacity, round(capacity / 4), round(capacity / 2),
                round(capacity / 2));
    }
    close_file(f, "storage.csv");
}

static void write_scenarios(const place_site *p, int n, uint64_t *s)
{
    FILE *f = create(p, "scenarios.csv", "scenario,slot,region,g_per_kwh");
    for (int q = 0; q < n; q++) {
        for (int r = 0; r < p->regions; r++) {
            double error = 0;
            for (int t = 0; t < p->slots; t++) {
                error = 0.9 * error + 0.06 * normal(s);
                fprintf(f, "%d,%d,%d,%.3f\n", q, t, r, p->carbon[r * p->slots + t] * exp(error));
            }
        }
    }
    close_file(f, "scenarios.csv");
}

void place_generate_energy(const place_site *p, const place_extras *x)
{
    double mean[64] = {0};
    uint64_t s = p->seed ^ 0x5851F42D4C957F2Du;
    if (x->supply > 0) write_supply(p, x->supply, &s, mean);
    if (x->storage > 0) write_storage(p, x->storage, mean);
    if (x->scenarios > 0) write_scenarios(p, x->scenarios, &s);
}
