/* agent_classic.c: classic control through the public API: learning curves, quality and steps per second. */
#include "agent_worlds.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct algo {
    const char *task, *name;
    const char *kv[40];
} algo;

#define TILES "form", "linear", "gamma", "1"

/* The settings of each named algorithm; --set overrides any of them. */
static const algo algos[] = {
    {"mountaincar", "sarsa0", {TILES, "actions", "3", "algo", "sarsa", "alpha", "0.5", "epsilon", "0"}},
    {"mountaincar", "sarsa", {TILES, "actions", "3", "algo", "sarsa", "lambda", "0.9", "alpha", "0.5", "epsilon", "0"}},
    {"mountaincar",
     "true-online",
     {TILES, "actions", "3", "algo", "true-online", "lambda", "0.87", "alpha", "1.2", "alpha_decay", "0.01", "initial",
      "-20", "epsilon", "0"}},
    {"cartpole",
     "sarsa",
     {"form", "linear", "gamma", "0.99", "actions", "2", "algo", "sarsa", "lambda", "0.8", "alpha", "0.3", "epsilon",
      "0", "initial", "100"}},
    {"cliff", "q", {"states", "48", "actions", "4", "algo", "q", "alpha", "0.5", "gamma", "1", "ties", "random"}},
    {"cliff",
     "sarsa",
     {"states", "48", "actions", "4", "algo", "sarsa", "alpha", "0.5", "gamma", "1", "ties", "random"}},
    {"cliff",
     "expected-sarsa",
     {"states", "48", "actions", "4", "algo", "expected-sarsa", "alpha", "0.5", "gamma", "1", "ties", "random"}},
    {"cliff",
     "double-q",
     {"states", "48", "actions", "4", "algo", "double-q", "alpha", "0.5", "gamma", "1", "ties", "random"}},
    {"grid", "q", {"states", "100", "actions", "4", "algo", "q", "alpha", "0.1", "gamma", "0.99", "epsilon", "0.0625"}},
    {"randomwalk",
     "true-online",
     {"states", "19", "actions", "1", "algo", "true-online", "lambda", "0.75", "alpha_decay", "0.15", "gamma", "1",
      "epsilon", "0"}},
    {"randomwalk",
     "n-step",
     {"states", "19", "actions", "1", "algo", "sarsa", "steps", "4", "gamma", "1", "epsilon", "0"}},
    {"randomwalk",
     "td",
     {"states", "19", "actions", "1", "algo", "sarsa", "traces", "accumulating", "lambda", "0.8", "gamma", "1",
      "epsilon", "0"}},
    {"blackjack",
     "q",
     {"states", "200", "actions", "2", "algo", "q", "alpha", "0.05", "alpha_decay", "0.00005", "gamma", "1", "epsilon",
      "0.2"}},
    {"blackjack",
     "double-q",
     {"states", "200", "actions", "2", "algo", "double-q", "alpha", "0.05", "alpha_decay", "0.00005", "gamma", "1",
      "epsilon", "0.2"}},
};

static const algo *find(const char *task, const char *name)
{
    for (size_t i = 0; i < sizeof algos / sizeof *algos; i++)
        if (strcmp(algos[i].task, task) == 0 && (!*name || strcmp(algos[i].name, name) == 0)) return &algos[i];
    bench_die(2, "no algorithm \"%s\" for task \"%s\"", name, task);
}

static ctw_agent *new_agent(bench *b, const algo *g, int64_t seed)
{
    static const double car_lo[] = {-1.2, -0.07}, car_hi[] = {0.5, 0.07};
    static const double pole_lo[] = {-2.4, -3, -0.21, -3}, pole_hi[] = {2.4, 3, 0.21, 3};
    static const int64_t pole_bins[] = {4, 5, 8, 8};
    ctw_agent *a = agent_make(b, seed, g->kv);
    const char *own = strcmp(g->task, "cartpole") == 0 ? "32" : strcmp(g->name, "true-online") == 0 ? "16" : "8";
    const char *const kv[] = {"tilings", bench_str(b, "--tilings", own), NULL};
    ctw_features *f = NULL;
    if (strcmp(g->task, "mountaincar") == 0) f = agent_features(b, kv, car_lo, car_hi, NULL, 2);
    if (strcmp(g->task, "cartpole") == 0) f = agent_features(b, kv, pole_lo, pole_hi, pole_bins, 4);
    if (f) bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

static double total_steps(ctw_report *r)
{
    int64_t n;
    bench_ok(ctw_report_get_i64(r, "total_steps", &n), "total_steps");
    return (double)n;
}

/* First episode that ends a window of 100 with a mean of at least `goal`; NaN when there is none. */
static double solved(ctw_report *r, double goal)
{
    const double *v;
    uint64_t n;
    bench_ok(ctw_report_series(r, "steps", &v, &n), "steps");
    double s = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        s += v[i] - (i >= 100 ? v[i - 100] : 0.0);
        if (i >= 99 && s >= 100.0 * goal) return (double)(i + 1);
    }
    return NAN;
}

/* Steps per second, of a run that keeps no series, by a fresh agent. */
static double speed(agent_job *j, const algo *g, int64_t seed, int64_t episodes, int64_t max_steps, uint64_t lanes)
{
    world w = {.t = {0}};
    ctw_agent *a = new_agent(j->b, g, seed);
    ctw_env *env = world_env(j->b->ctx, g->task, lanes, &w);
    ctw_report *r;
    int64_t steps;
    bench_rng_seed(&w.rng, (uint64_t)seed, 1);
    double t = bench_cpu_s();
    bench_ok(ctw_agent_run(a, env, episodes, max_steps, 1, NULL, NULL), "run");
    t = bench_cpu_s() - t;
    bench_ok(ctw_agent_get_report(a, &r), "report");
    bench_ok(ctw_report_get_i64(r, "steps", &steps), "steps");
    ctw_report_unref(r);
    ctw_env_unref(env);
    ctw_agent_unref(a);
    return (double)steps / t;
}

static int control(agent_job *j, const algo *g, int64_t episodes, int64_t max_steps, uint64_t lanes)
{
    agent_rows rows;
    const int64_t tests = strcmp(g->task, "blackjack") ? 10 : 200000;
    (void)bench_str(j->b, "--tilings", NULL); /* read by new_agent */
    bench_no_more(j->b);
    agent_rows_open(&rows, j->b, g->task, g->name, NULL, j->first, j->last);
    for (int64_t seed = j->first; seed <= j->last; seed++) {
        world w = {.t = {0}};
        double idle = 0.0;
        ctw_agent *a = new_agent(j->b, g, seed);
        ctw_env *env = world_env(j->b->ctx, g->task, lanes, &w);
        bench_rng_seed(&w.rng, (uint64_t)seed, 1);
        ctw_report *r = agent_run(a, env, episodes, max_steps, 1, &idle);
        agent_rows_put(&rows, seed, "steps_per_s", speed(j, g, seed, episodes, max_steps, lanes));
        agent_rows_put(&rows, seed, "first50", agent_series_mean(r, "steps", 0, 50));
        agent_rows_put(&rows, seed, "last100", agent_series_mean(r, "steps", episodes - 100, episodes));
        agent_rows_put(&rows, seed, "reward_last100", agent_series_mean(r, "return", episodes - 100, episodes));
        if (strcmp(g->task, "cartpole") == 0) agent_rows_put(&rows, seed, "solved_episode", solved(r, 475));
        ctw_report_unref(r);
        r = agent_run(a, env, tests, max_steps ? max_steps : 1000, 0, &idle);
        agent_rows_put(&rows, seed, "greedy_return", agent_series_mean(r, "return", 0, INT64_MAX));
        ctw_report_unref(r);
        ctw_env_unref(env);
        ctw_agent_unref(a);
    }
    agent_rows_print(&rows);
    return 0;
}

/* Root mean square error over the 19 states, averaged over the first `episodes` episodes. */
static double walk_rms(agent_job *j, const algo *g, int64_t seed, double alpha, int64_t episodes, double *steps,
                       double *cpu)
{
    world w = {.t = {0}};
    algo with = *g;
    char text[32];
    double sum = 0.0, v[19];
    uint64_t need;
    size_t n = 0;
    while (with.kv[n]) n++;
    snprintf(text, sizeof text, "%.17g", alpha);
    with.kv[n] = "alpha";
    with.kv[n + 1] = text;
    ctw_agent *a = agent_make(j->b, seed, with.kv);
    ctw_env *env = world_env(j->b->ctx, "randomwalk", 1, &w);
    bench_rng_seed(&w.rng, (uint64_t)seed, 1);
    for (int64_t e = 0; e < episodes; e++) {
        double square = 0.0;
        ctw_report *r = agent_run(a, env, 1, 0, 1, cpu);
        *steps += total_steps(r);
        ctw_report_unref(r);
        bench_ok(ctw_agent_get_weights(a, v, 19, &need), "weights");
        for (int i = 0; i < 19; i++) {
            double d = v[i] - (-0.9 + 0.1 * i);
            square += d * d;
        }
        sum += sqrt(square / 19.0);
    }
    ctw_env_unref(env);
    ctw_agent_unref(a);
    return sum / (double)episodes;
}

/* The best step size of the grid 0.05 .. 1, by the mean over seeds; --alpha fixes one. */
static int randomwalk(agent_job *j, const algo *g)
{
    double fixed = bench_f64(j->b, "--alpha", 0.0), best = INFINITY, at = fixed;
    int64_t runs = bench_i64(j->b, "--runs", 15), episodes = j->episodes ? j->episodes : 10;
    agent_rows rows;
    bench_no_more(j->b);
    for (int k = 1; k <= 20 && fixed <= 0; k++) {
        double mean = 0.0, steps = 0.0, cpu = 0.0;
        for (int64_t s = j->first; s <= j->last; s++)
            for (int64_t i = 0; i < runs; i++) mean += walk_rms(j, g, s * runs + i, 0.05 * k, episodes, &steps, &cpu);
        if (mean < best) {
            best = mean;
            at = 0.05 * k;
        }
    }
    agent_rows_open(&rows, j->b, "randomwalk", g->name, NULL, j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        double mean = 0.0, steps = 0.0, cpu = 0.0;
        for (int64_t i = 0; i < runs; i++) mean += walk_rms(j, g, s * runs + i, at, episodes, &steps, &cpu);
        agent_rows_put(&rows, s, "rms", mean / (double)runs);
        agent_rows_put(&rows, s, "alpha", at);
        agent_rows_put(&rows, s, "steps_per_s", steps / cpu);
    }
    agent_rows_print(&rows);
    return 0;
}

int agent_classic(const char *task, agent_job *j)
{
    const algo *g = find(task, j->algo);
    if (strcmp(task, "randomwalk") == 0) return randomwalk(j, g);
    int64_t lanes = bench_i64(j->b, "--lanes", strcmp(task, "grid") == 0 ? 16 : 1);
    int pole = strcmp(task, "cartpole") == 0, car = strcmp(task, "mountaincar") == 0;
    int64_t episodes = j->episodes ? j->episodes
                       : car       ? 500
                       : pole      ? 400
                                   : (strcmp(task, "blackjack") == 0 ? 500000 : 500);
    if (!j->episodes && strcmp(task, "grid") == 0) episodes = 200000;
    return control(j, g, episodes, pole ? 500 : car ? 5000 : 0, (uint64_t)lanes);
}

static ctw_agent *pendulum_agent(bench *b, int64_t seed, const char *width, int64_t bins)
{
    static const char *const kv[] = {"form", "linear", "actions", "3", "gamma", "0.95", NULL};
    const char *const fkv[] = {"form", "rbf", "width", width, NULL};
    const double lo[] = {-0.78539816339744831, -1}, hi[] = {0.78539816339744831, 1};
    const int64_t n[] = {bins, bins};
    ctw_agent *a = agent_make(b, seed, kv);
    ctw_features *f = agent_features(b, fkv, lo, hi, n, 2);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

typedef struct samples {
    double *now, *next, *reward;
    int64_t *action;
    uint8_t *end;
    uint64_t n, cap;
} samples;

/* Episodes of uniformly random actions from the upright position. */
static void collect(samples *p, int64_t episodes, bench_rng *g)
{
    p->n = 0;
    for (int64_t e = 0; e < episodes; e++) {
        double s[2] = {0.2 * bench_rng_u(g) - 0.1, 0.2 * bench_rng_u(g) - 0.1};
        for (int fell = 0; !fell && p->n < p->cap; p->n++) {
            memcpy(p->now + 2 * p->n, s, sizeof s);
            p->action[p->n] = bench_rng_below(g, 3);
            fell = world_pendulum(s, p->action[p->n], g);
            memcpy(p->next + 2 * p->n, s, sizeof s);
            p->end[p->n] = (uint8_t)fell;
            p->reward[p->n] = fell ? -1.0 : 0.0;
        }
    }
}

int agent_pendulum(agent_job *j)
{
    int64_t episodes = j->episodes ? j->episodes : 1000, bins = bench_i64(j->b, "--bins", 3), rounds;
    const char *width = bench_str(j->b, "--width", "1.3");
    double ridge = bench_f64(j->b, "--ridge", 1e-2);
    agent_rows rows;
    samples p = {.cap = (uint64_t)episodes * 200};
    p.now = bench_alloc(p.cap * 2, sizeof *p.now);
    p.next = bench_alloc(p.cap * 2, sizeof *p.next);
    p.reward = bench_alloc(p.cap, sizeof *p.reward);
    p.action = bench_alloc(p.cap, sizeof *p.action);
    p.end = bench_alloc(p.cap, sizeof *p.end);
    bench_no_more(j->b);
    agent_rows_open(&rows, j->b, "pendulum", "lspi", NULL, j->first, j->last);
    for (int64_t seed = j->first; seed <= j->last; seed++) {
        world w = {.t = {0}};
        double idle = 0.0;
        ctw_agent *a = pendulum_agent(j->b, seed, width, bins);
        ctw_env *env = world_env(j->b->ctx, "pendulum", 1, &w);
        bench_rng_seed(&w.rng, (uint64_t)seed, 1);
        collect(&p, episodes, &w.rng);
        double t = bench_cpu_s();
        bench_ok(
            ctw_agent_fit_lspi(a, p.now, p.action, p.reward, p.next, p.end, p.n, 2, 2, ridge, 1e-3, 30, NULL, &rounds),
            "fit_lspi");
        agent_rows_put(&rows, seed, "fit_ms", 1e3 * (bench_cpu_s() - t));
        ctw_report *r = agent_run(a, env, 20, 3000, 0, &idle);
        double steps = agent_series_mean(r, "steps", 0, 20);
        agent_rows_put(&rows, seed, "balanced_steps", steps);
        agent_rows_put(&rows, seed, "full", steps >= 2999);
        agent_rows_put(&rows, seed, "samples", (double)p.n);
        agent_rows_put(&rows, seed, "rounds", (double)rounds);
        ctw_report_unref(r);
        ctw_env_unref(env);
        ctw_agent_unref(a);
    }
    agent_rows_print(&rows);
    free(p.now);
    free(p.next);
    free(p.reward);
    free(p.action);
    free(p.end);
    return 0;
}
