/* market.c: the smoothed supply of a pool in a slot and the prices that clear it: minimise over prices mu in a box
 *   phi(mu) - mu'd,  phi(mu) = sum_k n_k tau_k log(1 + exp(profit_k(mu) / tau_k)),
 *   profit_k(mu) = sum_j cap_kj s(mu_j - g w_kj) - fixed_k
 * (s: softplus, or the identity where a resource draws no power), by projected Newton steps with backtracking.
 * The minimum's gradient condition says that supply equals demand, or price 0 and supply in excess. */
#include "place/market.h"
#include "place/feed.h"
#include <math.h>
#include <string.h>

enum { MAX_R = CTW_PLACE_MAX_RESOURCES, NEWTON_STEPS = 40 };

/* Demand may drift by this share of a pool's capacity before the linear prices are solved anew. */
#define DRIFT_LIMIT 0.01

/* The highest price over what the dearest server charges. */
#define HIGHEST 30

static void find_resources(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t j = 0; j < in->r; j++) {
        int used = 0;
        for (size_t f = 0; f < in->flavours && !used; f++) used = in->demand[f * in->r + j] > 0;
        if (used) m->res[m->r++] = j;
    }
}

static void fill_static(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t f = 0; f < in->flavours; f++) {
        for (size_t j = 0; j < m->r; j++) m->rate[f * m->r + j] = in->demand[f * in->r + m->res[j]];
    }
    ctw_place__feed_counts(m);
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        for (size_t j = 0; j < m->r; j++) m->scale[c->pool * m->r + j] += m->count[k] * in->cap[k * in->r + m->res[j]];
        for (size_t t = 0; t < in->slots; t++) {
            m->gram[k * in->slots + t] = ctw_place__gram(in, k, t);
            m->fixed[k * in->slots + t] = ctw_place__gram(in, k, t) * c->idle + c->embodied;
        }
    }
}

/* The highest price of a resource: HIGHEST times what the dearest server charges for a unit when it sells nothing else.
 */
static void fill_high(ctw_place__market *m)
{
    const ctw_place__inst *in = m->in;
    for (size_t k = 0; k < in->classes; k++) {
        const ctw_place__class *c = in->class + k;
        for (size_t t = 0; t < in->slots; t++) {
            for (size_t j = 0; j < m->r; j++) {
                double cap = in->cap[k * in->r + m->res[j]], *high = m->high + ((c->pool * in->slots + t) * m->r + j);
                double cost = m->fixed[k * in->slots + t];
                if (cap <= 0 || c->n == 0) continue;
                for (size_t i = 0; i < in->r; i++)
                    cost += ctw_place__gram(in, k, t) * in->watt[k * in->r + i] * in->cap[k * in->r + i];
                *high = fmax(*high, HIGHEST * cost / cap + 1e-9);
            }
        }
    }
}

ctw_status ctw_place__market_new(const ctw_place__inst *in, ctw_place__market *m)
{
    memset(m, 0, sizeof *m);
    m->in = in;
    m->theta = 0.05;
    m->give = 0.05;
    m->cells = in->pools * in->slots;
    m->res = CTW_NEW(in->ctx, in->r, size_t);
    if (!m->res) return CTW_E_NOMEM;
    find_resources(m);
    m->price = CTW_NEW(in->ctx, m->cells * m->r, double);
    m->demand = CTW_NEW(in->ctx, m->cells * m->r, double);
    m->anchor = CTW_NEW(in->ctx, m->cells * m->r, double);
    m->padding = CTW_NEW(in->ctx, m->cells * m->r, double);
    m->slope = CTW_NEW(in->ctx, m->cells * m->r * m->r, double);
    m->drift = CTW_NEW(in->ctx, m->cells, double);
    m->scale = CTW_NEW(in->ctx, in->pools * m->r, double);
    m->high = CTW_NEW(in->ctx, m->cells * m->r, double);
    m->fixed = CTW_NEW(in->ctx, in->classes * in->slots, double);
    m->theta_on = CTW_NEW(in->ctx, in->classes * in->slots, double);
    m->gram = CTW_NEW(in->ctx, in->classes * in->slots, double);
    m->count = CTW_NEW(in->ctx, in->classes, double);
    m->alike = CTW_NEW(in->ctx, in->classes, double);
    m->rate = CTW_NEW(in->ctx, in->flavours * m->r, double);
    if (!m->price || !m->demand || !m->padding || !m->anchor || !m->slope || !m->drift || !m->scale || !m->high ||
        !m->fixed || !m->theta_on || !m->gram || !m->count || !m->alike || !m->rate) {
        ctw_place__market_free(m);
        return CTW_E_NOMEM;
    }
    fill_static(m);
    fill_high(m);
    ctw_status s = ctw_place__feeds_new(m);
    if (s != CTW_OK) ctw_place__market_free(m);
    return s;
}

void ctw_place__market_free(ctw_place__market *m)
{
    if (!m->in) return;
    ctw_place__feeds_free(m);
    void *all[] = {m->count, m->alike, m->res,  m->price, m->demand, m->padding, m->anchor,  m->slope,
                   m->drift, m->scale, m->high, m->fixed, m->gram,   m->rate,    m->theta_on};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(m->in->ctx, all[i]);
    memset(m, 0, sizeof *m);
}

/* log(1+e^x) and its derivative. */
static double softplus(double x, double *sigma)
{
    if (x > 36) {
        *sigma = 1;
        return x;
    }
    double e = exp(-fabs(x));
    *sigma = x >= 0 ? 1 / (1 + e) : e / (1 + e);
    return fmax(x, 0) + log1p(e);
}

typedef struct supply {
    double value;       /* phi - mu'd */
    double grad[MAX_R]; /* supply - demand */
    double hess[MAX_R * MAX_R];
} supply;

/* Profit of one server of the class at prices mu, smoothed; its gradient and the diagonal of its Hessian. */
static double smooth_profit(const ctw_place__market *m, size_t k, size_t t, const double *mu, double *grad,
                            double *curve, double *full)
{
    const ctw_place__inst *in = m->in;
    double gram = m->gram[k * in->slots + t], fixed = m->fixed[k * in->slots + t];
    double profit = -fixed;
    *full = fixed;
    for (size_t j = 0; j < m->r; j++) {
        double cap = in->cap[k * in->r + m->res[j]], w = gram * in->watt[k * in->r + m->res[j]];
        *full += cap * w;
        if (w <= 0) {
            profit += cap * mu[j];
            grad[j] = cap;
            curve[j] = 0;
            continue;
        }
        double width = m->theta * w, sigma, s = softplus((mu[j] - w) / width, &sigma);
        profit += cap * width * s;
        grad[j] = cap * sigma;
        curve[j] = cap * sigma * (1 - sigma) / width;
    }
    return profit;
}

/* Supply jumps at the ends of a class and is vertical beyond the last server, so that no price would rest there.
 * The proximal term rate/2 (mu - anchor)^2 makes it give way; the anchor follows the prices, and the term's own
 * supply rate (mu - anchor) vanishes as they settle. */
static void add_anchor(const ctw_place__market *m, size_t cell, const double *mu, supply *out)
{
    size_t r = m->r;
    const double *scale = m->scale + cell / m->in->slots * r;
    for (size_t j = 0; j < r; j++) {
        double edge = m->high[cell * r + j] / HIGHEST, over = mu[j] - m->anchor[cell * r + j];
        if (edge <= 0) continue;
        double rate = scale[j] * m->give / edge;
        out->value += rate * over * over / 2;
        out->grad[j] += rate * over;
        out->hess[j * r + j] += rate;
    }
}

static void evaluate(const ctw_place__market *m, size_t cell, const double *mu, supply *out)
{
    const ctw_place__inst *in = m->in;
    size_t r = m->r, pool = cell / in->slots, t = cell % in->slots;
    const double *d = m->demand + cell * r;
    out->value = 0;
    memset(out->hess, 0, r * r * sizeof(double));
    for (size_t j = 0; j < r; j++) {
        out->value -= mu[j] * d[j];
        out->grad[j] = -d[j];
    }
    for (size_t k = 0; k < in->classes; k++) {
        double grad[MAX_R], curve[MAX_R], full, sigma;
        if (in->class[k].pool != pool || m->alike[k] <= 0) continue;
        double profit = smooth_profit(m, k, t, mu, grad, curve, &full);
        double width = m->theta * fmax(full, 1e-12), n = m->alike[k], s = softplus(profit / width, &sigma);
        out->value += n * width * s;
        double bend = n * sigma * (1 - sigma) / width;
        for (size_t i = 0; i < r; i++) {
            out->grad[i] += n * sigma * grad[i];
            out->hess[i * r + i] += n * sigma * curve[i];
            for (size_t j = 0; j < r; j++) out->hess[i * r + j] += bend * grad[i] * grad[j];
        }
    }
    add_anchor(m, cell, mu, out);
}

/* Inverse of the rows and columns of h marked free, by Gauss-Jordan; zero elsewhere. `lift` keeps it regular. */
static void invert(const double *h, const int *is_free, const double *lift, size_t r, double *inv)
{
    double a[MAX_R * MAX_R];
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < r; j++) {
            a[i * r + j] = is_free[i] && is_free[j] ? h[i * r + j] : i == j;
            inv[i * r + j] = i == j;
        }
        if (is_free[i]) a[i * r + i] = a[i * r + i] * (1 + 1e-9) + lift[i];
    }
    for (size_t c = 0; c < r; c++) {
        double pivot = a[c * r + c];
        for (size_t j = 0; j < r; j++) {
            a[c * r + j] /= pivot;
            inv[c * r + j] /= pivot;
        }
        for (size_t i = 0; i < r; i++) {
            double f = a[i * r + c];
            if (i == c || f == 0) continue;
            for (size_t j = 0; j < r; j++) {
                a[i * r + j] -= f * a[c * r + j];
                inv[i * r + j] -= f * inv[c * r + j];
            }
        }
    }
    for (size_t i = 0; i < r; i++) {
        if (!is_free[i]) memset(inv + i * r, 0, r * sizeof(double));
    }
}

/* A Newton step within the box; returns 0 when the prices stand. */
static int step(const ctw_place__market *m, size_t cell, double *mu, supply *at, const double *inv)
{
    size_t r = m->r;
    const double *high = m->high + cell * r;
    double move[MAX_R], next[MAX_R], size = 0;
    for (size_t i = 0; i < r; i++) {
        move[i] = 0;
        for (size_t j = 0; j < r; j++) move[i] -= inv[i * r + j] * at->grad[j];
        double most = 0.3 * (mu[i] + 0.03 * high[i]);
        move[i] = fmin(fmax(move[i], -most), most);
    }
    for (double length = 1; length > 1e-6; length /= 3) {
        supply there;
        double slope = 0;
        size = 0;
        for (size_t i = 0; i < r; i++) {
            next[i] = fmin(fmax(mu[i] + length * move[i], 0), high[i]);
            slope += at->grad[i] * (next[i] - mu[i]);
            size = fmax(size, fabs(next[i] - mu[i]) / (high[i] > 0 ? high[i] : 1));
        }
        evaluate(m, cell, next, &there);
        if (there.value <= at->value + 1e-4 * slope + 1e-14 * fabs(at->value)) {
            memcpy(mu, next, r * sizeof(double));
            *at = there;
            return size > 1e-9;
        }
    }
    return 0;
}

static void clear_cell(ctw_place__market *m, size_t cell)
{
    size_t r = m->r, pool = cell / m->in->slots;
    double *mu = m->price + cell * r, *inv = m->slope + cell * r * r, lift[MAX_R];
    const double *high = m->high + cell * r, *scale = m->scale + pool * r;
    supply at;
    m->solves++;
    m->drift[cell] = 0;
    evaluate(m, cell, mu, &at);
    for (int it = 0; it < NEWTON_STEPS; it++) {
        int is_free[MAX_R];
        double off = 0;
        for (size_t j = 0; j < r; j++) {
            is_free[j] = !(mu[j] <= 0 && at.grad[j] > 0) && !(mu[j] >= high[j] && at.grad[j] < 0) && high[j] > 0;
            lift[j] = high[j] > 0 ? 1e-4 * scale[j] / high[j] : 1;
            if (is_free[j]) off = fmax(off, fabs(at.grad[j]) / fmax(scale[j], 1e-12));
        }
        invert(at.hess, is_free, lift, r, inv);
        if (off < 1e-5 || !step(m, cell, mu, &at, inv)) return;
    }
}

void ctw_place__market_solve(ctw_place__market *m, size_t cell)
{
    clear_cell(m, cell);
    if (!m->feeds) return;
    if (ctw_place__feed_follow(m, cell)) clear_cell(m, cell);
    ctw_place__feed_bend(m, cell);
}

void ctw_place__market_solve_all(ctw_place__market *m)
{
    for (size_t c = 0; c < m->cells; c++) ctw_place__market_solve(m, c);
}

void ctw_place__market_move(ctw_place__market *m, size_t cell, size_t flavour, double units)
{
    size_t r = m->r, pool = cell / m->in->slots;
    const double *d = m->rate + flavour * r, *g = m->slope + cell * r * r, *scale = m->scale + pool * r;
    double *mu = m->price + cell * r, *demand = m->demand + cell * r, moved = 0;
    for (size_t i = 0; i < r; i++) {
        double change = 0;
        for (size_t j = 0; j < r; j++) change += g[i * r + j] * d[j];
        mu[i] = fmin(fmax(mu[i] + units * change, 0), m->high[cell * r + i]);
        demand[i] += units * d[i];
        if (scale[i] > 0) moved = fmax(moved, d[i] / scale[i]);
    }
    m->drift[cell] += fabs(units) * moved;
    if (m->drift[cell] > DRIFT_LIMIT) ctw_place__market_solve(m, cell);
}

double ctw_place__market_profit(const ctw_place__market *m, size_t class, size_t slot)
{
    const ctw_place__inst *in = m->in;
    const double *mu = m->price + (in->class[class].pool * in->slots + slot) * m->r;
    double gram = m->gram[class * in->slots + slot], profit = -m->fixed[class * in->slots + slot];
    for (size_t j = 0; j < m->r; j++) {
        double cap = in->cap[class * in->r + m->res[j]], w = gram * in->watt[class * in->r + m->res[j]];
        profit += cap * fmax(0, mu[j] - w);
    }
    return profit;
}

double ctw_place__market_on(const ctw_place__market *m, size_t class, size_t slot)
{
    double grad[MAX_R], curve[MAX_R], full, sigma;
    const double *mu = m->price + (m->in->class[class].pool * m->in->slots + slot) * m->r;
    double profit = smooth_profit(m, class, slot, mu, grad, curve, &full);
    softplus(profit / (m->theta * fmax(full, 1e-12)), &sigma);
    return sigma * m->count[class];
}

double ctw_place__market_watts(const ctw_place__market *m, size_t class, size_t slot)
{
    const ctw_place__inst *in = m->in;
    double grad[MAX_R], curve[MAX_R], full, sigma, watts = in->class[class].idle;
    const double *mu = m->price + (in->class[class].pool * in->slots + slot) * m->r;
    double profit = smooth_profit(m, class, slot, mu, grad, curve, &full);
    softplus(profit / (m->theta * fmax(full, 1e-12)), &sigma);
    for (size_t j = 0; j < m->r; j++) watts += grad[j] * in->watt[class * in->r + m->res[j]];
    return sigma * m->alike[class] * watts;
}
