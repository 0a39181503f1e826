/* calendar.c: see the header. */
#include "forecast/calendar.h"

#include "base/alloc.h"
#include "forecast/sun.h"
#include <string.h>

#define DAY_S 86400

ctw_status ctw_forecast__calendar_set(ctw_ctx *ctx, ctw_forecast__calendar *c, const int64_t *day, size_t n)
{
    int64_t *copy = n ? ctw_base__alloc(ctx, n, sizeof *copy) : NULL;
    size_t m = 0;
    if (n && !copy) return CTW_E_NOMEM;
    for (size_t i = 0; i < n; i++) { /* insertion: lists are short and mostly ascending */
        size_t at = m;
        while (at && copy[at - 1] > day[i]) at--;
        if (at && copy[at - 1] == day[i]) continue;
        memmove(copy + at + 1, copy + at, (m - at) * sizeof *copy);
        copy[at] = day[i];
        m++;
    }
    ctw_base__free(ctx, c->day);
    c->day = copy;
    c->n = m;
    return CTW_OK;
}

int ctw_forecast__calendar_holiday(const ctw_forecast__calendar *c, int64_t local)
{
    int64_t day = local >= 0 ? local / DAY_S : -((DAY_S - 1 - local) / DAY_S);
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->day[mid] < day)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->n && c->day[lo] == day;
}

size_t ctw_forecast__calendar_width(const ctw_forecast__calendar *c)
{
    return (c->sun ? 1u : 0u) + (c->n ? 1u : 0u);
}

double ctw_forecast__calendar_clear(const ctw_forecast__calendar *c, int64_t utc, int64_t step)
{
    return ctw_forecast__sun_clear(c->latitude, c->longitude, (double)utc + 0.5 * (double)step) / 1000.0;
}

void ctw_forecast__calendar_row(const ctw_forecast__calendar *c, int64_t utc, int64_t shift, int64_t step, double *out)
{
    size_t j = 0;
    /* The models learn deviations from the seven days before, whose middle is four days ago: so does the sun. */
    if (c->sun)
        out[j++] = ctw_forecast__calendar_clear(c, utc, step) - ctw_forecast__calendar_clear(c, utc - 4 * DAY_S, step);
    if (c->n) out[j] = ctw_forecast__calendar_holiday(c, utc + shift) ? 1.0 : 0.0;
}
