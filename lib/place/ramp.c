/* ramp.c: see ramp.h. With on_t - on_{t-1} <= start_t and multiplier theta_t in [0, cost of a start], a server's fixed
 * cost in slot t becomes cost_t + theta_t - theta_{t+1}: opening for a single clean slot costs more, and staying on
 * between two such slots less. A subgradient step in every sweep. Without this the number of servers that are on
 * follows every bump of the carbon intensity, which costs start-ups and, where units must stay where they run, leaves
 * servers on that hold too little. */
#include "place/ramp.h"
#include <math.h>

/* Idle slots that emptying a server is worth where moves are bounded, the first step, how fast steps shrink, and how
 * many there are: chosen on seeds 21 to 23 of the generator with 1,000 servers. */
#define EMPTYING 0.75
#define STEP     0.3
#define SHRINK   0.5
enum { SWEEPS = 6 };

/* Where units stay, servers cannot be filled to the last: this share of a full cell is kept free. */
#define UNFILLED 0.05

static double start_cost(const ctw_place__inst *in, size_t k, size_t t)
{
    double g = ctw_place__startup_gram(in, k, t);
    if (in->opt->max_migrations < 1) g += EMPTYING * (ctw_place__gram(in, k, t) * in->class[k].idle);
    return g;
}

static void follow_class(ctw_place__market *m, size_t k, double step)
{
    const ctw_place__inst *in = m->in;
    double before = ctw_place__market_on(m, k, 0);
    for (size_t t = 1; t < in->slots; t++) {
        double on = ctw_place__market_on(m, k, t), cost = start_cost(in, k, t),
               *theta = m->theta_on + k * in->slots + t;
        double next = fmin(fmax(*theta + step * cost * (on - before) / in->class[k].n, 0), cost);
        double change = next - *theta;
        *theta = next;
        m->fixed[k * in->slots + t] += change;
        m->fixed[k * in->slots + t - 1] -= change;
        before = on;
    }
}

void ctw_place__ramp_follow(ctw_place__market *m, int round)
{
    const ctw_place__inst *in = m->in;
    for (size_t k = 0; k < in->classes; k++) {
        if (in->class[k].n > 0 && (in->class[k].startup > 0 || in->opt->max_migrations < 1))
            follow_class(m, k, STEP / (1 + SHRINK * round));
    }
}

void ctw_place__ramp_pad(ctw_place__market *m)
{
    if (m->in->opt->max_migrations >= 1) return;
    for (size_t i = 0; i < m->cells * m->r; i++) {
        double all = m->scale[i / m->r / m->in->slots * m->r + i % m->r], old = m->padding[i];
        m->padding[i] = fmax(0, fmin(UNFILLED * all, m->demand[i] - old - (1 - 2 * UNFILLED) * all));
        m->demand[i] += m->padding[i] - old;
    }
}

int ctw_place__ramp_sweeps(const ctw_place__inst *in)
{
    int some = in->opt->max_migrations < 1;
    for (size_t k = 0; k < in->classes && !some; k++) some = in->class[k].startup > 0;
    return some ? SWEEPS : 0;
}
