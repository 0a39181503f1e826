/* lengths.c: life of a length predictor and its predictions. A prediction is one pass over the prompt, one sum over
 * the weights of its features, and a look into the held-out error distribution. */
#include "base/ctx.h"
#include "base/report.h"
#include "io/container.h"
#include "queue/lengths_internal.h"
#include "queue/queue_params.h"
#include <math.h>

void ctw_lengths__heads_free(ctw_ctx *ctx, ctw_lengths__head *head, int64_t models)
{
    if (!head) return;
    for (int64_t k = 0; k < models; k++) ctw_base__free(ctx, head[k].table);
    ctw_base__free(ctx, head);
}

ctw_lengths__head *ctw_lengths__heads_new(ctw_ctx *ctx, int64_t models, int64_t bits)
{
    ctw_lengths__head *head = CTW_NEW(ctx, (size_t)models, ctw_lengths__head);
    if (!head) return NULL;
    for (int64_t k = 0; k < models; k++) {
        head[k].table = CTW_NEW(ctx, ctw_queue__buckets(bits), ctw_queue__bucket);
        if (!head[k].table) {
            ctw_lengths__heads_free(ctx, head, models);
            return NULL;
        }
    }
    return head;
}

static void destroy(ctw_lengths *l)
{
    ctw_lengths__heads_free(l->h.ctx, l->head, l->models * l->planes);
    ctw_lengths__heads_free(l->h.ctx, l->base, l->models * l->planes);
    if (l->memo)
        for (int64_t i = 0; i < l->memory; i++) ctw_base__free(l->h.ctx, l->memo[i].feature);
    ctw_base__free(l->h.ctx, l->memo);
    ctw_params_unref(l->params);
}

CTW_DEFINE_REFS(ctw_lengths, destroy)

ctw_status ctw_lengths__create(ctw_ctx *ctx, const ctw_params *params, const char *fn, ctw_lengths **out)
{
    CTW_TRY(ctw_base__params_check(params, &ctw_lengths__kind, fn));
    ctw_lengths *l = ctw_base__handle_new(ctx, sizeof *l, CTW_LENGTHS_MAGIC);
    if (!l) return CTW_E_NOMEM;
    l->models = ctw_base__opt_i64(params, &ctw_lengths__kind, "models");
    l->samples = ctw_base__opt_i64(params, &ctw_lengths__kind, "samples");
    l->bits = ctw_base__opt_i64(params, &ctw_lengths__kind, "bits");
    l->folds = ctw_base__opt_i64(params, &ctw_lengths__kind, "folds");
    l->memory = ctw_base__opt_i64(params, &ctw_lengths__kind, "memory");
    l->byte_cap = (size_t)ctw_base__opt_i64(params, &ctw_lengths__kind, "byte_cap");
    l->ridge = ctw_base__opt_f64(params, &ctw_lengths__kind, "ridge");
    l->kind = ctw_base__opt_choice(params, &ctw_lengths__kind, "head");
    l->planes = l->kind == CTW_LENGTHS_CLASSES ? 2 + CTW_LENGTHS_EDGES : 1;
    ctw_status s = ctw_base__params_copy(ctx, params, &ctw_lengths__kind, &l->params);
    if (!s && !(l->head = ctw_lengths__heads_new(ctx, l->models * l->planes, l->bits))) s = CTW_E_NOMEM;
    if (s) {
        ctw_lengths_unref(l);
        return s;
    }
    *out = l;
    return CTW_OK;
}

ctw_status ctw_lengths_new(ctw_ctx *ctx, const ctw_params *params, ctw_lengths **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, __func__));
    return ctw_lengths__create(ctx, params, __func__, out);
}

double ctw_lengths__score(const ctw_lengths__head *m, const uint32_t *feature, uint32_t n, const float *dense,
                          int64_t bits)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += ctw_queue__text_scale[CTW_TEXT_KIND(feature[i])] *
               (float)ctw_queue__weight(m->table, ctw_queue__code(feature[i], bits));
    double score = m->bias + m->unit * (double)sum;
    for (uint32_t i = 0; i < CTW_TEXT_DENSE; i++) score += m->dense[i] * (double)dense[i];
    return score;
}

static double score_of(const ctw_lengths *l, int64_t model, const ctw_queue__text *t)
{
    return ctw_lengths__score(ctw_lengths__of(l, model), t->feature, t->n, t->dense, l->bits);
}

ctw_status ctw_lengths__prompt(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model, const char *fn,
                               ctw_queue__text *t)
{
    CTW_TRY(ctw_base__handle_check(l ? &l->h : NULL, CTW_LENGTHS_MAGIC, fn, "l"));
    CTW_TRY(ctw_base__need_n(prompt, bytes, fn, "prompt"));
    CTW_TRY(ctw_base__in_i64(model, 0, l->models - 1, fn, "model"));
    if (!l->fitted) return ctw_base__fail(CTW_E_STATE, "%s: the predictor has not been fitted", fn);
    ctw_queue__text_read(t, prompt, (size_t)bytes, l->byte_cap);
    return CTW_OK;
}

static double tokens_at(const ctw_lengths__head *m, double score, double quantile)
{
    double t = expm1(ctw_queue__spread_quantile(&m->spread, score, quantile) + m->shift);
    return t > 0 ? t : 0;
}

ctw_status ctw_lengths_predict(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model, double quantile,
                               double *tokens)
{
    ctw_queue__text t;
    CTW_TRY(ctw_base__need(tokens, __func__, "tokens"));
    CTW_TRY(ctw_base__in(quantile, 0.01, 0.99, __func__, "quantile"));
    CTW_TRY(ctw_lengths__prompt(l, prompt, bytes, model, __func__, &t));
    *tokens = tokens_at(ctw_lengths__of(l, model), score_of(l, model, &t), quantile);
    return CTW_OK;
}

ctw_status ctw_lengths_predict_all(const ctw_lengths *l, const char *prompt, uint64_t bytes, double quantile,
                                   double *tokens)
{
    ctw_queue__text t;
    CTW_TRY(ctw_base__need(tokens, __func__, "tokens"));
    CTW_TRY(ctw_base__in(quantile, 0.01, 0.99, __func__, "quantile"));
    CTW_TRY(ctw_lengths__prompt(l, prompt, bytes, 0, __func__, &t));
    for (int64_t k = 0; k < l->models; k++) tokens[k] = tokens_at(ctw_lengths__of(l, k), score_of(l, k, &t), quantile);
    return CTW_OK;
}

ctw_status ctw_lengths_score(const ctw_lengths *l, const char *prompt, uint64_t bytes, int64_t model, double *score)
{
    ctw_queue__text t;
    CTW_TRY(ctw_base__need(score, __func__, "score"));
    CTW_TRY(ctw_lengths__prompt(l, prompt, bytes, model, __func__, &t));
    *score = score_of(l, model, &t);
    return CTW_OK;
}

static ctw_status fill(const ctw_lengths *l, ctw_report *r)
{
    uint64_t bytes = 0;
    if (l->fitted) CTW_TRY(ctw_lengths_save_mem(l, NULL, 0, &bytes));
    CTW_TRY(ctw_base__report_i64(r, "fitted", l->fitted));
    CTW_TRY(ctw_base__report_i64(r, "models", l->models));
    CTW_TRY(ctw_base__report_i64(r, "bits", l->bits));
    CTW_TRY(ctw_base__report_i64(r, "bytes", (int64_t)bytes));
    CTW_TRY(ctw_base__report_i64(r, "remembered", (int64_t)l->memo_n));
    double v[5][CTW_LENGTHS_MAX_MODELS], edge[CTW_LENGTHS_MAX_MODELS * CTW_LENGTHS_EDGES];
    for (int64_t k = 0; k < l->models; k++) {
        const ctw_lengths__head *m = ctw_lengths__of(l, k);
        v[0][k] = m->ridge;
        v[1][k] = m->shift;
        v[2][k] = m->rows;
        v[3][k] = m->tau;
        v[4][k] = m->rmse;
        for (unsigned e = 0; e < CTW_LENGTHS_EDGES; e++)
            edge[(unsigned)k * CTW_LENGTHS_EDGES + e] = expm1(m->edge[isnan(m->edge[0]) ? 0 : e]);
    }
    static const char *const key[5] = {"ridge", "shift", "rows", "held_out_tau", "held_out_rmse"};
    for (int i = 0; i < 5; i++) CTW_TRY(ctw_base__report_series(r, key[i], v[i], (uint64_t)l->models));
    CTW_TRY(ctw_base__report_series(r, "edges", edge, (uint64_t)l->models * CTW_LENGTHS_EDGES));
    return CTW_OK;
}

ctw_status ctw_lengths_report(const ctw_lengths *l, ctw_report **out)
{
    CTW_TRY(ctw_base__need(out, __func__, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(l ? &l->h : NULL, CTW_LENGTHS_MAGIC, __func__, "l"));
    ctw_report *r = NULL;
    ctw_status s = ctw_base__report_new(l->h.ctx, &r);
    if (!s) s = fill(l, r);
    if (s)
        ctw_report_unref(r);
    else
        *out = r;
    return s;
}
