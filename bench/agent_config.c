/* agent_config.c: configuration search for an unseen application, after FLASH (Qiu et al., MLSys 2024): which target of
 * the HPA, and how long its recommendations hold, from a few measured windows. Training applications give, by ridge
 * regression of reward on features of the configuration, one weight vector each; mean and principal components of these
 * are the prior (prior.h), and each shot on the new application moves its posterior. Rivals: the same regression
 * without prior, the training applications' mean without adaptation (plain transfer), random configurations. */
#include "agent_scaler.h"
#include <cybertwin/prior.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 240, TARGETS = 9, CONFIGS = 2 * TARGETS, DIMS = 6, TRAIN = 24, SHOTS = 20, TRUTH = 40 };
static const double targets[TARGETS] = {.40, .45, .50, .55, .60, .65, .70, .76, .82};
static const int64_t memories[] = {20, 6};
static const int marks[] = {0, 1, 2, 5, 10, 20};
enum { MARKS = 6 };

/* Application k of a family: service time 6..180 ms, SLO 6..16 of them, contention and price of its own. */
static scaler_app app_of(uint64_t family, uint64_t k)
{
    bench_rng g;
    scaler_app a = {.length_s = 120, .noise = .03, .weight = 5, .power = 1};
    bench_rng_seed(&g, family * 64 + k, 71);
    a.service_s = .006 * pow(30.0, bench_rng_u(&g));
    a.slo_s = a.service_s * (4.0 + 8.0 * bench_rng_u(&g));
    a.load = .02 / a.service_s * (.3 + 1.2 * bench_rng_u(&g));
    a.gap_s = 300 * pow(8.0, bench_rng_u(&g));
    a.worst = .2 + .4 * bench_rng_u(&g);
    a.price = .5 + 2.5 * bench_rng_u(&g);
    return a;
}

/* Mean reward of a window under a configuration; relative: over what the busy servers alone would cost, which takes the
 * application's scale and the window's load out. */
static double shot(const double *trace, int64_t from, int64_t half, const scaler_app *app, int config, uint64_t seed,
                   int relative)
{
    scaler w = {.app = *app, .trace = trace, .from = from};
    double sum = 0.0, busy = 1e-9;
    bench_rng_seed(&w.rng, seed, 72);
    scaler_start(&w, bench_rng_below(&w.rng, half - WINDOW - 1));
    for (int i = 0; i < WINDOW; i++) {
        scaler_step(&w, scaler_hpa(&w, targets[config % TARGETS], memories[config / TARGETS]));
        sum += scaler_reward(&w);
        busy += app->price * w.lambda * app->service_s / SCALER_MAX;
    }
    return relative ? sum / busy : sum / WINDOW;
}

/* A bias, a cubic in the target, the hold and its product with the target. */
static void describe(int config, double *x)
{
    double t = (targets[config % TARGETS] - .6) / .2, hold = config < TARGETS ? 0.0 : 1.0;
    const double v[DIMS] = {1, t, t * t, t * t * t, hold, hold * t};
    memcpy(x, v, sizeof v);
}

static int best_of(const double *w)
{
    int best = 0;
    double top = -INFINITY, x[DIMS];
    for (int c = 0; c < CONFIGS; c++) {
        double s = 0.0;
        describe(c, x);
        for (int i = 0; i < DIMS; i++) s += w[i] * x[i];
        if (s > top) {
            top = s;
            best = c;
        }
    }
    return best;
}

/* kind 0: few or many applications' prior; 1: the same regression with a wide prior around nothing. */
static ctw_prior *learn_prior(agent_job *j, const double *trace, int64_t half, uint64_t family, int flat)
{
    ctw_params *o;
    ctw_prior *p;
    double x[CONFIGS][DIMS], y[CONFIGS];
    bench_ok(ctw_params_new(j->b->ctx, "prior", &o), "options");
    bench_ok(ctw_params_set_i64(o, "dims", DIMS), "dims");
    bench_ok(ctw_params_set_f64(o, "ridge", 1e-3), "ridge");
    bench_ok(ctw_params_set_f64(o, "noise", 0.3), "noise");
    bench_params(j->b, o);
    bench_ok(ctw_prior_new(j->b->ctx, o, &p), "prior");
    ctw_params_unref(o);
    for (int k = 0; flat && k < 2 * DIMS; k++) { /* weights of size 1, any direction */
        memset(y, 0, sizeof y);
        y[k / 2] = k % 2 ? 2.0 : -2.0;
        bench_ok(ctw_prior_add(p, y, DIMS), "add");
    }
    for (uint64_t k = 0; !flat && k < TRAIN; k++) {
        scaler_app app = app_of(family, k);
        for (int c = 0; c < CONFIGS; c++) {
            describe(c, x[c]);
            y[c] = 0.0;
            for (uint64_t s = 0; s < 12; s++) y[c] += shot(trace, 0, half, &app, c, k * 100 + s, 1) / 12.0;
        }
        bench_ok(ctw_prior_add_rows(p, x[0], y, CONFIGS, DIMS, DIMS), "add_rows");
    }
    bench_ok(ctw_prior_fit(p), "fit");
    return p;
}

/* Shots one after another, each where the posterior of those before says it is best (every third at random); the
 * configuration recommended after each number in `marks`. */
static void search(agent_job *j, const ctw_prior *p, const double *trace, int64_t half, const scaler_app *app,
                   uint64_t seed, int *chosen)
{
    double x[SHOTS][DIMS], y[SHOTS], w[DIMS];
    bench_rng g;
    int m = 0;
    (void)j;
    bench_rng_seed(&g, seed, 73);
    for (int k = 0; k <= SHOTS; k++) {
        bench_ok(ctw_prior_posterior(p, x[0], NULL, y, (uint64_t)k, DIMS, DIMS, 0.0, w), "posterior");
        int best = best_of(w);
        if (m < MARKS && marks[m] == k) chosen[m++] = best;
        if (k == SHOTS) break;
        if (k % 3 == 2) best = (int)bench_rng_below(&g, CONFIGS);
        describe(best, x[k]);
        y[k] = shot(trace, half, half, app, best, seed * 1000 + (uint64_t)k, 1);
    }
}

static void put(agent_rows *r, int64_t seed, const int *chosen, const double *truth, double top)
{
    static const char *const keys[] = {"loss_0", "loss_1", "loss_2", "loss_5", "loss_10", "loss_20"};
    double to = NAN;
    for (int m = 0; m < MARKS; m++) {
        double loss = 100.0 * (truth[chosen[m]] / top - 1.0); /* rewards are negative */
        agent_rows_put(r, seed, keys[m], loss);
        if (isnan(to) && loss <= 10.0) to = marks[m];
    }
    agent_rows_put(r, seed, "shots_to_10pct", isnan(to) ? 2.0 * SHOTS : to);
}

int agent_config(agent_job *j)
{
    static const char *const names[] = {"agent", "scratch", "transfer", "rule_star", "random", "oracle"};
    int64_t n;
    double *trace = scaler_trace(j->b, &n);
    int64_t half = n / 2;
    agent_rows rows[6];
    ctw_prior *flat = learn_prior(j, trace, half, 0, 1);
    bench_no_more(j->b);
    for (int k = 0; k < 6; k++)
        agent_rows_open(&rows[k], j->b, "config", k < 2 ? "posterior" : "fixed", names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        double truth[CONFIGS] = {0}, mean[DIMS];
        int chosen[MARKS], best = 0;
        scaler_app app = app_of(5000 + (uint64_t)s, 63); /* unseen application, unseen half of the trace */
        ctw_prior *p = learn_prior(j, trace, half, (uint64_t)s, 0);
        bench_rng g;
        bench_rng_seed(&g, (uint64_t)s, 74);
        for (int c = 0; c < CONFIGS; c++) {
            for (uint64_t k = 0; k < TRUTH; k++)
                truth[c] += shot(trace, half, half, &app, c, 777000 + (uint64_t)s * 100 + k, 0) / TRUTH;
            if (truth[c] > truth[best]) best = c;
        }
        search(j, p, trace, half, &app, (uint64_t)s, chosen);
        put(&rows[0], s, chosen, truth, truth[best]);
        search(j, flat, trace, half, &app, (uint64_t)s, chosen);
        put(&rows[1], s, chosen, truth, truth[best]);
        bench_ok(ctw_prior_get(p, mean, DIMS, NULL, 0, NULL, NULL), "get");
        for (int k = 2; k < 6; k++) { /* the mean application's best; 60 %; random; the best */
            for (int m = 0; m < MARKS; m++)
                chosen[m] = k == 2 ? best_of(mean) : k == 3 ? 4 : k == 4 ? (int)bench_rng_below(&g, CONFIGS) : best;
            put(&rows[k], s, chosen, truth, truth[best]);
        }
        ctw_prior_unref(p);
    }
    for (int k = 0; k < 6; k++) agent_rows_print(&rows[k]);
    ctw_prior_unref(flat);
    free(trace);
    return 0;
}
