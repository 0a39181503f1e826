/* bottomup_power.c: see bottomup_power.h. CVaR is Rockafellar and Uryasev's linear programme: min v + E z / (1 - tail),
 * z_q >= carbon_q - v. */
#include "place/bottomup_power.h"
#include <math.h>

typedef struct columns {
    const ctw_place__inst *in;
    ctw_milp__model *m;
    const size_t *row;
    size_t *risk; /* scenarios: their rows */
    size_t *rows; /* scratch of one column */
    double *values;
} columns;

ctw_status ctw_place__metered_rows(const ctw_place__inst *in, ctw_milp__model *m, size_t *row)
{
    for (size_t i = 0; i < in->regions * in->slots; i++) CTW_TRY(ctw_milp__add_row(m, -INFINITY, 0, row + i));
    return CTW_OK;
}

static ctw_status add_grid(columns *c, size_t at)
{
    const ctw_place__inst *in = c->in;
    size_t n = 1;
    c->rows[0] = c->row[at];
    c->values[0] = -1;
    for (size_t q = 0; q < in->scenarios && in->tail > 0; q++, n++) {
        c->rows[n] = c->risk[q];
        c->values[n] = in->scenario[q * in->regions * in->slots + at];
    }
    CTW_TRY(ctw_milp__add_col(c->m, in->tail > 0 ? 0 : in->gram[at], 0, INFINITY, 0, c->rows, c->values, n, NULL));
    if (!in->supply || in->supply[at] <= 0) return CTW_OK;
    return ctw_milp__add_col(c->m, 0, 0, in->supply[at], 0, c->rows, c->values, 1, NULL);
}

/* level_t = level_t-1 + efficiency h charge_t - h discharge_t. */
static ctw_status add_store(columns *c, size_t g)
{
    const ctw_place__inst *in = c->in;
    const ctw_place__store *s = in->store + g;
    size_t first = 0;
    for (size_t t = 0; t < in->slots; t++) {
        size_t level;
        CTW_TRY(ctw_milp__add_row(c->m, t ? 0 : s->start, t ? 0 : s->start, &level));
        if (t == 0) first = level;
    }
    for (size_t t = 0; t < in->slots; t++) {
        size_t rows[] = {c->row[g * in->slots + t], first + t}, levels[] = {first + t, first + t + 1};
        const double in_values[] = {1, -s->efficiency * in->hours}, out_values[] = {-1, in->hours}, passes[] = {1, -1};
        double end = t + 1 < in->slots ? 0 : s->end;
        CTW_TRY(ctw_milp__add_col(c->m, 0, 0, s->power, 0, rows, in_values, 2, NULL));
        CTW_TRY(ctw_milp__add_col(c->m, s->wear * in->hours, 0, s->power, 0, rows, out_values, 2, NULL));
        CTW_TRY(ctw_milp__add_col(c->m, 0, end, s->capacity, 0, levels, passes, t + 1 < in->slots ? 2 : 1, NULL));
    }
    return CTW_OK;
}

static ctw_status add_risk(columns *c)
{
    const ctw_place__inst *in = c->in;
    double minus = -1;
    for (size_t q = 0; q < in->scenarios; q++) {
        CTW_TRY(ctw_milp__add_row(c->m, -INFINITY, 0, c->risk + q));
        CTW_TRY(
            ctw_milp__add_col(c->m, in->probability[q] / (1 - in->tail), 0, INFINITY, 0, c->risk + q, &minus, 1, NULL));
        c->rows[q] = c->risk[q];
        c->values[q] = -1;
    }
    return ctw_milp__add_col(c->m, 1, 0, INFINITY, 0, c->rows, c->values, in->scenarios, NULL);
}

static ctw_status add_all(columns *c)
{
    const ctw_place__inst *in = c->in;
    if (in->tail > 0) CTW_TRY(add_risk(c));
    for (size_t i = 0; i < in->regions * in->slots; i++) CTW_TRY(add_grid(c, i));
    for (size_t g = 0; g < in->regions && in->store; g++) {
        if (in->store[g].capacity > 0) CTW_TRY(add_store(c, g));
    }
    return CTW_OK;
}

ctw_status ctw_place__metered_cols(const ctw_place__inst *in, ctw_milp__model *m, const size_t *row)
{
    columns c = {.in = in, .m = m, .row = row};
    c.risk = CTW_NEW(in->ctx, in->scenarios, size_t);
    c.rows = CTW_NEW(in->ctx, in->scenarios + 1, size_t);
    c.values = CTW_NEW(in->ctx, in->scenarios + 1, double);
    ctw_status s = c.risk && c.rows && c.values ? add_all(&c) : CTW_E_NOMEM;
    void *all[] = {c.risk, c.rows, c.values};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
