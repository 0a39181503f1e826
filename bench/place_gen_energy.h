/* place_gen_energy.h: power of a generated instance beyond its servers. */
#ifndef CTW_BENCH_PLACE_GEN_ENERGY_H
#define CTW_BENCH_PLACE_GEN_ENERGY_H

#include "place_data.h"

typedef struct place_site {
    const char *dir;
    int regions, slots;
    double *full;   /* regions: W that all its servers draw at most */
    double *carbon; /* regions x slots */
    uint64_t seed;
} place_site;

/* Writes supply.csv, storage.csv and scenarios.csv, as the extras say. */
void place_generate_energy(const place_site *site, const place_extras *extras);

#endif
