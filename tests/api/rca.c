/* Contract of rca.h through the shared library: learning, ranking with and without labels, abstention, errors. */
#include "shop.h"
#include "test.h"
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static void begin(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
}

static ctw_calls *window(uint32_t seed, int guilty, double slow)
{
    double s[SHOP_SERVICES] = {1, 1, 1, 1};
    ctw_calls *c;
    if (guilty >= 0) s[guilty] = slow;
    CTW_OKAY(shop_window(ctx, seed, 60, s, &c));
    return c;
}

static ctw_rca *learned(const char *features)
{
    ctw_params *p;
    ctw_rca *m;
    CTW_OKAY(ctw_params_new(ctx, "rca", &p));
    if (features) CTW_OKAY(ctw_params_set_str(p, "features", features));
    CTW_OKAY(ctw_rca_new(ctx, p, &m));
    ctw_params_unref(p);
    for (uint32_t i = 0; i < 4; i++) {
        ctw_calls *c = window(100 + i, -1, 1);
        CTW_OKAY(ctw_rca_learn(m, c, NULL));
        ctw_calls_unref(c);
    }
    ck_assert_uint_eq(ctw_rca_windows(m), 4);
    return m;
}

static void expect(const ctw_rca *m, uint32_t seed, int guilty)
{
    ctw_calls *c = window(seed, guilty, 2.5);
    ctw_ranking *r;
    const char *name;
    double score;
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    ck_assert_uint_eq(ctw_ranking_count(r), SHOP_SERVICES);
    CTW_OKAY(ctw_ranking_at(r, 0, &name, &score));
    if (guilty >= 0) {
        ck_assert_str_eq(name, shop_service[guilty]);
        ck_assert(score >= 0);
        ck_assert_uint_ge(ctw_ranking_guilty(r), 1);
    } else {
        ck_assert(score < 0);
        ck_assert_uint_eq(ctw_ranking_guilty(r), 0);
    }
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
}

START_TEST(without_labels)
{
    begin();
    ctw_rca *m = learned(NULL);
    for (int g = -1; g < SHOP_SERVICES; g++) expect(m, 7, g);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(with_labels)
{
    begin();
    ctw_rca *m = learned(NULL);
    CTW_FAILS(ctw_rca_fit(m, NULL), CTW_E_STATE, "both kinds");
    for (uint32_t k = 0; k < 3; k++)
        for (int g = -1; g < SHOP_SERVICES; g++) {
            ctw_calls *c = window(1000 + 10 * k + (uint32_t)(g + 1), g, 1.5 + k);
            CTW_OKAY(ctw_rca_add_case(m, c, &shop_service[g < 0 ? 0 : g], g >= 0));
            ctw_calls_unref(c);
        }
    ck_assert_uint_eq(ctw_rca_cases(m), 3 * (SHOP_SERVICES + 1));
    ck_assert(!ctw_rca_fitted(m));
    CTW_OKAY(ctw_rca_fit(m, NULL));
    ck_assert(ctw_rca_fitted(m));
    for (int g = -1; g < SHOP_SERVICES; g++) expect(m, 77, g);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(reasons)
{
    begin();
    ctw_rca *m = learned(NULL);
    ctw_calls *c = window(9, 3, 3);
    ctw_ranking *r;
    const char *feature, *name;
    double value, contribution, shift;
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    CTW_OKAY(ctw_ranking_at(r, 0, &name, NULL));
    ck_assert_str_eq(name, "store");
    CTW_OKAY(ctw_ranking_reason(r, 0, 0, &feature, &value, &contribution));
    ck_assert(contribution > 0);
    CTW_OKAY(ctw_ranking_value(r, 0, feature, &shift));
    ck_assert(shift == value);
    CTW_OKAY(ctw_ranking_value(r, 0, "lx_excl", &shift));
    ck_assert(shift > 0.9 && shift < 1.3); /* log 3, less the network's share */
    CTW_FAILS(ctw_ranking_reason(r, 0, 99, NULL, NULL, NULL), CTW_E_RANGE, "fewer");
    CTW_FAILS(ctw_ranking_value(r, 0, "lx_exc", &shift), CTW_E_KEY, "lx_excl");
    CTW_FAILS(ctw_ranking_at(r, 4, NULL, NULL), CTW_E_RANGE, "i is 4");
    ctw_ranking_unref(ctw_ranking_ref(r));
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(errors)
{
    begin();
    ctw_rca *m;
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, "rca", &p));
    CTW_OKAY(ctw_params_set_str(p, "features", "RI,lx_exkl"));
    CTW_FAILS(ctw_rca_new(ctx, p, &m), CTW_E_KEY, "lx_excl");
    ck_assert_ptr_null(m);
    CTW_OKAY(ctw_params_set_str(p, "features", "RI,RI"));
    CTW_FAILS(ctw_rca_new(ctx, p, &m), CTW_E_ARG, "twice");
    ctw_params_unref(p);
    CTW_FAILS(ctw_rca_new(NULL, NULL, &m), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_rca_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    CTW_OKAY(ctw_rca_new(ctx, NULL, &m));
    ctw_calls *c = window(1, -1, 1), *empty;
    ctw_ranking *r;
    const char *nobody = "nobody", *none = NULL;
    CTW_OKAY(ctw_calls_new(ctx, NULL, &empty));
    CTW_FAILS(ctw_rca_rank(m, c, NULL, &r), CTW_E_STATE, "fault-free");
    CTW_FAILS(ctw_rca_add_case(m, c, NULL, 0), CTW_E_STATE, "fault-free");
    CTW_FAILS(ctw_rca_learn(m, empty, NULL), CTW_E_ARG, "no calls");
    CTW_FAILS(ctw_rca_learn(m, NULL, NULL), CTW_E_ARG, "window");
    CTW_FAILS(ctw_rca_learn(NULL, c, NULL), CTW_E_ARG, "m");
    CTW_OKAY(ctw_rca_learn(m, c, NULL));
    CTW_FAILS(ctw_rca_rank(m, empty, NULL, &r), CTW_E_ARG, "no calls");
    CTW_FAILS(ctw_rca_rank(m, c, NULL, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_rca_add_case(m, c, &nobody, 1), CTW_E_KEY, "nobody");
    CTW_FAILS(ctw_rca_add_case(m, c, &none, 1), CTW_E_ARG, "culprit[0]");
    CTW_FAILS(ctw_rca_add_case(m, c, NULL, 1), CTW_E_ARG, "culprit");
    CTW_OKAY(ctw_rca_forget(m));
    ck_assert_uint_eq(ctw_rca_windows(m), 0);
    CTW_FAILS(ctw_rca_rank(m, c, NULL, &r), CTW_E_STATE, "fault-free");
    ctw_calls_unref(empty);
    ctw_calls_unref(c);
    ctw_rca_unref(ctw_rca_ref(m));
    ctw_rca_unref(m);
    ctw_rca_unref(NULL);
    for (uint64_t i = 0; i < ctw_rca_features(); i++) {
        const char *name, *help;
        CTW_OKAY(ctw_rca_feature_at(i, &name, &help));
        ck_assert(*name && *help);
    }
    CTW_FAILS(ctw_rca_feature_at(ctw_rca_features(), NULL, NULL), CTW_E_RANGE, "features");
    ctw_ctx_unref(ctx);
}
END_TEST

/* Scores of a window, for comparing bits. */
static void scores(const ctw_rca *m, const ctw_calls *c, double out[SHOP_SERVICES])
{
    ctw_ranking *r;
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    for (uint64_t i = 0; i < SHOP_SERVICES; i++) CTW_OKAY(ctw_ranking_at(r, i, NULL, &out[i]));
    ctw_ranking_unref(r);
}

static ctw_rca *trained(void)
{
    ctw_rca *m = learned("RI,CI,evidence,z:lx_excl");
    ctw_calls *c = window(50, 1, 3), *d = window(51, -1, 1);
    CTW_OKAY(ctw_rca_add_case(m, c, &shop_service[1], 1));
    CTW_OKAY(ctw_rca_add_case(m, d, NULL, 0));
    CTW_OKAY(ctw_rca_fit(m, NULL));
    ctw_calls_unref(c);
    ctw_calls_unref(d);
    return m;
}

START_TEST(files)
{
    begin();
    ctw_rca *m = trained(), *again;
    ctw_calls *c = window(9, 3, 3);
    double before[SHOP_SERVICES], after[SHOP_SERVICES];
    uint64_t need, need2;
    unsigned char kind;
    scores(m, c, before);
    CTW_OKAY(ctw_rca_save_mem(m, NULL, 0, &need));
    unsigned char *buf = malloc(need), *buf2 = malloc(need);
    CTW_FAILS(ctw_rca_save_mem(m, buf, need - 1, &need2), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_rca_save_mem(m, buf, need, &need2));
    CTW_OKAY(ctw_rca_load_mem(ctx, buf, need, &again));
    scores(again, c, after);
    ck_assert(memcmp(before, after, sizeof before) == 0);
    ck_assert_uint_eq(ctw_rca_cases(again), 2);
    ck_assert_uint_eq(ctw_rca_windows(again), 4);
    CTW_OKAY(ctw_rca_save_mem(again, buf2, need, &need2));
    ck_assert(need == need2 && memcmp(buf, buf2, need) == 0);
    ctw_rca_unref(again);
    const char *path = ctw_test_tmp("rca.ctw");
    CTW_OKAY(ctw_rca_save_file(m, path));
    CTW_OKAY(ctw_rca_load_file(ctx, path, &again));
    ctw_rca_unref(again);
    CTW_FAILS(ctw_rca_load_file(ctx, "/nowhere/rca.ctw", &again), CTW_E_IO, "/nowhere");
    for (uint64_t i = 0; i < need; i += 37) {
        buf[i] ^= 0x41;
        ck_assert(ctw_rca_load_mem(ctx, buf, need, &again) != CTW_OK && !again);
        buf[i] ^= 0x41;
        ck_assert(ctw_rca_load_mem(ctx, buf, i, &again) != CTW_OK && !again);
    }
    kind = buf[8];
    buf[8] = 'X';
    ck_assert(ctw_rca_load_mem(ctx, buf, need, &again) != CTW_OK);
    buf[8] = kind;
    CTW_FAILS(ctw_rca_load_mem(ctx, NULL, 3, &again), CTW_E_ARG, "buf");
    free(buf);
    free(buf2);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(golden)
{
    begin();
    double slow[SHOP_SERVICES] = {1, 1, 1, 3}, score;
    const char *name;
    ctw_rca *m;
    ctw_calls *c;
    ctw_ranking *r;
    CTW_OKAY(ctw_rca_load_file(ctx, ctw_test_golden("rca/rca-1.ctw"), &m));
    ck_assert_uint_eq(ctw_rca_windows(m), 2);
    ck_assert_uint_eq(ctw_rca_cases(m), 1);
    ck_assert(ctw_rca_fitted(m));
    CTW_OKAY(shop_window(ctx, 7, 12, slow, &c));
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    CTW_OKAY(ctw_ranking_at(r, 0, &name, &score));
    ck_assert_str_eq(name, "store");
    ck_assert_double_eq_tol(score, 0.99976861933763816, 1e-9);
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(sharing)
{
    begin();
    ctw_rca *one = trained(), *m = learned(NULL), *empty;
    ctw_calls *c = window(9, 3, 3);
    double a[SHOP_SERVICES], b[SHOP_SERVICES];
    CTW_OKAY(ctw_rca_new(ctx, NULL, &empty));
    CTW_FAILS(ctw_rca_adopt(m, empty), CTW_E_STATE, "no classifier");
    CTW_FAILS(ctw_rca_adopt(m, m), CTW_E_ARG, "one localiser");
    CTW_FAILS(ctw_rca_add_cases(m, NULL), CTW_E_ARG, "from");
    CTW_OKAY(ctw_rca_adopt(m, one));
    scores(one, c, a);
    scores(m, c, b);
    ck_assert(memcmp(a, b, sizeof a) == 0);
    CTW_OKAY(ctw_rca_add_cases(m, one));
    CTW_OKAY(ctw_rca_add_cases(m, one));
    ck_assert_uint_eq(ctw_rca_cases(m), 4);
    CTW_OKAY(ctw_rca_add_cases(m, empty));
    ck_assert_uint_eq(ctw_rca_cases(m), 4);
    CTW_OKAY(ctw_rca_fit(m, NULL));
    ctw_rca_unref(one);
    ctw_rca_unref(m);
    ctw_rca_unref(empty);
    ctw_calls_unref(c);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(two_culprits)
{
    begin();
    ctw_rca *m = learned(NULL);
    double slow[SHOP_SERVICES] = {1, 3, 1, 3};
    ctw_calls *c;
    ctw_ranking *r;
    const char *first, *second;
    CTW_OKAY(shop_window(ctx, 3, 60, slow, &c));
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    ck_assert_uint_eq(ctw_ranking_guilty(r), 2);
    CTW_OKAY(ctw_ranking_at(r, 0, &first, NULL));
    CTW_OKAY(ctw_ranking_at(r, 1, &second, NULL));
    ck_assert(strcmp(first, second) != 0);
    ck_assert(strcmp(first, "cart") == 0 || strcmp(first, "store") == 0);
    ck_assert(strcmp(second, "cart") == 0 || strcmp(second, "store") == 0);
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(old_rows_leave)
{
    begin();
    ctw_params *p;
    ctw_rca *m;
    ctw_calls *c = window(1, -1, 1);
    CTW_OKAY(ctw_params_new(ctx, "rca", &p));
    CTW_OKAY(ctw_params_set_i64(p, "max_rows", 16)); /* four windows */
    CTW_OKAY(ctw_params_set_i64(p, "ref_calls", 16));
    CTW_OKAY(ctw_params_set_f64(p, "ref_half_life", 2));
    CTW_OKAY(ctw_rca_new(ctx, p, &m));
    ctw_params_unref(p);
    for (int i = 0; i < 5; i++) CTW_OKAY(ctw_rca_learn(m, c, NULL));
    for (int i = 0; i < 7; i++) CTW_OKAY(ctw_rca_add_case(m, c, &shop_service[i % 4], i & 1));
    ck_assert_uint_eq(ctw_rca_cases(m), 4);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Adds one labelled window: a slow service, or none. */
static void add(ctw_rca *m, uint32_t i)
{
    int guilty = i % 4 ? (int)(i % SHOP_SERVICES) : -1;
    ctw_calls *c = window(500 + i, guilty, 1.3 + 0.1 * (double)(i % 5));
    CTW_OKAY(ctw_rca_add_case(m, c, guilty < 0 ? NULL : &shop_service[guilty], guilty >= 0));
    ctw_calls_unref(c);
}

static void four_scores(const ctw_rca *m, uint32_t seed, double out[SHOP_SERVICES])
{
    ctw_calls *c = window(seed, 1, 1.5);
    ctw_ranking *r;
    CTW_OKAY(ctw_rca_rank(m, c, NULL, &r));
    for (uint64_t i = 0; i < SHOP_SERVICES; i++) CTW_OKAY(ctw_ranking_at(r, i, NULL, &out[i]));
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
}

/* Updates end where a fit on the same rows ends, also while max_rows drives old rows out; nothing is forgiven here, and
 * standardisation has settled after the first fit. */
START_TEST(updates)
{
    ctw_params *p;
    ctw_rca *m, *cold;
    double a[SHOP_SERVICES], b[SHOP_SERVICES];
    begin();
    CTW_OKAY(ctw_params_new(ctx, "rca", &p));
    CTW_OKAY(ctw_params_set_text(p, "forgive", "0"));
    CTW_OKAY(ctw_params_set_text(p, "max_rows", "200"));
    CTW_OKAY(ctw_rca_new(ctx, p, &m));
    CTW_OKAY(ctw_rca_new(ctx, p, &cold));
    ctw_params_unref(p);
    ctw_calls *c = window(1, -1, 1);
    CTW_OKAY(ctw_rca_learn(m, c, NULL));
    CTW_OKAY(ctw_rca_learn(cold, c, NULL));
    ctw_calls_unref(c);
    CTW_FAILS(ctw_rca_update(m, NULL), CTW_E_STATE, "guilty");
    for (uint32_t i = 0; i < 80; i++) { /* 4 rows each: the last 50 windows fit */
        add(m, i);
        add(cold, i);
        if (i >= 20) CTW_OKAY(ctw_rca_update(m, NULL)); /* the first is a fit */
    }
    ck_assert_uint_eq(ctw_rca_cases(m), 50);
    CTW_OKAY(ctw_rca_fit(cold, NULL));
    for (uint32_t seed = 900; seed < 905; seed++) {
        four_scores(m, seed, a);
        four_scores(cold, seed, b);
        for (int i = 0; i < SHOP_SERVICES; i++) ck_assert_double_eq_tol(a[i], b[i], 0.15);
    }
    ctw_rca *other = learned(NULL);
    CTW_OKAY(ctw_rca_adopt(other, m));
    CTW_FAILS(ctw_rca_update(other, NULL), CTW_E_STATE, "guilty"); /* no rows of its own */
    ck_assert_int_eq(ctw_rca_fitted(other), 1);
    ctw_rca_unref(other);
    ctw_rca_unref(cold);
    ctw_rca_unref(m);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"without_labels", without_labels},
        {"with_labels", with_labels},
        {"reasons", reasons},
        {"errors", errors},
        {"files", files},
        {"golden", golden},
        {"sharing", sharing},
        {"two_culprits", two_culprits},
        {"old_rows_leave", old_rows_leave},
        {"updates", updates},
    };
    return ctw_test_main("api-rca", cases, sizeof cases / sizeof *cases, 10);
}
