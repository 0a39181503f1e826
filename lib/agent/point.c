/* point.c: a state as sparse features, checked once at the door, and the values of all actions there. */
#include "agent/input.h"
#include "agent/kernel.h"
#include <math.h>
#include <string.h>

static ctw_status read_state(int64_t states, const double *phi, ctw_agent__point *p, const char *fn)
{
    double s = phi[0];
    if (!(s >= 0 && s < (double)states) || s != floor(s))
        return ctw_base__fail(isnan(s) ? CTW_E_NONFINITE : CTW_E_RANGE,
                              "%s: state is %g, must be a whole number in 0..%lld", fn, s, (long long)(states - 1));
    p->idx[0] = (uint32_t)s;
    p->n = 1;
    p->unit = 1;
    p->norm2 = 1.0;
    return CTW_OK;
}

static void sum_squares(ctw_agent__point *p)
{
    double s = 0.0;
    for (size_t i = 0; i < p->n; i++) s += p->val[i] * p->val[i];
    p->norm2 = s > 0 ? s : 1.0;
}

ctw_status ctw_agent__input_read(const ctw_agent__input *in, const double *phi, uint64_t n, ctw_agent__point *p,
                                 const char *fn)
{
    if (n != in->dims)
        return ctw_base__fail(CTW_E_SHAPE, "%s: n is %llu, must be %zu", fn, (unsigned long long)n, in->dims);
    CTW_TRY(ctw_base__need(phi, fn, "phi"));
    if (in->form == CTW_AGENT_TABULAR) return read_state(in->states, phi, p, fn);
    double worst = 0.0;
    for (size_t i = 0; i < in->dims; i++) {
        double m = fabs(phi[i]);
        if (!(m <= worst)) worst = m; /* NaN stays */
        if (!(m <= CTW_AGENT_MAX_INPUT)) break;
    }
    if (!(worst <= CTW_AGENT_MAX_INPUT))
        return ctw_base__all_in(phi, n, 1, -CTW_AGENT_MAX_INPUT, CTW_AGENT_MAX_INPUT, fn, "phi");
    p->unit = 0;
    if (in->features) {
        p->n = ctw_features__encode(in->features, phi, p->idx, p->val);
        if (in->features->unit) {
            p->unit = 1;
            p->norm2 = (double)p->n;
            return CTW_OK;
        }
    } else {
        p->n = 0;
        for (size_t i = 0; i < in->dims; i++)
            if (phi[i] != 0.0) {
                p->idx[p->n] = (uint32_t)i;
                p->val[p->n++] = phi[i];
            }
    }
    sum_squares(p);
    return CTW_OK;
}

ctw_status ctw_agent__point_read(const ctw_agent *a, const double *phi, uint64_t n, ctw_agent__point *p, const char *fn)
{
    if (!a->w)
        return ctw_base__fail(CTW_E_STATE,
                              "%s: the agent has no features: set option features or call "
                              "ctw_agent_set_features",
                              fn);
    ctw_agent__input in = {a->o.form, a->o.states, a->dims, a->features};
    return ctw_agent__input_read(&in, phi, n, p, fn);
}

int ctw_agent__point_same(const ctw_agent__point *x, const ctw_agent__point *y)
{
    if (x->n != y->n || x->unit != y->unit || memcmp(x->idx, y->idx, x->n * sizeof *x->idx) != 0) return 0;
    for (size_t i = 0; !x->unit && i < x->n; i++)
        if (x->val[i] != y->val[i]) return 0;
    return 1;
}

void ctw_agent__point_copy(ctw_agent__point *to, const ctw_agent__point *from)
{
    memcpy(to->idx, from->idx, from->n * sizeof *to->idx);
    if (!from->unit) memcpy(to->val, from->val, from->n * sizeof *to->val);
    to->n = from->n;
    to->unit = from->unit;
    to->norm2 = from->norm2;
}

/* Double Q decides on the mean of its two tables. */
static void double_q(const ctw_agent *a, const ctw_agent__point *p, double *q)
{
    for (size_t k = 0; k < a->stride; k++) q[k] = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        const double *x = a->w + (size_t)p->idx[i] * a->block, *y = x + a->rows * a->block;
        double v = p->unit ? 1.0 : p->val[i];
        for (size_t k = 0; k < a->stride; k++) q[k] += v * (x[k] + y[k]);
    }
    for (size_t k = 0; k < a->stride; k++) q[k] = a->o.initial + 0.5 * q[k];
}

void ctw_agent__q(const ctw_agent *a, const ctw_agent__point *p, double *q)
{
    if (a->tables == 2)
        double_q(a, p, q);
    else
        ctw_agent__q_plain(a, p, ctw_agent__shape_of(a, p), q);
}

double ctw_agent__pair(const ctw_agent *a, const ctw_agent__point *p, int64_t action)
{
    double trace;
    return ctw_agent__q_pair(a, p, ctw_agent__shape_of(a, p), action, &trace);
}
