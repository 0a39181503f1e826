/* nnls.c: Gauss-Seidel with projection (Franc, Hlavac & Navara 2005): each step solves one coordinate exactly,
 * so the objective never rises. */
#include "forecast/nnls.h"

#include <math.h>

#define SWEEPS 20000

void ctw_forecast__nnls(const double *g, const double *b, size_t n, double *w)
{
    for (size_t i = 0; i < n; i++) w[i] = 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double moved = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            double slope = -b[i];
            if (!(g[i * n + i] > 0)) continue;
            for (size_t k = 0; k < n; k++) slope += g[i * n + k] * w[k];
            double to = w[i] - slope / g[i * n + i];
            if (to < 0) to = 0;
            moved = fmax(moved, fabs(to - w[i]));
            size = fmax(size, to);
            w[i] = to;
        }
        if (moved <= 1e-10 * size) return;
    }
}
