/* lengths_internal.h: the length predictor's handle, shared by the files that implement its verbs. */
#ifndef CTW_QUEUE_LENGTHS_INTERNAL_H
#define CTW_QUEUE_LENGTHS_INTERNAL_H

#include "base/handle.h"
#include "queue/spread.h"
#include "queue/text.h"
#include "queue/weights.h"
#include <cybertwin/lengths.h>

#define CTW_LENGTHS_MAGIC      CTW_FOUR('L', 'E', 'N', 'G')
#define CTW_LENGTHS_MAX_MODELS 16u

/* What one served model adds to the shared features. */
typedef struct ctw_lengths__head {
    ctw_queue__bucket *table; /* for 2^bits weights */
    double unit, bias, dense[CTW_TEXT_DENSE];
    ctw_queue__spread spread;
    double shift; /* added to log(1 + tokens), from observed misses */
    double shift_n;
    /* how it was fitted */
    double ridge, rows, tau, rmse;
} ctw_lengths__head;

/* One remembered request. */
typedef struct ctw_lengths__memo {
    uint32_t *feature; /* NULL: free */
    uint32_t n;
    uint32_t model;
    double target; /* log(1 + tokens) */
    float dense[CTW_TEXT_DENSE];
} ctw_lengths__memo;

struct ctw_lengths {
    ctw_base__handle h;
    ctw_params *params; /* stored with the model */
    int64_t models, samples, bits, folds, memory;
    size_t byte_cap;
    double ridge;
    int fitted;
    ctw_lengths__head *head; /* models */
    ctw_lengths__head *base; /* as the last batch fit left them, NULL when there was none */
    ctw_lengths__memo *memo; /* ring of `memory`, NULL until the first observation */
    size_t memo_next, memo_n;
};

/* Frees K heads. */
void ctw_lengths__heads_free(ctw_ctx *ctx, ctw_lengths__head *head, int64_t models);
/* K zeroed heads with their weights; NULL when out of memory. */
ctw_lengths__head *ctw_lengths__heads_new(ctw_ctx *ctx, int64_t models, int64_t bits);
/* A handle with its options read but no heads. */
ctw_status ctw_lengths__create(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_lengths **out);

/* Makes the current heads the base of later updates. */
ctw_status ctw_lengths__rebase(ctw_lengths *l);

/* Score of n features and the dense facts under a head. */
double ctw_lengths__score(const ctw_lengths__head *m, const uint32_t *feature, uint32_t n, const float *dense,
                          int64_t bits);

/* Rows to learn one head from. */
typedef struct ctw_lengths__rows {
    size_t n, samples;
    size_t *start;     /* n + 1 */
    uint32_t *feature; /* start[n] */
    float *dense;      /* n x CTW_TEXT_DENSE */
    double *prior;     /* score under the base head, NULL without one */
    double *value;     /* n x samples, log(1 + tokens), NaN where unknown */
} ctw_lengths__rows;

/* Learns a head; *m is changed only on success, and then its old weights are kept in place of the new. `base` is the
 * head that `prior` came from. */
ctw_status ctw_lengths__learn(ctw_lengths *l, const ctw_lengths__rows *rows, const ctw_lengths__head *base,
                              ctw_lengths__head *m, const ctw_cancel *cancel, const char *fn);

#endif
