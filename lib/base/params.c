/* params.c: the options bag. Names, types, bounds, defaults and help come from one table per kind, so that
 * the check, the manual and a binding's dialog cannot drift apart. */
#include "base/params.h"
#include "base/ctx.h"
#include "base/handle.h"
#include "base/textnum.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PARAMS_MAGIC CTW_FOUR('P', 'R', 'M', 'S')

typedef struct value {
    int64_t i;
    double f;
    char *s; /* owned; NULL means the default */
} value;

struct ctw_params {
    ctw_base__handle h;
    const ctw_base__kind *kind;
    value *values;
};

static void destroy(ctw_params *p)
{
    for (size_t i = 0; p->values && i < p->kind->count; i++) ctw_base__free(p->h.ctx, p->values[i].s);
    ctw_base__free(p->h.ctx, p->values);
}
CTW_DEFINE_REFS(ctw_params, destroy)

static const char *kind_name_at(const void *list, size_t i)
{
    (void)list;
    return ctw_base__kinds[i]->name;
}

static const char *key_at(const void *list, size_t i)
{
    return ((const ctw_base__kind *)list)->options[i].key;
}

uint64_t ctw_params_kind_count(void)
{
    return ctw_base__kind_count;
}

const char *ctw_params_kind_at(uint64_t i)
{
    return i < ctw_base__kind_count ? ctw_base__kinds[i]->name : NULL;
}

static ctw_status params_new(ctw_ctx *ctx, const ctw_base__kind *kind, ctw_params **out)
{
    ctw_params *p = ctw_base__handle_new(ctx, sizeof *p, PARAMS_MAGIC);
    if (!p) return CTW_E_NOMEM;
    p->kind = kind;
    p->values = CTW_NEW(ctx, kind->count, value);
    if (!p->values) {
        ctw_params_unref(p);
        return CTW_E_NOMEM;
    }
    for (size_t i = 0; i < kind->count; i++) {
        p->values[i].i = kind->options[i].dflt_i64;
        p->values[i].f = kind->options[i].dflt_f64;
    }
    *out = p;
    return CTW_OK;
}

ctw_status ctw_params_new(ctw_ctx *ctx, const char *kind, ctw_params **out)
{
    CTW_TRY(ctw_base__need(out, "ctw_params_new", "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, "ctw_params_new"));
    CTW_TRY(ctw_base__need(kind, "ctw_params_new", "kind"));
    for (size_t i = 0; i < ctw_base__kind_count; i++)
        if (strcmp(ctw_base__kinds[i]->name, kind) == 0) return params_new(ctx, ctw_base__kinds[i], out);
    const char *near = ctw_base__nearest(kind, kind_name_at, NULL, ctw_base__kind_count);
    return ctw_base__fail(CTW_E_KEY, "ctw_params_new: there is no kind \"%.60s\"%s%s%s", kind,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Checks bag and key; *index is the option's row. type 0 accepts any. */
static ctw_status find(const ctw_params *p, const char *key, int32_t type, const char *fn, size_t *index)
{
    static const char *const type_name[] = {"?", "a boolean", "an integer", "a real", "a text"};
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, PARAMS_MAGIC, fn, "p"));
    CTW_TRY(ctw_base__need(key, fn, "key"));
    for (size_t i = 0; i < p->kind->count; i++) {
        if (strcmp(p->kind->options[i].key, key) != 0) continue;
        *index = i;
        if (type == 0 || p->kind->options[i].type == type) return CTW_OK;
        return ctw_base__fail(CTW_E_TYPE, "%s: option \"%s\" of \"%s\" is %s, not %s", fn, key, p->kind->name,
                              type_name[p->kind->options[i].type], type_name[type]);
    }
    const char *near = ctw_base__nearest(key, key_at, p->kind, p->kind->count);
    return ctw_base__fail(CTW_E_KEY, "%s: \"%s\" has no option \"%.60s\"%s%s%s", fn, p->kind->name, key,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static ctw_status set_integer(ctw_params *p, const char *key, int32_t type, int64_t v, const char *fn)
{
    size_t i;
    CTW_TRY(find(p, key, type, fn, &i));
    CTW_TRY(ctw_base__in_i64(v, p->kind->options[i].lo_i64, p->kind->options[i].hi_i64, fn, key));
    p->values[i].i = v;
    return CTW_OK;
}

ctw_status ctw_params_set_bool(ctw_params *p, const char *key, int32_t v)
{
    return set_integer(p, key, CTW_T_BOOL, v, "ctw_params_set_bool");
}

ctw_status ctw_params_set_i64(ctw_params *p, const char *key, int64_t v)
{
    return set_integer(p, key, CTW_T_I64, v, "ctw_params_set_i64");
}

ctw_status ctw_params_set_f64(ctw_params *p, const char *key, double v)
{
    static const char fn[] = "ctw_params_set_f64";
    size_t i;
    CTW_TRY(find(p, key, CTW_T_F64, fn, &i));
    double lo = p->kind->options[i].lo_f64, hi = p->kind->options[i].hi_f64;
    if (!(v >= lo && v <= hi))
        return ctw_base__fail(CTW_E_RANGE, "%s: %s is %.10g, must be within [%g, %g]", fn, key, v, lo, hi);
    p->values[i].f = v;
    return CTW_OK;
}

/* Index of text among "a|b|c", -1 if it is not one of them. */
static int choice_index(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; choices; i++) {
        const char *bar = strchr(choices, '|');
        size_t n = bar ? (size_t)(bar - choices) : strlen(choices);
        if (n == len && memcmp(choices, text, n) == 0) return i;
        choices = bar ? bar + 1 : NULL;
    }
    return -1;
}

ctw_status ctw_params_set_str(ctw_params *p, const char *key, const char *utf8)
{
    static const char fn[] = "ctw_params_set_str";
    size_t i;
    CTW_TRY(find(p, key, CTW_T_STR, fn, &i));
    CTW_TRY(ctw_base__need(utf8, fn, "utf8"));
    const char *choices = p->kind->options[i].choices;
    if (choices && choice_index(choices, utf8) < 0)
        return ctw_base__fail(CTW_E_RANGE, "%s: %s is \"%.60s\", must be one of %s", fn, key, utf8, choices);
    if (strlen(utf8) > 65536) return ctw_base__fail(CTW_E_RANGE, "%s: %s is longer than 65536 bytes", fn, key);
    char *copy = ctw_base__strdup(p->h.ctx, utf8);
    if (!copy) return CTW_E_NOMEM;
    ctw_base__free(p->h.ctx, p->values[i].s);
    p->values[i].s = copy;
    return CTW_OK;
}

static int parse_bool(const char *text, int64_t *out)
{
    static const char *const word[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcmp(text, word[i]) == 0) {
            *out = (int64_t)(i % 2);
            return 0;
        }
    return -1;
}

ctw_status ctw_params_set_text(ctw_params *p, const char *key, const char *text)
{
    static const char fn[] = "ctw_params_set_text";
    size_t i;
    CTW_TRY(find(p, key, 0, fn, &i));
    CTW_TRY(ctw_base__need(text, fn, "text"));
    int64_t n = 0;
    double v = 0;
    int bad;
    switch (p->kind->options[i].type) {
    case CTW_T_STR: return ctw_params_set_str(p, key, text);
    case CTW_T_BOOL: bad = parse_bool(text, &n); break;
    case CTW_T_I64: bad = ctw_base__parse_i64(text, strlen(text), &n); break;
    default: bad = ctw_base__parse_f64(text, strlen(text), &v); break;
    }
    if (bad)
        return ctw_base__fail(bad == -2 ? CTW_E_RANGE : CTW_E_TYPE, "%s: %s is \"%.60s\", which is no %s", fn, key,
                              text,
                              p->kind->options[i].type == CTW_T_BOOL  ? "boolean (0, 1, true, false, yes, no, on, off)"
                              : p->kind->options[i].type == CTW_T_I64 ? "64-bit integer"
                                                                      : "finite number");
    if (p->kind->options[i].type == CTW_T_F64) return ctw_params_set_f64(p, key, v);
    return set_integer(p, key, p->kind->options[i].type, n, fn);
}

static ctw_status get(const ctw_params *p, const char *key, int32_t type, const void *out, const char *fn, size_t *i)
{
    CTW_TRY(find(p, key, type, fn, i));
    return ctw_base__need(out, fn, "out");
}

ctw_status ctw_params_get_bool(const ctw_params *p, const char *key, int32_t *out)
{
    size_t i;
    CTW_TRY(get(p, key, CTW_T_BOOL, out, "ctw_params_get_bool", &i));
    *out = (int32_t)p->values[i].i;
    return CTW_OK;
}

ctw_status ctw_params_get_i64(const ctw_params *p, const char *key, int64_t *out)
{
    size_t i;
    CTW_TRY(get(p, key, CTW_T_I64, out, "ctw_params_get_i64", &i));
    *out = p->values[i].i;
    return CTW_OK;
}

ctw_status ctw_params_get_f64(const ctw_params *p, const char *key, double *out)
{
    size_t i;
    CTW_TRY(get(p, key, CTW_T_F64, out, "ctw_params_get_f64", &i));
    *out = p->values[i].f;
    return CTW_OK;
}

static const char *text_of(const ctw_params *p, size_t i)
{
    return p->values[i].s ? p->values[i].s : p->kind->options[i].dflt_str;
}

ctw_status ctw_params_get_str(const ctw_params *p, const char *key, const char **out)
{
    size_t i;
    CTW_TRY(get(p, key, CTW_T_STR, out, "ctw_params_get_str", &i));
    *out = text_of(p, i);
    return CTW_OK;
}

uint64_t ctw_params_count(const ctw_params *p)
{
    return p ? p->kind->count : 0;
}

ctw_status ctw_params_at(const ctw_params *p, uint64_t i, const char **key, int32_t *type, const char **help)
{
    CTW_TRY(ctw_base__handle_check(p ? &p->h : NULL, PARAMS_MAGIC, "ctw_params_at", "p"));
    if (i >= p->kind->count)
        return ctw_base__fail(CTW_E_RANGE, "ctw_params_at: i is %" PRIu64 ", but \"%s\" has %zu options", i,
                              p->kind->name, p->kind->count);
    const ctw_base__option *o = &p->kind->options[i];
    if (key) *key = o->key;
    if (type) *type = o->type;
    if (help) *help = o->help;
    return CTW_OK;
}

ctw_status ctw_params_bounds_f64(const ctw_params *p, const char *key, double *lo, double *hi, double *dflt)
{
    size_t i;
    CTW_TRY(find(p, key, CTW_T_F64, "ctw_params_bounds_f64", &i));
    if (lo) *lo = p->kind->options[i].lo_f64;
    if (hi) *hi = p->kind->options[i].hi_f64;
    if (dflt) *dflt = p->kind->options[i].dflt_f64;
    return CTW_OK;
}

ctw_status ctw_params_bounds_i64(const ctw_params *p, const char *key, int64_t *lo, int64_t *hi, int64_t *dflt)
{
    static const char fn[] = "ctw_params_bounds_i64";
    size_t i;
    CTW_TRY(find(p, key, 0, fn, &i));
    if (p->kind->options[i].type != CTW_T_BOOL) CTW_TRY(find(p, key, CTW_T_I64, fn, &i));
    if (lo) *lo = p->kind->options[i].lo_i64;
    if (hi) *hi = p->kind->options[i].hi_i64;
    if (dflt) *dflt = p->kind->options[i].dflt_i64;
    return CTW_OK;
}

ctw_status ctw_params_choices(const ctw_params *p, const char *key, const char **choices, const char **dflt)
{
    size_t i;
    CTW_TRY(find(p, key, CTW_T_STR, "ctw_params_choices", &i));
    if (choices) *choices = p->kind->options[i].choices;
    if (dflt) *dflt = p->kind->options[i].dflt_str;
    return CTW_OK;
}

/* ---- the constructor's side ---- */

ctw_status ctw_base__params_check(const ctw_params *p, const ctw_base__kind *kind, const char *fn)
{
    if (!p) return CTW_OK;
    CTW_TRY(ctw_base__handle_check(&p->h, PARAMS_MAGIC, fn, "params"));
    if (p->kind == kind) return CTW_OK;
    return ctw_base__fail(CTW_E_KIND, "%s: params are options of \"%s\", not of \"%s\"", fn, p->kind->name, kind->name);
}

static size_t row(const ctw_base__kind *kind, const char *key)
{
    size_t i = 0;
    while (i + 1 < kind->count && strcmp(kind->options[i].key, key) != 0) i++;
    return i;
}

int64_t ctw_base__opt_i64(const ctw_params *p, const ctw_base__kind *kind, const char *key)
{
    size_t i = row(kind, key);
    return p ? p->values[i].i : kind->options[i].dflt_i64;
}

int ctw_base__opt_bool(const ctw_params *p, const ctw_base__kind *kind, const char *key)
{
    return ctw_base__opt_i64(p, kind, key) != 0;
}

double ctw_base__opt_f64(const ctw_params *p, const ctw_base__kind *kind, const char *key)
{
    size_t i = row(kind, key);
    return p ? p->values[i].f : kind->options[i].dflt_f64;
}

const char *ctw_base__opt_str(const ctw_params *p, const ctw_base__kind *kind, const char *key)
{
    size_t i = row(kind, key);
    return p ? text_of(p, i) : kind->options[i].dflt_str;
}

int ctw_base__opt_choice(const ctw_params *p, const ctw_base__kind *kind, const char *key)
{
    size_t i = row(kind, key);
    int c = choice_index(kind->options[i].choices, p ? text_of(p, i) : kind->options[i].dflt_str);
    return c < 0 ? 0 : c;
}

ctw_status ctw_base__params_copy(ctw_ctx *ctx, const ctw_params *p, const ctw_base__kind *kind, ctw_params **out)
{
    *out = NULL;
    ctw_params *copy;
    CTW_TRY(params_new(ctx, kind, &copy));
    for (size_t i = 0; p && i < kind->count; i++) {
        copy->values[i].i = p->values[i].i;
        copy->values[i].f = p->values[i].f;
        if (p->values[i].s && !(copy->values[i].s = ctw_base__strdup(ctx, p->values[i].s))) {
            ctw_params_unref(copy);
            return CTW_E_NOMEM;
        }
    }
    *out = copy;
    return CTW_OK;
}

size_t ctw_base__params_text(const ctw_params *p, size_t i, char *buf, size_t cap)
{
    switch (p->kind->options[i].type) {
    case CTW_T_F64: return ctw_base__print_f64(buf, cap, p->values[i].f);
    case CTW_T_STR: return (size_t)ctw_base__format(buf, cap, "%s", text_of(p, i));
    default: return (size_t)ctw_base__format(buf, cap, "%" PRId64, p->values[i].i);
    }
}
