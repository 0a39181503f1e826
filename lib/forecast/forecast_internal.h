/* forecast_internal.h: what a forecaster consists of. */
#ifndef CTW_FORECAST_INTERNAL_H
#define CTW_FORECAST_INTERNAL_H

#include "base/handle.h"
#include "forecast/blend.h"
#include "forecast/calendar.h"
#include "forecast/climate.h"
#include "forecast/conform.h"
#include "forecast/daymodel.h"
#include "forecast/forecast_params.h"
#include "forecast/hist.h"
#include "forecast/lagridge.h"
#include "forecast/ledger.h"
#include "forecast/online.h"
#include "forecast/smooth.h"
#include <cybertwin/forecast.h>

#define CTW_FORECAST__MAGIC CTW_FOUR('F', 'C', 'S', 'T')

struct ctw_forecast {
    ctw_base__handle h;
    ctw_params *params;
    int model;  /* asked for */
    int chosen; /* by validation, or the same */
    size_t horizon, lags, season, max_rows;
    int transform;
    double lambda; /* 0: by validation */
    double half_life, delay, offset_h;
    int64_t step;    /* seconds */
    int daily;       /* the day models are in use: days, day and ledger live */
    int64_t next_s;  /* UTC time of the step after the last one */
    size_t tail;     /* steps since the last complete day */
    double *pending; /* s x ns: generation of the steps of the tail */
    uint64_t day0;   /* days dropped before days' first */
    ctw_forecast__days days;
    ctw_forecast__daymodel day;
    ctw_forecast__ledger ledger;
    int fitted;
    ctw_forecast__hist hist;
    ctw_forecast__calendar cal;
    size_t user_k; /* covariates of the host; hist.k also counts those of the calendar */
    double *row;   /* hist.k: the covariates of one step */
    ctw_forecast__lagridge ridge;
    ctw_forecast__rls rls;
    ctw_forecast__climate climate;
    ctw_forecast__blend blend;
    double alpha; /* of the smoothing chosen */
    ctw_forecast__conform conform;
};

/* Fits chosen model and calibration on the history that stands in f->hist. */
ctw_status ctw_forecast__train(ctw_forecast *f, ctw_cancel *cancel);
/* The same anew on a fitted handle; the old model stays when it fails. */
ctw_status ctw_forecast__retrain(ctw_forecast *f, ctw_cancel *cancel);
/* One way to forecast step by step: what kind (CTW_FORECAST__*) with what coefficients. */
typedef struct ctw_forecast__way {
    int kind;
    double alpha;                    /* smoothing */
    const ctw_forecast__lagridge *m; /* ridge and rls; never NULL */
    const ctw_forecast__rls *rls;
    const ctw_forecast__climate *climate;
    const ctw_forecast__blend *blend; /* CTW_FORECAST__AUTO: the others together */
} ctw_forecast__way;

/* Part k of a blend alone. */
ctw_forecast__way ctw_forecast__part(const ctw_forecast__way *w, size_t k);

/* The way chosen at the last fit. */
ctw_forecast__way ctw_forecast__chosen(const ctw_forecast *f);
/* Doubles of scratch ctw_forecast__point needs with a regression of p features; a blend needs n more. */
size_t ctw_forecast__room(const ctw_forecast *f, size_t p);
/* Transformed point forecast of `n` steps from origin o <= hist.n; exog: n rows of all hist.k covariates, or NULL
 * for their mean. */
void ctw_forecast__point(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t n, const double *exog,
                         double *scratch, double *out);
/* Seconds local time is ahead of UTC as far as options tell. */
int64_t ctw_forecast__shift(const ctw_forecast *f);
/* Weight a step keeps for the recursion when the next one comes, from the option half_life. */
double ctw_forecast__forget(const ctw_forecast *f);
/* UTC time at which step t of the history begins. */
int64_t ctw_forecast__time_of(const ctw_forecast *f, size_t t);
/* All covariates of the step that begins at `utc` into row; own: the host's, NULL for their mean. */
void ctw_forecast__covariates(const ctw_forecast *f, int64_t utc, const double *own, double *row);
/* Whether the history now in f->hist is long enough for the day models, without covariates by the step. */
int ctw_forecast__daily_fits(const ctw_forecast *f, uint64_t rows);
/* Sizes of an empty f->days that follow from the options. */
void ctw_forecast__daily_shape(ctw_forecast *f);
/* Lays the history out in days (feed NULL: the series alone), validates on the newest third, fits. */
ctw_status ctw_forecast__daily_train(ctw_forecast *f, const ctw_feed *feed, ctw_cancel *cancel);
/* Fits anew on the days at hand; the ledger stays. The old models stay when it fails. */
ctw_status ctw_forecast__daily_refit(ctw_forecast *f, ctw_cancel *cancel);
/* The step just pushed to f->hist, with its generation (NULL: none), reaches the day models. */
ctw_status ctw_forecast__daily_step(ctw_forecast *f, const double *src, const ctw_feed *feed);
/* Transformed point and half width at a lead after the last step. */
void ctw_forecast__daily_at(const ctw_forecast *f, size_t lead, double coverage, double *z, double *half);
/* CTW_OK for a live, fitted handle. */
ctw_status ctw_forecast__need_fitted(const ctw_forecast *f, const char *fn);
int64_t ctw_forecast__flags_of(const ctw_forecast *f);
/* Transformed point and half width of every lead; half may be NULL. */
ctw_status ctw_forecast__expect(const ctw_forecast *f, uint64_t horizon, double coverage, const double *exog,
                                uint64_t exog_stride, double *z, double *half);
/* Empties the handle of all that fit made. */
void ctw_forecast__clear(ctw_forecast *f);
/* A fresh handle with the options of another. */
ctw_status ctw_forecast__like(const ctw_forecast *f, ctw_forecast **out);

#endif
