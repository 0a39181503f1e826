/* online.c: see the header. The features keep the standardisation, the week and the effects of covariates of the
 * batch fit; the intercept is one more coefficient. */
#include "forecast/online.h"

#include "base/error.h"
#include <string.h>

ctw_status ctw_forecast__online_start(ctw_ctx *ctx, ctw_forecast__rls *r, const ctw_forecast__lagridge *m, size_t rows,
                                      double forget)
{
    double own = 1.0 / (double)rows;
    CTW_TRY(ctw_forecast__rls_new(ctx, r, m->p + 1, m->leads, forget));
    CTW_TRY(ctw_forecast__rls_prior(ctx, r, m->root, m->p, &own));
    for (size_t l = 0; l < m->leads; l++) {
        memcpy(r->w + l * r->p, m->w + l * m->p, m->p * sizeof *r->w);
        r->w[l * r->p + m->p] = m->c[l];
    }
    return CTW_OK;
}

void ctw_forecast__online_origin(ctw_forecast__rls *r, const ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                 size_t o, double *scratch)
{
    ctw_forecast__lagridge_features(m, h, o, scratch);
    scratch[m->p] = 1.0;
    ctw_forecast__rls_row(r, scratch);
}

void ctw_forecast__online_learn(ctw_forecast__rls *r, const ctw_forecast__lagridge *m, const ctw_forecast__hist *h,
                                size_t t)
{
    if (h->hole[t]) return;
    double effect = ctw_forecast__lagridge_effect(m, h, t, m->k ? h->x + t * m->k : NULL);
    for (size_t lead = 0; lead < m->leads && lead <= t; lead++)
        ctw_forecast__rls_learn(r, lead, lead, h->z[t] - ctw_forecast__hist_base(h, t - lead, t) - effect);
}

void ctw_forecast__online_predict(const ctw_forecast__rls *r, const ctw_forecast__lagridge *m,
                                  const ctw_forecast__hist *h, size_t o, size_t n, double *scratch, double *out)
{
    ctw_forecast__lagridge_features(m, h, o, scratch);
    scratch[m->p] = 1.0;
    for (size_t l = 0; l < n; l++) out[l] = m->trust[l] * ctw_forecast__rls_at(r, scratch, l);
}
