/* agent_aware.c: an agent that supervises a rule, after AWARE (Qiu et al., USENIX ATC 2023): it does not move replicas
 * but chooses the HPA's target and how long a recommendation holds. A shield overrules it where the queue is near
 * saturation; until it has proved itself (a high-confidence lower bound of its advantage on the training part) only
 * choices at least as careful as the rule's are open to it. Trained on the first half of the trace, tested on the
 * second. */
#include "agent_scaler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 240, FREE_FROM = 50 };
static const double targets[] = {.40, .44, .48, .52, .56, .60, .65, .70, .80};
enum { TARGETS = 9, ACTIONS = 2 * TARGETS, DIRECT = 7 };
static const int64_t memories[] = {20, 6};
static const double moves[DIRECT] = {-.25, -.1, 0, .1, .25, .6, 1.0};

typedef struct lesson {
    scaler w;
    int direct, shield, careful; /* careful: only what is at least as safe as the rule */
    size_t rule;                 /* the rule's target */
    int64_t half, fixed_start;   /* fixed_start >= 0: where every episode begins */
    scaler_tally all;
    double per_episode[4096];
    int64_t episode;
    scaler_tally now;
} lesson;

static double scale01(double v, double lo, double hi)
{
    return (v - lo) / (hi - lo);
}

/* Offered load, how slow the service is against its best, whether it violates, the load's trend and replicas at hand.
 */
static void look(const lesson *l, double *obs)
{
    const scaler *w = &l->w;
    double offered = w->lambda * w->service_seen;
    obs[0] = scale01(log2(offered + 0.25), -2.0, 7.0);
    obs[1] = scale01(w->service_seen / w->app.service_s, 1.0, 2.5);
    obs[2] = w->violation > 0.01 ? 0.9 : 0.1;
    obs[3] = l->direct ? offered / (double)scaler_replicas(w) / 1.4
                       : scale01(log((w->loads[0] + 1) / (w->loads[4] + 1)), -.4, .4);
}

static int near_saturation(const scaler *w)
{
    return w->lambda * w->service_seen / (double)scaler_replicas(w) > 0.85;
}

static void allowed_now(void *user, uint64_t lane, uint8_t *ok)
{
    lesson *l = user;
    (void)lane;
    for (size_t k = 0; k < (l->direct ? DIRECT : ACTIONS); k++) {
        size_t t = k % TARGETS;
        int safe = t <= l->rule && k < TARGETS;
        ok[k] = (uint8_t)(l->direct || safe || !(l->careful || (l->shield && near_saturation(&l->w))));
    }
}

static int64_t want_of(lesson *l, int64_t action)
{
    scaler *w = &l->w;
    if (!l->direct) return scaler_hpa(w, targets[action % TARGETS], memories[action / TARGETS]);
    int64_t now = scaler_replicas(w), by = (int64_t)lround((double)now * moves[action]);
    if (moves[action] > 0 && by < 1) by = 1;
    if (moves[action] < 0 && by > -1) by = -1;
    return now + by;
}

static int32_t begin(void *user, uint64_t lane, double *obs)
{
    lesson *l = user;
    (void)lane;
    scaler_start(&l->w, l->fixed_start >= 0 ? l->fixed_start : bench_rng_below(&l->w.rng, l->half - WINDOW - 1));
    l->now = (scaler_tally){.steps = 0};
    look(l, obs);
    return CTW_ENV_RUNNING;
}

static int32_t go(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    lesson *l = user;
    (void)lanes;
    scaler_step(&l->w, want_of(l, *action));
    scaler_count(&l->all, &l->w);
    scaler_count(&l->now, &l->w);
    look(l, obs);
    *reward = scaler_reward(&l->w);
    *state = CTW_ENV_RUNNING;
    return 0;
}

static const scaler_app app0 = {.service_s = .02,
                                .slo_s = .2,
                                .gap_s = 600,
                                .length_s = 120,
                                .worst = .5,
                                .noise = .03,
                                .load = 1,
                                .price = 1,
                                .weight = 5,
                                .power = 1};

static lesson make_lesson(const double *trace, int64_t from, int64_t half, uint64_t seed, uint64_t stream)
{
    lesson l = {.w = {.app = app0, .trace = trace, .from = from}, .half = half, .fixed_start = -1};
    bench_rng_seed(&l.w.rng, seed, stream);
    return l;
}

/* The rule alone over `steps` steps from `start`. */
static scaler_tally rule_over(lesson l, size_t target, int64_t memory, int64_t start, int64_t steps)
{
    scaler_tally t = {.steps = 0};
    scaler_start(&l.w, start);
    for (int64_t i = 0; i < steps; i++) {
        scaler_step(&l.w, scaler_hpa(&l.w, targets[target], memory));
        scaler_count(&t, &l.w);
    }
    return t;
}

/* The fixed target that earns most on the half that begins at `from`: on the training half that is rule*. */
static size_t best_rule(const double *trace, int64_t from, int64_t half, double *reward)
{
    size_t best = 0;
    for (size_t k = 0; k < TARGETS; k++) {
        double sum = 0.0;
        for (uint64_t s = 0; s < 20; s++) {
            scaler_tally t = rule_over(make_lesson(trace, from, half, 9000 + s, 1), k, 20, 0, half - 1);
            sum += t.reward / t.steps / 20.0;
        }
        if (k == 0 || sum > *reward) {
            *reward = sum;
            best = k;
        }
    }
    return best;
}

/* Random choices of the rule's settings. */
static scaler_tally random_over(lesson l, int64_t steps)
{
    scaler_tally t = {.steps = 0};
    scaler_start(&l.w, 0);
    for (int64_t i = 0; i < steps; i++) {
        scaler_step(&l.w, want_of(&l, bench_rng_below(&l.w.rng, ACTIONS)));
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

static ctw_agent *new_agent(agent_job *j, int64_t seed, int direct)
{
    static const char *const sup[] = {
        "form",          "linear", "actions",     "18",   "algo",        "sarsa",  "gamma",   "0.8",
        "lambda",        "0.8",    "alpha",       "0.05", "alpha_decay", "0.0025", "epsilon", "0.2",
        "epsilon_decay", "0.997",  "epsilon_min", "0.01", "initial",     "-0.6",   NULL};
    static const char *const dir[] = {
        "form",          "linear", "actions",     "7",    "algo",        "sarsa",  "gamma",   "0.9",
        "lambda",        "0.8",    "alpha",       "0.2",  "alpha_decay", "0.0025", "epsilon", "0.2",
        "epsilon_decay", "0.997",  "epsilon_min", "0.01", "initial",     "-3",     NULL};
    static const double lo[4] = {0, 0, 0, 0}, hi[4] = {1, 1, 1, 1};
    static const int64_t small[4] = {4, 4, 2, 1}, wide[4] = {3, 3, 2, 12};
    ctw_agent *a = agent_make(j->b, seed, direct ? dir : sup);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, direct ? wide : small, 4);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

static void run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes, int64_t steps, int learn)
{
    ctw_env *env;
    bench_ok(ctw_env_new(j->b->ctx, 4, l->direct ? DIRECT : ACTIONS, 1, begin, go, allowed_now, l, &env), "env");
    bench_ok(ctw_agent_run(a, env, episodes, steps, learn, NULL, NULL), "run");
    ctw_env_unref(env);
}

static scaler_tally test(agent_job *j, ctw_agent *a, const lesson *like, int64_t from, int64_t seed)
{
    lesson l = *like;
    l.w.from = from;
    l.fixed_start = 0;
    l.careful = 0;
    l.all = (scaler_tally){.steps = 0};
    bench_rng_seed(&l.w.rng, (uint64_t)seed, 77);
    run(j, a, &l, 1, l.half - 1, 0);
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
        run(j, a, &l, 1, WINDOW, 0);
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
static scaler_tally deployed(agent_job *j, ctw_agent *a, const lesson *l, int64_t from, int64_t seed, int accepted)
{
    lesson r = make_lesson(l->w.trace, from, l->half, (uint64_t)seed, 77);
    return accepted ? test(j, a, l, from, seed) : rule_over(r, l->rule, 20, 0, l->half - 1);
}

static void one_seed(agent_job *j, agent_rows *rows, const double *trace, int64_t half, size_t rule, double rule_reward,
                     int64_t seed, int64_t episodes, int direct, int shield)
{
    lesson l = make_lesson(trace, 0, half, (uint64_t)seed, 3);
    ctw_agent *a = new_agent(j, seed, direct);
    l.direct = direct;
    l.shield = shield;
    l.rule = rule;
    l.careful = shield;
    run(j, a, &l, FREE_FROM, WINDOW, 1);
    agent_rows_put(rows, seed, "first50_violation_pct", scaler_violation_pct(&l.all));
    l.careful = 0;
    run(j, a, &l, episodes - FREE_FROM, WINDOW, 1);
    double bound = direct ? 0.0 : advantage(j, a, &l, seed, 400, 0.05);
    int accepted = direct || bound > -0.01 * fabs(rule_reward);
    scaler_tally t = deployed(j, a, &l, 0, seed, accepted);
    put(rows, seed, "train_reward", "train_violation_pct", "train_replicas", &t);
    t = deployed(j, a, &l, half, seed, accepted);
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
        agent_rows_put(&rows[1], s, "target", targets[rule]);
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
        agent_rows_put(&rows[5], s, "target", targets[hindsight]);
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
