/* predict.c: decision values, votes and probabilities of rows, and their public verbs. */
#include "num/blas.h"
#include "svm/svm_internal.h"
#include "svm/svmset.h"
#include <string.h>

#define BLOCK 64 /* dense rows converted at a time */

/* The machines' sums over one row's kernel values. */
static void sum_machines(const ctw_svm__model *m, const double *k, double *out)
{
    for (size_t i = 0; i < m->machines; i++) {
        const ctw_svm__machine *c = &m->machine[i];
        double s = c->bias;
        if (c->nsv == m->cols.m) {
            s += ctw_num__dot(c->nsv, k, c->coef);
        } else {
            for (size_t j = 0; j < c->nsv; j++) s += c->coef[j] * k[c->sv[j]];
        }
        out[i] = s;
    }
}

static ctw_status decide_kernel(ctw_ctx *ctx, const ctw_svm__model *m, const ctw_svm__rows *x, size_t from, size_t n,
                                double *out, size_t stride)
{
    enum { ROWS = 16 };
    ctw_svm__work w;
    CTW_TRY(ctw_svm__work_new(ctx, &m->cols, n < ROWS ? n : ROWS, &w));
    for (size_t at = 0; at < n; at += ROWS) {
        size_t idx[ROWS], k = n - at < ROWS ? n - at : ROWS;
        for (size_t i = 0; i < k; i++) idx[i] = from + at + i;
        ctw_svm__kernel_block(&m->cols, &w, x, idx, k);
        for (size_t i = 0; i < k; i++) sum_machines(m, w.dot + i * m->cols.m, out + (at + i) * stride);
    }
    ctw_svm__work_free(ctx, &w);
    return CTW_OK;
}

ctw_status ctw_svm__decide(ctw_ctx *ctx, const ctw_svm__model *m, const ctw_svm__rows *x, size_t from, size_t n,
                           double *out, size_t stride)
{
    if (m->sv.n) return decide_kernel(ctx, m, x, from, n, out, stride);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m->machines; k++) {
            const ctw_svm__machine *c = &m->machine[k];
            out[i * stride + k] = c->bias + (c->w ? ctw_svm__rows_dot(x, from + i, c->w, m->d) : 0);
        }
    return CTW_OK;
}

size_t ctw_svm__vote(const ctw_svm__model *m, const double *dec, uint32_t *votes)
{
    size_t best = 0;
    if (m->classes == 2) return dec[0] >= 0;
    if (m->ovr) {
        for (size_t k = 1; k < m->classes; k++)
            if (dec[k] > dec[best]) best = k;
        return best;
    }
    memset(votes, 0, m->classes * sizeof *votes);
    for (size_t k = 0; k < m->machines; k++) votes[dec[k] >= 0 ? m->machine[k].pos : m->machine[k].neg]++;
    for (size_t k = 1; k < m->classes; k++)
        if (votes[k] > votes[best]) best = k;
    return best;
}

/* Where predictions go, with the scratch space of one call. */
typedef struct sink {
    const ctw_svm *m;
    int64_t *label;
    double *prob;
    size_t prob_stride;
    double *dec, *scratch;
    uint32_t *votes;
} sink;

static void sink_free(sink *s)
{
    ctw_base__free(s->m->h.ctx, s->dec);
    ctw_base__free(s->m->h.ctx, s->scratch);
    ctw_base__free(s->m->h.ctx, s->votes);
}

static ctw_status sink_new(sink *s)
{
    const ctw_svm__model *m = s->m->model;
    s->dec = CTW_NEW(s->m->h.ctx, BLOCK * m->machines, double);
    s->scratch = CTW_NEW(s->m->h.ctx, ctw_svm__prob_scratch(m->classes), double);
    s->votes = CTW_NEW(s->m->h.ctx, m->classes, uint32_t);
    if (s->dec && s->scratch && s->votes) return CTW_OK;
    sink_free(s);
    return CTW_E_NOMEM;
}

/* Rows [from, from + n) of x become answers `at` and on. */
static ctw_status answer(sink *s, const ctw_svm__rows *x, size_t from, size_t n, size_t at)
{
    const ctw_svm__model *m = s->m->model;
    CTW_TRY(ctw_svm__decide(s->m->h.ctx, m, x, from, n, s->dec, m->machines));
    for (size_t i = 0; i < n; i++) {
        const double *dec = s->dec + i * m->machines;
        s->label[at + i] = m->label[ctw_svm__vote(m, dec, s->votes)];
        if (s->prob) ctw_svm__prob(m, dec, s->scratch, s->prob + (at + i) * s->prob_stride);
    }
    return CTW_OK;
}

static ctw_status can_predict(const ctw_svm *m, uint64_t n, const void *out, const double *prob, uint64_t prob_stride,
                              const char *fn)
{
    CTW_TRY(ctw_svm__fitted(m, fn));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out_label"));
    if (!prob) return CTW_OK;
    for (size_t k = 0; k < m->model->machines; k++)
        if (!m->model->machine[k].calibrated)
            return ctw_base__fail(CTW_E_STATE, "%s: the model was fitted without option probability", fn);
    if (prob_stride < m->model->classes)
        return ctw_base__fail(CTW_E_SHAPE, "%s: prob_stride is %llu, there are %llu classes", fn,
                              (unsigned long long)prob_stride, (unsigned long long)m->model->classes);
    return CTW_OK;
}

static ctw_status check_dense(const ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                              const char *fn)
{
    CTW_TRY(ctw_base__matrix(x, n, d, stride, fn, "x"));
    if (n && d != m->model->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, the model has %llu features", fn, (unsigned long long)d,
                              (unsigned long long)m->model->d);
    return CTW_OK;
}

/* Dense rows go through `use` in blocks of sparse rows. */
typedef ctw_status (*block_fn)(void *user, const ctw_svm__rows *x, size_t from, size_t n, size_t at);

static ctw_status by_blocks(ctw_ctx *ctx, const double *x, size_t n, size_t d, size_t stride, block_fn use, void *user)
{
    ctw_svm__rows r = {0};
    ctw_status st = CTW_OK;
    for (size_t at = 0; st == CTW_OK && at < n; at += BLOCK) {
        size_t k = n - at < BLOCK ? n - at : BLOCK;
        r.n = 0;
        st = ctw_svm__rows_add_dense(ctx, &r, x + at * stride, k, d, stride);
        if (st == CTW_OK) st = use(user, &r, 0, k, at);
    }
    ctw_svm__rows_free(ctx, &r);
    return st;
}

static ctw_status answer_block(void *user, const ctw_svm__rows *x, size_t from, size_t n, size_t at)
{
    return answer(user, x, from, n, at);
}

ctw_status ctw_svm_predict(const ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                           int64_t *out_label, double *out_prob, uint64_t prob_stride)
{
    CTW_TRY(can_predict(m, n, out_label, out_prob, prob_stride, __func__));
    CTW_TRY(check_dense(m, x, n, d, stride, __func__));
    sink s = {.m = m, .label = out_label, .prob = out_prob, .prob_stride = (size_t)prob_stride};
    CTW_TRY(sink_new(&s));
    ctw_status st = by_blocks(m->h.ctx, x, (size_t)n, (size_t)d, (size_t)stride, answer_block, &s);
    sink_free(&s);
    return st;
}

ctw_status ctw_svm_predict_set(const ctw_svm *m, const ctw_svmset *set, int64_t *out_label, double *out_prob,
                               uint64_t prob_stride)
{
    CTW_TRY(ctw_svm__set_check(set, __func__));
    CTW_TRY(can_predict(m, set->rows.n, out_label, out_prob, prob_stride, __func__));
    sink s = {.m = m, .label = out_label, .prob = out_prob, .prob_stride = (size_t)prob_stride};
    CTW_TRY(sink_new(&s));
    ctw_status st = CTW_OK;
    for (size_t at = 0; st == CTW_OK && at < set->rows.n; at += BLOCK)
        st = answer(&s, &set->rows, at, set->rows.n - at < BLOCK ? set->rows.n - at : BLOCK, at);
    sink_free(&s);
    return st;
}

static ctw_status can_decide(const ctw_svm *m, uint64_t n, const double *out, uint64_t out_stride, const char *fn)
{
    CTW_TRY(ctw_svm__fitted(m, fn));
    CTW_TRY(ctw_base__need_n(out, n, fn, "out"));
    if (n == 0 || out_stride >= m->model->machines) return CTW_OK;
    return ctw_base__fail(CTW_E_SHAPE, "%s: out_stride is %llu, there are %llu decision values", fn,
                          (unsigned long long)out_stride, (unsigned long long)m->model->machines);
}

typedef struct values {
    const ctw_svm *m;
    double *out;
    size_t stride;
} values;

static ctw_status decide_block(void *user, const ctw_svm__rows *x, size_t from, size_t n, size_t at)
{
    values *v = user;
    return ctw_svm__decide(v->m->h.ctx, v->m->model, x, from, n, v->out + at * v->stride, v->stride);
}

ctw_status ctw_svm_decision(const ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride, double *out,
                            uint64_t out_stride)
{
    CTW_TRY(can_decide(m, n, out, out_stride, __func__));
    CTW_TRY(check_dense(m, x, n, d, stride, __func__));
    values v = {m, out, (size_t)out_stride};
    return by_blocks(m->h.ctx, x, (size_t)n, (size_t)d, (size_t)stride, decide_block, &v);
}

ctw_status ctw_svm_decision_set(const ctw_svm *m, const ctw_svmset *s, double *out, uint64_t out_stride)
{
    CTW_TRY(ctw_svm__set_check(s, __func__));
    CTW_TRY(can_decide(m, s->rows.n, out, out_stride, __func__));
    return ctw_svm__decide(m->h.ctx, m->model, &s->rows, 0, s->rows.n, out, (size_t)out_stride);
}
