/* gammaq.h: the regularised upper incomplete gamma function, for tails of response times. */
#ifndef CTW_TWIN_GAMMAQ_H
#define CTW_TWIN_GAMMAQ_H

/* Q(a, x) = P(Gamma(a, 1) > x), a > 0, x >= 0; about 1e-12. */
double ctw_twin__gammaq(double a, double x);

#endif
