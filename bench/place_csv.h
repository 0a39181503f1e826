/* place_csv.h: reading instance files row by row; on bad data the program ends, naming file and line. */
#ifndef CTW_BENCH_PLACE_CSV_H
#define CTW_BENCH_PLACE_CSV_H

#include "bench.h"

typedef struct place_names {
    char **name;
    size_t *slot; /* index + 1, 0 empty */
    size_t n, cap;
} place_names;

typedef struct place_file {
    ctw_csv *csv;
    char path[1024];
} place_file;

/* Index of the name; -1 when it is new and `add` is 0. */
int64_t place_intern(place_names *s, const char *name, int add);
void place_names_free(place_names *s);
/* 0 when the file is optional and not there. */
int place_open(bench *b, const char *dir, const char *name, int optional, place_file *f);
/* Column index, -1 for an absent optional one. */
int64_t place_column(place_file *f, const char *name, int optional);
/* 0 at the end, the file is then closed. */
int place_next(place_file *f);
const char *place_text(place_file *f, int64_t col);
/* A number; `dflt` for an absent column or an empty field. */
double place_number(place_file *f, int64_t col, double dflt);
int64_t place_whole(place_file *f, int64_t col, int64_t dflt);
int64_t place_region(place_file *f, int64_t col, place_names *regions, int64_t empty);
/* realloc that exits 3. */
void *place_grow(void *p, size_t n, size_t size);

#endif
