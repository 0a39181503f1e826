/* Every allocation of a localiser's life fails once, and from then on. */
#include "shop.h"
#include "test.h"
#include <string.h>

static ctw_status rank_once(ctw_ctx *ctx, ctw_rca *m)
{
    double slow[SHOP_SERVICES] = {1, 1, 3, 1};
    ctw_calls *c;
    ctw_ranking *r = NULL;
    ctw_status st = shop_window(ctx, 5, 8, slow, &c);
    if (st == CTW_OK) st = ctw_rca_add_case(m, c, &shop_service[2], 1);
    if (st == CTW_OK) st = ctw_rca_fit(m, NULL);
    if (st == CTW_OK) st = ctw_rca_add_case(m, c, &shop_service[2], 1);
    if (st == CTW_OK) st = ctw_rca_update(m, NULL);
    if (st == CTW_OK) st = ctw_rca_rank(m, c, NULL, &r);
    ctw_ranking_unref(r);
    ctw_calls_unref(c);
    return st;
}

static ctw_status life(ctw_ctx *ctx, void *user)
{
    ctw_calls *c = NULL;
    ctw_rca *m = NULL;
    (void)user;
    ctw_status st = shop_window(ctx, 1, 8, NULL, &c);
    if (st == CTW_OK) st = ctw_rca_new(ctx, NULL, &m);
    if (st == CTW_OK) st = ctw_rca_learn(m, c, NULL);
    if (st == CTW_OK) st = ctw_rca_learn(m, c, NULL);
    if (st == CTW_OK) st = rank_once(ctx, m);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    return st;
}

START_TEST(rca_life)
{
    ck_assert_uint_gt(ctw_oom_sweep(life, NULL, 1), 50);
}
END_TEST

/* A window that folds, slides, takes another in, is ranked, saved and sampled. */
static ctw_status slide(ctw_ctx *ctx, ctw_online *o, ctw_online *other, const ctw_rca *m)
{
    ctw_calls *c = NULL, *sample = NULL;
    ctw_ranking *r = NULL;
    uint64_t need;
    ctw_status st = shop_window(ctx, 3, 6, NULL, &c);
    if (st == CTW_OK) st = ctw_online_add(o, c, NULL);
    if (st == CTW_OK) st = ctw_online_add(other, c, NULL);
    if (st == CTW_OK) st = ctw_online_advance(o);
    if (st == CTW_OK) st = ctw_online_merge(o, other);
    if (st == CTW_OK) st = ctw_rca_rank_online(m, o, NULL, &r);
    if (st == CTW_OK) st = ctw_online_save_mem(o, NULL, 0, &need);
    if (st == CTW_OK) st = ctw_calls_new(ctx, NULL, &sample);
    if (st == CTW_OK) st = ctw_online_sample(o, sample);
    for (int i = 0; i < 3 && st == CTW_OK; i++) st = ctw_online_advance(o);
    ctw_ranking_unref(r);
    ctw_calls_unref(sample);
    ctw_calls_unref(c);
    return st;
}

static ctw_status online_of(ctw_ctx *ctx, ctw_online **out)
{
    ctw_params *p;
    *out = NULL;
    ctw_status st = ctw_params_new(ctx, "online", &p);
    if (st != CTW_OK) return st;
    st = ctw_params_set_i64(p, "panes", 2);
    if (st == CTW_OK) st = ctw_params_set_i64(p, "sample", 3);
    if (st == CTW_OK) st = ctw_online_new(ctx, p, out);
    ctw_params_unref(p);
    return st;
}

static ctw_status online_life(ctw_ctx *ctx, void *user)
{
    ctw_calls *c = NULL;
    ctw_rca *m = NULL;
    ctw_online *o = NULL, *other = NULL;
    (void)user;
    ctw_status st = shop_window(ctx, 1, 8, NULL, &c);
    if (st == CTW_OK) st = ctw_rca_new(ctx, NULL, &m);
    if (st == CTW_OK) st = ctw_rca_learn(m, c, NULL);
    if (st == CTW_OK) st = online_of(ctx, &o);
    if (st == CTW_OK) st = online_of(ctx, &other);
    if (st == CTW_OK) st = slide(ctx, o, other, m);
    ctw_online_unref(o);
    ctw_online_unref(other);
    ctw_calls_unref(c);
    ctw_rca_unref(m);
    return st;
}

START_TEST(online)
{
    ck_assert_uint_gt(ctw_oom_sweep(online_life, NULL, 1), 100);
}
END_TEST

/* A saved window read back. */
static ctw_status load(ctw_ctx *ctx, void *user)
{
    const unsigned char *buf = user;
    uint64_t n;
    ctw_online *o = NULL;
    memcpy(&n, buf, sizeof n);
    ctw_status st = ctw_online_load_mem(ctx, buf + sizeof n, n, &o);
    ctw_online_unref(o);
    return st;
}

START_TEST(online_load)
{
    static unsigned char buf[65536];
    ctw_ctx *ctx;
    ctw_calls *c;
    ctw_online *o;
    uint64_t n;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(shop_window(ctx, 1, 8, NULL, &c));
    CTW_OKAY(online_of(ctx, &o));
    CTW_OKAY(ctw_online_add(o, c, NULL));
    CTW_OKAY(ctw_online_save_mem(o, buf + sizeof n, sizeof buf - sizeof n, &n));
    memcpy(buf, &n, sizeof n);
    ctw_online_unref(o);
    ctw_calls_unref(c);
    ctw_ctx_unref(ctx);
    ck_assert_uint_gt(ctw_oom_sweep(load, buf, 1), 20);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"rca_life", rca_life}, {"online", online}, {"online_load", online_load}};
    return ctw_test_main("oom-rca", cases, sizeof cases / sizeof *cases, 30);
}
