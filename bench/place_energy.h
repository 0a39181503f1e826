/* place_energy.h: the optional files of an instance that say more about power. */
#ifndef CTW_BENCH_PLACE_ENERGY_H
#define CTW_BENCH_PLACE_ENERGY_H

#include "place_csv.h"
#include "place_data.h"

/* racks.csv, supply.csv, storage.csv and scenarios.csv, where they are there. Racks are named as in servers.csv. */
void place_energy_load(bench *b, const char *dir, place_data *d, place_names *regions, place_names *racks);
void place_energy_free(place_data *d);
/* Gives them to the problem. */
void place_energy_set(const place_data *d, ctw_place *p);

#endif
