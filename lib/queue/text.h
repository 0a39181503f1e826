/* text.h: what a prompt looks like to the length predictor: hashed features and a few dense facts, from one pass
 * over a bounded number of bytes, without allocation. The hashes are part of the file format. */
#ifndef CTW_QUEUE_TEXT_H
#define CTW_QUEUE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define CTW_TEXT_MAX   1536u /* hashed features of one prompt; later ones are not counted */
#define CTW_TEXT_DENSE 10u

/* Kinds of hashed features; each has its own scale, which acts as a prior on how much it may matter. */
enum {
    CTW_TEXT_WORD,     /* token of the first line */
    CTW_TEXT_REST,     /* token of later lines: material rather than task */
    CTW_TEXT_STEM,     /* first four letters of a word of the first line */
    CTW_TEXT_PAIR,     /* adjacent tokens of the first line */
    CTW_TEXT_SKIP,     /* tokens two apart */
    CTW_TEXT_TRIPLE,   /* three tokens in a row */
    CTW_TEXT_LEAD1,    /* the opening word */
    CTW_TEXT_LEAD2,    /* the first two */
    CTW_TEXT_LEAD3,    /* and the first three */
    CTW_TEXT_SIZE,     /* length buckets */
    CTW_TEXT_LEAD_FOR, /* opening word with a length bucket */
    CTW_TEXT_KINDS
};

/* A feature is 28 bits of hash over 4 bits of kind. */
#define CTW_TEXT_KIND(feature) ((feature)&15u)

typedef struct ctw_queue__text {
    uint32_t n;
    uint32_t feature[CTW_TEXT_MAX];
    float dense[CTW_TEXT_DENSE];
} ctw_queue__text;

extern const float ctw_queue__text_scale[CTW_TEXT_KINDS];

/* Reads at most `cap` bytes: two thirds from the beginning, one third from the end. */
void ctw_queue__text_read(ctw_queue__text *t, const char *prompt, size_t bytes, size_t cap);

#endif
