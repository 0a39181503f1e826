/**
 * @file meter.h
 * A power meter made of counters: watts from what the operating system and the
 * hardware count, calibrated against a real sensor for a while.
 *
 *     W = b (c0 + sum_j [c1j z_j + c2j z_j^2 + c3j z_j^3 + c4j sqrt(z_j)])
 *
 * with z_j counter j over its training mean and every coefficient >= 0, fitted to
 * the relative error. Power then never falls when a counter rises, and a counter
 * beyond its trained range counts as its maximum there: a meter must not promise
 * kilowatts for a load it has not seen. b is the correction learned online.
 */
#ifndef CYBERTWIN_METER_H
#define CYBERTWIN_METER_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The meter. Options: kind "meter". Threads: fit and update are exclusive, const functions run in parallel. */
typedef struct ctw_meter ctw_meter;

/** New meter, not calibrated. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_meter_new(ctw_ctx *ctx, const ctw_params *params, ctw_meter **out);
/** One more owner; returns m. */
CTW_API ctw_meter *ctw_meter_ref(ctw_meter *m);
/** One owner less; the last one frees it. */
CTW_API void ctw_meter_unref(ctw_meter *m);

/**
 * Calibrates from n >= 2 rows of d counters (1..32, each >= 0 and finite; rows
 * `stride` apart) and the sensor's watts (> 0). A counter that never moves is
 * ignored. CTW_E_SHAPE, CTW_E_RANGE, CTW_E_NONFINITE; on failure the meter is
 * uncalibrated. O(n d^2).
 */
CTW_API ctw_status ctw_meter_fit(ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                 const double *watts, ctw_cancel *cancel);
/**
 * Watts of n rows. `beyond` (may be NULL) receives per row how many counters were
 * outside the trained range: a figure above 0 is a guess. CTW_E_STATE before a
 * fit, CTW_E_SHAPE for another d.
 */
CTW_API ctw_status ctw_meter_predict(const ctw_meter *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                     double *watts, int32_t *beyond);
/**
 * Tells what the sensor read for one row of counters. Moves b by the option gain,
 * and keeps a two-sided cumulative sum of the relative error, in units of the
 * calibration's, that ctw_meter_drift reads. A reading more than ten times or less
 * than a tenth of the prediction is refused (CTW_E_RANGE): a broken sensor.
 */
CTW_API ctw_status ctw_meter_update(ctw_meter *m, const double *x, uint64_t d, double watts);
/**
 * State of the calibration; out pointers may be NULL. `bias`: b. `error`: mean
 * absolute relative error over the calibration rows. `drifting`: 1 once the
 * cumulative sum has passed the option drift_limit since the last fit: fit again.
 */
CTW_API ctw_status ctw_meter_drift(const ctw_meter *m, double *bias, double *error, int32_t *drifting);

/** Saves into memory, the online correction too; `*need` is always set; buf NULL with cap 0 only asks for the size;
 * CTW_E_BUFFER when short. */
CTW_API ctw_status ctw_meter_save_mem(const ctw_meter *m, void *buf, uint64_t cap, uint64_t *need);
/** Loads what save_mem wrote; predictions are bit-equal. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION for anything else. */
CTW_API ctw_status ctw_meter_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_meter **out);
/** Saves into a file: written beside it, flushed, renamed. CTW_E_IO. */
CTW_API ctw_status ctw_meter_save_file(const ctw_meter *m, const char *path);
/** Loads from a file. */
CTW_API ctw_status ctw_meter_load_file(ctw_ctx *ctx, const char *path, ctw_meter **out);

#ifdef __cplusplus
}
#endif
#endif
