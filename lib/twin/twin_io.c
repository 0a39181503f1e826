/* twin_io.c: saving, loading and cloning. One walk over the state serves both directions, so that what is written
 * and what is read cannot disagree; twin_check.c then makes sure that a loaded state is one a twin can be in. */
#include "io/saving.h"
#include "twin/twin_internal.h"
#include "twin/twin_params.h"
#include <math.h>
#include <string.h>

#define TAG_PARAMS CTW_FOUR('P', 'R', 'M', 'S')
#define TAG_STATE  CTW_FOUR('S', 'T', 'A', 'T')
#define TAG_AGENTS CTW_FOUR('A', 'G', 'T', 'S') /* missing in files of versions before the agents */

/* Either w or r is set: the direction. */
typedef struct codec {
    ctw_ctx *ctx;
    ctw_io__writer *w;
    ctw_io__reader *r;
    ctw_status s; /* first failure that is not the reader's or the writer's own */
} codec;

static void f64(codec *c, double *v)
{
    if (c->w)
        ctw_io__put_f64(c->w, *v);
    else
        *v = ctw_io__get_f64(c->r);
}

static void u32(codec *c, uint32_t *v)
{
    if (c->w)
        ctw_io__put_u32(c->w, *v);
    else
        *v = ctw_io__get_u32(c->r);
}

static void u64(codec *c, uint64_t *v)
{
    if (c->w)
        ctw_io__put_u64(c->w, *v);
    else
        *v = ctw_io__get_u64(c->r);
}

static void i64(codec *c, int64_t *v)
{
    if (c->w)
        ctw_io__put_i64(c->w, *v);
    else
        *v = ctw_io__get_i64(c->r);
}

static void whole(codec *c, int *v)
{
    uint32_t u = (uint32_t)*v;
    u32(c, &u);
    *v = (int)(u & 1u);
}

static void f64s(codec *c, double *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) f64(c, list[i]);
}

/* A count whose elements take at least `least` bytes of the file each; what it sizes is bounded by the file. */
static void count(codec *c, size_t *n, size_t least)
{
    if (c->w)
        ctw_io__put_u64(c->w, *n);
    else
        *n = c->s == CTW_OK ? ctw_io__get_count(c->r, least) : 0;
}

/* n elements of zeroed memory when reading. */
static int room(codec *c, void **p, size_t n, size_t size)
{
    if (c->w) return 1;
    *p = ctw_base__calloc(c->ctx, n ? n : 1, size);
    if (*p) return 1;
    c->s = CTW_E_NOMEM;
    return 0;
}

static void vec(codec *c, double **v, size_t *n)
{
    count(c, n, 8);
    if (c->w)
        ctw_io__put_f64s(c->w, *v, *n);
    else if (room(c, (void **)v, *n, sizeof **v))
        for (size_t i = 0; i < *n; i++) f64(c, *v + i);
    else
        *n = 0;
}

static void indices(codec *c, uint32_t **v, size_t *n, size_t *cap)
{
    count(c, n, 4);
    if (!room(c, (void **)v, *n, sizeof **v)) {
        *n = 0;
        return;
    }
    for (size_t i = 0; i < *n; i++) u32(c, *v + i);
    if (c->r) *cap = *n;
}

typedef void (*visit_fn)(codec *c, void *item);

static void list(codec *c, void **items, size_t *n, size_t *cap, size_t size, size_t least, visit_fn visit)
{
    count(c, n, least);
    if (!room(c, items, *n, size)) {
        *n = 0;
        return;
    }
    if (c->r) *cap = *n;
    for (size_t i = 0; i < *n; i++) visit(c, (char *)*items + i * size);
}

/* ---- parts inside ---- */

typedef ctw_status (*save_fn)(const void *h, void *buf, uint64_t cap, uint64_t *need);
typedef ctw_status (*load_fn)(ctw_ctx *ctx, const void *buf, uint64_t len, void **out);

static void part_out(codec *c, const void *h, save_fn save)
{
    uint64_t need = 0;
    ctw_status s = h ? save(h, NULL, 0, &need) : CTW_OK;
    ctw_io__put_u64(c->w, need);
    void *buf = s == CTW_OK && h ? ctw_base__alloc(c->ctx, 1, (size_t)need) : NULL;
    if (buf) s = save(h, buf, need, &need);
    if (buf && s == CTW_OK) ctw_io__put_raw(c->w, buf, (size_t)need);
    if (h && !buf && s == CTW_OK) s = CTW_E_NOMEM;
    ctw_base__free(c->ctx, buf);
    if (s != CTW_OK && c->s == CTW_OK) c->s = s;
}

static void part(codec *c, void **h, save_fn save, load_fn load)
{
    if (c->w) {
        part_out(c, *h, save);
        return;
    }
    size_t n = c->s == CTW_OK ? ctw_io__get_count(c->r, 1) : 0;
    if (n == 0 || c->r->failed) return;
    const unsigned char *bytes = ctw_io__get_raw(c->r, n);
    if (bytes) c->s = load(c->ctx, bytes, n, h);
}

#define PART_FUNCTIONS(type)                                                               \
    static ctw_status save_##type(const void *h, void *buf, uint64_t cap, uint64_t *need)  \
    {                                                                                      \
        return type##_save_mem(h, buf, cap, need);                                         \
    }                                                                                      \
    static ctw_status load_##type(ctw_ctx *ctx, const void *buf, uint64_t len, void **out) \
    {                                                                                      \
        type *h = NULL;                                                                    \
        ctw_status s = type##_load_mem(ctx, buf, len, &h);                                 \
        *out = h;                                                                          \
        return s;                                                                          \
    }
PART_FUNCTIONS(ctw_forecast)
PART_FUNCTIONS(ctw_guard)
PART_FUNCTIONS(ctw_watch)
PART_FUNCTIONS(ctw_power)
PART_FUNCTIONS(ctw_agent)
#define PART(c, type, h) part((c), (void **)(h), save_##type, load_##type)

/* A model that learns is copied by saving and loading it. */
static ctw_status copy_part(ctw_ctx *ctx, const void *h, save_fn save, load_fn load, void **out)
{
    uint64_t need = 0;
    CTW_TRY(save(h, NULL, 0, &need));
    void *buf = ctw_base__alloc(ctx, 1, (size_t)need);
    if (!buf) return CTW_E_NOMEM;
    ctw_status s = save(h, buf, need, &need);
    if (s == CTW_OK) s = load(ctx, buf, need, out);
    ctw_base__free(ctx, buf);
    return s;
}

ctw_status ctw_twin__copy_forecast(ctw_ctx *ctx, const ctw_forecast *f, ctw_forecast **out)
{
    return copy_part(ctx, f, save_ctw_forecast, load_ctw_forecast, (void **)out);
}

ctw_status ctw_twin__copy_agent(ctw_ctx *ctx, const ctw_agent *a, ctw_agent **out)
{
    return copy_part(ctx, a, save_ctw_agent, load_ctw_agent, (void **)out);
}

static void text_out(codec *c, const char *s)
{
    size_t n = strlen(s);
    ctw_io__put_u64(c->w, n);
    ctw_io__put_raw(c->w, s, n);
}

static void text_in(codec *c, char *buf, size_t cap)
{
    size_t n = ctw_io__get_count(c->r, 1);
    const unsigned char *p = ctw_io__get_raw(c->r, n);
    buf[0] = '\0';
    if (!p) return;
    if (n >= cap || memchr(p, 0, n))
        c->s = ctw_base__fail(CTW_E_FORMAT, "ctw_twin_load_mem: an option of %zu bytes", n);
    else
        memcpy(buf, p, n), buf[n] = '\0';
}

/* A bag of options as text; 0 entries mean that there is none. */
static void bag(codec *c, ctw_params **p, const char *kind)
{
    size_t n = *p ? (size_t)ctw_params_count(*p) : 0;
    count(c, &n, 16);
    if (c->r && n && c->s == CTW_OK) c->s = ctw_params_new(c->ctx, kind, p);
    for (size_t i = 0; i < n && c->s == CTW_OK && !(c->r && c->r->failed); i++) {
        char name[128], value[4096];
        const char *key = name;
        if (c->w) {
            c->s = ctw_params_at(*p, i, &key, NULL, NULL);
            (void)ctw_base__params_text(*p, i, value, sizeof value);
            text_out(c, key);
            text_out(c, value);
            continue;
        }
        text_in(c, name, sizeof name);
        if (c->s == CTW_OK) text_in(c, value, sizeof value);
        if (c->s == CTW_OK && !c->r->failed && ctw_params_set_text(*p, name, value) != CTW_OK)
            c->s = ctw_base__fail_in(CTW_E_FORMAT, "ctw_twin_load_mem");
    }
}

/* ---- entities ---- */

static void visit_bands(codec *c, double **mean, double **lo, double **hi, size_t *n)
{
    size_t all = *mean ? 3 * *n : 0;
    vec(c, mean, &all);
    if (c->w) return;
    *n = all / 3;
    if (all % 3 != 0) c->s = ctw_base__fail(CTW_E_FORMAT, "ctw_twin_load_mem: a forecast of %zu values", all);
    if (*n == 0) {
        ctw_base__free(c->ctx, *mean);
        *mean = NULL;
        return;
    }
    *lo = *mean + *n;
    *hi = *mean + 2 * *n;
}

static void visit_region(codec *c, void *item)
{
    ctw_twin__region *r = item;
    i64(c, &r->id);
    vec(c, &r->ci, &r->n_ci);
    f64(c, &r->step_s);
    PART(c, ctw_forecast, &r->forecast);
    PART(c, ctw_guard, &r->guard);
    PART(c, ctw_watch, &r->watch);
    for (size_t i = 0; i < CTW_TWIN__RECENT; i++) f64(c, &r->recent[i]);
    count(c, &r->n_recent, 0);
    visit_bands(c, &r->mean, &r->lo, &r->hi, &r->horizon);
    visit_bands(c, &r->day_mean, &r->day_lo, &r->day_hi, &r->n_day);
    f64(c, &r->issued_s);
    u32(c, &r->stuck);
    f64(c, &r->stuck_value);
}

static void visit_class(codec *c, void *item)
{
    ctw_twin__class *k = item;
    i64(c, &k->id);
    f64s(c, (double *const[]){&k->cores, &k->idle_w, &k->peak_w, &k->exponent}, 4);
    vec(c, &k->level, &k->n_level);
    PART(c, ctw_power, &k->power);
    if (c->w || !room(c, (void **)&k->factor, k->n_level, sizeof *k->factor)) return;
    for (size_t i = 0; i < k->n_level; i++) k->factor[i] = pow(k->level[i], k->exponent);
}

static void visit_server(codec *c, void *item)
{
    ctw_twin__server *s = item;
    i64(c, &s->id);
    uint32_t *const words[] = {&s->region, &s->klass, &s->lost, &s->level, &s->instance, &s->request};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) u32(c, words[i]);
    for (int u = 0; u < CTW_USES; u++) f64(c, &s->busy[u]);
    f64s(c, (double *const[]){&s->speed, &s->reserved, &s->since_s, &s->drained_until_s}, 4);
}

static void visit_service(codec *c, void *item)
{
    ctw_twin__service *s = item;
    i64(c, &s->id);
    uint32_t *const words[] = {&s->region, &s->components, &s->replicas, &s->first, &s->ok};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) u32(c, words[i]);
    f64s(c,
         (double *const[]){&s->cores, &s->work_s, &s->membound, &s->slo_s, &s->step_s, &s->now_rate, &s->seen_rate,
                           &s->tail, &s->since_s, &s->requests, &s->met},
         11);
    vec(c, &s->rate, &s->n_rate);
}

static void visit_replica(codec *c, void *item)
{
    ctw_twin__replica *r = item;
    uint32_t *const words[] = {&r->service, &r->component, &r->server, &r->ready};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) u32(c, words[i]);
    u64(c, &r->version);
    f64(c, &r->mean_s);
    f64(c, &r->busy);
}

static void visit_job(codec *c, void *item)
{
    ctw_twin__job *j = item;
    i64(c, &j->id);
    u32(c, &j->region);
    u32(c, &j->state);
    u32(c, &j->server);
    f64s(c,
         (double *const[]){&j->arrival_s, &j->cores, &j->work_s, &j->predicted_s, &j->deadline_s, &j->membound,
                           &j->left_s, &j->since_s, &j->rate, &j->start_s, &j->finish_s, &j->planned_s},
         12);
    u64(c, &j->version);
}

static void visit_request(codec *c, void *item)
{
    ctw_twin__request *r = item;
    f64s(c,
         (double *const[]){&r->arrival_s, &r->tokens, &r->predicted, &r->left_s, &r->since_s, &r->rate, &r->finish_s},
         7);
    u32(c, &r->state);
    u32(c, &r->server);
    u64(c, &r->version);
}

static void visit_fault(codec *c, void *item)
{
    ctw_twin__fault *f = item;
    uint32_t kind = (uint32_t)f->kind;
    u32(c, &kind);
    f->kind = (int32_t)(kind & 0xffu);
    u32(c, &f->target);
    f64s(c, (double *const[]){&f->start_s, &f->end_s, &f->magnitude, &f->recovered_s}, 4);
    u32(c, &f->active);
    u32(c, &f->hit);
    i64(c, &f->found);
}

static void visit_event(codec *c, void *item)
{
    ctw_twin__event *e = item;
    f64(c, &e->time);
    u64(c, &e->seq);
    u32(c, &e->kind);
    u32(c, &e->idx);
    u64(c, &e->version);
}

/* ---- the whole ---- */

static void visit_rng(codec *c, ctw_num__rng *g)
{
    unsigned char state[CTW_RNG_STATE];
    if (c->w) {
        ctw_num__rng_save(g, state);
        ctw_io__put_raw(c->w, state, sizeof state);
        return;
    }
    const unsigned char *p = ctw_io__get_raw(c->r, sizeof state);
    if (p && ctw_num__rng_load(g, p) != 0)
        c->s = ctw_base__fail(CTW_E_FORMAT, "ctw_twin_load_mem: a random stream in no possible state");
}

static void visit_llm(codec *c, ctw_twin__llm *l)
{
    size_t cap = 0, n = l->tail - l->head;
    f64s(c, (double *const[]){&l->base_s, &l->per_token_s, &l->membound, &l->slo_s, &l->slo_factor}, 5);
    indices(c, &l->at, &l->instances, &cap);
    uint32_t *line = l->line ? l->line + l->head : NULL;
    indices(c, &line, &n, &cap);
    if (c->w) return;
    l->line = line;
    l->head = 0;
    l->tail = n;
    l->cap = cap;
}

static void visit_counters(codec *c, ctw_twin *t)
{
    ctw_twin__counters *n = &t->count;
    uint64_t *const counts[] = {&n->events, &n->plans, &n->plan_failures,   &n->part_failures, &n->diagnoses,
                                &n->drains, &n->moves, &n->abstained_steps, &n->watched_steps, &n->gaps};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) u64(c, counts[i]);
    f64s(c, (double *const[]){&n->gap_sum, &n->gap_max, &n->plan_cpu_s, &n->diagnosed_s, &t->slot_g}, 5);
    for (int u = 0; u < CTW_USES; u++) f64s(c, (double *const[]){&t->energy_wh[u], &t->carbon_g[u], &t->slot_wh[u]}, 3);
    for (int i = 0; i < CTW_SR_COUNT; i++) {
        size_t values = t->n_series;
        vec(c, &t->series[i], &values);
        if (c->r && i > 0 && values != t->n_series && c->s == CTW_OK)
            c->s = ctw_base__fail(CTW_E_FORMAT, "ctw_twin_load_mem: series of different lengths");
        t->n_series = t->cap_series = c->r ? values : t->n_series;
    }
}

#define LIST(c, t, name, least, visit) \
    list((c), (void **)&(t)->name, &(t)->n_##name, &(t)->cap_##name, sizeof *(t)->name, (least), (visit))

static void visit_twin(codec *c, ctw_twin *t)
{
    f64(c, &t->now);
    whole(c, &t->started);
    whole(c, &t->broken);
    u32(c, &t->plan_generation);
    visit_rng(c, &t->rng);
    bag(c, &t->place_params, "place");
    bag(c, &t->queue_params, "queue");
    LIST(c, t, region, 300, visit_region);
    LIST(c, t, klass, 56, visit_class);
    LIST(c, t, server, 80, visit_server);
    LIST(c, t, service, 120, visit_service);
    LIST(c, t, replica, 40, visit_replica);
    LIST(c, t, job, 120, visit_job);
    LIST(c, t, request, 70, visit_request);
    LIST(c, t, fault, 50, visit_fault);
    indices(c, &t->waiting, &t->n_waiting, &t->cap_waiting);
    indices(c, &t->running, &t->n_running, &t->cap_running);
    visit_llm(c, &t->llm);
    list(c, (void **)&t->heap.at, &t->heap.n, &t->heap.cap, sizeof *t->heap.at, 32, visit_event);
    u64(c, &t->heap.next_seq);
    visit_counters(c, t);
}

/* After the state: what each service's agent knows and has in force. */
static void visit_agents(codec *c, ctw_twin *t)
{
    for (size_t i = 0; i < t->n_service; i++) {
        ctw_twin__service *s = &t->service[i];
        f64s(c, (double *const[]){&s->headroom, &s->rise}, 2);
        u32(c, &s->acted);
        PART(c, ctw_agent, &s->agent);
    }
    u64(c, &t->count.agent_steps);
    u64(c, &t->count.agent_shielded);
    f64(c, &t->count.headroom_sum);
}

static ctw_status encode(const ctw_twin *t, ctw_io__out *o)
{
    ctw_io__out_begin(o, t->h.ctx, CTW_TWIN__MAGIC, 1, 0);
    ctw_io__out_params(o, t->params);
    ctw_io__out_open(o, TAG_STATE, 1, 0);
    codec c = {.ctx = t->h.ctx, .w = &o->w};
    /* the walk only reads when it writes: the one place where const is cast away */
    visit_twin(&c, (ctw_twin *)(uintptr_t)t);
    ctw_io__out_close(o);
    ctw_io__out_open(o, TAG_AGENTS, 1, 0);
    visit_agents(&c, (ctw_twin *)(uintptr_t)t);
    ctw_io__out_close(o);
    return c.s;
}

/* Lists that must have room for every job, and what is derived from the rest. */
static ctw_status complete(ctw_twin *t)
{
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&t->waiting, &t->cap_waiting, t->n_job, sizeof *t->waiting));
    CTW_TRY(ctw_base__grow(t->h.ctx, (void **)&t->running, &t->cap_running, t->n_job, sizeof *t->running));
    ctw_twin__heap_build(&t->heap);
    return t->queue_params ? ctw_twin__queue_build(t) : CTW_OK;
}

static ctw_status decode_agents(ctw_twin *t, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    codec c = {.ctx = t->h.ctx, .r = &r};
    for (size_t i = 0; i < t->n_service; i++) {
        t->service[i].headroom = t->headroom;
        t->service[i].rise = 1.0;
    }
    if (!ctw_io__in_has(in, TAG_AGENTS)) return CTW_OK;
    CTW_TRY(ctw_io__in_section(in, TAG_AGENTS, &r, fn));
    visit_agents(&c, t);
    return c.s == CTW_OK ? ctw_io__in_end(&r, fn, "AGTS") : c.s;
}

static ctw_status decode(ctw_twin *t, const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_STATE, &r, fn));
    codec c = {.ctx = t->h.ctx, .r = &r};
    visit_twin(&c, t);
    if (c.s != CTW_OK) return c.s;
    CTW_TRY(ctw_io__in_end(&r, fn, "STAT"));
    CTW_TRY(decode_agents(t, in, fn));
    CTW_TRY(ctw_twin__validate(t, fn));
    return complete(t);
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_twin **out, const char *fn)
{
    static const uint32_t known[] = {TAG_PARAMS, TAG_STATE, TAG_AGENTS};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_TWIN__MAGIC, 1, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "twin", &params, fn));
    ctw_status s = ctw_twin_new(ctx, params, out);
    ctw_params_unref(params);
    return s == CTW_OK ? decode(*out, &in, fn) : s;
}

CTW_DEFINE_SAVING(ctw_twin, CTW_TWIN__MAGIC, ctw_io__any_state, encode, read_all);

/* A clone is what loading the saved state gives, with the parts that only answer shared again. */
ctw_status ctw_twin_clone(const ctw_twin *t, ctw_twin **out)
{
    static const char fn[] = "ctw_twin_clone";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    ctw_io__out o;
    ctw_twin *copy = NULL;
    CTW_TRY(ctw_base__handle_check(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    ctw_status s = encode(t, &o);
    if (s == CTW_OK) s = ctw_io__out_finish(&o);
    if (s == CTW_OK) s = ctw_twin_load_mem(t->h.ctx, o.w.data, o.w.size, &copy);
    ctw_io__out_free(&o);
    if (s != CTW_OK) return s;
    copy->rca = ctw_rca_ref(t->rca);
    for (size_t i = 0; i < t->n_klass; i++) {
        ctw_power_unref(copy->klass[i].power);
        copy->klass[i].power = ctw_power_ref(t->klass[i].power);
    }
    *out = copy;
    return CTW_OK;
}
