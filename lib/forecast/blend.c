/* blend.c: see the header. A pull towards the recursion alone keeps short records from
 * believing a way for what was luck. */
#include "forecast/blend.h"

#include "base/alloc.h"
#include "base/error.h"
#include "forecast/nnls.h"
#include <math.h>
#include <string.h>

#define K    CTW_FORECAST__PARTS_MIXED
#define PULL 1.0 /* of the mean squared deviation, towards the recursion alone */

void ctw_forecast__blend_free(ctw_ctx *ctx, ctw_forecast__blend *b)
{
    ctw_base__free(ctx, b->w);
    memset(b, 0, sizeof *b);
}

ctw_status ctw_forecast__blend_alloc(ctw_ctx *ctx, ctw_forecast__blend *b, size_t leads, size_t season)
{
    b->group = (season + 3) / 4;
    b->groups = (leads + b->group - 1) / b->group;
    b->w = CTW_NEW(ctx, b->groups * K, double);
    return b->w ? CTW_OK : CTW_E_NOMEM;
}

const double *ctw_forecast__blend_at(const ctw_forecast__blend *b, size_t lead)
{
    size_t g = lead / b->group;
    return b->w + (g < b->groups ? g : b->groups - 1) * K;
}

void ctw_forecast__blend_fit(ctw_forecast__blend *b, const double *dev, const double *seen, size_t n, size_t leads)
{
    for (size_t g = 0; g < b->groups; g++) {
        double a[K * K] = {0}, c[K] = {0}, size = 0;
        size_t end = (g + 1) * b->group < leads ? (g + 1) * b->group : leads;
        for (size_t i = 0; i < n; i++)
            for (size_t l = g * b->group; l < end; l++) {
                double y = seen[i * leads + l];
                if (isnan(y)) continue;
                for (size_t j = 0; j < K; j++) {
                    double x = dev[(i * K + j) * leads + l];
                    c[j] += x * y;
                    size += x * x / K;
                    for (size_t k = 0; k < K; k++) a[j * K + k] += x * dev[(i * K + k) * leads + l];
                }
            }
        for (size_t j = 0; j < K; j++) {
            a[j * K + j] += PULL * size + 1e-12;
            if (j == 0) c[j] += PULL * size;
        }
        ctw_forecast__nnls(a, c, K, b->w + g * K);
    }
}
