/* Every allocation of agents, feature maps, bandits and off-policy evaluation may fail. */
#include "test.h"
#include <cybertwin/agent.h>
#include <cybertwin/bandit.h>
#include <cybertwin/ope.h>
#include <cybertwin/policy.h>
#include <stdlib.h>

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    (void)user;
    obs[0] = (double)lane;
    return CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    int *t = user;
    for (uint64_t i = 0; i < lanes; i++) {
        obs[i] = (double)(++*t % 7);
        reward[i] = (double)action[i];
        state[i] = *t % 5 == 0 ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return 0;
}

static ctw_status options(ctw_ctx *ctx, const char *kind, const char *const *kv, ctw_params **p)
{
    ctw_status s = ctw_params_new(ctx, kind, p);
    for (; s == CTW_OK && *kv; kv += 2) s = ctw_params_set_text(*p, kv[0], kv[1]);
    return s;
}

static ctw_status reload(ctw_ctx *ctx, const ctw_agent *a)
{
    uint64_t need = 0;
    ctw_agent *b = NULL;
    ctw_status s = ctw_agent_save_mem(a, NULL, 0, &need);
    if (s != CTW_OK) return s;
    unsigned char *buf = malloc(need);
    s = ctw_agent_save_mem(a, buf, need, &need);
    if (s == CTW_OK) s = ctw_agent_load_mem(ctx, buf, need, &b);
    ctw_agent_unref(b);
    free(buf);
    return s;
}

static ctw_status teach(ctw_ctx *ctx, ctw_agent *a, uint64_t lanes)
{
    int t = 0;
    ctw_env *e = NULL;
    ctw_report *r = NULL;
    const double x[] = {1, 2, 3};
    const int64_t act[] = {0, 1, 0};
    const uint8_t end[] = {0, 0, 1};
    double q[2];
    ctw_status s = ctw_env_new(ctx, 1, 2, lanes, reset, step, NULL, &t, &e);
    if (s == CTW_OK) s = ctw_agent_run(a, e, 6, 4, 1, NULL, &r);
    if (s == CTW_OK) s = ctw_agent_fit_lspi(a, x, act, x, x, end, 3, 1, 1, 0.1, 1e-3, 3, NULL, NULL);
    if (s == CTW_OK) s = ctw_agent_fit_lstd(a, x, act, x, x, act, end, 3, 1, 1, 0.5, 0.1, NULL);
    if (s == CTW_OK) s = ctw_agent_value(a, x, 1, q, 2);
    if (s == CTW_OK) s = reload(ctx, a);
    ctw_report_unref(r);
    ctw_env_unref(e);
    return s;
}

static ctw_status agents(ctw_ctx *ctx, void *user)
{
    static const char *const forms[] = {"tiles", "hashed", "cross", "fourier", "rbf"};
    const int *k = user;
    const char *const kv[] = {
        "form", "linear", "lambda", *k == 0 ? "0.5" : "0", "algo", "sarsa", "steps", *k == 1 ? "3" : "1", NULL};
    const char *const fkv[] = {"form", forms[*k], "size", "16", NULL};
    const double lo = 0, hi = 7;
    ctw_params *p = NULL, *fp = NULL;
    ctw_agent *a = NULL;
    ctw_features *f = NULL;
    ctw_status s = options(ctx, "agent", kv, &p);
    if (s == CTW_OK) s = ctw_agent_new(ctx, p, &a);
    if (s == CTW_OK) s = options(ctx, "features", fkv, &fp);
    if (s == CTW_OK) s = ctw_features_new(ctx, fp, &f);
    if (s == CTW_OK) s = ctw_features_set_ranges(f, &lo, &hi, NULL, 1);
    if (s == CTW_OK) s = ctw_agent_set_features(a, f);
    if (s == CTW_OK) s = teach(ctx, a, *k == 0 ? 1 : 3);
    ctw_features_unref(f);
    ctw_agent_unref(a);
    ctw_params_unref(fp);
    ctw_params_unref(p);
    return s;
}

static ctw_status bandits(ctw_ctx *ctx, void *user)
{
    unsigned char buf[4096];
    uint64_t need;
    ctw_bandit *b = NULL, *c = NULL;
    ctw_report *r = NULL;
    double one = 1;
    int64_t arm;
    (void)user;
    const double trait[4] = {1, 0, 1, 1};
    ctw_status s = ctw_bandit_new(ctx, NULL, &b);
    if (s == CTW_OK) s = ctw_bandit_set_arms(b, trait, 2, 2);
    if (s == CTW_OK) s = ctw_bandit_choose(b, &one, 1, NULL, &arm);
    if (s == CTW_OK) s = ctw_bandit_update(b, arm, &one, 1, 1);
    if (s == CTW_OK) s = ctw_bandit_save_mem(b, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_bandit_load_mem(ctx, buf, need, &c);
    if (s == CTW_OK) s = ctw_bandit_get_report(b, &r);
    ctw_report_unref(r);
    ctw_bandit_unref(b);
    ctw_bandit_unref(c);
    return s;
}

static ctw_status ope(ctw_ctx *ctx, void *user)
{
    ctw_ope *o = NULL;
    double half = 0.5, mean;
    (void)user;
    ctw_status s = ctw_ope_new(ctx, NULL, &o);
    for (int i = 0; s == CTW_OK && i < 40; i++) s = ctw_ope_add(o, &half, &half, &half, NULL, NULL, 1);
    if (s == CTW_OK) s = ctw_ope_bound(o, 0.1, &mean, NULL);
    ctw_ope_unref(o);
    return s;
}

static int32_t step_real(void *user, uint64_t lanes, const double *u, double *obs, double *reward, int32_t *state)
{
    int64_t none[8] = {0};
    int32_t s = step(user, lanes, none, obs, reward, state);
    for (uint64_t i = 0; i < lanes; i++) reward[i] = -u[i] * u[i];
    return s;
}

static ctw_status relive(ctw_ctx *ctx, const ctw_policy *p)
{
    uint64_t need = 0;
    ctw_policy *q = NULL;
    ctw_status s = ctw_policy_save_mem(p, NULL, 0, &need);
    if (s != CTW_OK) return s;
    unsigned char *buf = malloc(need);
    s = ctw_policy_save_mem(p, buf, need, &need);
    if (s == CTW_OK) s = ctw_policy_load_mem(ctx, buf, need, &q);
    ctw_policy_unref(q);
    free(buf);
    return s;
}

static ctw_status policies(ctw_ctx *ctx, void *user)
{
    static const char *const algos[] = {"actor-critic", "natural", "natural-batch", "ppo"};
    const int *k = user, gaussian = *k % 2;
    const char *const kv[] = {"form",   "linear",
                              "algo",   algos[*k / 2],
                              "policy", gaussian ? "gaussian" : "softmax",
                              "batch",  "8",
                              "lambda", *k / 2 == 0 ? "0.5" : "0",
                              NULL};
    const double lo = 0, hi = 7, x[] = {1, 2, 3};
    const int64_t act[] = {0, 1, 0};
    const uint8_t end[] = {0, 0, 1};
    int t = 0;
    double v;
    ctw_params *params = NULL, *fp = NULL;
    ctw_policy *p = NULL;
    ctw_features *f = NULL;
    ctw_env *e = NULL;
    ctw_report *r = NULL, *r2 = NULL;
    ctw_cancel *c = NULL;
    ctw_status s = options(ctx, "policy", kv, &params);
    if (s == CTW_OK) s = ctw_policy_new(ctx, params, &p);
    if (s == CTW_OK) s = ctw_params_new(ctx, "features", &fp);
    if (s == CTW_OK) s = ctw_features_new(ctx, fp, &f);
    if (s == CTW_OK) s = ctw_features_set_ranges(f, &lo, &hi, NULL, 1);
    if (s == CTW_OK) s = ctw_policy_set_features(p, f);
    if (s == CTW_OK && !gaussian) s = ctw_env_new(ctx, 1, 2, *k / 2 ? 3 : 1, reset, step, NULL, &t, &e);
    if (s == CTW_OK && gaussian) s = ctw_env_new_real(ctx, 1, 1, *k / 2 ? 3 : 1, reset, step_real, &t, &e);
    if (s == CTW_OK) s = ctw_policy_run(p, e, 6, 4, 1, NULL, &r);
    if (s == CTW_OK) s = ctw_cancel_new(ctx, &c);
    if (s == CTW_OK && *k >= 4 && !gaussian) s = ctw_policy_fit(p, x, act, NULL, NULL, x, x, end, 3, 1, 1, c);
    if (s == CTW_OK && *k >= 4 && gaussian) s = ctw_policy_fit_real(p, x, x, NULL, x, x, end, 3, 1, 1, c);
    if (s == CTW_OK) s = ctw_policy_value(p, x, 1, &v);
    if (s == CTW_OK) s = relive(ctx, p);
    if (s == CTW_OK) s = ctw_policy_get_report(p, &r2);
    ctw_cancel_unref(c);
    ctw_report_unref(r);
    ctw_report_unref(r2);
    ctw_env_unref(e);
    ctw_features_unref(f);
    ctw_policy_unref(p);
    ctw_params_unref(fp);
    ctw_params_unref(params);
    return s;
}

START_TEST(sweep)
{
    for (int k = 0; k < 8; k += k % 2 ? 1 : 3)
        ck_assert(ctw_oom_sweep(policies, &k, 1) > 20); /* each form once, each head twice */
    for (int k = 0; k < 5; k++) ck_assert(ctw_oom_sweep(agents, &k, 1) > 20);
    ck_assert(ctw_oom_sweep(bandits, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(ope, NULL, 1) > 2);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"sweep", sweep}};
    return ctw_test_main("oom-agent", cases, 1, 60);
}
