/* online.h: recursive least squares on the features of the direct regression: where a batch fit ends, it goes on. */
#ifndef CTW_FORECAST_ONLINE_H
#define CTW_FORECAST_ONLINE_H

#include "forecast/lagridge.h"
#include "forecast/rls.h"

/* Coefficients and covariance of a fitted regression of `rows` rows become the start of a recursion. */
ctw_status ctw_forecast__online_start(ctw_ctx *ctx, ctw_forecast__rls *r, const ctw_forecast__lagridge *m, size_t rows,
                                      double forget);
/* The origin before step o begins. scratch: p + 1 doubles. */
void ctw_forecast__online_origin(ctw_forecast__rls *r, const ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                 size_t o, double *scratch);
/* The outcome of step t < h->n reaches every lead that waited for it; the newest origin is that before t. */
void ctw_forecast__online_learn(ctw_forecast__rls *r, const ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                size_t t);
/* Deviations from the base expected at leads 0..n of origin o; n <= leads. scratch: p + 1 doubles. */
void ctw_forecast__online_predict(const ctw_forecast__rls *r, const ctw_forecast__lagridge *m,
                                  const ctw_forecast__hist *h, size_t o, size_t n, double *scratch, double *out);

#endif
