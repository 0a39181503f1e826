/* ctw_agent_run: environments as callbacks, lanes, masks, cuts, failures, and that the compiled shapes of the loop do
 * exactly what act and learn do. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <string.h>

static ctw_ctx *ctx;

/* A drifting point in two dimensions; actions push it; ends beyond the border. One dimension for tables. */
typedef struct place {
    double x[8][2];
    uint64_t noise[8];
    int dims, fail_at, bad_at, steps, reset_fails, masks;
    int wild; /* rewards at the limits */
} place;

static double noise(place *p, uint64_t lane)
{
    p->noise[lane] = p->noise[lane] * 6364136223846793005u + 1442695040888963407u;
    return (double)(p->noise[lane] >> 40) / 16777216.0 - 0.5;
}

static void show(const place *p, uint64_t lane, double *obs)
{
    if (p->dims == 2)
        memcpy(obs, p->x[lane], 2 * sizeof *obs);
    else
        obs[0] = floor((p->x[lane][0] + 1) * 4.999);
}

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    place *p = user;
    p->x[lane][0] = 0.5 * noise(p, lane);
    p->x[lane][1] = 0.5 * noise(p, lane);
    show(p, lane, obs);
    return p->reset_fails ? CTW_ENV_FAILED : CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    place *p = user;
    p->steps++;
    for (uint64_t i = 0; i < lanes; i++) {
        double *x = p->x[i];
        x[0] += 0.2 * (double)(action[i] - 1) + 0.1 * noise(p, i);
        x[1] += 0.2 * noise(p, i);
        int out = fabs(x[0]) >= 1 || fabs(x[1]) >= 1;
        x[0] = fmax(-1, fmin(0.999, x[0]));
        show(p, i, obs + (size_t)p->dims * i);
        reward[i] = p->steps == p->bad_at ? NAN : p->wild ? (x[0] > 0 ? 1e8 : -1e8) : 1 - fabs(x[0]);
        state[i] = out ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return p->steps == p->fail_at ? CTW_ENV_FAILED : 0;
}

static void only_middle(void *user, uint64_t lane, uint8_t *allowed)
{
    place *p = user;
    (void)lane;
    p->masks++;
    memset(allowed, 0, 3);
    allowed[1] = 1;
}

static ctw_agent *make(const char *algo, const char *lambda, const char *steps, int tiles, int64_t actions,
                       const char *tilings)
{
    ctw_params *p;
    ctw_agent *a;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_text(p, "algo", algo));
    CTW_OKAY(ctw_params_set_text(p, "lambda", lambda));
    CTW_OKAY(ctw_params_set_text(p, "steps", steps));
    CTW_OKAY(ctw_params_set_i64(p, "actions", actions));
    CTW_OKAY(ctw_params_set_text(p, "form", tiles ? "linear" : "tabular"));
    CTW_OKAY(ctw_params_set_i64(p, "states", tiles ? 1 : 10));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_params_unref(p);
    if (!tiles) return a;
    const double lo[2] = {-1, -1}, hi[2] = {1, 1};
    ctw_features *f;
    CTW_OKAY(ctw_params_new(ctx, "features", &p));
    CTW_OKAY(ctw_params_set_i64(p, "dims", 2));
    CTW_OKAY(ctw_params_set_text(p, "tilings", tilings));
    CTW_OKAY(ctw_features_new(ctx, p, &f));
    CTW_OKAY(ctw_features_set_ranges(f, lo, hi, NULL, 2));
    CTW_OKAY(ctw_agent_set_features(a, f));
    ctw_features_unref(f);
    ctw_params_unref(p);
    return a;
}

static ctw_env *world(place *p, uint64_t lanes, int64_t actions, int masked)
{
    ctw_env *e;
    for (uint64_t i = 0; i < 8; i++) p->noise[i] = i + 1;
    CTW_OKAY(
        ctw_env_new(ctx, (uint64_t)p->dims, (uint64_t)actions, lanes, reset, step, masked ? only_middle : NULL, p, &e));
    return e;
}

/* The same episodes through act and learn. */
static void by_hand(ctw_agent *a, place *p, int episodes, int max_steps)
{
    for (int e = 0; e < episodes; e++) {
        double x[2], r;
        int64_t act;
        int32_t state = CTW_ENV_RUNNING;
        uint64_t n = (uint64_t)p->dims;
        reset(p, 0, x);
        for (int t = 1; state == CTW_ENV_RUNNING; t++) {
            CTW_OKAY(ctw_agent_act(a, x, n, NULL, &act));
            step(p, 1, &act, x, &r, &state);
            ctw_status s = ctw_agent_learn(a, r, x, n, NULL, state == CTW_ENV_TERMINAL);
            ck_assert(s == CTW_OK || (p->wild && s == CTW_E_NOCONV));
            if (t == max_steps && state == CTW_ENV_RUNNING) {
                s = ctw_agent_end_episode(a);
                ck_assert(s == CTW_OK || (p->wild && s == CTW_E_NOCONV));
                break;
            }
        }
    }
}

START_TEST(the_loop_is_act_and_learn)
{
    static const char *const algos[][3] = {
        {"q", "0", "1"},          {"q", "0.7", "1"},           {"sarsa", "0", "1"},
        {"sarsa", "0.9", "1"},    {"true-online", "0.9", "1"}, {"expected-sarsa", "0", "1"},
        {"double-q", "0", "1"},   {"sarsa", "0", "4"},         {"expected-sarsa", "0", "3"},
        {"tree-backup", "0", "3"}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int shape = 0; shape < 6; shape++)
        for (size_t i = 0; i < 10; i++) {
            int tiles = shape >= 2;
            int64_t actions = shape == 0 || shape == 3 ? 4 : shape == 2 ? 2 : shape == 5 ? 7 : 3;
            ctw_agent *a = make(algos[i][0], algos[i][1], algos[i][2], tiles, actions, shape == 4 ? "5" : "8");
            ctw_agent *b = make(algos[i][0], algos[i][1], algos[i][2], tiles, actions, shape == 4 ? "5" : "8");
            place p = {.dims = tiles ? 2 : 1}, q = p;
            ctw_env *e = world(&p, 1, actions, 0), *other = world(&q, 1, actions, 0);
            static double w[16384], v[16384];
            uint64_t n, m;
            CTW_OKAY(ctw_agent_run(a, e, 60, 25, 1, NULL, NULL));
            by_hand(b, &q, 60, 25);
            CTW_OKAY(ctw_agent_get_weights(a, w, 16384, &n));
            CTW_OKAY(ctw_agent_get_weights(b, v, 16384, &m));
            ck_assert_msg(n == m && memcmp(w, v, n * sizeof *w) == 0, "shape %d algo %s %s", shape, algos[i][0],
                          algos[i][1]);
            ctw_env_unref(e);
            ctw_env_unref(other);
            ctw_agent_unref(a);
            ctw_agent_unref(b);
        }
    ctw_ctx_unref(ctx);
}
END_TEST

static int64_t count(const ctw_agent *a, const char *key)
{
    ctw_report *r;
    int64_t n;
    CTW_OKAY(ctw_agent_get_report(a, &r));
    CTW_OKAY(ctw_report_get_i64(r, key, &n));
    ctw_report_unref(r);
    return n;
}

/* Adversarial rewards: the loop's rollbacks are those of act and learn too, and every weight stays finite; several
 * lanes as well. */
START_TEST(divergence_in_the_loop)
{
    static const char *const algos[][3] = {
        {"q", "0", "1"},     {"sarsa", "0", "1"},       {"expected-sarsa", "0", "1"}, {"sarsa", "0.9", "1"},
        {"sarsa", "0", "4"}, {"tree-backup", "0", "3"}, {"true-online", "0.9", "1"}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int tiles = 0; tiles < 2; tiles++)
        for (size_t i = 0; i < 7; i++) {
            ctw_agent *a = make(algos[i][0], algos[i][1], algos[i][2], tiles, 3, "8");
            ctw_agent *b = make(algos[i][0], algos[i][1], algos[i][2], tiles, 3, "8");
            place p = {.dims = tiles ? 2 : 1, .wild = 1}, q = p, s = p;
            ctw_env *e = world(&p, 1, 3, 0), *other = world(&q, 1, 3, 0), *eight = world(&s, 8, 3, 0);
            static double w[16384], v[16384];
            uint64_t n, m;
            CTW_OKAY(ctw_agent_run(a, e, 60, 25, 1, NULL, NULL));
            by_hand(b, &q, 60, 25);
            CTW_OKAY(ctw_agent_get_weights(a, w, 16384, &n));
            CTW_OKAY(ctw_agent_get_weights(b, v, 16384, &m));
            ck_assert_msg(n == m && memcmp(w, v, n * sizeof *w) == 0, "tiles %d algo %s", tiles, algos[i][0]);
            ck_assert(count(a, "steps") == count(b, "steps"));
            ck_assert_msg(count(a, "rollbacks") == count(b, "rollbacks") && count(a, "rollbacks") > 0, "%s: %d and %d",
                          algos[i][0], (int)count(a, "rollbacks"), (int)count(b, "rollbacks"));
            if (i != 3 && i != 6) CTW_OKAY(ctw_agent_run(a, eight, 60, 25, 1, NULL, NULL));
            CTW_OKAY(ctw_agent_get_weights(a, w, 16384, &n));
            for (uint64_t k = 0; k < n; k++) ck_assert(isfinite(w[k]));
            ctw_env_unref(e);
            ctw_env_unref(other);
            ctw_env_unref(eight);
            ctw_agent_unref(a);
            ctw_agent_unref(b);
        }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(lanes_masks_and_reports)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_agent *a = make("q", "0", "1", 1, 3, "8"), *t = make("sarsa", "0.5", "1", 1, 3, "8");
    place p = {.dims = 2};
    ctw_env *e = world(&p, 8, 3, 0), *m = world(&p, 1, 3, 1);
    ctw_report *r;
    const double *ret, *steps;
    uint64_t n, k;
    int64_t total;
    double sum = 0;
    CTW_OKAY(ctw_agent_run(a, e, 50, 40, 1, NULL, &r));
    CTW_OKAY(ctw_report_series(r, "return", &ret, &n));
    CTW_OKAY(ctw_report_series(r, "steps", &steps, &k));
    CTW_OKAY(ctw_report_get_i64(r, "total_steps", &total));
    ck_assert(n == 50 && k == 50);
    for (int i = 0; i < 50; i++) {
        ck_assert(steps[i] >= 1 && steps[i] <= 40 && ret[i] <= steps[i]);
        sum += steps[i];
    }
    ck_assert(sum <= (double)total && total % 8 == 0);
    ctw_report_unref(r);
    CTW_FAILS(ctw_agent_run(t, e, 5, 0, 1, NULL, NULL), CTW_E_ARG, "lanes");
    CTW_OKAY(ctw_agent_run(a, m, 5, 10, 1, NULL, NULL));
    CTW_OKAY(ctw_agent_run(a, m, 5, 10, 0, NULL, NULL));
    ck_assert(p.masks > 10);
    ctw_cancel *stop;
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    ctw_cancel_request(stop);
    CTW_OKAY(ctw_agent_run(a, e, 50, 40, 1, stop, &r));
    CTW_OKAY(ctw_report_get_i64(r, "episodes", &total));
    ck_assert(total == 0);
    ctw_report_unref(r);
    ctw_cancel_unref(stop);
    ctw_env_unref(ctw_env_ref(e));
    ctw_env_unref(e);
    ctw_env_unref(m);
    ctw_env_unref(NULL);
    ck_assert_ptr_null(ctw_env_ref(NULL));
    ctw_agent_unref(a);
    ctw_agent_unref(t);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(worlds_that_fail)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_agent *a = make("q", "0", "1", 1, 3, "8");
    place p = {.dims = 2, .fail_at = 3};
    ctw_env *e = world(&p, 1, 3, 0), *odd = NULL;
    CTW_FAILS(ctw_agent_run(a, e, 5, 0, 1, NULL, NULL), CTW_E_BACKEND, "step");
    p.fail_at = 0;
    p.bad_at = p.steps + 2;
    CTW_FAILS(ctw_agent_run(a, e, 5, 0, 1, NULL, NULL), CTW_E_NONFINITE, "reward");
    p.reset_fails = 1;
    CTW_FAILS(ctw_agent_run(a, e, 5, 0, 1, NULL, NULL), CTW_E_BACKEND, "reset");
    p.reset_fails = 0;
    CTW_FAILS(ctw_agent_run(a, e, 0, 0, 1, NULL, NULL), CTW_E_RANGE, "episodes");
    CTW_FAILS(ctw_agent_run(a, e, 1, -1, 1, NULL, NULL), CTW_E_RANGE, "max_steps");
    CTW_FAILS(ctw_agent_run(a, NULL, 1, 0, 1, NULL, NULL), CTW_E_ARG, "env");
    CTW_FAILS(ctw_agent_run(NULL, e, 1, 0, 1, NULL, NULL), CTW_E_ARG, "a");
    CTW_FAILS(ctw_env_new(ctx, 2, 3, 1, NULL, step, NULL, &p, &odd), CTW_E_ARG, "reset");
    CTW_FAILS(ctw_env_new(ctx, 0, 3, 1, reset, step, NULL, &p, &odd), CTW_E_RANGE, "dims");
    CTW_FAILS(ctw_env_new(ctx, 2, 300, 1, reset, step, NULL, &p, &odd), CTW_E_RANGE, "actions");
    CTW_FAILS(ctw_env_new(ctx, 2, 3, 0, reset, step, NULL, &p, &odd), CTW_E_RANGE, "lanes");
    CTW_OKAY(ctw_env_new(ctx, 2, 4, 1, reset, step, NULL, &p, &odd));
    CTW_FAILS(ctw_agent_run(a, odd, 1, 0, 1, NULL, NULL), CTW_E_SHAPE, "actions");
    ctw_env_unref(odd);
    ctw_env_unref(e);
    ctw_agent_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"the_loop_is_act_and_learn", the_loop_is_act_and_learn},
                                   {"divergence_in_the_loop", divergence_in_the_loop},
                                   {"lanes_masks_and_reports", lanes_masks_and_reports},
                                   {"worlds_that_fail", worlds_that_fail}};
    return ctw_test_main("api-agent-run", cases, sizeof cases / sizeof *cases, 60);
}
