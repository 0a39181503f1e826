/* agent_lesson.c: the supervised autoscaler as an environment. */
#include "agent_lesson.h"
#include <math.h>

const double lesson_targets[TARGETS] = {.40, .44, .48, .52, .56, .60, .65, .70, .80};
const int64_t lesson_memories[2] = {20, 6};

static double scale01(double v, double lo, double hi)
{
    return (v - lo) / (hi - lo);
}

/* Offered load, how slow the service is against its best, whether it violates, the load's trend and replicas at hand.
 */
void lesson_look(const lesson *l, double *obs)
{
    const scaler *w = &l->w;
    double offered = w->lambda * w->service_seen;
    obs[0] = scale01(log2(offered + 0.25), -2.0, 7.0);
    obs[1] = scale01(w->service_seen / l->nominal, 1.0, 2.5);
    obs[2] = w->violation > 0.01 ? 0.9 : 0.1;
    obs[3] = l->direct ? offered / (double)scaler_replicas(w) / 1.4
                       : scale01(log((w->loads[0] + 1) / (w->loads[4] + 1)), -.4, .4);
}

static int near_saturation(const scaler *w)
{
    return w->lambda * w->service_seen / (double)scaler_replicas(w) > 0.85;
}

void lesson_mask(void *user, uint64_t lane, uint8_t *ok)
{
    lesson *l = user;
    (void)lane;
    for (size_t k = 0; k < (l->direct ? DIRECT : ACTIONS); k++) {
        size_t t = k % TARGETS;
        int safe = t <= l->rule && k < TARGETS;
        ok[k] = (uint8_t)(l->direct || safe || !(l->careful || (l->shield && near_saturation(&l->w))));
    }
}

int64_t lesson_want(lesson *l, int64_t action)
{
    scaler *w = &l->w;
    if (!l->direct) return scaler_hpa(w, lesson_targets[action % TARGETS], lesson_memories[action / TARGETS]);
    return scaler_moved(w, action);
}

static int32_t begin(void *user, uint64_t lane, double *obs)
{
    lesson *l = user;
    (void)lane;
    scaler_start(&l->w, l->fixed_start >= 0 ? l->fixed_start : bench_rng_below(&l->w.rng, l->half - WINDOW - 1));
    lesson_look(l, obs);
    return CTW_ENV_RUNNING;
}

static int32_t go(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    lesson *l = user;
    (void)lanes;
    l->shielded += !l->direct && (l->careful || (l->shield && near_saturation(&l->w)));
    scaler_step(&l->w, lesson_want(l, *action));
    scaler_count(&l->all, &l->w);
    lesson_look(l, obs);
    *reward = scaler_reward(&l->w);
    *state = CTW_ENV_RUNNING;
    return 0;
}

lesson make_lesson(const double *trace, int64_t from, int64_t half, uint64_t seed, uint64_t stream)
{
    lesson l = {.w = {.app = scaler_usual, .trace = trace, .from = from},
                .nominal = scaler_usual.service_s,
                .half = half,
                .fixed_start = -1};
    bench_rng_seed(&l.w.rng, seed, stream);
    return l;
}

/* The rule alone over `steps` steps from `start`. */
scaler_tally rule_over(lesson l, size_t target, int64_t memory, int64_t start, int64_t steps)
{
    scaler_tally t = {.steps = 0};
    scaler_start(&l.w, start);
    for (int64_t i = 0; i < steps; i++) {
        scaler_step(&l.w, scaler_hpa(&l.w, lesson_targets[target], memory));
        scaler_count(&t, &l.w);
    }
    return t;
}

/* The fixed target that earns most on the half that begins at `from`: on the training half that is rule*. */
size_t best_rule(const double *trace, int64_t from, int64_t half, double *reward)
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

ctw_agent *lesson_agent(agent_job *j, int64_t seed, int kind)
{
    static const char *const sup[] = {
        "form",          "linear", "actions",     "18",   "algo",        "sarsa",  "gamma",   "0.8",
        "lambda",        "0.8",    "alpha",       "0.05", "alpha_decay", "0.0025", "epsilon", "0.2",
        "epsilon_decay", "0.997",  "epsilon_min", "0.01", "initial",     "-0.6",   NULL};
    static const char *const dir[] = {
        "form",          "linear", "actions",     "7",    "algo",        "sarsa",  "gamma",   "0.9",
        "lambda",        "0.8",    "alpha",       "0.2",  "alpha_decay", "0.0025", "epsilon", "0.2",
        "epsilon_decay", "0.997",  "epsilon_min", "0.01", "initial",     "-3",     NULL};
    static const char *const on[] = {"form",    "linear", "actions", "18",   "algo",  "sarsa",
                                     "gamma",   "0.8",    "lambda",  "0.8",  "alpha", "0.05",
                                     "epsilon", "0.02",   "initial", "-0.6", NULL};
    static const double lo[4] = {0, 0, 0, 0}, hi[4] = {1, 1, 1, 1};
    static const int64_t small[4] = {4, 4, 2, 1}, wide[4] = {3, 3, 2, 12};
    ctw_agent *a = agent_make(j->b, seed, kind == LESSON_DIRECT ? dir : kind == LESSON_ON ? on : sup);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, kind == LESSON_DIRECT ? wide : small, 4);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

void lesson_run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes, int64_t steps, int learn)
{
    const agent_world w = {4, l->direct ? DIRECT : ACTIONS, 1, begin, go, lesson_mask, l};
    agent_live(j->b, a, &w, episodes, steps, learn, NULL);
}
