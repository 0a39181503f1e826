/* robust.c: see the header. */
#include "forecast/robust.h"

#include "num/sort.h"
#include <math.h>

void ctw_forecast__huber(double *y, const double *seen, size_t stride, size_t n, double wide, double *scratch)
{
    for (size_t i = 0; i < n; i++) scratch[i] = fabs(seen[i * stride] - y[i]);
    double edge = wide * 1.4826 * ctw_num__select(scratch, n, n / 2);
    for (size_t i = 0; i < n; i++) {
        double r = seen[i * stride] - y[i];
        y[i] += r > edge ? edge : r < -edge ? -edge : r;
    }
}
