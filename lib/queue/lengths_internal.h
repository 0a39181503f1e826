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

/* What is learnt of a length. */
enum { CTW_LENGTHS_RANK, CTW_LENGTHS_LOG, CTW_LENGTHS_ORDINAL, CTW_LENGTHS_BINARY, CTW_LENGTHS_CLASSES };

/* The classes of SSJF: cut at these quantiles of the lengths learnt from. */
#define CTW_LENGTHS_EDGES 4u

/* What one served model adds to the shared features; with the head "classes" it is followed by one of these a class. */
typedef struct ctw_lengths__head {
    ctw_queue__bucket *table; /* for 2^bits weights */
    double unit, bias, dense[CTW_TEXT_DENSE];
    ctw_queue__spread spread;
    double shift; /* added to log(1 + tokens), from observed misses */
    double shift_n;
    double edge[CTW_LENGTHS_EDGES]; /* of the classes, log(1 + tokens) */
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
    int64_t planes; /* heads of one model */
    int kind;       /* what is learnt */
    size_t byte_cap;
    double ridge;
    int fitted;
    ctw_lengths__head *head; /* models x planes */
    ctw_lengths__head *base; /* as the last batch fit left them, NULL when there was none */
    ctw_lengths__memo *memo; /* ring of `memory`, NULL until the first observation */
    size_t memo_next, memo_n;
};

/* Head of a model to predict with; those of its classes follow. */
static inline ctw_lengths__head *ctw_lengths__of(const ctw_lengths *l, int64_t model)
{
    return &l->head[model * l->planes];
}

/* Frees K heads. */
void ctw_lengths__heads_free(ctw_ctx *ctx, ctw_lengths__head *head, int64_t models);
/* K zeroed heads with their weights; NULL when out of memory. */
ctw_lengths__head *ctw_lengths__heads_new(ctw_ctx *ctx, int64_t models, int64_t bits);
/* A handle with its options read but no heads. */
ctw_status ctw_lengths__create(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_lengths **out);

/* Makes the current heads the base of later updates. */
ctw_status ctw_lengths__rebase(ctw_lengths *l);

/* The checks every prediction shares, then the reading. */
ctw_status ctw_lengths__prompt(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model, const char *fn,
                               ctw_queue__text *t);

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
 * head that `prior` came from. Plane 0 is the one to predict with; plane k > 0 tells class k - 1 from the others, under
 * the penalty `ridge` of plane 0. */
ctw_status ctw_lengths__learn(ctw_lengths *l, const ctw_lengths__rows *rows, int64_t plane, double ridge,
                              const ctw_lengths__head *base, ctw_lengths__head *m, const ctw_cancel *cancel,
                              const char *fn);

#endif
