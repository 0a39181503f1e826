/* A saved agent continues with the same bits, from the middle of an episode too; damaged files are refused. */
#include "test.h"
#include <cybertwin/agent.h>
#include <stdlib.h>
#include <string.h>

static ctw_ctx *ctx;

/* form 0: table; 1: tiles; 2: dense. */
static ctw_agent *make(const char *algo, const char *lambda, const char *steps, int form)
{
    ctw_params *p;
    ctw_agent *a;
    CTW_OKAY(ctw_params_new(ctx, "agent", &p));
    CTW_OKAY(ctw_params_set_text(p, "algo", algo));
    CTW_OKAY(ctw_params_set_text(p, "lambda", lambda));
    CTW_OKAY(ctw_params_set_text(p, "steps", steps));
    CTW_OKAY(ctw_params_set_text(p, "actions", "3"));
    CTW_OKAY(ctw_params_set_text(p, "form", form ? "linear" : "tabular"));
    CTW_OKAY(ctw_params_set_text(p, "states", form ? "1" : "11"));
    CTW_OKAY(ctw_params_set_text(p, "features", form == 2 ? "2" : "0"));
    CTW_OKAY(ctw_params_set_text(p, "epsilon_decay", "0.99"));
    CTW_OKAY(ctw_agent_new(ctx, p, &a));
    ctw_params_unref(p);
    if (form == 1) {
        const double lo[2] = {0, -1}, hi[2] = {11, 1};
        const int64_t bins[2] = {4, 2};
        ctw_features *f;
        CTW_OKAY(ctw_params_new(ctx, "features", &p));
        CTW_OKAY(ctw_params_set_i64(p, "dims", 2));
        CTW_OKAY(ctw_features_new(ctx, p, &f));
        CTW_OKAY(ctw_features_set_ranges(f, lo, hi, bins, 2));
        CTW_OKAY(ctw_agent_set_features(a, f));
        CTW_FAILS(ctw_agent_set_features(a, f), CTW_E_STATE, "already");
        ctw_features_unref(f);
        ctw_params_unref(p);
    }
    return a;
}

/* A deterministic world; carries its own state so that two agents can be driven alike. */
static void drive(ctw_agent *a, double *s, int steps, int form)
{
    for (int i = 0; i < steps; i++) {
        double x[2] = {*s, *s / 20 - 0.25};
        uint64_t n = form ? 2 : 1;
        int64_t act;
        CTW_OKAY(ctw_agent_act(a, x, n, NULL, &act));
        *s = (double)(((int)*s * 3 + (int)act + 1) % 11);
        x[0] = *s;
        x[1] = *s / 20 - 0.25;
        CTW_OKAY(ctw_agent_learn(a, *s - 5, x, n, NULL, *s == 7));
    }
}

static unsigned char *bytes(const ctw_agent *a, uint64_t *n)
{
    CTW_OKAY(ctw_agent_save_mem(a, NULL, 0, n));
    unsigned char *b = malloc(*n);
    CTW_FAILS(ctw_agent_save_mem(a, b, *n - 1, n), CTW_E_BUFFER, NULL);
    CTW_OKAY(ctw_agent_save_mem(a, b, *n, n));
    return b;
}

static void same(const ctw_agent *a, const ctw_agent *b)
{
    uint64_t n, m;
    unsigned char *x = bytes(a, &n), *y = bytes(b, &m);
    ck_assert(n == m && memcmp(x, y, n) == 0);
    free(x);
    free(y);
}

START_TEST(continues_identically)
{
    static const char *const algos[][3] = {{"q", "0", "1"},        {"sarsa", "0.9", "1"},
                                           {"double-q", "0", "1"}, {"true-online", "0.9", "1"},
                                           {"sarsa", "0", "5"},    {"tree-backup", "0", "3"}};
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    for (int form = 0; form < 3; form++)
        for (size_t i = 0; i < 6; i++)
            for (int open = 0; open < 2; open++) {
                ctw_agent *a = make(algos[i][0], algos[i][1], algos[i][2], form), *b;
                double s = 0, t, x[2];
                int64_t act;
                drive(a, &s, 137, form);
                x[0] = s;
                x[1] = s / 20 - 0.25;
                if (open) CTW_OKAY(ctw_agent_act(a, x, form ? 2 : 1, NULL, &act));
                t = s;
                const char *path = ctw_test_tmp("agent.ctw");
                CTW_OKAY(ctw_agent_save_file(a, path));
                CTW_OKAY(ctw_agent_load_file(ctx, path, &b));
                same(a, b);
                if (open) {
                    CTW_OKAY(ctw_agent_learn(a, 1, x, form ? 2 : 1, NULL, 0));
                    CTW_OKAY(ctw_agent_learn(b, 1, x, form ? 2 : 1, NULL, 0));
                }
                drive(a, &s, 500, form);
                drive(b, &t, 500, form);
                ck_assert(s == t);
                same(a, b);
                ctw_agent_unref(a);
                ctw_agent_unref(b);
            }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(damage_is_refused)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_agent *a = make("sarsa", "0.9", "1", 1), *b;
    double s = 0;
    uint64_t n;
    drive(a, &s, 40, 1);
    unsigned char *x = bytes(a, &n);
    for (uint64_t i = 0; i < n; i += 1 + n / 400) {
        x[i] ^= 0x20;
        ck_assert(ctw_agent_load_mem(ctx, x, n, &b) != CTW_OK);
        ck_assert_ptr_null(b);
        x[i] ^= 0x20;
        ck_assert(ctw_agent_load_mem(ctx, x, i, &b) != CTW_OK);
    }
    CTW_FAILS(ctw_agent_load_mem(ctx, NULL, 5, &b), CTW_E_ARG, "buf");
    CTW_FAILS(ctw_agent_load_mem(ctx, x, n, NULL), CTW_E_ARG, "out");
    CTW_FAILS(ctw_agent_load_file(ctx, "/nonexistent/x", &b), CTW_E_IO, NULL);
    CTW_FAILS(ctw_agent_save_file(a, NULL), CTW_E_ARG, "path");
    CTW_FAILS(ctw_agent_save_mem(a, x, n, NULL), CTW_E_ARG, "need");
    free(x);
    ctw_agent_unref(a);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"continues_identically", continues_identically},
                                   {"damage_is_refused", damage_is_refused}};
    return ctw_test_main("api-agent-file", cases, sizeof cases / sizeof *cases, 60);
}
