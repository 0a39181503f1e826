/* Contract of online.h through the shared library: what is folded is what rows say, panes leave, windows merge. */
#include "shop.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_calls *window(uint32_t seed, int traces, int guilty)
{
    double s[SHOP_SERVICES] = {1, 1, 1, 1};
    ctw_calls *c;
    if (guilty >= 0) s[guilty] = 2.5;
    CTW_OKAY(shop_window(ctx, seed, traces, s, &c));
    return c;
}

static ctw_online *fresh(const char *const *option)
{
    ctw_params *p;
    ctw_online *o;
    CTW_OKAY(ctw_params_new(ctx, "online", &p));
    for (; option && *option; option += 2) CTW_OKAY(ctw_params_set_text(p, option[0], option[1]));
    CTW_OKAY(ctw_online_new(ctx, p, &o));
    ctw_params_unref(p);
    return o;
}

static void fold(ctw_online *o, uint32_t seed, int traces, int guilty)
{
    ctw_calls *c = window(seed, traces, guilty);
    CTW_OKAY(ctw_online_add(o, c, NULL));
    ctw_calls_unref(c);
}

static ctw_rca *learned(void)
{
    ctw_rca *m;
    CTW_OKAY(ctw_rca_new(ctx, NULL, &m));
    for (uint32_t i = 0; i < 4; i++) {
        ctw_calls *c = window(100 + i, 60, -1);
        CTW_OKAY(ctw_rca_learn(m, c, NULL));
        ctw_calls_unref(c);
    }
    return m;
}

static int64_t told(const ctw_online *o, const char *key)
{
    ctw_report *r;
    int64_t v;
    CTW_OKAY(ctw_online_report(o, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &v));
    ctw_report_unref(r);
    return v;
}

static double value_of(const ctw_ranking *r, const char *component, const char *feature)
{
    double v = NAN;
    for (uint64_t i = 0; i < ctw_ranking_count(r); i++) {
        const char *name;
        CTW_OKAY(ctw_ranking_at(r, i, &name, NULL));
        if (strcmp(name, component) == 0) CTW_OKAY(ctw_ranking_value(r, i, feature, &v));
    }
    return v;
}

/* Every feature of the online window equals that of the same calls as rows: exactly (but for the order of sums) where
 * no quantile is involved, within the sketches' error where one is. */
START_TEST(features_equal_rows)
{
    ctw_calls *c = window(7, 200, 2);
    ctw_online *o = fresh(NULL);
    ctw_rca *m = learned();
    ctw_ranking *rows, *online;
    CTW_OKAY(ctw_online_add(o, c, NULL));
    ck_assert_uint_eq(ctw_online_calls(o), ctw_calls_count(c));
    ck_assert_uint_eq(ctw_online_traces(o), 200);
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &rows));
    CTW_OKAY(ctw_rca_rank_online(m, o, NULL, &online));
    ck_assert_uint_eq(ctw_ranking_count(online), SHOP_SERVICES);
    ck_assert_uint_eq(ctw_ranking_guilty(online), ctw_ranking_guilty(rows));
    for (uint64_t f = 0; f < ctw_rca_features(); f++)
        for (int s = 0; s < SHOP_SERVICES; s++) {
            const char *name;
            CTW_OKAY(ctw_rca_feature_at(f, &name, NULL));
            double a = value_of(rows, shop_service[s], name), b = value_of(online, shop_service[s], name);
            int counts =
                strncmp(name, "up_", 3) == 0 || strncmp(name, "wz_", 3) == 0; /* values on an edge change sides */
            int shifts = strncmp(name, "lx_", 3) == 0 || strchr("Cdbe", name[0]) != NULL;
            ck_assert_msg(fabs(a - b) <= (counts   ? 0.3
                                          : shifts ? 0.025
                                                   : 1e-9),
                          "%s of %s: %g, %g", name, shop_service[s], a, b);
        }
    const char *first;
    CTW_OKAY(ctw_ranking_at(online, 0, &first, NULL));
    ck_assert_str_eq(first, "list");
    ctw_ranking_unref(rows);
    ctw_ranking_unref(online);
    ctw_rca_unref(m);
    ctw_online_unref(o);
    ctw_calls_unref(c);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

START_TEST(quantiles)
{
    static const char *const option[] = {"error", "0.005", NULL};
    ctw_online *o = fresh(option);
    ctw_calls *c = window(3, 150, -1);
    uint64_t n = ctw_calls_count(c), k = 0;
    double *v = malloc(n * sizeof *v), got;
    int64_t *who = malloc(n * sizeof *who), store;
    ck_assert(v && who);
    CTW_OKAY(ctw_online_add(o, c, NULL));
    CTW_OKAY(ctw_calls_name(c, "store", &store));
    CTW_OKAY(ctw_calls_keys(c, 0, n, NULL, who, NULL, NULL));
    CTW_OKAY(ctw_calls_column(c, 0, n, CTW_CALL_EXCL, v));
    for (uint64_t i = 0; i < n; i++)
        if (who[i] == store) v[k++] = v[i];
    qsort(v, k, sizeof *v, by_value);
    for (int i = 0; i <= 10; i++) {
        double at = i / 10.0 * (double)(k - 1);
        size_t low = (size_t)at, high = low + 1 < k ? low + 1 : low;
        double want = v[low] + (at - (double)low) * (v[high] - v[low]);
        CTW_OKAY(ctw_online_quantile(o, "store", NULL, "list", CTW_CALL_EXCL, i / 10.0, &got));
        ck_assert(fabs(got - want) <= 0.005 * want * (1 + 1e-9));
    }
    CTW_FAILS(ctw_online_quantile(o, "nobody", NULL, NULL, CTW_CALL_EXCL, 0.5, &got), CTW_E_KEY, "nobody");
    CTW_FAILS(ctw_online_quantile(o, "store", NULL, "cart", CTW_CALL_EXCL, 0.5, &got), CTW_E_KEY, "store");
    CTW_FAILS(ctw_online_quantile(o, "store", NULL, NULL, CTW_CALL_SPANS, 0.5, &got), CTW_E_RANGE, "column");
    CTW_FAILS(ctw_online_quantile(o, "store", NULL, NULL, CTW_CALL_EXCL, 1.5, &got), CTW_E_RANGE, "q");
    free(v);
    free(who);
    ctw_calls_unref(c);
    ctw_online_unref(o);
}
END_TEST

START_TEST(panes_leave)
{
    static const char *const option[] = {"panes", "3", "sample", "5", NULL};
    ctw_online *o = fresh(option), *only_last = fresh(option);
    for (uint32_t i = 0; i < 10; i++) {
        if (i) CTW_OKAY(ctw_online_advance(o));
        fold(o, i, 20, -1);
        if (i < 7) continue;
        if (i > 7) CTW_OKAY(ctw_online_advance(only_last));
        fold(only_last, i, 20, -1);
    }
    ck_assert_uint_eq(ctw_online_traces(o), 60);
    ck_assert_uint_eq(ctw_online_calls(o), ctw_online_calls(only_last));
    ck_assert_int_eq(told(o, "sampled"), 15);
    ck_assert_int_eq(told(o, "advances"), 9);
    for (int s = 0; s < SHOP_SERVICES; s++) {
        double a, b;
        CTW_OKAY(ctw_online_quantile(o, shop_service[s], NULL, NULL, CTW_CALL_SELF, 0.9, &a));
        CTW_OKAY(ctw_online_quantile(only_last, shop_service[s], NULL, NULL, CTW_CALL_SELF, 0.9, &b));
        ck_assert(a == b);
    }
    for (int i = 0; i < 3; i++) CTW_OKAY(ctw_online_advance(o));
    ck_assert_uint_eq(ctw_online_calls(o), 0);
    ctw_online_unref(o);
    ctw_online_unref(only_last);
}
END_TEST

/* One release after another: names come and go, memory stays. */
static void release(ctw_online *o, int number)
{
    ctw_calls *c;
    int64_t trace[2] = {1, 1}, who[2], op[2], caller[2] = {-1, 0};
    double root[2] = {1000, 1000}, v[2 * CTW_CALL_COLUMNS] = {0};
    char text[64];
    for (int i = 0; i < 2 * CTW_CALL_COLUMNS; i++) v[i] = 100 + i;
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    for (int i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "pod-%d-%d", number, i);
        CTW_OKAY(ctw_calls_name(c, text, &who[i]));
        CTW_OKAY(ctw_calls_name(c, "GET", &op[i]));
    }
    caller[1] = who[0];
    CTW_OKAY(ctw_calls_add(c, 2, trace, root, who, op, caller, v, CTW_CALL_COLUMNS));
    CTW_OKAY(ctw_online_add(o, c, NULL));
    ctw_calls_unref(c);
}

START_TEST(bounded_memory)
{
    static const char *const option[] = {"panes", "2", "max_edges", "8", NULL};
    ctw_online *o = fresh(option);
    int64_t bytes = 0;
    for (int i = 0; i < 400; i++) {
        release(o, i);
        CTW_OKAY(ctw_online_advance(o));
        ck_assert_int_le(told(o, "edges"), 8);
        if (i == 20) bytes = told(o, "bytes");
    }
    ck_assert_int_eq(told(o, "dropped"), 0);
    ck_assert_int_le(told(o, "bytes"), 2 * bytes);
    for (int i = 0; i < 20; i++) release(o, 1000 + i); /* too many at once */
    ck_assert_int_eq(told(o, "edges"), 8);
    ck_assert_int_gt(told(o, "dropped"), 20);
    ctw_online_unref(o);
}
END_TEST

START_TEST(merging)
{
    static const char *const one[] = {"panes", "2", "sample", "8", "stream", "1", NULL};
    static const char *const two[] = {"panes", "2", "sample", "8", "stream", "2", NULL};
    ctw_online *a = fresh(one), *b = fresh(two), *all = fresh(one), *other = fresh(NULL);
    for (uint32_t i = 0; i < 2; i++) {
        if (i) CTW_OKAY(ctw_online_advance(a)), CTW_OKAY(ctw_online_advance(b)), CTW_OKAY(ctw_online_advance(all));
        fold(a, 10 + i, 40, -1);
        fold(b, 20 + i, 30, 1);
        fold(all, 10 + i, 40, -1);
        fold(all, 20 + i, 30, 1);
    }
    CTW_OKAY(ctw_online_merge(a, b));
    ck_assert_uint_eq(ctw_online_traces(a), 140);
    ck_assert_int_eq(told(a, "sampled"), 16);
    ctw_rca *m = learned();
    ctw_ranking *x, *y;
    CTW_OKAY(ctw_rca_rank_online(m, a, NULL, &x));
    CTW_OKAY(ctw_rca_rank_online(m, all, NULL, &y));
    for (uint64_t f = 0; f < ctw_rca_features(); f++)
        for (int s = 0; s < SHOP_SERVICES; s++) {
            const char *name;
            CTW_OKAY(ctw_rca_feature_at(f, &name, NULL));
            ck_assert_double_eq_tol(value_of(x, shop_service[s], name), value_of(y, shop_service[s], name), 1e-9);
        }
    CTW_FAILS(ctw_online_merge(a, a), CTW_E_ARG, "one window");
    CTW_FAILS(ctw_online_merge(a, other), CTW_E_SHAPE, "panes");
    ctw_ranking_unref(x);
    ctw_ranking_unref(y);
    ctw_rca_unref(m);
    ctw_online_unref(a);
    ctw_online_unref(b);
    ctw_online_unref(all);
    ctw_online_unref(other);
}
END_TEST

/* The sample is whole traces, every trace as likely as another, and good enough to learn from. */
START_TEST(sampling)
{
    double early = 0;
    for (int64_t round = 0; round < 60; round++) {
        ctw_params *p;
        ctw_online *o;
        ctw_calls *c;
        CTW_OKAY(ctw_params_new(ctx, "online", &p));
        CTW_OKAY(ctw_params_set_i64(p, "sample", 10));
        CTW_OKAY(ctw_params_set_i64(p, "stream", round));
        CTW_OKAY(ctw_online_new(ctx, p, &o));
        fold(o, 1, 30, -1);
        fold(o, 2, 30, 0); /* slow front: root times tell early traces from late ones */
        CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
        CTW_OKAY(ctw_online_sample(o, c));
        ck_assert_uint_eq(ctw_calls_traces(c), 10);
        ck_assert_uint_eq(ctw_calls_count(c), 10 * SHOP_SERVICES);
        double root[10];
        CTW_OKAY(ctw_calls_roots(c, 0, 10, root));
        for (int i = 0; i < 10; i++) early += root[i] < 14000;
        ctw_params_unref(p);
        ctw_calls_unref(c);
        ctw_online_unref(o);
    }
    ck_assert_double_eq_tol(early / 600, 0.5, 0.1);
    ctw_online *o = fresh((const char *const[]){"sample", "10", NULL});
    ctw_calls *c;
    ctw_rca *m;
    fold(o, 1, 50, -1);
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    CTW_OKAY(ctw_online_sample(o, c));
    CTW_OKAY(ctw_online_sample(o, c)); /* again: other trace numbers */
    ck_assert_uint_eq(ctw_calls_traces(c), 20);
    CTW_OKAY(ctw_rca_new(ctx, NULL, &m));
    CTW_OKAY(ctw_rca_learn(m, c, NULL));
    ctw_rca_unref(m);
    ctw_calls_unref(c);
    ctw_online_unref(o);
}
END_TEST

START_TEST(training)
{
    ctw_rca *m = learned();
    for (uint32_t i = 0; i < 12; i++) {
        ctw_online *o = fresh(NULL);
        int guilty = i % 3 ? (int)(i % SHOP_SERVICES) : -1;
        fold(o, 300 + i, 50, guilty);
        CTW_OKAY(ctw_rca_add_case_online(m, o, guilty < 0 ? NULL : &shop_service[guilty], guilty >= 0));
        ctw_online_unref(o);
    }
    ck_assert_uint_eq(ctw_rca_cases(m), 12);
    CTW_OKAY(ctw_rca_fit(m, NULL));
    for (int s = 0; s < SHOP_SERVICES; s++) {
        ctw_online *o = fresh(NULL);
        ctw_ranking *r;
        const char *name;
        fold(o, 400, 50, s);
        CTW_OKAY(ctw_rca_rank_online(m, o, NULL, &r));
        CTW_OKAY(ctw_ranking_at(r, 0, &name, NULL));
        ck_assert_str_eq(name, shop_service[s]);
        ctw_ranking_unref(r);
        ctw_online_unref(o);
    }
    ctw_rca_unref(m);
}
END_TEST

START_TEST(saved)
{
    ctw_online *o = fresh(NULL), *back;
    ctw_rca *m = learned();
    uint64_t need, again;
    for (uint32_t i = 0; i < 8; i++) {
        fold(o, 40 + i, 20, 3);
        CTW_OKAY(ctw_online_advance(o));
    }
    CTW_OKAY(ctw_online_save_mem(o, NULL, 0, &need));
    char *buf = malloc(need), *twice = malloc(need);
    ck_assert(buf && twice);
    CTW_OKAY(ctw_online_save_mem(o, buf, need, &need));
    CTW_OKAY(ctw_online_load_mem(ctx, buf, need, &back));
    CTW_OKAY(ctw_online_save_mem(back, twice, need, &again));
    ck_assert(need == again && memcmp(buf, twice, need) == 0);
    ctw_ranking *x, *y;
    CTW_OKAY(ctw_rca_rank_online(m, o, NULL, &x));
    CTW_OKAY(ctw_rca_rank_online(m, back, NULL, &y));
    for (uint64_t i = 0; i < SHOP_SERVICES; i++) {
        double a, b;
        CTW_OKAY(ctw_ranking_at(x, i, NULL, &a));
        CTW_OKAY(ctw_ranking_at(y, i, NULL, &b));
        ck_assert(a == b);
    }
    fold(back, 60, 20, -1); /* and goes on */
    CTW_OKAY(ctw_online_advance(back));
    const char *path = ctw_test_tmp("online.ctw");
    CTW_OKAY(ctw_online_save_file(o, path));
    ctw_online_unref(back);
    CTW_OKAY(ctw_online_load_file(ctx, path, &back));
    for (uint64_t i = 0; i < need; i += 7) {
        ctw_online *bad;
        buf[i] ^= 0x10;
        ck_assert_int_ne(ctw_online_load_mem(ctx, buf, need, &bad), CTW_OK);
        buf[i] ^= 0x10;
        ck_assert_int_ne(ctw_online_load_mem(ctx, buf, i, &bad), CTW_OK);
    }
    free(buf);
    free(twice);
    ctw_ranking_unref(x);
    ctw_ranking_unref(y);
    ctw_rca_unref(m);
    ctw_online_unref(back);
    ctw_online_unref(o);
}
END_TEST

/* A window saved by the first version with this format. */
START_TEST(golden)
{
    ctw_online *o;
    double v;
    CTW_OKAY(ctw_online_load_file(ctx, ctw_test_golden("rca/online-1.ctw"), &o));
    ck_assert_uint_eq(ctw_online_calls(o), 12);
    ck_assert_uint_eq(ctw_online_traces(o), 6);
    CTW_OKAY(ctw_online_quantile(o, "cart", NULL, "front", CTW_CALL_EXCL, 0.5, &v));
    ck_assert_double_eq_tol(v, 90.927772263551844, 1e-9);
    ctw_online_unref(o);
}
END_TEST

START_TEST(bad_input)
{
    ctw_online *o = fresh(NULL);
    ctw_rca *m = learned();
    ctw_ranking *r;
    ctw_cancel *stop;
    ctw_calls *empty, *c = window(1, 10, -1);
    CTW_FAILS(ctw_rca_rank_online(m, o, NULL, &r), CTW_E_ARG, "no calls");
    CTW_FAILS(ctw_rca_rank_online(m, NULL, NULL, &r), CTW_E_ARG, "window");
    CTW_FAILS(ctw_online_add(o, NULL, NULL), CTW_E_ARG, "calls");
    CTW_FAILS(ctw_online_add(NULL, c, NULL), CTW_E_ARG, "o");
    CTW_OKAY(ctw_calls_new(ctx, NULL, &empty));
    CTW_OKAY(ctw_online_add(o, empty, NULL));
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_online_add(o, c, stop), CTW_E_CANCELLED, NULL);
    ck_assert_uint_eq(ctw_online_calls(o), 0);
    CTW_OKAY(ctw_online_add(o, c, NULL));
    CTW_FAILS(ctw_rca_add_case_online(m, o, (const char *const[]){"nobody"}, 1), CTW_E_KEY, "nobody");
    CTW_OKAY(ctw_rca_forget(m));
    CTW_FAILS(ctw_rca_rank_online(m, o, NULL, &r), CTW_E_STATE, "fault-free");
    ck_assert_uint_eq(ctw_online_calls(NULL) + ctw_online_traces(NULL), 0);
    ctw_online_unref(NULL);
    ctw_online_unref(ctw_online_ref(o));
    ctw_cancel_unref(stop);
    ctw_calls_unref(empty);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_online_unref(o);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"features_equal_rows", features_equal_rows},
                                   {"quantiles", quantiles},
                                   {"panes_leave", panes_leave},
                                   {"bounded_memory", bounded_memory},
                                   {"merging", merging},
                                   {"sampling", sampling},
                                   {"training", training},
                                   {"saved", saved},
                                   {"golden", golden},
                                   {"bad_input", bad_input}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int failed = ctw_test_main("api-online", cases, sizeof cases / sizeof *cases, 20);
    ctw_ctx_unref(ctx);
    return failed;
}
