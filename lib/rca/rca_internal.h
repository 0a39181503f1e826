/* rca_internal.h: a localiser's parts, and how its files divide the work. */
#ifndef CTW_RCA_INTERNAL_H
#define CTW_RCA_INTERNAL_H

#include "rca/features.h"
#include "rca/rca_params.h"
#include <cybertwin/rca.h>
#include <cybertwin/svm.h>

#define CTW_RCA_MAGIC     CTW_FOUR('R', 'C', 'A', 'L')
#define CTW_RANKING_MAGIC CTW_FOUR('R', 'A', 'N', 'K')

/* Columns a classifier may use: every feature, and every feature relative to the window's other components. */
enum { CTW_RCA_COLUMNS = 2 * FEAT_COUNT };

/* Labelled rows, in the order they came. */
typedef struct ctw_rca__labelled {
    double *x; /* count rows of CTW_RCA_COLUMNS */
    size_t count, cap;
    int8_t *guilty;
    size_t guilty_cap;
    uint64_t *window; /* which labelled window a row belongs to */
    size_t window_cap;
    uint64_t next_window;
    uint64_t left; /* rows that max_rows has driven out so far */
} ctw_rca__labelled;

/* A fitted linear score over the selected columns: sum of weight * (x - mean) * scale, plus bias. */
typedef struct ctw_rca__linear {
    int fitted;
    double mean[CTW_RCA_COLUMNS], scale[CTW_RCA_COLUMNS], weight[CTW_RCA_COLUMNS], bias;
} ctw_rca__linear;

struct ctw_rca {
    ctw_base__handle h;
    ctw_params *params;
    ctw_rca__names names;
    ctw_rca__reference ref;
    int selected[CTW_RCA_COLUMNS]; /* columns of the classifier */
    size_t selected_count;
    ctw_rca__labelled data;
    ctw_rca__linear svm;
    /* The machine behind svm, which updates go on from; NULL when it was not fitted here. It has learned the rows up to
     * number `learned`, counted from the first that ever came. */
    ctw_svm *live;
    uint64_t learned;
    double c, threshold, rivalry;
    int forgive;
    size_t max_rows;
};

/* "RI,z:lx_excl" to columns. CTW_E_KEY with the nearest name. */
ctw_status ctw_rca__select(ctw_rca *m, const char *list, const char *fn);
/* Column of a feature's name, "z:" before it for the relative one. CTW_E_KEY. */
ctw_status ctw_rca__column_named(const char *text, size_t len, int *column, const char *fn);
/* All columns of the rows of one window, row by row. CTW_E_NOMEM. */
ctw_status ctw_rca__columns(ctw_ctx *ctx, const ctw_rca__row *rows, size_t n, double **x);
/* Score of one row of columns by the classifier, or without one; contribution[] (may be NULL) gets a summand a
 * column. 0 or more is guilty. */
double ctw_rca__score(const ctw_rca *m, const double *x, double *contribution);
/* A window's components ranked, or labelled and added; the window has calls. */
ctw_status ctw_rca__rank_window(const ctw_rca *m, const ctw_rca__window *w, ctw_ranking **out, const char *fn);
ctw_status ctw_rca__add_case_window(ctw_rca *m, const ctw_rca__window *w, const char *const *culprit,
                                    uint64_t n_culprits, const char *fn);
/* Room for n more labelled rows; whole old windows leave when max_rows would be passed. */
ctw_status ctw_rca__rows_room(ctw_rca *m, size_t n, const char *fn);
/* Trains m->svm on m->data; or goes on from m->live. */
ctw_status ctw_rca__train(ctw_rca *m, ctw_cancel *cancel, const char *fn);
ctw_status ctw_rca__go_on(ctw_rca *m, ctw_cancel *cancel, const char *fn);
/* A new ranking of rows with their columns. */
ctw_status ctw_rca__ranking_new(const ctw_rca *m, const ctw_rca__row *rows, const double *x, size_t n,
                                ctw_ranking **out);

#endif
