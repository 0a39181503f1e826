/* gammaq.c: Q(a, x) by the power series of P below a + 1 and Legendre's continued fraction above, evaluated by
 * the modified Lentz method (DLMF 8.11.4 and 8.9.2). */
#include "twin/gammaq.h"
#include <math.h>

#define ROUNDS 2000

double ctw_twin__gammaq(double a, double x)
{
    if (!(x > 0.0)) return 1.0;
    int sign; /* lgamma itself writes the process's signgam: a data race between parallel clones */
    double front = exp(a * log(x) - x - lgamma_r(a, &sign));
    if (x < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (int n = 1; n < ROUNDS && fabs(term) > 1e-15 * fabs(sum); n++) {
            term *= x / (a + n);
            sum += term;
        }
        return fmin(1.0, fmax(0.0, 1.0 - front * sum));
    }
    const double tiny = 1e-300;
    double b = x + 1.0 - a, c = 1.0 / tiny, d = 1.0 / b, h = d;
    for (int n = 1; n < ROUNDS; n++) {
        double an = -n * (n - a);
        b += 2.0;
        d = an * d + b;
        if (fabs(d) < tiny) d = tiny;
        c = b + an / c;
        if (fabs(c) < tiny) c = tiny;
        d = 1.0 / d;
        double step = d * c;
        h *= step;
        if (fabs(step - 1.0) < 1e-15) break;
    }
    return fmin(1.0, fmax(0.0, front * h));
}
