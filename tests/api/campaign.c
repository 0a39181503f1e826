/* Contract of campaign.h through the shared library: labels, what each kind of fault shows, training, errors. */
#include "small_day.h"
#include "test.h"
#include <cybertwin/campaign.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_twin *day(void)
{
    ctw_twin *t;
    CTW_OKAY(small_day(ctx, 0, &t));
    return t;
}

static ctw_campaign *campaign(const ctw_twin *t, const char *const *option)
{
    ctw_params *p;
    ctw_campaign *c;
    CTW_OKAY(ctw_params_new(ctx, "campaign", &p));
    for (; option && *option; option += 2) CTW_OKAY(ctw_params_set_text(p, option[0], option[1]));
    CTW_OKAY(ctw_campaign_new(ctx, p, t, &c));
    ctw_params_unref(p);
    return c;
}

static ctw_calls *window(void)
{
    ctw_calls *w;
    CTW_OKAY(ctw_calls_new(ctx, NULL, &w));
    return w;
}

/* Faults are drawn as the options say, servers differ, and the same options give the same campaign. */
START_TEST(labels)
{
    static const char *const option[] = {"at_once", "3", "quiet", "0.25", "stream", "7", NULL};
    ctw_twin *t = day();
    ctw_campaign *c = campaign(t, option), *again = campaign(t, option);
    ctw_calls *w = window(), *v = window();
    double seen[4] = {0};
    for (int i = 0; i < 100; i++) {
        int64_t server[3], other[3];
        int32_t kind[3];
        double left[3];
        uint64_t n, k;
        CTW_OKAY(ctw_calls_clear(w));
        CTW_OKAY(ctw_calls_clear(v));
        CTW_OKAY(ctw_campaign_next(c, w, 3, server, kind, left, &n, NULL));
        CTW_OKAY(ctw_campaign_next(again, v, 3, other, NULL, NULL, &k, NULL));
        ck_assert_uint_eq(n, k);
        ck_assert_uint_le(n, 3);
        seen[n]++;
        ck_assert_uint_gt(ctw_calls_count(w), 0);
        ck_assert_uint_eq(ctw_calls_count(w), ctw_calls_count(v));
        for (uint64_t j = 0; j < n; j++) {
            char text[48];
            int64_t id;
            ck_assert_int_eq(server[j], other[j]);
            ck_assert(kind[j] >= CTW_FAULT_CPU && kind[j] <= CTW_FAULT_NETWORK);
            ck_assert(left[j] >= 0.1 && left[j] <= 0.6);
            for (uint64_t l = 0; l < j; l++) ck_assert_int_ne(server[j], server[l]);
            uint64_t before = ctw_calls_count(w);
            (void)snprintf(text, sizeof text, "server %lld", (long long)server[j]);
            CTW_OKAY(ctw_calls_name(w, text, &id));
            ck_assert_int_ge(id, 0);
            ck_assert_uint_eq(ctw_calls_count(w), before);
        }
    }
    ck_assert_double_eq_tol(seen[0], 25, 13);
    for (int n = 1; n < 4; n++) ck_assert_double_eq_tol(seen[n], 25, 15);
    ck_assert_double_eq(ctw_twin_now(t), 0); /* the host's own is as it was */
    ctw_calls_unref(w);
    ctw_calls_unref(v);
    ctw_campaign_unref(c);
    ctw_campaign_unref(again);
    ctw_twin_unref(t);
}
END_TEST

/* Mean of a column over the calls of the guilty servers and of all others. */
static void means(const ctw_calls *w, const char *guilty, int32_t column, double out[2])
{
    double sum[2] = {0}, n[2] = {0};
    for (uint64_t i = 0; i < ctw_calls_count(w); i++) {
        int64_t who;
        double v;
        CTW_OKAY(ctw_calls_keys(w, i, 1, NULL, &who, NULL, NULL));
        CTW_OKAY(ctw_calls_column(w, i, 1, column, &v));
        int g = strcmp(ctw_calls_name_at(w, who), guilty) == 0;
        sum[g] += v;
        n[g]++;
    }
    out[0] = n[0] > 0 ? sum[0] / n[0] : NAN;
    out[1] = n[1] > 0 ? sum[1] / n[1] : NAN;
}

/* A network fault shows on the way, the others in the server's own time, and only there. */
START_TEST(what_shows)
{
    static const char *const kinds[] = {"cpu", "memory", "llc", "io", "network"};
    ctw_twin *t = day();
    for (int k = 0; k < 5; k++) {
        const char *const option[] = {"kinds", kinds[k], "quiet", "0", "mildest", "0.1", "harshest", "0.1", NULL};
        ctw_campaign *c = campaign(t, option);
        int net_seen = 0, slower = 0;
        for (int i = 0; i < 10; i++) {
            ctw_calls *w = window();
            int64_t server;
            uint64_t n;
            char text[48];
            double net[2], self[2];
            CTW_OKAY(ctw_campaign_next(c, w, 1, &server, NULL, NULL, &n, NULL));
            ck_assert_uint_eq(n, 1);
            (void)snprintf(text, sizeof text, "server %lld", (long long)server);
            means(w, text, CTW_CALL_NET, net);
            means(w, text, CTW_CALL_SELF, self);
            ck_assert(net[0] == 0); /* nobody else's */
            net_seen += net[1] > 1000;
            slower += self[1] > self[0];
            ctw_calls_unref(w);
        }
        if (k == 4)
            ck_assert_int_gt(net_seen, 3);
        else
            ck_assert_int_eq(net_seen, 0);
        if (k < 2) ck_assert_int_gt(slower, 5);
        ctw_campaign_unref(c);
    }
    ctw_twin_unref(t);
}
END_TEST

START_TEST(training)
{
    static const char *const hard[] = {"kinds", "cpu", "harshest", "0.2", "mildest", "0.4", "stream", "1", NULL};
    static const char *const test[] = {"kinds", "cpu", "harshest", "0.2", "mildest", "0.4",
                                       "quiet", "0",   "stream",   "2",   NULL};
    ctw_twin *t = day();
    ctw_campaign *c = campaign(t, hard), *other = campaign(t, test);
    ctw_rca *m;
    int right = 0;
    CTW_OKAY(ctw_rca_new(ctx, NULL, &m));
    CTW_OKAY(ctw_campaign_train(c, m, 10, 30, NULL));
    ck_assert_int_eq(ctw_rca_fitted(m), 1);
    ck_assert_uint_eq(ctw_rca_windows(m), 10);
    ck_assert_uint_eq(ctw_rca_cases(m), 30);
    for (int i = 0; i < 20; i++) {
        ctw_calls *w = window();
        ctw_ranking *r;
        const char *name;
        char text[48];
        int64_t server;
        uint64_t n;
        CTW_OKAY(ctw_campaign_next(other, w, 1, &server, NULL, NULL, &n, NULL));
        CTW_OKAY(ctw_rca_rank(m, w, NULL, &r));
        CTW_OKAY(ctw_ranking_at(r, 0, &name, NULL));
        (void)snprintf(text, sizeof text, "server %lld", (long long)server);
        right += strcmp(name, text) == 0;
        ctw_ranking_unref(r);
        ctw_calls_unref(w);
    }
    ck_assert_int_ge(right, 16);
    ctw_rca_unref(m);
    ctw_campaign_unref(c);
    ctw_campaign_unref(other);
    ctw_twin_unref(t);
}
END_TEST

static void refused(const ctw_twin *t, const char *key, const char *value, ctw_status want, const char *text)
{
    ctw_params *p;
    ctw_campaign *c;
    CTW_OKAY(ctw_params_new(ctx, "campaign", &p));
    CTW_OKAY(ctw_params_set_text(p, key, value));
    CTW_FAILS(ctw_campaign_new(ctx, p, t, &c), want, text);
    ctw_params_unref(p);
}

START_TEST(bad_input)
{
    static const char *const option[] = {"at_once", "2", "quiet", "1", NULL};
    ctw_twin *t = day(), *empty;
    CTW_OKAY(ctw_twin_new(ctx, NULL, &empty));
    ctw_campaign *c = campaign(t, option), *none;
    ctw_calls *w = window();
    ctw_cancel *stop;
    ctw_rca *m;
    int64_t server[2];
    uint64_t n;
    refused(t, "kinds", "gpu", CTW_E_KEY, "gpu");
    refused(t, "kinds", "cpu,cpu", CTW_E_ARG, "twice");
    refused(t, "harshest", "0.9", CTW_E_ARG, "harshest");
    refused(t, "fault_s", "1000000", CTW_E_STATE, "left");
    CTW_FAILS(ctw_campaign_new(ctx, NULL, empty, &none), CTW_E_STATE, "services");
    CTW_FAILS(ctw_campaign_new(ctx, NULL, NULL, &none), CTW_E_ARG, "t");
    CTW_FAILS(ctw_campaign_next(c, w, 1, server, NULL, NULL, &n, NULL), CTW_E_BUFFER, "at once");
    CTW_FAILS(ctw_campaign_next(c, NULL, 2, server, NULL, NULL, &n, NULL), CTW_E_ARG, "window");
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_campaign_next(c, w, 2, server, NULL, NULL, &n, stop), CTW_E_CANCELLED, NULL);
    CTW_OKAY(ctw_campaign_next(c, w, 0, NULL, NULL, NULL, &n, NULL));
    ck_assert_uint_eq(n, 0);
    CTW_OKAY(ctw_rca_new(ctx, NULL, &m));
    CTW_FAILS(ctw_campaign_train(c, m, 3, 3, NULL), CTW_E_STATE, "guilty"); /* nothing but quiet */
    ctw_campaign_unref(ctw_campaign_ref(c));
    ctw_campaign_unref(NULL);
    ctw_rca_unref(m);
    ctw_cancel_unref(stop);
    ctw_calls_unref(w);
    ctw_campaign_unref(c);
    ctw_twin_unref(empty);
    ctw_twin_unref(t);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"labels", labels}, {"what_shows", what_shows}, {"training", training}, {"bad_input", bad_input}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int failed = ctw_test_main("api-campaign", cases, sizeof cases / sizeof *cases, 30);
    ctw_ctx_unref(ctx);
    return failed;
}
