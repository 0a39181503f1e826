/* agent_policy.c: `ctw-bench agent --task policy --world W --algo A`: policies learnt directly, on CartPole and on the
 * swing-up of Gym's Pendulum-v1 with its real torque, beside the policy before anything was learnt. */
#include "agent_worlds.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
    const char *world, *algo;
    const char *kv[40];
} setting;

#define COMMON "form", "linear", "gamma", "0.99"
#define SWING  COMMON, "policy", "gaussian", "real_dims", "1", "sd_min", "0.1"

/* Chosen on seeds 0..9; --set overrides any of them. */
static const setting settings[] = {
    {"cartpole", "actor-critic", {COMMON, "alpha", "0.1", "alpha_critic", "0.3", "lambda", "0.8"}},
    {"cartpole", "natural", {COMMON, "alpha", "0.01", "alpha_critic", "0.1"}},
    {"cartpole",
     "natural-batch",
     {COMMON, "alpha", "10", "alpha_critic", "1", "lambda", "0.95", "batch", "1024", "kl", "0.05"}},
    {"cartpole",
     "ppo",
     {COMMON, "alpha", "0.03", "alpha_critic", "0.3", "lambda", "0.95", "batch", "512", "epochs", "10"}},
    {"swingup", "actor-critic", {SWING, "alpha", "0.001", "alpha_critic", "0.2", "lambda", "0.9"}},
    {"swingup", "natural", {SWING, "alpha", "0.0005", "alpha_critic", "0.1"}},
    {"swingup",
     "natural-batch",
     {SWING, "alpha", "10", "alpha_critic", "0.5", "lambda", "0.95", "batch", "2048", "kl", "0.02"}},
    {"swingup",
     "ppo",
     {SWING, "alpha", "0.02", "alpha_critic", "0.5", "lambda", "0.95", "batch", "2048", "epochs", "10"}},
};

static ctw_policy *new_policy(bench *b, const setting *g, int64_t seed)
{
    static const double pole_lo[] = {-2.4, -3, -0.21, -3}, pole_hi[] = {2.4, 3, 0.21, 3};
    static const double swing_lo[] = {-3.14159265358979323846, -8}, swing_hi[] = {3.14159265358979323846, 8};
    static const int64_t pole_bins[] = {4, 5, 8, 8}, swing_bins[] = {10, 10};
    ctw_params *params;
    ctw_policy *p;
    ctw_ctx *ctx;
    bench_ok(ctw_ctx_new(NULL, NULL, &ctx), "context");
    bench_ok(ctw_ctx_set_seed(ctx, (uint64_t)seed), "seed");
    bench_ok(ctw_params_new(ctx, "policy", &params), "policy options");
    bench_ok(ctw_params_set_text(params, "algo", g->algo), g->algo);
    for (const char *const *kv = g->kv; *kv; kv += 2) bench_ok(ctw_params_set_text(params, kv[0], kv[1]), kv[0]);
    bench_params(b, params);
    bench_ok(ctw_policy_new(ctx, params, &p), "policy");
    ctw_params_unref(params);
    ctw_ctx_unref(ctx);
    int pole = strcmp(g->world, "cartpole") == 0;
    ctw_features *f = pole ? agent_features(b, NULL, pole_lo, pole_hi, pole_bins, 4)
                           : agent_features(b, NULL, swing_lo, swing_hi, swing_bins, 2);
    bench_ok(ctw_policy_set_features(p, f), "set_features");
    ctw_features_unref(f);
    return p;
}

static ctw_report *run(ctw_policy *p, ctw_env *env, int64_t episodes, int64_t max_steps, int learn, double *cpu_s)
{
    ctw_report *r;
    double t = bench_cpu_s();
    bench_ok(ctw_policy_run(p, env, episodes, max_steps, learn, NULL, &r), "run");
    *cpu_s += bench_cpu_s() - t;
    return r;
}

static double greedy(ctw_policy *p, ctw_env *env, int64_t max_steps)
{
    double idle = 0.0;
    ctw_report *r = run(p, env, 20, max_steps, 0, &idle);
    double mean = agent_series_mean(r, "return", 0, INT64_MAX);
    ctw_report_unref(r);
    return mean;
}

/* First episode that ends a window of 100 with a mean return of at least `goal`; NaN when there is none. */
static double solved(ctw_report *r, double goal)
{
    const double *v;
    uint64_t n;
    double s = 0.0;
    bench_ok(ctw_report_series(r, "return", &v, &n), "return");
    for (uint64_t i = 0; i < n; i++) {
        s += v[i] - (i >= 100 ? v[i - 100] : 0.0);
        if (i >= 99 && s >= 100.0 * goal) return (double)(i + 1);
    }
    return NAN;
}

int agent_policy(agent_job *j)
{
    const char *world_name = bench_str(j->b, "--world", "cartpole");
    int pole = strcmp(world_name, "cartpole") == 0;
    int64_t lanes = bench_i64(j->b, "--lanes", 1), episodes = j->episodes ? j->episodes : pole ? 600 : 1500;
    int64_t max_steps = pole ? 500 : 200;
    const setting *g = NULL;
    for (size_t i = 0; !g && i < sizeof settings / sizeof *settings; i++)
        if (strcmp(settings[i].world, world_name) == 0 && (!*j->algo || strcmp(settings[i].algo, j->algo) == 0))
            g = &settings[i];
    if (!g) bench_die(2, "no algorithm \"%s\" for world \"%s\"", j->algo, world_name);
    bench_no_more(j->b);
    agent_rows rows;
    agent_rows_open(&rows, j->b, "policy", g->algo, world_name, j->first, j->last);
    for (int64_t seed = j->first; seed <= j->last; seed++) {
        world w = {.t = {0}};
        double cpu = 0.0;
        int64_t steps;
        ctw_policy *p = new_policy(j->b, g, seed);
        ctw_env *env = world_env(j->b->ctx, world_name, (uint64_t)lanes, &w);
        bench_rng_seed(&w.rng, (uint64_t)seed, 1);
        agent_rows_put(&rows, seed, "untrained_return", greedy(p, env, max_steps));
        ctw_report *r = run(p, env, episodes, max_steps, 1, &cpu);
        bench_ok(ctw_report_get_i64(r, "total_steps", &steps), "total_steps");
        agent_rows_put(&rows, seed, "first50", agent_series_mean(r, "return", 0, 50));
        agent_rows_put(&rows, seed, "last100", agent_series_mean(r, "return", episodes - 100, episodes));
        agent_rows_put(&rows, seed, "solved_episode", solved(r, pole ? 475.0 : -300.0));
        agent_rows_put(&rows, seed, "greedy_return", greedy(p, env, max_steps));
        agent_rows_put(&rows, seed, "steps_per_s", (double)steps / cpu);
        ctw_report_unref(r);
        ctw_env_unref(env);
        ctw_policy_unref(p);
    }
    agent_rows_print(&rows);
    return 0;
}
