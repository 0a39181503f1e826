/* shift.c: see shift.h. */
#include "rca/shift.h"
#include "rca/features.h"
#include "rca/sample.h"
#include <math.h>

/* A share of 1 / (4 FORM) of the calls in another form is as much as it takes to be held guilty for it. */
#define FORM 10.0

static double log_ratio(double now, double past)
{
    return log((now + CTW_RCA_OFFSET_US) / (past + CTW_RCA_OFFSET_US));
}

/* Standard error of the difference between the mean of n calls and the reference's. */
static double error_of_mean(const ctw_rca__past_op *past, int col, double n)
{
    double m = (double)past->count, var = past->var[col];
    if (col == PAST_ERROR || col == PAST_CALLER_ERROR) { /* never certain from finitely many calls */
        double p = (m * past->mean[col] + 1) / (m + 2);
        var = p * (1 - p);
    }
    return sqrt(var * (1 / n + 1 / m));
}

/* Adds k calls whose mean differs by v from the reference's, with the error of that. */
static void add_mean(ctw_rca__mean *m, double k, double v, double error)
{
    m->sum += k * v;
    m->var += k * error * k * error;
}

/* Mean of a column over the group's calls. */
static double mean_of(const ctw_rca__window *w, const ctw_rca__group *g, int col, double *scratch)
{
    ctw_rca__sample s = ctw_rca__sample_group(w, g, col, scratch);
    return s.sum / (double)s.n;
}

static void add_counts(ctw_rca__shift *s, const ctw_rca__window *w, const ctw_rca__group *g,
                       const ctw_rca__past_op *past, double *scratch)
{
    double k = (double)(g->end - g->begin), mean = past->mean[PAST_SPANS];
    double now = mean_of(w, g, PAST_SPANS, scratch);
    if (now > 0 && mean > 0) add_mean(&s->spans, k, log(now / mean), error_of_mean(past, PAST_SPANS, k) / mean);
    mean = past->mean[PAST_OUT] + 0.1;
    double v = log((mean_of(w, g, PAST_OUT, scratch) + 0.1) / mean);
    add_mean(&s->out, k, v, error_of_mean(past, PAST_OUT, k) / mean);
    v = mean_of(w, g, PAST_ERROR, scratch) - past->mean[PAST_ERROR];
    add_mean(&s->error, k, v, error_of_mean(past, PAST_ERROR, k));
    v = mean_of(w, g, PAST_CALLER_ERROR, scratch) - past->mean[PAST_CALLER_ERROR];
    add_mean(&s->caller_error, k, v, error_of_mean(past, PAST_CALLER_ERROR, k));
}

void ctw_rca__shift_add(ctw_rca__shift *s, const ctw_rca__window *w, const ctw_rca__group *g,
                        const ctw_rca__past_op *past, double *scratch)
{
    size_t n = g->end - g->begin;
    double k = (double)n, above, ranks;
    if (n < 3 || past->count < 5) return;
    s->calls += k;
    for (int col = 0; col < PAST_TIMES; col++) {
        ctw_rca__sample now = ctw_rca__sample_group(w, g, col, scratch);
        s->excess[col] += now.sum - k * past->mean[col];
        if (col == PAST_EXCL) {
            ctw_rca__sample_against(&now, past, &above, &ranks);
            s->above += above;
            s->rank += ranks - 0.5 * k;
            s->log_p90 += k * log_ratio(ctw_rca__sample_quantile(&now, 0.9), past->p90[PAST_EXCL]);
        }
        double shift = log_ratio(ctw_rca__sample_quantile(&now, 0.5), past->median[col]);
        s->log_median[col] += k * shift;
        if (col == PAST_EXCL && n >= 5) s->log_max = fmax(s->log_max, shift);
    }
    add_counts(s, w, g, past, scratch);
    ctw_rca__shapes shape = ctw_rca__sample_shapes(w, g);
    s->form += k * ctw_rca__shapes_differ(&shape, &past->shape);
}

/* How far a mean over k calls lies beyond its own error; with its sign. */
static double beyond(const ctw_rca__mean *m, double k)
{
    return copysign(fmax(0, fabs(m->sum) - 2 * sqrt(m->var)) / k, m->sum);
}

void ctw_rca__shift_finish(const ctw_rca__shift *s, double traces, double past_calls, double *z)
{
    double k = s->calls;
    if (k <= 0 || traces <= 0) return;
    z[FEAT_LX_SELF] = s->log_median[PAST_SELF] / k;
    z[FEAT_LX_CLI] = s->log_median[PAST_CLIENT] / k;
    z[FEAT_LX_NET] = s->log_median[PAST_NET] / k;
    z[FEAT_LX_EXCL] = s->log_median[PAST_EXCL] / k;
    z[FEAT_EX_SELF] = s->excess[PAST_SELF] / traces / 1e3;
    z[FEAT_EX_CLI] = s->excess[PAST_CLIENT] / traces / 1e3;
    z[FEAT_EX_EXCL] = s->excess[PAST_EXCL] / traces / 1e3;
    z[FEAT_EX_NET] = s->excess[PAST_NET] / traces / 1e3;
    z[FEAT_D_SPANS] = s->spans.sum / k;
    z[FEAT_D_OUT] = s->out.sum / k;
    z[FEAT_UP_FRAC] = s->above / k - 0.1;
    z[FEAT_LX_EXCL_MAX] = s->log_max;
    z[FEAT_LX_EXCL90] = s->log_p90 / k;
    z[FEAT_ERR] = s->error.sum / k;
    z[FEAT_ERR_UP] = s->caller_error.sum / k;
    z[FEAT_STRUCT] = fmax(fmax(fabs(beyond(&s->spans, k)), fabs(beyond(&s->out, k))), FORM * s->form / k);
    z[FEAT_FAIL] = fmax(0, fmax(beyond(&s->error, k), beyond(&s->caller_error, k)));
    double wz = s->rank / k * sqrt(12 * k / (1 + k / fmax(past_calls, 1)));
    z[FEAT_WZ_EXCL] = copysign(log1p(fabs(wz)), wz);
}
