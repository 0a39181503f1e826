/* agent_scaler.c: the scaled service and the HPA. */
#include "agent_scaler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double step_s = 15.0;

const scaler_app scaler_usual = {.service_s = .02,
                                 .slo_s = .2,
                                 .gap_s = 600,
                                 .length_s = 120,
                                 .worst = .5,
                                 .noise = .03,
                                 .load = 1,
                                 .price = 1,
                                 .weight = 5,
                                 .power = 1};

static double erlang_c(int64_t c, double a)
{
    double b = 1.0, rho = a / (double)c;
    for (int64_t k = 1; k <= c; k++) b = a * b / ((double)k + a * b);
    return b / (1.0 - rho + rho * b);
}

/* P(response time > limit) of an M/M/c queue with `backlog` requests before it. */
static double tail(int64_t c, double lambda, double mu, double backlog, double limit)
{
    double left = limit - backlog / ((double)c * mu), a = lambda / mu;
    if (left <= 0.0) return 1.0;
    if (a > 0.995 * (double)c) a = 0.995 * (double)c;
    double waits = backlog > 0.0 ? 1.0 : erlang_c(c, a), k = (double)c - 1.0 - a, e = exp(-mu * left);
    double p = fabs(k) < 1e-9 ? e * (1.0 + waits * mu * left) : e * (1.0 + waits * (1.0 - exp(-mu * left * k)) / k);
    return p < 0.0 ? 0.0 : p > 1.0 ? 1.0 : p;
}

static void observe(scaler *w)
{
    double lambda = w->trace[w->from + w->start + w->t] * w->app.load, mu = w->speed / w->app.service_s;
    double cap = (double)w->ready * mu * step_s, arrive = lambda * step_s, before = w->backlog;
    double served = before + arrive < cap ? before + arrive : cap, mean;
    w->backlog = before + arrive - served;
    mean = 0.5 * (before + w->backlog);
    w->violation = tail(w->ready, lambda, mu, mean > 1.0 ? mean : 0.0, w->app.slo_s);
    w->lambda = lambda;
    w->util = served / cap;
    w->service_seen = w->util * (double)w->ready * step_s / (served > 1e-9 ? served : 1e-9);
    w->service_seen *= 1.0 + w->app.noise * bench_rng_normal(&w->rng);
    w->wait = mean / ((double)w->ready * mu);
    memmove(w->loads + 1, w->loads, (SCALER_LOADS - 1) * sizeof *w->loads);
    w->loads[0] = lambda;
}

void scaler_start(scaler *w, int64_t at)
{
    double lambda = w->trace[w->from + at] * w->app.load;
    w->start = at;
    w->t = w->contended = w->n_wants = 0;
    w->ready = (int64_t)ceil(lambda * w->app.service_s / 0.5) + 1;
    w->coming[0] = w->coming[1] = 0;
    w->backlog = 0.0;
    w->speed = w->app.power;
    for (int i = 0; i < SCALER_LOADS; i++) w->loads[i] = lambda;
    observe(w);
}

int64_t scaler_replicas(const scaler *w)
{
    return w->ready + w->coming[0] + w->coming[1];
}

int64_t scaler_moved(const scaler *w, int64_t move)
{
    static const double moves[SCALER_MOVES] = {-.25, -.1, 0, .1, .25, .6, 1.0};
    int64_t now = scaler_replicas(w), by = (int64_t)lround((double)now * moves[move]);
    if (moves[move] > 0 && by < 1) by = 1;
    if (moves[move] < 0 && by > -1) by = -1;
    return now + by;
}

static void resize(scaler *w, int64_t want)
{
    int64_t now = scaler_replicas(w), cut;
    want = want < 1 ? 1 : want > SCALER_MAX ? SCALER_MAX : want;
    if (want >= now) {
        w->coming[1] += want - now;
        return;
    }
    now -= want;
    for (int i = 1; i >= 0; i--) { /* those not ready yet go first */
        cut = now < w->coming[i] ? now : w->coming[i];
        w->coming[i] -= cut;
        now -= cut;
    }
    w->ready = w->ready - now < 1 ? 1 : w->ready - now;
}

void scaler_step(scaler *w, int64_t want)
{
    resize(w, want);
    w->ready += w->coming[0];
    w->coming[0] = w->coming[1];
    w->coming[1] = 0;
    if (w->contended > 0) {
        if (--w->contended == 0) w->speed = w->app.power;
    } else if (w->app.gap_s > 0.0 && bench_rng_u(&w->rng) < step_s / w->app.gap_s) {
        w->contended = 1 + (int64_t)(-log(1.0 - bench_rng_u(&w->rng)) * w->app.length_s / step_s);
        w->speed = w->app.power * (0.9 - (w->app.worst - 0.1) * bench_rng_u(&w->rng));
    }
    w->t++;
    observe(w);
}

double scaler_reward(const scaler *w)
{
    return -(w->app.weight * w->violation + w->app.price * (double)scaler_replicas(w) / SCALER_MAX);
}

int64_t scaler_hpa(scaler *w, double target, int64_t memory)
{
    int64_t now = scaler_replicas(w), want = now, top = 0, up = 2 * now > now + 4 ? 2 * now : now + 4;
    double ratio = w->util / target;
    if (fabs(ratio - 1.0) > 0.1) {
        want = (int64_t)ceil((double)w->ready * ratio - 1e-9);
        if (ratio > 1.0 && now > w->ready) { /* replicas on their way count as idle */
            double with = w->util * (double)w->ready / (double)now / target;
            want = with <= 1.1 ? now : (int64_t)ceil((double)now * with);
        }
    }
    want = want > up ? up : want;
    w->wants[w->n_wants++ % SCALER_WANTS] = want;
    for (int64_t i = 1; i <= memory && i <= w->n_wants; i++) {
        int64_t past = w->wants[(w->n_wants - i) % SCALER_WANTS];
        top = past > top ? past : top;
    }
    return want < now ? (top < now ? top : now) : want;
}

int64_t scaler_oracle(const scaler *w)
{
    double top = 0.0, mu = w->speed / w->app.service_s, best = -INFINITY;
    int64_t at = 1, first;
    for (int64_t i = 1; i <= 3; i++) {
        double v = w->trace[w->from + w->start + w->t + i] * w->app.load;
        top = v > top ? v : top;
    }
    first = (int64_t)ceil(top / mu);
    for (int64_t c = first < 1 ? 1 : first; c <= SCALER_MAX && c < first + 60; c++) {
        double v = -w->app.weight * tail(c, top, mu, 0.0, w->app.slo_s) - w->app.price * (double)c / SCALER_MAX;
        if (v > best) {
            best = v;
            at = c;
        }
    }
    return at + (int64_t)ceil(w->backlog / (mu * 30.0));
}

void scaler_count(scaler_tally *t, const scaler *w)
{
    t->reward += scaler_reward(w);
    t->violated += w->violation * w->lambda;
    t->requests += w->lambda;
    t->replicas += (double)scaler_replicas(w);
    t->steps++;
}

double scaler_violation_pct(const scaler_tally *t)
{
    return t->requests > 0.0 ? 100.0 * t->violated / t->requests : 0.0;
}

double *scaler_trace(bench *b, int64_t *n)
{
    const char *path = bench_need(b, "--trace");
    const char *const wanted[] = {bench_str(b, "--column", "requests"), NULL};
    int64_t every = bench_i64(b, "--every", 15);
    bench_table *t = bench_load(b, path, wanted);
    if (every < 1 || (int64_t)t->rows / every < 1000) bench_die(2, "%s: too short a trace", path);
    *n = (int64_t)t->rows / every;
    double *v = bench_alloc((size_t)*n, sizeof *v);
    for (int64_t i = 0; i < *n; i++) {
        for (int64_t k = 0; k < every; k++) {
            double x = t->value[0][i * every + k];
            v[i] += isfinite(x) && x > 0.0 ? x / (double)every : 0.0;
        }
    }
    bench_free(t);
    return v;
}
