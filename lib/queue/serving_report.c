/* serving_report.c: what a run amounts to. */
#include "base/report.h"
#include "num/sort.h"
#include "num/stats.h"
#include "queue/serving_internal.h"
#include <math.h>

/* A quarter of the jobs over the time at which that many had ended: the published get_throughput. */
static double throughput25(const double *end, size_t n)
{
    size_t quarter = (size_t)(0.25 * (double)(n - 1));
    return end[quarter] > 0 ? (double)quarter / end[quarter] : 0;
}

static ctw_status fill(const ctw_serving__run *r, double *jct, double *end, ctw_report *out)
{
    size_t n = 0;
    double slow = 0;
    for (size_t i = r->s->warmup; i < r->n; i++) {
        if (isnan(r->end[i])) continue;
        jct[n] = r->end[i] - r->arrival[i];
        end[n] = r->end[i];
        slow += r->work[i] > 0 ? jct[n] / r->work[i] : 1;
        n++;
    }
    CTW_TRY(ctw_base__report_f64(out, "jct_mean", ctw_num__mean(jct, n)));
    CTW_TRY(ctw_base__report_series(out, "jct_s", jct, n));
    ctw_num__sort(jct, n);
    ctw_num__sort(end, n);
    CTW_TRY(ctw_base__report_f64(out, "jct_p50", ctw_num__quantile_sorted(jct, n, 0.5)));
    CTW_TRY(ctw_base__report_f64(out, "jct_p95", ctw_num__quantile_sorted(jct, n, 0.95)));
    CTW_TRY(ctw_base__report_f64(out, "jct_p99", ctw_num__quantile_sorted(jct, n, 0.99)));
    CTW_TRY(ctw_base__report_f64(out, "jct_max", jct[n - 1]));
    CTW_TRY(ctw_base__report_f64(out, "slowdown_mean", slow / (double)n));
    double span = end[n - 1] - r->arrival[r->s->warmup];
    CTW_TRY(ctw_base__report_f64(out, "makespan_s", span));
    CTW_TRY(ctw_base__report_f64(out, "throughput", span > 0 ? (double)n / span : 0));
    CTW_TRY(ctw_base__report_f64(out, "throughput25", throughput25(end, n)));
    CTW_TRY(ctw_base__report_f64(out, "preemptions", r->preemptions));
    CTW_TRY(ctw_base__report_f64(out, "kv_peak", r->kv_peak));
    return ctw_base__report_f64(out, "ageing", r->ageing);
}

ctw_status ctw_serving__report(const ctw_serving__run *r, ctw_report **out)
{
    double *jct = ctw_base__alloc(r->ctx, r->n, sizeof *jct);
    double *end = ctw_base__alloc(r->ctx, r->n, sizeof *end);
    ctw_report *made = NULL;
    ctw_status s = jct && end ? ctw_base__report_new(r->ctx, &made) : CTW_E_NOMEM;
    if (!s) s = fill(r, jct, end, made);
    ctw_base__free(r->ctx, jct);
    ctw_base__free(r->ctx, end);
    if (s)
        ctw_report_unref(made);
    else
        *out = made;
    return s;
}
