/* rca.c: the public localiser: reference, labelled windows, training, ranking. */
#include "base/cancel.h"
#include "base/ctx.h"
#include "rca/rca_internal.h"
#include <math.h>
#include <string.h>

static void destroy(ctw_rca *m)
{
    ctw_ctx *ctx = m->h.ctx;
    ctw_params_unref(m->params);
    ctw_svm_unref(m->live);
    ctw_rca__names_free(ctx, &m->names);
    ctw_rca__reference_clear(ctx, &m->ref);
    ctw_base__free(ctx, m->data.x);
    ctw_base__free(ctx, m->data.guilty);
    ctw_base__free(ctx, m->data.window);
}

CTW_DEFINE_REFS(ctw_rca, destroy)

static ctw_status configure(ctw_rca *m, const ctw_params *params, const char *fn)
{
    const ctw_base__kind *kind = &ctw_rca__kind;
    CTW_TRY(ctw_base__params_copy(m->h.ctx, params, kind, &m->params));
    double half_life = ctw_base__opt_f64(m->params, kind, "ref_half_life");
    m->ref.keep = half_life > 0 ? exp2(-1 / half_life) : 1;
    m->ref.limit = (size_t)ctw_base__opt_i64(m->params, kind, "ref_calls");
    m->max_rows = (size_t)ctw_base__opt_i64(m->params, kind, "max_rows");
    m->c = ctw_base__opt_f64(m->params, kind, "c");
    m->threshold = ctw_base__opt_f64(m->params, kind, "threshold");
    m->rivalry = ctw_base__opt_f64(m->params, kind, "rivalry");
    m->forgive = ctw_base__opt_bool(m->params, kind, "forgive");
    return ctw_rca__select(m, ctw_base__opt_str(m->params, kind, "features"), fn);
}

ctw_status ctw_rca_new(ctw_ctx *ctx, const ctw_params *params, ctw_rca **out)
{
    static const char fn[] = "ctw_rca_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_rca__kind, fn));
    ctw_rca *m = ctw_base__handle_new(ctx, sizeof *m, CTW_RCA_MAGIC);
    if (!m) return CTW_E_NOMEM;
    ctw_status st = configure(m, params, fn);
    if (st != CTW_OK) {
        ctw_rca_unref(m);
        return st;
    }
    *out = m;
    return CTW_OK;
}

static ctw_status check_window(const ctw_calls *window, const char *fn)
{
    CTW_TRY(ctw_base__handle_check(window ? &window->h : NULL, CTW_CALLS_MAGIC, fn, "window"));
    if (!window->count) return ctw_base__fail(CTW_E_ARG, "%s: window has no calls", fn);
    return CTW_OK;
}

/* Features of a window against m's reference. */
static ctw_status measure(const ctw_rca *m, const ctw_rca__window *w, ctw_rca__row **rows, size_t *n, const char *fn)
{
    if (!m->ref.windows) return ctw_base__fail(CTW_E_STATE, "%s: no fault-free window has been learned", fn);
    return ctw_rca__features_of(m->h.ctx, w, &m->ref, &m->names, rows, n);
}

static ctw_status learn(ctw_rca *m, const ctw_calls *window, const char *fn)
{
    ctw_ctx *ctx = m->h.ctx;
    ctw_rca__window w;
    CTW_TRY(check_window(window, fn));
    CTW_TRY(ctw_rca__window_build(ctx, &w, window));
    uint32_t *map = ctw_base__alloc(ctx, window->names.count, sizeof *map);
    ctw_status st = map ? CTW_OK : CTW_E_NOMEM;
    for (size_t i = 0; st == CTW_OK && i < window->names.count; i++) {
        const char *text = window->names.text[i];
        st = ctw_rca__names_add(ctx, &m->names, text, strlen(text), &map[i], fn);
    }
    if (st == CTW_OK) st = ctw_rca__reference_learn(ctx, &m->ref, &w, map);
    ctw_base__free(ctx, map);
    ctw_rca__window_free(ctx, &w);
    return st;
}

ctw_status ctw_rca_learn(ctw_rca *m, const ctw_calls *window, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_rca_learn";
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    ctw_status st = ctw_base__stopped(cancel, fn);
    if (st == CTW_OK) st = learn(m, window, fn);
    ctw_base__handle_leave(&m->h);
    return st;
}

ctw_status ctw_rca_forget(ctw_rca *m)
{
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, "ctw_rca_forget", "m"));
    ctw_rca__reference_clear(m->h.ctx, &m->ref);
    ctw_base__handle_leave(&m->h);
    return CTW_OK;
}

uint64_t ctw_rca_windows(const ctw_rca *m)
{
    return m ? m->ref.windows : 0;
}

static ctw_status check_culprits(const ctw_rca__row *rows, size_t n, const char *const *culprit, uint64_t n_culprits,
                                 const char *fn)
{
    for (uint64_t k = 0; k < n_culprits; k++) {
        size_t i = 0;
        if (!culprit[k]) return ctw_base__fail(CTW_E_ARG, "%s: culprit[%llu] is NULL", fn, (unsigned long long)k);
        while (i < n && strcmp(rows[i].name, culprit[k]) != 0) i++;
        if (i == n)
            return ctw_base__fail(CTW_E_KEY, "%s: culprit '%s' is no component of the window or the reference", fn,
                                  culprit[k]);
    }
    return CTW_OK;
}

static void drop_oldest(ctw_rca__labelled *d, size_t drop)
{
    if (!drop) return;
    d->count -= drop;
    d->left += drop;
    memmove(d->x, d->x + drop * CTW_RCA_COLUMNS, d->count * CTW_RCA_COLUMNS * sizeof *d->x);
    memmove(d->guilty, d->guilty + drop, d->count * sizeof *d->guilty);
    memmove(d->window, d->window + drop, d->count * sizeof *d->window);
}

/* Room for n more rows; whole old windows leave when max_rows would be passed. */
ctw_status ctw_rca__rows_room(ctw_rca *m, size_t n, const char *fn)
{
    ctw_rca__labelled *d = &m->data;
    ctw_ctx *ctx = m->h.ctx;
    if (n > m->max_rows)
        return ctw_base__fail(CTW_E_RANGE, "%s: the window has %zu components, max_rows is %zu", fn, n, m->max_rows);
    size_t size = CTW_RCA_COLUMNS * sizeof(double);
    CTW_TRY(ctw_base__grow(ctx, (void **)&d->x, &d->cap, d->count + n, size));
    CTW_TRY(ctw_base__grow(ctx, (void **)&d->guilty, &d->guilty_cap, d->count + n, sizeof *d->guilty));
    CTW_TRY(ctw_base__grow(ctx, (void **)&d->window, &d->window_cap, d->count + n, sizeof *d->window));
    size_t drop = 0;
    while (d->count - drop + n > m->max_rows) {
        uint64_t w = d->window[drop];
        while (drop < d->count && d->window[drop] == w) drop++;
    }
    drop_oldest(d, drop);
    return CTW_OK;
}

/* Appends one window's rows; room was made. */
static void append(ctw_rca__labelled *d, const double *x, const int8_t *guilty, size_t n)
{
    memcpy(d->x + d->count * CTW_RCA_COLUMNS, x, n * CTW_RCA_COLUMNS * sizeof *x);
    memcpy(d->guilty + d->count, guilty, n * sizeof *guilty);
    for (size_t i = 0; i < n; i++) d->window[d->count + i] = d->next_window;
    d->count += n;
    d->next_window++;
}

static int is_culprit(const char *name, const char *const *culprit, uint64_t n)
{
    for (uint64_t k = 0; k < n; k++)
        if (strcmp(name, culprit[k]) == 0) return 1;
    return 0;
}

ctw_status ctw_rca__add_case_window(ctw_rca *m, const ctw_rca__window *w, const char *const *culprit,
                                    uint64_t n_culprits, const char *fn)
{
    ctw_rca__row *rows = NULL;
    double *x = NULL;
    size_t n = 0;
    CTW_TRY(ctw_base__need_n(culprit, n_culprits, fn, "culprit"));
    CTW_TRY(measure(m, w, &rows, &n, fn));
    ctw_status st = check_culprits(rows, n, culprit, n_culprits, fn);
    if (st == CTW_OK) st = ctw_rca__columns(m->h.ctx, rows, n, &x);
    int8_t *guilty = st == CTW_OK ? ctw_base__alloc(m->h.ctx, n, sizeof *guilty) : NULL;
    if (st == CTW_OK) st = guilty ? ctw_rca__rows_room(m, n, fn) : CTW_E_NOMEM;
    if (st == CTW_OK) {
        for (size_t i = 0; i < n; i++) guilty[i] = (int8_t)is_culprit(rows[i].name, culprit, n_culprits);
        append(&m->data, x, guilty, n);
    }
    ctw_base__free(m->h.ctx, guilty);
    ctw_base__free(m->h.ctx, rows);
    ctw_base__free(m->h.ctx, x);
    return st;
}

ctw_status ctw_rca_add_case(ctw_rca *m, const ctw_calls *window, const char *const *culprit, uint64_t n)
{
    static const char fn[] = "ctw_rca_add_case";
    ctw_rca__window w;
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    ctw_status st = check_window(window, fn);
    if (st == CTW_OK) st = ctw_rca__window_build(m->h.ctx, &w, window);
    if (st == CTW_OK) {
        st = ctw_rca__add_case_window(m, &w, culprit, n, fn);
        ctw_rca__window_free(m->h.ctx, &w);
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

static ctw_status merge(ctw_rca *m, const ctw_rca *from, const char *fn)
{
    const ctw_rca__labelled *f = &from->data;
    CTW_TRY(ctw_rca__rows_room(m, f->count, fn));
    for (size_t i = 0, end; i < f->count; i = end) {
        for (end = i; end < f->count && f->window[end] == f->window[i];) end++;
        append(&m->data, f->x + i * CTW_RCA_COLUMNS, f->guilty + i, end - i);
    }
    return CTW_OK;
}

/* Two localisers by name: the second is only read. */
static ctw_status enter_two(ctw_rca *m, const ctw_rca *other, const char *fn, const char *name)
{
    CTW_TRY(ctw_base__handle_check(other ? &other->h : NULL, CTW_RCA_MAGIC, fn, name));
    if (m == other) return ctw_base__fail(CTW_E_ARG, "%s: m and %s are one localiser", fn, name);
    return ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m");
}

ctw_status ctw_rca_add_cases(ctw_rca *m, const ctw_rca *from)
{
    static const char fn[] = "ctw_rca_add_cases";
    CTW_TRY(enter_two(m, from, fn, "from"));
    ctw_status st = merge(m, from, fn);
    ctw_base__handle_leave(&m->h);
    return st;
}

ctw_status ctw_rca_adopt(ctw_rca *m, const ctw_rca *trained)
{
    static const char fn[] = "ctw_rca_adopt";
    CTW_TRY(enter_two(m, trained, fn, "trained"));
    ctw_status st = CTW_OK;
    if (!trained->svm.fitted) {
        st = ctw_base__fail(CTW_E_STATE, "%s: trained has no classifier", fn);
    } else {
        memcpy(m->selected, trained->selected, sizeof m->selected);
        m->selected_count = trained->selected_count;
        m->svm = trained->svm;
        ctw_svm_unref(m->live);
        m->live = NULL;
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

uint64_t ctw_rca_cases(const ctw_rca *m)
{
    return m && m->data.count ? m->data.next_window - m->data.window[0] : 0;
}

ctw_status ctw_rca_fit(ctw_rca *m, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_rca_fit";
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    m->svm.fitted = 0;
    ctw_status st = ctw_rca__train(m, cancel, fn);
    if (st != CTW_OK) {
        ctw_svm_unref(m->live);
        m->live = NULL;
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

ctw_status ctw_rca_update(ctw_rca *m, ctw_cancel *cancel)
{
    static const char fn[] = "ctw_rca_update";
    CTW_TRY(ctw_base__handle_enter(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    ctw_rca__linear before = m->svm;
    ctw_status st = m->live ? ctw_rca__go_on(m, cancel, fn) : ctw_rca__train(m, cancel, fn);
    if (st != CTW_OK) {
        m->svm = before;
        ctw_svm_unref(m->live);
        m->live = NULL;
    }
    ctw_base__handle_leave(&m->h);
    return st;
}

int32_t ctw_rca_fitted(const ctw_rca *m)
{
    return m && m->svm.fitted;
}

ctw_status ctw_rca__rank_window(const ctw_rca *m, const ctw_rca__window *w, ctw_ranking **out, const char *fn)
{
    ctw_rca__row *rows = NULL;
    double *x = NULL;
    size_t n = 0;
    CTW_TRY(measure(m, w, &rows, &n, fn));
    ctw_status st = ctw_rca__columns(m->h.ctx, rows, n, &x);
    if (st == CTW_OK) st = ctw_rca__ranking_new(m, rows, x, n, out);
    ctw_base__free(m->h.ctx, rows);
    ctw_base__free(m->h.ctx, x);
    return st;
}

ctw_status ctw_rca_rank(const ctw_rca *m, const ctw_calls *window, ctw_cancel *cancel, ctw_ranking **out)
{
    static const char fn[] = "ctw_rca_rank";
    ctw_rca__window w;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(m ? &m->h : NULL, CTW_RCA_MAGIC, fn, "m"));
    CTW_TRY(ctw_base__stopped(cancel, fn));
    CTW_TRY(check_window(window, fn));
    CTW_TRY(ctw_rca__window_build(m->h.ctx, &w, window));
    ctw_status st = ctw_rca__rank_window(m, &w, out, fn);
    ctw_rca__window_free(m->h.ctx, &w);
    return st;
}

uint64_t ctw_rca_features(void)
{
    return FEAT_COUNT;
}

ctw_status ctw_rca_feature_at(uint64_t i, const char **name, const char **help)
{
    if (i >= FEAT_COUNT)
        return ctw_base__fail(CTW_E_RANGE, "ctw_rca_feature_at: i is %llu, there are %d features",
                              (unsigned long long)i, FEAT_COUNT);
    if (name) *name = ctw_rca__features[i].name;
    if (help) *help = ctw_rca__features[i].help;
    return CTW_OK;
}
