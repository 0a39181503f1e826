/* textnum.h: numbers from and to text, with '.' as decimal point whatever the host's locale. */
#ifndef CTW_BASE_TEXTNUM_H
#define CTW_BASE_TEXTNUM_H

#include <stddef.h>
#include <stdint.h>

/* Parse the whole of text[0..len), surrounding blanks allowed; 0 on success, -1 malformed, -2 out of range
 * (f64: overflow to infinity; "nan", "inf" and hex are malformed). The text need not be NUL-terminated. */
int ctw_base__parse_f64(const char *text, size_t len, double *out);
int ctw_base__parse_i64(const char *text, size_t len, int64_t *out);
/* Shortest decimal that reads back as the same double; returns its length. cap >= 32. */
size_t ctw_base__print_f64(char *buf, size_t cap, double v);

#endif
