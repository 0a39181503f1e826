/* rca_io.c: a localiser as a file (doc/format.md, kind "RCAL"): options, names, reference, labelled rows, classifier.
 * What is derived from the reference's calls (medians, quantiles) is computed again on loading, from the same
 * bits, so a loaded localiser ranks exactly like the one that was saved. */
#include "io/saving.h"
#include "rca/rca_internal.h"
#include <math.h>
#include <string.h>

enum {
    MAJOR = 1,
    MINOR = 0,
    TAG_FEATURES = CTW_FOUR('F', 'E', 'A', 'T'),
    TAG_NAMES = CTW_FOUR('N', 'A', 'M', 'E'),
    TAG_OPS = CTW_FOUR('R', 'E', 'F', 'O'),
    TAG_COMPONENTS = CTW_FOUR('R', 'E', 'F', 'C'),
    TAG_ROWS = CTW_FOUR('R', 'O', 'W', 'S'),
    TAG_SVM = CTW_FOUR('L', 'S', 'V', 'M')
};

/* ---- writing ---- */

static void put_f32(ctw_io__writer *w, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    ctw_io__put_u32(w, bits);
}

static void put_text(ctw_io__writer *w, const char *text)
{
    size_t n = strlen(text);
    ctw_io__put_u32(w, (uint32_t)n);
    ctw_io__put_raw(w, text, n);
}

static void write_ops(ctw_io__out *o, const ctw_rca__reference *ref)
{
    ctw_io__out_open(o, TAG_OPS, 1, 0);
    ctw_io__put_u64(&o->w, ref->ops);
    for (size_t i = 0; i < ref->ops; i++) {
        const ctw_rca__past_op *op = &ref->op[i];
        ctw_io__put_u32(&o->w, op->component);
        ctw_io__put_u32(&o->w, op->op);
        ctw_io__put_u32(&o->w, op->caller);
        ctw_io__put_u64(&o->w, op->head);
        ctw_io__put_u64(&o->w, op->count);
        for (size_t k = 0; k < op->count; k++)
            for (int c = 0; c < PAST_COLUMNS; c++) put_f32(&o->w, op->ring[k].v[c]);
    }
    ctw_io__out_close(o);
}

static void write_components(ctw_io__out *o, const ctw_rca__reference *ref)
{
    ctw_io__out_open(o, TAG_COMPONENTS, 1, 0);
    ctw_io__put_u64(&o->w, ref->windows);
    ctw_io__put_f64(&o->w, ref->traces);
    ctw_io__put_u64(&o->w, ref->components);
    for (size_t i = 0; i < ref->components; i++) {
        const ctw_rca__past_component *c = &ref->component[i];
        ctw_io__put_u32(&o->w, c->name);
        ctw_io__put_f64(&o->w, c->calls);
        ctw_io__put_u64(&o->w, c->head);
        ctw_io__put_u64(&o->w, c->count);
        for (size_t k = 0; k < c->count; k++) {
            put_f32(&o->w, c->ring[k].own);
            put_f32(&o->w, c->ring[k].root);
        }
    }
    ctw_io__out_close(o);
}

static void write_rows(ctw_io__out *o, const ctw_rca__labelled *d)
{
    ctw_io__out_open(o, TAG_ROWS, 1, 0);
    ctw_io__put_u64(&o->w, d->next_window);
    ctw_io__put_u64(&o->w, d->count);
    for (size_t i = 0; i < d->count; i++) {
        ctw_io__put_u64(&o->w, d->window[i]);
        ctw_io__put_u8(&o->w, (uint8_t)d->guilty[i]);
        ctw_io__put_f64s(&o->w, d->x + i * CTW_RCA_COLUMNS, CTW_RCA_COLUMNS);
    }
    ctw_io__out_close(o);
}

static void write_svm(ctw_io__out *o, const ctw_rca *m)
{
    ctw_io__out_open(o, TAG_SVM, 1, 0);
    ctw_io__put_f64(&o->w, m->svm.bias);
    ctw_io__put_u64(&o->w, m->selected_count);
    for (size_t i = 0; i < m->selected_count; i++) {
        int c = m->selected[i];
        ctw_io__put_u32(&o->w, (uint32_t)c);
        ctw_io__put_f64(&o->w, m->svm.mean[c]);
        ctw_io__put_f64(&o->w, m->svm.scale[c]);
        ctw_io__put_f64(&o->w, m->svm.weight[c]);
    }
    ctw_io__out_close(o);
}

static ctw_status write_all(const ctw_rca *m, ctw_io__out *o)
{
    ctw_io__out_begin(o, m->h.ctx, CTW_RCA_MAGIC, MAJOR, MINOR);
    ctw_io__out_params(o, m->params);
    ctw_io__out_open(o, TAG_FEATURES, 1, 0);
    ctw_io__put_u64(&o->w, FEAT_COUNT);
    for (int i = 0; i < FEAT_COUNT; i++) put_text(&o->w, ctw_rca__features[i].name);
    ctw_io__out_close(o);
    ctw_io__out_open(o, TAG_NAMES, 1, 0);
    ctw_io__put_u64(&o->w, m->names.count);
    for (size_t i = 0; i < m->names.count; i++) put_text(&o->w, m->names.text[i]);
    ctw_io__out_close(o);
    write_ops(o, &m->ref);
    write_components(o, &m->ref);
    write_rows(o, &m->data);
    if (m->svm.fitted) write_svm(o, m);
    return ctw_io__out_finish(o);
}

/* ---- reading ---- */

static ctw_status damaged(const char *fn, const char *what)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s in the file cannot be a localiser's", fn, what);
}

/* A time or count of the reference: finite and not negative; the reader fails otherwise. */
static float get_f32(ctw_io__reader *r)
{
    uint32_t bits = ctw_io__get_u32(r);
    float v;
    memcpy(&v, &bits, sizeof v);
    if (!(v >= 0 && isfinite(v))) {
        r->failed = 1;
        return 0;
    }
    return v;
}

static ctw_status read_features(const ctw_io__in *in, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_FEATURES, &r, fn));
    int same = ctw_io__get_u64(&r) == FEAT_COUNT;
    for (int i = 0; same && i < FEAT_COUNT; i++) {
        size_t n = ctw_io__get_u32(&r);
        const unsigned char *text = ctw_io__get_raw(&r, n);
        same = text && strlen(ctw_rca__features[i].name) == n && memcmp(text, ctw_rca__features[i].name, n) == 0;
    }
    if (!same) return ctw_base__fail(CTW_E_VERSION, "%s: the file was written with another set of features", fn);
    return ctw_io__in_end(&r, fn, "features");
}

static ctw_status read_names(const ctw_io__in *in, ctw_rca *m, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_NAMES, &r, fn));
    return ctw_rca__names_read(m->h.ctx, &m->names, &r, fn);
}

/* Count and head of a ring whose elements take `size` bytes in the file. */
static int get_ring(ctw_io__reader *r, size_t size, size_t limit, size_t *head, size_t *count)
{
    uint64_t h = ctw_io__get_u64(r);
    *count = ctw_io__get_count(r, size);
    *head = (size_t)h;
    return !r->failed && *count <= limit && (h == 0 || (*count == limit && h < limit));
}

static ctw_status read_op(ctw_io__reader *r, ctw_rca *m, const char *fn)
{
    ctw_rca__reference *ref = &m->ref;
    uint32_t component = ctw_io__get_u32(r), op = ctw_io__get_u32(r), caller = ctw_io__get_u32(r);
    size_t names = m->names.count, head, count;
    int known_caller = caller < names || caller == CTW_RCA_ANYBODY || caller == CTW_RCA_NONE;
    if (component >= names || op >= names || !known_caller) return damaged(fn, "an operation's name");
    if (ctw_rca__reference_op(ref, component, op, caller)) return damaged(fn, "a repeated operation");
    if (!get_ring(r, PAST_COLUMNS * sizeof(float), ref->limit, &head, &count)) return damaged(fn, "an operation");
    ctw_rca__past_op *o;
    CTW_TRY(ctw_rca__reference_op_room(m->h.ctx, ref, component, op, caller, count, &o));
    for (size_t k = 0; k < count; k++)
        for (int c = 0; c < PAST_COLUMNS; c++) o->ring[k].v[c] = get_f32(r);
    if (r->failed) return damaged(fn, "a call");
    o->count = count;
    o->head = head;
    double *scratch = ctw_base__alloc(m->h.ctx, count, sizeof *scratch);
    if (!scratch) return CTW_E_NOMEM;
    ctw_rca__reference_refresh_op(o, scratch);
    ctw_base__free(m->h.ctx, scratch);
    return CTW_OK;
}

static ctw_status read_component(ctw_io__reader *r, ctw_rca *m, const char *fn)
{
    ctw_rca__reference *ref = &m->ref;
    uint32_t name = ctw_io__get_u32(r);
    double calls = ctw_io__get_f64(r);
    size_t head, count;
    ctw_rca__past_component *c;
    if (name >= m->names.count || !(calls >= 0 && calls <= 1e18)) return damaged(fn, "a component");
    if (ctw_rca__reference_component(ref, name)) return damaged(fn, "a repeated component");
    if (!get_ring(r, 2 * sizeof(float), ref->limit, &head, &count)) return damaged(fn, "a component");
    CTW_TRY(ctw_rca__reference_component_room(m->h.ctx, ref, name, count, &c));
    for (size_t k = 0; k < count; k++) {
        c->ring[k].own = get_f32(r);
        c->ring[k].root = get_f32(r);
    }
    if (r->failed) return damaged(fn, "a trace");
    c->count = count;
    c->head = head;
    c->calls = calls;
    double *scratch = ctw_base__alloc(m->h.ctx, 2 * count, sizeof *scratch);
    if (!scratch) return CTW_E_NOMEM;
    ctw_rca__reference_refresh_component(c, scratch);
    ctw_base__free(m->h.ctx, scratch);
    return CTW_OK;
}

static ctw_status read_reference(const ctw_io__in *in, ctw_rca *m, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_OPS, &r, fn));
    size_t n = ctw_io__get_count(&r, 28);
    for (size_t i = 0; i < n; i++) CTW_TRY(read_op(&r, m, fn));
    CTW_TRY(ctw_io__in_end(&r, fn, "operations"));
    CTW_TRY(ctw_io__in_section(in, TAG_COMPONENTS, &r, fn));
    m->ref.windows = ctw_io__get_u64(&r);
    m->ref.traces = ctw_io__get_f64(&r);
    if (!(m->ref.traces >= 0 && m->ref.traces <= 1e18)) return damaged(fn, "the number of traces");
    n = ctw_io__get_count(&r, 28);
    for (size_t i = 0; i < n; i++) CTW_TRY(read_component(&r, m, fn));
    return ctw_io__in_end(&r, fn, "components");
}

static ctw_status read_rows(const ctw_io__in *in, ctw_rca *m, const char *fn)
{
    ctw_rca__labelled *d = &m->data;
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_ROWS, &r, fn));
    d->next_window = ctw_io__get_u64(&r);
    size_t n = ctw_io__get_count(&r, 9 + CTW_RCA_COLUMNS * sizeof(double));
    if (n > m->max_rows) return damaged(fn, "the number of labelled rows");
    CTW_TRY(ctw_rca__rows_room(m, n, fn));
    for (size_t i = 0; i < n; i++) {
        uint64_t window = ctw_io__get_u64(&r);
        uint8_t guilty = ctw_io__get_u8(&r);
        ctw_io__get_f64s(&r, d->x + i * CTW_RCA_COLUMNS, CTW_RCA_COLUMNS);
        if (r.failed || guilty > 1 || window >= d->next_window || (i && window < d->window[i - 1]))
            return damaged(fn, "a labelled row");
        d->window[i] = window;
        d->guilty[i] = (int8_t)guilty;
    }
    d->count = n;
    return ctw_io__in_end(&r, fn, "rows");
}

static ctw_status read_svm(const ctw_io__in *in, ctw_rca *m, const char *fn)
{
    ctw_io__reader r;
    CTW_TRY(ctw_io__in_section(in, TAG_SVM, &r, fn));
    m->svm.bias = ctw_io__get_f64(&r);
    size_t n = ctw_io__get_count(&r, 28);
    if (!isfinite(m->svm.bias) || !n || n > CTW_RCA_COLUMNS) return damaged(fn, "the classifier");
    m->selected_count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = ctw_io__get_u32(&r);
        double v[3];
        ctw_io__get_f64s(&r, v, 3);
        if (r.failed || c >= CTW_RCA_COLUMNS) return damaged(fn, "the classifier");
        for (size_t k = 0; k < i; k++)
            if (m->selected[k] == (int)c) return damaged(fn, "the classifier");
        m->selected[m->selected_count++] = (int)c;
        m->svm.mean[c] = v[0];
        m->svm.scale[c] = v[1];
        m->svm.weight[c] = v[2];
    }
    m->svm.fitted = 1;
    return ctw_io__in_end(&r, fn, "classifier");
}

static ctw_status read_all(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_rca **out, const char *fn)
{
    static const uint32_t known[] = {
        CTW_FOUR('P', 'R', 'M', 'S'), TAG_FEATURES, TAG_NAMES, TAG_OPS, TAG_COMPONENTS, TAG_ROWS, TAG_SVM};
    ctw_io__in in;
    ctw_params *params = NULL;
    CTW_TRY(ctw_io__in_begin(&in, buf, len, CTW_RCA_MAGIC, MAJOR, fn));
    CTW_TRY(ctw_io__in_known(&in, known, sizeof known / sizeof *known, fn));
    CTW_TRY(ctw_io__in_params(&in, ctx, "rca", &params, fn));
    ctw_status s = ctw_rca_new(ctx, params, out);
    ctw_params_unref(params);
    if (s == CTW_E_RANGE || s == CTW_E_KEY || s == CTW_E_ARG) return damaged(fn, "an option");
    CTW_TRY(s);
    CTW_TRY(read_features(&in, fn));
    CTW_TRY(read_names(&in, *out, fn));
    CTW_TRY(read_reference(&in, *out, fn));
    CTW_TRY(read_rows(&in, *out, fn));
    return ctw_io__in_has(&in, TAG_SVM) ? read_svm(&in, *out, fn) : CTW_OK;
}

CTW_DEFINE_SAVING(ctw_rca, CTW_RCA_MAGIC, ctw_io__any_state, write_all, read_all);
