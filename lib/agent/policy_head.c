/* policy_head.c: softmax and Gaussian heads: everything that knows what kind of distribution an action comes from. What
 * a head learns is told through gradients with respect to its outputs, so the algorithms are the same for both. */
#include "agent/policy_internal.h"
#include <math.h>

#define LOGP_FLOOR (-700.0) /* log of the smallest probability that is told apart from 0 */

double ctw_policy__critic(const ctw_policy *p, const ctw_agent__point *x)
{
    const double *v = p->w + ctw_policy__critic_at(p);
    double s = 0.0;
    for (size_t i = 0; i < x->n; i++) s += ctw_policy__feature(x, i) * v[x->idx[i]];
    return s;
}

static void softmax(ctw_policy__dist *d, const uint8_t *allowed)
{
    double top = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < d->k; j++)
        if ((!allowed || allowed[j]) && d->z[j] > top) top = d->z[j];
    for (size_t j = 0; j < d->k; j++) sum += d->p[j] = !allowed || allowed[j] ? exp(d->z[j] - top) : 0.0;
    for (size_t j = 0; j < d->k; j++) d->p[j] /= sum;
}

void ctw_policy__at(const ctw_policy *p, const ctw_agent__point *x, const uint8_t *allowed, ctw_policy__dist *d)
{
    d->k = p->k;
    d->gaussian = p->o.head == CTW_POLICY_GAUSSIAN;
    for (size_t j = 0; j < d->k; j++) d->z[j] = 0.0;
    for (size_t i = 0; i < x->n; i++) {
        const double *row = p->w + (size_t)x->idx[i] * d->k, v = ctw_policy__feature(x, i);
        for (size_t j = 0; j < d->k; j++) d->z[j] += v * row[j];
    }
    if (!d->gaussian) {
        softmax(d, allowed);
        return;
    }
    for (size_t j = 0; j < d->k; j++) d->p[j] = exp(p->w[p->n_theta + j]);
}

double ctw_policy__logp(const ctw_policy__dist *d, int64_t action, const double *u)
{
    double s = 0.0;
    if (!d->gaussian) {
        double q = d->p[action];
        return q > 0.0 ? log(q) : LOGP_FLOOR;
    }
    for (size_t j = 0; j < d->k; j++) {
        double t = (u[j] - d->z[j]) / d->p[j];
        s -= 0.5 * t * t + log(d->p[j]) + 0.91893853320467274178;
    }
    return s;
}

void ctw_policy__score(const ctw_policy__dist *d, int64_t action, const double *u, double *c, double *e)
{
    for (size_t j = 0; j < d->k; j++) {
        if (!d->gaussian) {
            c[j] = ((int64_t)j == action ? 1.0 : 0.0) - d->p[j];
            continue;
        }
        double t = (u[j] - d->z[j]) / d->p[j];
        c[j] = t / d->p[j];
        e[j] = t * t - 1.0;
    }
}

double ctw_policy__entropy(const ctw_policy__dist *d, double amount, double *c, double *e)
{
    double h = 0.0;
    if (d->gaussian) {
        for (size_t j = 0; j < d->k; j++) {
            h += log(d->p[j]) + 1.41893853320467274178;
            e[j] += amount;
        }
        return h;
    }
    for (size_t j = 0; j < d->k; j++) h -= d->p[j] > 0.0 ? d->p[j] * log(d->p[j]) : 0.0;
    for (size_t j = 0; amount != 0.0 && j < d->k; j++)
        if (d->p[j] > 0.0) c[j] -= amount * d->p[j] * (log(d->p[j]) + h);
    return h;
}

void ctw_policy__draw(ctw_policy *p, const ctw_policy__dist *d, ctw_policy__deed *out)
{
    if (d->gaussian)
        for (size_t j = 0; j < d->k; j++) out->u[j] = d->z[j] + d->p[j] * ctw_num__rng_normal(&p->rng);
    else {
        double left = ctw_num__rng_uniform(&p->rng);
        for (size_t j = 0; j < d->k; j++)
            if (d->p[j] > 0.0) { /* the last possible one takes what rounding leaves */
                out->action = (int64_t)j;
                if ((left -= d->p[j]) < 0.0) break;
            }
    }
    out->logp = ctw_policy__logp(d, out->action, out->u);
}

void ctw_policy__mode(const ctw_policy__dist *d, ctw_policy__deed *out)
{
    size_t best = 0;
    for (size_t j = 0; j < d->k; j++) {
        if (d->gaussian) out->u[j] = d->z[j];
        if (d->p[j] > d->p[best]) best = j;
    }
    out->action = d->gaussian ? 0 : (int64_t)best;
    out->logp = ctw_policy__logp(d, out->action, out->u);
}
