/**
 * @file serving.h
 * A discrete-event simulator of LLM serving, to try a queue policy on one's own lengths and arrivals
 * before trusting it: instances with one request at a time, batches that end with their longest member, or
 * continuous batching; first come first served, shortest predicted first with and without ageing, and rivals. The twin
 * and ctw-bench queue stand on it.
 *
 * Cost model (that of the SSJF paper, arXiv:2404.08509): a request takes
 * const_s + prefill_s * input tokens + token_s * output tokens. With option crowd_s each other request of its instance
 * makes an output token take that much longer (the model of exec.h); with kv_tokens the running requests of an
 * instance share so much memory, in which each holds its input and what it has written: who does not fit waits, and
 * when memory runs out the one that was let in last starts again (as in vLLM's recomputation).
 */
#ifndef CYBERTWIN_SERVING_H
#define CYBERTWIN_SERVING_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A simulated service; keeps no state between runs. Threads: any number of runs in parallel. */
typedef struct ctw_serving ctw_serving;

/**
 * New service. Options of kind "serving": "batching" none|dynamic|continuous, "batch", "instances", "policy"
 * (fcfs|sjf|ssjf|guarded|strict|auto|srpt|hrrn|mlfq|random|psrpt), "ageing", "tail", "const_s", "prefill_s", "token_s",
 * "crowd_s", "kv_tokens" (continuous only),
 * "quantum_s", "warmup", "stream". params NULL: all defaults.
 */
CTW_API ctw_status ctw_serving_new(ctw_ctx *ctx, const ctw_params *params, ctw_serving **out);
/** One more owner; returns s. */
CTW_API ctw_serving *ctw_serving_ref(ctw_serving *s);
/** One owner less; the last one frees it. */
CTW_API void ctw_serving_unref(ctw_serving *s);

/**
 * Requests a second that the service can take under first come first served when requests look like these n >= 1:
 * instances * batch / mean time, or batch / the mean of the longest of a batch when batching is "dynamic"; about
 * that when crowd_s or kv_tokens bind. `input` may be NULL.
 */
CTW_API ctw_status ctw_serving_capacity(const ctw_serving *s, const double *input, const double *output, uint64_t n,
                                        double *per_second);
/**
 * Arrival times from 0 with Gamma gaps of mean 1/rate and coefficient of variation cv (1: Poisson). `sorted` puts the
 * gaps in ascending order, as the published SSJF code does: the first jobs then come as one burst. The
 * stream is drawn from the context's seed, the option "stream" and `draw`.
 */
CTW_API ctw_status ctw_serving_arrivals(const ctw_serving *s, double rate, double cv, int32_t sorted, uint64_t draw,
                                        double *arrival, uint64_t n);

/**
 * Runs n requests: `arrival` ascending, `input` (may be NULL) and `output` tokens, `predicted` output tokens
 * (NULL: the truth). Report: "jct_mean", "jct_p50", "jct_p95", "jct_p99", "jct_max" (seconds from arrival to end),
 * "slowdown_mean", "makespan_s", "throughput" (requests a second over the whole run), "throughput25" (a quarter
 * of them by the time that many had ended, the measure of the SSJF paper; not a sustained rate), "preemptions" (also
 * for want of memory), "kv_peak" (most tokens that an instance held, 0 without crowd_s and kv_tokens), "ageing" (at the
 * end), and the series "jct_s". CTW_E_RANGE for a time before the one before it.
 */
CTW_API ctw_status ctw_serving_run(const ctw_serving *s, const double *arrival, const double *input,
                                   const double *output, const double *predicted, uint64_t n, ctw_cancel *cancel,
                                   ctw_report **out);
/**
 * The same by the protocol of the published SSJF code on one instance: rounds of at most "batch" jobs, jobs that
 * waited over 100 s or ten times their true time go first, the last job to arrive may be left out, "continuous" stops
 * the whole batch when its shortest member ends. Policies fcfs, sjf and ssjf only. For comparison with the paper, not
 * for planning.
 */
CTW_API ctw_status ctw_serving_run_paper(const ctw_serving *s, const double *arrival, const double *output,
                                         const double *predicted, uint64_t n, ctw_report **out);

#ifdef __cplusplus
}
#endif
#endif
