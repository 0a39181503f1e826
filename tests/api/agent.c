/* Contract of agent.h through the shared library: learning, masks, overrides, errors, divergence, weights. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_params *bag(const char *kind, const char *const *kv)
{
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, kind, &p));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    return p;
}

static ctw_agent *make(const char *const *kv)
{
    ctw_params *p = bag("agent", kv);
    ctw_agent *a;
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_params_unref(p);
    return a;
}

/* A corridor of six cells: action 1 goes right, 0 left; the right end pays 1 and ends. */
static double walk(ctw_agent *a, int episodes, const uint8_t *allowed)
{
    double total = 0;
    for (int e = 0; e < episodes; e++) {
        double s = 0;
        for (int t = 0; t < 200; t++) {
            int64_t act;
            CTW_OKAY(ctw_agent_act(a, &s, 1, allowed, &act));
            s = act ? s + 1 : s > 0 ? s - 1 : 0;
            total -= 0.01;
            CTW_OKAY(ctw_agent_learn(a, s == 6 ? 1 : -0.01, s == 6 ? NULL : &s, s == 6 ? 0 : 1, allowed, s == 6));
            if (s == 6) break;
            if (t == 199) CTW_OKAY(ctw_agent_end_episode(a));
        }
    }
    return total;
}

START_TEST(every_algorithm_learns_the_corridor)
{
    static const char *const algos[][2] = {
        {"q", "0"},        {"q", "0.8"},          {"sarsa", "0"}, {"sarsa", "0.8"}, {"expected-sarsa", "0"},
        {"double-q", "0"}, {"true-online", "0.8"}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (size_t i = 0; i < sizeof algos / sizeof *algos; i++)
        for (int soft = 0; soft < 2; soft++) {
            const char *const kv[] = {"states",      "7",         "algo",   algos[i][0],
                                      "lambda",      algos[i][1], "policy", soft ? "softmax" : "epsilon-greedy",
                                      "temperature", "0.05",      "ties",   "random",
                                      "gamma",       "0.9",       NULL};
            ctw_agent *a = make(kv);
            walk(a, 300, NULL);
            for (double s = 0; s < 6; s++) {
                int64_t best;
                double v;
                CTW_OKAY(ctw_agent_greedy(a, &s, 1, NULL, &best, &v));
                ck_assert_msg(best == 1, "%s %s state %g", algos[i][0], algos[i][1], s);
            }
            ctw_agent_unref(a);
        }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(masks_and_overrides)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const kv[] = {"states", "7", "epsilon", "1", NULL};
    ctw_agent *a = make(kv);
    const uint8_t right[] = {0, 1}, none[] = {0, 0};
    double s = 0;
    int64_t act;
    for (int i = 0; i < 50; i++) {
        CTW_OKAY(ctw_agent_act(a, &s, 1, right, &act));
        ck_assert(act == 1);
    }
    CTW_FAILS(ctw_agent_act(a, &s, 1, none, &act), CTW_E_INFEASIBLE, "masked");
    CTW_FAILS(ctw_agent_greedy(a, &s, 1, none, &act, NULL), CTW_E_INFEASIBLE, "masked");
    CTW_FAILS(ctw_agent_learn(a, 0, &s, 1, none, 0), CTW_E_INFEASIBLE, "masked");
    CTW_FAILS(ctw_agent_set_action(a, 2), CTW_E_RANGE, "action");
    CTW_OKAY(ctw_agent_set_action(a, 0));
    CTW_OKAY(ctw_agent_learn(a, 5, &s, 1, right, 0));
    double q[2];
    CTW_OKAY(ctw_agent_value(a, &s, 1, q, 2));
    ck_assert_double_eq_tol(q[0], 0.5, 1e-12);
    ck_assert(q[1] == 0);
    ctw_report *r;
    int64_t n;
    CTW_OKAY(ctw_agent_get_report(a, &r));
    CTW_OKAY(ctw_report_get_i64(r, "overrides", &n));
    ck_assert(n == 1);
    ctw_report_unref(r);
    CTW_FAILS(ctw_agent_set_action(a, 0), CTW_E_STATE, "act first");
    ctw_agent_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(bad_calls)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const tab[] = {"states", "3", NULL}, *const lin[] = {"form", "linear", "features", "2", NULL},
                             *const empty[] = {"form", "linear", NULL};
    static const char *const wrong[][7] = {{"algo", "double-q", "lambda", "0.5", NULL},
                                           {"algo", "expected-sarsa", "lambda", "0.5", NULL},
                                           {"epsilon", "0.1", "epsilon_min", "0.2", NULL}};
    ctw_agent *a, *b;
    double x[2] = {0, 0}, far[2] = {2e6, 0}, nan[2] = {NAN, 0}, q[2];
    int64_t act;
    uint64_t need;
    for (size_t i = 0; i < 3; i++) {
        ctw_params *p = bag("agent", wrong[i]);
        CTW_FAILS(ctw_agent_new(ctx, p, &a), CTW_E_ARG, NULL);
        ck_assert_ptr_null(a);
        ctw_params_unref(p);
    }
    ctw_params *p = bag("features", NULL);
    CTW_FAILS(ctw_agent_new(ctx, p, &a), CTW_E_KIND, "features");
    ctw_params_unref(p);
    CTW_FAILS(ctw_agent_new(NULL, NULL, &a), CTW_E_ARG, NULL);
    CTW_FAILS(ctw_agent_new(ctx, NULL, NULL), CTW_E_ARG, "out");
    a = make(tab);
    CTW_FAILS(ctw_agent_learn(a, 0, x, 1, NULL, 0), CTW_E_STATE, "act first");
    CTW_FAILS(ctw_agent_act(a, x, 2, NULL, &act), CTW_E_SHAPE, "n is 2");
    CTW_FAILS(ctw_agent_act(a, NULL, 1, NULL, &act), CTW_E_ARG, "phi");
    CTW_FAILS(ctw_agent_act(a, x, 1, NULL, NULL), CTW_E_ARG, "out_action");
    CTW_FAILS(ctw_agent_act(NULL, x, 1, NULL, &act), CTW_E_ARG, "a");
    CTW_FAILS(ctw_agent_act(a, nan, 1, NULL, &act), CTW_E_NONFINITE, "state");
    x[0] = 3;
    CTW_FAILS(ctw_agent_act(a, x, 1, NULL, &act), CTW_E_RANGE, "0..2");
    x[0] = 0.5;
    CTW_FAILS(ctw_agent_act(a, x, 1, NULL, &act), CTW_E_RANGE, "whole");
    x[0] = 1;
    CTW_OKAY(ctw_agent_act(a, x, 1, NULL, &act));
    CTW_FAILS(ctw_agent_learn(a, NAN, x, 1, NULL, 0), CTW_E_NONFINITE, "reward");
    CTW_FAILS(ctw_agent_learn(a, 1e9, x, 1, NULL, 0), CTW_E_RANGE, "reward");
    CTW_FAILS(ctw_agent_learn(a, 1, nan, 1, NULL, 0), CTW_E_NONFINITE, NULL);
    CTW_OKAY(ctw_agent_learn(a, 1, x, 1, NULL, 0)); /* the failures left the open action alone */
    CTW_FAILS(ctw_agent_value(a, x, 1, q, 3), CTW_E_SHAPE, "n_actions");
    ctw_agent_unref(ctw_agent_ref(a));
    b = make(lin);
    CTW_FAILS(ctw_agent_act(b, far, 2, NULL, &act), CTW_E_RANGE, "phi");
    CTW_FAILS(ctw_agent_act(b, nan, 2, NULL, &act), CTW_E_NONFINITE, "phi");
    CTW_FAILS(ctw_agent_set_weights(b, q, 3), CTW_E_SHAPE, "n is 3");
    ctw_agent_unref(b);
    b = make(empty);
    CTW_FAILS(ctw_agent_act(b, x, 2, NULL, &act), CTW_E_STATE, "no features");
    CTW_FAILS(ctw_agent_set_features(b, NULL), CTW_E_ARG, "f");
    CTW_OKAY(ctw_agent_get_weights(b, NULL, 0, &need));
    ck_assert(need == 0);
    ctw_agent_unref(b);
    ctw_agent_unref(a);
    ctw_agent_unref(NULL);
    ck_assert_ptr_null(ctw_agent_ref(NULL));
    ctw_ctx_unref(ctx);
}
END_TEST

/* Baird-like: two features that grow, off-policy, step size far too large. */
START_TEST(divergence_is_rolled_back)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const kv[] = {"form",      "linear", "features", "1", "actions",     "1",    "alpha", "1",
                                     "normalise", "0",      "gamma",    "1", "value_limit", "1000", NULL};
    ctw_agent *a = make(kv);
    double one = 1, two = 2, w;
    int64_t act, n;
    uint64_t need;
    int seen = 0;
    for (int i = 0; i < 200; i++) {
        CTW_OKAY(ctw_agent_act(a, &one, 1, NULL, &act));
        ctw_status s = ctw_agent_learn(a, 1, &two, 1, NULL, 0);
        ck_assert(s == CTW_OK || s == CTW_E_NOCONV);
        seen += s == CTW_E_NOCONV;
        CTW_OKAY(ctw_agent_get_weights(a, &w, 1, &need));
        ck_assert(fabs(w) <= 3000);
    }
    ck_assert(seen > 0);
    ctw_report *r;
    CTW_OKAY(ctw_agent_get_report(a, &r));
    CTW_OKAY(ctw_report_get_i64(r, "rollbacks", &n));
    ck_assert(n == seen);
    ctw_report_unref(r);
    ctw_agent_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(weights_and_batches)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const char *const kv[] = {"form",  "linear", "features", "3",   "actions", "2",
                                     "alpha", "0.5",    "gamma",    "0.5", NULL};
    ctw_agent *a = make(kv);
    double w[6] = {1, 2, 3, -1, -2, -3}, back[6], x[3] = {1, 0, 2}, q[2];
    uint64_t need;
    CTW_OKAY(ctw_agent_set_weights(a, w, 6));
    CTW_OKAY(ctw_agent_get_weights(a, back, 6, &need));
    ck_assert(need == 6 && memcmp(w, back, sizeof w) == 0);
    CTW_FAILS(ctw_agent_get_weights(a, back, 5, &need), CTW_E_BUFFER, "at least 6");
    CTW_OKAY(ctw_agent_value(a, x, 3, q, 2));
    ck_assert(q[0] == 7 && q[1] == -7);
    w[0] = INFINITY;
    CTW_FAILS(ctw_agent_set_weights(a, w, 6), CTW_E_NONFINITE, "w");
    const double phi[8] = {1, 0, 0, 9, 0, 1, 0, 9}, next[8] = {0, 1, 0, 9, 0, 0, 0, 9}, r[2] = {1, 4};
    const int64_t act[2] = {0, 1}, bad[2] = {0, 2};
    const uint8_t end[2] = {0, 1};
    CTW_FAILS(ctw_agent_learn_batch(a, phi, bad, r, next, end, 2, 3, 4, NULL), CTW_E_RANGE, "action");
    CTW_FAILS(ctw_agent_learn_batch(a, phi, act, r, next, end, 2, 2, 4, NULL), CTW_E_SHAPE, "n is 2");
    CTW_OKAY(ctw_agent_learn_batch(a, phi, act, r, next, end, 2, 3, 4, NULL));
    CTW_OKAY(ctw_agent_get_weights(a, back, 6, &need));
    ck_assert_double_eq_tol(back[0], 1 + 0.5 * (1 + 0.5 * 2 - 1), 1e-12);
    ck_assert_double_eq_tol(back[4], -2 + 0.5 * (4 + 2), 1e-12);
    ctw_cancel *stop;
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_agent_learn_batch(a, phi, act, r, next, end, 2, 3, 4, stop), CTW_E_CANCELLED, NULL);
    ctw_cancel_unref(stop);
    CTW_OKAY(ctw_agent_learn_batch(a, NULL, NULL, NULL, NULL, NULL, 0, 3, 3, NULL));
    ctw_agent_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"every_algorithm_learns_the_corridor", every_algorithm_learns_the_corridor},
                                   {"masks_and_overrides", masks_and_overrides},
                                   {"bad_calls", bad_calls},
                                   {"divergence_is_rolled_back", divergence_is_rolled_back},
                                   {"weights_and_batches", weights_and_batches}};
    return ctw_test_main("api-agent", cases, sizeof cases / sizeof *cases, 60);
}
