/* jobs.c: best-effort jobs from arrival to end. Waiting jobs are kept in order of arrival; each carries the time
 * from which it may start (now without a plan), and those that may are started first come first served wherever
 * there is room. A lost server costs a job what it did since its last checkpoint. */
#include "twin/twin_internal.h"
#include <math.h>
#include <string.h>

static void remove_at(uint32_t *list, size_t *n, size_t i)
{
    memmove(list + i, list + i + 1, (*n - i - 1) * sizeof *list);
    (*n)--;
}

static size_t index_of(const uint32_t *list, size_t n, size_t job)
{
    size_t i = 0;
    while (i < n && list[i] != job) i++;
    return i;
}

/* Into the waiting list by arrival. Capacity for every job was reserved when jobs were added. */
static void enlist(ctw_twin *t, size_t job)
{
    size_t i = t->n_waiting++;
    while (i > 0 && t->job[t->waiting[i - 1]].arrival_s > t->job[job].arrival_s) {
        t->waiting[i] = t->waiting[i - 1];
        i--;
    }
    t->waiting[i] = (uint32_t)job;
    t->job[job].state = CTW_JOB_WAITS;
}

void ctw_twin__set_start(ctw_twin *t, ctw_twin__job *j, double when)
{
    j->planned_s = when;
    t->next_start = fmin(t->next_start, when);
}

/* When a waiting job may start if no plan says otherwise. */
static double unplanned_start(const ctw_twin *t, const ctw_twin__job *j)
{
    if (!t->place_params || !ctw_twin__trusted(&t->region[j->region])) return t->now;
    double slack = j->deadline_s - t->now - j->predicted_s * t->margin;
    return slack < t->replan_s + t->plan_slot_s ? t->now : INFINITY;
}

ctw_status ctw_twin__job_arrives(ctw_twin *t, size_t job)
{
    ctw_twin__job *j = &t->job[job];
    if (j->state == CTW_JOB_FUTURE) {
        enlist(t, job);
        ctw_twin__set_start(t, j, unplanned_start(t, j));
    }
    return ctw_twin__jobs_start(t);
}

static double work_rate(const ctw_twin *t, const ctw_twin__job *j)
{
    const ctw_twin__server *s = &t->server[j->server];
    if (s->lost) return 0.0;
    return s->speed / ctw_twin__slowdown(t->klass[s->klass].level[s->level], j->membound);
}

static void progress(const ctw_twin *t, ctw_twin__job *j)
{
    j->left_s = fmax(0.0, j->left_s - (t->now - j->since_s) * j->rate);
    j->since_s = t->now;
}

ctw_status ctw_twin__job_reclock(ctw_twin *t, size_t job)
{
    ctw_twin__job *j = &t->job[job];
    progress(t, j);
    j->rate = work_rate(t, j);
    j->version++;
    if (!(j->rate > 0.0)) return CTW_OK;
    return ctw_twin__post(t, t->now + j->left_s / j->rate, CTW_EV_JOB_DONE, job, j->version);
}

static ctw_status start(ctw_twin *t, size_t job, uint32_t server)
{
    ctw_twin__job *j = &t->job[job];
    ctw_twin__server *s = &t->server[server];
    ctw_twin__account(t, s);
    s->reserved += j->cores;
    s->busy[CTW_USE_JOB] += j->cores;
    j->server = server;
    j->state = CTW_JOB_RUNS;
    j->since_s = t->now;
    j->rate = 0.0;
    if (isnan(j->start_s)) j->start_s = t->now;
    t->running[t->n_running++] = (uint32_t)job;
    return ctw_twin__job_reclock(t, job);
}

/* Must it start within a planning slot to be done in time? */
static int urgent(const ctw_twin *t, const ctw_twin__job *j)
{
    double left = j->predicted_s * (j->left_s / j->work_s) * t->margin;
    return j->deadline_s - t->now - left < t->plan_slot_s;
}

/* Starts whoever of the waiting may start and finds room, in order of arrival: the urgent ones or the others. */
static ctw_status start_some(ctw_twin *t, int want_urgent)
{
    size_t kept = 0;
    ctw_status status = CTW_OK;
    for (size_t i = 0; i < t->n_waiting; i++) {
        uint32_t job = t->waiting[i];
        ctw_twin__job *j = &t->job[job];
        ctw_twin__region *r = &t->region[j->region];
        uint32_t server = CTW_TWIN__NONE;
        int mine = !t->place_params || urgent(t, j) == want_urgent;
        if (status == CTW_OK && mine && j->planned_s <= t->now && j->cores < r->no_room) {
            server = ctw_twin__fit(t, j->region, j->cores);
            if (server == CTW_TWIN__NONE) r->no_room = want_urgent && t->place_params ? 0.0 : j->cores;
        }
        if (server == CTW_TWIN__NONE) {
            t->waiting[kept++] = job;
            t->next_start = fmin(t->next_start, j->planned_s);
        } else {
            status = start(t, job, server);
        }
    }
    t->n_waiting = kept;
    return status;
}

/* With a planner, jobs crowd into the clean hours, so those that are out of slack go first, and as long as one of
 * them finds no room nobody else of its region starts: what is freed next is for it. */
ctw_status ctw_twin__jobs_start(ctw_twin *t)
{
    if (t->next_start > t->now) return CTW_OK; /* nobody may start yet */
    t->next_start = INFINITY;
    for (size_t r = 0; r < t->n_region; r++) t->region[r].no_room = INFINITY;
    if (t->place_params) CTW_TRY(start_some(t, 1));
    return start_some(t, 0);
}

/* Takes a running job off its server. */
static void leave(ctw_twin *t, ctw_twin__job *j, size_t job)
{
    ctw_twin__server *s = &t->server[j->server];
    ctw_twin__account(t, s);
    s->reserved -= j->cores;
    s->busy[CTW_USE_JOB] -= j->cores;
    if (s->busy[CTW_USE_JOB] < 1e-9) s->busy[CTW_USE_JOB] = 0.0;
    remove_at(t->running, &t->n_running, index_of(t->running, t->n_running, job));
    j->server = CTW_TWIN__NONE;
    j->rate = 0.0;
    j->version++;
}

void ctw_twin__job_done(ctw_twin *t, size_t job)
{
    ctw_twin__job *j = &t->job[job];
    leave(t, j, job);
    j->left_s = 0.0;
    j->finish_s = t->now;
    j->state = CTW_JOB_ENDED;
}

/* Back into the waiting list with what its last checkpoint holds; it may start again at once. */
static void requeue(ctw_twin *t, uint32_t job)
{
    ctw_twin__job *j = &t->job[job];
    progress(t, j);
    leave(t, j, job);
    j->left_s = j->work_s - floor((j->work_s - j->left_s) / t->checkpoint_s) * t->checkpoint_s;
    enlist(t, job);
    ctw_twin__set_start(t, j, unplanned_start(t, j));
}

ctw_status ctw_twin__jobs_lost(ctw_twin *t, size_t server)
{
    for (size_t i = 0; i < t->n_running;) {
        uint32_t job = t->running[i];
        if (t->job[job].server == server)
            requeue(t, job);
        else
            i++;
    }
    return ctw_twin__jobs_start(t);
}

void ctw_twin__make_room(ctw_twin *t, size_t server, double cores)
{
    const ctw_twin__server *s = &t->server[server];
    for (size_t i = t->n_running; i-- > 0 && t->klass[s->klass].cores - s->reserved < cores - 1e-9;)
        if (t->job[t->running[i]].server == server) requeue(t, t->running[i]);
}
