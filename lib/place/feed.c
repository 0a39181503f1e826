/* feed.c: see feed.h. The tariff of a region in a slot maximises
 *   lambda P - F*(lambda) - (lambda - anchor)^2 / (2 scale),
 * the method of multipliers for the convex cost F of a draw P (Rockafellar 1976): F costs nothing up to `level`, the
 * intensity beyond it, and no more than the cap is possible. As F is piecewise linear that is a clamp. */
#include "place/feed.h"
#include <math.h>
#include <string.h>

/* Share of the cap by which the draw must exceed it for the tariff to rise by the intensity, per sweep; and how far it
 * may rise. Chosen on seed 21 of the generator with 100 and 1,000 servers. */
#define GIVE    0.8
#define HIGHEST 20

/* Packing draws more than divisible servers would: this share of a cap is left to it. Chosen on seeds 21 to 23. */
#define UNUSED 0.008

/* Tariffs stay above this share of the intensity, as nothing has a price where power has none. */
#define LOWEST 1e-3

static double full_watts(const ctw_place__inst *in, size_t k)
{
    double w = in->class[k].idle;
    for (size_t j = 0; j < in->r; j++) w += in->watt[k * in->r + j] * in->cap[k * in->r + j];
    return fmin(w, in->class[k].cap_w);
}

/* Classes that the market cannot tell apart. */
static int alike(const ctw_place__inst *in, size_t a, size_t b)
{
    const ctw_place__class *x = in->class + a, *y = in->class + b;
    return x->pool == y->pool && x->idle == y->idle && x->startup == y->startup && x->embodied == y->embodied &&
           memcmp(in->cap + a * in->r, in->cap + b * in->r, in->r * sizeof(double)) == 0 &&
           memcmp(in->watt + a * in->r, in->watt + b * in->r, in->r * sizeof(double)) == 0;
}

void ctw_place__feed_counts(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t k = 0; k < in->classes; k++) m->count[k] = in->class[k].n;
    for (size_t f = in->regions; f < in->feeds; f++) {
        double all = 0;
        for (size_t k = 0; k < in->classes; k++) all += in->class[k].feed == f ? in->class[k].n * full_watts(in, k) : 0;
        for (size_t k = 0; k < in->classes; k++) {
            if (in->class[k].feed == f && all > in->feed_cap[f]) m->count[k] *= in->feed_cap[f] / all;
        }
    }
    for (size_t k = 0; k < in->classes; k++) {
        size_t first = 0;
        while (!alike(in, first, k)) first++;
        m->alike[k] = 0;
        m->alike[first] += m->count[k];
    }
}

void ctw_place__feeds_free(ctw_place__market *m)
{
    ctw_place__feeds *x = m->feeds;
    if (!x) return;
    ctw_place__dispatcher_free(&x->d);
    void *all[] = {x->tariff, x->anchor,     x->sum,   x->keep,  x->best, x->worth,
                   x->draw,   x->class_draw, x->extra, x->scale, x};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(m->in->ctx, all[i]);
    m->feeds = NULL;
}

/* The scale of a region's tariffs: from its cap where it has one, else from what its servers draw at most. */
static void fill_scale(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t g = 0; g < in->regions; g++) {
        double all = 0, mean = 0;
        for (size_t k = 0; k < in->classes; k++) all += in->class[k].region == g ? m->count[k] * full_watts(in, k) : 0;
        for (size_t t = 0; t < in->slots; t++) mean += in->gram[g * in->slots + t] / (double)in->slots;
        for (size_t t = 0; t < in->slots; t++)
            m->feeds->scale[g * in->slots + t] = mean / fmax(1e-9, GIVE * fmin(all, in->feed_cap[g]));
    }
}

ctw_status ctw_place__feeds_new(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    size_t n = in->regions * in->slots;
    if (!in->capped && !in->on_site) return CTW_OK;
    ctw_place__feeds *x = m->feeds = CTW_NEW(in->ctx, 1, ctw_place__feeds);
    if (!x) return CTW_E_NOMEM;
    x->tariff = ctw_base__dup(in->ctx, in->gram, n, sizeof(double));
    x->anchor = ctw_base__dup(in->ctx, in->gram, n, sizeof(double));
    x->best = ctw_base__dup(in->ctx, in->gram, n, sizeof(double));
    x->keep = CTW_NEW(in->ctx, n, double);
    x->sum = CTW_NEW(in->ctx, n, double);
    x->worth = CTW_NEW(in->ctx, n, double);
    x->draw = CTW_NEW(in->ctx, n, double);
    x->scale = CTW_NEW(in->ctx, n, double);
    x->extra = CTW_NEW(in->ctx, in->slots, double);
    x->class_draw = CTW_NEW(in->ctx, in->classes * in->slots, double);
    if (!x->tariff || !x->anchor || !x->best || !x->keep || !x->sum || !x->worth || !x->draw || !x->scale ||
        !x->extra || !x->class_draw) {
        return CTW_E_NOMEM;
    }
    fill_scale(m);
    return ctw_place__dispatcher_new(in->ctx, in->slots, in->hours, &x->d);
}

/* Gives the region's classes the tariff. */
static void charge(ctw_place__market *m, size_t region, size_t t, double tariff)
{
    const ctw_place__inst *in = m->in;
    m->feeds->tariff[region * in->slots + t] = tariff;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].region != region) continue;
        double *gram = m->gram + k * in->slots + t;
        m->fixed[k * in->slots + t] += (tariff - *gram) * in->class[k].idle;
        *gram = tariff;
    }
}

/* Where the slope of a draw's cost changes, and the slopes after. */
typedef struct kinks {
    double at[4], slope[5];
    size_t n;
} kinks;

static void add_kink(kinks *k, double at, double slope)
{
    k->at[k->n] = at;
    k->slope[++k->n] = slope;
}

/* Cost of one slot's draw when charge is worth `worth` a Wh: up to supply less the store's power nothing, then the
 * charge that the store does not get, then what it gives, then the grid. */
static kinks kinks_of(const ctw_place__market *m, size_t region, size_t at)
{
    const ctw_place__inst *in = m->in;
    const ctw_place__store *s = in->store && in->store[region].capacity > 0 ? in->store + region : NULL;
    double gram = in->gram[at], supply = in->supply ? in->supply[at] : 0, cap = in->feed_cap[region];
    kinks k = {.slope = {LOWEST * gram}, .n = 0};
    if (!in->supply && !s) k.slope[0] = gram;
    if (s) {
        double worth = m->feeds->worth[at], low = LOWEST * gram;
        add_kink(&k, supply - s->power, fmin(gram, fmax(low, s->efficiency * worth * in->hours)));
        add_kink(&k, supply, fmin(gram, fmax(low, (worth + s->wear) * in->hours)));
        add_kink(&k, supply + s->power, gram);
    } else if (in->supply) {
        add_kink(&k, supply, gram);
    }
    if (isfinite(cap)) add_kink(&k, (1 - UNUSED) * cap, HIGHEST * gram);
    return k;
}

static double follow(const ctw_place__market *m, size_t region, size_t t)
{
    const ctw_place__feeds *x = m->feeds;
    size_t at = region * m->in->slots + t;
    kinks k = kinks_of(m, region, at);
    for (size_t i = 0; i < k.n; i++) {
        double here = x->anchor[at] + x->scale[at] * (x->draw[at] - k.at[i]);
        if (here < k.slope[i + 1]) return fmax(here, k.slope[i]);
    }
    return k.slope[k.n];
}

int ctw_place__feed_follow(ctw_place__market *m, size_t cell)
{
    const ctw_place__inst *in = m->in;
    size_t pool = cell / in->slots, t = cell % in->slots, region = 0;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].pool != pool) continue;
        double *mine = m->feeds->class_draw + k * in->slots + t, now = ctw_place__market_watts(m, k, t);
        region = in->class[k].region;
        m->feeds->draw[region * in->slots + t] += now - *mine;
        *mine = now;
    }
    double next = follow(m, region, t), old = m->feeds->tariff[region * in->slots + t];
    if (fabs(next - old) <= 1e-7 * old) return 0;
    charge(m, region, t, next);
    return 1;
}

/* A unit of demand at price mu draws mu / lambda watts at the margin, since all costs are those of watts (but for
 * embodied carbon); they raise the tariff by scale each, and the price by mu / lambda of that. */
void ctw_place__feed_bend(ctw_place__market *m, size_t cell)
{
    const ctw_place__inst *in = m->in;
    size_t t = cell % in->slots, r = m->r, k = 0;
    while (in->class[k].pool != cell / in->slots) k++;
    size_t at = in->class[k].region * in->slots + t;
    double tariff = m->feeds->tariff[at];
    kinks kink = kinks_of(m, in->class[k].region, at);
    for (size_t i = 0; i <= kink.n; i++) {
        if (tariff == kink.slope[i]) return;
    }
    const double *mu = m->price + cell * r;
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < r; j++)
            m->slope[cell * r * r + i * r + j] += m->feeds->scale[at] * (mu[i] / tariff) * (mu[j] / tariff);
    }
}

void ctw_place__feed_look(ctw_place__market *m)
{
    for (size_t i = 0; m->feeds && i < m->in->regions * m->in->slots; i++) m->feeds->sum[i] += m->feeds->tariff[i];
}

void ctw_place__feed_forget(ctw_place__market *m)
{
    if (m->feeds) memset(m->feeds->sum, 0, m->in->regions * m->in->slots * sizeof(double));
}

void ctw_place__feed_set(ctw_place__market *m, const double *tariff)
{
    for (size_t i = 0; m->feeds && i < m->in->regions * m->in->slots; i++)
        charge(m, i / m->in->slots, i % m->in->slots, tariff[i]);
}

void ctw_place__feed_average(ctw_place__market *m, size_t n)
{
    ctw_place__feeds *x = m->feeds;
    if (!x) return;
    memcpy(x->keep, x->tariff, m->in->regions * m->in->slots * sizeof(double));
    for (size_t i = 0; i < m->in->regions * m->in->slots; i++) x->anchor[i] = x->sum[i] / (double)n;
    ctw_place__feed_set(m, x->anchor);
}

void ctw_place__feed_record(ctw_place__market *m)
{
    if (m->feeds) memcpy(m->feeds->best, m->feeds->tariff, m->in->regions * m->in->slots * sizeof(double));
}

void ctw_place__feed_restore(ctw_place__market *m)
{
    if (m->feeds) ctw_place__feed_set(m, m->feeds->keep);
}

static double energy_part(const ctw_place__market *m, size_t at)
{
    return fmin(m->feeds->tariff[at], m->in->gram[at]);
}

static int has_store(const ctw_place__inst *in, size_t g)
{
    return in->store && in->store[g].capacity > 0;
}

void ctw_place__feed_learn(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t g = 0; m->feeds && g < in->regions; g++) {
        size_t row = g * in->slots;
        double value;
        if (!has_store(in, g)) continue;
        if (ctw_place__dispatch(&m->feeds->d, in->store + g, m->feeds->draw + row, in->supply ? in->supply + row : NULL,
                                in->gram + row, &value) != CTW_OK) {
            m->feeds->failed = 1;
            return;
        }
        for (size_t t = 0; t < in->slots; t++) {
            double *worth = m->feeds->worth + row + t;
            *worth = *worth > 0 ? (*worth + m->feeds->d.worth[t]) / 2 : m->feeds->d.worth[t];
        }
    }
}

/* What caps give back, and supply at the tariffs. */
static double feed_terms(const ctw_place__market *m, int with_supply)
{
    const ctw_place__inst *in = m->in;
    double sum = 0;
    for (size_t i = 0; i < in->regions * in->slots; i++) {
        double over = m->feeds->tariff[i] - in->gram[i];
        if (over > 0) sum -= over * in->feed_cap[i / in->slots];
        if (with_supply && in->supply) sum -= energy_part(m, i) * in->supply[i];
    }
    return sum;
}

double ctw_place__feed_value(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    if (!m->feeds) return 0;
    double sum = feed_terms(m, 1), *price = m->feeds->extra;
    for (size_t g = 0; g < in->regions; g++) {
        double value;
        if (!has_store(in, g)) continue;
        for (size_t t = 0; t < in->slots; t++) price[t] = energy_part(m, g * in->slots + t);
        if (ctw_place__dispatch(&m->feeds->d, in->store + g, NULL, NULL, price, &value) != CTW_OK) {
            m->feeds->failed = 1;
            return -INFINITY;
        }
        sum += value;
    }
    return sum;
}

double ctw_place__feed_plan_value(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    if (!m->feeds) return 0;
    if (!in->on_site) return feed_terms(m, 0);
    double sum = feed_terms(m, 0);
    for (size_t g = 0; g < in->regions; g++) {
        size_t row = g * in->slots;
        double value = 0;
        if (has_store(in, g) &&
            ctw_place__dispatch(&m->feeds->d, in->store + g, m->feeds->draw + row, in->supply ? in->supply + row : NULL,
                                in->gram + row, &value) != CTW_OK) {
            m->feeds->failed = 1;
        }
        for (size_t t = row; t < row + in->slots; t++) {
            double net = fmax(0, m->feeds->draw[t] - (in->supply ? in->supply[t] : 0));
            sum -= energy_part(m, t) * m->feeds->draw[t];
            if (!has_store(in, g)) value += in->gram[t] * net;
        }
        sum += value;
    }
    return sum;
}

double ctw_place__feed_guide(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    if (!m->feeds || !in->on_site) return 0;
    size_t n = in->regions * in->slots;
    memcpy(m->feeds->keep, m->feeds->tariff, n * sizeof(double));
    for (size_t i = 0; i < n; i++) in->guide[i] = m->feeds->tariff[i] = fmin(m->feeds->best[i], in->gram[i]);
    double value = ctw_place__feed_value(m);
    memcpy(m->feeds->tariff, m->feeds->keep, n * sizeof(double));
    return value;
}

double ctw_place__feed_share(const ctw_place__market *m, size_t region, size_t slot)
{
    size_t at = region * m->in->slots + slot;
    return m->feeds && m->in->gram[at] > 0 ? fmin(1, m->feeds->tariff[at] / m->in->gram[at]) : 1;
}

/* Watts that the rack's servers draw when each that earns at the prices and multiplier is on. */
static double rack_draw(const ctw_place__market *m, size_t f, size_t t, double extra)
{
    const ctw_place__inst *in = m->in;
    double sum = 0;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].feed != f) continue;
        const double *mu = m->price + (in->class[k].pool * in->slots + t) * m->r;
        double gram = m->gram[k * in->slots + t] + extra, watts = in->class[k].idle;
        double profit = -m->fixed[k * in->slots + t] - extra * in->class[k].idle;
        for (size_t j = 0; j < m->r; j++) {
            double w = in->watt[k * in->r + m->res[j]], cap = in->cap[k * in->r + m->res[j]], gain = mu[j] - gram * w;
            if (gain <= 0) continue;
            profit += cap * gain;
            watts += cap * w;
        }
        if (profit > 0) sum += in->class[k].n * watts;
    }
    return sum;
}

double ctw_place__feed_rack(const ctw_place__market *m, size_t f)
{
    const ctw_place__inst *in = m->in;
    double sum = 0;
    for (size_t t = 0; t < in->slots; t++) {
        double lo = 0, hi = 0;
        m->feeds->extra[t] = 0;
        if (rack_draw(m, f, t, 0) <= in->feed_cap[f]) continue;
        for (hi = 1e-9; rack_draw(m, f, t, hi) > in->feed_cap[f] && hi < 1e12; hi *= 4) {
        }
        for (int i = 0; i < 40; i++) {
            double mid = (lo + hi) / 2;
            if (rack_draw(m, f, t, mid) > in->feed_cap[f]) {
                lo = mid;
            } else {
                hi = mid;
            }
        }
        m->feeds->extra[t] = hi;
        sum += hi * in->feed_cap[f];
    }
    return sum;
}
