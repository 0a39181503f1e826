/* agent_simppo.c: N tenants share a pool of 8 N slots; above 70 % allocation everybody slows down. Each tenant's choice
 * of replicas is one lane of one agent with shared weights, and sees the others only through the pool's allocation and
 * their mean last move: the mean field of SIMPPO (Qiu et al., SoCC 2022) and of Mao, Qiu et al. (NeurIPS 2022). Beside
 * it: independent agents that see only themselves, one tenant alone, and an HPA. */
#include "agent.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOVES = 5, DIMS = 5, STEPS = 200, TENANTS = 1024, TOP = 24 };
static const int64_t moves[MOVES] = {-2, -1, 0, 1, 3};

typedef struct pool {
    bench_rng rng;
    uint64_t n;
    double slots, share;
    int alone; /* features without the mean field */
    double base[TENANTS], backlog[TENANTS], violation[TENANTS], util[TENANTS], reward[TENANTS];
    int64_t count[TENANTS], last[TENANTS];
    double sum_moves;
    double all, newcomer, others, steps; /* rewards so far */
} pool;

static double erlang_c(int64_t c, double a)
{
    double b = 1.0, rho = a / (double)c;
    for (int64_t k = 1; k <= c; k++) b = a * b / ((double)k + a * b);
    return b / (1.0 - rho + rho * b);
}

/* P(response > 0.8 s) at service rate mu. */
static double tail(int64_t c, double lambda, double mu, double backlog)
{
    double left = 0.8 - backlog / ((double)c * mu), a = lambda / mu;
    if (left <= 0.0) return 1.0;
    if (a >= 0.995 * (double)c) a = 0.995 * (double)c;
    double waits = backlog > 0.0 ? 1.0 : erlang_c(c, a), k = (double)c - 1.0 - a, e = exp(-mu * left);
    double p = fabs(k) < 1e-9 ? e * (1.0 + waits * mu * left) : e * (1.0 + waits * (1.0 - exp(-mu * left * k)) / k);
    return p < 0.0 ? 0.0 : p > 1.0 ? 1.0 : p;
}

static double service_rate(const pool *w)
{
    return 10.0 / (1.0 + 3.6 * (w->share > 0.7 ? w->share - 0.7 : 0.0));
}

static void settle(pool *w)
{
    int64_t total = 0;
    w->sum_moves = 0.0;
    for (uint64_t i = 0; i < w->n; i++) total += w->count[i];
    w->share = (double)total / w->slots;
    double mu = service_rate(w);
    for (uint64_t i = 0; i < w->n; i++) {
        double cap = (double)w->count[i] * mu * 5.0, arrive = w->base[i] * 5.0, before = w->backlog[i];
        double served = before + arrive < cap ? before + arrive : cap, after = before + arrive - served;
        after = after < 1e-9 ? 0.0 : after > 200.0 ? 200.0 : after;
        double mean = 0.5 * (before + after);
        w->violation[i] = tail(w->count[i], w->base[i], mu, mean > 0.5 ? mean : 0.0);
        w->backlog[i] = after;
        w->util[i] = served / cap;
        w->reward[i] = -(4.0 * w->violation[i] + (double)w->count[i] / 12.0);
        w->sum_moves += (double)moves[w->last[i]];
    }
}

static void begin_tenant(pool *w, uint64_t i)
{
    w->base[i] = 10.0 + 30.0 * bench_rng_u(&w->rng);
    w->count[i] = 5;
    w->backlog[i] = 0.0;
    w->last[i] = 2;
}

static void look(const pool *w, uint64_t i, double *x)
{
    double others = w->n > 1 ? (w->sum_moves - (double)moves[w->last[i]]) / (double)(w->n - 1) : 0.0;
    x[0] = w->base[i] * 0.1 / (double)w->count[i];
    x[1] = w->backlog[i] > 0.0 ? 0.9 : w->violation[i] > 0.01 ? 0.5 : 0.1;
    x[2] = w->util[i];
    x[3] = w->alone ? 0.0 : w->share;
    x[4] = w->alone ? 0.0 : others;
}

static void move(pool *w, uint64_t i, int64_t action)
{
    int64_t c = w->count[i] + moves[action];
    w->count[i] = c < 1 ? 1 : c > TOP ? TOP : c;
    w->last[i] = action;
}

static void pass(pool *w)
{
    for (uint64_t i = 0; i < w->n; i++) {
        double b = w->base[i] + 2.0 * bench_rng_normal(&w->rng) + 0.05 * (25.0 - w->base[i]);
        w->base[i] = b < 5.0 ? 5.0 : b > 60.0 ? 60.0 : b;
    }
    settle(w);
    for (uint64_t i = 0; i < w->n; i++) {
        w->all += w->reward[i];
        if (i + 1 == w->n)
            w->newcomer += w->reward[i];
        else
            w->others += w->reward[i];
    }
    w->steps++;
}

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    pool *w = user;
    begin_tenant(w, lane);
    settle(w);
    look(w, lane, obs);
    return CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    pool *w = user;
    for (uint64_t i = 0; i < lanes; i++) move(w, i, action[i]);
    pass(w);
    for (uint64_t i = 0; i < lanes; i++) {
        look(w, i, obs + DIMS * i);
        reward[i] = w->reward[i];
        state[i] = CTW_ENV_RUNNING;
    }
    return 0;
}

static pool *new_pool(uint64_t n, uint64_t seed, int alone)
{
    pool *w = bench_alloc(1, sizeof *w);
    w->n = n;
    w->slots = 8.0 * (double)n;
    w->alone = alone;
    bench_rng_seed(&w->rng, seed, 5);
    for (uint64_t i = 0; i < n; i++) begin_tenant(w, i);
    settle(w);
    return w;
}

/* One learner for `share` tenants: schedules count episodes of all of them. Lanes of one step are in much the same
 * state, so their updates add up on the same tiles: from 8 tenants on the step is shared among them. Without that one
 * run of 20 with 64 tenants ended in the state where everybody asks for more. Allocations below .6, which harm nobody,
 * read as .6: a pool emptier than any seen in training is then nothing new. Three coarse bins above that: with six, one
 * run of ten with 64 tenants was slow to leave that state (chosen on seeds 100..109). */
static ctw_agent *learner(agent_job *j, int64_t seed, uint64_t share, int alone)
{
    static const double lo[DIMS] = {0, 0, 0, 0.6, -2}, hi[DIMS] = {1.2, 1, 1, 1.6, 3};
    const int64_t bins[DIMS] = {10, 3, 8, alone ? 1 : 3, alone ? 1 : 3};
    char eps[32], alpha[32], step[32];
    snprintf(step, sizeof step, "%.17g", share > 8 ? 0.8 / (double)share : share > 1 ? 0.1 : 0.2);
    snprintf(eps, sizeof eps, "%.17g", exp(-1.0 / ((share > 1 ? 20.0 : 80.0) * (double)share)));
    snprintf(alpha, sizeof alpha, "%.17g", (share > 1 ? 0.03 : 0.01) / (double)share);
    const char *const kv[] = {"form",          "linear", "actions",     "5",           "algo",    "sarsa",   "gamma",
                              "0.8",           "alpha",  step,          "alpha_decay", alpha,     "epsilon", "0.2",
                              "epsilon_decay", eps,      "epsilon_min", "0.01",        "initial", "-1",      NULL};
    ctw_agent *a = agent_make(j->b, seed, kv);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, bins, DIMS);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

/* `episodes` of every tenant; the mean reward a tenant and step. */
static double run_shared(agent_job *j, ctw_agent *a, pool *w, int64_t episodes, int learn)
{
    const agent_world pooled = {DIMS, MOVES, w->n, reset, step, NULL, w};
    w->all = w->newcomer = w->others = w->steps = 0.0;
    agent_live(j->b, a, &pooled, episodes * (int64_t)w->n, STEPS, learn, NULL);
    return w->all / (w->steps * (double)w->n);
}

/* Agents that know nothing of each other, one a tenant, through act and learn. */
static double run_independent(ctw_agent **a, pool *w, int64_t episodes, int learn)
{
    double x[DIMS];
    int64_t action;
    w->all = w->steps = 0.0;
    for (int64_t e = 0; e < episodes; e++) {
        for (uint64_t i = 0; i < w->n; i++) begin_tenant(w, i);
        settle(w);
        for (int t = 0; t < STEPS; t++) {
            for (uint64_t i = 0; i < w->n; i++) {
                look(w, i, x);
                if (learn)
                    bench_ok(ctw_agent_act(a[i], x, DIMS, NULL, &action), "act");
                else
                    bench_ok(ctw_agent_greedy(a[i], x, DIMS, NULL, &action, NULL), "greedy");
                move(w, i, action);
            }
            pass(w);
            for (uint64_t i = 0; learn && i < w->n; i++) {
                look(w, i, x);
                bench_ok(ctw_agent_learn(a[i], w->reward[i], x, DIMS, NULL, 0), "learn");
            }
        }
        for (uint64_t i = 0; learn && i < w->n; i++) bench_ok(ctw_agent_end_episode(a[i]), "end_episode");
    }
    return w->all / (w->steps * (double)w->n);
}

typedef struct wants {
    int64_t want[TENANTS][20];
} wants;

/* kind 0: HPA at `target`; 1: random moves; 2: each tenant's best count for the load it will see, at the present speed.
 */
static double run_fixed(pool *w, int64_t episodes, int kind, double target)
{
    wants *h = bench_alloc(1, sizeof *h);
    w->all = w->steps = 0.0;
    for (int64_t e = 0; e < episodes; e++) {
        memset(h, 0, sizeof *h);
        for (uint64_t i = 0; i < w->n; i++) begin_tenant(w, i);
        settle(w);
        for (int t = 0; t < STEPS; t++) {
            for (uint64_t i = 0; i < w->n; i++) {
                int64_t now = w->count[i], want = now, top = 0;
                double ratio = w->util[i] / target, best = INFINITY;
                if (kind == 0 && fabs(ratio - 1.0) > 0.1) want = (int64_t)ceil((double)now * ratio);
                h->want[i][t % 20] = want;
                for (int k = 0; k < 20; k++) top = h->want[i][k] > top ? h->want[i][k] : top;
                if (kind == 0 && want < now) want = top < now ? top : now;
                if (kind == 1) want = now + moves[bench_rng_below(&w->rng, MOVES)];
                for (int64_t c = 1; kind == 2 && c <= TOP; c++) {
                    double cost = 4.0 * tail(c, w->base[i], service_rate(w), w->backlog[i]) + (double)c / 12.0;
                    if (cost < best) {
                        best = cost;
                        want = c;
                    }
                }
                w->count[i] = want < 1 ? 1 : want > TOP ? TOP : want;
            }
            pass(w);
        }
    }
    free(h);
    return w->all / (w->steps * (double)w->n);
}

static double isolated(agent_job *j, int64_t seed, int64_t episodes)
{
    pool *w = new_pool(1, (uint64_t)seed, 1);
    ctw_agent *a = learner(j, seed, 1, 1);
    run_shared(j, a, w, episodes, 1);
    double r = run_shared(j, a, w, 100, 0);
    ctw_agent_unref(a);
    free(w);
    return r;
}

/* A tenant joins the trained ones: everybody goes on learning for 20 episodes. */
static void join(agent_job *j, agent_rows *rows, ctw_agent *a, int64_t seed, uint64_t n, double before, double alone)
{
    pool *w = new_pool(n + 1, (uint64_t)seed + 500, 0);
    run_shared(j, a, w, 20, 1);
    agent_rows_put(rows, seed, "newcomer_loss_pct", 100.0 * (w->newcomer / w->steps / alone - 1.0));
    agent_rows_put(rows, seed, "others_loss_pct", 100.0 * (w->others / (w->steps * (double)n) / before - 1.0));
    free(w);
}

/* A quarter of the tenants leave; kept: their slots stay in the pool, else they go with them. The others go on: what
 * they lose in the first 20 episodes, and in the next 20. */
static void leave(agent_job *j, ctw_agent *a, int64_t seed, uint64_t n, double before, int kept, double *loss)
{
    uint64_t left = n - n / 4;
    pool *w = new_pool(left, (uint64_t)seed + 700, 0);
    if (kept) w->slots = 8.0 * (double)n;
    for (int k = 0; k < 2; k++) loss[k] = 100.0 * (run_shared(j, a, w, 20, 1) / before - 1.0);
    free(w);
}

static void shared_row(agent_job *j, agent_rows *rows, int64_t seed, uint64_t n, int64_t episodes, double alone)
{
    pool *w = new_pool(n, (uint64_t)seed, 0);
    ctw_agent *a = learner(j, seed, n, 0);
    run_shared(j, a, w, 100, 1);
    agent_rows_put(rows, seed, "reward_101_200", run_shared(j, a, w, 100, 1));
    double t = bench_cpu_s(), last = run_shared(j, a, w, episodes - 200, 1);
    agent_rows_put(rows, seed, "steps_per_s", (double)((episodes - 200) * STEPS) * (double)n / (bench_cpu_s() - t));
    double r = run_shared(j, a, w, 20, 0);
    agent_rows_put(rows, seed, "reward", r);
    agent_rows_put(rows, seed, "loss_vs_isolated_pct", 100.0 * (r / alone - 1.0));
    for (int kept = 0; n >= 4 && kept < 2; kept++) {
        double loss[2];
        leave(j, a, seed, n, last, kept, loss);
        agent_rows_put(rows, seed, kept ? "left_slots_loss_pct" : "left_loss_pct", loss[0]);
        agent_rows_put(rows, seed, kept ? "left_slots_then_pct" : "left_then_pct", loss[1]);
    }
    if (n < TENANTS) join(j, rows, a, seed, n, last, alone);
    ctw_agent_unref(a);
    free(w);
}

static void independent_row(agent_job *j, agent_rows *rows, int64_t seed, uint64_t n, int64_t episodes)
{
    pool *w = new_pool(n, (uint64_t)seed, 1);
    ctw_agent **a = bench_alloc(n, sizeof(ctw_agent *));
    for (uint64_t i = 0; i < n; i++) a[i] = learner(j, seed * 4096 + (int64_t)i, 1, 1);
    run_independent(a, w, 100, 1);
    agent_rows_put(rows, seed, "reward_101_200", run_independent(a, w, 100, 1));
    run_independent(a, w, episodes - 200, 1);
    agent_rows_put(rows, seed, "reward", run_independent(a, w, 20, 0));
    for (uint64_t i = 0; i < n; i++) ctw_agent_unref(a[i]);
    free(a);
    free(w);
}

static double best_target(uint64_t n)
{
    static const double targets[] = {.5, .55, .6, .65, .7, .75, .8, .85, .9};
    double best = 0.7, top = -INFINITY;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        pool *w = new_pool(n, 424242, 0);
        double r = run_fixed(w, 10, 0, targets[i]);
        if (r > top) {
            top = r;
            best = targets[i];
        }
        free(w);
    }
    return best;
}

int agent_simppo(agent_job *j)
{
    static const char *const fixed[] = {"rule_star", "random", "oracle"};
    int64_t n = bench_i64(j->b, "--tenants", 16), episodes = j->episodes ? j->episodes : 400;
    int lone = !bench_flag(j->b, "--no-independent");
    agent_rows rows[3];
    bench_no_more(j->b);
    if (n < 1 || n > TENANTS || episodes <= 200) bench_die(2, "--tenants 1..%d, --episodes above 200", TENANTS);
    agent_rows_open(&rows[0], j->b, "simppo", "sarsa-mean-field", "agent", j->first, j->last);
    agent_rows_open(&rows[1], j->b, "simppo", "sarsa-independent", "independent", j->first, j->last);
    agent_rows_open(&rows[2], j->b, "simppo", "sarsa", "isolated", j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        double alone = isolated(j, s, episodes);
        agent_rows_put(&rows[2], s, "reward", alone);
        shared_row(j, &rows[0], s, (uint64_t)n, episodes, alone);
        if (lone) independent_row(j, &rows[1], s, (uint64_t)n, episodes);
    }
    for (int k = 0; k < 3; k++)
        if (lone || k != 1) agent_rows_print(&rows[k]);
    double target = best_target((uint64_t)n);
    for (int k = 0; k < 3; k++) {
        agent_rows_open(&rows[0], j->b, "simppo", k ? "fixed" : "hpa", fixed[k], j->first, j->last);
        for (int64_t s = j->first; s <= j->last; s++) {
            pool *w = new_pool((uint64_t)n, (uint64_t)s, 0);
            agent_rows_put(&rows[0], s, "reward", run_fixed(w, 20, k, target));
            free(w);
        }
        agent_rows_print(&rows[0]);
    }
    return 0;
}
