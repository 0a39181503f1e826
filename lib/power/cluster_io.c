/* cluster_io.c: a cluster as a file (doc/format.md, kind "CLUS"): who sleeps and since when, the load seen and what was
 * spent, so that a restarted host neither wakes everybody nor forgets how busy it was. Servers stand in the order in
 * which they are needed. The host's clock may start anew: the first update sets it, and no time has passed until then.
 */
#include "power/cluster_internal.h"

#include "io/saving.h"
#include "power/damaged.h"
#include "power/power_params.h"
#include <math.h>

enum {
    MAJOR = 1,
    MINOR = 0,
    TAG_SERVERS = CTW_FOUR('S', 'E', 'R', 'V'),
    TAG_LOAD = CTW_FOUR('L', 'O', 'A', 'D'),
    REALS = 8
};

static ctw_status write_all(const ctw_cluster *c, ctw_io__out *o)
{
    const ctw_cluster__state *s = &c->s;
    const double real[REALS] = {s->now,  s->begin,  s->mean,       s->var,
                                s->seen, s->needed, s->idle_joule, s->all_awake_joule};
    ctw_io__out_begin(o, c->h.ctx, CTW_CLUSTER_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, c->params);
    if (s->n) {
        ctw_io__out_open(o, TAG_SERVERS, 1, 0);
        ctw_io__put_u64(&o->w, s->n);
        for (size_t i = 0; i < s->n; i++) {
            const ctw_cluster__server *v = &s->at[i];
            const double of[6] = {v->capacity, v->idle, v->sleep, v->wake_s, v->wake_joule, v->since};
            ctw_io__put_f64s(&o->w, of, 6);
            ctw_io__put_u32(&o->w, (uint32_t)v->name);
            ctw_io__put_u8(&o->w, (uint8_t)v->state);
            ctw_io__put_u8(&o->w, (uint8_t)v->spare);
        }
        ctw_io__out_close(o);
        ctw_io__out_open(o, TAG_LOAD, 1, 0);
        ctw_io__put_u8(&o->w, (uint8_t)(s->started != 0));
        ctw_io__put_f64s(&o->w, real, REALS);
        ctw_io__put_i64(&o->w, s->wakes);
        ctw_io__put_i64(&o->w, s->short_sleeps);
        ctw_io__out_close(o);
    }
    return ctw_io__out_finish(o);
}

static int in(double v, double lo, double hi)
{
    return v >= lo && v <= hi;
}

/* One server; 0 when it cannot be one. `taken` marks the names seen. */
static int get_server(ctw_io__reader *r, ctw_cluster__server *v, size_t n, unsigned char *taken)
{
    double of[6] = {0};
    ctw_io__get_f64s(r, of, 6);
    uint32_t name = ctw_io__get_u32(r);
    uint8_t state = ctw_io__get_u8(r), spare = ctw_io__get_u8(r);
    if (r->failed || name >= n || taken[name] || state > CTW_CLUSTER_AWAKE || spare > 1) return 0;
    if (!in(of[0], 1e-9, 1e9) || !in(of[1], 0.0, 1e9) || !in(of[2], 0.0, 1e9) || !in(of[3], 0.0, 1e7) ||
        !in(of[4], 0.0, 1e12) || !in(of[5], -1e15, 2e15))
        return 0;
    taken[name] = 1;
    *v = ctw_cluster__server_of(name, of[0], of[1], of[2], of[3], of[4]);
    v->since = of[5];
    v->state = state;
    v->spare = spare;
    return 1;
}

static ctw_status read_servers(const ctw_io__in *in_, ctw_cluster *c, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in_, TAG_SERVERS, &r, fn));
    size_t n = ctw_io__get_count(&r, 54);
    if (r.failed || n < 1 || n > 1000000) return ctw_power__damaged(fn, "the number of servers", "cluster");
    unsigned char *taken = ctw_base__calloc(c->h.ctx, n, 1);
    c->s.at = ctw_base__alloc(c->h.ctx, n, sizeof *c->s.at);
    ctw_status s = taken && c->s.at ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; s == CTW_OK && i < n; i++)
        if (!get_server(&r, &c->s.at[i], n, taken)) s = ctw_power__damaged(fn, "a server", "cluster");
    ctw_base__free(c->h.ctx, taken);
    if (s != CTW_OK) return s;
    c->s.n = n;
    return ctw_io__in_end(&r, fn, "servers");
}

static ctw_status read_load(const ctw_io__in *in_, ctw_cluster *c, const char *fn)
{
    ctw_io__reader r;
    double real[REALS] = {0};
    ctw_cluster__state *s = &c->s;
    CTW_TRY(ctw_io__in_section(in_, TAG_LOAD, &r, fn));
    uint8_t started = ctw_io__get_u8(&r);
    ctw_io__get_f64s(&r, real, REALS);
    s->wakes = ctw_io__get_i64(&r);
    s->short_sleeps = ctw_io__get_i64(&r);
    CTW_TRY(ctw_io__in_end(&r, fn, "load"));
    int fine = started <= 1 && in(real[0], -1e15, 1e15) && in(real[1], -1e15, real[0]) && s->wakes >= 0 &&
               s->short_sleeps >= 0 && s->short_sleeps <= s->wakes;
    for (int i = 2; i < REALS; i++) fine &= in(real[i], 0.0, 1e300);
    if (!fine) return ctw_power__damaged(fn, "the load", "cluster");
    s->started = started;
    s->now = real[0];
    s->begin = real[1];
    s->mean = real[2];
    s->var = real[3];
    s->seen = real[4];
    s->needed = real[5];
    s->idle_joule = real[6];
    s->all_awake_joule = real[7];
    c->resumed = started;
    return CTW_OK;
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_cluster **out, const char *fn)
{
    static const uint32_t known[] = {CTW_FOUR('P', 'R', 'M', 'S'), TAG_SERVERS, TAG_LOAD};
    ctw_io__in in_;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in_, buf, len, CTW_CLUSTER_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in_, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in_, ctx, "cluster", &params, fn));
    ctw_status s = ctw_cluster_new(ctx, params, out);
    ctw_params_unref(params);
    if (s != CTW_OK || !ctw_io__in_has(&in_, TAG_SERVERS)) return s;
    CTW_TRY(read_servers(&in_, *out, fn));
    return read_load(&in_, *out, fn);
}

CTW_DEFINE_SAVING(ctw_cluster, CTW_CLUSTER_MAGIC, ctw_io__any_state, write_all, read_all);
