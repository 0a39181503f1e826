/* forecast_checks.h: see forecast_checks.c. */
#ifndef CTW_BENCH_FORECAST_CHECKS_H
#define CTW_BENCH_FORECAST_CHECKS_H

#include "bench.h"

/* Adds the energy score of joint scenarios at outcome y[h], and of the same values shuffled lead by lead. */
void forecast_energy(ctw_forecast *f, const double *y, size_t h, uint64_t turn, double *joint, double *independent);
double forecast_spearman(const double *a, const double *b, size_t n);
/* Numbers (of 3 h per origin) that change when everything after the origin is replaced. load makes a fresh feed. */
size_t forecast_causality(bench *b, const ctw_params *p, ctw_feed *(*load)(bench *b, void *how), void *how,
                          const int64_t *origin, size_t n, size_t h);
/* 1 when the saved and loaded model forecasts the same bits. */
/* Prints how long `n` models of this feed take to refit and to forecast, on the calling thread. */
void forecast_fleet(bench *b, const ctw_params *p, const ctw_feed *feed, size_t n, size_t h);
int forecast_reload_equal(bench *b, const ctw_forecast *f, size_t h);

/* Whether a weather file is one series of day-ahead forecasts, and reading it as issues at midnight. */
int forecast_is_dayahead(bench *b, const char *path);
void forecast_load_dayahead(bench *b, ctw_feed *feed, const char *path);

#endif
