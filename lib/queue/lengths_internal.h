/* lengths_internal.h: the length predictor's handle, shared by the files that implement its verbs. */
#ifndef CTW_QUEUE_LENGTHS_INTERNAL_H
#define CTW_QUEUE_LENGTHS_INTERNAL_H

#include "base/handle.h"
#include "queue/spread.h"
#include "queue/text.h"
#include <cybertwin/lengths.h>

#define CTW_LENGTHS_MAGIC      CTW_FOUR('L', 'E', 'N', 'G')
#define CTW_LENGTHS_MAX_MODELS 16u

/* What one served model adds to the shared features: weights in 16 bits (value = unit * w), which keeps a
 * model of 65,536 features in 128 KiB and loses nothing measurable. */
typedef struct ctw_lengths__head {
    int16_t *w; /* 2^bits */
    double unit, bias, dense[CTW_TEXT_DENSE];
    ctw_queue__spread spread;
    double shift; /* added to log(1 + tokens), from observed misses */
    double shift_n;
    /* how it was fitted */
    double ridge, rows, tau, rmse;
} ctw_lengths__head;

/* One remembered request: its features as entries of a design row. */
typedef struct ctw_lengths__memo {
    uint32_t *entry; /* NULL: free */
    uint32_t n;
    uint32_t model;
    double target; /* log(1 + tokens) */
    float dense[CTW_TEXT_DENSE];
} ctw_lengths__memo;

struct ctw_lengths {
    ctw_base__handle h;
    ctw_params *params; /* stored with the model */
    int64_t models, bits, folds, memory;
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

/* Entry of a design row for hashed feature i of a text. */
static inline uint32_t ctw_lengths__entry(const ctw_queue__text *t, uint32_t i, int64_t bits)
{
    return (uint32_t)t->kind[i] << 24 | t->hash[i] >> (32 - bits);
}

/* Score of a text under a head. */
double ctw_lengths__score(const ctw_lengths__head *m, const ctw_queue__text *t, int64_t bits);

/* Rows to learn one head from. */
typedef struct ctw_lengths__rows {
    size_t n;
    size_t *start;   /* n + 1 */
    uint32_t *entry; /* start[n] */
    float *dense;    /* n x CTW_TEXT_DENSE */
    double *prior;   /* score under the base head, NULL without one */
    double *value;   /* log(1 + tokens), NaN where unknown */
} ctw_lengths__rows;

/* Learns a head; *m is changed only on success, and then its old weights are kept in place of the new. `base` is the
 * head that `prior` came from. */
ctw_status ctw_lengths__learn(ctw_lengths *l, const ctw_lengths__rows *rows, const ctw_lengths__head *base,
                              ctw_lengths__head *m, const ctw_cancel *cancel, const char *fn);

#endif
