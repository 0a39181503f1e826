/* place_data.h: a placement instance as `ctw-bench place` reads and writes it: a folder with servers.csv,
 * jobs.csv, carbon.csv and, where given, load.csv and horizon.csv (columns in doc/place.md). */
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
    double slot_s, throughput_min, cap_w;
    char reserve[16];
} place_data;

/* Exits 2 naming file and line on bad data. */
place_data *place_data_load(bench *b, const char *dir);
void place_data_free(place_data *d);
/* Gives the job columns back once the problem has its copy. */
void place_data_drop_jobs(place_data *d);
/* A handle filled with the instance; params may be NULL. */
ctw_place *place_data_problem(bench *b, const place_data *d, const char *mode, double gap);

/* place_gen.c: writes an instance drawn from "S,LC,BE,T,R,SEED", with `classes` >= 3 server classes a region. */
void place_generate(const char *spec, const char *dir, double startup_wh, int classes);

#endif
