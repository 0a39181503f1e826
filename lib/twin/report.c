/* report.c: what a run came to. Totals are kept while it runs; delays and completion times are computed here from
 * the jobs and requests themselves, so that no running statistic can drift from them. */
#include "base/report.h"
#include "num/sort.h"
#include "num/stats.h"
#include "twin/twin_internal.h"
#include <math.h>
#include <stdio.h>

static ctw_status grow_series(ctw_twin *t)
{
    if (t->n_series < t->cap_series) return CTW_OK;
    size_t cap = t->cap_series ? 2 * t->cap_series : 512;
    for (int i = 0; i < CTW_SR_COUNT; i++) {
        double *p = ctw_base__realloc(t->h.ctx, t->series[i], cap, sizeof *p);
        if (!p) return CTW_E_NOMEM; /* those already grown keep their new size: harmless */
        t->series[i] = p;
    }
    t->cap_series = cap;
    return CTW_OK;
}

ctw_status ctw_twin__sample(ctw_twin *t)
{
    CTW_TRY(grow_series(t));
    double hours = t->slot_s / 3600.0, wh = 0.0, kept = 0.0;
    size_t i = t->n_series++;
    for (int u = 0; u < CTW_USES; u++) {
        t->series[CTW_SR_IDLE + u][i] = t->slot_wh[u] / hours;
        wh += t->slot_wh[u];
        t->slot_wh[u] = 0.0;
    }
    for (size_t s = 0; s < t->n_service; s++) kept += t->service[s].ok;
    t->series[CTW_SR_TIME][i] = t->now - t->slot_s;
    t->series[CTW_SR_QUEUE][i] = (double)ctw_twin__llm_waiting(t);
    t->series[CTW_SR_WAITING][i] = (double)t->n_waiting;
    t->series[CTW_SR_RUNNING][i] = (double)t->n_running;
    t->series[CTW_SR_PROMISE][i] = t->n_service ? kept / (double)t->n_service : 1.0;
    t->series[CTW_SR_CI][i] = wh > 0.0 ? 1000.0 * t->slot_g / wh : ctw_twin__true_ci(&t->region[0], t->now - t->slot_s);
    t->slot_g = 0.0;
    return CTW_OK;
}

typedef struct entry {
    const char *key;
    double value;
} entry;

static ctw_status put_all(ctw_report *r, const entry *e, size_t n)
{
    for (size_t i = 0; i < n; i++) CTW_TRY(ctw_base__report_f64(r, e[i].key, e[i].value));
    return CTW_OK;
}

#define PUT(r, list) put_all((r), (list), sizeof(list) / sizeof *(list))

static ctw_status put_energy(const ctw_twin *t, ctw_report *r)
{
    double wh = 0.0, g = 0.0;
    for (int u = 0; u < CTW_USES; u++) {
        wh += t->energy_wh[u];
        g += t->carbon_g[u];
    }
    const entry e[] = {{"carbon_g", g},
                       {"energy_kwh", wh / 1000.0},
                       {"carbon_idle_g", t->carbon_g[CTW_USE_IDLE]},
                       {"carbon_services_g", t->carbon_g[CTW_USE_SERVICE]},
                       {"carbon_jobs_g", t->carbon_g[CTW_USE_JOB]},
                       {"carbon_llm_g", t->carbon_g[CTW_USE_LLM]},
                       {"energy_idle_kwh", t->energy_wh[CTW_USE_IDLE] / 1000.0},
                       {"energy_services_kwh", t->energy_wh[CTW_USE_SERVICE] / 1000.0},
                       {"energy_jobs_kwh", t->energy_wh[CTW_USE_JOB] / 1000.0},
                       {"energy_llm_kwh", t->energy_wh[CTW_USE_LLM] / 1000.0}};
    return PUT(r, e);
}

/* What became of the jobs whose fate is decided: ended, or past their deadline. */
static ctw_status put_jobs(const ctw_twin *t, ctw_report *r, double *slo)
{
    double done = 0, kept = 0, decided = 0, delayed = 0, worst = 0, sum = 0, started = 0;
    for (size_t i = 0; i < t->n_job; i++) {
        const ctw_twin__job *j = &t->job[i];
        int ended = j->state == CTW_JOB_ENDED;
        done += ended;
        if (ended || j->deadline_s < t->now) {
            decided += 1;
            kept += ended && j->finish_s <= j->deadline_s;
        }
        if (isnan(j->start_s)) continue;
        double wait = j->start_s - j->arrival_s;
        started += 1;
        sum += wait;
        delayed += wait > t->slot_s;
        worst = fmax(worst, wait);
    }
    *slo = decided > 0 ? kept / decided : 1.0;
    const entry e[] = {{"jobs", (double)t->n_job},
                       {"jobs_done", done},
                       {"jobs_late", decided - kept},
                       {"slo_jobs", *slo},
                       {"jobs_delayed", delayed},
                       {"worst_delay_s", worst},
                       {"mean_delay_s", started > 0 ? sum / started : 0.0},
                       {"jobs_waiting", (double)t->n_waiting}};
    return PUT(r, e);
}

static ctw_status put_requests(const ctw_twin *t, ctw_report *r, double *slo)
{
    double *jct = CTW_NEW(t->h.ctx, t->n_request + 1, double);
    double kept = 0, decided = 0;
    size_t n = 0;
    if (!jct) return CTW_E_NOMEM;
    for (size_t i = 0; i < t->n_request; i++) {
        const ctw_twin__request *q = &t->request[i];
        double limit = t->llm.slo_s + t->llm.slo_factor * ctw_twin__own_time(t, q->tokens);
        int ended = q->state == CTW_JOB_ENDED;
        if (ended) jct[n++] = q->finish_s - q->arrival_s;
        if (ended || q->arrival_s + limit < t->now) {
            decided += 1;
            kept += ended && q->finish_s - q->arrival_s <= limit;
        }
    }
    ctw_num__sort(jct, n);
    *slo = decided > 0 ? kept / decided : 1.0;
    const entry e[] = {{"requests", (double)t->n_request},
                       {"llm_done", (double)n},
                       {"slo_llm", *slo},
                       {"llm_mean_s", n ? ctw_num__mean(jct, n) : 0.0},
                       {"llm_p50_s", n ? ctw_num__quantile_sorted(jct, n, 0.5) : 0.0},
                       {"llm_p99_s", n ? ctw_num__quantile_sorted(jct, n, 0.99) : 0.0},
                       {"llm_max_s", n ? jct[n - 1] : 0.0},
                       {"llm_waiting", (double)ctw_twin__llm_waiting(t)}};
    ctw_base__free(t->h.ctx, jct);
    return PUT(r, e);
}

/* The promise of all work is the mean over the kinds of work there are. */
static ctw_status put_promises(const ctw_twin *t, ctw_report *r)
{
    double jobs = 1.0, llm = 1.0, asked = 0.0, met = 0.0;
    CTW_TRY(put_jobs(t, r, &jobs));
    CTW_TRY(put_requests(t, r, &llm));
    for (size_t i = 0; i < t->n_service; i++) {
        asked += t->service[i].requests;
        met += t->service[i].met;
    }
    double services = asked > 0.0 ? met / asked : 1.0;
    double kinds = (t->n_job > 0) + (t->n_request > 0) + (t->n_service > 0);
    double sum = (t->n_job > 0 ? jobs : 0.0) + (t->n_request > 0 ? llm : 0.0) + (t->n_service > 0 ? services : 0.0);
    const entry e[] = {
        {"service_requests", asked}, {"slo_services", services}, {"slo_attainment", kinds > 0 ? sum / kinds : 1.0}};
    return PUT(r, e);
}

/* Accuracy of the forecast that was issued at time 0, over the steps that have passed. */
static ctw_status put_forecast(const ctw_twin *t, ctw_report *r)
{
    double ape = 0.0, inside = 0.0, n = 0.0, used = 0.0;
    for (size_t i = 0; i < t->n_region; i++) {
        const ctw_twin__region *g = &t->region[i];
        for (size_t k = 0; k < g->n_day && k < g->n_ci && (double)(k + 1) * g->step_s <= t->now + 1e-6; k++) {
            n += 1.0;
            inside += g->ci[k] >= g->day_lo[k] && g->ci[k] <= g->day_hi[k];
            if (!(g->ci[k] > 0.0)) continue;
            ape += fabs(g->day_mean[k] - g->ci[k]) / g->ci[k];
            used += 1.0;
        }
    }
    if (n > 0.0) {
        const entry e[] = {{"mape", used > 0.0 ? 100.0 * ape / used : 0.0}, {"coverage", inside / n}};
        CTW_TRY(PUT(r, e));
    }
    for (size_t i = 0; i < t->n_region; i++) {
        const ctw_twin__region *g = &t->region[i];
        const struct {
            const char *name;
            const double *v;
            size_t n;
        } series[] = {{"ci", g->ci, g->n_ci},
                      {"ci_mean", g->day_mean, g->n_day},
                      {"ci_lo", g->day_lo, g->n_day},
                      {"ci_hi", g->day_hi, g->n_day}};
        for (size_t k = 0; k < sizeof series / sizeof *series; k++) {
            char key[64];
            (void)snprintf(key, sizeof key, "%s_%lld", series[k].name, (long long)g->id);
            if (series[k].n) CTW_TRY(ctw_base__report_series(r, key, series[k].v, series[k].n));
        }
    }
    return CTW_OK;
}

static ctw_status put_counts(const ctw_twin *t, ctw_report *r)
{
    const ctw_twin__counters *c = &t->count;
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"events", c->events},
                  {"plans", c->plans},
                  {"plan_failures", c->plan_failures},
                  {"part_failures", c->part_failures},
                  {"diagnoses", c->diagnoses},
                  {"drains", c->drains},
                  {"moves", c->moves},
                  {"abstained", c->abstained_steps},
                  {"watched", c->watched_steps},
                  {"agent_steps", c->agent_steps},
                  {"agent_shielded", c->agent_shielded},
                  {"servers", t->n_server}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        CTW_TRY(ctw_base__report_i64(r, counts[i].key, (int64_t)counts[i].value));
    const entry e[] = {{"gap_mean", c->gaps ? c->gap_sum / (double)c->gaps : 0.0},
                       {"gap_max", c->gap_max},
                       {"agent_headroom", c->agent_steps ? c->headroom_sum / (double)c->agent_steps : t->headroom},
                       {"solver_s", c->plan_cpu_s},
                       {"now_s", t->now}};
    return PUT(r, e);
}

/* -1 where there is no value: not recovered in the run, nobody named. */
static ctw_status put_faults(const ctw_twin *t, ctw_report *r)
{
    double *v = CTW_NEW(t->h.ctx, 6 * t->n_fault + 1, double);
    double slow = 0.0, right = 0.0;
    size_t n = t->n_fault;
    if (!v) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const ctw_twin__fault *f = &t->fault[i];
        int sensor = f->kind == CTW_FAULT_SENSOR_STUCK;
        v[i] = f->kind;
        v[n + i] = (double)(sensor ? t->region[f->target].id : t->server[f->target].id);
        v[2 * n + i] = f->start_s;
        v[3 * n + i] = f->end_s;
        v[4 * n + i] = isnan(f->recovered_s) ? -1.0 : f->recovered_s - f->start_s;
        v[5 * n + i] = f->found < 0 ? -1.0 : (double)t->server[f->found].id;
        if (!ctw_twin__slows(f) || f->start_s > t->now || !f->hit) continue;
        slow += 1.0;
        right += f->found == (int64_t)f->target;
    }
    static const char *const key[] = {"fault_kind",  "fault_target",    "fault_start_s",
                                      "fault_end_s", "fault_recover_s", "fault_found"};
    ctw_status s = CTW_OK;
    for (size_t k = 0; s == CTW_OK && k < sizeof key / sizeof *key; k++)
        s = ctw_base__report_series(r, key[k], v + k * n, n);
    ctw_base__free(t->h.ctx, v);
    CTW_TRY(s);
    const entry e[] = {{"faults", (double)n}, {"rca_true", slow}, {"rca_found", right}};
    return PUT(r, e);
}

static ctw_status put_series(const ctw_twin *t, ctw_report *r)
{
    static const char *const key[CTW_SR_COUNT] = {"time_s",      "power_idle_w", "power_services_w", "power_jobs_w",
                                                  "power_llm_w", "llm_queue",    "waiting_jobs",     "running_jobs",
                                                  "promise",     "intensity"};
    for (int i = 0; i < CTW_SR_COUNT; i++) CTW_TRY(ctw_base__report_series(r, key[i], t->series[i], t->n_series));
    return CTW_OK;
}

ctw_status ctw_twin_report(const ctw_twin *t, ctw_report **out)
{
    static const char fn[] = "ctw_twin_report";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    ctw_report *r = NULL;
    ctw_status s = ctw_base__report_new(t->h.ctx, &r);
    if (s == CTW_OK) s = put_energy(t, r);
    if (s == CTW_OK) s = put_promises(t, r);
    if (s == CTW_OK) s = put_forecast(t, r);
    if (s == CTW_OK) s = put_counts(t, r);
    if (s == CTW_OK) s = put_faults(t, r);
    if (s == CTW_OK) s = put_series(t, r);
    if (s != CTW_OK) {
        ctw_report_unref(r);
        return s;
    }
    *out = r;
    return CTW_OK;
}
