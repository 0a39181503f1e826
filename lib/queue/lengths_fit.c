/* lengths_fit.c: fitting on a batch of finished requests, and on those remembered since. */
#include "base/cancel.h"
#include "queue/lengths_internal.h"
#include <math.h>
#include <string.h>

#define MOST_TOKENS  1e9
#define SHIFT_MEMORY 100.0 /* finished requests over which the shift averages */

static void rows_free(ctw_ctx *ctx, ctw_lengths__rows *r)
{
    ctw_base__free(ctx, r->start);
    ctw_base__free(ctx, r->feature);
    ctw_base__free(ctx, r->dense);
    ctw_base__free(ctx, r->prior);
    ctw_base__free(ctx, r->value);
}

static ctw_status rows_new(ctw_ctx *ctx, size_t n, size_t samples, int prior, ctw_lengths__rows *r)
{
    memset(r, 0, sizeof *r);
    r->samples = samples;
    r->start = CTW_NEW(ctx, n + 1, size_t);
    r->dense = ctw_base__alloc(ctx, n, CTW_TEXT_DENSE * sizeof *r->dense);
    r->value = ctw_base__alloc(ctx, n, samples * sizeof *r->value);
    if (prior) r->prior = CTW_NEW(ctx, n, double);
    return r->start && r->dense && r->value && (!prior || r->prior) ? CTW_OK : CTW_E_NOMEM;
}

static ctw_status read_all(ctw_lengths *l, const char *const *prompt, const uint64_t *bytes, size_t n,
                           ctw_lengths__rows *r, const ctw_cancel *cancel, const char *fn)
{
    size_t cap = 0;
    ctw_queue__text t;
    CTW_TRY(rows_new(l->h.ctx, n, (size_t)l->samples, 0, r));
    for (size_t i = 0; i < n; i++) {
        if (i % 256 == 0) CTW_TRY(ctw_base__stopped(cancel, fn));
        if (!prompt[i]) return ctw_base__fail(CTW_E_ARG, "%s: prompt[%zu] is NULL", fn, i);
        ctw_queue__text_read(&t, prompt[i], bytes ? (size_t)bytes[i] : strlen(prompt[i]), l->byte_cap);
        CTW_TRY(ctw_base__grow(l->h.ctx, (void **)&r->feature, &cap, r->start[i] + t.n, sizeof *r->feature));
        memcpy(r->feature + r->start[i], t.feature, t.n * sizeof *t.feature);
        memcpy(r->dense + i * CTW_TEXT_DENSE, t.dense, sizeof t.dense);
        r->start[i + 1] = r->start[i] + t.n;
    }
    r->n = n;
    return CTW_OK;
}

static ctw_status take_lengths(const double *tokens, uint64_t stride, int64_t model, ctw_lengths__rows *r,
                               const char *fn)
{
    for (size_t i = 0; i < r->n; i++) {
        const double *v = tokens + i * stride + (uint64_t)model * r->samples;
        for (size_t k = 0; k < r->samples; k++) {
            if (!isnan(v[k]) && !(v[k] >= 0 && v[k] <= MOST_TOKENS))
                return ctw_base__fail(CTW_E_RANGE, "%s: tokens of request %zu, model %lld are %g, must be in [0, %g]",
                                      fn, i, (long long)model, v[k], MOST_TOKENS);
            r->value[i * r->samples + k] = log1p(v[k]);
        }
    }
    return CTW_OK;
}

/* The base is what later updates weigh the remembered requests against. */
ctw_status ctw_lengths__rebase(ctw_lengths *l)
{
    int64_t heads = l->models * l->planes;
    ctw_lengths__head *base = ctw_lengths__heads_new(l->h.ctx, heads, l->bits);
    if (!base) return CTW_E_NOMEM;
    for (int64_t k = 0; k < heads; k++) {
        ctw_queue__bucket *t = base[k].table;
        memcpy(t, l->head[k].table, ctw_queue__buckets(l->bits) * sizeof *t);
        base[k] = l->head[k];
        base[k].table = t;
    }
    ctw_lengths__heads_free(l->h.ctx, l->base, heads);
    l->base = base;
    return CTW_OK;
}

static void forget(ctw_lengths *l)
{
    for (int64_t i = 0; l->memo && i < l->memory; i++) {
        ctw_base__free(l->h.ctx, l->memo[i].feature);
        l->memo[i].feature = NULL;
    }
    l->memo_n = l->memo_next = 0;
}

static ctw_status fit(ctw_lengths *l, const char *const *prompt, const uint64_t *bytes, size_t n, const double *tokens,
                      uint64_t stride, const ctw_cancel *cancel, const char *fn)
{
    ctw_lengths__rows rows = {.n = 0};
    ctw_status s = read_all(l, prompt, bytes, n, &rows, cancel, fn);
    for (int64_t k = 0; k < l->models && !s; k++) {
        ctw_lengths__head *m = ctw_lengths__of(l, k);
        s = take_lengths(tokens, stride, k, &rows, fn);
        for (int64_t p = 0; p < l->planes && !s; p++)
            s = ctw_lengths__learn(l, &rows, p, m->ridge, NULL, &m[p], cancel, fn);
    }
    rows_free(l->h.ctx, &rows);
    if (!s) s = ctw_lengths__rebase(l);
    return s;
}

ctw_status ctw_lengths_fit(ctw_lengths *l, const char *const *prompt, const uint64_t *bytes, uint64_t n,
                           const double *tokens, uint64_t stride, ctw_cancel *cancel)
{
    CTW_TRY(ctw_base__handle_enter(l ? &l->h : NULL, CTW_LENGTHS_MAGIC, __func__, "l"));
    ctw_status s = ctw_base__in_u64(n, 16, 16777216, __func__, "n");
    if (!s) s = ctw_base__need(prompt, __func__, "prompt");
    if (!s) s = ctw_base__need(tokens, __func__, "tokens");
    if (!s && stride < (uint64_t)(l->models * l->samples))
        s = ctw_base__fail(CTW_E_SHAPE, "%s: stride is %llu, below %lld models of %lld samples", __func__,
                           (unsigned long long)stride, (long long)l->models, (long long)l->samples);
    if (!s) {
        l->fitted = 0;
        s = fit(l, prompt, bytes, (size_t)n, tokens, stride, cancel, __func__);
        if (!s) forget(l);
        l->fitted = !s;
    }
    ctw_base__handle_leave(&l->h);
    return s;
}

/* ---- online ---- */

static ctw_status remember(ctw_lengths *l, const ctw_queue__text *t, int64_t model, double target)
{
    if (!l->memo && !(l->memo = CTW_NEW(l->h.ctx, (size_t)l->memory, ctw_lengths__memo))) return CTW_E_NOMEM;
    uint32_t *feature = ctw_base__dup(l->h.ctx, t->feature, t->n, sizeof *feature);
    if (!feature) return CTW_E_NOMEM;
    ctw_lengths__memo *m = &l->memo[l->memo_next];
    ctw_base__free(l->h.ctx, m->feature);
    *m = (ctw_lengths__memo){.feature = feature, .n = t->n, .model = (uint32_t)model, .target = target};
    memcpy(m->dense, t->dense, sizeof m->dense);
    l->memo_next = (l->memo_next + 1) % (size_t)l->memory;
    if (l->memo_n < (size_t)l->memory) l->memo_n++;
    return CTW_OK;
}

static void follow(ctw_lengths__head *m, double score, double target)
{
    double miss = target - ctw_queue__spread_quantile(&m->spread, score, 0.5) - m->shift;
    if (m->shift_n < SHIFT_MEMORY) m->shift_n += 1;
    m->shift += miss / (m->shift_n + 8);
}

ctw_status ctw_lengths_observe(ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model, double tokens)
{
    ctw_queue__text t;
    CTW_TRY(ctw_base__need_n(prompt, bytes, __func__, "prompt"));
    CTW_TRY(ctw_base__in(tokens, 0, MOST_TOKENS, __func__, "tokens"));
    CTW_TRY(ctw_base__handle_enter(l ? &l->h : NULL, CTW_LENGTHS_MAGIC, __func__, "l"));
    ctw_status s = ctw_base__in_i64(model, 0, l->models - 1, __func__, "model");
    if (!s) {
        ctw_queue__text_read(&t, prompt, (size_t)bytes, l->byte_cap);
        if (l->memory) s = remember(l, &t, model, log1p(tokens));
        if (!s && l->fitted)
            follow(ctw_lengths__of(l, model),
                   ctw_lengths__score(ctw_lengths__of(l, model), t.feature, t.n, t.dense, l->bits), log1p(tokens));
    }
    ctw_base__handle_leave(&l->h);
    return s;
}

/* Remembered requests of a model as rows, scored by the old head of one of its planes. */
static ctw_status recall(ctw_lengths *l, int64_t model, int64_t plane, ctw_lengths__rows *r)
{
    size_t cap = 0, i = 0;
    const ctw_lengths__head *base = l->base ? &l->base[model * l->planes + plane] : NULL;
    CTW_TRY(rows_new(l->h.ctx, l->memo_n, 1, l->base != NULL, r));
    for (size_t k = 0; k < l->memo_n; k++) {
        const ctw_lengths__memo *m = &l->memo[k];
        if (m->model != model) continue;
        CTW_TRY(ctw_base__grow(l->h.ctx, (void **)&r->feature, &cap, r->start[i] + m->n, sizeof *r->feature));
        memcpy(r->feature + r->start[i], m->feature, m->n * sizeof *m->feature);
        memcpy(r->dense + i * CTW_TEXT_DENSE, m->dense, sizeof m->dense);
        r->value[i] = m->target;
        if (base) r->prior[i] = ctw_lengths__score(base, m->feature, m->n, m->dense, l->bits);
        r->start[i + 1] = r->start[i] + m->n;
        i++;
    }
    r->n = i;
    return CTW_OK;
}

/* All heads of one model; *done when it has requests enough. */
static ctw_status update_model(ctw_lengths *l, int64_t model, ctw_lengths__head *made, int *done,
                               const ctw_cancel *cancel, const char *fn)
{
    ctw_status s = CTW_OK;
    for (int64_t p = 0; p < l->planes && !s; p++) {
        ctw_lengths__rows rows = {.n = 0};
        s = recall(l, model, p, &rows);
        *done = rows.n >= 16;
        if (!s && *done)
            s = ctw_lengths__learn(l, &rows, p, made->ridge, l->base ? &l->base[model * l->planes + p] : NULL, &made[p],
                                   cancel, fn);
        rows_free(l->h.ctx, &rows);
    }
    return s;
}

static ctw_status update(ctw_lengths *l, const ctw_cancel *cancel, int64_t *changed, const char *fn)
{
    /* New heads are built beside the old ones and swapped in together. */
    int64_t heads = l->models * l->planes;
    ctw_lengths__head *made = ctw_lengths__heads_new(l->h.ctx, heads, l->bits);
    ctw_status s = made ? CTW_OK : CTW_E_NOMEM;
    int done[CTW_LENGTHS_MAX_MODELS] = {0};
    *changed = 0;
    for (int64_t k = 0; k < l->models && !s; k++) {
        s = update_model(l, k, &made[k * l->planes], &done[k], cancel, fn);
        *changed += done[k];
    }
    if (!s && (l->fitted || *changed == l->models)) {
        for (int64_t k = 0; k < heads; k++) {
            if (!done[k / l->planes]) continue;
            ctw_lengths__head old = l->head[k];
            l->head[k] = made[k];
            made[k] = old;
        }
        l->fitted = 1;
    } else if (!s) {
        *changed = 0;
    }
    ctw_lengths__heads_free(l->h.ctx, made, heads);
    return s;
}

ctw_status ctw_lengths_update(ctw_lengths *l, ctw_cancel *cancel, int64_t *changed)
{
    CTW_TRY(ctw_base__handle_enter(l ? &l->h : NULL, CTW_LENGTHS_MAGIC, __func__, "l"));
    int64_t n = 0;
    ctw_status s = update(l, cancel, &n, __func__);
    if (!s && changed) *changed = n;
    ctw_base__handle_leave(&l->h);
    return s;
}
