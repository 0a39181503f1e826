/* agent_flash.c: fast adaptation to an unseen application, after FLASH (Qiu et al., MLSys 2024). One agent that
 * supervises the HPA is trained over eight applications that differ in service time, SLO and load, on features without
 * units (offered load, slowdown, SLO over service time); its weights are the prior mean for a new application, where it
 * learns on. The rivals: the same kind of agent as everybody's first try (moves replicas, features in raw units) from
 * scratch, and that one transferred from a single other application. */
#include "agent_scaler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 240,
    DIMS = 4,
    APPS = 8,
    EXAMS = 40,
    TARGETS = 7,
    ACTIONS = 2 * TARGETS,
    DIRECT = SCALER_MOVES,
    SPAN = 30
};
static const double targets[TARGETS] = {.40, .46, .52, .58, .64, .70, .78};
static const int64_t memories[] = {20, 6};

typedef struct lesson {
    scaler w;
    int direct, many; /* many: every episode another of the training applications */
    uint64_t family;
    int64_t half, episode;
} lesson;

/* Application k of a family: service time 6..180 ms, SLO 6..16 of them, load 0.5..2 times the trace's busy servers. */
static scaler_app app_of(uint64_t family, uint64_t k)
{
    bench_rng g;
    scaler_app a = {.gap_s = 600, .length_s = 120, .worst = .5, .noise = .03, .price = 1, .weight = 5, .power = 1};
    bench_rng_seed(&g, family * 64 + k, 31);
    a.service_s = .006 * pow(30.0, bench_rng_u(&g));
    a.slo_s = a.service_s * (6.0 + 10.0 * bench_rng_u(&g));
    a.load = .02 / a.service_s * (.5 + 1.5 * bench_rng_u(&g));
    return a;
}

static void look(const lesson *l, double *x)
{
    const scaler *w = &l->w;
    if (l->direct) { /* as measured */
        x[0] = w->lambda / 3000.0;
        x[1] = w->util;
        x[2] = w->violation > 0.01 ? 0.9 : w->wait > 0.0 ? 0.5 : 0.1;
        x[3] = (double)scaler_replicas(w) / SCALER_MAX;
        return;
    }
    x[0] = (log2(w->lambda * w->service_seen + 0.25) + 2.0) / 9.0;
    x[1] = (w->service_seen / w->app.service_s - 1.0) / 1.5;
    x[2] = w->violation > 0.01 ? 0.9 : 0.1;
    x[3] = (w->app.slo_s / w->app.service_s - 6.0) / 10.0;
}

static int32_t begin(void *user, uint64_t lane, double *obs)
{
    lesson *l = user;
    (void)lane;
    if (l->many) l->w.app = app_of(l->family, (uint64_t)(l->episode++ % APPS));
    scaler_start(&l->w, bench_rng_below(&l->w.rng, l->half - WINDOW - 1));
    look(l, obs);
    return CTW_ENV_RUNNING;
}

static int64_t want_of(lesson *l, int64_t action)
{
    if (!l->direct) return scaler_hpa(&l->w, targets[action % TARGETS], memories[action / TARGETS]);
    return scaler_moved(&l->w, action);
}

static int32_t go(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    lesson *l = user;
    (void)lanes;
    scaler_step(&l->w, want_of(l, *action));
    look(l, obs);
    *reward = scaler_reward(&l->w);
    *state = CTW_ENV_RUNNING;
    return 0;
}

static void shield(void *user, uint64_t lane, uint8_t *ok)
{
    const lesson *l = user;
    const scaler *w = &l->w;
    int tight = w->lambda * w->service_seen / (double)scaler_replicas(w) > 0.85;
    (void)lane;
    for (size_t k = 0; k < ACTIONS; k++) ok[k] = (uint8_t)(!tight || (k < TARGETS && k <= 2));
}

/* Rewards of `episodes` episodes into out (may be NULL). */
static void run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes, int learn, double *out)
{
    const agent_world w = {DIMS, l->direct ? DIRECT : ACTIONS, 1, begin, go, l->direct ? NULL : shield, l};
    ctw_report *r;
    const double *v;
    uint64_t n;
    agent_live(j->b, a, &w, episodes, WINDOW, learn, &r);
    bench_ok(ctw_report_series(r, "return", &v, &n), "return");
    for (uint64_t i = 0; out && i < n; i++) out[i] = v[i] / WINDOW;
    ctw_report_unref(r);
}

/* tuned: an agent that goes on from other applications explores less. */
static ctw_agent *new_agent(agent_job *j, int64_t seed, int direct, int tuned)
{
    const char *const sup[] = {"form",          "linear", "actions",     "14",
                               "algo",          "sarsa",  "gamma",       "0.8",
                               "lambda",        "0.8",    "alpha",       tuned ? "0.02" : "0.05",
                               "alpha_decay",   "0.005",  "epsilon",     tuned ? "0.01" : "0.2",
                               "epsilon_decay", "0.995",  "epsilon_min", "0.005",
                               "initial",       "-0.6",   NULL};
    const char *const dir[] = {
        "form",          "linear", "actions",     "7",     "algo",    "sarsa",   "gamma",
        "0.9",           "lambda", "0.8",         "alpha", "0.2",     "epsilon", tuned ? "0.05" : "0.2",
        "epsilon_decay", "0.995",  "epsilon_min", "0.01",  "initial", "-3",      NULL};
    static const double lo[DIMS] = {0, 0, 0, 0}, hi[DIMS] = {1, 1, 1, 1};
    static const int64_t small[DIMS] = {4, 4, 2, 3}, wide[DIMS] = {8, 8, 3, 8};
    ctw_agent *a = agent_make(j->b, seed, direct ? dir : sup);
    ctw_features *f = agent_features(j->b, NULL, lo, hi, direct ? wide : small, DIMS);
    bench_ok(ctw_agent_set_features(a, f), "set_features");
    ctw_features_unref(f);
    return a;
}

/* An agent with another's weights, and schedules of its own. */
static ctw_agent *from_prior(agent_job *j, const ctw_agent *prior, int64_t seed, int direct)
{
    ctw_agent *a = new_agent(j, seed, direct, 1);
    agent_take_weights(a, prior);
    return a;
}

static double mean(const double *v, int64_t from, int64_t to)
{
    double s = 0.0;
    for (int64_t i = from; i < to; i++) s += v[i];
    return s / (double)(to - from);
}

/* End of the first window of 30 episodes within 10 % of `goal`; the number of episodes when there is none. */
static double reached(const double *v, int64_t n, double goal)
{
    for (int64_t i = 0; i + SPAN <= n; i++)
        if (mean(v, i, i + SPAN) >= goal * 1.1) return (double)(i + SPAN);
    return (double)n;
}

/* Reward of the policy as it stands, nothing learnt, on EXAMS windows that are the same for everybody. */
static double exam(agent_job *j, ctw_agent *a, const lesson *like, int64_t seed)
{
    double v[EXAMS];
    lesson l = *like;
    bench_rng_seed(&l.w.rng, (uint64_t)seed, 34);
    run(j, a, &l, EXAMS, 0, v);
    return mean(v, 0, EXAMS);
}

/* Learns `n` episodes into out; the policy is examined after each of the first 10 and after every fifth later on. */
static void study(agent_job *j, ctw_agent *a, lesson *l, int64_t seed, int64_t n, double *out, double *marks)
{
    int64_t m = 0;
    for (int64_t done = 0, step; done < n; done += step) {
        step = done < 10 ? 1 : done + 5 <= n ? 5 : n - done;
        marks[m++] = exam(j, a, l, seed);
        run(j, a, l, step, 1, out + done);
    }
    marks[m] = exam(j, a, l, seed);
}

/* Episodes lived when the policy first is within 10 % of `goal`; n when it never is. */
static double passed(const double *marks, int64_t n, double goal)
{
    for (int64_t done = 0, m = 0; done < n; done += done < 10 ? 1 : 5, m++)
        if (marks[m] >= goal * 1.1) return (double)done;
    return (double)n;
}

static void put(agent_rows *r, int64_t seed, const double *v, int64_t n, double goal)
{
    double last = mean(v, n - 100, n);
    agent_rows_put(r, seed, "reward", last);
    agent_rows_put(r, seed, "episodes_to_90", reached(v, n, goal));
    agent_rows_put(r, seed, "episodes_before_90", reached(v, n, goal) - SPAN); /* lived before that window began */
    agent_rows_put(r, seed, "first10_drop", 100.0 * (mean(v, 0, 10) / goal - 1.0));
    agent_rows_put(r, seed, "first10_drop_own", 100.0 * (mean(v, 0, 10) / last - 1.0));
}

/* Episodes until the frozen policy is within 10 % of where learning from scratch ends, and of the best end of all. */
static void put_exams(agent_rows *rows, int64_t seed, const double *marks, int64_t n)
{
    int64_t last = n < 10 ? n : 10 + (n - 10 + 4) / 5;
    double top = marks[last], scratch = marks[n + 1 + last];
    for (int k = 1; k < 3; k++) top = marks[k * (n + 1) + last] > top ? marks[k * (n + 1) + last] : top;
    for (int k = 0; k < 3; k++) {
        const double *of = marks + k * (n + 1);
        agent_rows_put(&rows[k], seed, "exam_first", of[0]);
        agent_rows_put(&rows[k], seed, "exam_last", of[last]);
        agent_rows_put(&rows[k], seed, "exam_to_scratch", passed(of, n, scratch));
        agent_rows_put(&rows[k], seed, "exam_to_best", passed(of, n, top));
    }
}

/* kind 0: the HPA at 58 %; 1: random settings of it; 2: the oracle. */
static void fixed(const double *trace, int64_t half, int64_t seed, int kind, int64_t n, double *out)
{
    lesson l = {.w = {.trace = trace, .from = half, .app = app_of(1000 + (uint64_t)seed, 63)}, .half = half};
    bench_rng_seed(&l.w.rng, (uint64_t)seed, 33);
    for (int64_t e = 0; e < n; e++) {
        double obs[DIMS], sum = 0.0;
        begin(&l, 0, obs);
        for (int i = 0; i < WINDOW - 3; i++) {
            scaler_step(&l.w, kind == 2   ? scaler_oracle(&l.w)
                              : kind == 1 ? want_of(&l, bench_rng_below(&l.w.rng, ACTIONS))
                                          : scaler_hpa(&l.w, targets[3], 20));
            sum += scaler_reward(&l.w);
        }
        out[e] = sum / (WINDOW - 3);
    }
}

int agent_flash(agent_job *j)
{
    static const char *const names[] = {"agent", "scratch", "transfer", "rule_star", "random", "oracle"};
    int64_t n, episodes = j->episodes ? j->episodes : 600;
    double *trace = scaler_trace(j->b, &n), *v = bench_alloc((size_t)episodes * 6, sizeof *v);
    int64_t half = n / 2;
    double *marks = bench_alloc((size_t)(episodes + 1) * 3, sizeof *marks);
    agent_rows rows[6];
    bench_no_more(j->b);
    if (episodes < 200) bench_die(2, "--episodes must be at least 200");
    for (int k = 0; k < 6; k++)
        agent_rows_open(&rows[k], j->b, "flash",
                        k == 0  ? "sarsa-over-hpa"
                        : k < 3 ? "sarsa-direct"
                                : "fixed",
                        names[k], j->first, j->last);
    for (int64_t s = j->first; s <= j->last; s++) {
        lesson train = {.w = {.trace = trace}, .many = 1, .family = (uint64_t)s, .half = half};
        bench_rng_seed(&train.w.rng, (uint64_t)s, 30);
        ctw_agent *prior = new_agent(j, s, 0, 0);
        run(j, prior, &train, 1600, 1, NULL);
        ctw_agent *one = new_agent(j, s, 1, 0);
        train.direct = 1;
        train.many = 0;
        train.w.app = app_of((uint64_t)s, 0);
        run(j, one, &train, 600, 1, NULL);
        ctw_agent *a[3] = {from_prior(j, prior, s, 0), new_agent(j, s, 1, 0), from_prior(j, one, s, 1)};
        for (int k = 0; k < 3; k++) { /* an unseen application on the unseen half of the trace */
            lesson l = {.w = {.trace = trace, .from = half, .app = app_of(1000 + (uint64_t)s, 63)},
                        .half = half,
                        .direct = k > 0};
            bench_rng_seed(&l.w.rng, (uint64_t)s, 32);
            study(j, a[k], &l, s, episodes, v + k * episodes, marks + k * (episodes + 1));
            ctw_agent_unref(a[k]);
        }
        for (int k = 0; k < 3; k++) fixed(trace, half, s, k, episodes, v + (3 + k) * episodes);
        double goal = mean(v + episodes, episodes - 100, episodes); /* where learning from scratch ends up */
        for (int k = 0; k < 6; k++) put(&rows[k], s, v + k * episodes, episodes, goal);
        put_exams(rows, s, marks, episodes);
        agent_rows_put(&rows[0], s, "negative_transfer_pct", 100.0 * (mean(v, episodes - 100, episodes) / goal - 1.0));
        ctw_agent_unref(prior);
        ctw_agent_unref(one);
    }
    for (int k = 0; k < 6; k++) agent_rows_print(&rows[k]);
    free(v);
    free(marks);
    free(trace);
    return 0;
}
