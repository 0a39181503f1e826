/* agent.c: `ctw-bench agent --task NAME`: the list of tasks, and collecting results by seed. */
#include "agent.h"
#include "commands.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void agent_rows_open(agent_rows *r, bench *b, const char *task, const char *algo, const char *policy, int64_t first,
                     int64_t last)
{
    *r = (agent_rows){.b = b, .task = task, .algo = algo, .policy = policy, .first = first, .last = last};
}

static double *column(agent_rows *r, const char *key)
{
    size_t n = (size_t)(r->last - r->first + 1);
    for (size_t i = 0; i < r->keys; i++)
        if (strcmp(r->key[i], key) == 0) return r->value[i];
    if (r->keys == sizeof r->key / sizeof *r->key) bench_die(3, "too many results");
    r->key[r->keys] = key;
    double *v = r->value[r->keys++] = bench_alloc(n, sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = NAN;
    return v;
}

void agent_rows_put(agent_rows *r, int64_t seed, const char *key, double v)
{
    column(r, key)[seed - r->first] = v;
}

double agent_rows_mean(const agent_rows *r, const char *key)
{
    double s = 0.0;
    for (size_t i = 0; i < r->keys; i++)
        if (strcmp(r->key[i], key) == 0)
            for (int64_t k = 0; k <= r->last - r->first; k++) s += r->value[i][k];
    return s / (double)(r->last - r->first + 1);
}

void agent_rows_paired(agent_rows *r, const agent_rows *other, const char *key, const char *diff_key)
{
    for (size_t i = 0; i < other->keys; i++)
        if (strcmp(other->key[i], key) == 0)
            for (int64_t s = r->first; s <= r->last; s++)
                agent_rows_put(r, s, diff_key, column(r, key)[s - r->first] - other->value[i][s - r->first]);
}

static void begin(const agent_rows *r)
{
    bench_begin(r->b);
    bench_out_str("task", r->task);
    bench_out_str("algo", r->algo);
    if (r->policy) bench_out_str("policy", r->policy);
}

void agent_rows_print(agent_rows *r)
{
    for (int64_t s = r->first; s <= r->last; s++) {
        begin(r);
        bench_out_i64("seed", s);
        for (size_t i = 0; i < r->keys; i++) bench_out_f64(r->key[i], r->value[i][s - r->first]);
        bench_end();
    }
    begin(r);
    bench_out_aggregate((size_t)(r->last - r->first + 1));
    for (size_t i = 0; i < r->keys; i++) {
        bench_out_mean(r->key[i], r->value[i], (size_t)(r->last - r->first + 1));
        free(r->value[i]);
    }
    bench_end();
    r->keys = 0;
}

ctw_agent *agent_make(bench *b, int64_t seed, const char *const *kv)
{
    ctw_params *p;
    ctw_agent *a;
    ctw_ctx *ctx;
    bench_ok(ctw_ctx_new(NULL, NULL, &ctx), "context");
    bench_ok(ctw_ctx_set_seed(ctx, (uint64_t)seed), "seed");
    bench_ok(ctw_params_new(ctx, "agent", &p), "agent options");
    for (; *kv; kv += 2) bench_ok(ctw_params_set_text(p, kv[0], kv[1]), kv[0]);
    bench_params(b, p);
    bench_ok(ctw_agent_new(ctx, p, &a), "agent");
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
    return a;
}

ctw_features *agent_features(bench *b, const char *const *kv, const double *lo, const double *hi, const int64_t *bins,
                             uint64_t dims)
{
    ctw_params *p;
    ctw_features *f;
    bench_ok(ctw_params_new(b->ctx, "features", &p), "feature options");
    bench_ok(ctw_params_set_i64(p, "dims", (int64_t)dims), "dims");
    for (; kv && *kv; kv += 2) bench_ok(ctw_params_set_text(p, kv[0], kv[1]), kv[0]);
    bench_ok(ctw_features_new(b->ctx, p, &f), "features");
    bench_ok(ctw_features_set_ranges(f, lo, hi, bins, dims), "ranges");
    ctw_params_unref(p);
    return f;
}

ctw_report *agent_run(ctw_agent *a, ctw_env *env, int64_t episodes, int64_t max_steps, int learn, double *cpu_s)
{
    ctw_report *r;
    double t = bench_cpu_s();
    bench_ok(ctw_agent_run(a, env, episodes, max_steps, learn, NULL, &r), "run");
    *cpu_s += bench_cpu_s() - t;
    return r;
}

void agent_live(bench *b, ctw_agent *a, const agent_world *w, int64_t episodes, int64_t max_steps, int learn,
                ctw_report **report)
{
    ctw_env *env;
    bench_ok(ctw_env_new(b->ctx, w->dims, w->actions, w->lanes, w->reset, w->step, w->mask, w->user, &env), "env");
    bench_ok(ctw_agent_run(a, env, episodes, max_steps, learn, NULL, report), "run");
    ctw_env_unref(env);
}

void agent_take_weights(ctw_agent *to, const ctw_agent *from)
{
    uint64_t n;
    bench_ok(ctw_agent_get_weights(from, NULL, 0, &n), "weights");
    double *w = bench_alloc(n, sizeof *w);
    bench_ok(ctw_agent_get_weights(from, w, n, &n), "weights");
    bench_ok(ctw_agent_set_weights(to, w, n), "weights");
    free(w);
}

double agent_series_mean(ctw_report *r, const char *key, int64_t from, int64_t to)
{
    const double *v;
    uint64_t n;
    double s = 0.0;
    bench_ok(ctw_report_series(r, key, &v, &n), key);
    if (from < 0) from = 0;
    if (to > (int64_t)n) to = (int64_t)n;
    for (int64_t i = from; i < to; i++) s += v[i];
    return s / (double)(to - from);
}

static const struct {
    const char *name;
    int (*run)(agent_job *j);
} tasks[] = {{"pendulum", agent_pendulum}, {"config", agent_config}, {"values", agent_values}, {"svcnet", agent_svcnet},
             {"firmnet", agent_firmnet},   {"drift", agent_drift},   {"firm", agent_firm},     {"aware", agent_aware},
             {"flash", agent_flash},       {"simppo", agent_simppo}, {"indigo", agent_indigo}, {"parm", agent_parm},
             {"hcope", agent_hcope},       {"policy", agent_policy}};

int bench_agent(bench *b)
{
    agent_job j = {.b = b, .algo = bench_str(b, "--algo", "")};
    const char *task = bench_need(b, "--task");
    j.episodes = bench_i64(b, "--episodes", 0);
    bench_seeds(b, &j.first, &j.last);
    for (size_t i = 0; bench_nth(b, "--set", i); i++) { /* read when an agent is made; known from now on */
    }
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(task, tasks[i].name) == 0) return tasks[i].run(&j);
    return agent_classic(task, &j);
}
