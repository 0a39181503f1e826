/* textnum.c: decimal text to double and back, exact, in every locale. Short decimals, which is nearly all
 * that data files hold, take Clinger's fast path: a 53-bit integer times or over an exact power of ten. */
#include "base/textnum.h"
#include "base/error.h"
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double power_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **text, size_t *len)
{
    while (*len && is_blank((*text)[0])) (*text)++, (*len)--;
    while (*len && is_blank((*text)[*len - 1])) (*len)--;
}

/* The parts of a decimal. digits counts significant digits that went into mantissa (at most 19). */
typedef struct decimal {
    uint64_t mantissa;
    int negative, digits, exponent, dropped;
} decimal;

static int scan_exponent(const char *t, size_t len, size_t *i, int *exponent)
{
    int sign = 1, e = 0;
    (*i)++;
    if (*i < len && (t[*i] == '+' || t[*i] == '-')) sign = t[(*i)++] == '-' ? -1 : 1;
    if (*i == len) return -1;
    for (; *i < len && isdigit((unsigned char)t[*i]); (*i)++)
        if (e < 100000) e = e * 10 + (t[*i] - '0');
    *exponent += sign * e;
    return 0;
}

/* Checks the grammar [+-]digits[.digits][e[+-]digits] over the whole text. */
static int scan(const char *t, size_t len, decimal *d)
{
    size_t i = 0, seen = 0;
    int point = 0;
    *d = (decimal){0};
    if (i < len && (t[i] == '+' || t[i] == '-')) d->negative = t[i++] == '-';
    for (; i < len; i++) {
        if (t[i] == '.' && !point) {
            point = 1;
            continue;
        }
        if (!isdigit((unsigned char)t[i])) break;
        seen++;
        if (d->digits < 19) {
            d->mantissa = d->mantissa * 10 + (uint64_t)(t[i] - '0');
            if (d->mantissa) d->digits++;
            d->exponent -= point;
        } else {
            d->dropped = 1;
            d->exponent += !point;
        }
    }
    if (!seen) return -1;
    if (i < len && (t[i] == 'e' || t[i] == 'E') && scan_exponent(t, len, &i, &d->exponent)) return -1;
    return i == len ? 0 : -1;
}

/* A decimal of over LONGEST characters is refused: no data file needs one, and the stack buffer is bounded. */
enum { LONGEST = 1024 };

static int parse_slowly(const char *text, size_t len, double *out)
{
    char copy[LONGEST + 1];
    if (len > LONGEST) return -1;
    memcpy(copy, text, len);
    copy[len] = 0;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return -1;
    locale_t old = uselocale(c);
    *out = strtod(copy, NULL);
    uselocale(old);
    freelocale(c);
    return isfinite(*out) ? 0 : -2;
}

int ctw_base__parse_f64(const char *text, size_t len, double *out)
{
    decimal d;
    trim(&text, &len);
    if (scan(text, len, &d)) return -1;
    if (!d.dropped && d.mantissa <= (UINT64_C(1) << 53) && d.exponent >= -22 && d.exponent <= 22) {
        double v = (double)d.mantissa;
        v = d.exponent < 0 ? v / power_of_ten[-d.exponent] : v * power_of_ten[d.exponent];
        *out = d.negative ? -v : v;
        return 0;
    }
    return parse_slowly(text, len, out);
}

int ctw_base__parse_i64(const char *text, size_t len, int64_t *out)
{
    trim(&text, &len);
    size_t i = 0;
    int negative = 0;
    if (len && (text[0] == '+' || text[0] == '-')) negative = text[i++] == '-';
    if (i == len) return -1;
    uint64_t limit = (uint64_t)INT64_MAX + (uint64_t)negative, v = 0;
    for (; i < len; i++) {
        if (!isdigit((unsigned char)text[i])) return -1;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (v > (limit - digit) / 10) return -2;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

size_t ctw_base__print_f64(char *buf, size_t cap, double v)
{
    for (int digits = 15; digits < 17; digits++) {
        double back;
        int n = ctw_base__format(buf, cap, "%.*g", digits, v);
        if (!isfinite(v)) return (size_t)n;
        if (ctw_base__parse_f64(buf, (size_t)n, &back) == 0 && back == v) return (size_t)n;
    }
    return (size_t)ctw_base__format(buf, cap, "%.17g", v);
}
