/* feed.h: inside of a feed, for the forecaster that reads it and the loaders that fill it. */
#ifndef CTW_FORECAST_FEED_H
#define CTW_FORECAST_FEED_H

#include "base/handle.h"
#include <cybertwin/feed.h>

#define CTW_FEED__MAGIC   CTW_FOUR('F', 'E', 'E', 'D')
#define CTW_FEED__SOURCES 64 /* most sources */
#define CTW_FEED__WEATHER 32 /* most weather variables */

struct ctw_feed {
    ctw_base__handle h;
    int64_t step;
    int64_t start;
    size_t n, cap;
    double *y; /* n, NaN missing */
    size_t ns;
    double *src; /* n x ns */
    char *name[CTW_FEED__SOURCES];
    double factor[CTW_FEED__SOURCES];
    uint64_t revisions;
    size_t nv;
    int32_t kind[CTW_FEED__WEATHER];
    char *var[CTW_FEED__WEATHER];
    size_t leads;     /* of each issue */
    double lead_step; /* seconds */
    size_t ni, ni_cap;
    int64_t *issue; /* ascending */
    size_t wx_cap;
    float *wx; /* ni x nv x leads, NaN blank */
};

/* Value of a variable at seconds `at` as an issue foresaw it; NaN where it has none. */
double ctw_feed__weather_at(const ctw_feed *f, size_t issue, size_t var, double at);
/* Index of the newest issue not after `t`, SIZE_MAX when there is none. */
size_t ctw_feed__issue_before(const ctw_feed *f, int64_t t);

#endif
