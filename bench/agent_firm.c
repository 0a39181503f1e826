/* agent_firm.c: fine-grained control of one critical service instance (the one a localiser has named) under contention,
 * after FIRM (Qiu et al., OSDI 2020). Five resources (CPU limit, memory bandwidth, cache, I/O, network) have a limit
 * of 1..10 tenths each; replicas 1..8 share the load. An injector takes 50..95 % of one resource away for 10..60 s, at
 * exponential gaps of 60 s. A limit is also a guarantee: the instance keeps max(limit, what the injector leaves).
 *
 * Service time T = sum_r d_r thr_r / share_r with thr_r = max(1, own_r / .95 cap_r); p99 = 4.6 T + the 99th percentile
 * of an M/M/4 wait (Erlang C) + backlog / capacity. SLO 250 ms. The agent acts on ranks (the most contended resource,
 * the ones with slack), not on names, so what it learns on one resource holds for all. */
#include "agent_firm.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HPA_SYNC_S = 15, HPA_MEMORY = 20 };
static const double demand[RES] = {.008, .004, .003, .003, .002};
static const double slo_s = 0.25;

typedef struct tally {
    double violations, mitigation, events, cpu, total, p99, hit_p99, hit_steps, reward, steps, since;
    int inside;
} tally;

static double erlang_c(double offered)
{
    double b = 1.0, rho = offered / CORES;
    for (int k = 1; k <= CORES; k++) b = offered * b / (k + offered * b);
    return b / (1.0 - rho + rho * b);
}

static double share_of(const firm *f, int r)
{
    double own = (double)f->limit[r] / 10.0, rest = 1.0 - f->taken[r];
    return own > rest ? own : rest;
}

static double service_time(const firm *f)
{
    double t = 0.0, lambda = f->lambda / (double)f->replicas;
    for (int r = 0; r < RES; r++) {
        double cap = 0.95 * CORES * (double)f->limit[r] / 10.0, own = demand[r] * lambda;
        t += demand[r] / share_of(f, r) * (own > cap ? own / cap : 1.0);
    }
    return t;
}

/* p99 at the present limits, without the backlog. */
static double p99_now(const firm *f, double t)
{
    double lambda = f->lambda / (double)f->replicas, offered = lambda * t, cap = CORES / t;
    if (offered >= 0.995 * CORES) return 9.6 * t;
    double q = 100.0 * erlang_c(offered);
    return 4.6 * t + (q > 1.0 ? 0.7 * log(q) / (cap - lambda) : 0.0);
}

void firm_observe(firm *f)
{
    double t = service_time(f), lambda = f->lambda / (double)f->replicas, cap = CORES / t;
    f->backlog += (lambda - cap) * f->dt;
    f->backlog = f->backlog < 1e-6 ? 0.0 : f->backlog > 400.0 ? 400.0 : f->backlog;
    f->p99 = p99_now(f, t) + f->backlog / cap;
    f->violates = f->p99 > slo_s;
    for (int r = 0; r < RES; r++) {
        double own = (double)f->limit[r] / 10.0;
        f->use[r] = demand[r] * lambda / CORES / own;
        /* Stall counters show contention, and how much of it gets through, not who causes it. */
        f->pressure[r] = f->taken[r] > 0.0 ? 0.6 + 0.4 * (1.0 - share_of(f, r)) : f->use[r] < 0.55 ? f->use[r] : 0.55;
    }
    f->cpu_util = f->use[0] < 1.0 ? f->use[0] : 1.0;
}

void firm_advance(firm *f)
{
    f->base += 2.0 * sqrt(f->dt) * bench_rng_normal(&f->rng);
    f->base = f->base < 40.0 ? 40.0 : f->base > 140.0 ? 140.0 : f->base;
    if (f->t++ % (int64_t)(f->dt < 1.0 ? 1.0 / f->dt + 0.5 : 1.0) == 0) /* bursts last a second, however short a step */
        f->burst = 1.0 + 0.05 * bench_rng_normal(&f->rng);
    f->lambda = f->base * f->burst;
    if (f->left > 0) {
        if (--f->left == 0) f->taken[f->hit] = 0.0;
    } else if (bench_rng_u(&f->rng) < f->dt / f->gap_s) {
        f->left = (int64_t)((10.0 + 50.0 * bench_rng_u(&f->rng)) / f->dt);
        f->hit = bench_rng_below(&f->rng, RES);
        f->taken[f->hit] = 0.5 + 0.45 * bench_rng_u(&f->rng);
    }
}

static int worst(const firm *f)
{
    int m = 0;
    for (int r = 1; r < RES; r++)
        if (f->pressure[r] > f->pressure[m]) m = r;
    return m;
}

/* A limit may fall when the resource is not contended and one tenth less still leaves `room` of it free. */
static int has_slack(const firm *f, int r, double room)
{
    double next = (double)(f->limit[r] - 1);
    return f->limit[r] > 1 && f->pressure[r] < 0.58 && f->use[r] * (double)f->limit[r] <= (1.0 - room) * next;
}

void firm_apply(firm *f, int64_t action)
{
    static const int64_t up[] = {0, 1, 2, 9};
    int m = worst(f);
    if (action >= 1 && action <= 3) f->limit[m] += up[action];
    if (action >= 1 && action <= 3 && f->limit[m] > 10) f->limit[m] = 10;
    for (int r = 0; r < RES; r++) {
        if (action == 4 && has_slack(f, r, 0.3)) f->limit[r]--;
        if (action == 5 && has_slack(f, r, 0.15)) f->limit[r]--;
        if (action == 6 && f->use[r] > 0.8 && f->limit[r] < 10) f->limit[r]++; /* everything that runs short */
    }
    if (action == 7) f->replicas = f->replicas > 1 ? 1 : 2;
}

double firm_total(const firm *f)
{
    double s = 0.0;
    for (int r = 0; r < RES; r++) s += (double)f->limit[r];
    return s * (double)f->replicas;
}

double firm_reward(const firm *f)
{
    double over = f->p99 / slo_s - 1.0;
    over = over < 0.0 ? 0.0 : over > 2.0 ? 2.0 : over;
    return -(f->beta * (f->violates + over) + firm_total(f) / (10.0 * RES));
}

static double slack_of(const firm *f)
{
    double top = 0.0;
    for (int r = 0; r < RES; r++) {
        double spare = 1.0 - f->use[r] * (double)f->limit[r] / (double)(f->limit[r] > 1 ? f->limit[r] - 1 : 1);
        if (f->limit[r] > 1 && f->pressure[r] < 0.58 && spare > top) top = spare;
    }
    return top;
}

static double shortage_of(const firm *f)
{
    double top = 0.0;
    for (int r = 0; r < RES; r++) top = f->use[r] > top ? f->use[r] : top;
    return top;
}

void firm_encode(const firm *f, double *obs)
{
    int m = worst(f);
    obs[0] = f->p99 / slo_s;
    obs[1] = f->pressure[m] < 0.58 ? 0.0 : f->pressure[m] - 0.5;
    obs[2] = slack_of(f);
    obs[3] = shortage_of(f);
    obs[4] = (double)f->limit[m] + 10.0 * (double)(f->replicas - 1);
}

void firm_start(firm *f)
{
    f->replicas = 1;
    f->left = f->t = 0;
    f->backlog = 0.0;
    for (int r = 0; r < RES; r++) {
        f->limit[r] = 3;
        f->taken[r] = 0.0;
    }
    f->base = f->lambda = 60.0 + 60.0 * bench_rng_u(&f->rng);
    firm_observe(f);
}

static int32_t reset(void *user, uint64_t lane, double *obs)
{
    (void)lane;
    firm_start(user);
    firm_encode(user, obs);
    return CTW_ENV_RUNNING;
}

static int32_t step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    firm *f = user;
    (void)lanes;
    firm_apply(f, *action);
    firm_advance(f);
    firm_observe(f);
    firm_encode(f, obs);
    *reward = firm_reward(f);
    *state = CTW_ENV_RUNNING;
    return 0;
}

static void count(tally *t, const firm *f)
{
    t->steps++;
    t->violations += f->violates;
    t->cpu += CORES * (double)(f->limit[0] * f->replicas) / 10.0;
    t->total += firm_total(f);
    t->p99 += f->p99;
    t->reward += firm_reward(f);
    if (f->left > 0) {
        t->hit_p99 += f->p99;
        t->hit_steps++;
    }
    if (f->violates && !t->inside) t->since = t->steps;
    if (!f->violates && t->inside) {
        t->mitigation += (t->steps - t->since) * f->dt;
        t->events++;
    }
    t->inside = f->violates;
}

double firm_sample(const firm *f, bench_rng *g)
{
    double t = service_time(f), lambda = f->lambda / (double)f->replicas, cap = CORES / t, offered = lambda * t;
    double spent = -t * log(1.0 - bench_rng_u(g)) + f->backlog / cap;
    if (offered >= 0.995 * CORES) return spent + t;
    if (bench_rng_u(g) < erlang_c(offered)) spent -= log(1.0 - bench_rng_u(g)) / (cap - lambda);
    return spent;
}

/* Least limits at which this step keeps the SLO, seeing the injection: what no controller can know beforehand. */
static void oracle(firm *f)
{
    for (int r = 0; r < RES; r++) f->limit[r] = 1;
    f->replicas = 1;
    for (int i = 0; i < 9 * RES; i++) {
        double now = p99_now(f, service_time(f)), best = 1e-9;
        int64_t by = 0;
        int at = -1;
        if (now + f->backlog * service_time(f) / CORES < 0.95 * slo_s) return;
        for (int r = 0; r < RES; r++) /* the cheapest gain: a guarantee below what is left anyway gains nothing */
            for (int64_t was = f->limit[r], more = 1; was + more <= 10; more++) {
                f->limit[r] = was + more;
                double gain = (now - p99_now(f, service_time(f))) / (double)more;
                f->limit[r] = was;
                if (gain <= best) continue;
                best = gain;
                at = r;
                by = more;
            }
        if (at < 0) return;
        f->limit[at] += by;
    }
}

/* Kubernetes' HPA on CPU use with a fixed limit a replica. */
typedef struct hpa {
    double target;
    int64_t limit, want[HPA_MEMORY], n;
} hpa;

static void hpa_step(hpa *h, firm *f)
{
    int64_t every = (int64_t)(HPA_SYNC_S / f->dt + 0.5), want = f->replicas, top = 0;
    for (int r = 0; r < RES; r++) f->limit[r] = h->limit;
    if (f->t % every) return;
    double ratio = f->cpu_util / h->target;
    if (fabs(ratio - 1.0) > 0.1) want = (int64_t)ceil((double)f->replicas * ratio);
    want = want < 1 ? 1 : want > 8 ? 8 : want;
    h->want[h->n++ % HPA_MEMORY] = want;
    for (int64_t i = 0; i < HPA_MEMORY && i < h->n; i++) top = h->want[i] > top ? h->want[i] : top;
    f->replicas = want < f->replicas ? (top < f->replicas ? top : f->replicas) : want;
}

/* All limits doubled on a violation, one tenth less every 5 s otherwise: the baseline in FIRM's own code. */
static void aimd(firm *f)
{
    int64_t every = (int64_t)(5.0 / f->dt + 0.5);
    for (int r = 0; r < RES; r++) {
        if (f->violates)
            f->limit[r] = f->limit[r] > 5 ? 10 : 2 * f->limit[r];
        else if (f->t % every == 0 && f->limit[r] > 2)
            f->limit[r]--;
    }
}

typedef struct policy {
    const char *name;
    ctw_agent *agent;
    hpa rule;
} policy;

static void act(policy *p, firm *f, bench_rng *own)
{
    double obs[DIMS];
    int64_t action = 0;
    if (p->agent) {
        firm_encode(f, obs);
        bench_ok(ctw_agent_greedy(p->agent, obs, DIMS, NULL, &action, NULL), "greedy");
        firm_apply(f, action);
    } else if (strcmp(p->name, "rule_star") == 0)
        hpa_step(&p->rule, f);
    else if (strcmp(p->name, "aimd") == 0)
        aimd(f);
    else if (strcmp(p->name, "random") == 0)
        firm_apply(f, bench_rng_below(own, ACTIONS));
}

static tally evaluate(policy *p, uint64_t seed, double dt, double beta, double seconds)
{
    firm f = {.dt = dt, .beta = beta, .gap_s = 60.0};
    bench_rng own;
    tally t = {.steps = 0};
    bench_rng_seed(&f.rng, seed, 7);
    bench_rng_seed(&own, seed, 8);
    firm_start(&f);
    while ((double)f.t * dt < seconds) {
        act(p, &f, &own);
        firm_advance(&f);
        if (strcmp(p->name, "oracle") == 0) oracle(&f);
        firm_observe(&f);
        count(&t, &f);
    }
    return t;
}

/* The target and limit of the HPA that earn most on training seeds. */
static hpa tune(double dt, double beta)
{
    static const double targets[] = {.4, .5, .55, .6, .65, .7, .8, .9};
    hpa best = {.target = .6, .limit = 3};
    double top = -INFINITY;
    for (int64_t limit = 2; limit <= 6; limit++)
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
            double sum = 0.0;
            for (uint64_t s = 0; s < 4; s++) {
                policy p = {.name = "rule_star", .rule = {.target = targets[i], .limit = limit}};
                tally t = evaluate(&p, 100000 + s, dt, beta, 2000.0);
                sum += t.reward / t.steps;
            }
            if (sum > top) {
                top = sum;
                best = (hpa){.target = targets[i], .limit = limit};
            }
        }
    return best;
}

ctw_agent *firm_train(agent_job *j, int64_t seed, double dt, double beta, int64_t episodes)
{
    static const char *const kv[] = {
        "form",          "linear", "actions",     "8",           "algo",    "q",       "gamma",
        "0.9",           "alpha",  "0.1",         "alpha_decay", "0.01",    "epsilon", "0.3",
        "epsilon_decay", "0.985",  "epsilon_min", "0.01",        "initial", "-2",      NULL};
    static const char *const fkv[] = {"form", "cross", NULL};
    static const double lo[] = {0.3, 0.05, -0.05, 0.5, 0.5}, hi[] = {1.1, 0.5, 0.55, 1.1, 20.5};
    static const int64_t bins[] = {8, 9, 6, 6, 20};
    firm f = {.dt = dt, .beta = beta, .gap_s = 60.0};
    ctw_agent *a = agent_make(j->b, seed, kv);
    ctw_features *map = agent_features(j->b, fkv, lo, hi, bins, DIMS);
    ctw_env *env;
    bench_ok(ctw_agent_set_features(a, map), "set_features");
    bench_ok(ctw_env_new(j->b->ctx, DIMS, ACTIONS, 1, reset, step, NULL, &f, &env), "env");
    bench_rng_seed(&f.rng, (uint64_t)seed, 9);
    bench_ok(ctw_agent_run(a, env, episodes, (int64_t)(300.0 / dt), 1, NULL, NULL), "run");
    ctw_env_unref(env);
    ctw_features_unref(map);
    return a;
}

int agent_firm(agent_job *j)
{
    static const char *const policies[] = {"agent", "rule_star", "aimd", "static", "random", "oracle"};
    double dt = bench_f64(j->b, "--dt", 0.1), beta = bench_f64(j->b, "--beta", 10.0);
    double seconds = bench_f64(j->b, "--test-seconds", 20000.0);
    int64_t episodes = j->episodes ? j->episodes : 800;
    hpa best;
    bench_no_more(j->b);
    best = tune(dt, beta);
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        agent_rows rows;
        agent_rows_open(&rows, j->b, "firm", p == 0 ? "q" : p == 1 ? "hpa" : "fixed", policies[p], j->first, j->last);
        for (int64_t s = j->first; s <= j->last; s++) {
            policy q = {.name = policies[p], .rule = best};
            if (p == 0) {
                double cpu = bench_cpu_s();
                q.agent = firm_train(j, s, dt, beta, episodes);
                agent_rows_put(&rows, s, "train_cpu_s", bench_cpu_s() - cpu);
            }
            tally t = evaluate(&q, (uint64_t)s, dt, beta, seconds);
            agent_rows_put(&rows, s, "reward", t.reward / t.steps);
            agent_rows_put(&rows, s, "violation_pct", 100.0 * t.violations / t.steps);
            agent_rows_put(&rows, s, "mitigation_s", t.events > 0 ? t.mitigation / t.events : 0.0);
            agent_rows_put(&rows, s, "cpu_limit", t.cpu / t.steps);
            agent_rows_put(&rows, s, "total_limit", t.total / t.steps);
            agent_rows_put(&rows, s, "p99_hit_ms", 1e3 * t.hit_p99 / t.hit_steps);
            if (p == 1) agent_rows_put(&rows, s, "hpa_target", best.target);
            if (p == 1) agent_rows_put(&rows, s, "hpa_limit", (double)best.limit);
            ctw_agent_unref(q.agent);
        }
        agent_rows_print(&rows);
    }
    return 0;
}
