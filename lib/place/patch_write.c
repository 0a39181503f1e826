/* patch_write.c: the repaired slot as a plan of its own: placements of that slot only, what it draws and emits, and who
 * waits or is missed and why. */
#include "base/report.h"
#include "place/finish.h"
#include "place/patch.h"
#include <math.h>
#include <string.h>

static ctw_status write_spots(const ctw_place__patch *x, ctw_solution *s)
{
    s->spot = CTW_NEW(s->h.ctx, x->guests, ctw_place__spot);
    s->note = CTW_NEW(s->h.ctx, x->queued, ctw_place__note);
    s->node_id = ctw_base__dup(s->h.ctx, x->p->nodes.id, s->nodes, sizeof(int64_t));
    if (!s->spot || !s->note || !s->node_id) return CTW_E_NOMEM;
    for (size_t i = 0; i < x->guests; i++) {
        const ctw_place__patch_guest *g = x->guest + i;
        if (g->server >= 0) {
            int32_t row = x->row_of[g->server];
            s->spot[s->spots++] =
                (ctw_place__spot){g->row, g->unit, (int32_t)x->slot, row, g->server - (int32_t)x->first[row]};
            continue;
        }
        ctw_place__note *n = s->note + s->notes++;
        int64_t end = ctw_place__i64(x->p->jobs.deadline, (size_t)g->row, (int64_t)x->p->slots);
        int waits = g->kind == CTW_PLACE_PATCH_PREEMPTIBLE &&
                    fmin((double)end, (double)x->p->slots) - (double)x->slot - 1 >= g->rest;
        n->row = g->row;
        n->why = waits ? CTW_WHY_FULL : CTW_WHY_MISSED_CAPACITY;
        n->delay = waits;
        n->missed = waits ? 0 : g->kind == CTW_PLACE_PATCH_SERVICE ? 1 : g->rest;
    }
    return CTW_OK;
}

typedef struct bill {
    double watts, carbon, embodied;
    int64_t on;
} bill;

static bill add_up(const ctw_place__patch *x)
{
    const ctw_place__nodes *n = &x->p->nodes;
    double hours = x->p->opt.slot_s / 3600;
    bill b = {0, 0, 0, 0};
    for (size_t v = 0; v < x->servers; v++) {
        size_t row = (size_t)x->row_of[v], region = (size_t)ctw_place__i64(n->region, row, 0);
        if (!x->load[v]) continue;
        double w = ctw_place__f64(n->idle, row, 0);
        for (size_t j = 0; j < x->r && n->watt; j++) w += x->use[v * x->r + j] * n->watt[row * n->r + x->res[j]];
        b.watts += w;
        b.carbon += w * x->p->carbon[region * x->p->slots + x->slot] / 1000 * hours;
        b.embodied += ctw_place__f64(n->embodied, row, 0) * hours;
        b.on++;
    }
    return b;
}

static ctw_status write_report(const ctw_place__patch *x, ctw_solution *s, const bill *b, double solve_s)
{
    ctw_report *r = s->report;
    int64_t missed = 0;
    for (size_t i = 0; i < s->notes; i++) missed += x->need[s->note[i].row] < 0 ? s->note[i].missed : 0;
    const struct {
        const char *key;
        double v;
    } reals[] = {{"objective", s->objective},
                 {"bound", -INFINITY},
                 {"gap", INFINITY},
                 {"carbon_g", b->carbon},
                 {"embodied_g", b->embodied},
                 {"penalty_g", 0},
                 {"energy_kwh", b->watts * x->p->opt.slot_s / 3.6e6},
                 {"solve_s", solve_s}};
    const struct {
        const char *key;
        int64_t v;
    } counts[] = {{"slot", (int64_t)x->slot},
                  {"migrations", x->moved},
                  {"delayed", x->paused},
                  {"missed_units", x->broken},
                  {"missed_slots", missed},
                  {"unplaced_services", x->unplaced},
                  {"placements", (int64_t)s->spots},
                  {"servers_on", b->on},
                  {"startups", x->woken},
                  {"servers", (int64_t)x->servers},
                  {"nodes", 0}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        CTW_TRY(ctw_base__report_f64(r, reals[i].key, reals[i].v));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        CTW_TRY(ctw_base__report_i64(r, counts[i].key, counts[i].v));
    return ctw_base__report_str(r, "tier", "repair");
}

ctw_status ctw_place__patch_write(ctw_place__patch *x, double solve_s, ctw_solution **out)
{
    ctw_solution *s = ctw_place__solution_new(ctw_place__patch_ctx(x));
    if (!s) return CTW_E_NOMEM;
    s->jobs = x->p->jobs.n;
    s->nodes = x->p->nodes.n;
    s->slots = x->p->slots;
    s->servers = x->servers;
    s->only = (int64_t)x->slot;
    s->outcome = CTW_PLACE_HEURISTIC;
    s->stop = CTW_STOP_GAP;
    s->bound = -INFINITY;
    bill b = add_up(x);
    s->objective = b.carbon + b.embodied;
    ctw_status e = write_spots(x, s);
    if (e == CTW_OK) e = ctw_base__report_new(s->h.ctx, &s->report);
    if (e == CTW_OK) e = write_report(x, s, &b, solve_s);
    if (e != CTW_OK) {
        ctw_solution_unref(s);
        return e;
    }
    *out = s;
    return CTW_OK;
}
