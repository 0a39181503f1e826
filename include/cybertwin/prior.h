/**
 * @file prior.h
 * What other applications teach about a new one: a hierarchical Gaussian prior over the weights of a linear model, and
 * the few-shot posterior under it: values of an agent, or a score of configurations.
 */
#ifndef CYBERTWIN_PRIOR_H
#define CYBERTWIN_PRIOR_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Each training application gives one weight vector (ctw_prior_add, or a ridge fit of its rows, ctw_prior_add_rows).
 * ctw_prior_fit takes their mean m and principal components U with variances s (PCA by SVD); a new application is then
 * w ~ N(m, U diag(s) U' + r I), r what the components leave. z = U' (w - m) is an application's embedding. Options:
 * kind "prior". FLASH (Qiu et al., MLSys 2024) learns embedding and prior by networks; this is the linear counterpart.
 *
 * Threads: add and fit exclusively; embed, get and posterior are const and may run in parallel.
 */
typedef struct ctw_prior ctw_prior;

/** New, without applications. params: kind "prior" (NULL: defaults). CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_prior_new(ctw_ctx *ctx, const ctw_params *params, ctw_prior **out);
/** One more owner; returns p. */
CTW_API ctw_prior *ctw_prior_ref(ctw_prior *p);
/** One owner less; the last one frees it. */
CTW_API void ctw_prior_unref(ctw_prior *p);

/** The weights of one more training application; n is option dims. CTW_E_SHAPE, CTW_E_NONFINITE, CTW_E_NOMEM. */
CTW_API ctw_status ctw_prior_add(ctw_prior *p, const double *w, uint64_t n);
/**
 * The same from measurements: the ridge fit (option "ridge") of y on `rows` rows of x (d = option dims values,
 * `stride` apart). CTW_E_SHAPE, CTW_E_NONFINITE, CTW_E_SINGULAR, CTW_E_NOMEM. O(rows d^2 + d^3).
 */
CTW_API ctw_status ctw_prior_add_rows(ctw_prior *p, const double *x, const double *y, uint64_t rows, uint64_t d,
                                      uint64_t stride);
/** Number of training applications; 0 for NULL. */
CTW_API uint64_t ctw_prior_count(const ctw_prior *p);
/**
 * Mean, components (at most option "components" and one less than there are applications) and what they leave. More
 * applications may be added and fitted again. CTW_E_STATE with fewer than 2, CTW_E_NOCONV, CTW_E_NOMEM; a failed fit
 * leaves the prior as it was.
 */
CTW_API ctw_status ctw_prior_fit(ctw_prior *p);
/**
 * The fitted prior: mean (n = dims values), standard deviations of the components (room for cap; *out_k how many there
 * are; CTW_E_BUFFER), and the standard deviation of the rest. Any out pointer may be NULL. CTW_E_STATE before fit.
 */
CTW_API ctw_status ctw_prior_get(const ctw_prior *p, double *mean, uint64_t n, double *sd, uint64_t cap,
                                 uint64_t *out_k, double *rest_sd);
/** Embedding z (k values, k as get says) of an application with weights w. CTW_E_STATE, CTW_E_SHAPE, CTW_E_NONFINITE.
 */
CTW_API ctw_status ctw_prior_embed(const ctw_prior *p, const double *w, uint64_t n, double *z, uint64_t k);
/**
 * Weights of a new application from a few rows, the posterior mean: A w = b with A = S^-1 + X' (X - gamma X') / v,
 * b = S^-1 m + X' y / v, S the prior's covariance, v the square of option "noise". x_next NULL: a regression of y on x;
 * else Bayesian LSTD(0) (y: rewards; a row of zeros in x_next ends an episode). rows 0 gives the prior's mean.
 * out_w: d values. CTW_E_STATE before fit, CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE, CTW_E_SINGULAR, CTW_E_NOMEM.
 * O(rows d^2 + d^3).
 */
CTW_API ctw_status ctw_prior_posterior(const ctw_prior *p, const double *x, const double *x_next, const double *y,
                                       uint64_t rows, uint64_t d, uint64_t stride, double gamma, double *out_w);

/** Options, applications and fit; like ctw_svm_save_mem. */
CTW_API ctw_status ctw_prior_save_mem(const ctw_prior *p, void *buf, uint64_t cap, uint64_t *need);
/** The same to a file, written beside and renamed. CTW_E_ARG, CTW_E_IO, CTW_E_NOMEM. */
CTW_API ctw_status ctw_prior_save_file(const ctw_prior *p, const char *path);
/** A saved prior: its posteriors have the same bits. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION, CTW_E_NOMEM. */
CTW_API ctw_status ctw_prior_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_prior **out);
/** The same from a file; besides CTW_E_IO. */
CTW_API ctw_status ctw_prior_load_file(ctw_ctx *ctx, const char *path, ctw_prior **out);

#ifdef __cplusplus
}
#endif
#endif
