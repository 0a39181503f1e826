/* Every allocation of a localiser's life fails once, and from then on. */
#include "shop.h"
#include "test.h"

static ctw_status rank_once(ctw_ctx *ctx, ctw_rca *m)
{
    double slow[SHOP_SERVICES] = {1, 1, 3, 1};
    ctw_calls *c;
    ctw_ranking *r = NULL;
    ctw_status st = shop_window(ctx, 5, 8, slow, &c);
    if (st == CTW_OK) st = ctw_rca_add_case(m, c, &shop_service[2], 1);
    if (st == CTW_OK) st = ctw_rca_fit(m, NULL);
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

int main(void)
{
    const ctw_test_case cases[] = {{"rca_life", rca_life}};
    return ctw_test_main("oom-rca", cases, 1, 30);
}
