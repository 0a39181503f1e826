/* svmset.h: the data set handle's inside, and the LIBSVM text format it is read from and written to. */
#ifndef CTW_SVM_SVMSET_H
#define CTW_SVM_SVMSET_H

#include "base/ctx.h"
#include "base/handle.h"
#include "io/bytes.h"
#include "svm/rows.h"
#include "svm/text.h"
#include <cybertwin/svm.h>

#define CTW_SVMSET_MAGIC CTW_FOUR('S', 'V', 'S', 'T')

struct ctw_svmset {
    ctw_base__handle h;
    ctw_svm__rows rows;
    int64_t *label; /* rows.n */
    size_t label_cap;
};

/* CTW_OK for a live set. */
ctw_status ctw_svm__set_check(const ctw_svmset *s, const char *fn);
/* Appends one checked row with its label. */
ctw_status ctw_svm__set_push(ctw_svmset *s, const int32_t *col, const double *val, size_t nz, int64_t label);

/* Parses text into an empty set; CTW_E_FORMAT names line and column. */
ctw_status ctw_svm__text_parse(ctw_svmset *s, const char *text, size_t len, const char *fn);
/* Appends the set as text. */
void ctw_svm__text_write(const ctw_svmset *s, ctw_io__writer *w);

#endif
