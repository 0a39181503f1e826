/* agent_parm.c: scaling under a power cap, after PARM (NeurIPS 2023 workshop on ML for systems). A cap of a share P of
 * full power slows the service: P = idle + (1 - idle) f^2.4 gives the clock f, and the part of the work that waits for
 * memory does not slow down. The agent chooses the use a replica is planned for, c = load * service time / use; unaware
 * of the cap it plans with the nominal service time. The aware agent is trained under random caps and sees P.
 */
#include "agent_scaler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 240, USES = 9, DIMS = 4 };
static const double uses[USES] = {.30, .36, .42, .48, .54, .60, .66, .74, .82};

static const double idle = 0.35, exponent = 2.4, usual = 0.3; /* usual: share of the work that waits for memory */

static double speed_of(double power, double memory)
{
    double clock = power <= idle ? 0.1 : pow((power - idle) / (1.0 - idle), 1.0 / exponent);
    return 1.0 / (memory + (1.0 - memory) / clock);
}

static double speed_at(double power)
{
    return speed_of(power, usual);
}

/* The power at which the usual service is as fast: how an agent trained on that one sees a cap on another. */
static double as_usual(double power, double memory)
{
    double clock = (1.0 - usual) / (1.0 / speed_of(power, memory) - usual);
    return idle + (1.0 - idle) * pow(clock, exponent);
}

typedef struct lesson {
    scaler w;
    double power, low; /* present cap; the lowest drawn in training */
    int aware, vary;   /* vary: every episode another load, a quarter to two and a half times the trace's */
    int64_t half, fixed_start;
    scaler_tally all;
} lesson;

static void look(const lesson *l, double power, double *obs)
{
    const scaler *w = &l->w;
    obs[0] = (log2(w->lambda * w->app.service_s + 0.25) + 2.0) / 9.0;
    obs[1] = (log((w->loads[0] + 1) / (w->loads[4] + 1)) + 0.4) / 0.8;
    obs[2] = w->backlog > 1.0 ? 0.9 : w->violation > 0.01 ? 0.5 : 0.1;
    obs[3] = l->aware ? (power - l->low + 0.05) / (1.05 - l->low) : 0.0;
}

static int32_t begin(void *user, uint64_t lane, double *obs)
{
    lesson *l = user;
    (void)lane;
    if (l->fixed_start < 0 && l->aware) l->power = l->low + (1.0 - l->low) * bench_rng_u(&l->w.rng);
    if (l->vary) l->w.app.load = 0.25 * pow(10.0, bench_rng_u(&l->w.rng));
    l->w.app.power = speed_at(l->power);
    scaler_start(&l->w, l->fixed_start >= 0 ? l->fixed_start : bench_rng_below(&l->w.rng, l->half - WINDOW - 1));
    look(l, l->power, obs);
    return CTW_ENV_RUNNING;
}

static int64_t plan(const scaler *w, double use)
{
    return (int64_t)ceil(w->lambda * w->app.service_s / use) + (int64_t)ceil(w->backlog * w->app.service_s / 60.0);
}

static int32_t go(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    lesson *l = user;
    (void)lanes;
    scaler_step(&l->w, plan(&l->w, uses[*action]));
    scaler_count(&l->all, &l->w);
    look(l, l->power, obs);
    *reward = scaler_reward(&l->w);
    *state = CTW_ENV_RUNNING;
    return 0;
}

static lesson make_lesson(const double *trace, int64_t from, int64_t half, uint64_t seed, double power)
{
    lesson l = {.w = {.app = scaler_usual, .trace = trace, .from = from},
                .power = power,
                .low = .65,
                .half = half,
                .fixed_start = -1};
    bench_rng_seed(&l.w.rng, seed, 3);
    return l;
}

static void run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes, int64_t steps, int learn)
{
    const agent_world w = {DIMS, USES, 1, begin, go, NULL, l};
    agent_live(j->b, a, &w, episodes, steps, learn, NULL);
}

/* A service that never waits for memory is as slow at 65 % as the usual one at 58 %: what learns for a split must have
 * seen that. */
static const double lowest = 0.55;

static ctw_agent *train(agent_job *j, const double *trace, int64_t half, int64_t seed, int aware, int vary,
                        int64_t episodes)
{
    static const char *const kv[] = {
        "form",          "linear", "actions",     "9",    "algo",        "sarsa",  "gamma",   "0.7",
        "lambda",        "0.7",    "alpha",       "0.05", "alpha_decay", "0.0025", "epsilon", "0.2",
        "epsilon_decay", "0.997",  "epsilon_min", "0.01", "initial",     "-0.4",   NULL};
    static const double lo[DIMS] = {0, 0, 0, 0}, hi[DIMS] = {1, 1, 1, 1};
    const int64_t bins[DIMS] = {4, 3, 3, aware ? 4 : 1};
    lesson l = make_lesson(trace, 0, half, (uint64_t)seed, 1.0);
    ctw_agent *a = agent_make(j->b, seed, kv);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, bins, DIMS);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    l.aware = aware;
    l.vary = vary;
    if (vary) l.low = lowest;
    run(j, a, &l, episodes, WINDOW, 1);
    return a;
}

static scaler_tally test(agent_job *j, ctw_agent *a, const double *trace, int64_t half, int64_t seed, int aware,
                         double power)
{
    lesson l = make_lesson(trace, half, half, (uint64_t)seed + 7777, power);
    l.aware = aware;
    l.fixed_start = 0;
    run(j, a, &l, 1, half - 4, 0);
    return l.all;
}

/* use > 0: that use always; 0: random uses; < 0: the oracle. */
static scaler_tally fixed(const double *trace, int64_t from, int64_t half, uint64_t seed, double power, double use)
{
    lesson l = make_lesson(trace, from, half, seed + 7777, power);
    l.w.app.power = speed_at(power);
    scaler_start(&l.w, 0);
    for (int64_t i = 0; i < half - 4; i++) {
        double u = use > 0.0 ? use : uses[bench_rng_below(&l.w.rng, USES)];
        scaler_step(&l.w, use < 0.0 ? scaler_oracle(&l.w) : plan(&l.w, u));
        scaler_count(&l.all, &l.w);
    }
    return l.all;
}

static double best_use(const double *trace, int64_t half)
{
    double top = -INFINITY, best = uses[0];
    for (size_t k = 0; k < USES; k++) {
        double sum = 0.0;
        for (uint64_t s = 0; s < 5; s++) {
            scaler_tally t = fixed(trace, 0, half, 9000 + s, 1.0, uses[k]);
            sum += t.reward / t.steps;
        }
        if (sum > top) {
            top = sum;
            best = uses[k];
        }
    }
    return best;
}

static void put(agent_rows *r, int64_t seed, const scaler_tally *t, const scaler_tally *full)
{
    agent_rows_put(r, seed, "reward", t->reward / t->steps);
    agent_rows_put(r, seed, "reward_full", full->reward / full->steps);
    agent_rows_put(r, seed, "violation_pct", scaler_violation_pct(t));
    agent_rows_put(r, seed, "replicas", t->replicas / t->steps);
    agent_rows_put(r, seed, "reward_loss_pct", 100.0 * (t->reward / full->reward - 1.0));
}

/* ---- a budget for several services, split from the top ---- */
enum { PARTS = 4, LEVELS = 8, EPOCH = 8 };

/* Shares of full power for parts that draw weight[i] each at full power, within budget: from the lowest level on, again
 * and again the step (to any higher level) that gains most value per watt. Steps to any level walk the concave hull. */
static void split(double value[PARTS][LEVELS], const double *level, const double *weight, double budget, size_t *at)
{
    double left = budget;
    for (int i = 0; i < PARTS; i++) {
        at[i] = 0;
        left -= weight[i] * level[0];
    }
    for (;;) {
        double best = 1e-12;
        int who = -1;
        size_t to = 0;
        for (int i = 0; i < PARTS; i++)
            for (size_t k = at[i] + 1; k < LEVELS; k++) {
                double watts = weight[i] * (level[k] - level[at[i]]), gain = (value[i][k] - value[i][at[i]]) / watts;
                if (watts <= left + 1e-9 && gain > best) {
                    best = gain;
                    who = i;
                    to = k;
                }
            }
        if (who < 0) return;
        left -= weight[who] * (level[to] - level[at[who]]);
        at[who] = to;
    }
}

/* What the agent expects of a service under each cap: its value of the present state, seen with that cap. */
static void worth(ctw_agent *a, const lesson *l, double memory, const double *level, double *value)
{
    for (size_t k = 0; k < LEVELS; k++) {
        double obs[DIMS];
        int64_t action;
        look(l, as_usual(level[k], memory), obs);
        bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &action, &value[k]), "greedy");
        if (k > 0 && value[k] < value[k - 1]) value[k] = value[k - 1]; /* more power never hurts: tiles do not know */
    }
}

enum { EQUAL, MARGINAL, RANDOM, FULL };

/* The held-out half with four services of unequal load at unequal times, some of whose work waits for memory
 * more than others'; mean reward of a service. kind: how the caps
 * are set every EPOCH steps; the services themselves are all the aware agent's. */
static double split_run(ctw_agent *a, const double *trace, int64_t half, int64_t seed, double power, int kind)
{
    static const double size[PARTS] = {0.5, 1.0, 0.75, 1.5}, memory[PARTS] = {0.0, 0.2, 0.5, 0.8};
    double level[LEVELS], weight[PARTS], total = 0.0, sum = 0.0, steps = 0.0;
    lesson l[PARTS];
    bench_rng g;
    bench_rng_seed(&g, (uint64_t)seed, 11);
    for (size_t k = 0; k < LEVELS; k++) level[k] = 0.65 + 0.05 * (double)k;
    for (int i = 0; i < PARTS; i++) {
        l[i] = make_lesson(trace, half, half, (uint64_t)(seed * PARTS + i) + 9999, 1.0);
        l[i].aware = 1;
        l[i].low = lowest;
        l[i].w.app.load = size[i];
        scaler_start(&l[i].w, i * 700);
        total += weight[i] = size[i];
    }
    for (int64_t t = 0; t < half - 4 - (PARTS - 1) * 700; t++) {
        double value[PARTS][LEVELS];
        size_t at[PARTS];
        for (int i = 0; t % EPOCH == 0 && i < PARTS; i++) {
            worth(a, &l[i], memory[i], level, value[i]);
            for (size_t k = 0; kind == RANDOM && k < LEVELS; k++) value[i][k] = (double)k * bench_rng_u(&g);
            weight[i] = 0.02 + l[i].w.lambda; /* what it draws at full power goes with its load */
        }
        if (t % EPOCH == 0) {
            total = 0.0;
            for (int i = 0; i < PARTS; i++) total += weight[i];
            split(value, level, weight, power * total, at);
            for (int i = 0; i < PARTS; i++) l[i].power = kind == FULL ? 1.0 : kind == EQUAL ? power : level[at[i]];
        }
        for (int i = 0; i < PARTS; i++) {
            double obs[DIMS];
            int64_t action;
            l[i].w.app.power = speed_of(l[i].power, memory[i]);
            if (l[i].w.contended == 0) l[i].w.speed = l[i].w.app.power;
            look(&l[i], as_usual(l[i].power, memory[i]), obs);
            bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &action, NULL), "greedy");
            scaler_step(&l[i].w, plan(&l[i].w, uses[action]));
            sum += scaler_reward(&l[i].w);
            steps++;
        }
    }
    return sum / steps;
}

/* Loss against full power of the split by marginal utility, of equal caps and of random ones. */
static void split_rows(agent_job *j, const double *trace, int64_t half, double power, int64_t episodes)
{
    static const char *const names[] = {"agent", "equal", "random"};
    static const int kinds[] = {MARGINAL, EQUAL, RANDOM};
    agent_rows rows[3];
    for (int k = 0; k < 3; k++) agent_rows_open(&rows[k], j->b, "parm-split", "sarsa", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        ctw_agent *a = train(j, trace, half, s, 1, 1, episodes);
        double full = split_run(a, trace, half, s, power, FULL);
        for (int k = 0; k < 3; k++) {
            double r = split_run(a, trace, half, s, power, kinds[k]);
            agent_rows_put(&rows[k], s, "reward", r);
            agent_rows_put(&rows[k], s, "reward_full", full);
            agent_rows_put(&rows[k], s, "reward_loss_pct", 100.0 * (r / full - 1.0));
        }
        ctw_agent_unref(a);
    }
    for (int k = 1; k < 3; k++) agent_rows_paired(&rows[0], &rows[k], "reward", k == 1 ? "over_equal" : "over_random");
    for (int k = 0; k < 3; k++) agent_rows_print(&rows[k]);
}

int agent_parm(agent_job *j)
{
    static const char *const names[] = {"agent", "unaware", "rule_star", "random", "oracle"};
    int64_t n, episodes = j->episodes ? j->episodes : 5000;
    double power = bench_f64(j->b, "--cap", 0.8);
    double *trace = scaler_trace(j->b, &n);
    int64_t half = n / 2;
    int top_down = bench_flag(j->b, "--split");
    agent_rows rows[5];
    bench_no_more(j->b);
    if (top_down) {
        split_rows(j, trace, half, power, episodes);
        free(trace);
        return 0;
    }
    double use = best_use(trace, half);
    for (int k = 0; k < 5; k++)
        agent_rows_open(&rows[k], j->b, "parm", k < 2 ? "sarsa" : "fixed", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        scaler_tally capped[2], full;
        for (int k = 0; k < 2; k++) {
            ctw_agent *a = train(j, trace, half, s, k == 0, 0, episodes);
            full = test(j, a, trace, half, s, k == 0, 1.0);
            capped[k] = test(j, a, trace, half, s, k == 0, power);
            put(&rows[k], s, &capped[k], &full);
            ctw_agent_unref(a);
        }
        double mine = scaler_violation_pct(&capped[0]), theirs = scaler_violation_pct(&capped[1]);
        agent_rows_put(&rows[0], s, "slo_gain_pct", 100.0 * (theirs - mine) / (theirs > 0.0 ? theirs : 1.0));
        const double given[3] = {use, 0.0, -1.0};
        for (int k = 0; k < 3; k++) {
            full = fixed(trace, half, half, (uint64_t)s, 1.0, given[k]);
            scaler_tally t = fixed(trace, half, half, (uint64_t)s, power, given[k]);
            put(&rows[2 + k], s, &t, &full);
        }
    }
    for (int k = 0; k < 5; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
