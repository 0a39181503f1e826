/* policy_natural.c: the natural gradient of a batch. g = mean psi A + entropy grad H; x solves (F + ridge I) x = g with
 * F = mean over the batch's states of E[psi psi'] under the policy, the expectation taken exactly: for a softmax
 * (diag(pi) - pi pi') (x) phi phi', for a Gaussian phi phi' / sd^2 and 2 for each log sd. Conjugate gradients only need
 * F times a vector, so F is never formed; no BLAS, so the bytes do not depend on it. */
#include "agent/policy_internal.h"
#include "base/cancel.h"
#include <math.h>
#include <string.h>

#define SOLVED 1e-10 /* residual over |g| at which the solve is done */

static double dot(const double *x, const double *y, size_t n)
{
    double s = 0.0;
    for (size_t i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}

static void gradient(ctw_policy *p, const ctw_policy__rolls *r, double *g)
{
    double h = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        double c[CTW_AGENT_MAX_ACTIONS], e[CTW_POLICY_MAX_REAL] = {0};
        ctw_agent__point x;
        ctw_policy__dist d;
        ctw_policy__rolls_point(r, i, &x);
        ctw_policy__at(p, &x, r->gaussian ? NULL : r->allowed + i * r->k, &d);
        ctw_policy__score(&d, r->action[i], r->gaussian ? r->u + i * r->k : NULL, c, e);
        for (size_t j = 0; j < p->k; j++) c[j] *= r->adv[i];
        for (size_t j = 0; j < p->n_sd; j++) e[j] *= r->adv[i];
        h += ctw_policy__entropy(&d, p->o.entropy, c, e);
        ctw_policy__add_actor(p, &x, c, e, 1.0 / (double)r->n, g);
    }
    p->entropy = h / (double)r->n;
}

/* to = (F + ridge I) x. */
static void fisher(const ctw_policy *p, const ctw_policy__rolls *r, const double *x, double ridge, double *to)
{
    size_t n = p->n_theta + p->n_sd;
    for (size_t i = 0; i < n; i++) to[i] = ridge * x[i] + (i < p->n_theta ? 0.0 : 2.0 * x[i]);
    for (size_t i = 0; i < r->n; i++) {
        double y[CTW_AGENT_MAX_ACTIONS] = {0}, mean = 0.0, none[CTW_POLICY_MAX_REAL] = {0};
        ctw_agent__point s;
        ctw_policy__dist d;
        ctw_policy__rolls_point(r, i, &s);
        ctw_policy__at(p, &s, r->gaussian ? NULL : r->allowed + i * r->k, &d);
        for (size_t f = 0; f < s.n; f++) {
            const double *row = x + (size_t)s.idx[f] * p->k, v = ctw_policy__feature(&s, f);
            for (size_t j = 0; j < p->k; j++) y[j] += v * row[j];
        }
        for (size_t j = 0; j < p->k; j++) mean += d.gaussian ? 0.0 : d.p[j] * y[j];
        for (size_t j = 0; j < p->k; j++) y[j] = d.gaussian ? y[j] / (d.p[j] * d.p[j]) : d.p[j] * (y[j] - mean);
        ctw_policy__add_actor(p, &s, y, none, 1.0 / (double)r->n, to);
    }
}

/* Conjugate gradients from x = 0; work: three vectors. */
static ctw_status solve(const ctw_policy *p, const ctw_policy__rolls *r, const double *g, double *x, double *work,
                        ctw_cancel *cancel, const char *fn)
{
    size_t n = p->n_theta + p->n_sd;
    double *res = work, *dir = work + n, *fd = work + 2 * n, square = dot(g, g, n), goal = SOLVED * SOLVED * square;
    for (size_t i = 0; i < n; i++) res[i] = dir[i] = g[i];
    for (int64_t k = 0; k < p->o.solve_rounds && square > goal; k++) {
        CTW_TRY(ctw_base__stopped(cancel, fn));
        fisher(p, r, dir, p->o.ridge, fd);
        double curve = dot(dir, fd, n);
        if (!(curve > 0.0)) break; /* no curvature left along it: ridge 0 and a direction F does not see */
        double a = square / curve;
        for (size_t i = 0; i < n; i++) {
            x[i] += a * dir[i];
            res[i] -= a * fd[i];
        }
        double next = dot(res, res, n), b = next / square;
        for (size_t i = 0; i < n; i++) dir[i] = res[i] + b * dir[i];
        square = next;
    }
    return CTW_OK;
}

ctw_status ctw_policy__natural(ctw_policy *p, const ctw_policy__rolls *r, ctw_cancel *cancel, const char *fn)
{
    size_t n = p->n_theta + p->n_sd;
    double *g = p->work, *x = g + n, *work = x + n;
    memset(g, 0, 5 * n * sizeof *g);
    gradient(p, r, g);
    ctw_status s = solve(p, r, g, x, work, cancel, fn);
    if (s == CTW_OK) {
        fisher(p, r, x, 0.0, work);
        double curve = dot(x, work, n), step = p->alpha_now;
        if (p->o.kl > 0.0 && 0.5 * step * step * curve > p->o.kl) step = sqrt(2.0 * p->o.kl / curve);
        p->kl = 0.5 * step * step * curve;
        for (size_t i = 0; i < n; i++) p->w[i] += step * x[i];
        ctw_policy__clamp_sd(p);
    }
    return s;
}
