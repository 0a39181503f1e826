/**
 * @file csv.h
 * Streaming CSV (RFC 4180: quoted fields, doubled quotes, newlines inside quotes;
 * CRLF or LF), the form in which hosts have traces and grid data. Memory is
 * bounded by one record, whatever the file's size.
 */
#ifndef CYBERTWIN_CSV_H
#define CYBERTWIN_CSV_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A reader over one CSV source with a header row. Threads: one thread at a time. */
typedef struct ctw_csv ctw_csv;

/**
 * Opens a file and reads its header row. CTW_E_IO if it cannot be read,
 * CTW_E_FORMAT for an empty file, an empty or a repeated column name, or a
 * malformed header. A UTF-8 byte-order mark is skipped.
 */
CTW_API ctw_status ctw_csv_open(ctw_ctx *ctx, const char *path, ctw_csv **out);
/** The same over `len` bytes in memory, copied. `name` stands for the path in messages (NULL: "memory"). */
CTW_API ctw_status ctw_csv_open_mem(ctw_ctx *ctx, const void *bytes, uint64_t len, const char *name, ctw_csv **out);
/** One more owner; returns csv. */
CTW_API ctw_csv *ctw_csv_ref(ctw_csv *csv);
/** One owner less; the last one closes the file. */
CTW_API void ctw_csv_unref(ctw_csv *csv);

/** Number of columns in the header. */
CTW_API uint64_t ctw_csv_columns(const ctw_csv *csv);
/** Name of column i, NULL when out of range; lives as long as the reader. */
CTW_API const char *ctw_csv_column_name(const ctw_csv *csv, uint64_t i);
/** Index of the column called `name`; CTW_E_KEY with the nearest name and the file if it is missing. */
CTW_API ctw_status ctw_csv_column(const ctw_csv *csv, const char *name, uint64_t *index);

/**
 * Reads the next record; `*has_row` is 0 at the end of the source. A record with
 * more or fewer fields than the header, an unterminated quote, a NUL byte or a
 * record over 16 MiB is CTW_E_FORMAT with file, line and column. After an error
 * the reader stays at the error. Empty lines are skipped.
 */
CTW_API ctw_status ctw_csv_next(ctw_csv *csv, int32_t *has_row);
/** Field i of the current record, unquoted, NUL-terminated; valid until the next record. `len` may be NULL. */
CTW_API ctw_status ctw_csv_text(const ctw_csv *csv, uint64_t i, const char **text, uint64_t *len);
/** Field i as a number; an empty field gives NaN. Anything else that is no number: CTW_E_FORMAT with its place. */
CTW_API ctw_status ctw_csv_f64(const ctw_csv *csv, uint64_t i, double *out);
/** Field i as an integer; an empty field is CTW_E_FORMAT. */
CTW_API ctw_status ctw_csv_i64(const ctw_csv *csv, uint64_t i, int64_t *out);
/** Line of the source (from 1) on which the current record starts. */
CTW_API uint64_t ctw_csv_line(const ctw_csv *csv);

#ifdef __cplusplus
}
#endif
#endif
