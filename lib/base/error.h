/* error.h: the thread's error text, and the macro that passes a failure up. */
#ifndef CTW_BASE_ERROR_H
#define CTW_BASE_ERROR_H

#include <cybertwin/base.h>
#include <stdarg.h>
#include <stddef.h>

/* Formats the text (decimal point '.', whatever the locale), returns s. Allocates nothing. The
 * sentence names function, argument, value and limit: "ctw_queue_push: predicted_s is -1, must be >= 0". */
ctw_status ctw_base__fail(ctw_status s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prefixes the text of a failure from below, e.g. with a file name; returns s. */
ctw_status ctw_base__fail_in(ctw_status s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* CTW_E_NOMEM with a fixed text. */
ctw_status ctw_base__nomem(void);

/* vsnprintf under the "C" numeric locale. */
int ctw_base__vformat(char *buf, size_t cap, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
int ctw_base__format(char *buf, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define CTW_TRY(call)                        \
    do {                                     \
        ctw_status try_s_ = (call);          \
        if (try_s_ != CTW_OK) return try_s_; \
    } while (0)

#endif
