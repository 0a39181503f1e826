/**
 * @file exec.h
 * How many seconds will a request take? The model of execution times that turns predicted tokens into the seconds by
 * which a queue orders, one for each instance:
 *
 *     seconds = const + prefill * input tokens + (token + crowd * (running - 1)) * output tokens
 *
 * `running` is how many requests share the instance meanwhile, on average: 1 without batching. The coefficients begin
 * with a preset and follow the requests that finish: least squares of relative errors by recursion, old requests
 * fading, outliers bounded (Huber 1964), none below zero. The linear form is that of the SSJF paper
 * (arXiv:2404.08509); prefill and crowd are what a batching engine adds to it. See doc/queue.md.
 */
#ifndef CYBERTWIN_EXEC_H
#define CYBERTWIN_EXEC_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Execution times of the instances of one service. Threads: const functions may run in parallel, observe excludes all.
 */
typedef struct ctw_exec ctw_exec;

/**
 * New model. Options of kind "exec": "preset" (table in doc/queue.md), "const_s", "prefill_s", "token_s", "crowd_s"
 * (-1: as in the preset), "instances", "trust", "memory". params NULL: all defaults. CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_exec_new(ctw_ctx *ctx, const ctw_params *params, ctw_exec **out);
/** One more owner; returns e. */
CTW_API ctw_exec *ctw_exec_ref(ctw_exec *e);
/** One owner less; the last one frees it. */
CTW_API void ctw_exec_unref(ctw_exec *e);

/**
 * Seconds that a request of `input` and `output` tokens (0 to 1e9 each) takes on `instance` while `running` requests
 * (1 to 1e6, itself included) share it. CTW_E_RANGE. Allocates nothing, O(1).
 */
CTW_API ctw_status ctw_exec_seconds(const ctw_exec *e, int64_t instance, double input, double output, double running,
                                    double *seconds);
/**
 * Seconds of a batch of n >= 1 requests that ends with its longest (dynamic batching): the inputs are read one
 * after the other, the outputs written side by side. `input` may be NULL: none counts.
 */
CTW_API ctw_status ctw_exec_batch_seconds(const ctw_exec *e, int64_t instance, const double *input,
                                          const double *output, uint64_t n, double *seconds);
/** A finished request and the seconds > 0 it took; about 2 us. One that differs much from what its like took counts
 * little. */
CTW_API ctw_status ctw_exec_observe(ctw_exec *e, int64_t instance, double input, double output, double running,
                                    double seconds);
/** A finished batch, as in ctw_exec_batch_seconds. */
CTW_API ctw_status ctw_exec_observe_batch(ctw_exec *e, int64_t instance, const double *input, const double *output,
                                          uint64_t n, double seconds);

/** The series "const_s", "prefill_s", "token_s", "crowd_s", "observed" and "error" (median relative error of late), by
 * instance. */
CTW_API ctw_status ctw_exec_report(const ctw_exec *e, ctw_report **out);

/** Bytes of the saved model with what it has learned; sizes with buf NULL and cap 0. CTW_E_BUFFER with `*need` set when
 * cap is too small. */
CTW_API ctw_status ctw_exec_save_mem(const ctw_exec *e, void *buf, uint64_t cap, uint64_t *need);
/** Saves to a file, written beside and renamed. CTW_E_IO. */
CTW_API ctw_status ctw_exec_save_file(const ctw_exec *e, const char *path);
/** Reads a model back, which answers and learns on as the saved one. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION,
 * CTW_E_NOMEM. */
CTW_API ctw_status ctw_exec_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_exec **out);
/** Loads from a file. CTW_E_IO and whatever load_mem says. */
CTW_API ctw_status ctw_exec_load_file(ctw_ctx *ctx, const char *path, ctw_exec **out);

#ifdef __cplusplus
}
#endif
#endif
