/* govern.c: the frequency of every server, once a slot. What runs on a server says how much slower it could be and
 * still keep its promise; the power model finds the level of least energy within that, and the most urgent wish
 * wins. Classes without a power model stay at the top. Instances of the LLM queue choose at each request. */
#include "twin/twin_internal.h"
#include <math.h>

uint32_t ctw_twin__level_for(const ctw_twin__class *k, double util, double membound, double slowdown)
{
    uint32_t top = (uint32_t)(k->n_level - 1);
    uint64_t points = ctw_power_point_count(k->power);
    double mhz = 0.0, top_mhz = 0.0;
    /* CTW_E_INFEASIBLE means that no point is fast enough: the top one then is the answer, not a failure. */
    if (points == 0 || ctw_power_point_at(k->power, points - 1, &top_mhz) != CTW_OK ||
        ctw_power_choose(k->power, util, membound, slowdown, INFINITY, &mhz, NULL, NULL) != CTW_OK)
        return top;
    for (uint32_t i = 0; i < top; i++) {
        if (k->level[i] < mhz / top_mhz - 1e-6) continue;
        /* the class's levels need not be the model's points: never slower than was asked for */
        if (ctw_twin__slowdown(k->level[i], membound) <= slowdown * (1.0 + 1e-9)) return i;
    }
    return top;
}

static void wish(ctw_twin *t, uint32_t server, double membound, double slowdown)
{
    ctw_twin__server *s = &t->server[server];
    const ctw_twin__class *k = &t->klass[s->klass];
    if (!k->power) return;
    double load = s->busy[CTW_USE_SERVICE] + s->busy[CTW_USE_JOB];
    s->wish = fmax(s->wish, ctw_twin__level_for(k, fmin(1.0, load / k->cores), membound, slowdown));
}

static ctw_status wish_services(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_service; i++) {
        ctw_twin__service *s = &t->service[i];
        CTW_TRY(ctw_twin__supervise(t, s));
        s->seen_rate = s->now_rate;
        double slack = ctw_twin__service_slack(t, s);
        for (uint32_t j = 0; j < s->components * s->replicas; j++) {
            uint32_t server = t->replica[s->first + j].server;
            if (server != CTW_TWIN__NONE) wish(t, server, s->membound, slack);
        }
    }
    return CTW_OK;
}

/* A job may be slowed until it just meets its deadline, with a reserve of a tenth; what is left is known by the
 * prediction only, and one that has outlived it is taken to need a fifth of it again. */
static void wish_jobs(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_running; i++) {
        const ctw_twin__job *j = &t->job[t->running[i]];
        double done = j->work_s - j->left_s + (t->now - j->since_s) * j->rate;
        double left = t->margin * fmax(j->predicted_s - done, 0.2 * j->predicted_s);
        double slack = 0.9 * (j->deadline_s - t->now) / fmax(left, 1.0);
        wish(t, j->server, j->membound, fmin(t->max_slowdown, fmax(1.0, slack)));
    }
}

ctw_status ctw_twin__govern(ctw_twin *t)
{
    for (size_t i = 0; i < t->n_server; i++) t->server[i].wish = -1.0;
    CTW_TRY(wish_services(t));
    wish_jobs(t);
    for (size_t i = 0; i < t->n_server; i++) {
        const ctw_twin__server *s = &t->server[i];
        if (s->instance) continue;
        uint32_t level = s->level;
        if (!t->klass[s->klass].power)
            level = (uint32_t)(t->klass[s->klass].n_level - 1);
        else if (s->wish >= 0.0)
            level = (uint32_t)s->wish;
        CTW_TRY(ctw_twin__set_clock(t, i, level, s->speed));
    }
    return CTW_OK;
}
