/* llm.c: the LLM queue: requests wait in the ctw_queue part (shortest predicted first with ageing) or, without it,
 * in a plain line, and are answered one at a time by each instance. */
#include "twin/twin_internal.h"
#include <math.h>
#include <string.h>

double ctw_twin__own_time(const ctw_twin *t, double tokens)
{
    return t->llm.base_s + t->llm.per_token_s * tokens;
}

size_t ctw_twin__llm_waiting(const ctw_twin *t)
{
    return t->queue ? (size_t)ctw_queue_size(t->queue) : t->llm.tail - t->llm.head;
}

/* Behind all that arrived earlier; a lost request comes back to its old place. */
static ctw_status line_push(ctw_twin *t, uint32_t request)
{
    ctw_twin__llm *l = &t->llm;
    if (l->tail == l->cap && l->head > l->cap / 2) {
        memmove(l->line, l->line + l->head, (l->tail - l->head) * sizeof *l->line);
        l->tail -= l->head;
        l->head = 0;
    }
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&l->line, &l->cap, l->tail + 1, sizeof *l->line));
    size_t i = l->tail++;
    while (i > l->head && t->request[l->line[i - 1]].arrival_s > t->request[request].arrival_s) {
        l->line[i] = l->line[i - 1];
        i--;
    }
    l->line[i] = request;
    return CTW_OK;
}

/* Into the queue part, with the time by which its promise wants it answered as far as the prediction tells. */
static ctw_status queue_push(const ctw_twin *t, ctw_queue *q, uint32_t request)
{
    const ctw_twin__request *r = &t->request[request];
    double own = ctw_twin__own_time(t, r->predicted);
    CTW_TRY(ctw_queue_requeue(q, request, own, 1.0, r->arrival_s, t->now));
    return ctw_queue_set_deadline(q, request, r->arrival_s + t->llm.slo_s + t->llm.slo_factor * own);
}

static ctw_status wait_in_line(ctw_twin *t, uint32_t request)
{
    return t->queue ? queue_push(t, t->queue, request) : line_push(t, request);
}

/* The next request, NONE when nobody waits. */
static ctw_status next(ctw_twin *t, uint32_t *request)
{
    *request = CTW_TWIN__NONE;
    if (t->queue) {
        int64_t job = -1;
        CTW_TRY(ctw_queue_pop(t->queue, t->now, &job));
        if (job >= 0) *request = (uint32_t)job;
    } else if (t->llm.head < t->llm.tail) {
        *request = t->llm.line[t->llm.head++];
    }
    return CTW_OK;
}

ctw_status ctw_twin__queue_leave(ctw_twin *t)
{
    if (!t->queue) return CTW_OK;
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&t->llm.line, &t->llm.cap, t->n_request, sizeof *t->llm.line));
    t->llm.head = t->llm.tail = 0;
    for (size_t i = 0; i < t->n_request; i++)
        if (t->request[i].state == CTW_JOB_WAITS) CTW_TRY(line_push(t, (uint32_t)i));
    ctw_queue_unref(t->queue);
    t->queue = NULL;
    return CTW_OK;
}

/* The queue part failed: everybody who waits moves to the plain line. */
static ctw_status abandon_queue(ctw_twin *t, ctw_status why)
{
    CTW_TRY(ctw_twin__part_failed(t, why, "queue"));
    return ctw_twin__queue_leave(t);
}

ctw_status ctw_twin__request_reclock(ctw_twin *t, size_t request)
{
    ctw_twin__request *r = &t->request[request];
    const ctw_twin__server *s = &t->server[r->server];
    r->left_s = fmax(0.0, r->left_s - (t->now - r->since_s) * r->rate);
    r->since_s = t->now;
    r->rate = s->lost ? 0.0 : s->speed / ctw_twin__slowdown(t->klass[s->klass].level[s->level], t->llm.membound);
    r->version++;
    if (!(r->rate > 0.0)) return CTW_OK;
    return ctw_twin__post(t, t->now + r->left_s / r->rate, CTW_EV_ANSWER, request, r->version);
}

/* While instances stand idle an answer may take its time; the busier they are, the faster. */
static uint32_t level_now(ctw_twin *t, const ctw_twin__server *s)
{
    const ctw_twin__class *k = &t->klass[s->klass];
    if (!k->power) return (uint32_t)(k->n_level - 1);
    size_t busy = 0;
    for (size_t i = 0; i < t->llm.instances; i++) busy += t->server[t->llm.at[i]].request != CTW_TWIN__NONE;
    double crowd = (double)(ctw_twin__llm_waiting(t) + busy) / (double)t->llm.instances;
    return ctw_twin__level_for(k, 1.0, t->llm.membound, 1.0 + (t->llm_slowdown - 1.0) * fmax(0.0, 1.0 - crowd));
}

static ctw_status begin(ctw_twin *t, uint32_t request, uint32_t server)
{
    ctw_twin__request *r = &t->request[request];
    ctw_twin__server *s = &t->server[server];
    CTW_TRY(ctw_twin__set_clock(t, server, level_now(t, s), s->speed));
    ctw_twin__account(t, s);
    s->busy[CTW_USE_LLM] = t->klass[s->klass].cores;
    s->request = request;
    r->state = CTW_JOB_RUNS;
    r->server = server;
    r->since_s = t->now;
    r->rate = 0.0;
    r->left_s = ctw_twin__own_time(t, r->tokens);
    return ctw_twin__request_reclock(t, request);
}

static void leave(ctw_twin *t, ctw_twin__request *r)
{
    ctw_twin__server *s = &t->server[r->server];
    ctw_twin__account(t, s);
    s->busy[CTW_USE_LLM] = 0.0;
    s->request = CTW_TWIN__NONE;
    r->server = CTW_TWIN__NONE;
    r->rate = 0.0;
    r->version++;
}

ctw_status ctw_twin__dispatch(ctw_twin *t)
{
    for (size_t i = 0; i < t->llm.instances; i++) {
        uint32_t server = t->llm.at[i], request;
        const ctw_twin__server *s = &t->server[server];
        if (s->request != CTW_TWIN__NONE || !ctw_twin__usable(t, s)) continue;
        ctw_status status = next(t, &request);
        if (status != CTW_OK) {
            CTW_TRY(abandon_queue(t, status));
            CTW_TRY(next(t, &request));
        }
        if (request == CTW_TWIN__NONE) return CTW_OK;
        CTW_TRY(begin(t, request, server));
    }
    return CTW_OK;
}

static ctw_status enter(ctw_twin *t, uint32_t request)
{
    t->request[request].state = CTW_JOB_WAITS;
    ctw_status s = wait_in_line(t, request);
    if (s != CTW_OK && t->queue) return abandon_queue(t, s);
    return s;
}

ctw_status ctw_twin__request_arrives(ctw_twin *t, size_t request)
{
    CTW_TRY(enter(t, (uint32_t)request));
    return ctw_twin__dispatch(t);
}

ctw_status ctw_twin__answer(ctw_twin *t, size_t request)
{
    ctw_twin__request *r = &t->request[request];
    leave(t, r);
    r->left_s = 0.0;
    r->finish_s = t->now;
    r->state = CTW_JOB_ENDED;
    return ctw_twin__dispatch(t);
}

ctw_status ctw_twin__request_lost(ctw_twin *t, size_t server)
{
    uint32_t request = t->server[server].request;
    if (request == CTW_TWIN__NONE) return CTW_OK;
    leave(t, &t->request[request]);
    CTW_TRY(enter(t, request));
    return ctw_twin__dispatch(t);
}

ctw_status ctw_twin__queue_build(ctw_twin *t)
{
    ctw_queue *q = NULL;
    CTW_TRY(ctw_queue_new(t->h.ctx, t->queue_params, &q));
    ctw_status s = CTW_OK;
    for (size_t i = 0; s == CTW_OK && i < t->n_request; i++)
        if (t->request[i].state == CTW_JOB_WAITS) s = queue_push(t, q, (uint32_t)i);
    if (s != CTW_OK) {
        ctw_queue_unref(q);
        return s;
    }
    ctw_queue_unref(t->queue);
    t->queue = q;
    t->llm.head = t->llm.tail = 0;
    return CTW_OK;
}
