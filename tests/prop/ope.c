/* Off-policy estimates against a value known by enumeration: unbiased, doubly robust with less variance, and lower
 * bounds that hold as often as they promise. */
#include "test.h"
#include <cybertwin/ope.h>
#include <math.h>

static ctw_ctx *ctx;
static uint64_t state = 11;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / 16777216.0;
}

/* Two states, two actions, three steps: an action moves to its own state; the reward is in [0, 1]. */
enum { STEPS = 3 };
static const double gamma_ = 0.9, pi[2] = {0.3, 0.7}, behaviour[2] = {0.6, 0.4}; /* the same in both states */

static double reward_mean(int s, int a)
{
    static const double m[2][2] = {{0.2, 0.5}, {0.3, 0.9}};
    return m[s][a];
}

static double v_of(int s, int left);

static double q_of(int s, int a, int left)
{
    return reward_mean(s, a) + (left > 1 ? gamma_ * v_of(a, left - 1) : 0);
}

static double v_of(int s, int left)
{
    return pi[0] * q_of(s, 0, left) + pi[1] * q_of(s, 1, left);
}

static ctw_ope *make(const char *estimator, const char *ratio)
{
    ctw_params *p;
    ctw_ope *o;
    CTW_OKAY(ctw_params_new(ctx, "ope", &p));
    CTW_OKAY(ctw_params_set_text(p, "estimator", estimator));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", gamma_));
    CTW_OKAY(ctw_params_set_i64(p, "horizon", STEPS));
    CTW_OKAY(ctw_params_set_f64(p, "clip", 10));
    if (ratio) CTW_OKAY(ctw_params_set_text(p, "ratio_max", ratio));
    CTW_OKAY(ctw_ope_new(ctx, p, &o));
    ctw_params_unref(p);
    return o;
}

/* wrong: how far the value function is off; 0 is exact. */
static void live(ctw_ope *o, int dr, double wrong)
{
    double r[STEPS], t[STEPS], b[STEPS], q[STEPS], v[STEPS];
    for (int i = 0, s = 0; i < STEPS; i++) {
        int a = draw() < behaviour[1];
        r[i] = draw() < reward_mean(s, a) ? 1 : 0;
        t[i] = pi[a];
        b[i] = behaviour[a];
        q[i] = q_of(s, a, STEPS - i) * (1 - wrong);
        v[i] = v_of(s, STEPS - i) * (1 - wrong);
        s = a;
    }
    CTW_OKAY(ctw_ope_add(o, r, t, b, dr ? q : NULL, dr ? v : NULL, STEPS));
}

START_TEST(unbiased_and_bounded)
{
    static const char *const names[] = {"is", "pdis", "wis", "dr", "dr", "dr"};
    static const double wrong[] = {0, 0, 0, 0, 0.5, 0.5};
    double truth = v_of(0, STEPS), spread[6];
    for (int k = 0; k < 6; k++) {
        enum { TRIALS = 400, LIVES = 150 };
        double sum = 0, square = 0;
        int missed = 0;
        for (int i = 0; i < TRIALS; i++) {
            double mean, lower;
            ctw_ope *o = make(names[k], k == 5 ? "5.36" : NULL); /* (.7 / .4)^3 = 5.359 */
            for (int e = 0; e < LIVES; e++) live(o, k >= 3, wrong[k]);
            CTW_OKAY(ctw_ope_bound(o, 0.1, &mean, &lower));
            ck_assert(lower < mean);
            sum += mean;
            square += mean * mean;
            missed += lower > truth;
            ctw_ope_unref(o);
        }
        sum /= TRIALS;
        spread[k] = sqrt(square / TRIALS - sum * sum);
        ck_assert_msg(fabs(sum - truth) < 5 * spread[k] / sqrt(TRIALS) + (k == 2 ? 0.02 : 0), "%s: %g, is %g", names[k],
                      sum, truth);
        /* 40 of 400 are promised: 25 more are four standard deviations; the Bernstein bounds hardly ever miss */
        ck_assert_msg(missed <= (k < 2 || k == 5 ? 4 : 65), "%s missed %d of 400", names[k], missed);
    }
    ck_assert_msg(spread[1] < spread[0], "per decision %g, whole %g", spread[1], spread[0]);
    ck_assert_msg(spread[3] < spread[1] && spread[4] < spread[1] && spread[3] < spread[4], "dr %g and %g, pdis %g",
                  spread[3], spread[4], spread[1]);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"unbiased_and_bounded", unbiased_and_bounded}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("prop-ope", cases, 1, 60);
    ctw_ctx_unref(ctx);
    return code;
}
