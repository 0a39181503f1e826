/* serving.c: the simulated service's handle, arrivals, capacity, and the checks before a run. */
#include "base/ctx.h"
#include "num/rng.h"
#include "num/sort.h"
#include "queue/queue_params.h"
#include "queue/serving_internal.h"
#include <math.h>

#define MOST_JOBS   16000000u
#define MOST_TOKENS 1e9

static void destroy(ctw_serving *s)
{
    (void)s;
}

CTW_DEFINE_REFS(ctw_serving, destroy)

ctw_status ctw_serving_new(ctw_ctx *ctx, const ctw_params *params, ctw_serving **out)
{
    const ctw_base__kind *k = &ctw_serving__kind;
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    CTW_TRY(ctw_base__params_check(params, k, __func__));
    ctw_serving *s = ctw_base__handle_new(ctx, sizeof *s, CTW_SERVING_MAGIC);
    if (!s) return CTW_E_NOMEM;
    s->batching = ctw_base__opt_choice(params, k, "batching");
    s->policy = ctw_base__opt_choice(params, k, "policy");
    s->batch = s->batching == CTW_SERVE_NONE ? 1 : (size_t)ctw_base__opt_i64(params, k, "batch");
    s->instances = (size_t)ctw_base__opt_i64(params, k, "instances");
    s->warmup = (size_t)ctw_base__opt_i64(params, k, "warmup");
    s->ageing = ctw_base__opt_f64(params, k, "ageing");
    s->tail = ctw_base__opt_f64(params, k, "tail");
    s->worst = ctw_base__opt_f64(params, k, "worst");
    s->constant = ctw_base__opt_f64(params, k, "const_s");
    s->prefill = ctw_base__opt_f64(params, k, "prefill_s");
    s->token = ctw_base__opt_f64(params, k, "token_s");
    s->crowd = ctw_base__opt_f64(params, k, "crowd_s");
    s->kv = (double)ctw_base__opt_i64(params, k, "kv_tokens");
    s->quantum = ctw_base__opt_f64(params, k, "quantum_s");
    s->stream = (uint64_t)ctw_base__opt_i64(params, k, "stream");
    *out = s;
    return CTW_OK;
}

static ctw_status check_tokens(const double *input, const double *output, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(n, 1, MOST_JOBS, fn, "n"));
    CTW_TRY(ctw_base__need(output, fn, "output"));
    CTW_TRY(ctw_base__all_in(output, n, 1, 0, MOST_TOKENS, fn, "output"));
    return input ? ctw_base__all_in(input, n, 1, 0, MOST_TOKENS, fn, "input") : CTW_OK;
}

static double seconds(const ctw_serving *s, const double *input, const double *output, size_t i)
{
    return s->constant + (input ? s->prefill * input[i] : 0) + s->token * output[i];
}

/* Requests that run at once under a backlog: as many as places, or as fit the memory when each holds its input and half
 * of its output, weighted by time. */
static double company(const ctw_serving *s, const double *input, const double *output, uint64_t n)
{
    double held = 0, all = 0;
    if (!(s->kv > 0)) return (double)s->batch;
    for (uint64_t i = 0; i < n; i++) {
        double work = seconds(s, input, output, (size_t)i);
        held += work * ((input ? input[i] : 0) + output[i] / 2);
        all += work;
    }
    return held > 0 ? fmin((double)s->batch, fmax(s->kv * all / held, 1)) : (double)s->batch;
}

ctw_status ctw_serving_capacity(const ctw_serving *s, const double *input, const double *output, uint64_t n,
                                double *per_second)
{
    CTW_TRY(ctw_base__need(per_second, __func__, "per_second"));
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SERVING_MAGIC, __func__, "s"));
    CTW_TRY(check_tokens(input, output, n, __func__));
    double *v = ctw_base__alloc(s->h.ctx, (size_t)n, sizeof *v), mean = 0, before = 0;
    if (!v) return CTW_E_NOMEM;
    double together = company(s, input, output, n);
    for (size_t i = 0; i < n; i++) v[i] = seconds(s, input, output, i) + s->crowd * (together - 1) * output[i];
    ctw_num__sort(v, (size_t)n);
    /* mean of the longest of k independent draws: k = batch where a batch ends with its longest, else 1 */
    double k = s->batching == CTW_SERVE_DYNAMIC ? (double)s->batch : 1;
    for (size_t i = 0; i < n; i++) {
        double upto = pow((double)(i + 1) / (double)n, k);
        mean += v[i] * (upto - before);
        before = upto;
    }
    ctw_base__free(s->h.ctx, v);
    if (!(mean > 0)) return ctw_base__fail(CTW_E_RANGE, "%s: requests take no time, so there is no limit", __func__);
    *per_second = (double)s->instances * together / mean;
    return CTW_OK;
}

ctw_status ctw_serving_arrivals(const ctw_serving *s, double rate, double cv, int32_t sorted, uint64_t draw,
                                double *arrival, uint64_t n)
{
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SERVING_MAGIC, __func__, "s"));
    CTW_TRY(ctw_base__in(rate, 1e-9, 1e9, __func__, "rate"));
    CTW_TRY(ctw_base__in(cv, 0.05, 100, __func__, "cv"));
    CTW_TRY(ctw_base__in_u64(n, 0, MOST_JOBS, __func__, "n"));
    CTW_TRY(ctw_base__need_n(arrival, n, __func__, "arrival"));
    ctw_num__rng g;
    ctw_num__rng_init(&g, ctw_base__seed(s->h.ctx) + draw * 0x9E3779B97F4A7C15u, CTW_SERVING_MAGIC, s->stream);
    double shape = 1 / (cv * cv), scale = cv * cv / rate;
    for (uint64_t i = 0; i < n; i++) arrival[i] = scale * ctw_num__rng_gamma(&g, shape);
    if (sorted) ctw_num__sort(arrival, (size_t)n);
    for (uint64_t i = 1; i < n; i++) arrival[i] += arrival[i - 1];
    return CTW_OK;
}

static void clear(ctw_serving__run *r)
{
    ctw_base__free(r->ctx, r->work);
    ctw_base__free(r->ctx, r->predicted);
    ctw_base__free(r->ctx, r->end);
}

/* What the policy may know of a job's length: nothing, the truth, or the prediction. */
static ctw_status prepare(ctw_serving__run *r, const double *input, const double *output, const double *predicted)
{
    r->work = ctw_base__alloc(r->ctx, r->n, sizeof *r->work);
    r->predicted = ctw_base__alloc(r->ctx, r->n, sizeof *r->predicted);
    r->end = ctw_base__alloc(r->ctx, r->n, sizeof *r->end);
    if (!r->work || !r->predicted || !r->end) return CTW_E_NOMEM;
    int truth = !predicted || r->s->policy == CTW_SERVE_SJF || r->s->policy == CTW_SERVE_SRPT;
    for (size_t i = 0; i < r->n; i++) {
        r->work[i] = seconds(r->s, input, output, i);
        r->predicted[i] = truth ? r->work[i] : seconds(r->s, input, predicted, i);
        r->end[i] = NAN;
    }
    return CTW_OK;
}

static ctw_status check_run(const ctw_serving *s, const double *arrival, const double *input, const double *output,
                            const double *predicted, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(s ? &s->h : NULL, CTW_SERVING_MAGIC, fn, "s"));
    CTW_TRY(check_tokens(input, output, n, fn));
    CTW_TRY(ctw_base__need(arrival, fn, "arrival"));
    CTW_TRY(ctw_base__all_finite(arrival, n, 1, fn, "arrival"));
    for (uint64_t i = 1; i < n; i++)
        if (arrival[i] < arrival[i - 1])
            return ctw_base__fail(CTW_E_RANGE, "%s: arrival[%llu] is %g, before the one before it", fn,
                                  (unsigned long long)i, arrival[i]);
    if (s->warmup >= n)
        return ctw_base__fail(CTW_E_RANGE, "%s: %zu requests of warm-up leave none of %llu", fn, s->warmup,
                              (unsigned long long)n);
    return predicted ? ctw_base__all_in(predicted, n, 1, 0, MOST_TOKENS, fn, "predicted") : CTW_OK;
}

/* A request that fits no empty instance would wait for ever. */
static ctw_status check_memory(const ctw_serving *s, const double *input, const double *output, uint64_t n,
                               const char *fn)
{
    if (!(s->kv > 0)) return CTW_OK;
    if (s->batching != CTW_SERVE_CONTINUOUS)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: kv_tokens needs batching continuous", fn);
    for (uint64_t i = 0; i < n; i++) {
        double most = (input ? ceil(input[i]) : 0) + fmax(output[i], 1);
        if (most > s->kv)
            return ctw_base__fail(CTW_E_RANGE, "%s: request %llu needs %g tokens of memory, kv_tokens is %g", fn,
                                  (unsigned long long)i, most, s->kv);
    }
    return CTW_OK;
}

typedef ctw_status (*engine)(ctw_serving__run *r);

static ctw_status simulate(const ctw_serving *s, const double *arrival, const double *input, const double *output,
                           const double *predicted, uint64_t n, const ctw_cancel *cancel, engine run, const char *fn,
                           ctw_report **out)
{
    ctw_serving__run r = {.s = s,
                          .ctx = s->h.ctx,
                          .n = (size_t)n,
                          .arrival = arrival,
                          .input = input,
                          .output = output,
                          .cancel = cancel,
                          .fn = fn};
    ctw_status status = prepare(&r, input, output, predicted);
    if (!status) status = run(&r);
    if (!status) status = ctw_serving__report(&r, out);
    clear(&r);
    return status;
}

static int preempts(const ctw_serving *s)
{
    return s->policy == CTW_SERVE_SRPT || s->policy == CTW_SERVE_PSRPT || s->policy == CTW_SERVE_MLFQ;
}

static engine engine_of(const ctw_serving *s)
{
    if (preempts(s)) return ctw_serving__run_preempt;
    int shared = s->batching == CTW_SERVE_CONTINUOUS && (s->crowd > 0 || s->kv > 0);
    return shared ? ctw_serving__run_shared : ctw_serving__run_events;
}

ctw_status ctw_serving_run(const ctw_serving *s, const double *arrival, const double *input, const double *output,
                           const double *predicted, uint64_t n, ctw_cancel *cancel, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(check_run(s, arrival, input, output, predicted, n, __func__));
    if (preempts(s) && (s->batching == CTW_SERVE_DYNAMIC || s->instances > 1))
        return ctw_base__fail(CTW_E_UNSUPPORTED,
                              "%s: preemptive policies need batching none or continuous and one instance", __func__);
    if (preempts(s) && s->batching == CTW_SERVE_CONTINUOUS && (s->crowd > 0 || s->kv > 0))
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: preemptive policies know neither crowd_s nor kv_tokens",
                              __func__);
    CTW_TRY(check_memory(s, input, output, n, __func__));
    return simulate(s, arrival, input, output, predicted, n, cancel, engine_of(s), __func__, out);
}

ctw_status ctw_serving_run_paper(const ctw_serving *s, const double *arrival, const double *output,
                                 const double *predicted, uint64_t n, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(check_run(s, arrival, NULL, output, predicted, n, __func__));
    if (s->policy > CTW_SERVE_SSJF || s->instances > 1 || s->crowd > 0 || s->kv > 0)
        return ctw_base__fail(
            CTW_E_UNSUPPORTED,
            "%s: the published protocol has fcfs, sjf and ssjf on one instance, without crowd_s and kv_tokens",
            __func__);
    CTW_TRY(ctw_base__in_u64(n, 4, 100000, __func__, "n"));
    return simulate(s, arrival, NULL, output, predicted, n, NULL, ctw_serving__run_rounds, __func__, out);
}
