/* energy.c: see energy.h. The schedules are the best for the intensities that the instance plans with (in->gram), which
 * under CVaR are those of the worst-case weights. */
#include "place/energy.h"
#include "num/sort.h"
#include "place/dispatch.h"
#include <math.h>
#include <string.h>

ctw_status ctw_place__tail_mean(ctw_ctx *ctx, const double *cost, const double *probability, size_t n, double tail,
                                double *weight, double *mean)
{
    size_t *order = CTW_NEW(ctx, n, size_t);
    if (!order) return CTW_E_NOMEM;
    double left = 1;
    *mean = 0;
    ctw_num__argsort(cost, order, n);
    for (size_t i = n; i-- > 0;) { /* dearest first */
        double w = fmin(left, probability[order[i]] / (1 - tail));
        if (weight) weight[order[i]] = w;
        *mean += w * cost[order[i]];
        left -= w;
    }
    ctw_base__free(ctx, order);
    return CTW_OK;
}

typedef struct meter {
    const ctw_place__inst *in;
    const ctw_place__flow *flow;
    ctw_place__bill *bill;
    ctw_place__dispatcher d;
    double *by_scenario, *by_slot; /* may be NULL */
} meter;

/* One region's slot: what the store does to its draw, and what is left for the grid. */
static void read_slot(meter *m, size_t g, size_t t, double draw, double *level)
{
    const ctw_place__inst *in = m->in;
    size_t at = g * in->slots + t;
    const ctw_place__store *s = in->store ? in->store + g : NULL;
    double change = s && s->capacity > 0 ? m->d.change[t] : 0, supply = in->supply ? in->supply[at] : 0;
    double charge = change > 0 ? change / (s->efficiency * in->hours) : 0;
    double discharge = change < 0 ? -change / in->hours : 0, net = draw + charge - discharge;
    double grid = fmax(0, net - supply), used = fmin(fmax(0, net), supply);
    *level += change;
    m->bill->expected_g += grid * in->mean_gram[at];
    m->bill->carbon_g += grid * in->gram[at];
    if (m->by_slot) m->by_slot[t] += grid * in->mean_gram[at];
    m->bill->wear_g += discharge > 0 ? discharge * in->hours * s->wear : 0;
    m->bill->grid_kwh += grid * in->hours / 1000;
    m->bill->supply_kwh += used * in->hours / 1000;
    m->bill->curtailed_kwh += (supply - used) * in->hours / 1000;
    for (size_t q = 0; m->by_scenario && q < in->scenarios; q++)
        m->by_scenario[q] += grid * in->scenario[q * in->regions * in->slots + at];
    if (!m->flow) return;
    m->flow->grid[at] = grid;
    m->flow->charge[at] = charge;
    m->flow->discharge[at] = discharge;
    m->flow->level[at] = fmax(0, *level);
}

static ctw_status read_region(meter *m, size_t g, const double *profile)
{
    const ctw_place__inst *in = m->in;
    size_t row = g * in->slots;
    double value, level = 0;
    if (in->store && in->store[g].capacity > 0) {
        level = in->store[g].start;
        CTW_TRY(ctw_place__dispatch(&m->d, in->store + g, profile + row, in->supply ? in->supply + row : NULL,
                                    in->gram + row, &value));
    }
    for (size_t t = 0; t < in->slots; t++) read_slot(m, g, t, profile[row + t], &level);
    return CTW_OK;
}

ctw_status ctw_place__energy(const ctw_place__inst *in, const double *profile, const ctw_place__flow *flow,
                             ctw_place__bill *bill, double *by_scenario, double *by_slot)
{
    meter m = {.in = in, .flow = flow, .bill = bill, .by_scenario = by_scenario, .by_slot = by_slot};
    memset(bill, 0, sizeof *bill);
    for (size_t t = 0; by_slot && t < in->slots; t++) by_slot[t] = 0;
    if (!by_scenario && in->scenarios) m.by_scenario = CTW_NEW(in->ctx, in->scenarios, double);
    ctw_status s = in->scenarios && !m.by_scenario ? CTW_E_NOMEM : CTW_OK;
    for (size_t q = 0; m.by_scenario && q < in->scenarios; q++) m.by_scenario[q] = 0;
    if (s == CTW_OK) s = ctw_place__dispatcher_new(in->ctx, in->slots, in->hours, &m.d);
    for (size_t g = 0; g < in->regions && s == CTW_OK; g++) s = read_region(&m, g, profile);
    if (s == CTW_OK && in->scenarios)
        s = ctw_place__tail_mean(in->ctx, m.by_scenario, in->probability, in->scenarios, in->tail, NULL,
                                 &bill->carbon_g);
    ctw_place__dispatcher_free(&m.d);
    if (m.by_scenario != by_scenario) ctw_base__free(in->ctx, m.by_scenario);
    return s;
}
