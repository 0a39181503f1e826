/* params.c: the options bag over a table of its own: every type, bounds, misspelt names, text round trip. */
#include "base/params.h"
#include "test.h"
#include <locale.h>
#include <math.h>
#include <string.h>

static const ctw_base__option rows[] = {
    CTW_OPT_BOOL("locked", 0, "a switch"),          CTW_OPT_I64("lags", 24, 1, 1024, "a count"),
    CTW_OPT_F64("ridge", 1e-3, 0, 1e9, "a real"),   CTW_OPT_STR("model", "ar", "ar|naive|ets", "one of three"),
    CTW_OPT_STR("note", "none", NULL, "free text"),
};
static const ctw_base__kind kind = {"test", rows, sizeof rows / sizeof *rows};
static const ctw_base__kind other = {"other", rows, 1};

static ctw_ctx *ctx;
static ctw_params *p;

static void setup(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_base__params_copy(ctx, NULL, &kind, &p));
}

static void teardown(void)
{
    ctw_ctx_unref(ctx); /* in this order on purpose: the bag keeps the context alive */
    ctw_params_unref(p);
}

START_TEST(set_and_get)
{
    int32_t b;
    int64_t i;
    double f;
    const char *s;
    setup();
    CTW_OKAY(ctw_params_set_bool(p, "locked", 1));
    CTW_OKAY(ctw_params_get_bool(p, "locked", &b));
    ck_assert_int_eq(b, 1);
    CTW_OKAY(ctw_params_set_i64(p, "lags", 48));
    CTW_OKAY(ctw_params_get_i64(p, "lags", &i));
    ck_assert_int_eq(i, 48);
    CTW_OKAY(ctw_params_set_f64(p, "ridge", 0.5));
    CTW_OKAY(ctw_params_get_f64(p, "ridge", &f));
    ck_assert(f == 0.5);
    CTW_OKAY(ctw_params_get_str(p, "model", &s));
    ck_assert_str_eq(s, "ar");
    CTW_OKAY(ctw_params_set_str(p, "model", "naive"));
    CTW_OKAY(ctw_params_set_str(p, "model", "ets"));
    ck_assert_int_eq(ctw_base__opt_choice(p, &kind, "model"), 2);
    ck_assert_int_eq(ctw_base__opt_choice(NULL, &kind, "model"), 0);
    ck_assert_int_eq(ctw_base__opt_i64(p, &kind, "lags"), 48);
    ck_assert_int_eq(ctw_base__opt_bool(NULL, &kind, "locked"), 0);
    ck_assert(ctw_base__opt_f64(p, &kind, "ridge") == 0.5);
    ck_assert_str_eq(ctw_base__opt_str(p, &kind, "note"), "none");
    teardown();
}
END_TEST

START_TEST(refusals_leave_the_value)
{
    int64_t i;
    setup();
    CTW_FAILS(ctw_params_set_i64(p, "lag", 3), CTW_E_KEY, "did you mean \"lags\"");
    CTW_FAILS(ctw_params_set_i64(p, "qqqqqqqqqqqqqq", 3), CTW_E_KEY, "has no option");
    CTW_FAILS(ctw_params_set_i64(p, "ridge", 3), CTW_E_TYPE, "is a real, not an integer");
    CTW_FAILS(ctw_params_set_i64(p, "lags", 0), CTW_E_RANGE, "[1, 1024]");
    CTW_FAILS(ctw_params_set_f64(p, "ridge", NAN), CTW_E_RANGE, "ridge");
    CTW_FAILS(ctw_params_set_f64(p, "ridge", -1), CTW_E_RANGE, "[0, 1e+09]");
    CTW_FAILS(ctw_params_set_str(p, "model", "a"), CTW_E_RANGE, "ar|naive|ets");
    CTW_FAILS(ctw_params_set_str(p, "model", NULL), CTW_E_ARG, "utf8");
    CTW_FAILS(ctw_params_set_bool(p, "locked", 2), CTW_E_RANGE, "locked");
    CTW_FAILS(ctw_params_set_bool(NULL, "locked", 1), CTW_E_ARG, "p is NULL");
    CTW_FAILS(ctw_params_set_bool(p, NULL, 1), CTW_E_ARG, "key is NULL");
    CTW_FAILS(ctw_params_get_i64(p, "lags", NULL), CTW_E_ARG, "out is NULL");
    CTW_FAILS(ctw_params_set_bool((ctw_params *)(void *)rows, "locked", 1), CTW_E_STATE, "live");
    CTW_OKAY(ctw_params_get_i64(p, "lags", &i));
    ck_assert_int_eq(i, 24);
    teardown();
}
END_TEST

START_TEST(texts)
{
    double f;
    int64_t i;
    int32_t b;
    char buf[64];
    setup();
    CTW_OKAY(ctw_params_set_text(p, "ridge", " 1.5e-3 "));
    CTW_OKAY(ctw_params_get_f64(p, "ridge", &f));
    ck_assert(f == 1.5e-3);
    CTW_OKAY(ctw_params_set_text(p, "lags", "+7"));
    CTW_OKAY(ctw_params_get_i64(p, "lags", &i));
    ck_assert_int_eq(i, 7);
    CTW_OKAY(ctw_params_set_text(p, "locked", "yes"));
    CTW_OKAY(ctw_params_get_bool(p, "locked", &b));
    ck_assert_int_eq(b, 1);
    CTW_OKAY(ctw_params_set_text(p, "note", "a=b"));
    CTW_FAILS(ctw_params_set_text(p, "locked", "maybe"), CTW_E_TYPE, "boolean");
    CTW_FAILS(ctw_params_set_text(p, "lags", "7.5"), CTW_E_TYPE, "integer");
    CTW_FAILS(ctw_params_set_text(p, "lags", "99999999999999999999"), CTW_E_RANGE, "lags");
    CTW_FAILS(ctw_params_set_text(p, "ridge", "1,5"), CTW_E_TYPE, "number");
    CTW_FAILS(ctw_params_set_text(p, "ridge", "1e999"), CTW_E_RANGE, "ridge");
    ck_assert_uint_eq(ctw_base__params_text(p, 2, buf, sizeof buf), 6);
    ck_assert_str_eq(buf, "0.0015");
    ctw_base__params_text(p, 1, buf, sizeof buf);
    ck_assert_str_eq(buf, "7");
    ctw_base__params_text(p, 4, buf, sizeof buf);
    ck_assert_str_eq(buf, "a=b");
    teardown();
}
END_TEST

START_TEST(listing)
{
    const char *key, *help, *choices, *dflt;
    int32_t type;
    double lo, hi, d;
    int64_t ilo, ihi, id;
    setup();
    ck_assert_uint_eq(ctw_params_count(p), 5);
    ck_assert_uint_eq(ctw_params_count(NULL), 0);
    CTW_OKAY(ctw_params_at(p, 2, &key, &type, &help));
    ck_assert_str_eq(key, "ridge");
    ck_assert_int_eq(type, CTW_T_F64);
    CTW_OKAY(ctw_params_at(p, 2, NULL, NULL, NULL));
    CTW_FAILS(ctw_params_at(p, 5, &key, &type, &help), CTW_E_RANGE, "5 options");
    CTW_OKAY(ctw_params_bounds_f64(p, "ridge", &lo, &hi, &d));
    ck_assert(lo == 0 && hi == 1e9 && d == 1e-3);
    CTW_OKAY(ctw_params_bounds_i64(p, "locked", &ilo, &ihi, &id));
    ck_assert(ilo == 0 && ihi == 1 && id == 0);
    CTW_FAILS(ctw_params_bounds_i64(p, "ridge", &ilo, &ihi, &id), CTW_E_TYPE, NULL);
    CTW_OKAY(ctw_params_choices(p, "model", &choices, &dflt));
    ck_assert_str_eq(choices, "ar|naive|ets");
    CTW_OKAY(ctw_params_choices(p, "note", &choices, &dflt));
    ck_assert_ptr_null(choices);
    teardown();
}
END_TEST

START_TEST(copies_and_kinds)
{
    ctw_params *copy;
    const char *s;
    setup();
    CTW_OKAY(ctw_params_set_str(p, "note", "kept"));
    CTW_OKAY(ctw_base__params_copy(ctx, p, &kind, &copy));
    CTW_OKAY(ctw_params_set_str(p, "note", "changed"));
    CTW_OKAY(ctw_params_get_str(copy, "note", &s));
    ck_assert_str_eq(s, "kept");
    ck_assert_ptr_eq(ctw_params_ref(copy), copy);
    ctw_params_unref(copy);
    ctw_params_unref(copy);
    CTW_OKAY(ctw_base__params_check(NULL, &kind, "f"));
    CTW_OKAY(ctw_base__params_check(p, &kind, "f"));
    CTW_FAILS(ctw_base__params_check(p, &other, "f"), CTW_E_KIND, "not of \"other\"");
    CTW_FAILS(ctw_params_new(ctx, "no such kind", &copy), CTW_E_KEY, "no kind");
    ck_assert_ptr_null(copy);
    CTW_FAILS(ctw_params_new(ctx, NULL, &copy), CTW_E_ARG, "kind");
    CTW_FAILS(ctw_params_new(ctx, "x", NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_params_new(NULL, "x", &copy), CTW_E_ARG, "ctx");
    ck_assert_ptr_null(ctw_params_kind_at(ctw_params_kind_count()));
    ck_assert_ptr_null(ctw_params_ref(NULL));
    teardown();
}
END_TEST

/* Every option of every module: a default within its own bounds, a help sentence, and a text round trip. */
START_TEST(every_table_is_sound)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (uint64_t k = 0; k < ctw_params_kind_count(); k++) {
        ctw_params *q;
        CTW_OKAY(ctw_params_new(ctx, ctw_params_kind_at(k), &q));
        for (uint64_t i = 0; i < ctw_params_count(q); i++) {
            const char *key, *help;
            char text[256];
            CTW_OKAY(ctw_params_at(q, i, &key, NULL, &help));
            ck_assert_msg(help && strlen(help) > 8, "%s of %s has no help", key, ctw_params_kind_at(k));
            ck_assert(strlen(key) < 64);
            ck_assert(ctw_base__params_text(q, (size_t)i, text, sizeof text) < sizeof text);
            CTW_OKAY(ctw_params_set_text(q, key, text));
            for (uint64_t j = 0; j < i; j++) {
                const char *before;
                CTW_OKAY(ctw_params_at(q, j, &before, NULL, NULL));
                ck_assert_str_ne(before, key);
            }
        }
        ctw_params_unref(q);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

static ctw_status life(ctw_ctx *c, void *user)
{
    (void)user;
    ctw_params *a, *b = NULL;
    ctw_status s = ctw_base__params_copy(c, NULL, &kind, &a);
    if (s == CTW_OK) s = ctw_params_set_str(a, "note", "text");
    if (s == CTW_OK) s = ctw_base__params_copy(c, a, &kind, &b);
    ctw_params_unref(b);
    ctw_params_unref(a);
    return s;
}

START_TEST(out_of_memory)
{
    ck_assert_uint_gt(ctw_oom_sweep(life, NULL, 1), 5);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"set_and_get", set_and_get}, {"refusals", refusals_leave_the_value}, {"texts", texts},
        {"listing", listing},         {"copies", copies_and_kinds},           {"tables", every_table_is_sound},
        {"oom", out_of_memory},
    };
    return ctw_test_main("params", cases, sizeof cases / sizeof *cases, 30);
}
