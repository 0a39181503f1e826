/* stats.c: moments, quantiles and correlations. */
#include "num/stats.h"
#include "base/alloc.h"
#include "base/error.h"
#include "num/sort.h"
#include <math.h>

double ctw_num__sum(const double *v, size_t n)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        double t = sum + v[i];
        lost += fabs(sum) >= fabs(v[i]) ? (sum - t) + v[i] : (v[i] - t) + sum;
        sum = t;
    }
    return sum + lost;
}

double ctw_num__mean(const double *v, size_t n)
{
    return ctw_num__sum(v, n) / (double)n;
}

double ctw_num__variance(const double *v, size_t n)
{
    if (n < 2) return 0;
    double mean = ctw_num__mean(v, n), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (v[i] - mean) * (v[i] - mean);
    return sum / (double)(n - 1);
}

double ctw_num__quantile_sorted(const double *v, size_t n, double q)
{
    double at = q * (double)(n - 1), floor_at = floor(at);
    size_t i = (size_t)floor_at;
    return i + 1 < n ? v[i] + (at - floor_at) * (v[i + 1] - v[i]) : v[n - 1];
}

double ctw_num__quantile(double *v, size_t n, double q)
{
    double at = q * (double)(n - 1), floor_at = floor(at);
    size_t i = (size_t)floor_at;
    double lo = ctw_num__select(v, n, i);
    if (i + 1 >= n || at == floor_at) return lo;
    double hi = v[i + 1]; /* all that follow are not smaller */
    for (size_t j = i + 2; j < n; j++)
        if (v[j] < hi) hi = v[j];
    return lo + (at - floor_at) * (hi - lo);
}

double ctw_num__conformal_sorted(const double *v, size_t n, double q)
{
    /* The small slack keeps ceil from jumping on (n+1)*q computed a rounding above an integer. */
    double k = ceil((double)(n + 1) * q - 1e-9);
    if (k < 1) k = 1;
    return k > (double)n ? INFINITY : v[(size_t)k - 1];
}

double ctw_num__pearson(const double *x, const double *y, size_t n)
{
    if (n < 2) return 0;
    double mx = ctw_num__mean(x, n), my = ctw_num__mean(y, n), sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        double a = x[i] - mx, b = y[i] - my;
        sxx += a * a;
        syy += b * b;
        sxy += a * b;
    }
    double scale = sqrt(sxx) * sqrt(syy);
    if (!(scale > 0)) return 0;
    double r = sxy / scale;
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

static double normal_tail(double r, const double *num, const double *den)
{
    double a = num[7], b = den[7];
    for (int i = 6; i >= 0; i--) {
        a = a * r + num[i];
        b = b * r + den[i];
    }
    return a / b;
}

double ctw_num__normal_cdf(double z)
{
    return 0.5 * erfc(-z * 0.70710678118654752440);
}

/* M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988 (PPND16). */
double ctw_num__normal_quantile(double p)
{
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e1,
                                6.8718700749205790830e2,
                                5.3941960214247511077e3,
                                2.1213794301586595867e4,
                                3.9307895800092710610e4,
                                2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = p - 0.5;
    if (p <= 0) return -INFINITY;
    if (p >= 1) return INFINITY;
    if (fabs(q) <= 0.425) return q * normal_tail(0.180625 - q * q, a, b);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? normal_tail(r - 1.6, c, d) : normal_tail(r - 5, e, f);
    return q < 0 ? -z : z;
}
