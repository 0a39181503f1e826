/* error.c: the thread's error text in a fixed buffer, so that reporting an exhausted allocator allocates
 * nothing, and formatting that ignores the host's locale. */
#include "base/error.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 512 };

static _Thread_local char error_text[TEXT_MAX];

const char *ctw_error_message(void)
{
    return error_text;
}

/* glibc and musl hand out a static object for the "C" locale: this neither allocates nor touches the
 * process's locale; uselocale changes this thread only, and only until the text is formatted. */
int ctw_base__vformat(char *buf, size_t cap, const char *fmt, va_list ap)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t old = c ? uselocale(c) : (locale_t)0;
    int n = vsnprintf(buf, cap, fmt, ap);
    if (c) {
        uselocale(old);
        freelocale(c);
    }
    return n;
}

int ctw_base__format(char *buf, size_t cap, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = ctw_base__vformat(buf, cap, fmt, ap);
    va_end(ap);
    return n;
}

ctw_status ctw_base__fail(ctw_status s, const char *fmt, ...)
{
    char text[TEXT_MAX]; /* an argument may be the old text itself */
    va_list ap;
    va_start(ap, fmt);
    ctw_base__vformat(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(error_text, text, sizeof text);
    return s;
}

ctw_status ctw_base__fail_in(ctw_status s, const char *fmt, ...)
{
    char where[TEXT_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    ctw_base__vformat(where, sizeof where, fmt, ap);
    va_end(ap);
    return ctw_base__fail(s, "%s: %s", where, error_text);
}

ctw_status ctw_base__nomem(void)
{
    return ctw_base__fail(CTW_E_NOMEM, "out of memory");
}
