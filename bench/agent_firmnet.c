/* agent_firmnet.c: FIRM's two tiers together (Qiu et al., OSDI 2020): five services in a row, each an instance of the
 * task firm, one of them at a time contended by the injector. Every half second the localiser (rca.h, trained on
 * injections into the same graph) sees the calls of the last half second and names a culprit or nobody; the agent,
 * trained on a single instance, then controls that instance, in steps of 100 ms, until nobody has named it for five
 * seconds. The others follow their own load only (what is four fifths used is raised, slack given back). Beside it the
 * same agent on every instance, on one drawn at random, on the one truly contended, and nowhere. With `--one` only one
 * instance may be acted on in each half second (attention costs): the one named, else the next in turn; everywhere then
 * means each in turn. */
#include "agent_firm.h"
#include <cybertwin/rca.h>
#include <cybertwin/spans.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 5, WINDOW_STEPS = 5, TRACES = 40, KEEP_STEPS = 50, CLEAN = 60, CASES = 150 };
static const double step_s = 0.1;

typedef struct shop {
    firm node[NODES];
    bench_rng draw;
    int64_t trace;
} shop;

static void start(shop *w, uint64_t seed)
{
    bench_rng_seed(&w->draw, seed, 61);
    for (int i = 0; i < NODES; i++) {
        w->node[i] = (firm){.dt = step_s, .beta = 10.0, .gap_s = 60.0 * NODES};
        bench_rng_seed(&w->node[i].rng, seed * NODES + (uint64_t)i, 62);
        firm_start(&w->node[i]);
    }
}

/* All services carry the first one's load. */
static void advance(shop *w)
{
    for (int i = 0; i < NODES; i++) {
        firm_advance(&w->node[i]);
        w->node[i].lambda = w->node[0].lambda;
        firm_observe(&w->node[i]);
    }
}

/* The calls of n traces as they are served now, appended to a window. */
static void sample(shop *w, ctw_calls *c, int n)
{
    for (int k = 0; k < n; k++) {
        double own[NODES], rest = 0.0, measure[NODES][CTW_CALL_COLUMNS] = {{0}}, root[NODES];
        int64_t trace[NODES], component[NODES], operation[NODES], caller[NODES];
        for (int i = 0; i < NODES; i++) own[i] = 1e6 * firm_sample(&w->node[i], &w->draw);
        for (int i = NODES - 1; i >= 0; i--) {
            double net = 200.0 + 100.0 * bench_rng_u(&w->draw), down = rest;
            rest += own[i];
            measure[i][CTW_CALL_INCL] = rest;
            rest += i > 0 ? net : 0.0;
            measure[i][CTW_CALL_CLIENT] = rest;
            measure[i][CTW_CALL_SELF] = measure[i][CTW_CALL_PATH] = own[i];
            measure[i][CTW_CALL_NET] = i > 0 ? net : 0.0;
            measure[i][CTW_CALL_EXCL] = rest - down;
            measure[i][CTW_CALL_SPANS] = 1.0;
            measure[i][CTW_CALL_OUT] = i + 1 < NODES;
        }
        for (int i = 0; i < NODES; i++) {
            char name[16];
            root[i] = rest;
            trace[i] = w->trace;
            snprintf(name, sizeof name, "svc%d", i);
            bench_ok(ctw_calls_name(c, name, &component[i]), "name");
            bench_ok(ctw_calls_name(c, "get", &operation[i]), "name");
            caller[i] = i > 0 ? component[i - 1] : -1;
        }
        w->trace++;
        bench_ok(ctw_calls_add(c, NODES, trace, root, component, operation, caller, measure[0], CTW_CALL_COLUMNS),
                 "calls");
    }
}

/* Half a second lived, with its calls. */
static void live_window(shop *w, ctw_calls *c)
{
    bench_ok(ctw_calls_clear(c), "clear");
    for (int k = 0; k < WINDOW_STEPS; k++) {
        advance(w);
        sample(w, c, TRACES / WINDOW_STEPS);
    }
}

static int contended(const shop *w)
{
    for (int i = 0; i < NODES; i++)
        if (w->node[i].left > 0) return i;
    return -1;
}

/* Reference from calm windows, classifier from injected and calm ones, on seeds of its own. */
static ctw_rca *learn_localiser(agent_job *j, uint64_t seed)
{
    ctw_rca *m;
    ctw_calls *c;
    shop w = {.trace = 0};
    int clean = 0, cases = 0, calm = 0;
    bench_ok(ctw_rca_new(j->b->ctx, NULL, &m), "rca");
    bench_ok(ctw_calls_new(j->b->ctx, NULL, &c), "calls");
    start(&w, seed + 70000);
    while (clean < CLEAN || cases < CASES) {
        int before = contended(&w);
        live_window(&w, c);
        int hit = contended(&w);
        if (before != hit) continue; /* half of it contended: no clear label */
        if (hit < 0 && clean < CLEAN) {
            bench_ok(ctw_rca_learn(m, c, NULL), "learn");
            clean++;
        } else if (clean >= CLEAN && (hit >= 0 || ++calm % 4 == 0)) {
            char name[16];
            const char *culprit = name;
            snprintf(name, sizeof name, "svc%d", hit);
            bench_ok(ctw_rca_add_case(m, c, hit < 0 ? NULL : &culprit, hit >= 0), "case");
            cases += hit >= 0;
        }
    }
    bench_ok(ctw_rca_fit(m, NULL), "fit");
    ctw_calls_unref(c);
    return m;
}

/* The service named guilty first, -1: nobody. */
static int culprit_of(const ctw_rca *m, const ctw_calls *c)
{
    ctw_ranking *r;
    const char *name;
    int who = -1;
    bench_ok(ctw_rca_rank(m, c, NULL, &r), "rank");
    if (ctw_ranking_guilty(r) > 0) {
        bench_ok(ctw_ranking_at(r, 0, &name, NULL), "at");
        who = name[3] - '0';
    }
    ctw_ranking_unref(r);
    return who;
}

enum { LOCALISED, EVERYWHERE, TRUE_CULPRIT, RANDOM, NOWHERE, KINDS };

typedef struct result {
    double violations, cpu, total, reward, steps, events, mitigation, since, named, right, wrong, contended, hurt,
        hurt_right;
    int inside;
} result;

static void count(result *t, const shop *w)
{
    int bad = 0;
    t->steps++;
    for (int i = 0; i < NODES; i++) {
        bad |= w->node[i].violates;
        t->cpu += CORES * (double)(w->node[i].limit[0] * w->node[i].replicas) / 10.0;
        t->total += firm_total(&w->node[i]);
        t->reward += firm_reward(&w->node[i]);
    }
    t->violations += bad;
    if (bad && !t->inside) t->since = t->steps;
    if (!bad && t->inside) {
        t->mitigation += (t->steps - t->since) * step_s;
        t->events++;
    }
    t->inside = bad;
}

/* Whom the agent may act on from step k on: until[i] is when that ends for i. `one`: see above. */
static void attend(int64_t *until, int kind, int named, int64_t k, int one)
{
    if (!one) {
        if (named >= 0) until[named] = k + KEEP_STEPS;
        return;
    }
    if (kind == NOWHERE) return;
    int who = named >= 0 ? named : (int)(k / WINDOW_STEPS % NODES);
    until[who] = k + WINDOW_STEPS;
}

static result control(const ctw_rca *m, ctw_agent *a, agent_job *j, uint64_t seed, int kind, int one, double seconds)
{
    result t = {.steps = 0};
    shop w = {.trace = 0};
    int64_t until[NODES] = {0};
    ctw_calls *c;
    bench_rng own;
    bench_ok(ctw_calls_new(j->b->ctx, NULL, &c), "calls");
    bench_rng_seed(&own, seed, 63);
    start(&w, seed);
    for (int64_t k = 0; (double)k * step_s < seconds; k++) {
        if (k % WINDOW_STEPS == 0 && k > 0) {
            int hit = contended(&w), who = kind == LOCALISED      ? culprit_of(m, c)
                                           : kind == TRUE_CULPRIT ? hit
                                           : kind == RANDOM       ? (int)bench_rng_below(&own, NODES)
                                                                  : -1;
            attend(until, kind, who, k, one);
            t.named += who >= 0;
            t.right += who >= 0 && who == hit;
            t.wrong += who >= 0 && hit < 0;
            t.contended += hit >= 0;
            t.hurt += hit >= 0 && w.node[hit].violates;
            t.hurt_right += hit >= 0 && w.node[hit].violates && who == hit;
            bench_ok(ctw_calls_clear(c), "clear");
        }
        for (int i = 0; i < NODES; i++) {
            double obs[DIMS];
            int64_t action = k % (2 * KEEP_STEPS) == 0 ? 4 : 6; /* what runs short for its own load, and slack */
            if ((kind == EVERYWHERE && !one) || k < until[i]) {
                firm_encode(&w.node[i], obs);
                bench_ok(ctw_agent_greedy(a, obs, DIMS, NULL, &action, NULL), "greedy");
            }
            firm_apply(&w.node[i], action);
        }
        advance(&w);
        if (kind == LOCALISED) sample(&w, c, TRACES / WINDOW_STEPS);
        count(&t, &w);
    }
    ctw_calls_unref(c);
    return t;
}

int agent_firmnet(agent_job *j)
{
    static const char *const names[KINDS] = {"agent", "everywhere", "true_culprit", "random_culprit", "static"};
    double seconds = bench_f64(j->b, "--test-seconds", 2000.0);
    int64_t episodes = j->episodes ? j->episodes : 400;
    int one = bench_flag(j->b, "--one");
    agent_rows rows[KINDS];
    bench_no_more(j->b);
    for (int k = 0; k < KINDS; k++) agent_rows_open(&rows[k], j->b, "firmnet", "q", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        ctw_rca *m = learn_localiser(j, (uint64_t)s);
        ctw_agent *a = firm_train(j, s, step_s, 10.0, episodes);
        for (int k = 0; k < KINDS; k++) {
            result t = control(m, a, j, (uint64_t)s, k, one, seconds);
            agent_rows_put(&rows[k], s, "violation_pct", 100.0 * t.violations / t.steps);
            agent_rows_put(&rows[k], s, "mitigation_s", t.events > 0 ? t.mitigation / t.events : 0.0);
            agent_rows_put(&rows[k], s, "cpu_limit", t.cpu / t.steps / NODES);
            agent_rows_put(&rows[k], s, "total_limit", t.total / t.steps / NODES);
            agent_rows_put(&rows[k], s, "reward", t.reward / t.steps / NODES);
            if (k != LOCALISED) continue;
            agent_rows_put(&rows[k], s, "named_right_pct", t.named > 0 ? 100.0 * t.right / t.named : 0.0);
            agent_rows_put(&rows[k], s, "contended_named_pct", 100.0 * t.right / (t.contended > 0 ? t.contended : 1));
            agent_rows_put(&rows[k], s, "violating_named_pct", 100.0 * t.hurt_right / (t.hurt > 0 ? t.hurt : 1));
            agent_rows_put(&rows[k], s, "named_in_calm", t.wrong);
        }
        ctw_agent_unref(a);
        ctw_rca_unref(m);
    }
    for (int k = 0; k < KINDS; k++) agent_rows_print(&rows[k]);
    return 0;
}
