/* feed_time.c: the spellings of time that grid operators use. */
#include "forecast/feed_load.h"

static int number(const char **p, int digits_min, int digits_max, int64_t *out)
{
    int n = 0;
    *out = 0;
    while (n < digits_max && **p >= '0' && **p <= '9') {
        *out = *out * 10 + (**p - '0');
        ++*p;
        n++;
    }
    return n < digits_min ? -1 : 0;
}

static int take(const char **p, char c)
{
    if (**p != c) return 0;
    ++*p;
    return 1;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar (Hinnant's civil calendar arithmetic). */
static int64_t days_from(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int date(const char **p, int64_t *y, int64_t *m, int64_t *d)
{
    int64_t a, b, c;
    if (number(p, 1, 4, &a)) return -1;
    char sep = **p;
    if (sep != '-' && sep != '.' && sep != '/') return -1;
    ++*p;
    if (number(p, 1, 2, &b) || !take(p, sep) || number(p, 1, 4, &c)) return -1;
    *y = sep == '-' ? a : c;
    *m = sep == '/' ? a : b;
    *d = sep == '-' ? c : sep == '/' ? b : a;
    static const int length[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return *y < 1900 || *y > 2400 || *m < 1 || *m > 12 || *d < 1 || *d > length[*m - 1] ? -1 : 0;
}

static int zone(const char **p, int64_t *shift)
{
    int64_t h, m = 0;
    *shift = 0;
    while (take(p, ' ')) {
    }
    if (take(p, 'Z') || !**p) return 0;
    if ((*p)[0] == 'U' && (*p)[1] == 'T' && (*p)[2] == 'C') {
        *p += 3;
        return 0;
    }
    int sign = **p == '-' ? -1 : **p == '+' ? 1 : 0;
    if (!sign) return -1;
    ++*p;
    if (number(p, 2, 2, &h)) return -1;
    (void)take(p, ':');
    if (**p && number(p, 2, 2, &m)) return -1;
    if (h > 14 || m > 59) return -1;
    *shift = sign * (h * 3600 + m * 60);
    return 0;
}

int ctw_feed__parse_time(const char *text, int64_t *out)
{
    const char *p = text;
    int64_t y, m, d, h = 0, min = 0, s = 0, shift;
    while (take(&p, ' ')) {
    }
    if (date(&p, &y, &m, &d)) return -1;
    if (take(&p, 'T') || take(&p, ' ')) {
        if (number(&p, 1, 2, &h) || !take(&p, ':') || number(&p, 2, 2, &min)) return -1;
        if (take(&p, ':') && number(&p, 2, 2, &s)) return -1;
        if (take(&p, '.')) {
            int64_t fraction;
            if (number(&p, 1, 9, &fraction)) return -1;
        }
        const char *q = p;
        while (take(&q, ' ')) {
        }
        if ((q[0] == 'A' || q[0] == 'P') && q[1] == 'M') {
            if (h < 1 || h > 12) return -1;
            h = h % 12 + (q[0] == 'P' ? 12 : 0);
            p = q + 2;
        }
    }
    if (h > 23 || min > 59 || s > 60) return -1;
    if (zone(&p, &shift)) return -1;
    while (take(&p, ' ')) {
    }
    if (*p) return -1;
    *out = days_from(y, m, d) * 86400 + h * 3600 + min * 60 + s - shift;
    return 0;
}
