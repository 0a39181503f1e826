/* limits.c: rows that every packing of servers satisfies. Rounding strengthens a relaxation: if whole units of size d
 * stand on a server of capacity C, then for any step u sum floor(d/u) <= floor(C/u) (Chvatal-Gomory). The row adds up
 * over servers, so it also holds where servers of a class are counted instead of told apart. */
#include "place/limits.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

enum { MOST_STEPS = 10 };

/* A resource, or a resource counted in steps of `unit`. */
typedef struct step {
    size_t resource;
    double unit; /* 0: the resource itself */
} step;

typedef struct steps {
    const ctw_place__inst *in;
    step *step;
    size_t n;
} steps;

/* Steps that divide every capacity say nothing new. */
static int worth_it(const ctw_place__inst *in, size_t j, double u)
{
    int cuts = 0, used = 0;
    for (size_t k = 0; k < in->classes; k++) {
        double n = in->cap[k * in->r + j] / u;
        cuts |= n - floor(n + 1e-9) > 1e-6 && n < 40;
    }
    for (size_t f = 0; f < in->flavours; f++) used |= in->demand[f * in->r + j] >= u * (1 - 1e-9);
    return cuts && used;
}

static void add_step(steps *b, size_t j, double u)
{
    size_t have = 0;
    if (!(u > 0) || !worth_it(b->in, j, u)) return;
    for (size_t i = b->in->r; i < b->n; i++) {
        if (b->step[i].resource != j) continue;
        if (fabs(b->step[i].unit - u) < 1e-9 * u || ++have >= MOST_STEPS) return;
    }
    b->step[b->n++] = (step){j, u};
}

/* Candidate steps: each distinct size, a half and a third of it, from the largest down. */
static ctw_status form_steps(steps *b)
{
    const ctw_place__inst *in = b->in;
    double *size = CTW_NEW(in->ctx, in->flavours, double);
    b->step = CTW_NEW(in->ctx, in->r * (1 + MOST_STEPS), step);
    if (!size || !b->step) {
        ctw_base__free(in->ctx, size);
        return CTW_E_NOMEM;
    }
    for (size_t j = 0; j < in->r; j++) b->step[b->n++] = (step){j, 0};
    for (size_t j = 0; j < in->r && in->flavours <= 200; j++) {
        for (size_t f = 0; f < in->flavours; f++) size[f] = in->demand[f * in->r + j];
        ctw_num__sort(size, in->flavours);
        for (int part = 1; part <= 3; part++) {
            for (size_t f = in->flavours; f-- > 0;) add_step(b, j, size[f] / part);
        }
    }
    ctw_base__free(in->ctx, size);
    return CTW_OK;
}

static ctw_status write_rows(const steps *b, ctw_place__limits *l)
{
    const ctw_place__inst *in = b->in;
    l->n = b->n;
    l->demand = CTW_NEW(in->ctx, in->flavours * l->n, double);
    l->cap = CTW_NEW(in->ctx, in->classes * l->n, double);
    if (!l->demand || !l->cap) return CTW_E_NOMEM;
    for (size_t i = 0; i < l->n; i++) {
        size_t j = b->step[i].resource;
        double u = b->step[i].unit;
        for (size_t f = 0; f < in->flavours; f++) {
            double d = in->demand[f * in->r + j];
            l->demand[f * l->n + i] = u > 0 ? floor(d / u * (1 + 1e-12) + 1e-9) : d;
        }
        for (size_t k = 0; k < in->classes; k++) {
            double c = in->cap[k * in->r + j];
            l->cap[k * l->n + i] = u > 0 ? floor(c / u + 1e-6) : c;
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__limits_new(const ctw_place__inst *in, ctw_place__limits *out)
{
    steps b = {in, NULL, 0};
    memset(out, 0, sizeof *out);
    out->ctx = in->ctx;
    ctw_status s = form_steps(&b);
    if (s == CTW_OK) s = write_rows(&b, out);
    ctw_base__free(in->ctx, b.step);
    return s;
}

void ctw_place__limits_free(ctw_place__limits *l)
{
    if (!l->ctx) return;
    ctw_base__free(l->ctx, l->demand);
    ctw_base__free(l->ctx, l->cap);
    memset(l, 0, sizeof *l);
}
