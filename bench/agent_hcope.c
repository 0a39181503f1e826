/* agent_hcope.c: how often the high-confidence test lets a worse policy through. A rule acts on a small chain of
 * service states with a little exploration; a candidate that is worse (or better) by a known amount is judged from the
 * rule's episodes alone. One seed = one trial of `--rows` episodes. */
#include "agent.h"
#include <math.h>
#include <stdlib.h>

enum { H = 5 };
static const double good = 0.5, explore = 0.4, greed = 0.6; /* how often rule and candidate take action 1 */

/* Reward 1 with probability `good` for action 0, `good` + edge for action 1, each of H steps. */
static double trial(bench *b, uint64_t seed, int64_t rows, double edge, const char *estimator, double *mean)
{
    ctw_params *p;
    ctw_ope *o;
    bench_rng g;
    double r[H], target[H], behaviour[H], q[H], v[H], lower;
    int dr = estimator[0] == 'd';
    bench_ok(ctw_params_new(b->ctx, "ope", &p), "options");
    bench_ok(ctw_params_set_str(p, "estimator", estimator), "estimator");
    bench_ok(ctw_params_set_i64(p, "horizon", H), "horizon");
    bench_params(b, p);
    bench_ok(ctw_ope_new(b->ctx, p, &o), "ope");
    ctw_params_unref(p);
    bench_rng_seed(&g, seed, 21);
    for (int64_t i = 0; i < rows; i++) {
        for (int t = 0; t < H; t++) {
            int one = bench_rng_u(&g) < explore;
            behaviour[t] = one ? explore : 1.0 - explore;
            target[t] = one ? greed : 1.0 - greed;
            r[t] = bench_rng_u(&g) < good + (one ? edge : 0.0);
            q[t] = good * (H - t) + (one ? edge : 0.0); /* a rough value function */
            v[t] = good * (H - t) + greed * edge;
        }
        bench_ok(ctw_ope_add(o, r, target, behaviour, dr ? q : NULL, dr ? v : NULL, H), "add");
    }
    bench_ok(ctw_ope_bound(o, 0.05, mean, &lower), "bound");
    ctw_ope_unref(o);
    return lower - H * (good + explore * edge); /* against the rule's value */
}

int agent_hcope(agent_job *j)
{
    int64_t n = bench_i64(j->b, "--rows", 5000);
    double edge = bench_f64(j->b, "--edge", 0.3), mean;
    const char *estimator = *j->algo ? j->algo : "pdis";
    agent_rows rows;
    bench_no_more(j->b);
    agent_rows_open(&rows, j->b, "hcope", estimator, NULL, j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        agent_rows_put(&rows, s, "false_accept", trial(j->b, (uint64_t)s, n, -0.02, estimator, &mean) > 0.0);
        agent_rows_put(&rows, s, "accept", trial(j->b, (uint64_t)s + 1000000, n, edge, estimator, &mean) > 0.0);
        agent_rows_put(&rows, s, "estimate_error", mean - H * (good + greed * edge));
    }
    agent_rows_print(&rows);
    return 0;
}
