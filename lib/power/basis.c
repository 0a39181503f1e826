/* basis.c: non-negative least squares small enough to be solved by enumeration. The optimum of such a problem
 * is the ordinary least-squares answer on some subset of the columns; with five columns there are 31 subsets,
 * so trying them all is exact, needs no iteration and costs microseconds. */
#include "power/basis.h"

#include <math.h>
#include <string.h>

enum { B = CTW_POWER_BASIS, SUBSETS = 1 << B, CUBIC = 1 | 1 << 3 };

static void columns(double x, double a[B])
{
    a[0] = 1.0;
    a[1] = x;
    a[2] = x * x;
    a[3] = x * x * x;
    a[4] = a[3] * a[2];
}

double ctw_power__basis_at(const double c[B], double x)
{
    double a[B], sum = 0.0;
    columns(x, a);
    for (int i = 0; i < B; i++) sum += c[i] * a[i];
    return sum;
}

/* Normal equations over the k columns in `set`, by Cholesky; 0 when they are dependent. */
static int solve_subset(const double g[B][B], const double r[B], const int *set, int k, double out[B])
{
    double l[B][B] = {{0}}, z[B];
    for (int i = 0; i < k; i++)
        for (int j = 0; j <= i; j++) {
            double s = g[set[i]][set[j]];
            for (int q = 0; q < j; q++) s -= l[i][q] * l[j][q];
            if (i == j) {
                if (!(s > 1e-11 * g[set[i]][set[i]])) return 0;
                l[i][i] = sqrt(s);
            } else {
                l[i][j] = s / l[j][j];
            }
        }
    for (int i = 0; i < k; i++) {
        double s = r[set[i]];
        for (int q = 0; q < i; q++) s -= l[i][q] * z[q];
        z[i] = s / l[i][i];
    }
    for (int i = k - 1; i >= 0; i--) {
        double s = z[i];
        for (int q = i + 1; q < k; q++) s -= l[q][i] * out[q];
        out[i] = s / l[i][i];
    }
    return 1;
}

double ctw_power__basis_fit(const double *x, const double *y, const double *w, size_t n, double c[B])
{
    double g[B][B] = {{0}}, r[B] = {0}, total = 0.0, best = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double a[B], weight = w ? w[i] : 1.0;
        columns(x[i], a);
        for (int p = 0; p < B; p++) {
            r[p] += weight * a[p] / y[i];
            for (int q = 0; q < B; q++) g[p][q] += weight * a[p] * a[q] / (y[i] * y[i]);
        }
        total += weight;
    }
    memset(c, 0, sizeof(double) * B);
    for (int turn = 0; turn < SUBSETS; turn++) {
        int mask = turn ? turn : CUBIC, set[B], k = 0, feasible = 1;
        double sol[B] = {0};
        for (int i = 0; i < B; i++)
            if (mask >> i & 1) set[k++] = i;
        if ((size_t)k > n || !solve_subset((const double(*)[B])g, r, set, k, sol)) continue;
        double res = total;
        for (int i = 0; i < k; i++) {
            feasible = feasible && sol[i] >= 0.0;
            res -= sol[i] * r[set[i]];
        }
        /* A tie keeps what came first: static plus cubic, then the lower powers. */
        if (!feasible || !(res < best - 1e-12 * total)) continue;
        best = res;
        memset(c, 0, sizeof(double) * B);
        for (int i = 0; i < k; i++) c[set[i]] = sol[i];
    }
    return best > 0.0 ? best : 0.0;
}
