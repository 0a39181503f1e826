/* Released files are read for ever; and training from the same seed gives the same bytes, whatever compiler built the
 * library. `api-agent-golden --write DIR` makes the files anew, which only a new format may ask for. */
#include "test.h"
#include <cybertwin/agent.h>
#include <cybertwin/bandit.h>
#include <cybertwin/policy.h>
#include <cybertwin/prior.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

static ctw_params *bag(const char *kind, const char *const *kv)
{
    ctw_params *p;
    CTW_OKAY(ctw_params_new(ctx, kind, &p));
    for (; *kv; kv += 2) CTW_OKAY(ctw_params_set_text(p, kv[0], kv[1]));
    return p;
}

/* Some hundred steps of Sarsa(lambda) or the tree backup on tiles, left in the middle of an episode. */
static ctw_agent *trained_agent(int nstep)
{
    static const char *const traced[] = {"form", "linear", "actions", "3", "algo", "sarsa", "lambda", "0.9", NULL};
    static const char *const tree[] = {"form", "linear", "actions", "3", "algo", "tree-backup", "steps", "5", NULL};
    static const char *const fkv[] = {"tilings", "4", "bins", "3", NULL};
    const double lo = 0, hi = 11;
    ctw_params *p = bag("agent", nstep ? tree : traced), *fp = bag("features", fkv);
    ctw_features *f;
    ctw_agent *a;
    double s = 0;
    int64_t act;
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    CTW_OKAY(ctw_features_new(ctx, fp, &f));
    CTW_OKAY(ctw_features_set_ranges(f, &lo, &hi, NULL, 1));
    CTW_OKAY(ctw_agent_set_features(a, f));
    for (int i = 0; i < 300; i++) {
        CTW_OKAY(ctw_agent_act(a, &s, 1, NULL, &act));
        s = (double)(((int)s * 3 + (int)act + 1) % 11);
        CTW_OKAY(ctw_agent_learn(a, s - 5, &s, 1, NULL, s == 7));
    }
    CTW_OKAY(ctw_agent_act(a, &s, 1, NULL, &act));
    ctw_features_unref(f);
    ctw_params_unref(p);
    ctw_params_unref(fp);
    return a;
}

static ctw_bandit *trained_bandit(void)
{
    static const char *const kv[] = {"policy", "thompson", "arms", "3", "dims", "2", "discount", "0.99", NULL};
    ctw_params *p = bag("bandit", kv);
    ctw_bandit *b;
    CTW_OKAY(ctw_bandit_new(ctx, p, &b));
    for (int i = 0; i < 200; i++) {
        double x[2] = {1, (double)(i * 7 % 11) / 10};
        int64_t arm;
        CTW_OKAY(ctw_bandit_choose(b, x, 2, NULL, &arm));
        CTW_OKAY(ctw_bandit_update(b, arm, x, 2, x[1] * (double)(arm - 1)));
    }
    ctw_params_unref(p);
    return b;
}

/* Two updates of PPO and a part of the third batch, on radial functions, left in the middle of an episode. */
static ctw_policy *trained_policy(const char *algo)
{
    const char *const kv[] = {"form",  "linear", "actions",   "3",  "algo",   algo, "lambda", "0.9",
                              "batch", "128",    "minibatch", "32", "epochs", "3",  NULL};
    static const char *const fkv[] = {"form", "rbf", "bins", "5", NULL};
    const double lo = 0, hi = 11;
    ctw_params *p = bag("policy", kv), *fp = bag("features", fkv);
    ctw_features *f;
    ctw_policy *q;
    double s = 0;
    int64_t act;
    CTW_OKAY(ctw_policy_new(ctx, p, &q));
    CTW_OKAY(ctw_features_new(ctx, fp, &f));
    CTW_OKAY(ctw_features_set_ranges(f, &lo, &hi, NULL, 1));
    CTW_OKAY(ctw_policy_set_features(q, f));
    for (int i = 0; i < 300; i++) {
        CTW_OKAY(ctw_policy_act(q, &s, 1, NULL, &act, NULL));
        s = (double)(((int)s * 3 + (int)act + 1) % 11);
        CTW_OKAY(ctw_policy_learn(q, s - 5, &s, 1, s == 7));
    }
    CTW_OKAY(ctw_policy_act(q, &s, 1, NULL, &act, NULL));
    ctw_features_unref(f);
    ctw_params_unref(p);
    ctw_params_unref(fp);
    return q;
}

/* Six applications, the last one after the fit. */
static ctw_prior *known_prior(void)
{
    static const char *const kv[] = {"dims", "3", "components", "2", NULL};
    ctw_params *p = bag("prior", kv);
    ctw_prior *q;
    CTW_OKAY(ctw_prior_new(ctx, p, &q));
    for (int i = 0; i < 6; i++) {
        const double w[3] = {(double)i, (double)(i * i % 5), (double)(7 - i)};
        if (i == 5) CTW_OKAY(ctw_prior_fit(q));
        CTW_OKAY(ctw_prior_add(q, w, 3));
    }
    ctw_params_unref(p);
    return q;
}

static unsigned char *whole(const char *path, size_t *n)
{
    static unsigned char data[65536];
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "no %s", path);
    *n = fread(data, 1, sizeof data, f);
    fclose(f);
    return data;
}

static unsigned char buf[65536];

/* Options that came later are written at their defaults, so an old file saved anew is longer than it was: what it is
 * compared with is the agent trained anew, as it is saved now. */
static const char *const agent_files[] = {"agent-1.ctw", "agent-steps-1.ctw"};

START_TEST(agent)
{
    static unsigned char anew[65536];
    for (int nstep = 0; nstep < 2; nstep++) {
        char name[64];
        uint64_t n, need;
        ctw_agent *a, *b = trained_agent(nstep);
        snprintf(name, sizeof name, "agent/%s", agent_files[nstep]);
        CTW_OKAY(ctw_agent_load_file(ctx, ctw_test_golden(name), &a));
        CTW_OKAY(ctw_agent_save_mem(a, buf, sizeof buf, &n));
        CTW_OKAY(ctw_agent_save_mem(b, anew, sizeof anew, &need));
        ck_assert_msg(need == n && memcmp(buf, anew, n) == 0, "%s: trained anew, the bytes differ", name);
        ctw_agent_unref(a);
        ctw_agent_unref(b);
    }
}
END_TEST

START_TEST(bandit)
{
    static unsigned char anew[65536];
    uint64_t n, need;
    ctw_bandit *a, *b = trained_bandit();
    CTW_OKAY(ctw_bandit_load_file(ctx, ctw_test_golden("agent/bandit-1.ctw"), &a));
    CTW_OKAY(ctw_bandit_save_mem(a, buf, sizeof buf, &n));
    CTW_OKAY(ctw_bandit_save_mem(b, anew, sizeof anew, &need));
    ck_assert_msg(need == n && memcmp(buf, anew, n) == 0, "trained anew, the bytes differ");
    ctw_bandit_unref(a);
    ctw_bandit_unref(b);
}
END_TEST

START_TEST(policy)
{
    static const char *const algos[] = {"actor-critic", "natural-batch", "ppo"};
    for (int k = 0; k < 3; k++) {
        char name[64];
        size_t n;
        uint64_t need;
        ctw_policy *a, *b = trained_policy(algos[k]);
        snprintf(name, sizeof name, "agent/policy-%s-1.ctw", algos[k]);
        const char *path = ctw_test_golden(name);
        CTW_OKAY(ctw_policy_load_file(ctx, path, &a));
        unsigned char *old = whole(path, &n);
        CTW_OKAY(ctw_policy_save_mem(a, buf, sizeof buf, &need));
        ck_assert(need == n && memcmp(buf, old, n) == 0);
        CTW_OKAY(ctw_policy_save_mem(b, buf, sizeof buf, &need));
        ck_assert_msg(need == n && memcmp(buf, old, n) == 0, "%s trained anew, the bytes differ", algos[k]);
        ctw_policy_unref(a);
        ctw_policy_unref(b);
    }
}
END_TEST

/* Its fit went through LAPACK: the numbers, not the bytes, are the same when made anew. */
START_TEST(prior_file)
{
    size_t n;
    uint64_t need;
    double was[3], is[3];
    ctw_prior *a, *b = known_prior();
    const char *path = ctw_test_golden("agent/prior-1.ctw");
    const double x[3] = {1, 2, 3}, y = 4;
    CTW_OKAY(ctw_prior_load_file(ctx, path, &a));
    unsigned char *old = whole(path, &n);
    CTW_OKAY(ctw_prior_save_mem(a, buf, sizeof buf, &need));
    ck_assert(need == n && memcmp(buf, old, n) == 0);
    ck_assert(ctw_prior_count(a) == 6);
    CTW_OKAY(ctw_prior_posterior(a, x, NULL, &y, 1, 3, 3, 0, was));
    CTW_OKAY(ctw_prior_posterior(b, x, NULL, &y, 1, 3, 3, 0, is));
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(was[i], is[i], 1e-9);
    ctw_prior_unref(a);
    ctw_prior_unref(b);
}
END_TEST

static int write_files(const char *dir)
{
    char path[4096];
    ctw_bandit *b = trained_bandit();
    for (int nstep = 0; nstep < 2; nstep++) {
        ctw_agent *a = trained_agent(nstep);
        snprintf(path, sizeof path, "%s/%s", dir, agent_files[nstep]);
        CTW_OKAY(ctw_agent_save_file(a, path));
        ctw_agent_unref(a);
    }
    snprintf(path, sizeof path, "%s/bandit-1.ctw", dir);
    CTW_OKAY(ctw_bandit_save_file(b, path));
    ctw_bandit_unref(b);
    ctw_prior *known = known_prior();
    snprintf(path, sizeof path, "%s/prior-1.ctw", dir);
    CTW_OKAY(ctw_prior_save_file(known, path));
    ctw_prior_unref(known);
    for (int k = 0; k < 3; k++) {
        static const char *const algos[] = {"actor-critic", "natural-batch", "ppo"};
        ctw_policy *q = trained_policy(algos[k]);
        snprintf(path, sizeof path, "%s/policy-%s-1.ctw", dir, algos[k]);
        CTW_OKAY(ctw_policy_save_file(q, path));
        ctw_policy_unref(q);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const ctw_test_case cases[] = {{"agent", agent}, {"bandit", bandit}, {"policy", policy}, {"prior", prior_file}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = argc == 3 && strcmp(argv[1], "--write") == 0
                   ? write_files(argv[2])
                   : ctw_test_main("api-agent-golden", cases, sizeof cases / sizeof *cases, 60);
    ctw_ctx_unref(ctx);
    return code;
}
