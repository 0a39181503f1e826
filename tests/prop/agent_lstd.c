/* LSTD(lambda) over a table of pairs against what it must be by definition: lambda 0 solves the Bellman equations of
 * the counted transitions (here by sweeps until they stand still), lambda 1 is the mean of the returns that followed
 * each pair. And the ridge's pull, and refusals. */
#include "test.h"
#include <cybertwin/agent.h>
#include <math.h>
#include <string.h>

enum { S = 6, A = 2, PAIRS = S * A, ROWS = 4000 };
static const double gamma_ = 0.9;

static ctw_ctx *ctx;
static double phi[ROWS], next[ROWS], reward[ROWS];
static int64_t act[ROWS], then[ROWS];
static uint8_t end[ROWS];
static uint64_t state = 7;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / 16777216.0;
}

/* Episodes under random actions; cut: some end for a reason that is not the world's. */
static void live(int cut)
{
    int s = 0, a = draw() < 0.5;
    for (int i = 0; i < ROWS; i++) {
        int to = (int)(S * draw()), b = draw() < 0.5;
        if (a == 0) to = (s + 1) % S;
        phi[i] = s;
        act[i] = a;
        reward[i] = draw() - 0.3 * s + a;
        next[i] = to;
        then[i] = b;
        end[i] = (uint8_t)(draw() < 0.1 || i == ROWS - 1 ? 1 : cut && draw() < 0.05 ? 2 : 0);
        s = end[i] ? (int)(S * draw()) : to;
        a = end[i] ? draw() < 0.5 : b;
    }
}

static ctw_agent *table(const char *algo, double initial)
{
    ctw_params *p;
    ctw_agent *a;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_i64(p, "states", S));
    CTW_OKAY(ctw_params_set_i64(p, "actions", A));
    CTW_OKAY(ctw_params_set_text(p, "algo", algo));
    CTW_OKAY(ctw_params_set_f64(p, "gamma", gamma_));
    CTW_OKAY(ctw_params_set_f64(p, "initial", initial));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_params_unref(p);
    return a;
}

static ctw_status fit(ctw_agent *a, double lambda, double ridge)
{
    return ctw_agent_fit_lstd(a, phi, act, reward, next, then, end, ROWS, 1, 1, lambda, ridge, NULL);
}

static void same(const ctw_agent *a, const double *want, double tol)
{
    for (int s = 0; s < S; s++) {
        double x = s, q[A];
        CTW_OKAY(ctw_agent_value(a, &x, 1, q, A));
        for (int k = 0; k < A; k++)
            ck_assert_msg(fabs(q[k] - want[s * A + k]) < tol, "q(%d, %d) is %.12g, must be %.12g", s, k, q[k],
                          want[s * A + k]);
    }
}

START_TEST(bellman)
{
    live(1);
    double q[PAIRS] = {0};
    for (int sweep = 0; sweep < 600; sweep++) {
        double sum[PAIRS] = {0}, n[PAIRS] = {0};
        for (int i = 0; i < ROWS; i++) {
            int at = (int)phi[i] * A + (int)act[i];
            sum[at] += reward[i] + (end[i] == 1 ? 0 : gamma_ * q[(int)next[i] * A + (int)then[i]]);
            n[at]++;
        }
        for (int k = 0; k < PAIRS; k++) q[k] = sum[k] / n[k];
    }
    for (int k = 0; k < 2; k++) { /* the initial value must not matter */
        ctw_agent *a = table("sarsa", k ? -3 : 0);
        CTW_OKAY(fit(a, 0, 0));
        same(a, q, 1e-9);
        ctw_agent_unref(a);
    }
}
END_TEST

START_TEST(returns)
{
    live(0);
    double sum[PAIRS] = {0}, n[PAIRS] = {0}, g = 0;
    for (int i = ROWS - 1; i >= 0; i--) {
        int at = (int)phi[i] * A + (int)act[i];
        g = reward[i] + (end[i] ? 0 : gamma_ * g);
        sum[at] += g;
        n[at]++;
    }
    for (int k = 0; k < PAIRS; k++) sum[k] /= n[k];
    ctw_agent *a = table("q", 0);
    CTW_OKAY(fit(a, 1, 0));
    same(a, sum, 1e-9);
    ctw_agent_unref(a);
}
END_TEST

START_TEST(prior)
{
    double w[PAIRS], q[PAIRS];
    ctw_agent *a = table("sarsa", 0);
    live(1);
    for (int i = 0; i < PAIRS; i++) w[i] = i; /* by action, then state */
    for (int s = 0; s < S; s++)
        for (int k = 0; k < A; k++) q[s * A + k] = w[k * S + s];
    CTW_OKAY(ctw_agent_set_weights(a, w, PAIRS));
    CTW_OKAY(fit(a, 0.5, 1e9));
    same(a, q, 1e-3);
    ctw_agent_unref(a);
}
END_TEST

START_TEST(refusals)
{
    ctw_agent *a = table("sarsa", 0), *d = table("double-q", 0);
    live(1);
    CTW_FAILS(fit(d, 0, 0), CTW_E_ARG, "double-q");
    CTW_FAILS(fit(a, 1.5, 0), CTW_E_RANGE, "lambda");
    CTW_FAILS(fit(a, 0, -1), CTW_E_RANGE, "ridge");
    end[3] = 3;
    CTW_FAILS(fit(a, 0, 0), CTW_E_RANGE, "end");
    end[3] = 0;
    then[3] = A;
    CTW_FAILS(fit(a, 0, 0), CTW_E_RANGE, "action_next");
    then[3] = 0;
    CTW_FAILS(ctw_agent_fit_lstd(a, phi, act, reward, next, then, end, 1, 1, 1, 0, 0, NULL), CTW_E_SINGULAR, "");
    ctw_agent_unref(a);
    ctw_agent_unref(d);
}
END_TEST

/* A solve of many unknowns is given up in its middle: summing three rows takes no time, the 2048 unknowns do. */
START_TEST(large_solve_stops)
{
    static const int64_t a3[3] = {0, 1, 0};
    static const double x3[3] = {0, 1, 2};
    static const uint8_t e3[3] = {1, 1, 1};
    ctw_params *p;
    ctw_agent *a;
    ctw_cancel *stop;
    static double w[2048];
    uint64_t need;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_text(p, "form", "linear"));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_features *f;
    ctw_params *fp;
    const double lo = 0, hi = 4;
    const int64_t bins = 1023;
    CTW_OKAY(ctw_params_new(ctx, "features", &fp));
    CTW_OKAY(ctw_params_set_text(fp, "form", "rbf"));
    CTW_OKAY(ctw_features_new(ctx, fp, &f));
    CTW_OKAY(ctw_features_set_ranges(f, &lo, &hi, &bins, 1));
    CTW_OKAY(ctw_agent_set_features(a, f));
    CTW_OKAY(ctw_cancel_new(ctx, &stop));
    CTW_OKAY(ctw_cancel_set_deadline(stop, 0.03));
    CTW_FAILS(ctw_agent_fit_lstd(a, x3, a3, x3, x3, a3, e3, 3, 1, 1, 0, 1, stop), CTW_E_DEADLINE, "fit_lstd");
    ctw_cancel_reset(stop);
    CTW_OKAY(ctw_cancel_set_deadline(stop, 0.03));
    CTW_FAILS(ctw_agent_fit_lspi(a, x3, a3, x3, x3, e3, 3, 1, 1, 1, 0, 5, stop, NULL), CTW_E_DEADLINE, "fit_lspi");
    CTW_OKAY(ctw_agent_get_weights(a, w, 2048, &need));
    for (int i = 0; i < 2048; i++) ck_assert(w[i] == 0);
    ctw_cancel_unref(stop);
    ctw_features_unref(f);
    ctw_agent_unref(a);
    ctw_params_unref(fp);
    ctw_params_unref(p);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"bellman", bellman},
                                   {"returns", returns},
                                   {"prior", prior},
                                   {"refusals", refusals},
                                   {"large_solve_stops", large_solve_stops}};
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    int code = ctw_test_main("prop-agent-lstd", cases, sizeof cases / sizeof *cases, 60);
    ctw_ctx_unref(ctx);
    return code;
}
