/* relate.c: see relate.h. */
#include "rca/relate.h"
#include "num/stats.h"
#include <math.h>

double ctw_rca__importance(const double *own, const double *root, size_t n)
{
    if (n < 3) return 0;
    double mo = ctw_num__mean(own, n), mr = ctw_num__mean(root, n), oo = 0, rr = 0, both = 0;
    for (size_t i = 0; i < n; i++) {
        double o = own[i] - mo, r = root[i] - mr;
        oo += o * o;
        rr += r * r;
        both += o * r;
    }
    if (sqrt(oo / (double)n) < 1e-9 || sqrt(rr / (double)n) < 1e-9) return 0;
    return both / sqrt(oo * rr);
}

double ctw_rca__congestion_of(double p99, double p50, double offset)
{
    return log(fmax(p99 + offset, 1e-3) / fmax(p50 + offset, 1e-3));
}

double ctw_rca__congestion(double *v, size_t n, double offset)
{
    double p99 = ctw_num__quantile(v, n, 0.99), p50 = ctw_num__quantile(v, n, 0.5);
    return ctw_rca__congestion_of(p99, p50, offset);
}
