/* select.c: which columns a classifier looks at, and their values for a window. */
#include "base/alloc.h"
#include "num/stats.h"
#include "rca/rca_internal.h"
#include <math.h>
#include <string.h>

/* What measured best over cases the selection was not made on; see doc/rca.md. */
static const char auto_list[] = "evidence";
static const char firm_list[] = "RI,CI";

static const char *feature_at(const void *list, size_t i)
{
    (void)list;
    return ctw_rca__features[i].name;
}

ctw_status ctw_rca__column_named(const char *text, size_t len, int *column, const char *fn)
{
    int relative = len > 2 && memcmp(text, "z:", 2) == 0;
    char name[64];
    size_t n = relative ? len - 2 : len;
    if (n >= sizeof name) return ctw_base__fail(CTW_E_KEY, "%s: a feature's name of %zu letters", fn, n);
    memcpy(name, text + len - n, n);
    name[n] = '\0';
    for (int f = 0; f < FEAT_COUNT; f++)
        if (strcmp(ctw_rca__features[f].name, name) == 0) return *column = f + (relative ? FEAT_COUNT : 0), CTW_OK;
    const char *near = ctw_base__nearest(name, feature_at, NULL, FEAT_COUNT);
    return ctw_base__fail(CTW_E_KEY, "%s: no feature '%s'%s%s%s", fn, name, near ? ", did you mean '" : "",
                          near ? near : "", near ? "'?" : "");
}

static ctw_status select_one(ctw_rca *m, const char *text, size_t len, const char *fn)
{
    int column;
    CTW_TRY(ctw_rca__column_named(text, len, &column, fn));
    for (size_t i = 0; i < m->selected_count; i++)
        if (m->selected[i] == column)
            return ctw_base__fail(CTW_E_ARG, "%s: option features names '%.*s' twice", fn, (int)len, text);
    m->selected[m->selected_count++] = column;
    return CTW_OK;
}

ctw_status ctw_rca__select(ctw_rca *m, const char *list, const char *fn)
{
    if (strcmp(list, "auto") == 0) list = auto_list;
    if (strcmp(list, "firm") == 0) list = firm_list;
    m->selected_count = 0;
    for (;;) {
        size_t len = strcspn(list, ",");
        CTW_TRY(select_one(m, list, len, fn));
        if (!list[len]) return CTW_OK;
        list += len + 1;
    }
}

ctw_status ctw_rca__columns(ctw_ctx *ctx, const ctw_rca__row *rows, size_t n, double **x)
{
    double *scratch = ctw_base__alloc(ctx, n, sizeof *scratch);
    *x = ctw_base__alloc(ctx, n * CTW_RCA_COLUMNS, sizeof **x);
    if (!scratch || !*x) {
        ctw_base__free(ctx, scratch);
        ctw_base__free(ctx, *x);
        *x = NULL;
        return CTW_E_NOMEM;
    }
    for (int f = 0; f < FEAT_COUNT; f++) {
        double var = 0;
        for (size_t i = 0; i < n; i++) scratch[i] = rows[i].z[f];
        double mean = n ? ctw_num__mean(scratch, n) : 0;
        for (size_t i = 0; i < n; i++) var += (scratch[i] - mean) * (scratch[i] - mean) / (double)n;
        double middle = n ? ctw_num__quantile(scratch, n, 0.5) : 0;
        for (size_t i = 0; i < n; i++) {
            double *row = *x + i * CTW_RCA_COLUMNS;
            row[f] = rows[i].z[f];
            row[FEAT_COUNT + f] = (rows[i].z[f] - middle) / (sqrt(var) + 1e-6);
        }
    }
    ctw_base__free(ctx, scratch);
    return CTW_OK;
}

double ctw_rca__score(const ctw_rca *m, const double *x, double *contribution)
{
    if (contribution) memset(contribution, 0, CTW_RCA_COLUMNS * sizeof *contribution);
    if (!m->svm.fitted) {
        if (contribution) contribution[FEAT_EVIDENCE] = x[FEAT_EVIDENCE];
        return x[FEAT_EVIDENCE] - m->threshold;
    }
    double score = m->svm.bias;
    for (size_t i = 0; i < m->selected_count; i++) {
        int c = m->selected[i];
        double v = m->svm.weight[c] * (x[c] - m->svm.mean[c]) * m->svm.scale[c];
        score += v;
        if (contribution) contribution[c] = v;
    }
    return score;
}
