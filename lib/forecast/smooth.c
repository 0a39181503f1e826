/* smooth.c: Holt-Winters' additive method with a damped trend (Gardner & McKenzie 1985) and a second, weekly
 * season (Taylor 2003), which here is one number a day of the week. The season's weight follows alpha. */
#include "forecast/smooth.h"

#include <math.h>
#include <string.h>

#define SEASONS 21   /* looked back on */
#define BETA    0.02 /* weight of a new slope */
#define DAMP    0.95 /* of the trend, a step */
#define GAMMA   0.15 /* weight of a new seasonal value */
#define WEEKLY  0.05 /* weight of a new weekday value */

void ctw_forecast__smooth(const ctw_forecast__hist *h, size_t o, size_t n, double alpha, double *scratch, double *out)
{
    size_t s = h->season, back = SEASONS * s < o ? SEASONS * s : o, from = o - back;
    double level = 0, trend = 0, *season = scratch, week[7] = {0};
    size_t warm = back < s ? back : s;
    for (size_t t = from; t < from + warm; t++) level += h->z[t] / (double)(warm ? warm : 1);
    memset(season, 0, s * sizeof *season);
    for (size_t t = from; t < from + warm && warm == s; t++) season[(h->dropped + t) % s] = h->z[t] - level;
    for (size_t t = from + warm; t < o; t++) {
        double *own = &season[(h->dropped + t) % s], *day = &week[(h->dropped + t) / s % 7];
        double seen = h->z[t], before = level;
        if (h->hole[t]) {
            level += DAMP * trend;
            trend *= DAMP;
            continue;
        }
        level = alpha * (seen - *own - *day) + (1 - alpha) * (level + DAMP * trend);
        trend = BETA * (level - before) + (1 - BETA) * DAMP * trend;
        double rest = seen - level;
        *own += GAMMA * (rest - *day - *own);
        *day += WEEKLY / (double)s * (rest - *own - *day);
    }
    double far = 0, damp = 1;
    for (size_t l = 0; l < n; l++) {
        damp *= DAMP;
        far += damp;
        out[l] = level + far * trend + season[(h->dropped + o + l) % s] + week[(h->dropped + o + l) / s % 7];
    }
}
