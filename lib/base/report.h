/* report.h: building the named results that a public call returns. */
#ifndef CTW_BASE_REPORT_H
#define CTW_BASE_REPORT_H

#include <cybertwin/base.h>

ctw_status ctw_base__report_new(ctw_ctx *ctx, ctw_report **out);
/* Keys and data are copied. Setting a key again replaces its value. On failure the caller unrefs the report. */
ctw_status ctw_base__report_f64(ctw_report *r, const char *key, double value);
ctw_status ctw_base__report_i64(ctw_report *r, const char *key, int64_t value);
ctw_status ctw_base__report_str(ctw_report *r, const char *key, const char *value);
ctw_status ctw_base__report_series(ctw_report *r, const char *key, const double *data, uint64_t n);

#endif
