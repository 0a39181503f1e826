/* migrate.c: where units run before the plan begins, and how often the plan moves running units. Replicas of a
 * service are interchangeable, so their moves are what servers gain over the slot before, less the growth. */
#include "place/inst_jobs.h"
#include "place/plan.h"
#include <string.h>

/* Flat number of a host's server, -1 when its row has fewer by now. */
static int32_t flat_server(const ctw_place *p, const size_t *first, int64_t row, int64_t server)
{
    return server < ctw_place__i64(p->nodes.count, (size_t)row, 1) ? (int32_t)(first[row] + (size_t)server) : -1;
}

static ctw_status read_runs(const ctw_place *p, ctw_place__inst *in, const int32_t *index_of, const size_t *first,
                            size_t *batch_of, const char *fn)
{
    const ctw_place__jobs *j = &p->jobs;
    for (size_t i = 0; i < in->batches; i++) batch_of[in->batch[i].row] = i;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t e = 0; e < j->runs; e++) {
            size_t row = (size_t)j->run_job[e];
            if ((size_t)j->run_node[e] >= p->nodes.n) {
                return ctw_base__fail(CTW_E_RANGE, "%s: running entry %zu names server row %lld of %zu", fn, e,
                                      (long long)j->run_node[e], p->nodes.n);
            }
            int32_t server = flat_server(p, first, j->run_node[e], j->run_server[e]);
            if (index_of[row] >= 0) {
                size_t *at = in->service_running_at + index_of[row];
                if (server >= 0 && pass == 0) at[2]++;
                if (server >= 0 && pass == 1) in->service_running[at[1]++] = server;
                continue;
            }
            const ctw_place__batch *b = in->batch + batch_of[row];
            if (j->run_unit[e] >= b->count) {
                return ctw_base__fail(CTW_E_RANGE, "%s: running entry %zu names unit %lld of job row %zu, which has %d",
                                      fn, e, (long long)j->run_unit[e], row, (int)b->count);
            }
            in->running[b->unit0 + (size_t)j->run_unit[e]] = server;
        }
        for (size_t i = 0; i < in->services && pass == 0; i++)
            in->service_running_at[i + 2] += in->service_running_at[i + 1];
    }
    return CTW_OK;
}

ctw_status ctw_place__inst_running(const ctw_place *p, ctw_place__inst *in, const int32_t *index_of, const char *fn)
{
    in->running = CTW_NEW(in->ctx, in->units, int32_t);
    in->service_running = CTW_NEW(in->ctx, p->jobs.runs, int32_t);
    in->service_running_at = CTW_NEW(in->ctx, in->services + 2, size_t);
    size_t *first = CTW_NEW(in->ctx, p->nodes.n + 1, size_t), *batch_of = CTW_NEW(in->ctx, p->jobs.n, size_t);
    ctw_status s = CTW_E_NOMEM;
    if (in->running && in->service_running && in->service_running_at && first && batch_of) {
        for (size_t u = 0; u < in->units; u++) in->running[u] = -1;
        for (size_t i = 0; i < p->nodes.n; i++) first[i + 1] = first[i] + (size_t)ctw_place__i64(p->nodes.count, i, 1);
        s = read_runs(p, in, index_of, first, batch_of, fn);
    }
    ctw_base__free(in->ctx, first);
    ctw_base__free(in->ctx, batch_of);
    return s;
}

typedef struct counter {
    const ctw_place__inst *in;
    double *wh; /* or NULL */
    int64_t moves;
    int32_t *there; /* servers: replicas of the slot before */
} counter;

static void one_move(counter *c, int32_t server, size_t slot, double wh)
{
    c->moves++;
    if (c->wh) c->wh[c->in->class[c->in->class_of[server]].region * c->in->slots + slot] += wh;
}

static void count_unit(counter *c, const ctw_place__plan *plan, size_t u)
{
    const ctw_place__batch *b = c->in->batch + c->in->unit_batch[u];
    size_t e = ctw_place__entry(c->in, u);
    const int32_t *slot = plan->slot + e, *server = plan->server + e;
    if (plan->run[u] == 0) return;
    if (c->in->running && slot[0] == 0 && c->in->running[u] >= 0 && c->in->running[u] != server[0])
        one_move(c, server[0], 0, b->migration);
    for (int32_t q = 1; q < plan->run[u]; q++) {
        if (slot[q] == slot[q - 1] + 1 && server[q] != server[q - 1])
            one_move(c, server[q], (size_t)slot[q], b->migration);
    }
}

/* Servers that run more replicas than in `before`, less the growth. */
static void count_gains(counter *c, const int32_t *before, size_t n, const int32_t *now, size_t m, size_t slot,
                        double wh)
{
    int64_t growth = 0;
    for (size_t i = 0; i < m; i++) growth += now[i] >= 0;
    for (size_t i = 0; i < n; i++) {
        if (before[i] < 0) continue;
        c->there[before[i]]++;
        growth--;
    }
    for (size_t i = 0; i < m; i++) {
        if (now[i] < 0) continue;
        if (c->there[now[i]] > 0) {
            c->there[now[i]]--;
        } else if (growth-- <= 0) {
            one_move(c, now[i], slot, wh);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (before[i] >= 0) c->there[before[i]] = 0;
    }
}

ctw_status ctw_place__migrations(const ctw_place__inst *in, const ctw_place__plan *plan, double *wh, int64_t *count)
{
    counter c = {in, wh, 0, CTW_NEW(in->ctx, in->servers, int32_t)};
    if (!c.there) return CTW_E_NOMEM;
    for (size_t u = 0; u < in->units; u++) count_unit(&c, plan, u);
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        if (in->running) {
            size_t a = in->service_running_at[i], b = in->service_running_at[i + 1];
            if (b > a) {
                count_gains(&c, in->service_running + a, b - a, plan->service_server + l->entry[0], (size_t)l->load[0],
                            0, l->migration);
            }
        }
        for (size_t t = 1; t < in->slots; t++) {
            count_gains(&c, plan->service_server + l->entry[t - 1], (size_t)l->load[t - 1],
                        plan->service_server + l->entry[t], (size_t)l->load[t], t, l->migration);
        }
    }
    ctw_base__free(in->ctx, c.there);
    *count = c.moves;
    return CTW_OK;
}
