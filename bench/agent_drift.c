/* agent_drift.c: an agent that supervises the HPA (task aware) while the application changes under it: in the middle of
 * the held-out half a release makes requests `--slower` times as long and `--tighter` the objective. A CUSUM on the
 * agent's own temporal-difference errors, or one on the service time it sees, both calibrated on the training half,
 * raises the alarm; then the rule acts, and the agent, with its old weights as a start, learns anew from what the rule
 * does and from one block of steps in 16 (in 4 to 64, by who is ahead), in which it acts under the shield. It takes
 * over again when those blocks have earned more than the rule's (one-sided 95 % bound). Beside it: the agent as it was
 * (frozen), one retrained without an alarm all the time, and the rule. Every choice of the agent that the shield or the
 * carefulness replaced is counted. */
#include "agent_lesson.h"
#include <cybertwin/guard.h>
#include <math.h>
#include <stdlib.h>

enum { BLOCK = 20, OFTEN = 4, TRIAL = 16, RARE = 64, LEAST = 8, PEEK = 3, DIMS = 4, REPLAYS = 5, WATCHES = 2 };
static const double discount = 0.8;

typedef struct monitor {
    double sum[WATCHES], previous, last_reward;
    int n, open;
} monitor;

static double square_root_sign(double r) /* heavy tails (flash crowds) would drown the statistic */
{
    return r < 0.0 ? -sqrt(-r) : sqrt(r);
}

/* What is watched, means over the last BLOCK steps: temporal difference under the greedy policy, and the logarithm of
 * the service time over the nominal one. 0 while a block fills. */
static int residual(monitor *m, double value, const scaler *w, double nominal, double *out)
{
    if (m->open) {
        m->sum[0] += m->last_reward + discount * value - m->previous;
        m->sum[1] += log(w->service_seen / nominal + 1e-9);
        m->n++;
    }
    m->previous = value;
    m->last_reward = scaler_reward(w);
    m->open = 1;
    if (m->n < BLOCK) return 0;
    out[0] = square_root_sign(m->sum[0] / m->n);
    out[1] = m->sum[1] / m->n;
    m->sum[0] = m->sum[1] = 0.0;
    m->n = 0;
    return 1;
}

static ctw_detector *new_detector(agent_job *j, double mean, double sd, double limit)
{
    ctw_params *p;
    ctw_detector *d;
    bench_ok(ctw_params_new(j->b->ctx, "detector", &p), "options");
    bench_ok(ctw_params_set_str(p, "side", "both"), "side");
    bench_ok(ctw_params_set_f64(p, "mean", mean), "mean");
    bench_ok(ctw_params_set_f64(p, "sd", sd), "sd");
    bench_ok(ctw_params_set_f64(p, "limit", limit), "limit");
    bench_ok(ctw_detector_new(j->b->ctx, p, &d), "detector");
    ctw_params_unref(p);
    return d;
}

/* Blocks of what is watched of the greedy agent over the whole training half, WATCHES numbers each; their number. */
static int64_t replay(ctw_agent *a, lesson l, double *out)
{
    monitor m = {.n = 0};
    int64_t n = 0, action;
    double obs[DIMS], value;
    uint8_t ok[ACTIONS];
    scaler_start(&l.w, 0);
    for (int64_t t = 0; t < l.half - 1; t++) {
        lesson_look(&l, obs);
        lesson_mask(&l, 0, ok);
        bench_ok(ctw_agent_greedy(a, obs, DIMS, ok, &action, &value), "greedy");
        scaler_step(&l.w, lesson_want(&l, action));
        n += residual(&m, value, &l.w, l.nominal, out + n * WATCHES);
    }
    return n;
}

typedef struct calibration {
    double mean, sd, limit;
} calibration;

/* Mean and spread of n numbers, WATCHES apart, and one and a half times the highest the statistic got there. */
static calibration calibrate_one(agent_job *j, const double *r, int64_t n)
{
    double sum = 0.0, square = 0.0, top = 1.0;
    calibration c;
    for (int64_t i = 0; i < n; i++) {
        sum += r[i * WATCHES];
        square += r[i * WATCHES] * r[i * WATCHES];
    }
    c.mean = sum / (double)n;
    c.sd = sqrt(square / (double)n - c.mean * c.mean) + 1e-9;
    ctw_detector *d = new_detector(j, c.mean, c.sd, 1e6);
    for (int64_t i = 0; i < n; i++) {
        uint64_t used;
        int32_t alarm;
        double level;
        bench_ok(ctw_detector_push(d, r + i * WATCHES, 1, &used, &alarm), "push");
        bench_ok(ctw_detector_level(d, &level), "level");
        top = level * 1e6 > top ? level * 1e6 : top;
    }
    c.limit = 1.5 * top;
    ctw_detector_unref(d);
    return c;
}

/* Over five replays of the training half. */
static void calibrate(agent_job *j, ctw_agent *a, const lesson *like, int64_t seed, calibration *c)
{
    int64_t cap = like->half / BLOCK + 2, n = 0;
    double *r = bench_alloc((size_t)(cap * REPLAYS * WATCHES), sizeof *r);
    for (int64_t k = 0; k < REPLAYS; k++) {
        lesson l = make_lesson(like->w.trace, 0, like->half, (uint64_t)(seed * 10 + k), 78);
        l.shield = 1;
        l.rule = like->rule;
        n += replay(a, l, r + n * WATCHES);
    }
    for (int i = 0; i < WATCHES; i++) c[i] = calibrate_one(j, r + i, n);
    free(r);
}

/* The weights with the schedules of an agent that goes on. */
static ctw_agent *restart_agent(agent_job *j, const ctw_agent *old, int64_t seed)
{
    ctw_agent *a = lesson_agent(j, seed, LESSON_ON);
    agent_take_weights(a, old);
    return a;
}

typedef struct outcome {
    scaler_tally before, after;
    double delay, false_alarms, overrides, retrainings, returns, ruled;
} outcome;

enum { FROZEN, ON_ALARM, ALWAYS, RULE };

/* Rewards of blocks of steps, over what the busy servers alone would cost: the agent's (1) and the rule's (0). */
typedef struct contest {
    double sum[2], square[2], n[2], reward, busy;
    int64_t steps, every; /* every: the agent has one block of so many */
} contest;

/* Which of them acts in the coming step. */
static int agents_turn(const contest *c)
{
    return c->steps / BLOCK % c->every == c->every - 1;
}

/* Mean advantage of the agent's blocks; *error: the square of its standard error. */
static double lead(const contest *c, double *error)
{
    double mean[2];
    *error = 0.0;
    for (int k = 0; k < 2; k++) {
        mean[k] = c->sum[k] / c->n[k];
        *error += (c->square[k] / c->n[k] - mean[k] * mean[k]) / (c->n[k] - 1.0);
    }
    return mean[1] - mean[0];
}

/* Counts a step; 1 when the agent has proved itself. The rule's block after one of the agent's is not counted: it
 * starts from the agent's replicas. After each PEEK blocks of the agent its turns become twice or half as frequent, by
 * who leads: trials of a worse policy cost little. */
static int proved(contest *c, const scaler *w)
{
    int who = agents_turn(c), after = !who && c->steps / BLOCK % c->every == 0;
    double error;
    c->reward += scaler_reward(w);
    c->busy += 0.01 + w->lambda * w->service_seen / SCALER_MAX;
    if (++c->steps % BLOCK) return 0;
    double x = c->reward / c->busy;
    c->reward = c->busy = 0.0;
    if (after) return 0;
    c->sum[who] += x;
    c->square[who] += x * x;
    c->n[who]++;
    if (!who || c->n[1] < PEEK) return 0;
    double d = lead(c, &error);
    if ((int64_t)c->n[1] % PEEK == 0) {
        c->every = d > 0.0 ? c->every / 2 : c->every * 2;
        c->every = c->every < OFTEN ? OFTEN : c->every > RARE ? RARE : c->every;
        c->steps = 0;
    }
    return c->n[1] >= LEAST && d > 1.645 * sqrt(error);
}

static void change(lesson *l, double slower, double tighter)
{
    l->w.app.service_s *= slower;
    l->w.app.slo_s *= tighter;
}

/* What is done in this state: the rule's setting when it is its turn, else the agent's choice within the shield. A
 * learning agent is told what became of its choice. */
static int64_t decide(ctw_agent *a, lesson *l, int learning, int rules, outcome *o, double *value)
{
    double obs[DIMS];
    uint8_t ok[ACTIONS];
    int64_t action, free_choice;
    lesson_look(l, obs);
    lesson_mask(l, 0, ok);
    bench_ok(ctw_agent_greedy(a, obs, DIMS, ok, &action, value), "greedy");
    bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &free_choice, NULL), "greedy");
    if (learning) bench_ok(ctw_agent_act(a, obs, DIMS, NULL, &free_choice), "act");
    if (learning && ok[free_choice]) action = free_choice;
    if (rules) action = (int64_t)l->rule;
    if (free_choice != action) o->overrides++;
    if (learning) bench_ok(ctw_agent_set_action(a, action), "set_action");
    return action;
}

/* 1 when one of the watches alarms at the end of a block. */
static int alarmed(ctw_detector **d, const double *r)
{
    int any = 0;
    for (int i = 0; i < WATCHES; i++) {
        uint64_t used;
        int32_t alarm = 0;
        bench_ok(ctw_detector_push(d[i], r + i, 1, &used, &alarm), "push");
        any |= alarm;
    }
    return any;
}

/* Lives the held-out half with the change in its middle. */
static outcome live(agent_job *j, const ctw_agent *trained, lesson l, int64_t seed, int mode, const calibration *c,
                    const double *by)
{
    outcome o = {.delay = NAN};
    monitor m = {.n = 0};
    ctw_agent *a = restart_agent(j, trained, seed);
    ctw_detector *d[WATCHES];
    contest k = {.every = TRIAL};
    int64_t at = l.half / 2;
    int learning = mode == ALWAYS, retraining = 0;
    for (int i = 0; i < WATCHES; i++) d[i] = new_detector(j, c[i].mean, c[i].sd, c[i].limit);
    scaler_start(&l.w, 0);
    for (int64_t t = 0; t < l.half - 4; t++) {
        double value = 0.0, obs[DIMS], r[WATCHES];
        if (t == at) change(&l, by[0], by[1]);
        int rules = retraining && !agents_turn(&k);
        o.ruled += rules;
        if (mode == RULE)
            scaler_step(&l.w, scaler_hpa(&l.w, lesson_targets[l.rule], 20));
        else
            scaler_step(&l.w, lesson_want(&l, decide(a, &l, learning, rules, &o, &value)));
        scaler_count(t < at ? &o.before : &o.after, &l.w);
        lesson_look(&l, obs);
        if (learning) bench_ok(ctw_agent_learn(a, scaler_reward(&l.w), obs, DIMS, NULL, 0), "learn");
        int full = residual(&m, value, &l.w, l.nominal, r);
        if (retraining && proved(&k, &l.w)) {
            retraining = 0;
            o.returns++;
        }
        if (!full || mode != ON_ALARM || retraining || !alarmed(d, r)) continue;
        o.retrainings++;
        if (t < at) o.false_alarms++;
        if (t >= at && isnan(o.delay)) o.delay = (double)(t - at);
        k = (contest){.every = TRIAL};
        retraining = learning = 1;
    }
    ctw_agent_unref(a);
    for (int i = 0; i < WATCHES; i++) ctw_detector_unref(d[i]);
    return o;
}

static void put(agent_rows *r, int64_t seed, const outcome *o, int64_t half)
{
    agent_rows_put(r, seed, "before_reward", o->before.reward / o->before.steps);
    agent_rows_put(r, seed, "reward", o->after.reward / o->after.steps);
    agent_rows_put(r, seed, "violation_pct", scaler_violation_pct(&o->after));
    agent_rows_put(r, seed, "replicas", o->after.replicas / o->after.steps);
    agent_rows_put(r, seed, "delay_steps", o->delay);
    agent_rows_put(r, seed, "detected", !isnan(o->delay));
    agent_rows_put(r, seed, "false_alarms_per_240", o->false_alarms * 240.0 / (double)(half / 2));
    agent_rows_put(r, seed, "retrainings", o->retrainings);
    agent_rows_put(r, seed, "returns", o->returns);
    agent_rows_put(r, seed, "steps_ruled", o->ruled);
    agent_rows_put(r, seed, "overrides", o->overrides);
}

int agent_drift(agent_job *j)
{
    static const char *const names[] = {"agent", "frozen", "always", "rule_star"};
    static const int modes[] = {ON_ALARM, FROZEN, ALWAYS, RULE};
    int64_t n, episodes = j->episodes ? j->episodes : 1000;
    double *trace = scaler_trace(j->b, &n), reward = 0.0;
    const double by[2] = {bench_f64(j->b, "--slower", 3.0), bench_f64(j->b, "--tighter", 1.0)};
    int64_t half = n / 2;
    agent_rows rows[4];
    bench_no_more(j->b);
    size_t rule = best_rule(trace, 0, half, &reward);
    for (int k = 0; k < 4; k++)
        agent_rows_open(&rows[k], j->b, "drift", k < 3 ? "sarsa-over-hpa" : "hpa", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        lesson l = make_lesson(trace, 0, half, (uint64_t)s, 3);
        ctw_agent *a = lesson_agent(j, s, LESSON_SUPERVISE);
        l.shield = 1;
        l.rule = rule;
        l.careful = 1;
        lesson_run(j, a, &l, FREE_FROM, WINDOW, 1);
        l.careful = 0;
        lesson_run(j, a, &l, episodes - FREE_FROM, WINDOW, 1);
        calibration c[WATCHES];
        calibrate(j, a, &l, s, c);
        for (int k = 0; k < 4; k++) {
            lesson test = make_lesson(trace, half, half, (uint64_t)s, 79);
            test.shield = 1;
            test.rule = rule;
            outcome o = live(j, a, test, s, modes[k], c, by);
            put(&rows[k], s, &o, half);
        }
        ctw_agent_unref(a);
    }
    for (int k = 1; k < 4; k++)
        agent_rows_paired(&rows[0], &rows[k], "reward", k == 1 ? "over_frozen" : k == 2 ? "over_always" : "over_rule");
    for (int k = 0; k < 4; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
