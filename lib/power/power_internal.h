/* power_internal.h: what a device model consists of. The whole state is plain numbers, apart from the list of
 * operating points, so that a model can be copied, saved and read by many threads. */
#ifndef CTW_POWER_INTERNAL_H
#define CTW_POWER_INTERNAL_H

#include "base/handle.h"
#include "power/basis.h"
#include "power/curve.h"
#include "power/shapes_internal.h"
#include <cybertwin/power.h>

#define CTW_POWER_MAGIC  CTW_FOUR('P', 'O', 'W', 'R')
#define CTW_POWER_POINTS 1024

/* What a fit finds out. All zero: nothing measured. */
typedef struct ctw_power__model {
    int32_t has_busy, has_idle, has_time;
    double busy[CTW_POWER_BASIS], idle[CTW_POWER_BASIS]; /* watts over x */
    double peak;                                         /* busy power at x = 1 where has_busy is 0; 0 unknown */
    ctw_power__curve shape;                              /* g over u; n 0: g = u */
    ctw_power__curve spread;                             /* standard error of g over u; n 0: none known */
    double misfit;                                       /* relative RMS error over the fitted rows; < 0: no rows */
    ctw_power__curve time;                               /* seconds over 1/x */
    double membound, overlap;                            /* p-norm of the measured workload */
    double bend;     /* share of the cubic (the rest is straight) in the time curve */
    double top_time; /* seconds at x = 1 */
    double top_mhz;  /* highest measured; 0: frequency unknown */
    size_t n_mhz;
    double mhz[CTW_POWER_KNOTS]; /* measured frequencies, ascending */
} ctw_power__model;

/* What single readings have corrected since the fit: watts (recal.c), or durations (recal_time.c), whose factors are
 * those of the time at the top clock and of what comes on top of it at a lower one. */
typedef struct ctw_power__recal {
    int64_t n;       /* readings; 0: none */
    double gain[2];  /* factors of idle and dynamic power, less 1 */
    double cov[3];   /* their covariance: 00, 01, 11 */
    double error2;   /* running squared relative error, one reading ahead */
    double up, down; /* cumulative sums of the watch for drift */
    int32_t drifting;
} ctw_power__recal;

#define CTW_POWER_MEMORY 16

/* What lower memory clocks change (memory.c); n 0: not fitted. */
typedef struct ctw_power__memory {
    size_t n;
    double mhz[CTW_POWER_MEMORY]; /* ascending; the model itself is that of the last */
    double idle_drop, busy_drop;  /* watts saved at memory clock 0, straight */
    double p, a, b, c;            /* T^p = a + b x^-p + c y^-p */
} ctw_power__memory;

struct ctw_power {
    ctw_base__handle h;
    ctw_params *params;
    double idle_watts, tdp_watts, exponent, overlap, tolerance, recal_memory, drift_limit;
    int net;
    size_t n_points;
    double *mhz, *volt; /* volt NULL: unknown */
    ctw_shapes *shapes; /* NULL: none */
    double features[CTW_SHAPES_FEATURES];
    int fitted;
    ctw_power__model m;
    ctw_power__recal recal, time_recal;
    ctw_power__memory memory;
};

/* ---- power_eval.c: one value; x is frequency over top frequency ---- */

/* Top frequency in MHz; 0 when no frequency is known. */
double ctw_power__top(const ctw_power *p);
/* 1 when what the model knows suffices for that utilisation. */
int ctw_power__knows(const ctw_power *p, double util);
double ctw_power__idle_at(const ctw_power *p, double x);
double ctw_power__busy_at(const ctw_power *p, double x);
/* The same before what readings have corrected. */
double ctw_power__fitted_idle_at(const ctw_power *p, double x);
double ctw_power__fitted_busy_at(const ctw_power *p, double x);
double ctw_power__watts_at(const ctw_power *p, double x, double util);
/* Relative standard error; INFINITY when nothing was measured. */
double ctw_power__error_at(const ctw_power *p, double x, double util);
/* membound -1: the measured workload. */
double ctw_power__slowdown_at(const ctw_power *p, double x, double membound);
/* Share of the top dynamic power at x that voltages or the exponent predict. */
double ctw_power__dynamic_at(const ctw_power *p, double x);

/* ---- power.c ---- */

void ctw_power__unfit(ctw_power *p);
/* x of a frequency, checked against the known range. */
ctw_status ctw_power__relative(const ctw_power *p, double mhz, uint64_t i, const char *fn, double *x);
/* CTW_E_STATE for -1 when no seconds were fitted. */
ctw_status ctw_power__check_membound(const ctw_power *p, double m, const char *fn);

/* ---- power_choose.c ---- */

/* A limit must be > 0; INFINITY is none. */
ctw_status ctw_power__check_limit(double v, const char *fn, const char *arg);

typedef struct ctw_power__point {
    double mhz, mem_mhz, watts, slowdown;
} ctw_power__point;

/* What is kept while walking the candidates. */
typedef struct ctw_power__walk {
    double max_slowdown, cap;
    ctw_power__point best, fastest, lowest;
    double best_key, fastest_key, lowest_key;
} ctw_power__walk;

ctw_power__walk ctw_power__walk_begin(double max_slowdown, double cap);
void ctw_power__walk_see(ctw_power__walk *w, const ctw_power__point *it, double energy);
/* The answer or the safe action; says which limit left nothing ("" when none did). */
const char *ctw_power__walk_end(const ctw_power__walk *w, ctw_power__point *chosen);

/* ---- recal.c ---- */

void ctw_power__recal_reset(ctw_power__recal *r);
/* One reading where `expected` was predicted with, and `fitted` without what was learned; share: the parts of the
 * latter that the two factors scale; misfit: relative error of the fit. */
void ctw_power__recal_step(const ctw_power *p, ctw_power__recal *r, const double share[2], double read, double expected,
                           double fitted, double misfit);
/* Relative standard error at x and util, apart from what the load shape does not know. */
double ctw_power__recal_error(const ctw_power *p, double x, double util);
int ctw_power__recal_plausible(const ctw_power__recal *r);

/* ---- recal_time.c ---- */

/* Factor of what a lower clock costs the measured workload; 1 without observed durations. */
double ctw_power__reaction(const ctw_power *p);
/* Relative standard error of the measured workload's slowdown at x. */
double ctw_power__slowdown_error_at(const ctw_power *p, double x);

/* ---- memory.c ---- */

double ctw_power__memory_slowdown(const ctw_power__memory *m, double x, double y);
double ctw_power__memory_watts(const ctw_power *p, double x, double util, double y);

/* ---- time_fit.c ---- */

/* Fits the p-norm to n pairs (x, seconds) and reports its relative RMS error. */
void ctw_power__pnorm_fit(const double *x, const double *t, size_t n, double *membound, double *overlap,
                          double *top_time, double *error);
double ctw_power__pnorm_at(double membound, double overlap, double x);
/* From m->time's knots (1/x ascending): isotonic, p-norm, bend, top_time, has_time. */
void ctw_power__time_finish(ctw_power__model *m);
/* Relative standard error of ctw_power__time_at. */
double ctw_power__time_error_at(const ctw_power__model *m, double x);
/* Seconds of the measured workload at x. */
double ctw_power__time_at(const ctw_power__model *m, double x);

/* ---- power_fit.c ---- */
typedef struct ctw_power__rows {
    const double *mhz, *util, *watts, *seconds; /* each may be NULL */
    size_t n;
} ctw_power__rows;
/* Fills p->m, which the caller has zeroed. */
ctw_status ctw_power__fit_rows(ctw_power *p, const ctw_power__rows *r, ctw_cancel *cancel);

#endif
