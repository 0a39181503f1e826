/* place_data.h: a placement instance as `ctw-bench place` reads and writes it: a folder with servers.csv,
 * jobs.csv, carbon.csv and, where given, load.csv, horizon.csv, racks.csv, supply.csv, storage.csv and scenarios.csv
 * (columns in doc/place.md). */
#ifndef CTW_BENCH_PLACE_DATA_H
#define CTW_BENCH_PLACE_DATA_H

#include "bench.h"

enum { PLACE_RESOURCES = 3 }; /* cores, GiB, GPUs */

typedef struct place_data {
    /* servers.csv */
    size_t classes, class_cap;
    int64_t *count, *region, *type, *rack;
    double *capacity, *watt; /* classes x 3 */
    double *idle, *startup, *embodied, *server_cap;
    /* jobs.csv */
    size_t jobs, job_cap;
    int64_t total_units;
    double *demand; /* jobs x 3 */
    int64_t *release, *deadline, *duration, *units, *home, *spread, *wants;
    int32_t *kind, *preemptible, *movable;
    double *penalty;
    /* load.csv */
    size_t loads, load_cap;
    int64_t *load_row, *load_slot, *load_count;
    /* carbon.csv: regions x slots */
    size_t regions, slots;
    double *carbon;
    /* horizon.csv */
    double slot_s, throughput_min, cap_w, tail;
    char reserve[16];
    /* racks.csv, supply.csv, storage.csv, scenarios.csv; NULL or 0 without them */
    size_t racks, scenarios;
    int64_t *rack_id;
    double *rack_cap, *supply, *storage /* 6 rows of regions */, *scenario, *probability;
} place_data;

/* Exits 2 naming file and line on bad data. */
place_data *place_data_load(bench *b, const char *dir);
void place_data_free(place_data *d);
/* Gives the job columns back once the problem has its copy. */
void place_data_drop_jobs(place_data *d);
/* A handle filled with the instance; params may be NULL. */
ctw_place *place_data_problem(bench *b, const place_data *d, const char *mode, double gap);

/* What place_gen_energy.c adds to an instance; all 0: nothing. */
typedef struct place_extras {
    double cap;      /* cap of a region, in shares of what all its servers draw at most */
    double rack_cap; /* racks of 20 servers, with a cap in shares of what they draw at most */
    double supply;   /* sun: noon's, in shares of what all servers draw at most */
    double storage;  /* hours of the region's mean supply (a tenth of the draw without) that a store holds */
    int scenarios;   /* so many scenarios of the intensities */
    double tail;     /* the share of them that does not count */
} place_extras;

/* place_gen.c: writes an instance drawn from "S,LC,BE,T,R,SEED", with `classes` >= 3 server classes a region. */
void place_generate(const char *spec, const char *dir, double startup_wh, int classes, const place_extras *extras);

#endif
