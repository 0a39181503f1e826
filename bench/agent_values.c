/* agent_values.c: what a hierarchical prior over action values is worth to an unseen application (FLASH, Qiu et al.,
 * MLSys 2024). Each of 24 training applications gives the values that an agent of its own has learnt; their mean and
 * principal components are a prior (prior.h), and on a new application the values are the posterior given the decisions
 * lived so far (Bayesian LSTD). Rivals: the same learner without prior, the prior's mean as it is, one agent trained on
 * all 24 that learns on (shared), fixed and random targets. A decision is the HPA's target for five minutes. */
#include "agent_scaler.h"
#include <cybertwin/prior.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOLD = 20, WINDOW = 12, TARGETS = 7, CELLS = 24, WEIGHTS = TARGETS * CELLS, TRAIN = 24, LIVED = 20, EXAMS = 30 };
static const double targets[TARGETS] = {.40, .46, .52, .58, .64, .70, .78}, discount = 0.5;
static const int marks[] = {0, 1, 2, 5, 10, 20};
enum { MARKS = 6 };

typedef struct lesson {
    scaler w;
    uint64_t family, k;
    int64_t half, episode;
    int many; /* every episode another training application */
} lesson;

/* Application k of a family: service time 6..180 ms, SLO 4..12 of them, contention and price of its own. */
static scaler_app app_of(uint64_t family, uint64_t k)
{
    bench_rng g;
    scaler_app a = {.length_s = 120, .noise = .03, .weight = 5, .power = 1};
    bench_rng_seed(&g, family * 64 + k, 81);
    a.service_s = .006 * pow(30.0, bench_rng_u(&g));
    a.slo_s = a.service_s * (4.0 + 8.0 * bench_rng_u(&g));
    a.load = .02 / a.service_s * (.3 + 1.2 * bench_rng_u(&g));
    a.gap_s = 300 * pow(8.0, bench_rng_u(&g));
    a.worst = .2 + .4 * bench_rng_u(&g);
    a.price = .5 + 2.5 * bench_rng_u(&g);
    return a;
}

/* Four loads, three degrees of slowness, violating or not. */
static int64_t cell_of(const scaler *w)
{
    double busy = w->lambda * w->service_seen, slow = w->service_seen / w->app.service_s;
    int64_t load = busy < 2 ? 0 : busy < 6 ? 1 : busy < 18 ? 2 : 3;
    return (load * 3 + (slow < 1.15 ? 0 : slow < 1.5 ? 1 : 2)) * 2 + (w->violation > 0.01);
}

/* Five minutes under a target: reward over what the busy servers alone would cost. */
static double decide(scaler *w, int64_t action)
{
    double sum = 0.0, busy = 1e-9;
    for (int i = 0; i < HOLD; i++) {
        scaler_step(w, scaler_hpa(w, targets[action], 20));
        sum += scaler_reward(w);
        busy += w->app.price * (w->lambda * w->app.service_s + 0.5) / SCALER_MAX;
    }
    return sum / busy;
}

static int32_t begin(void *user, uint64_t lane, double *obs)
{
    lesson *l = user;
    (void)lane;
    if (l->many) l->w.app = app_of(l->family, (uint64_t)(l->episode++ % TRAIN));
    scaler_start(&l->w, bench_rng_below(&l->w.rng, l->half - HOLD * WINDOW - 1));
    obs[0] = (double)cell_of(&l->w);
    return CTW_ENV_RUNNING;
}

static int32_t go(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    lesson *l = user;
    (void)lanes;
    *reward = decide(&l->w, *action);
    obs[0] = (double)cell_of(&l->w);
    *state = CTW_ENV_RUNNING;
    return 0;
}

static void run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes)
{
    const agent_world w = {1, TARGETS, 1, begin, go, NULL, l};
    agent_live(j->b, a, &w, episodes, WINDOW, 1, NULL);
}

static ctw_agent *new_agent(agent_job *j, int64_t seed)
{
    static const char *const kv[] = {"form",          "tabular", "states",      "24",   "actions", "7",
                                     "algo",          "sarsa",   "gamma",       "0.5",  "alpha",   "0.1",
                                     "alpha_decay",   "0.005",   "epsilon",     "0.5",  "initial", "0",
                                     "epsilon_decay", "0.999",   "epsilon_min", "0.05", NULL};
    return agent_make(j->b, seed, kv);
}

/* Values by action, then cell. */
static void values_of(const ctw_agent *a, double *w)
{
    uint64_t n;
    bench_ok(ctw_agent_get_weights(a, w, WEIGHTS, &n), "weights");
}

static ctw_prior *new_prior(agent_job *j)
{
    ctw_params *o;
    ctw_prior *p;
    bench_ok(ctw_params_new(j->b->ctx, "prior", &o), "options");
    bench_ok(ctw_params_set_i64(o, "dims", WEIGHTS), "dims");
    bench_ok(ctw_params_set_f64(o, "noise", bench_f64(j->b, "--noise", 0.5)), "noise");
    bench_ok(ctw_prior_new(j->b->ctx, o, &p), "prior");
    ctw_params_unref(o);
    return p;
}

/* Every value around the mean one of training, independent of the others. */
static ctw_prior *flat_prior(agent_job *j, double mean)
{
    ctw_prior *p = new_prior(j);
    double w[WEIGHTS];
    for (int k = 0; k < 2 * WEIGHTS; k++) {
        for (int i = 0; i < WEIGHTS; i++) w[i] = mean;
        w[k / 2] += (k % 2 ? 3.0 : -3.0) * sqrt(WEIGHTS);
        bench_ok(ctw_prior_add(p, w, WEIGHTS), "add");
    }
    bench_ok(ctw_prior_fit(p), "fit");
    return p;
}

static int64_t best_at(const double *w, int64_t cell)
{
    int64_t best = 0;
    for (int64_t a = 1; a < TARGETS; a++)
        if (w[a * CELLS + cell] > w[best * CELLS + cell]) best = a;
    return best;
}

/* Mean reward of greedy values (else target `fixed`, -1 random) on windows that are the same for all. */
static double exam(const lesson *like, const double *w, int64_t fixed, uint64_t seed)
{
    double sum = 0.0, obs;
    lesson l = *like;
    bench_rng own;
    bench_rng_seed(&own, seed, 84);
    for (uint64_t e = 0; e < EXAMS; e++) {
        bench_rng_seed(&l.w.rng, seed * 1000 + e, 83);
        begin(&l, 0, &obs);
        for (int t = 0; t < WINDOW; t++)
            sum += decide(&l.w, w ? best_at(w, cell_of(&l.w)) : fixed >= 0 ? fixed : bench_rng_below(&own, TARGETS));
    }
    return sum / (EXAMS * WINDOW);
}

/* Lives LIVED episodes, the posterior of all decisions so far after each; exams at the marks. */
static void adapt(const ctw_prior *p, lesson *l, uint64_t seed, double *out)
{
    double *x = bench_alloc((size_t)(2 * LIVED * WINDOW * WEIGHTS), sizeof *x), *next = x + LIVED * WINDOW * WEIGHTS;
    double y[LIVED * WINDOW], w[WEIGHTS], obs;
    bench_rng own;
    uint64_t rows = 0;
    bench_rng_seed(&own, seed, 82);
    for (int e = 0, m = 0; e <= LIVED; e++) {
        bench_ok(ctw_prior_posterior(p, x, next, y, rows, WEIGHTS, WEIGHTS, discount, w), "posterior");
        if (marks[m] == e) out[m++] = exam(l, w, 0, seed);
        if (e == LIVED) break;
        begin(l, 0, &obs);
        for (int t = 0; t < WINDOW; t++, rows++) {
            int64_t cell = cell_of(&l->w), a = best_at(w, cell);
            if (bench_rng_u(&own) < 0.05) a = bench_rng_below(&own, TARGETS);
            x[rows * WEIGHTS + (uint64_t)(a * CELLS + cell)] = 1.0;
            if (t > 0) next[(rows - 1) * WEIGHTS + (uint64_t)(a * CELLS + cell)] = 1.0;
            y[rows] = decide(&l->w, a);
        }
        y[--rows] = 0.0; /* what would follow the last decision is not known: it is left out */
        memset(x + rows * WEIGHTS, 0, WEIGHTS * sizeof *x);
    }
    free(x);
}

/* The shared agent learns on, with a steady step. */
static void go_on(agent_job *j, const double *start, lesson *l, int64_t seed, double *out)
{
    static const char *const kv[] = {"form",    "tabular", "states",  "24",  "actions", "7",
                                     "algo",    "sarsa",   "gamma",   "0.5", "alpha",   "0.05",
                                     "epsilon", "0.05",    "initial", "0",   NULL};
    ctw_agent *a = agent_make(j->b, seed, kv);
    double w[WEIGHTS];
    bench_ok(ctw_agent_set_weights(a, start, WEIGHTS), "weights");
    for (int e = 0, m = 0; e <= LIVED; e++) {
        values_of(a, w);
        if (marks[m] == e) out[m++] = exam(l, w, 0, (uint64_t)seed);
        if (e < LIVED) run(j, a, l, 1);
    }
    ctw_agent_unref(a);
}

static void put(agent_rows *r, int64_t seed, const double *got, double best)
{
    static const char *const keys[] = {"loss_0", "loss_1", "loss_2", "loss_5", "loss_10", "loss_20"};
    for (int m = 0; m < MARKS; m++) agent_rows_put(r, seed, keys[m], 100.0 * (got[m] / best - 1.0));
}

enum { PRIOR, SCRATCH, SHARED, MEAN, BEST_FIXED, RANDOM, KINDS };

static void one_seed(agent_job *j, agent_rows *rows, const double *trace, int64_t half, int64_t seed, int64_t episodes)
{
    double w[WEIGHTS], shared[WEIGHTS], got[KINDS][MARKS], best = -INFINITY, level = 0.0;
    ctw_prior *p = new_prior(j);
    lesson l = {.w = {.trace = trace}, .half = half, .family = (uint64_t)seed};
    for (uint64_t k = 0; k <= TRAIN; k++) { /* the last one on all of them */
        ctw_agent *a = new_agent(j, seed * 32 + (int64_t)k);
        bench_rng_seed(&l.w.rng, (uint64_t)seed * 32 + k, 85);
        l.many = k == TRAIN;
        l.w.app = app_of(l.family, k);
        run(j, a, &l, l.many ? 4 * episodes : episodes);
        values_of(a, l.many ? shared : w);
        if (!l.many) bench_ok(ctw_prior_add(p, w, WEIGHTS), "add");
        for (int i = 0; !l.many && i < WEIGHTS; i++) level += w[i] / (TRAIN * WEIGHTS);
        ctw_agent_unref(a);
    }
    bench_ok(ctw_prior_fit(p), "fit");
    ctw_prior *flat = flat_prior(j, level);
    lesson test = {.w = {.trace = trace, .from = half, .app = app_of(9000 + (uint64_t)seed, 63)}, .half = half};
    bench_rng_seed(&test.w.rng, (uint64_t)seed, 86);
    lesson again = test, third = test;
    adapt(p, &test, (uint64_t)seed, got[PRIOR]);
    adapt(flat, &again, (uint64_t)seed, got[SCRATCH]);
    go_on(j, shared, &third, seed, got[SHARED]);
    bench_ok(ctw_prior_get(p, w, WEIGHTS, NULL, 0, NULL, NULL), "get");
    for (int64_t t = 0; t < TARGETS; t++) best = fmax(best, exam(&test, NULL, t, (uint64_t)seed));
    for (int m = 0; m < MARKS; m++) {
        got[MEAN][m] = m ? got[MEAN][0] : exam(&test, w, 0, (uint64_t)seed);
        got[BEST_FIXED][m] = best;
        got[RANDOM][m] = m ? got[RANDOM][0] : exam(&test, NULL, -1, (uint64_t)seed);
    }
    for (int k = 0; k < KINDS; k++) put(&rows[k], seed, got[k], best);
    ctw_prior_unref(p);
    ctw_prior_unref(flat);
}

int agent_values(agent_job *j)
{
    static const char *const names[KINDS] = {"agent", "scratch", "shared", "prior_mean", "best_fixed", "random"};
    int64_t n, episodes = j->episodes ? j->episodes : 1000;
    double *trace = scaler_trace(j->b, &n);
    agent_rows rows[KINDS];
    (void)bench_f64(j->b, "--noise", 0.5);
    bench_no_more(j->b);
    for (int k = 0; k < KINDS; k++) agent_rows_open(&rows[k], j->b, "values", "sarsa", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) one_seed(j, rows, trace, n / 2, s, episodes);
    agent_rows_paired(&rows[PRIOR], &rows[SHARED], "loss_0", "over_shared_0");
    agent_rows_paired(&rows[PRIOR], &rows[SHARED], "loss_10", "over_shared_10");
    agent_rows_paired(&rows[PRIOR], &rows[SCRATCH], "loss_10", "over_scratch_10");
    for (int k = 0; k < KINDS; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
