/* exec_fit.c: recursive, robust, non-negative least squares in four terms. Errors are relative, since a long request
 * misses by more seconds than a short one. With so few terms the best non-negative answer is found by trying
 * every set of terms that may be above zero. */
#include "queue/exec_fit.h"
#include <math.h>
#include <string.h>

#define TERMS  CTW_EXEC_TERMS
#define HUBER  2.0    /* deviations from which an error counts only in proportion to its size, not its square */
#define MAD    1.4826 /* deviation over median of the absolute errors, normal errors */
#define FIRST  0.5    /* relative error assumed before any is known */
#define WARM   16.0   /* requests after which the fit's own value scales errors */
#define STEP   0.03   /* by which the running median moves */
#define LATELY 0.05
#define LOST   0.9 /* fading when most are outliers: it is the instance that has changed */

/* The request that says how much a coefficient's departure from the preset weighs. */
static const double usual[TERMS] = {1, 200, 200, 200 * 7};

void ctw_exec__fit_init(ctw_exec__fit *f, const ctw_exec__prior *p)
{
    memset(f, 0, sizeof *f);
    memcpy(f->coef, p->coef, sizeof f->coef);
    f->error = FIRST;
}

double ctw_exec__fit_value(const ctw_exec__fit *f, const double *x)
{
    double sum = 0;
    for (unsigned i = 0; i < TERMS; i++) sum += f->coef[i] * x[i];
    return sum;
}

/* Solves for the terms of `set` by Cholesky; the others are 0. 0 when that is not possible. */
static int solve(double a[TERMS][TERMS], const double *b, unsigned set, double *w)
{
    double l[TERMS][TERMS], z[TERMS];
    unsigned t[TERMS], n = 0;
    for (unsigned i = 0; i < TERMS; i++) {
        w[i] = 0;
        if (set >> i & 1) t[n++] = i;
    }
    for (unsigned i = 0; i < n; i++) {
        double rest = b[t[i]];
        for (unsigned k = 0; k <= i; k++) {
            double v = a[t[i]][t[k]];
            for (unsigned m = 0; m < k; m++) v -= l[i][m] * l[k][m];
            if (k < i) {
                l[i][k] = v / l[k][k];
                rest -= l[i][k] * z[k];
            } else if (v > 1e-14 * a[t[i]][t[i]]) {
                l[i][i] = sqrt(v);
            } else {
                return 0;
            }
        }
        z[i] = rest / l[i][i];
    }
    for (unsigned i = n; i-- > 0;) {
        double v = z[i];
        for (unsigned k = i + 1; k < n; k++) v -= l[k][i] * w[t[k]];
        w[t[i]] = v / l[i][i];
        if (w[t[i]] < 0) return 0;
    }
    return 1;
}

/* The sums with what the preset is worth, then the best of the sets. */
static void refit(ctw_exec__fit *f, const ctw_exec__prior *p)
{
    double a[TERMS][TERMS], b[TERMS], w[TERMS], least = INFINITY, scale = 0;
    memcpy(a, f->xx, sizeof a);
    memcpy(b, f->xy, sizeof b);
    for (unsigned i = 0; i < TERMS; i++) scale += p->coef[i] * usual[i];
    for (unsigned i = 0; i < TERMS; i++) {
        double worth = p->trust * usual[i] * usual[i] / (scale * scale);
        a[i][i] += worth;
        b[i] += worth * p->coef[i];
    }
    for (unsigned set = 1; set < 1u << TERMS; set++) {
        if (!solve(a, b, set, w)) continue;
        double loss = 0;
        for (unsigned i = 0; i < TERMS; i++) loss -= b[i] * w[i]; /* w'Aw - 2b'w at a solution of Aw = b */
        if (loss >= least) continue;
        least = loss;
        memcpy(f->coef, w, sizeof f->coef);
    }
}

void ctw_exec__fit_observe(ctw_exec__fit *f, const ctw_exec__prior *p, const double *x, double y)
{
    double value = ctw_exec__fit_value(f, x), base = f->seen > WARM && value > 0 ? value : y;
    double miss = fabs(y - value) / base, bound = HUBER * MAD * f->error;
    double weight = (miss > bound ? bound / miss : 1) / (base * base);
    f->off += LATELY * ((miss > bound) - f->off);
    double fade = f->off > 0.5 ? LOST : 1 - 1 / p->memory;
    for (unsigned i = 0; i < TERMS; i++) {
        for (unsigned k = 0; k < TERMS; k++) f->xx[i][k] = fade * f->xx[i][k] + weight * x[i] * x[k];
        f->xy[i] = fade * f->xy[i] + weight * x[i] * y;
    }
    f->seen = fade * f->seen + 1;
    f->observed++;
    double step = fmax(STEP, 1 / (f->seen + 2));
    f->error = fmin(fmax(f->error * exp(miss > f->error ? step : -step), 1e-4), 10);
    refit(f, p);
}
