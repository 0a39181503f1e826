/* nnls.c: one coordinate at a time has a closed answer, max(0, .), so every step lowers the objective. */
#include "power/nnls.h"

#include <math.h>

void ctw_power__nnls(const double *g, const double *r, size_t k, double *c)
{
    for (size_t j = 0; j < k; j++) c[j] = 0.0;
    for (int sweep = 0; sweep < 5000; sweep++) {
        double moved = 0.0, largest = 0.0;
        for (size_t j = 0; j < k; j++) {
            double diag = g[j * k + j], pull = r[j];
            if (!(diag > 0.0)) continue;
            for (size_t i = 0; i < k; i++) pull -= g[j * k + i] * c[i];
            double fresh = fmax(0.0, c[j] + pull / diag);
            moved = fmax(moved, fabs(fresh - c[j]));
            largest = fmax(largest, fresh);
            c[j] = fresh;
        }
        if (moved <= 1e-10 * largest) return;
    }
}
