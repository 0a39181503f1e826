/**
 * @file lengths.h
 * How long will the answer be? Predicts the number of output tokens of an LLM request from its prompt: hashed
 * words, word pairs and opening words with dense facts about the prompt, a ridge regression on the rank of the length,
 * and the distribution of lengths at each held-out score for quantiles and classes. A prediction takes about a
 * microsecond, which is what lets a queue order by it. See doc/queue.md for accuracy, transfer and limits.
 *
 * Several served models (say a 7B and a 70B) may share one handle: the prompt is read once, each model has
 * its own weights and error distribution.
 */
#ifndef CYBERTWIN_LENGTHS_H
#define CYBERTWIN_LENGTHS_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A length predictor. Prompts are bytes: any UTF-8, invalid sequences and NULs included, gives a
 * prediction, and the same bytes always the same one. Only the first and last "byte_cap" bytes are read, so time
 * is bounded. Threads: after fit or load all const functions may run in parallel; fit, observe and update exclusively.
 */
typedef struct ctw_lengths ctw_lengths;

/**
 * New untrained predictor. Options of kind "lengths": "models", "samples", "head", "bits", "ridge", "folds",
 * "byte_cap", "memory". params NULL: all defaults. CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_lengths_new(ctw_ctx *ctx, const ctw_params *params, ctw_lengths **out);
/** One more owner; returns l. */
CTW_API ctw_lengths *ctw_lengths_ref(ctw_lengths *l);
/** One owner less; the last one frees it. */
CTW_API void ctw_lengths_unref(ctw_lengths *l);

/**
 * Learns from n >= 16 finished requests. `prompt[i]` has `bytes[i]` bytes (`bytes` NULL: NUL-terminated).
 * `tokens` is a row-major matrix, one row a request, one column a served model, `stride` >= models apart; NaN
 * says that this model did not answer that prompt. With the option "samples" > 1 each model has that many columns side
 * by side, the lengths of several answers to the same prompt (some may be NaN): worth about a third more prompts.
 * Tokens must be in [0, 1e9]; each model needs 16 known ones. A failed fit leaves the predictor untrained. CTW_E_ARG,
 * CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NOMEM, CTW_E_CANCELLED, CTW_E_DEADLINE. About 1 s of CPU for 10,000 prompts.
 */
CTW_API ctw_status ctw_lengths_fit(ctw_lengths *l, const char *const *prompt, const uint64_t *bytes, uint64_t n,
                                   const double *tokens, uint64_t stride, ctw_cancel *cancel);

/**
 * Tokens that the answer to this prompt will not exceed with probability `quantile` (0.01 to 0.99; 0.5 is the point
 * prediction, the conditional median). `model` in [0, models). Allocates nothing. CTW_E_STATE before a fit.
 */
CTW_API ctw_status ctw_lengths_predict(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model,
                                       double quantile, double *tokens);
/** The same for every served model from one reading of the prompt; tokens[models]. */
CTW_API ctw_status ctw_lengths_predict_all(const ctw_lengths *l, const char *prompt, uint64_t bytes, double quantile,
                                           double *tokens);
/** Only the linear score, about the rank of the length less one half: enough to order by. */
CTW_API ctw_status ctw_lengths_score(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model,
                                     double *score);
/**
 * Most probable class when tokens are cut at ascending `edge[n_edges]` (1 to 64; class k holds edge[k-1] <= tokens <
 * edge[k]), and its probability, which may be NULL. One edge is the binary short/long decision. With edge NULL
 * and n_edges 0 the cut is the one learnt from: the five classes of SSJF, whose edges are the p25/p50/p75/p99 of the
 * lengths in the fit (series "edges" of the report), or short and long at their median with the head "binary". The head
 * "classes" then asks a head of each class, one against the rest; all others go by the distribution at the score.
 */
CTW_API ctw_status ctw_lengths_class(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model,
                                     const double *edge, uint64_t n_edges, int64_t *cls, double *probability);

/**
 * Keeps a finished request for the next update and at once shifts that model's predictions by what the last ones
 * have missed, so that a change of the served model or of its settings is followed within some tens of
 * requests. Works without a fit, too: the predictor then learns from nothing. O(prompt).
 */
CTW_API ctw_status ctw_lengths_observe(ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model,
                                       double tokens);
/**
 * Re-fits on the remembered requests, with the batch-fitted weights as one more feature: old knowledge counts as far
 * as it helps. Needs 16 remembered requests of a model to change it. On failure the predictor is as before.
 * `*changed` (may be NULL) is the number of models re-fitted.
 */
CTW_API ctw_status ctw_lengths_update(ctw_lengths *l, ctw_cancel *cancel, int64_t *changed);

/** "fitted", "models", "bits", "bytes" (saved size), "remembered", and per model the series "ridge", "shift", "rows",
 * "held_out_tau", "held_out_rmse" (of log(1+tokens)), and "edges" (of the classes, tokens, four a model). */
CTW_API ctw_status ctw_lengths_report(const ctw_lengths *l, ctw_report **out);

/** Saves the fitted predictor (not the remembered requests); see ctw_forecast_save_mem for the size query. */
CTW_API ctw_status ctw_lengths_save_mem(const ctw_lengths *l, void *buf, uint64_t cap, uint64_t *need);
/** Saves to a file, written beside and renamed. */
CTW_API ctw_status ctw_lengths_save_file(const ctw_lengths *l, const char *path);
/** Loads what save_mem wrote; CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION, CTW_E_NOMEM. */
CTW_API ctw_status ctw_lengths_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_lengths **out);
/** Loads a file. */
CTW_API ctw_status ctw_lengths_load_file(ctw_ctx *ctx, const char *path, ctw_lengths **out);

#ifdef __cplusplus
}
#endif
#endif
