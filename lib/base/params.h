/* params.h: the option table of each kind of handle, and reading a bag inside a constructor. */
#ifndef CTW_BASE_PARAMS_H
#define CTW_BASE_PARAMS_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_base__option {
    const char *key;
    int32_t type;     /* CTW_T_* */
    const char *help; /* one sentence with the unit; it is the manual's text too */
    double dflt_f64, lo_f64, hi_f64;
    int64_t dflt_i64, lo_i64, hi_i64; /* also booleans */
    const char *dflt_str, *choices;   /* choices "a|b|c", NULL for free text */
} ctw_base__option;

/* Rows of a table, one option a line. */
#define CTW_OPT_BOOL(k, d, t)                                                                  \
    {                                                                                          \
        .key = (k), .type = CTW_T_BOOL, .help = (t), .dflt_i64 = (d), .lo_i64 = 0, .hi_i64 = 1 \
    }
#define CTW_OPT_I64(k, d, l, u, t)                                                                \
    {                                                                                             \
        .key = (k), .type = CTW_T_I64, .help = (t), .dflt_i64 = (d), .lo_i64 = (l), .hi_i64 = (u) \
    }
#define CTW_OPT_F64(k, d, l, u, t)                                                                \
    {                                                                                             \
        .key = (k), .type = CTW_T_F64, .help = (t), .dflt_f64 = (d), .lo_f64 = (l), .hi_f64 = (u) \
    }
#define CTW_OPT_STR(k, d, c, t)                                                     \
    {                                                                               \
        .key = (k), .type = CTW_T_STR, .help = (t), .dflt_str = (d), .choices = (c) \
    }

typedef struct ctw_base__kind {
    const char *name; /* "forecast" */
    const ctw_base__option *options;
    size_t count;
} ctw_base__kind;

/* The list of kinds, defined in lib/kinds.c: the one place that knows every module's table. */
extern const ctw_base__kind *const ctw_base__kinds[];
extern const size_t ctw_base__kind_count;

/* A constructor's view of a possibly NULL bag: checks that it is of this kind; then every option
 * is read by name, the default where the bag is NULL. */
ctw_status ctw_base__params_check(const ctw_params *p, const ctw_base__kind *kind, const char *fn);
/* These abort nothing and cannot fail: the key must exist in the table (a unit test walks them). */
int ctw_base__opt_bool(const ctw_params *p, const ctw_base__kind *kind, const char *key);
int64_t ctw_base__opt_i64(const ctw_params *p, const ctw_base__kind *kind, const char *key);
double ctw_base__opt_f64(const ctw_params *p, const ctw_base__kind *kind, const char *key);
const char *ctw_base__opt_str(const ctw_params *p, const ctw_base__kind *kind, const char *key);
/* Index of the option's value among its choices ("a|b|c": a 0, b 1, c 2). */
int ctw_base__opt_choice(const ctw_params *p, const ctw_base__kind *kind, const char *key);

/* An own copy of the bag (all defaults when p is NULL), e.g. to be stored with a model. */
ctw_status ctw_base__params_copy(ctw_ctx *ctx, const ctw_params *p, const ctw_base__kind *kind, ctw_params **out);
/* Current value as text, which ctw_params_set_text reads back exactly. Returns the length without NUL. */
size_t ctw_base__params_text(const ctw_params *p, size_t i, char *buf, size_t cap);

/* The candidate nearest to `name` in edit distance, NULL when none is near; for "did you mean". */
const char *ctw_base__nearest(const char *name, const char *(*at)(const void *list, size_t i), const void *list,
                              size_t n);

#endif
