/* verify_reserve.c: the reserve tested anew, by the rule in ctw_place_solve's manual and without the solvers' code:
 * every loss is played through on the host's rows. */
#include "place/verify_reserve.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

typedef struct player {
    const ctw_place *p;
    const uint8_t *on;
    size_t servers, r;
    size_t *first;         /* nodes + 1 */
    int32_t *row, *group;  /* servers: their row; the first of those that are lost together */
    ctw_place__spot *list; /* of services, by slot, then in the order in which they look for places */
    size_t n, cap;
    double *use;    /* servers x r, services of the slot */
    int32_t *moved; /* list: where the lost ones went */
    int64_t missing;
} player;

static int32_t flat(const player *v, const ctw_place__spot *x)
{
    return (int32_t)(v->first[x->node_row] + (size_t)x->server);
}

static int cmp_spot(const void *pa, const void *pb, void *user)
{
    const player *v = user;
    const ctw_place *p = v->p;
    const ctw_place__spot *a = pa, *b = pb;
    int32_t g = v->group[flat(v, a)], h = v->group[flat(v, b)];
    if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
    if (g != h) return g < h ? -1 : 1;
    const double *d = p->jobs.demand + (size_t)a->job_row * p->jobs.r,
                 *e = p->jobs.demand + (size_t)b->job_row * p->jobs.r;
    for (size_t j = 0; j < p->jobs.r; j++) {
        if (d[j] != e[j]) return d[j] > e[j] ? -1 : 1;
    }
    if (a->job_row != b->job_row) return a->job_row < b->job_row ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static void use_of(player *v, int32_t job, int32_t server, int sign)
{
    for (size_t j = 0; j < v->r; j++)
        v->use[(size_t)server * v->r + j] += sign * v->p->jobs.demand[(size_t)job * v->r + j];
}

static int may_run(const player *v, int32_t job, int32_t server)
{
    const ctw_place *p = v->p;
    size_t j = (size_t)job, i = (size_t)v->row[server];
    int64_t home = ctw_place__i64(p->jobs.region, j, -1), type = ctw_place__i64(p->jobs.type, j, -1);
    if (home >= 0 && !ctw_place__flag(p->jobs.movable, j) && ctw_place__i64(p->nodes.region, i, 0) != home) return 0;
    return type < 0 || ctw_place__i64(p->nodes.type, i, 0) == type;
}

static int has_room(const player *v, int32_t job, int32_t server)
{
    const ctw_place *p = v->p;
    size_t i = (size_t)v->row[server];
    double watts = ctw_place__f64(p->nodes.idle, i, 0);
    for (size_t j = 0; j < v->r; j++) {
        double use = v->use[(size_t)server * v->r + j] + p->jobs.demand[(size_t)job * v->r + j];
        double cap = p->nodes.cap[i * v->r + j];
        if (use > cap * (1 + 2e-9)) return 0;
        if (p->nodes.watt) watts += use * p->nodes.watt[i * v->r + j];
    }
    return watts <= ctw_place__f64(p->nodes.cap_w, i, INFINITY) * (1 + 2e-9);
}

/* May one more of x's row run on the server? Replicas of the slot [from, to) count, and those moved since [at, i). */
static int under_limit(const player *v, size_t from, size_t to, size_t at, size_t i, int32_t server)
{
    int64_t job = v->list[i].job_row, most = ctw_place__i64(v->p->jobs.spread, (size_t)job, 0), n = 0;
    if (most <= 0) return 1;
    for (size_t q = from; q < to; q++) n += v->list[q].job_row == job && flat(v, v->list + q) == server;
    for (size_t q = at; q < i; q++) n += v->list[q].job_row == job && v->moved[q] == server;
    return n < most;
}

/* The group of replicas [a, b) of the slot [from, to) is lost: 1 when everybody finds a place. */
static int survives(player *v, size_t from, size_t to, size_t a, size_t b)
{
    const ctw_place__spot *x = v->list + a;
    int32_t lost = v->group[flat(v, x)], n = (int32_t)v->servers;
    size_t i = a;
    for (; i < b; i++) {
        int32_t job = v->list[i].job_row, s = 0;
        for (; s < n; s++) {
            if (!v->on[(size_t)x->slot * v->servers + (size_t)s] || v->group[s] == lost) continue;
            if (may_run(v, job, s) && has_room(v, job, s) && under_limit(v, from, to, a, i, s)) break;
        }
        if (s == n) break;
        v->moved[i] = s;
        use_of(v, job, s, 1);
    }
    for (size_t q = a; q < i; q++) use_of(v, v->list[q].job_row, v->moved[q], -1);
    return i == b;
}

static void play_slot(player *v, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) use_of(v, v->list[i].job_row, flat(v, v->list + i), 1);
    for (size_t a = from, b; a < to; a = b) {
        int32_t group = v->group[flat(v, v->list + a)];
        for (b = a; b < to && v->group[flat(v, v->list + b)] == group; b++) {
        }
        v->missing += !survives(v, from, to, a, b);
    }
    for (size_t i = from; i < to; i++) memset(v->use + (size_t)flat(v, v->list + i) * v->r, 0, v->r * sizeof(double));
}

static void form_groups(player *v)
{
    const ctw_place__nodes *d = &v->p->nodes;
    for (size_t i = 0; i < d->n; i++) {
        int64_t rack = v->p->opt.reserve == CTW_PLACE_RESERVE_RACK ? ctw_place__i64(d->rack, i, -1) : -1;
        size_t other = 0;
        while (other < i && (rack < 0 || d->rack[other] != rack || v->first[other] == v->first[other + 1])) other++;
        for (size_t s = v->first[i]; s < v->first[i + 1]; s++) {
            v->row[s] = (int32_t)i;
            v->group[s] = (int32_t)(rack < 0 ? s : v->first[other]);
        }
    }
}

static ctw_status play(player *v, const ctw_solution *s)
{
    ctw_ctx *ctx = v->p->h.ctx;
    ctw_place__walk w = {.s = s};
    ctw_place__spot x;
    while (ctw_place__next(&w, &x)) {
        if (!v->p->jobs.kind || v->p->jobs.kind[x.job_row] != CTW_JOB_SERVICE) continue;
        CTW_TRY(ctw_base__grow(ctx, (void **)&v->list, &v->cap, v->n + 1, sizeof *v->list));
        v->list[v->n++] = x;
    }
    ctw_num__sort_by(v->list, v->n, sizeof *v->list, cmp_spot, v);
    v->moved = CTW_NEW(ctx, v->n, int32_t);
    if (!v->moved) return CTW_E_NOMEM;
    for (size_t a = 0, b; a < v->n; a = b) {
        for (b = a; b < v->n && v->list[b].slot == v->list[a].slot; b++) {
        }
        play_slot(v, a, b);
    }
    return CTW_OK;
}

ctw_status ctw_place__verify_reserve(const ctw_place *p, const ctw_solution *s, const uint8_t *on, int64_t *missing)
{
    ctw_ctx *ctx = p->h.ctx;
    player v;
    memset(&v, 0, sizeof v);
    v.p = p;
    v.on = on;
    v.r = p->jobs.r;
    v.servers = s->servers;
    v.first = CTW_NEW(ctx, p->nodes.n + 1, size_t);
    v.row = CTW_NEW(ctx, v.servers, int32_t);
    v.use = CTW_NEW(ctx, v.servers * v.r, double);
    v.group = CTW_NEW(ctx, v.servers, int32_t);
    ctw_status e = v.first && v.row && v.use && v.group ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; i < p->nodes.n && e == CTW_OK; i++) {
        v.first[i + 1] = v.first[i] + (size_t)ctw_place__i64(p->nodes.count, i, 1);
    }
    if (e == CTW_OK) {
        form_groups(&v);
        e = play(&v, s);
    }
    *missing = v.missing;
    void *all[] = {v.first, v.row, v.use, v.group, v.moved, v.list};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(ctx, all[i]);
    return e;
}
