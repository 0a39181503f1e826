/* sgd.c: linear machines by averaged stochastic subgradient steps on the hinge loss (Pegasos: Shalev-Shwartz, Singer,
 * Srebro & Cotter 2011; averaging of the later half: Rakhlin, Shamir & Sridharan 2012), the learner FIRM uses.
 * Minimises lambda/2 |w|^2 + mean of c_i max(0, 1 - y w'x) with lambda = 1 / sum of c, which is the dual problem's
 * primal divided by sum of c. The multipliers stay zero: there is no dual point. */
#include "base/ctx.h"
#include "num/rng.h"
#include "svm/svm_internal.h"
#include <math.h>
#include <string.h>

#define SGD_MODULE 0x53564753u

typedef struct sgd {
    const ctw_svm__problem *p;
    double *v, *avg;                 /* w = scale * v, d + 1 values with the bias's weight; average */
    double scale, total, bias, late; /* total: weight of all rows seen; late: see one() */
    double mean;                     /* weight of a row */
    uint64_t t;
} sgd;

static double value(const sgd *s, size_t i, const double *w)
{
    const ctw_svm__rows *x = s->p->x;
    return ctw_svm__rows_dot(x, s->p->row[i], w, x->d) + s->bias * w[x->d];
}

static void add(sgd *s, size_t i, double a)
{
    const ctw_svm__rows *x = s->p->x;
    for (size_t p = x->start[s->p->row[i]]; p < x->start[s->p->row[i] + 1]; p++) s->v[x->col[p]] += a * x->val[p];
    s->v[x->d] += a * s->bias;
}

/* Folds the scale into v, so that it cannot underflow. */
static void rescale(sgd *s)
{
    for (size_t k = 0; k <= s->p->x->d; k++) s->v[k] *= s->scale;
    s->scale = 1;
}

/* A step on row i: shrink by (1 - 1/t'), then add c_i y / (mean c lambda t') where the margin is short. t' starts
 * one epoch late, so that the first steps are not longer than the solution. */
static void one(sgd *s, size_t i)
{
    double lambda = 1 / s->total, eta = 1 / (lambda * ((double)++s->t + s->late));
    double f = s->scale * value(s, i, s->v);
    s->scale *= 1 - eta * lambda;
    if (s->scale < 1e-9) rescale(s);
    if (s->p->y[i] * f < 1) add(s, i, eta * s->p->y[i] * s->p->c[i] / s->mean / s->scale);
}

static ctw_status epochs(const ctw_svm__run *run, sgd *s, uint32_t *order, ctw_svm__solution *out)
{
    ctw_num__rng g;
    uint64_t passes = s->p->w0 ? 1 : run->opts->epochs, from = passes / 2, n = 0;
    size_t d = s->p->x->d + 1;
    ctw_num__rng_init(&g, ctw_base__seed(run->ctx), SGD_MODULE, run->opts->stream);
    for (size_t i = 0; i < s->p->n; i++) order[i] = (uint32_t)i;
    for (uint64_t e = 0; e < passes; e++) {
        CTW_TRY(ctw_svm__tick(run, e, NAN));
        for (size_t k = 0; k < s->p->n; k++) {
            size_t j = k + (size_t)ctw_num__rng_below(&g, s->p->n - k);
            uint32_t t = order[j];
            order[j] = order[k];
            order[k] = t;
            one(s, t);
            if (e < from || k % 16) continue;
            n++;
            for (size_t q = 0; q < d; q++) s->avg[q] += (s->scale * s->v[q] - s->avg[q]) / (double)n;
        }
    }
    out->iterations = passes;
    return CTW_OK;
}

/* From zero, or from where an earlier call stopped: its rows count towards lambda and the step length. */
static void begin(sgd *s)
{
    const ctw_svm__problem *p = s->p;
    for (size_t i = 0; i < p->n; i++) s->total += p->c[i];
    s->mean = s->total / (double)p->n;
    s->late = (double)p->n;
    if (!p->w0) return;
    memcpy(s->v, p->w0, (p->x->d + 1) * sizeof *s->v);
    s->total += p->seen0;
    s->t = p->steps0;
}

/* Primal objective 1/2 |w|^2 + sum of c_i hinge_i. */
static void conclude(const sgd *s, ctw_svm__solution *out)
{
    double v = 0;
    for (size_t k = 0; k <= s->p->x->d; k++) v += s->avg[k] * s->avg[k] / 2;
    for (size_t i = 0; i < s->p->n; i++) v += s->p->c[i] * fmax(0, 1 - s->p->y[i] * value(s, i, s->avg));
    out->objective = v;
    out->converged = 1;
    out->steps = s->t;
    out->seen = s->total;
    out->bias = s->avg[s->p->x->d] * s->bias;
}

ctw_status ctw_svm__sgd(const ctw_svm__run *run, ctw_svm__problem *p, ctw_svm__solution *out)
{
    sgd s = {.p = p, .scale = 1, .bias = run->opts->bias};
    uint32_t *order = CTW_NEW(run->ctx, p->n, uint32_t);
    memset(out, 0, sizeof *out);

    s.v = CTW_NEW(run->ctx, p->x->d + 1, double);
    s.avg = CTW_NEW(run->ctx, p->x->d + 1, double);
    ctw_status st = order && s.v && s.avg ? CTW_OK : CTW_E_NOMEM;
    if (st == CTW_OK) {
        begin(&s);
        st = epochs(run, &s, order, out);
    }
    if (st == CTW_OK) {
        conclude(&s, out);
        out->w = s.avg;
        s.avg = NULL;
    }
    ctw_base__free(run->ctx, s.v);
    ctw_base__free(run->ctx, s.avg);
    ctw_base__free(run->ctx, order);
    return st;
}
