/* exec_fit.h: the fit of one instance: sums of a weighted regression, and the coefficients that follow from them. */
#ifndef CTW_QUEUE_EXEC_FIT_H
#define CTW_QUEUE_EXEC_FIT_H

#include <stdint.h>

#define CTW_EXEC_TERMS 4u

typedef struct ctw_exec__fit {
    double xx[CTW_EXEC_TERMS][CTW_EXEC_TERMS], xy[CTW_EXEC_TERMS];
    double coef[CTW_EXEC_TERMS];
    double seen;  /* finished requests, faded */
    double error; /* their median relative error */
    double off;   /* share of outliers among the last some twenty */
    uint64_t observed;
} ctw_exec__fit;

/* What all instances start from. */
typedef struct ctw_exec__prior {
    double coef[CTW_EXEC_TERMS], trust, memory;
} ctw_exec__prior;

void ctw_exec__fit_init(ctw_exec__fit *f, const ctw_exec__prior *p);
double ctw_exec__fit_value(const ctw_exec__fit *f, const double *x);
void ctw_exec__fit_observe(ctw_exec__fit *f, const ctw_exec__prior *p, const double *x, double y);

#endif
