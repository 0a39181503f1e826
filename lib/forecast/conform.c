/* conform.c: see the header (Vovk et al. 2005; Lei et al. 2018: the ceil((n+1) q)-th smallest error). */
#include "forecast/conform.h"

#include "base/alloc.h"
#include "num/sort.h"
#include "num/stats.h"
#include <math.h>
#include <string.h>

ctw_status ctw_forecast__conform_new(ctw_ctx *ctx, size_t leads, size_t n, ctw_forecast__conform *out)
{
    out->score = CTW_NEW(ctx, leads * n, double);
    if (!out->score) return CTW_E_NOMEM;
    out->leads = leads;
    out->n = n;
    return CTW_OK;
}

void ctw_forecast__conform_free(ctw_ctx *ctx, ctw_forecast__conform *c)
{
    ctw_base__free(ctx, c->score);
    memset(c, 0, sizeof *c);
}

void ctw_forecast__conform_sort(ctw_forecast__conform *c)
{
    for (size_t l = 0; l < c->leads; l++) ctw_num__sort(c->score + l * c->n, c->n);
}

double ctw_forecast__conform_half(const ctw_forecast__conform *c, size_t lead, double coverage)
{
    if (!c->n || !c->leads) return 0;
    double grow = 1.0;
    if (lead >= c->leads) {
        grow = sqrt((double)(lead + 1) / (double)c->leads);
        lead = c->leads - 1;
    }
    const double *s = c->score + lead * c->n;
    double q = ctw_num__conformal_sorted(s, c->n, coverage);
    if (isfinite(q)) return grow * q;
    double held = (double)c->n / (double)(c->n + 1);
    double zq = ctw_num__normal_quantile(0.5 + 0.5 * coverage), zh = ctw_num__normal_quantile(0.5 + 0.5 * held);
    return grow * s[c->n - 1] * zq / zh;
}
