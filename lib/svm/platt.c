/* platt.c: from decision values to probabilities. Two classes: Platt's sigmoid, fitted by Newton's method with
 * backtracking (Lin, Lin & Weng, Machine Learning 68, 2007). Several: pairwise coupling (Wu, Lin & Weng, JMLR 5,
 * 2004, second method), or normalised sigmoids for one against the rest. */
#include "svm/svm_internal.h"
#include <math.h>

double ctw_svm__sigmoid(double f, double pa, double pb)
{
    double z = f * pa + pb;
    return z >= 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z));
}

/* Negative log likelihood of targets t. */
static double loss(const double *dec, const double *t, size_t n, double a, double b)
{
    double f = 0;
    for (size_t i = 0; i < n; i++) {
        double z = dec[i] * a + b;
        f += z >= 0 ? t[i] * z + log1p(exp(-z)) : (t[i] - 1) * z + log1p(exp(z));
    }
    return f;
}

typedef struct newton {
    double h11, h22, h21, g1, g2;
} newton;

static newton derivatives(const double *dec, const double *t, size_t n, double a, double b)
{
    newton d = {.h11 = 1e-12, .h22 = 1e-12};
    for (size_t i = 0; i < n; i++) {
        double p = ctw_svm__sigmoid(dec[i], a, b), v = p * (1 - p);
        d.h11 += dec[i] * dec[i] * v;
        d.h22 += v;
        d.h21 += dec[i] * v;
        d.g1 += dec[i] * (t[i] - p);
        d.g2 += t[i] - p;
    }
    return d;
}

void ctw_svm__platt(const double *dec, const double *y, size_t n, double *t, double *pa, double *pb)
{
    double pos = 0, neg = 0;
    for (size_t i = 0; i < n; i++) *(y[i] > 0 ? &pos : &neg) += 1;
    for (size_t i = 0; i < n; i++) t[i] = y[i] > 0 ? (pos + 1) / (pos + 2) : 1 / (neg + 2);
    double a = 0, b = log((neg + 1) / (pos + 1)), f = loss(dec, t, n, a, b);
    for (int it = 0; it < 100; it++) {
        newton d = derivatives(dec, t, n, a, b);
        if (fabs(d.g1) < 1e-5 && fabs(d.g2) < 1e-5) break;
        double det = d.h11 * d.h22 - d.h21 * d.h21;
        double da = -(d.h22 * d.g1 - d.h21 * d.g2) / det, db = -(-d.h21 * d.g1 + d.h11 * d.g2) / det;
        double slope = d.g1 * da + d.g2 * db, step = 1;
        for (; step >= 1e-10; step /= 2) {
            double nf = loss(dec, t, n, a + step * da, b + step * db);
            if (nf >= f + 1e-4 * step * slope) continue;
            a += step * da;
            b += step * db;
            f = nf;
            break;
        }
        if (step < 1e-10) break;
    }
    *pa = a;
    *pb = b;
}

size_t ctw_svm__prob_scratch(size_t classes)
{
    return 2 * classes * classes + classes;
}

/* r[a*k+b]: P(a | a or b). Iterates p to the minimum of sum over pairs of (r_ba p_a - r_ab p_b)^2. */
static void couple(const double *r, size_t k, double *q, double *qp, double *p)
{
    double eps = 0.005 / (double)k;
    for (size_t a = 0; a < k; a++) {
        p[a] = 1.0 / (double)k;
        q[a * k + a] = 0;
        for (size_t b = 0; b < k; b++) {
            if (b == a) continue;
            q[a * k + a] += r[b * k + a] * r[b * k + a];
            q[a * k + b] = -r[b * k + a] * r[a * k + b];
        }
    }
    for (size_t it = 0; it < (k > 100 ? k : 100); it++) {
        double pqp = 0, worst = 0;
        for (size_t a = 0; a < k; a++) {
            qp[a] = 0;
            for (size_t b = 0; b < k; b++) qp[a] += q[a * k + b] * p[b];
            pqp += p[a] * qp[a];
        }
        for (size_t a = 0; a < k; a++) worst = fmax(worst, fabs(qp[a] - pqp));
        if (worst < eps) break;
        for (size_t a = 0; a < k; a++) {
            double diff = (pqp - qp[a]) / q[a * k + a];
            p[a] += diff;
            pqp = (pqp + diff * (diff * q[a * k + a] + 2 * qp[a])) / (1 + diff) / (1 + diff);
            for (size_t b = 0; b < k; b++) {
                qp[b] = (qp[b] + diff * q[a * k + b]) / (1 + diff);
                p[b] /= 1 + diff;
            }
        }
    }
}

static double clipped(double p)
{
    return p < 1e-7 ? 1e-7 : p > 1 - 1e-7 ? 1 - 1e-7 : p;
}

void ctw_svm__prob(const ctw_svm__model *m, const double *dec, double *scratch, double *out)
{
    size_t k = m->classes;
    double *r = scratch, *q = r + k * k, *qp = q + k * k, sum = 0;
    for (size_t i = 0; i < m->machines; i++) {
        const ctw_svm__machine *c = &m->machine[i];
        double p = clipped(ctw_svm__sigmoid(dec[i], c->pa, c->pb));
        if (m->ovr) {
            out[i] = p;
            sum += p;
        } else {
            r[(size_t)c->pos * k + (size_t)c->neg] = p;
            r[(size_t)c->neg * k + (size_t)c->pos] = 1 - p;
        }
    }
    if (m->ovr)
        for (size_t i = 0; i < k; i++) out[i] /= sum;
    else if (k == 2) {
        out[1] = r[k];
        out[0] = 1 - out[1];
    } else
        couple(r, k, q, qp, out);
}
