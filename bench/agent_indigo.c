/* agent_indigo.c: page migration as a contextual bandit. Each epoch an arm (the share of hot remote pages to promote:
 * none, 1/16, 1/4, 1/2, all) is chosen from network use, remote hot fraction and burst length. The reward is what local
 * hits gain less what moving pages costs on a loaded network. After `--shift` rounds (0: never) the costs and gains of
 * promotion change places in weight, and all that was learnt is wrong. */
#include "agent.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARMS = 5, DIMS = 7, TRAITS = 3 };
static const double share[ARMS] = {0, 0.0625, 0.25, 0.5, 1};

typedef struct memory {
    bench_rng rng, noise;
    double net, hot, burst;
    int shifted, bent;
} memory;

static double clip(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void next_context(memory *m, double *x)
{
    m->net = clip(m->net + 0.08 * bench_rng_normal(&m->rng) + 0.02 * (0.45 - m->net), 0.0, 0.95);
    m->hot = clip(m->hot + 0.05 * bench_rng_normal(&m->rng) + 0.03 * (0.5 - m->hot), 0.0, 1.0);
    m->burst = clip(m->burst + 0.1 * bench_rng_normal(&m->rng) + 0.1 * (0.5 - m->burst), 0.0, 1.0);
    const double v[DIMS] = {1, m->net, m->hot, m->burst, m->net * m->hot, m->hot * m->burst, 0.2 / (1.05 - m->net)};
    memcpy(x, v, sizeof v);
}

/* Expected reward. bent: a gain that no feature is linear in. */
static double worth(const memory *m, size_t arm)
{
    double s = share[arm], load = m->net / (1.05 - m->net);
    double gain = 1.2 * m->hot * (0.3 + 0.7 * m->burst) * (1.0 - exp(-3.0 * s));
    double cost = s * (0.08 + 0.09 * load);
    if (m->bent) gain *= m->hot > 0.6 ? 1.4 : 0.8;
    return m->shifted ? 0.35 * gain - cost * 0.2 + 0.4 * s * (1.0 - m->hot) - 0.3 * s * m->burst : gain - cost;
}

static size_t best_arm(const memory *m)
{
    size_t best = 0;
    for (size_t k = 1; k < ARMS; k++)
        if (worth(m, k) > worth(m, best)) best = k;
    return best;
}

typedef struct tally {
    double regret, got, oracle, recovery;
    double window[50][2]; /* last rewards, of the policy and of the oracle */
} tally;

static void count(tally *t, const memory *m, size_t arm, int64_t round, int64_t shift)
{
    double got = worth(m, arm), top = worth(m, best_arm(m)), mine = 0.0, theirs = 0.0;
    t->regret += top - got;
    t->got += got;
    t->oracle += top;
    if (shift == 0 || round < shift || !isnan(t->recovery)) return;
    t->window[round % 50][0] = got;
    t->window[round % 50][1] = top;
    if (round < shift + 49) return;
    for (int i = 0; i < 50; i++) {
        mine += t->window[i][0];
        theirs += t->window[i][1];
    }
    if (mine >= 0.95 * theirs) t->recovery = (double)(round + 1 - shift); /* end of the first good window */
}

static ctw_bandit *new_bandit(bench *b, int64_t seed, const char *policy, int forget, int shared)
{
    ctw_params *p;
    ctw_bandit *z;
    ctw_ctx *ctx;
    bench_ok(ctw_ctx_new(NULL, NULL, &ctx), "context");
    bench_ok(ctw_ctx_set_seed(ctx, (uint64_t)seed), "seed");
    bench_ok(ctw_params_new(ctx, "bandit", &p), "options");
    bench_ok(ctw_params_set_str(p, "policy", policy), "policy");
    bench_ok(ctw_params_set_i64(p, "arms", ARMS), "arms");
    bench_ok(ctw_params_set_i64(p, "dims", DIMS), "dims");
    bench_ok(ctw_params_set_f64(p, "width", strcmp(policy, "ucb1") ? 0.2 : 0.5), "width");
    bench_ok(ctw_params_set_f64(p, "ridge", 0.1), "ridge");
    bench_ok(ctw_params_set_f64(p, "forget_at", forget ? 20.0 : 0.0), "forget_at");
    bench_params(b, p);
    bench_ok(ctw_bandit_new(ctx, p, &z), "bandit");
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
    if (shared) {
        double t[ARMS][TRAITS];
        for (int k = 0; k < ARMS; k++) {
            double s = share[k];
            const double v[TRAITS] = {1, s, s * s};
            memcpy(t[k], v, sizeof v);
        }
        bench_ok(ctw_bandit_set_arms(z, t[0], ARMS, TRAITS), "set_arms");
    }
    return z;
}

/* The policies that are no bandit. */
static size_t fixed(const char *policy, const memory *m, size_t given, bench_rng *g)
{
    if (strcmp(policy, "oracle") == 0) return best_arm(m);
    if (strcmp(policy, "random") == 0) return (size_t)bench_rng_below(g, ARMS);
    if (strcmp(policy, "threshold") == 0) return m->net < 0.5 ? 3 : 1;
    return given;
}

static void simulate(agent_job *j, int64_t seed, const char *policy, size_t arm, int64_t rounds, int64_t shift,
                     int bent, tally *t)
{
    memory m = {.net = 0.3, .hot = 0.5, .burst = 0.5, .bent = bent};
    bench_rng own;
    int shared = strcmp(policy, "agent") == 0, learns = shared || strcmp(policy, "disjoint") == 0;
    const char *algo = *j->algo ? j->algo : "linucb";
    ctw_bandit *z = learns ? new_bandit(j->b, seed, algo, shift > 0, shared && strcmp(algo, "ucb1") != 0) : NULL;
    bench_rng_seed(&m.rng, (uint64_t)seed, 1);
    bench_rng_seed(&m.noise, (uint64_t)seed, 2);
    bench_rng_seed(&own, (uint64_t)seed, 3);
    *t = (tally){.recovery = NAN};
    for (int64_t i = 0; i < rounds; i++) {
        double x[DIMS];
        int64_t choice = 0;
        m.shifted = shift > 0 && i >= shift;
        next_context(&m, x);
        if (learns)
            bench_ok(ctw_bandit_choose(z, x, DIMS, NULL, &choice), "choose");
        else
            choice = (int64_t)fixed(policy, &m, arm, &own);
        double reward = worth(&m, (size_t)choice) + 0.1 * bench_rng_normal(&m.noise);
        if (learns) bench_ok(ctw_bandit_update(z, choice, x, DIMS, reward), "update");
        count(t, &m, (size_t)choice, i, shift);
    }
    ctw_bandit_unref(z);
}

/* Microseconds of a choice and of an update, by many on kept contexts. */
static void time_calls(agent_job *j, int64_t seed, int shared, double *choose_us, double *update_us)
{
    enum { N = 4096, REPS = 25 };
    double(*x)[DIMS] = bench_alloc(N, sizeof *x), best = 0.0;
    memory m = {.net = 0.3, .hot = 0.5, .burst = 0.5};
    ctw_bandit *z = new_bandit(j->b, seed, *j->algo ? j->algo : "linucb", 0, shared);
    int64_t arm;
    bench_rng_seed(&m.rng, (uint64_t)seed, 1);
    for (int i = 0; i < N; i++) {
        next_context(&m, x[i]);
        bench_ok(ctw_bandit_update(z, i % ARMS, x[i], DIMS, worth(&m, (size_t)(i % ARMS))), "update");
    }
    double t = bench_cpu_s();
    for (int k = 0; k < REPS; k++)
        for (int i = 0; i < N; i++) {
            bench_ok(ctw_bandit_choose(z, x[i], DIMS, NULL, &arm), "choose");
            best += (double)arm;
        }
    *choose_us = 1e6 * (bench_cpu_s() - t) / (N * REPS);
    t = bench_cpu_s();
    for (int k = 0; k < REPS; k++)
        for (int i = 0; i < N; i++) bench_ok(ctw_bandit_update(z, i % ARMS, x[i], DIMS, 0.5), "update");
    *update_us = 1e6 * (bench_cpu_s() - t) / (N * REPS);
    if (best < 0) bench_die(3, "no arm");
    ctw_bandit_unref(z);
    free(x);
}

/* The best fixed arm of the same rounds, in hindsight. */
static size_t best_fixed(agent_job *j, int64_t seed, int64_t rounds, int64_t shift, int bent)
{
    size_t best = 0;
    double top = -INFINITY;
    for (size_t k = 0; k < ARMS; k++) {
        tally t;
        simulate(j, seed, "fixed", k, rounds, shift, bent, &t);
        if (t.got > top) {
            top = t.got;
            best = k;
        }
    }
    return best;
}

int agent_indigo(agent_job *j)
{
    static const char *const policies[] = {"agent", "disjoint", "rule_star", "threshold", "random", "oracle"};
    int64_t rounds = bench_i64(j->b, "--rounds", 20000), shift = bench_i64(j->b, "--shift", 0);
    int bent = bench_flag(j->b, "--misspecified");
    bench_no_more(j->b);
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        agent_rows rows;
        agent_rows_open(&rows, j->b, "indigo",
                        p > 1      ? "fixed"
                        : *j->algo ? j->algo
                                   : "linucb",
                        policies[p], j->first, j->last);
        for (int64_t s = j->first; s <= j->last; s++) {
            tally t;
            size_t arm = p == 2 ? best_fixed(j, s, rounds, shift, bent) : 0;
            simulate(j, s, p == 2 ? "fixed" : policies[p], arm, rounds, shift, bent, &t);
            agent_rows_put(&rows, s, "reward", t.got / (double)rounds);
            agent_rows_put(&rows, s, "regret", t.regret);
            agent_rows_put(&rows, s, "oracle_share", t.got / t.oracle);
            if (shift > 0) agent_rows_put(&rows, s, "recovery_rounds", t.recovery);
            if (p < 2) {
                double choose_us, update_us;
                time_calls(j, s, p == 0 && strcmp(j->algo, "ucb1") != 0, &choose_us, &update_us);
                agent_rows_put(&rows, s, "decide_us", choose_us);
                agent_rows_put(&rows, s, "update_us", update_us);
            }
        }
        agent_rows_print(&rows);
    }
    return 0;
}
