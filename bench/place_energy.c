/* place_energy.c: see place_energy.h. racks.csv: rack,cap_w; supply.csv: slot,region,watts; storage.csv:
 * region,capacity_wh,power_w,efficiency,wear_g_per_kwh,start_wh,end_wh; scenarios.csv:
 * scenario,slot,region,g_per_kwh,probability (the last one may be missing: equal). */
#include "place_energy.h"
#include <math.h>
#include <stdlib.h>

static void load_racks(bench *b, const char *dir, place_data *d, place_names *racks)
{
    place_file f;
    if (!place_open(b, dir, "racks.csv", 1, &f)) return;
    int64_t rack = place_column(&f, "rack", 0), cap = place_column(&f, "cap_w", 0);
    while (place_next(&f)) {
        size_t i = d->racks++;
        d->rack_id = place_grow(d->rack_id, d->racks, sizeof(int64_t));
        d->rack_cap = place_grow(d->rack_cap, d->racks, sizeof(double));
        d->rack_id[i] = place_intern(racks, place_text(&f, rack), 1);
        d->rack_cap[i] = place_number(&f, cap, INFINITY);
    }
}

/* The cell of the row's slot and region; ends the program when there is no such. */
static size_t cell_of(place_file *f, const place_data *d, int64_t slot, int64_t region, place_names *regions)
{
    int64_t t = place_whole(f, slot, -1), g = place_region(f, region, regions, 0);
    if (t < 0 || (size_t)t >= d->slots) bench_die(2, "%s: slot %lld is not in carbon.csv", f->path, (long long)t);
    return (size_t)g * d->slots + (size_t)t;
}

static void load_supply(bench *b, const char *dir, place_data *d, place_names *regions)
{
    place_file f;
    if (!place_open(b, dir, "supply.csv", 1, &f)) return;
    int64_t slot = place_column(&f, "slot", 0), region = place_column(&f, "region", 1),
            watts = place_column(&f, "watts", 0);
    d->supply = bench_alloc(d->regions * d->slots + 1, sizeof(double));
    while (place_next(&f)) d->supply[cell_of(&f, d, slot, region, regions)] = place_number(&f, watts, 0);
}

static void load_storage(bench *b, const char *dir, place_data *d, place_names *regions)
{
    static const char *const names[] = {"capacity_wh", "power_w", "efficiency", "wear_g_per_kwh", "start_wh", "end_wh"};
    place_file f;
    int64_t col[6];
    if (!place_open(b, dir, "storage.csv", 1, &f)) return;
    int64_t region = place_column(&f, "region", 1);
    for (int i = 0; i < 6; i++) col[i] = place_column(&f, names[i], i > 1);
    d->storage = bench_alloc(6 * d->regions, sizeof(double));
    for (size_t g = 0; g < d->regions; g++) d->storage[2 * d->regions + g] = 1;
    while (place_next(&f)) {
        size_t g = (size_t)place_region(&f, region, regions, 0);
        for (size_t i = 0; i < 6; i++) {
            double none = i == 2 ? 1 : i == 5 ? d->storage[4 * d->regions + g] : 0;
            d->storage[i * d->regions + g] = place_number(&f, col[i], none);
        }
    }
}

static void load_scenarios(bench *b, const char *dir, place_data *d, place_names *regions)
{
    place_file f;
    place_names names = {0};
    size_t n = d->regions * d->slots;
    if (!place_open(b, dir, "scenarios.csv", 1, &f)) return;
    int64_t scenario = place_column(&f, "scenario", 0), slot = place_column(&f, "slot", 0),
            region = place_column(&f, "region", 1), gram = place_column(&f, "g_per_kwh", 0),
            probability = place_column(&f, "probability", 1);
    while (place_next(&f)) {
        size_t q = (size_t)place_intern(&names, place_text(&f, scenario), 1);
        if (q == d->scenarios) {
            d->scenarios++;
            d->scenario = place_grow(d->scenario, d->scenarios * n, sizeof(double));
            d->probability = place_grow(d->probability, d->scenarios, sizeof(double));
            for (size_t i = 0; i < n; i++) d->scenario[q * n + i] = d->carbon[i];
        }
        d->scenario[q * n + cell_of(&f, d, slot, region, regions)] = place_number(&f, gram, NAN);
        d->probability[q] = place_number(&f, probability, NAN);
    }
    for (size_t q = 0; q < d->scenarios; q++) {
        if (isnan(d->probability[q])) d->probability[q] = 1.0 / (double)d->scenarios;
    }
    place_names_free(&names);
}

void place_energy_load(bench *b, const char *dir, place_data *d, place_names *regions, place_names *racks)
{
    load_racks(b, dir, d, racks);
    load_supply(b, dir, d, regions);
    load_storage(b, dir, d, regions);
    load_scenarios(b, dir, d, regions);
}

void place_energy_free(place_data *d)
{
    void *all[] = {d->rack_id, d->rack_cap, d->supply, d->storage, d->scenario, d->probability};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

void place_energy_set(const place_data *d, ctw_place *p)
{
    const double *s = d->storage;
    size_t g = d->regions;
    if (d->scenarios) {
        bench_ok(
            ctw_place_set_carbon_scenarios(p, d->scenario, d->scenarios, d->regions, d->slots, d->probability, d->tail),
            "scenarios.csv");
    }
    if (d->racks) bench_ok(ctw_place_set_rack_caps(p, d->rack_id, d->rack_cap, d->racks), "racks.csv");
    if (d->supply) bench_ok(ctw_place_set_supply(p, d->supply, d->regions, d->slots, d->slots), "supply.csv");
    if (s) {
        bench_ok(ctw_place_set_storage(p, s, s + g, s + 2 * g, s + 3 * g, s + 4 * g, s + 5 * g, d->regions),
                 "storage.csv");
    }
}
