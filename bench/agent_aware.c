/* agent_aware.c: an agent that supervises a rule, after AWARE (Qiu et al., USENIX ATC 2023): it does not move replicas
 * but chooses the HPA's target and how long a recommendation holds. A shield overrules it where the queue is near
 * saturation; until it has proved itself (a high-confidence lower bound of its advantage on the training part) only
 * choices at least as careful as the rule's are open to it. Trained on the first half of the trace, tested on the
 * second. */
#include "agent_lesson.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random choices of the rule's settings. */
static scaler_tally random_over(lesson l, int64_t steps)
{
    scaler_tally t = {.steps = 0};
    scaler_start(&l.w, 0);
    for (int64_t i = 0; i < steps; i++) {
        scaler_step(&l.w, lesson_want(&l, bench_rng_below(&l.w.rng, ACTIONS)));
        scaler_count(&t, &l.w);
    }
    return t;
}

/* Knows the next three loads and the present service rate, not when contention will come. */
static scaler_tally oracle_over(lesson l, int64_t steps)
{
    scaler_tally t = {.steps = 0};
    scaler_start(&l.w, 0);
    for (int64_t i = 0; i < steps; i++) {
        scaler_step(&l.w, scaler_oracle(&l.w));
        scaler_count(&t, &l.w);
    }
    return t;
}

static scaler_tally test(agent_job *j, ctw_agent *a, const lesson *like, int64_t from, int64_t seed, double *shielded)
{
    lesson l = *like;
    l.shielded = 0.0;
    l.w.from = from;
    l.fixed_start = 0;
    l.careful = 0;
    l.all = (scaler_tally){.steps = 0};
    bench_rng_seed(&l.w.rng, (uint64_t)seed, 77);
    lesson_run(j, a, &l, 1, l.half - 1, 0);
    if (shielded) *shielded = 100.0 * l.shielded / l.all.steps;
    return l.all;
}

/* Lower bound of the mean advantage over the rule by the empirical Bernstein inequality (Maurer and Pontil 2009), over
 * windows of the training half that start alike. */
static double advantage(agent_job *j, ctw_agent *a, const lesson *like, int64_t seed, int64_t n, double delta)
{
    double mean = 0.0, square = 0.0, limit = 0.2;
    for (int64_t i = 0; i < n; i++) {
        lesson l = *like;
        l.careful = 0;
        bench_rng_seed(&l.w.rng, (uint64_t)(seed * 1000 + i), 55);
        l.fixed_start = bench_rng_below(&l.w.rng, l.half - WINDOW - 1);
        bench_rng_seed(&l.w.rng, (uint64_t)(seed * 1000 + i), 56);
        scaler_tally r = rule_over(l, l.rule, 20, l.fixed_start, WINDOW);
        l.all = (scaler_tally){.steps = 0};
        lesson_run(j, a, &l, 1, WINDOW, 0);
        double d = l.all.reward / l.all.steps - r.reward / r.steps;
        d = d > limit ? limit : d < -limit ? -limit : d;
        mean += d / (double)n;
        square += d * d / (double)n;
    }
    double log_term = log(2.0 / delta), var = (square - mean * mean) * (double)n / (double)(n - 1);
    return mean - sqrt(2.0 * var * log_term / (double)n) - 7.0 * 2.0 * limit * log_term / (3.0 * (double)(n - 1));
}

static void put(agent_rows *r, int64_t seed, const char *reward, const char *violations, const char *replicas,
                const scaler_tally *t)
{
    agent_rows_put(r, seed, reward, t->reward / t->steps);
    agent_rows_put(r, seed, violations, scaler_violation_pct(t));
    agent_rows_put(r, seed, replicas, t->replicas / t->steps);
}

/* What is deployed on a part of the trace: the agent when it has proved itself, else the rule. */
static scaler_tally deployed(agent_job *j, ctw_agent *a, const lesson *l, int64_t from, int64_t seed, int accepted,
                             double *shielded)
{
    lesson r = make_lesson(l->w.trace, from, l->half, (uint64_t)seed, 77);
    return accepted ? test(j, a, l, from, seed, shielded) : rule_over(r, l->rule, 20, 0, l->half - 1);
}

static void one_seed(agent_job *j, agent_rows *rows, const double *trace, int64_t half, size_t rule, double rule_reward,
                     int64_t seed, int64_t episodes, int direct, int shield)
{
    lesson l = make_lesson(trace, 0, half, (uint64_t)seed, 3);
    ctw_agent *a = lesson_agent(j, seed, direct);
    l.direct = direct;
    l.shield = shield;
    l.rule = rule;
    l.careful = shield;
    lesson_run(j, a, &l, FREE_FROM, WINDOW, 1);
    agent_rows_put(rows, seed, "first50_violation_pct", scaler_violation_pct(&l.all));
    l.careful = 0;
    lesson_run(j, a, &l, episodes - FREE_FROM, WINDOW, 1);
    double shielded = 0.0, bound = direct ? 0.0 : advantage(j, a, &l, seed, 400, 0.05);
    int accepted = direct || bound > -0.01 * fabs(rule_reward);
    scaler_tally t = deployed(j, a, &l, 0, seed, accepted, NULL);
    put(rows, seed, "train_reward", "train_violation_pct", "train_replicas", &t);
    t = deployed(j, a, &l, half, seed, accepted, &shielded);
    agent_rows_put(rows, seed, "shielded_pct", shielded);
    put(rows, seed, "reward", "violation_pct", "replicas", &t);
    agent_rows_put(rows, seed, "bound", bound);
    agent_rows_put(rows, seed, "accepted", accepted);
    ctw_agent_unref(a);
}

int agent_aware(agent_job *j)
{
    int64_t n, episodes = j->episodes ? j->episodes : 2000;
    double *trace = scaler_trace(j->b, &n), reward = 0.0;
    int64_t half = n / 2;
    agent_rows rows[6];
    bench_no_more(j->b);
    double unused = 0.0;
    size_t rule = best_rule(trace, 0, half, &reward), hindsight = best_rule(trace, half, half, &unused);
    agent_rows_open(&rows[0], j->b, "aware", "sarsa-over-hpa", "agent", j->first, j->last);
    agent_rows_open(&rows[1], j->b, "aware", "hpa", "rule_star", j->first, j->last);
    agent_rows_open(&rows[2], j->b, "aware", "sarsa-direct", "unshielded", j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        lesson l = make_lesson(trace, half, half, (uint64_t)s, 77);
        scaler_tally t = rule_over(l, rule, 20, 0, half - 1);
        put(&rows[1], s, "reward", "violation_pct", "replicas", &t);
        l = make_lesson(trace, 0, half, (uint64_t)s, 77);
        t = rule_over(l, rule, 20, 0, half - 1);
        put(&rows[1], s, "train_reward", "train_violation_pct", "train_replicas", &t);
        scaler_tally all = {.steps = 0};
        for (int64_t e = 0; e < FREE_FROM; e++) {
            l = make_lesson(trace, 0, half, (uint64_t)(s * 64 + e), 4);
            t = rule_over(l, rule, 20, bench_rng_below(&l.w.rng, half - WINDOW - 1), WINDOW);
            all.violated += t.violated;
            all.requests += t.requests;
        }
        agent_rows_put(&rows[1], s, "first50_violation_pct", scaler_violation_pct(&all));
        agent_rows_put(&rows[1], s, "target", lesson_targets[rule]);
        one_seed(j, &rows[0], trace, half, rule, reward, s, episodes, 0, 1);
        one_seed(j, &rows[2], trace, half, rule, reward, s, episodes, 1, 0);
    }
    agent_rows_open(&rows[3], j->b, "aware", "fixed", "random", j->first, j->last);
    agent_rows_open(&rows[4], j->b, "aware", "fixed", "oracle", j->first, j->last);
    agent_rows_open(&rows[5], j->b, "aware", "hpa", "rule_hindsight", j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        lesson l = make_lesson(trace, half, half, (uint64_t)s, 77);
        scaler_tally t = random_over(l, half - 4);
        put(&rows[3], s, "reward", "violation_pct", "replicas", &t);
        agent_rows_put(&rows[5], s, "target", lesson_targets[hindsight]);
        scaler_tally h = rule_over(l, hindsight, 20, 0, half - 1);
        put(&rows[5], s, "reward", "violation_pct", "replicas", &h);
        t = oracle_over(l, half - 4);
        put(&rows[4], s, "reward", "violation_pct", "replicas", &t);
    }
    agent_rows_paired(&rows[0], &rows[1], "reward", "reward_diff");
    agent_rows_paired(&rows[0], &rows[1], "train_reward", "train_reward_diff");
    for (int k = 0; k < 6; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
