/* agent_svcnet.c: the world of services (svcnet.h) as a ctw_env: each service is a lane of one agent with shared
 * weights that sets the target of that service's HPA. A lane's reward is the cost of its replicas and its share (by
 * time spent) of the violations of whole requests. Beside it rule* (one target for all, chosen on the training half),
 * random targets and an oracle that knows the next loads and service rates. `--events`: tested on the simulated form.
 */
#include "agent_scaler.h"
#include "svcnet.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TARGETS = 7, DIMS = 4, WINDOW = 120, MEMORY = 20 };
static const double targets[TARGETS] = {.35, .42, .50, .58, .66, .74, .82};

typedef struct world {
    svcnet w;
    double nominal[SVC_NODES];
    int64_t half, wants[SVC_NODES][MEMORY], n;
    uint64_t episodes, seed;
    bench_rng own;
    double reward, steps, late, lambda, replicas;
} world;

static void begin_at(world *x, int64_t at)
{
    svcnet_start(&x->w, at, x->seed * 100000 + x->episodes++);
    memset(x->wants, 0, sizeof x->wants);
    for (size_t j = 0; j < x->w.d.n; j++) x->nominal[j] = svcnet_service_s(&x->w, j, 0.0);
    x->n = 0;
}

/* The HPA of service j: 10 % tolerance, scaling down to the largest recommendation of 300 s. */
static int64_t hpa(world *x, size_t j, double target)
{
    int64_t now = svcnet_replicas(&x->w, j), want = now, top = 0;
    double ratio = x->w.seen[j].util / target;
    if (x->w.backlog[j] > 1.0) ratio = ratio > 1.3 ? ratio : 1.3; /* a queue: use stops at 1 and says too little */
    if (fabs(ratio - 1.0) > 0.1) want = (int64_t)ceil((double)x->w.ready[j] * ratio - 1e-9);
    x->wants[j][x->n % MEMORY] = want;
    for (int k = 0; k < MEMORY; k++) top = x->wants[j][k] > top ? x->wants[j][k] : top;
    return want < now ? (top < now ? top : now) : want;
}

static void look(const world *x, size_t j, double *obs)
{
    const svc_seen *s = &x->w.seen[j];
    obs[0] = (log2(s->lambda * s->service_s + 0.25) + 2.0) / 8.0;
    obs[1] = (s->service_s / x->nominal[j] - 1.0) / 1.5;
    obs[2] = x->w.violation > 0.02 ? 0.9 : 0.1;
    obs[3] = x->w.mean_s > 0.0 ? s->sojourn_s / x->w.mean_s : 0.0;
}

static double reward_of(const world *x, size_t j, const double *visits)
{
    double all = 0.0, part = visits[j] * x->w.seen[j].sojourn_s;
    for (size_t i = 0; i < x->w.d.n; i++) all += visits[i] * x->w.seen[i].sojourn_s;
    return -(5.0 * x->w.violation * part / (all > 0.0 ? all : 1.0) + (double)svcnet_replicas(&x->w, j) / 150.0);
}

static void count(world *x)
{
    double visits[SVC_NODES];
    svcnet_visits(&x->w.d, visits);
    for (size_t j = 0; j < x->w.d.n; j++) {
        x->reward += reward_of(x, j, visits);
        x->replicas += (double)svcnet_replicas(&x->w, j);
    }
    x->late += x->w.violation * x->w.lambda;
    x->lambda += x->w.lambda;
    x->steps++;
}

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    world *x = user;
    if (lane == 0) begin_at(x, bench_rng_below(&x->own, x->half - WINDOW - 2));
    look(x, lane, obs);
    return CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *x = user;
    int64_t want[SVC_NODES];
    double visits[SVC_NODES];
    svcnet_visits(&x->w.d, visits);
    for (uint64_t j = 0; j < lanes; j++) want[j] = hpa(x, j, targets[action[j]]);
    x->n++;
    svcnet_step(&x->w, want);
    for (uint64_t j = 0; j < lanes; j++) {
        look(x, j, obs + j * DIMS);
        reward[j] = reward_of(x, j, visits);
        state[j] = CTW_ENV_RUNNING;
    }
    return 0;
}

static world new_world(const char *name, const double *trace, int64_t from, int64_t half, double load, uint64_t seed)
{
    world x = {.w = {.trace = trace, .from = from, .load = load, .power = 1}, .half = half, .seed = seed};
    if (!svcnet_design(name, &x.w.d)) bench_die(2, "no topology %s", name);
    x.w.d.off_s = 600; /* contention now and then, for two minutes */
    x.w.d.on_s = 120;
    x.w.d.most = .7;
    bench_rng_seed(&x.own, seed, 91);
    return x;
}

/* Least replicas at which each service is used `use` at the largest of the next three loads and its present rate. */
static int64_t foresee(const world *x, size_t j, const double *visits, double use)
{
    double top = 0.0;
    for (int k = 1; k <= 3; k++) top = fmax(top, x->w.trace[x->w.from + x->w.t + k] * x->w.load);
    return (int64_t)ceil(top * visits[j] * x->w.seen[j].service_s / use +
                         x->w.backlog[j] * x->w.seen[j].service_s / 30.0);
}

/* A whole half under the agent, else one target (>= 0), random targets (-1), the oracle (-2). */
static void live(world *x, ctw_agent *a, int target)
{
    double visits[SVC_NODES], obs[DIMS];
    svcnet_visits(&x->w.d, visits);
    begin_at(x, 0);
    for (int64_t t = 0; t < x->half - 5; t++) {
        int64_t want[SVC_NODES], action = target;
        for (size_t j = 0; j < x->w.d.n; j++) {
            look(x, j, obs);
            if (a) bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &action, NULL), "greedy");
            if (target == -1 && !a) action = bench_rng_below(&x->own, TARGETS);
            want[j] = target == -2 ? foresee(x, j, visits, .6) : hpa(x, j, targets[action]);
        }
        x->n++;
        svcnet_step(&x->w, want);
        count(x);
    }
}

static ctw_agent *train(agent_job *j, world *x, int64_t seed, int64_t episodes)
{
    static const char *const kv[] = {"form",          "linear", "actions",     "7",    "algo",    "expected-sarsa",
                                     "gamma",         "0.8",    "alpha",       "0.02", "epsilon", "0.3",
                                     "epsilon_decay", "0.9995", "epsilon_min", "0.01", "initial", "-0.5",
                                     "alpha_decay",   "0.0003", NULL};
    static const double lo[DIMS] = {0, 0, 0, 0}, hi[DIMS] = {1, 1, 1, .6};
    static const int64_t bins[DIMS] = {5, 4, 2, 3};
    ctw_env *env;
    ctw_agent *a = agent_make(j->b, seed, kv);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, bins, DIMS);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    bench_ok(ctw_env_new(j->b->ctx, DIMS, TARGETS, x->w.d.n, reset, step, NULL, x, &env), "env");
    bench_ok(ctw_agent_run(a, env, episodes * (int64_t)x->w.d.n, WINDOW, 1, NULL, NULL), "run");
    ctw_env_unref(env);
    ctw_features_unref(f);
    return a;
}

static void put(agent_rows *r, int64_t seed, const world *x)
{
    agent_rows_put(r, seed, "reward", x->reward / x->steps);
    agent_rows_put(r, seed, "violation_pct", 100.0 * x->late / x->lambda);
    agent_rows_put(r, seed, "replicas", x->replicas / x->steps);
}

int agent_svcnet(agent_job *j)
{
    static const char *const names[] = {"agent", "rule_star", "random", "oracle"};
    const char *name = bench_str(j->b, "--topology", "diamond");
    double load = bench_f64(j->b, "--load", 0.5), top = -INFINITY;
    int simulated = bench_flag(j->b, "--events"), rule = 0;
    int64_t n, episodes = j->episodes ? j->episodes : 600;
    double *trace = scaler_trace(j->b, &n);
    int64_t half = n / 2;
    agent_rows rows[4];
    bench_no_more(j->b);
    for (int k = 0; k < TARGETS; k++) {
        world x = new_world(name, trace, 0, half, load, 4242);
        live(&x, NULL, k);
        if (x.reward > top) {
            top = x.reward;
            rule = k;
        }
    }
    for (int k = 0; k < 4; k++)
        agent_rows_open(&rows[k], j->b, "svcnet", k ? "fixed" : "expected-sarsa", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        world t = new_world(name, trace, 0, half, load, (uint64_t)s);
        ctw_agent *a = train(j, &t, s, episodes);
        for (int k = 0; k < 4; k++) {
            world x = new_world(name, trace, half, half, load, (uint64_t)s + 500);
            if (simulated && !(x.w.events = svcnet_events_new())) bench_die(3, "out of memory");
            live(&x, k ? NULL : a, k == 0 ? 0 : k == 1 ? rule : k == 2 ? -1 : -2);
            svcnet_events_free(x.w.events);
            put(&rows[k], s, &x);
            if (k == 1) agent_rows_put(&rows[k], s, "target", targets[rule]);
        }
        ctw_agent_unref(a);
    }
    agent_rows_paired(&rows[0], &rows[1], "reward", "over_rule");
    for (int k = 0; k < 4; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
