/* ctw_policy's contract: statuses, masks, lanes, batches, divergence, files in the middle of an episode. */
#include "test.h"
#include <cybertwin/agent.h>
#include <cybertwin/policy.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;
static unsigned char one[1 << 18], two[1 << 18];

static ctw_policy *make(const char *const *kv, const char *algo, int gaussian)
{
    ctw_params *params;
    ctw_policy *p;
    CTW_OKAY(ctw_params_new(ctx, "policy", &params));
    CTW_OKAY(ctw_params_set_text(params, "algo", algo));
    CTW_OKAY(ctw_params_set_text(params, "policy", gaussian ? "gaussian" : "softmax"));
    for (; kv && *kv; kv += 2) CTW_OKAY(ctw_params_set_text(params, kv[0], kv[1]));
    CTW_OKAY(ctw_policy_new(ctx, params, &p));
    ctw_params_unref(params);
    return p;
}

static const char *const algos[] = {"actor-critic", "natural", "natural-batch", "ppo"};

/* A point on a line, pushed by the action; the reward is how near the middle it is. */
typedef struct line {
    double x[16];
    uint64_t noise;
    int fail_at, bad_at, steps, masked;
} line;

static double noise(line *w)
{
    w->noise = w->noise * 6364136223846793005u + 1442695040888963407u;
    return (double)(w->noise >> 40) / 16777216.0 - 0.5;
}

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    line *w = user;
    w->x[lane] = obs[0] = noise(w);
    obs[1] = 1;
    return CTW_ENV_RUNNING;
}

static int32_t push(line *w, uint64_t i, double force, double *obs, double *reward, int32_t *state)
{
    w->x[i] += 0.2 * fmax(-1, fmin(1, force)) + 0.1 * noise(w);
    obs[2 * i] = fmax(-2, fmin(2, w->x[i]));
    obs[2 * i + 1] = 1;
    reward[i] = w->bad_at && w->steps == w->bad_at ? NAN : 1 - fabs(w->x[i]);
    state[i] = fabs(w->x[i]) > 1 ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    return 0;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    line *w = user;
    w->steps++;
    for (uint64_t i = 0; i < lanes; i++) push(w, i, action[i] ? 1 : -1, obs, reward, state);
    return w->steps == w->fail_at ? CTW_ENV_FAILED : 0;
}

static int32_t step_real(void *user, uint64_t lanes, const double *u, double *obs, double *reward, int32_t *state)
{
    line *w = user;
    w->steps++;
    for (uint64_t i = 0; i < lanes; i++) push(w, i, u[i], obs, reward, state);
    return 0;
}

static void mask(void *user, uint64_t lane, uint8_t *allowed)
{
    (void)lane;
    ((line *)user)->masked++;
    allowed[0] = 0;
    allowed[1] = 1;
}

static ctw_env *world(line *w, uint64_t lanes, int real)
{
    ctw_env *e;
    *w = (line){.noise = 5};
    if (real)
        CTW_OKAY(ctw_env_new_real(ctx, 2, 1, lanes, reset, step_real, w, &e));
    else
        CTW_OKAY(ctw_env_new(ctx, 2, 2, lanes, reset, step, NULL, w, &e));
    return e;
}

#define LINE "form", "linear", "features", "2", "batch", "64", "minibatch", "16", "epochs", "3"
static const char *const line_kv[] = {LINE, NULL};

START_TEST(statuses)
{
    ctw_params *params;
    ctw_policy *p, *g;
    double x[2] = {0, 1}, u, v;
    int64_t a;
    uint8_t none[2] = {0, 0};
    CTW_OKAY(ctw_params_new(ctx, "policy", &params));
    CTW_OKAY(ctw_params_set_text(params, "algo", "natural"));
    CTW_OKAY(ctw_params_set_text(params, "lambda", "0.5"));
    CTW_FAILS(ctw_policy_new(ctx, params, &p), CTW_E_ARG, "lambda");
    CTW_OKAY(ctw_params_set_text(params, "lambda", "0"));
    CTW_OKAY(ctw_params_set_text(params, "average", "0.1"));
    CTW_FAILS(ctw_policy_new(ctx, params, &p), CTW_E_ARG, "average");
    CTW_OKAY(ctw_params_set_text(params, "average", "0"));
    CTW_OKAY(ctw_params_set_text(params, "sd_min", "2"));
    CTW_FAILS(ctw_policy_new(ctx, params, &p), CTW_E_ARG, "sd");
    CTW_OKAY(ctw_params_set_text(params, "sd_min", "1"));
    CTW_OKAY(ctw_params_set_text(params, "form", "linear"));
    CTW_OKAY(ctw_policy_new(ctx, params, &p));
    CTW_FAILS(ctw_policy_act(p, x, 2, NULL, &a, NULL), CTW_E_STATE, "features");
    ctw_policy_unref(p);
    ctw_params_unref(params);
    p = make(line_kv, "actor-critic", 0);
    g = make(line_kv, "ppo", 1);
    CTW_FAILS(ctw_policy_learn(p, 1, x, 2, 0), CTW_E_STATE, "act");
    CTW_FAILS(ctw_policy_act(p, x, 1, NULL, &a, NULL), CTW_E_SHAPE, "n is 1");
    CTW_FAILS(ctw_policy_act(p, x, 2, none, &a, NULL), CTW_E_INFEASIBLE, "masked");
    CTW_FAILS(ctw_policy_act_real(p, x, 2, &u, 1, NULL), CTW_E_ARG, "softmax");
    CTW_FAILS(ctw_policy_act(g, x, 2, NULL, &a, NULL), CTW_E_ARG, "gaussian");
    CTW_FAILS(ctw_policy_act_real(g, x, 2, &u, 2, NULL), CTW_E_SHAPE, "dims");
    CTW_FAILS(ctw_policy_normal(p, x, 2, &u, &v, 1), CTW_E_ARG, "softmax");
    CTW_FAILS(ctw_policy_probabilities(p, x, 2, NULL, &u, 1), CTW_E_SHAPE, "n_actions");
    x[0] = NAN;
    CTW_FAILS(ctw_policy_act(p, x, 2, NULL, &a, NULL), CTW_E_NONFINITE, "phi");
    x[0] = 2e6;
    CTW_FAILS(ctw_policy_value(p, x, 2, &v), CTW_E_RANGE, "phi");
    x[0] = 0;
    CTW_OKAY(ctw_policy_act(p, x, 2, NULL, &a, &v));
    ck_assert(fabs(v - log(0.5)) < 1e-12);
    CTW_FAILS(ctw_policy_learn(p, NAN, x, 2, 0), CTW_E_NONFINITE, "reward");
    CTW_FAILS(ctw_policy_learn(p, 1e9, x, 2, 0), CTW_E_RANGE, "reward");
    CTW_FAILS(ctw_policy_learn(p, 1, x, 2, 3), CTW_E_RANGE, "end");
    CTW_FAILS(ctw_policy_learn(p, 1, x, 1, 0), CTW_E_SHAPE, "n is 1");
    CTW_OKAY(ctw_policy_learn(p, 1, x, 2, 0));
    ctw_policy_unref(p);
    ctw_policy_unref(g);
}
END_TEST

START_TEST(fit_statuses)
{
    double x[4] = {0, 1, 1, 1}, r[2] = {1, 1}, u[2] = {0, 2e6};
    int64_t a[2] = {0, 2};
    uint8_t end[2] = {0, 1}, allowed[4] = {0, 1, 1, 1};
    ctw_policy *p = make(line_kv, "ppo", 0), *g = make(line_kv, "ppo", 1), *s = make(line_kv, "natural", 0);
    ctw_cancel *stop;
    double before[6], after[6];
    uint64_t need;
    CTW_FAILS(ctw_policy_fit(s, x, a, NULL, NULL, r, x, end, 2, 2, 2, NULL), CTW_E_ARG, "algo");
    CTW_FAILS(ctw_policy_fit(g, x, a, NULL, NULL, r, x, end, 2, 2, 2, NULL), CTW_E_ARG, "gaussian");
    CTW_FAILS(ctw_policy_fit(p, x, a, NULL, NULL, r, x, end, 2, 2, 2, NULL), CTW_E_RANGE, "action");
    a[1] = 1;
    CTW_FAILS(ctw_policy_fit(p, x, a, NULL, allowed, r, x, end, 2, 2, 2, NULL), CTW_E_INFEASIBLE, "row 0");
    CTW_FAILS(ctw_policy_fit(p, x, a, NULL, NULL, r, x, end, 2, 1, 2, NULL), CTW_E_SHAPE, "n is 1");
    CTW_FAILS(ctw_policy_fit(p, x, a, NULL, NULL, r, x, end, 0, 2, 2, NULL), CTW_E_RANGE, "rows");
    CTW_FAILS(ctw_policy_fit_real(g, x, u, NULL, r, x, end, 2, 2, 2, NULL), CTW_E_RANGE, "u");
    CTW_OKAY(ctw_policy_get_weights(p, before, 6, &need));
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_FAILS(ctw_policy_fit(p, x, a, NULL, NULL, r, x, end, 2, 2, 2, stop), CTW_E_CANCELLED, NULL);
    CTW_OKAY(ctw_policy_get_weights(p, after, 6, &need));
    ck_assert(memcmp(before, after, sizeof before) == 0);
    CTW_OKAY(ctw_policy_fit(p, x, a, NULL, NULL, r, x, end, 2, 2, 2, NULL));
    u[1] = 1;
    CTW_OKAY(ctw_policy_fit_real(g, x, u, NULL, r, x, end, 2, 2, 2, NULL));
    ctw_cancel_unref(stop);
    ctw_policy_unref(p);
    ctw_policy_unref(g);
    ctw_policy_unref(s);
}
END_TEST

/* Some steps by hand in the world; the state is left in *x. */
static void live(ctw_policy *p, line *w, double *x, int gaussian, int steps)
{
    for (int t = 0; t < steps; t++) {
        double u, r;
        int64_t a;
        int32_t s;
        if (gaussian)
            CTW_OKAY(ctw_policy_act_real(p, x, 2, &u, 1, NULL));
        else {
            CTW_OKAY(ctw_policy_act(p, x, 2, NULL, &a, NULL));
            u = a ? 1 : -1;
        }
        push(w, 0, u, x, &r, &s);
        CTW_OKAY(ctw_policy_learn(p, r, x, 2, s == CTW_ENV_TERMINAL));
        if (s == CTW_ENV_TERMINAL) reset(w, 0, x);
    }
}

START_TEST(saved_in_the_middle)
{
    for (int k = 0; k < 4; k++)
        for (int gaussian = 0; gaussian < 2; gaussian++) {
            const char *const kv[] = {LINE, "lambda", k == 1 ? "0" : "0.8", NULL};
            ctw_policy *p = make(kv, algos[k], gaussian), *q;
            line w = {.noise = 3}, w2;
            double x[2], x2[2], u;
            int64_t a;
            uint64_t need, size;
            reset(&w, 0, x);
            live(p, &w, x, gaussian, 173);
            if (gaussian)
                CTW_OKAY(ctw_policy_act_real(p, x, 2, &u, 1, NULL));
            else
                CTW_OKAY(ctw_policy_act(p, x, 2, NULL, &a, NULL));
            CTW_OKAY(ctw_policy_save_mem(p, one, sizeof one, &need));
            CTW_OKAY(ctw_policy_load_mem(ctx, one, need, &q));
            CTW_OKAY(ctw_policy_save_mem(q, two, sizeof two, &size));
            ck_assert(size == need && memcmp(one, two, size) == 0);
            w2 = w;
            memcpy(x2, x, sizeof x);
            CTW_OKAY(ctw_policy_learn(p, 0.5, x, 2, 0));
            CTW_OKAY(ctw_policy_learn(q, 0.5, x, 2, 0));
            live(p, &w, x, gaussian, 200);
            live(q, &w2, x2, gaussian, 200);
            CTW_OKAY(ctw_policy_save_mem(p, one, sizeof one, &need));
            CTW_OKAY(ctw_policy_save_mem(q, two, sizeof two, &size));
            ck_assert_msg(size == need && memcmp(one, two, size) == 0, "%s went another way after loading", algos[k]);
            for (uint64_t cut = 0; cut < need; cut += 7) {
                ctw_policy *none;
                ck_assert(ctw_policy_load_mem(ctx, one, cut, &none) != CTW_OK && none == NULL);
            }
            ctw_policy_unref(p);
            ctw_policy_unref(q);
        }
}
END_TEST

/* The loop of run is act and learn; one lane. */
START_TEST(run_is_act_and_learn)
{
    for (int k = 0; k < 4; k++)
        for (int gaussian = 0; gaussian < 2; gaussian++) {
            ctw_policy *p = make(line_kv, algos[k], gaussian), *q = make(line_kv, algos[k], gaussian);
            double x[2], wp[8], wq[8];
            line w, w2 = {.noise = 5};
            ctw_env *e = world(&w, 1, gaussian);
            ctw_report *r;
            int64_t steps, updates;
            uint64_t need;
            CTW_OKAY(ctw_policy_run(p, e, 30, 20, 1, NULL, &r));
            CTW_OKAY(ctw_report_get_i64(r, "total_steps", &steps));
            CTW_OKAY(ctw_report_get_i64(r, "updates", &updates));
            ck_assert(updates > 2);
            reset(&w2, 0, x);
            for (int64_t t = 0, in = 0; t < steps; t++) {
                double u, reward;
                int64_t a;
                int32_t s;
                if (gaussian)
                    CTW_OKAY(ctw_policy_act_real(q, x, 2, &u, 1, NULL));
                else {
                    CTW_OKAY(ctw_policy_act(q, x, 2, NULL, &a, NULL));
                    u = a ? 1 : -1;
                }
                push(&w2, 0, u, x, &reward, &s);
                int end = s == CTW_ENV_TERMINAL ? 1 : ++in == 20 ? 2 : 0;
                CTW_OKAY(ctw_policy_learn(q, reward, x, 2, end));
                if (end) reset(&w2, 0, x);
                if (end) in = 0;
            }
            CTW_OKAY(ctw_policy_get_weights(p, wp, 8, &need));
            CTW_OKAY(ctw_policy_get_weights(q, wq, 8, &need));
            ck_assert_msg(memcmp(wp, wq, need * sizeof *wp) == 0, "%s", algos[k]);
            ctw_report_unref(r);
            ctw_env_unref(e);
            ctw_policy_unref(p);
            ctw_policy_unref(q);
        }
}
END_TEST

static double mean_return(ctw_policy *p, ctw_env *e)
{
    ctw_report *r;
    const double *v;
    uint64_t n;
    double s = 0;
    CTW_OKAY(ctw_policy_run(p, e, 50, 50, 0, NULL, &r));
    CTW_OKAY(ctw_report_series(r, "return", &v, &n));
    for (uint64_t i = 0; i < n; i++) s += v[i] / (double)n;
    ctw_report_unref(r);
    return s;
}

/* Every form, head and number of lanes learns to stay in the middle; same seed, same bytes. */
START_TEST(learns)
{
    for (int k = 0; k < 4; k++)
        for (int gaussian = 0; gaussian < 2; gaussian++)
            for (uint64_t lanes = 1; lanes < 9; lanes += 7) {
                const char *const kv[] = {
                    LINE, "sd", "0.5", "alpha", k == 2 ? "5" : k == 1 ? "0.003" : gaussian ? "0.002" : "0.02", NULL};
                line w;
                double before = 0, outward[5] = {1, 0.3, log(0.5), 0, 0};
                uint64_t size[2];
                for (int again = 0; again < 2; again++) {
                    ctw_policy *p = make(kv, algos[k], gaussian);
                    ctw_env *e = world(&w, lanes, gaussian);
                    if (gaussian) CTW_OKAY(ctw_policy_set_weights(p, outward, 5));
                    before = mean_return(p, e);
                    CTW_OKAY(ctw_policy_run(p, e, 300, 50, 1, NULL, NULL));
                    double now = mean_return(p, e);
                    ck_assert_msg(now > 15 && now > 2 * before, "%s gaussian %d lanes %d: %g, before %g", algos[k],
                                  gaussian, (int)lanes, now, before);
                    CTW_OKAY(ctw_policy_save_mem(p, again ? two : one, sizeof one, &size[again]));
                    ctw_env_unref(e);
                    ctw_policy_unref(p);
                }
                ck_assert(size[0] == size[1] && memcmp(one, two, size[0]) == 0);
            }
}
END_TEST

START_TEST(masks)
{
    for (int k = 0; k < 4; k++) {
        ctw_policy *p = make(line_kv, algos[k], 0);
        line w = {.noise = 5};
        ctw_env *e;
        double x[2] = {0.2, 1}, q[2];
        uint8_t allowed[2] = {1, 0};
        int64_t a;
        CTW_OKAY(ctw_env_new(ctx, 2, 2, 3, reset, step, mask, &w, &e));
        CTW_OKAY(ctw_policy_run(p, e, 40, 30, 1, NULL, NULL));
        ck_assert(w.masked > 40);
        CTW_OKAY(ctw_policy_probabilities(p, x, 2, allowed, q, 2));
        ck_assert(q[0] == 1 && q[1] == 0);
        CTW_OKAY(ctw_policy_probabilities(p, x, 2, NULL, q, 2)); /* what never was a choice was not learnt */
        ck_assert_msg(fabs(q[0] - 0.5) < 1e-12, "%s: %g", algos[k], q[0]);
        for (int t = 0; t < 200; t++) {
            CTW_OKAY(ctw_policy_act(p, x, 2, allowed, &a, NULL));
            ck_assert(a == 0);
            CTW_OKAY(ctw_policy_learn(p, 1, x, 2, 0));
        }
        ctw_env_unref(e);
        ctw_policy_unref(p);
    }
}
END_TEST

START_TEST(run_statuses)
{
    line w;
    ctw_env *e = world(&w, 1, 0), *real = world(&w, 4, 1);
    const char *const traced[] = {LINE, "lambda", "0.5", NULL}, *const small[] = {LINE, "batch", "3", NULL};
    ctw_policy *p = make(traced, "actor-critic", 0), *g = make(traced, "actor-critic", 1), *s = make(small, "ppo", 1);
    ctw_agent *a;
    ctw_params *params;
    CTW_FAILS(ctw_policy_run(p, real, 1, 1, 1, NULL, NULL), CTW_E_SHAPE, "actions");
    CTW_FAILS(ctw_policy_run(g, e, 1, 1, 1, NULL, NULL), CTW_E_SHAPE, "real dimensions");
    CTW_FAILS(ctw_policy_run(g, real, 1, 1, 1, NULL, NULL), CTW_E_ARG, "lanes");
    CTW_FAILS(ctw_policy_run(s, real, 1, 1, 1, NULL, NULL), CTW_E_ARG, "batch");
    CTW_FAILS(ctw_policy_run(p, e, 0, 1, 1, NULL, NULL), CTW_E_RANGE, "episodes");
    w.fail_at = 4;
    CTW_FAILS(ctw_policy_run(p, e, 5, 50, 1, NULL, NULL), CTW_E_BACKEND, "failed");
    w.bad_at = w.steps + 3;
    CTW_FAILS(ctw_policy_run(p, e, 5, 50, 1, NULL, NULL), CTW_E_NONFINITE, "reward");
    CTW_OKAY(ctw_params_new(ctx, "agent", &params));
    CTW_OKAY(ctw_params_set_text(params, "form", "linear"));
    CTW_OKAY(ctw_params_set_i64(params, "features", 2));
    CTW_OKAY(ctw_agent_new(ctx, params, &a));
    CTW_FAILS(ctw_agent_run(a, real, 1, 1, 1, NULL, NULL), CTW_E_SHAPE, "actions");
    ctw_env_unref(real);
    CTW_FAILS(ctw_env_new_real(ctx, 2, 0, 1, reset, step_real, &w, &real), CTW_E_RANGE, "real_dims");
    ck_assert(real == NULL);
    ctw_params_unref(params);
    ctw_agent_unref(a);
    ctw_env_unref(e);
    ctw_policy_unref(p);
    ctw_policy_unref(g);
    ctw_policy_unref(s);
}
END_TEST

/* Rewards that switch between the limits, and absurd step sizes: rolled back, reported, and never a weight that is not
 * finite. */
START_TEST(adversarial)
{
    for (int k = 0; k < 4; k++)
        for (int gaussian = 0; gaussian < 2; gaussian++) {
            const char *const kv[] = {LINE, "optimiser",   "sgd", "alpha",  "10",   "alpha_critic",
                                      "10", "normalise",   "0",   "gamma",  "1",    "kl",
                                      "0",  "value_limit", "1e6", "sd_min", "1e-6", "standardise",
                                      "0",  "entropy",     "1",   NULL};
            ctw_policy *p = make(kv, algos[k], gaussian);
            double x[2] = {1000, -1000}, w[8], u;
            int64_t a, rollbacks, updates;
            uint64_t need;
            ctw_report *r;
            int diverged = 0;
            for (int t = 0; t < 3000; t++) {
                if (gaussian)
                    CTW_OKAY(ctw_policy_act_real(p, x, 2, &u, 1, NULL));
                else
                    CTW_OKAY(ctw_policy_act(p, x, 2, NULL, &a, NULL));
                x[t % 2] = -x[t % 2];
                ctw_status s = ctw_policy_learn(p, t % 3 ? 1e6 : -1e6, x, 2, t % 50 == 49);
                ck_assert(s == CTW_OK || s == CTW_E_NOCONV);
                diverged += s == CTW_E_NOCONV;
                CTW_OKAY(ctw_policy_get_weights(p, w, 8, &need));
                for (uint64_t i = 0; i < need; i++) ck_assert(isfinite(w[i]));
            }
            CTW_OKAY(ctw_policy_get_report(p, &r));
            CTW_OKAY(ctw_report_get_i64(r, "rollbacks", &rollbacks));
            CTW_OKAY(ctw_report_get_i64(r, "updates", &updates));
            ck_assert_msg(diverged > 0 && rollbacks == diverged, "%s: %d times, reported %d", algos[k], diverged,
                          (int)rollbacks);
            ctw_report_unref(r);
            ctw_policy_unref(p);
        }
}
END_TEST

START_TEST(files)
{
    ctw_policy *p = make(line_kv, "ppo", 1), *q;
    const char *path = ctw_test_tmp("policy.ctw");
    double w[6] = {0.1, 0.2, 0, 1, 2, 3}, v[6], x[2] = {1, 1}, mean, sd;
    uint64_t need;
    CTW_FAILS(ctw_policy_set_weights(p, w, 4), CTW_E_SHAPE, "n is 4");
    CTW_OKAY(ctw_policy_get_weights(p, NULL, 0, &need));
    ck_assert_int_eq((int)need, 5);
    CTW_FAILS(ctw_policy_get_weights(p, v, 4, &need), CTW_E_BUFFER, "cap");
    CTW_OKAY(ctw_policy_set_weights(p, w, 5));
    w[2] = 50;
    CTW_FAILS(ctw_policy_set_weights(p, w, 5), CTW_E_RANGE, "log sd");
    CTW_OKAY(ctw_policy_normal(p, x, 2, &mean, &sd, 1));
    ck_assert(fabs(mean - 0.3) < 1e-12 && sd == 1);
    CTW_OKAY(ctw_policy_save_file(p, path));
    CTW_OKAY(ctw_policy_load_file(ctx, path, &q));
    CTW_OKAY(ctw_policy_value(q, x, 2, &mean));
    ck_assert(mean == 3);
    CTW_OKAY(ctw_policy_end_episode(q));
    ctw_policy_unref(p);
    ctw_policy_unref(ctw_policy_ref(q));
    CTW_FAILS(ctw_policy_load_file(ctx, ctw_test_tmp("none.ctw"), &p), CTW_E_IO, NULL);
    ctw_policy_unref(q);
}
END_TEST

START_TEST(maps)
{
    static const char *const kv[] = {"form", "linear", "actions", "3", "batch", "32", "alpha", "5", NULL};
    ctw_policy *p = make(kv, "natural-batch", 0), *q;
    ctw_features *f;
    double lo[2] = {-1, -1}, hi[2] = {1, 1}, x[2] = {0.3, -0.4}, v[3], v2[3];
    uint64_t need;
    ctw_params *params;
    CTW_OKAY(ctw_params_new(ctx, "features", &params));
    CTW_OKAY(ctw_params_set_i64(params, "dims", 2));
    CTW_OKAY(ctw_features_new(ctx, params, &f));
    CTW_OKAY(ctw_features_set_ranges(f, lo, hi, NULL, 2));
    CTW_OKAY(ctw_policy_save_mem(p, one, sizeof one, &need)); /* without features yet */
    CTW_OKAY(ctw_policy_load_mem(ctx, one, need, &q));
    CTW_OKAY(ctw_policy_set_features(q, f));
    ctw_policy_unref(q);
    CTW_OKAY(ctw_policy_set_features(p, f));
    CTW_FAILS(ctw_policy_set_features(p, f), CTW_E_STATE, "already");
    for (int t = 0; t < 100; t++) {
        int64_t a;
        CTW_OKAY(ctw_policy_act(p, x, 2, NULL, &a, NULL));
        CTW_OKAY(ctw_policy_learn(p, (double)a, x, 2, t % 10 == 9));
    }
    CTW_OKAY(ctw_policy_probabilities(p, x, 2, NULL, v, 3));
    ck_assert(v[2] > 0.4 && v[2] > v[0]);
    CTW_OKAY(ctw_policy_save_mem(p, one, sizeof one, &need));
    CTW_OKAY(ctw_policy_load_mem(ctx, one, need, &q));
    CTW_OKAY(ctw_policy_probabilities(q, x, 2, NULL, v2, 3));
    ck_assert(memcmp(v, v2, sizeof v) == 0);
    ctw_params_unref(params);
    ctw_features_unref(f);
    ctw_policy_unref(p);
    ctw_policy_unref(q);
}
END_TEST

/* A task that goes on: state 0 pays 1 for staying, state 1 pays 3 but one must walk there; the mean is 3. */
START_TEST(average_reward)
{
    static const char *const kv[] = {"states", "2",   "gamma",  "1", "average", "0.01",
                                     "batch",  "100", "lambda", "0", NULL};
    for (int k = 0; k < 4; k++) {
        const char *own[16];
        size_t n = 0;
        for (; kv[n]; n++) own[n] = kv[n];
        own[n] = "alpha";
        own[n + 1] = k == 1 ? "0.01" : k == 2 ? "1" : "0.1";
        own[n + 2] = NULL;
        ctw_policy *p = make(own, algos[k], 0);
        ctw_report *r;
        double s = 0, mean, sum = 0;
        for (int t = 0; t < 30000; t++) {
            int64_t a;
            CTW_OKAY(ctw_policy_act(p, &s, 1, NULL, &a, NULL));
            double reward = a ? (s > 0 ? 3 : -1) : s > 0 ? 0 : 1; /* action 1: towards and at state 1 */
            s = a ? 1 : 0;
            if (t >= 29000) sum += reward / 1000;
            CTW_OKAY(ctw_policy_learn(p, reward, &s, 1, 0));
        }
        CTW_OKAY(ctw_policy_get_report(p, &r));
        CTW_OKAY(ctw_report_get_f64(r, "mean_reward", &mean));
        ck_assert_msg(sum > 2.5, "%s earns %g", algos[k], sum);
        if (k < 2) ck_assert_msg(fabs(mean - sum) < 0.5, "%s: mean %g, earned %g", algos[k], mean, sum);
        ctw_report_unref(r);
        ctw_policy_unref(p);
    }
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"statuses", statuses},
                                   {"fit_statuses", fit_statuses},
                                   {"saved_in_the_middle", saved_in_the_middle},
                                   {"run_is_act_and_learn", run_is_act_and_learn},
                                   {"learns", learns},
                                   {"masks", masks},
                                   {"run_statuses", run_statuses},
                                   {"long_adversarial", adversarial},
                                   {"files", files},
                                   {"maps", maps},
                                   {"average_reward", average_reward}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("api-policy", cases, sizeof cases / sizeof *cases, 60);
    ctw_ctx_unref(ctx);
    return code;
}
