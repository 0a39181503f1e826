/* bandit_model.c: the regressions of a bandit's arms: recursive least squares with forgetting, and the watch on the
 * residuals. Small dense loops of our own: no BLAS call pays at a dozen dimensions, and every build gives the same
 * bits. */
#include "agent/bandit_internal.h"
#include <math.h>
#include <string.h>

#define REFRESH 1024 /* updates of an arm after which its inverse is computed afresh */

double ctw_bandit__mean(const ctw_bandit *b, size_t model, const double *u)
{
    const double *t = b->theta + model * b->d;
    double m = 0.0;
    for (size_t i = 0; i < b->d; i++) m += t[i] * u[i];
    return m;
}

double ctw_bandit__aged(const ctw_bandit *b, size_t model, double width2, double length2)
{
    double s = width2 > 0.0 ? width2 : 0.0, prior = length2 / b->ridge;
    if (b->discount >= 1.0) return s;
    s *= b->age[model];
    return s < prior ? s : prior; /* forgetting cannot leave less than the prior */
}

double ctw_bandit__width2(const ctw_bandit *b, size_t model, const double *u)
{
    size_t d = b->d;
    const double *p = b->p + model * d * d;
    double s = 0.0, length = 0.0;
    for (size_t i = 0; i < d; i++) { /* symmetric: the lower triangle twice */
        double row = 0.5 * p[i * d + i] * u[i];
        for (size_t j = 0; j < i; j++) row += p[i * d + j] * u[j];
        s += row * u[i];
        length += u[i] * u[i];
    }
    return ctw_bandit__aged(b, model, 2.0 * s, length);
}

/* P after A += u u' (Sherman and Morrison 1950). */
static void rank_one(double *p, size_t d, const double *u)
{
    double z[CTW_BANDIT_MAX_DIMS], den = 0.0;
    for (size_t i = 0; i < d; i++) {
        z[i] = 0.0;
        for (size_t j = 0; j < d; j++) z[i] += p[i * d + j] * u[j];
    }
    for (size_t i = 0; i < d; i++) den += u[i] * z[i];
    double f = 1.0 / (1.0 + den);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) p[i * d + j] -= f * z[i] * z[j];
}

int ctw_bandit__invert(ctw_bandit *b, size_t model)
{
    size_t d = b->d;
    double l[CTW_BANDIT_MAX_DIMS * CTW_BANDIT_MAX_DIMS], *p = b->p + model * d * d;
    const double *a = b->a + model * d * d;
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++) {
            double s = a[i * d + j];
            for (size_t k = 0; k < j; k++) s -= l[i * d + k] * l[j * d + k];
            if (i == j && !(s > 0.0)) return 0;
            l[i * d + j] = i == j ? sqrt(s) : s / l[j * d + j];
        }
    for (size_t c = 0; c < d; c++) { /* column c: L L' x = e_c */
        double x[CTW_BANDIT_MAX_DIMS];
        for (size_t i = 0; i < d; i++) {
            x[i] = i == c ? 1.0 : 0.0;
            for (size_t k = 0; k < i; k++) x[i] -= l[i * d + k] * x[k];
            x[i] /= l[i * d + i];
        }
        for (size_t i = d; i-- > 0;) {
            for (size_t k = i + 1; k < d; k++) x[i] -= l[k * d + i] * x[k];
            x[i] /= l[i * d + i];
        }
        for (size_t i = 0; i < d; i++) p[i * d + c] = x[i];
    }
    return 1;
}

/* A and P as before any reward. */
void ctw_bandit__clear(ctw_bandit *b, size_t model)
{
    size_t d = b->d;
    double *a = b->a + model * d * d, *p = b->p + model * d * d;
    memset(a, 0, d * d * sizeof *a);
    memset(p, 0, d * d * sizeof *p);
    for (size_t i = 0; i < d; i++) {
        a[i * d + i] = b->ridge;
        p[i * d + i] = 1.0 / b->ridge;
    }
    b->age[model] = 1.0;
}

/* Brings an arm's matrices up to the present round: A shrinks towards ridge I by what the rounds since then ask for. */
static void bring_up(ctw_bandit *b, size_t model)
{
    size_t d = b->d;
    double *a = b->a + model * d * d, keep = 1.0 / b->age[model];
    if (b->age[model] == 1.0) return;
    for (size_t i = 0; i < d * d; i++) a[i] *= keep;
    for (size_t i = 0; i < d; i++) a[i * d + i] += (1.0 - keep) * b->ridge;
    b->age[model] = 1.0;
    if (!ctw_bandit__invert(b, model)) ctw_bandit__clear(b, model);
}

/* CUSUM of the squared residual against its own mean; a residual counts once its model has seen enough. */
static int alarmed(ctw_bandit *b, size_t model, double residual, double width2)
{
    double square = residual * residual / (1.0 + width2), z;
    if (b->updates[model] < 2 * b->d) return 0;
    z = b->variance > 0.0 ? square / b->variance : 1.0;
    if (b->weight > 50.0) b->cusum += (z < 9.0 ? z : 9.0) - 2.0;
    if (b->cusum < 0.0) b->cusum = 0.0;
    b->weight = b->weight < 2000.0 ? b->weight + 1.0 : 2000.0;
    b->variance += ((z < 9.0 || b->weight < 50.0 ? square : 9.0 * b->variance) - b->variance) / b->weight;
    return b->forget_at > 0.0 && b->cusum > b->forget_at;
}

static void forget(ctw_bandit *b)
{
    for (size_t k = 0; k < b->models; k++) {
        ctw_bandit__clear(b, k);
        b->updates[k] = 0;
    }
    for (size_t k = 0; k < b->arms; k++) b->n[k] = b->sum[k] = 0.0;
    b->cusum = 0.0;
    b->alarms++;
}

void ctw_bandit__learn(ctw_bandit *b, size_t arm, const double *x, double reward)
{
    size_t d = b->d, model = b->traits ? 0 : arm;
    double *t = b->theta + model * d, *a = b->a + model * d * d, *p = b->p + model * d * d;
    double z[CTW_BANDIT_MAX_DIMS], buf[CTW_BANDIT_MAX_DIMS];
    const double *u = ctw_bandit__input(b, arm, x, buf);
    double residual = reward - ctw_bandit__mean(b, model, u);
    if (alarmed(b, model, residual, ctw_bandit__width2(b, model, u))) forget(b);
    bring_up(b, model);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) a[i * d + j] += u[i] * u[j];
    if (++b->updates[model] % REFRESH != 0)
        rank_one(p, d, u);
    else if (!ctw_bandit__invert(b, model))
        ctw_bandit__clear(b, model);
    for (size_t i = 0; i < d; i++) {
        z[i] = 0.0;
        for (size_t j = 0; j < d; j++) z[i] += p[i * d + j] * u[j];
    }
    for (size_t i = 0; i < d; i++) t[i] += z[i] * residual;
    b->sum[arm] += reward;
    b->n[arm] += 1.0;
    b->total++;
    if (b->discount >= 1.0) return;
    for (size_t k = 0; k < b->models; k++) b->age[k] = b->age[k] < 1e12 ? b->age[k] / b->discount : b->age[k];
    for (size_t k = 0; k < b->arms; k++) {
        b->n[k] *= b->discount;
        b->sum[k] *= b->discount;
    }
}
