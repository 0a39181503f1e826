/* agent_svcnet.c: the world of services (svcnet.h) as a ctw_env: each service is a lane of one agent with shared
 * weights that sets the target of that service's HPA, each minute. A lane's reward is the cost of its replicas and its
 * share (by time spent) of the violations of whole requests. Trained under varied loads; deployed when a
 * high-confidence lower bound of its advantage on the training half is above -1 % of the rule's reward, else the rule
 * acts. Beside it the agent as learnt, rule* (one target for all, chosen on the training half), random targets and an
 * oracle that knows the next loads and service rates. `--events`: tested on the simulated form. */
#include "agent_scaler.h"
#include "svcnet.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TARGETS = 7, DIMS = 4, WINDOW = 240, MEMORY = 20, HOLD = 4, JUDGED = 200 };
static const double targets[TARGETS] = {.35, .42, .50, .58, .66, .74, .82};

/* What the HPA of a service saw: replicas asked for, those that serve, their use. */
typedef struct past {
    int64_t now, ready;
    double use;
    int queue; /* use stops at 1 then and says too little */
} past;

typedef struct world {
    svcnet w;
    double nominal[SVC_NODES];
    int64_t half, n;
    past past[SVC_NODES][MEMORY];
    uint64_t episodes, seed;
    double load; /* factor on the trace */
    int vary;    /* every episode another load, .2 to 1.5 times that */
    bench_rng own;
    double reward, steps, late, lambda, replicas;
} world;

static void begin_at(world *x, int64_t at)
{
    svcnet_start(&x->w, at, x->seed * 100000 + x->episodes++);
    memset(x->past, 0, sizeof x->past);
    for (size_t j = 0; j < x->w.d.n; j++) x->nominal[j] = svcnet_service_s(&x->w, j, 0.0);
    x->n = 0;
}

static int64_t recommend(const past *p, double target)
{
    double ratio = p->use / target;
    if (p->queue && ratio < 1.3) ratio = 1.3;
    return fabs(ratio - 1.0) > 0.1 ? (int64_t)ceil((double)p->ready * ratio - 1e-9) : p->now;
}

/* The HPA of service j: 10 % tolerance, scaling down to the largest recommendation of 300 s. When the target changes,
 * what was seen in these 300 s is judged by the new one: else one careful choice would outlast the next 20. */
static int64_t hpa(world *x, size_t j, double target)
{
    int64_t now = svcnet_replicas(&x->w, j), top = 0;
    x->past[j][x->n % MEMORY] = (past){now, x->w.ready[j], x->w.seen[j].util, x->w.backlog[j] > 1.0};
    int64_t want = recommend(&x->past[j][x->n % MEMORY], target);
    for (int k = 0; k < MEMORY; k++) {
        int64_t v = x->past[j][k].ready ? recommend(&x->past[j][k], target) : 0;
        top = v > top ? v : top;
    }
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
    if (lane == 0) {
        x->w.load = x->load * (x->vary ? 0.2 * pow(7.5, bench_rng_u(&x->own)) : 1.0);
        begin_at(x, bench_rng_below(&x->own, x->half - WINDOW - 2));
    }
    look(x, lane, obs);
    return CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *x = user;
    int64_t want[SVC_NODES];
    double visits[SVC_NODES];
    svcnet_visits(&x->w.d, visits);
    for (uint64_t j = 0; j < lanes; j++) reward[j] = 0;
    for (int k = 0; k < HOLD; k++) {
        for (uint64_t j = 0; j < lanes; j++) want[j] = hpa(x, j, targets[action[j]]);
        x->n++;
        svcnet_step(&x->w, want);
        for (uint64_t j = 0; j < lanes; j++) reward[j] += reward_of(x, j, visits) / HOLD;
    }
    for (uint64_t j = 0; j < lanes; j++) {
        look(x, j, obs + j * DIMS);
        state[j] = CTW_ENV_RUNNING;
    }
    return 0;
}

static world new_world(const char *name, const double *trace, int64_t from, int64_t half, double load, uint64_t seed)
{
    world x = {.w = {.trace = trace, .from = from, .load = load, .power = 1}, .half = half, .seed = seed, .load = load};
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

/* `steps` steps from `at` under the agent, else one target (>= 0), random targets (-1), the oracle (-2). The agent
 * chooses every HOLD steps. */
static void live(world *x, ctw_agent *a, int target, int64_t at, int64_t steps)
{
    double visits[SVC_NODES], obs[DIMS];
    int64_t action[SVC_NODES];
    svcnet_visits(&x->w.d, visits);
    begin_at(x, at);
    for (int64_t t = 0; t < steps; t++) {
        int64_t want[SVC_NODES];
        for (size_t j = 0; j < x->w.d.n; j++) {
            look(x, j, obs);
            if (!a) action[j] = target == -1 ? bench_rng_below(&x->own, TARGETS) : target;
            if (a && t % HOLD == 0) bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &action[j], NULL), "greedy");
            want[j] = target == -2 ? foresee(x, j, visits, .6) : hpa(x, j, targets[action[j]]);
        }
        x->n++;
        svcnet_step(&x->w, want);
        count(x);
    }
}

/* Lower bound (empirical Bernstein, 95 %) of the agent's advantage over a target, over windows of the training half
 * that start alike. */
static double advantage(ctw_agent *a, const world *like, int rule)
{
    double mean = 0.0, square = 0.0, limit = 0.1, log_term = log(2.0 / 0.05);
    for (int64_t i = 0; i < JUDGED; i++) {
        world x[2] = {*like, *like};
        bench_rng g;
        bench_rng_seed(&g, like->seed * 1000 + (uint64_t)i, 92);
        int64_t at = bench_rng_below(&g, like->half - WINDOW - 2);
        for (int k = 0; k < 2; k++) {
            x[k].reward = x[k].steps = 0.0;
            x[k].w.load = x[k].load;
            x[k].episodes = 50000 + (uint64_t)i;
            live(&x[k], k ? NULL : a, k ? rule : 0, at, WINDOW);
        }
        double d = x[0].reward / x[0].steps - x[1].reward / x[1].steps;
        d = d > limit ? limit : d < -limit ? -limit : d;
        mean += d / JUDGED;
        square += d * d / JUDGED;
    }
    double var = (square - mean * mean) * JUDGED / (JUDGED - 1.0);
    return mean - sqrt(2.0 * var * log_term / JUDGED) - 7.0 * 2.0 * limit * log_term / (3.0 * (JUDGED - 1.0));
}

static ctw_agent *train(agent_job *j, world *x, int64_t seed, int64_t episodes)
{
    static const char *const kv[] = {"form",          "linear", "actions",     "7",    "algo",    "expected-sarsa",
                                     "gamma",         "0.8",    "alpha",       "0.03", "epsilon", "0.3",
                                     "epsilon_decay", "0.9998", "epsilon_min", "0.01", "initial", "-0.1",
                                     "alpha_decay",   "0.0005", NULL};
    static const double lo[DIMS] = {0, 0, 0, 0}, hi[DIMS] = {1, 1, 1, .6};
    static const int64_t bins[DIMS] = {5, 4, 2, 3};
    const agent_world w = {DIMS, TARGETS, x->w.d.n, reset, step, NULL, x};
    ctw_agent *a = agent_make(j->b, seed, kv);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, bins, DIMS);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    agent_live(j->b, a, &w, episodes * (int64_t)x->w.d.n, WINDOW / HOLD, 1, NULL);
    ctw_features_unref(f);
    return a;
}

static void put(agent_rows *r, int64_t seed, const world *x)
{
    agent_rows_put(r, seed, "reward", x->reward / x->steps);
    agent_rows_put(r, seed, "violation_pct", 100.0 * x->late / x->lambda);
    agent_rows_put(r, seed, "replicas", x->replicas / x->steps);
}

/* The agent where it has proved itself and the rule elsewhere; the agent whatever it has proved; ... */
enum { DEPLOYED, LEARNT, RULE, RANDOM, ORACLE, KINDS };

int agent_svcnet(agent_job *j)
{
    static const char *const names[] = {"agent", "learnt", "rule_star", "random", "oracle"};
    const char *name = bench_str(j->b, "--topology", "diamond");
    double load = bench_f64(j->b, "--load", 0.5), top = -INFINITY;
    int simulated = bench_flag(j->b, "--events"), rule = 0;
    int64_t n, episodes = j->episodes ? j->episodes : 4000;
    double *trace = scaler_trace(j->b, &n);
    int64_t half = n / 2;
    agent_rows rows[KINDS];
    bench_no_more(j->b);
    for (int k = 0; k < TARGETS; k++) {
        world x = new_world(name, trace, 0, half, load, 4242);
        live(&x, NULL, k, 0, half - 5);
        if (x.reward > top) {
            top = x.reward;
            rule = k;
        }
    }
    for (int k = 0; k < KINDS; k++)
        agent_rows_open(&rows[k], j->b, "svcnet", k > LEARNT ? "fixed" : "expected-sarsa", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        world t = new_world(name, trace, 0, half, load, (uint64_t)s);
        t.vary = 1;
        ctw_agent *a = train(j, &t, s, episodes);
        double bound = advantage(a, &t, rule), least = -0.01 * fabs(top) / (double)(half - 5);
        for (int k = 0; k < KINDS; k++) {
            int agents = k == LEARNT || (k == DEPLOYED && bound > least);
            world x = new_world(name, trace, half, half, load, (uint64_t)s + 500);
            if (simulated && !(x.w.events = svcnet_events_new())) bench_die(3, "out of memory");
            live(&x, agents ? a : NULL, k == RANDOM ? -1 : k == ORACLE ? -2 : rule, 0, half - 5);
            svcnet_events_free(x.w.events);
            put(&rows[k], s, &x);
            if (k == RULE) agent_rows_put(&rows[k], s, "target", targets[rule]);
        }
        agent_rows_put(&rows[DEPLOYED], s, "bound", bound);
        agent_rows_put(&rows[DEPLOYED], s, "accepted", bound > least);
        ctw_agent_unref(a);
    }
    agent_rows_paired(&rows[LEARNT], &rows[RULE], "reward", "over_rule");
    agent_rows_paired(&rows[DEPLOYED], &rows[RULE], "reward", "over_rule");
    for (int k = 0; k < KINDS; k++) agent_rows_print(&rows[k]);
    free(trace);
    return 0;
}
