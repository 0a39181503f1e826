/* world.c: the data centre of the example, and the parts the cybertwin has and the baseline has not. Everything that
 * is fitted is fitted on what lies before the day: the forecaster and its guard on the grid's history, the length
 * predictor on other prompts, the power models on a test rig, the localiser on a fault-free rehearsal. */
#include "green_day.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CPU_CLASS   0
#define GPU_CLASS   1
#define REGION      0
#define SERVICES    3
#define DRAIN_S     (36 * 3600.0) /* the last jobs of the day end within this time after it */
#define BASE_S      0.8           /* LLM: time to first token, and per token */
#define PER_TOKEN_S 0.03

static const double cpu_levels[] = {0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.0};
static const double gpu_levels[] = {0.55, 0.65, 0.75, 0.85, 0.93, 1.0};

typedef struct hardware {
    int64_t id;
    double cores, idle_w, peak_w, exponent, top_mhz, membound;
    const double *level;
    size_t n_level;
} hardware;

static const hardware kinds[] = {
    {CPU_CLASS, 32, 95, 360, 2.3, 2600, 0.30, cpu_levels, sizeof cpu_levels / sizeof *cpu_levels},
    {GPU_CLASS, 1, 70, 420, 2.1, 1800, 0.60, gpu_levels, sizeof gpu_levels / sizeof *gpu_levels},
};

static size_t instances(const options *o)
{
    return (size_t)(o->servers + 9) / 10;
}

/* ---- faults ---- */

static double time_of(const char **at, const char *spec)
{
    char *end;
    double v = strtod(*at, &end);
    double unit = *end == 'h' ? 3600.0 : *end == 'm' ? 60.0 : *end == 's' ? 1.0 : 0.0;
    if (end == *at || unit <= 0.0 || !(v >= 0.0))
        die("--faults \"%s\": a time such as 9.5h, 30m or 40s belongs at \"%s\"", spec, *at);
    *at = end + 1;
    return v * unit;
}

size_t fault_parse(const char *spec, fault_spec *out)
{
    static const struct {
        const char *name;
        int32_t kind;
    } kind[] = {{"loss", CTW_FAULT_SERVER_LOSS}, {"slow", CTW_FAULT_SLOWDOWN}, {"stuck", CTW_FAULT_SENSOR_STUCK}};
    size_t n = 0;
    const char *at = spec;
    if (strcmp(spec, "none") == 0) return 0;
    while (*at) {
        if (n == MAX_FAULTS) die("--faults: more than %d", MAX_FAULTS);
        fault_spec *f = &out[n++];
        size_t k = 0;
        while (k < 3 && strncmp(at, kind[k].name, strlen(kind[k].name)) != 0) k++;
        if (k == 3) die("--faults \"%s\": loss, slow or stuck belongs at \"%s\"", spec, at);
        *f = (fault_spec){.kind = kind[k].kind, .target = -1, .speed = 0.5};
        at += strlen(kind[k].name);
        if (*at == ':') f->target = strtoll(at + 1, (char **)(uintptr_t)&at, 10);
        if (*at++ != '@') die("--faults \"%s\": @START+LENGTH is missing after %s", spec, kind[k].name);
        f->start_s = time_of(&at, spec);
        if (*at++ != '+') die("--faults \"%s\": +LENGTH is missing", spec);
        f->end_s = f->start_s + time_of(&at, spec);
        if (*at == '*') {
            char *end;
            f->speed = strtod(at + 1, &end);
            at = end;
        }
        if (*at == ',') at++;
    }
    return n;
}

static void add_faults(ctw_twin *t, const options *o, const fault_spec *faults, size_t n)
{
    dice d = {(uint64_t)o->seed * 31 + 5};
    for (size_t i = 0; i < n; i++) {
        int64_t target = faults[i].target;
        if (faults[i].kind == CTW_FAULT_SENSOR_STUCK)
            target = REGION;
        else if (target < 0)
            target = (int64_t)dice_below(&d, (size_t)o->servers - instances(o));
        need(ctw_twin_add_fault(t, faults[i].kind, target, faults[i].start_s, faults[i].end_s, faults[i].speed),
             "fault");
    }
}

/* ---- the installation ---- */

static void add_servers(ctw_twin *t, const options *o)
{
    size_t n = (size_t)o->servers, gpus = instances(o);
    int64_t *id = room(n, sizeof *id), *region = room(n, sizeof *region), *klass = room(n, sizeof *klass);
    for (size_t i = 0; i < n; i++) {
        id[i] = (int64_t)i;
        region[i] = REGION;
        klass[i] = i < n - gpus ? CPU_CLASS : GPU_CLASS;
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        need(ctw_twin_add_class(t, kinds[k].id, kinds[k].cores, kinds[k].idle_w, kinds[k].peak_w, kinds[k].exponent,
                                kinds[k].level, kinds[k].n_level),
             "class");
    need(ctw_twin_add_servers(t, id, region, klass, n), "servers");
    need(ctw_twin_set_llm(t, id + (n - gpus), gpus, BASE_S, PER_TOKEN_S, kinds[GPU_CLASS].membound, 20.0, 4.0), "LLM");
    free(id);
    free(region);
    free(klass);
}

/* Three services, whose replicas together hold about a quarter of the cores. */
static void add_services(ctw_twin *t, const options *o, const inputs *in)
{
    static const struct {
        uint64_t components;
        double work_s, slo_s, membound;
    } kind[SERVICES] = {{3, 0.016, 0.080, 0.2}, {4, 0.020, 0.120, 0.3}, {5, 0.012, 0.100, 0.25}};
    uint64_t cpus = (uint64_t)o->servers - instances(o);
    uint64_t replicas = cpus / 12 > 2 ? cpus / 12 : 2;
    if (replicas > 200) replicas = 200;
    double *rate = room(in->n_load, sizeof *rate);
    for (size_t k = 0; k < SERVICES; k++) {
        /* At the day's peak a replica of 8 cores is 60 % busy at top frequency. */
        double peak = 0.60 * (double)replicas * 8.0 / kind[k].work_s;
        for (size_t m = 0; m < in->n_load; m++) rate[m] = peak * in->load[(m + 37 * k) % in->n_load];
        need(ctw_twin_add_service(t, (int64_t)k, REGION, kind[k].components, replicas, 8.0, kind[k].work_s,
                                  kind[k].membound, kind[k].slo_s, rate, in->n_load, 86400.0 / (double)in->n_load),
             "service");
    }
    free(rate);
}

/* Prompts follow the load of the day, but less steeply: half of them come from programs that never sleep. */
static double llm_load(const inputs *in, size_t minute)
{
    return 0.5 + 0.5 * in->load[minute];
}

/* Requests come at such a rate that the instances are 75 % busy on average; in
 * the busiest hours a line forms. */
static void add_requests(ctw_twin *t, const options *o, const inputs *in, const double *predicted)
{
    dice d = {(uint64_t)o->seed * 977 + 3};
    double mean = 0.0, at = 0.0, weight = 0.0;
    size_t served = in->n_prompts - in->n_train, n = 0, cap = 4096;
    double *arrival = room(cap, sizeof *arrival), *tokens = room(cap, sizeof *tokens),
           *guess = room(cap, sizeof *guess);
    for (size_t i = in->n_train; i < in->n_prompts; i++)
        mean += (BASE_S + PER_TOKEN_S * in->tokens[i]) / (double)served;
    for (size_t m = 0; m < in->n_load; m++) weight += llm_load(in, m) / (double)in->n_load;
    double peak = 0.75 * (double)instances(o) / mean / weight;
    while ((at += dice_exponential(&d) / peak) < 86400.0) {
        if (dice_uniform(&d) > llm_load(in, (size_t)(at / 86400.0 * (double)in->n_load))) continue; /* thinning */
        if (n == cap) {
            cap *= 2;
            arrival = realloc(arrival, cap * sizeof *arrival);
            tokens = realloc(tokens, cap * sizeof *tokens);
            guess = realloc(guess, cap * sizeof *guess);
            if (!arrival || !tokens || !guess) die("out of memory");
        }
        size_t i = in->n_train + dice_below(&d, served);
        arrival[n] = at;
        tokens[n] = in->tokens[i];
        guess[n++] = predicted ? predicted[i] : mean;
    }
    need(ctw_twin_add_requests(t, arrival, tokens, guess, n), "requests");
    free(arrival);
    free(tokens);
    free(guess);
}

static ctw_twin *installation(ctw_ctx *ctx, const options *o, const inputs *in)
{
    ctw_twin *t = NULL;
    need(ctw_twin_new(ctx, NULL, &t), "twin");
    need(ctw_twin_add_region(t, REGION, in->ci, HOURS_AHEAD, 3600.0), "region");
    add_servers(t, o);
    add_services(t, o, in);
    return t;
}

/* ---- the parts ---- */

static void set_params(ctw_params *p, const char *const *pairs)
{
    for (size_t i = 0; pairs[i]; i += 2) need(ctw_params_set_text(p, pairs[i], pairs[i + 1]), "option");
}

static ctw_params *params(ctw_ctx *ctx, const char *kind, const char *const *pairs)
{
    ctw_params *p = NULL;
    need(ctw_params_new(ctx, kind, &p), kind);
    set_params(p, pairs);
    return p;
}

static void add_forecast(ctw_ctx *ctx, ctw_twin *t, const inputs *in)
{
    ctw_forecast *f = NULL;
    need(ctw_forecast_new(ctx, NULL, &f), "forecast");
    need(ctw_forecast_fit(f, in->history, in->n_history, 1, NULL, 0, 0, NULL), "forecast");
    need(ctw_twin_set_forecast(t, REGION, f), "forecast");
    ctw_forecast_unref(f);
    /* one value an hour: two strange hours are enough to step back, three good ones to return */
    ctw_params *g = params(ctx, "guard", (const char *const[]){"alpha", "0.01", NULL});
    ctw_params *w = params(
        ctx, "watch",
        (const char *const[]){"level", "0.01", "suspect", "0.7", "limit", "1.4", "clean", "1", "shadow", "2", NULL});
    size_t n = in->n_history < 24 * 120 ? in->n_history : 24 * 120;
    double *recent = room(n, sizeof *recent);
    for (size_t i = 0; i < n; i++) { /* gaps in the history are bridged for the guard only */
        double v = in->history[in->n_history - n + i];
        recent[i] = isfinite(v) ? v : i ? recent[i - 1] : 0.0;
    }
    need(ctw_twin_set_guard(t, REGION, g, w, recent, n), "guard");
    free(recent);
    ctw_params_unref(g);
    ctw_params_unref(w);
}

/* A test rig's measurements of one kind of server: every level at five loads, two percent of noise. */
static void add_power(ctw_ctx *ctx, ctw_twin *t, const hardware *k)
{
    enum { LOADS = 5 };
    ctw_params *p = params(ctx, "power", (const char *const[]){"objective", "net", NULL});
    ctw_power *m = NULL;
    dice d = {99 + (uint64_t)k->id};
    size_t n = k->n_level * LOADS;
    double mhz[64], util[64], watts[64], seconds[64], points[16];
    for (size_t i = 0; i < n; i++) {
        double x = k->level[i / LOADS], u = (double)(i % LOADS) / (LOADS - 1);
        mhz[i] = x * k->top_mhz;
        util[i] = u;
        watts[i] = (k->idle_w + (k->peak_w - k->idle_w) * pow(x, k->exponent) * u) * (1.0 + 0.02 * dice_normal(&d));
        seconds[i] = 100.0 * (k->membound + (1.0 - k->membound) / x) * (1.0 + 0.01 * dice_normal(&d));
    }
    for (size_t i = 0; i < k->n_level; i++) points[i] = k->level[i] * k->top_mhz;
    need(ctw_power_new(ctx, p, &m), "power");
    need(ctw_power_set_points(m, points, NULL, k->n_level), "power");
    need(ctw_power_fit(m, mhz, util, watts, seconds, n, NULL), "power");
    need(ctw_twin_set_power(t, k->id, m), "power");
    ctw_power_unref(m);
    ctw_params_unref(p);
}

/* The localiser learns what traces look like when all is well, from a rehearsal of the day without faults. */
static void add_rca(ctw_ctx *ctx, ctw_twin *t)
{
    ctw_twin *rehearsal = NULL;
    ctw_rca *m = NULL;
    ctw_calls *window = NULL;
    need(ctw_rca_new(ctx, NULL, &m), "rca");
    need(ctw_twin_clone(t, &rehearsal), "rehearsal");
    need(ctw_calls_new(ctx, NULL, &window), "rca");
    for (int hour = 0; hour < 24; hour++) {
        need(ctw_twin_run(rehearsal, 3600.0 * hour + 60.0, NULL), "rehearsal");
        need(ctw_calls_clear(window), "rca");
        need(ctw_twin_sample_calls(rehearsal, window), "rca");
        need(ctw_rca_learn(m, window, NULL), "rca");
    }
    need(ctw_twin_set_rca(t, m), "rca");
    ctw_calls_unref(window);
    ctw_twin_unref(rehearsal);
    ctw_rca_unref(m);
}

/* The agents that set the reserve of the services' frequencies practise on a rehearsal of the day before they serve. */
static void add_agents(ctw_ctx *ctx, ctw_twin *t)
{
    static const double lo[CTW_TWIN_AGENT_DIMS] = {0.0, 0.8, 0.0, 0.0}, hi[CTW_TWIN_AGENT_DIMS] = {1.0, 1.2, 2.0, 1.0};
    static const int64_t bins[CTW_TWIN_AGENT_DIMS] = {8, 4, 4, 4};
    ctw_params *shape =
        params(ctx, "features", (const char *const[]){"form", "tiles", "dims", "4", "tilings", "4", NULL});
    ctw_params *learning = params(ctx, "agent",
                                  (const char *const[]){"form", "linear", "actions", "5", "algo", "expected-sarsa",
                                                        "gamma", "0.5", "epsilon", "0.02", NULL});
    ctw_twin *rehearsal = NULL;
    need(ctw_twin_clone(t, &rehearsal), "rehearsal");
    for (int64_t service = 0; service < SERVICES; service++) {
        ctw_features *map = NULL;
        ctw_agent *a = NULL;
        need(ctw_features_new(ctx, shape, &map), "features");
        need(ctw_features_set_ranges(map, lo, hi, bins, CTW_TWIN_AGENT_DIMS), "features");
        need(ctw_agent_new(ctx, learning, &a), "agent");
        need(ctw_agent_set_features(a, map), "agent");
        need(ctw_twin_set_agent(rehearsal, service, a), "agent");
        ctw_agent_unref(a);
        ctw_features_unref(map);
    }
    need(ctw_twin_run(rehearsal, 86400.0, NULL), "rehearsal");
    for (int64_t service = 0; service < SERVICES; service++) {
        ctw_agent *a = NULL;
        need(ctw_twin_get_agent(rehearsal, service, &a), "agent");
        need(ctw_twin_set_agent(t, service, a), "agent");
        ctw_agent_unref(a);
    }
    ctw_twin_unref(rehearsal);
    ctw_params_unref(shape);
    ctw_params_unref(learning);
}

/* Predicted answer lengths of every prompt that will be served, by a model of the others. */
static double *predict_lengths(ctw_ctx *ctx, const inputs *in)
{
    ctw_lengths *m = NULL;
    double *out = room(in->n_prompts, sizeof *out);
    uint64_t *bytes = room(in->n_prompts, sizeof *bytes);
    for (size_t i = 0; i < in->n_prompts; i++) bytes[i] = strlen(in->prompt[i]);
    need(ctw_lengths_new(ctx, NULL, &m), "lengths");
    need(ctw_lengths_fit(m, (const char *const *)in->prompt, bytes, in->n_train, in->tokens, 1, NULL), "lengths");
    for (size_t i = in->n_train; i < in->n_prompts; i++)
        need(ctw_lengths_predict(m, in->prompt[i], bytes[i], 0, 0.5, &out[i]), "lengths");
    ctw_lengths_unref(m);
    free(bytes);
    return out;
}

/* Is the part wanted? --without names those that are not. */
static int with(const options *o, const char *part)
{
    return !o->without || !strstr(o->without, part);
}

static void without_check(const options *o)
{
    static const char *const part[] = {"agent", "forecast", "place", "power", "queue", "rca"};
    const size_t parts = sizeof part / sizeof *part;
    for (const char *at = o->without; at && *at;) {
        size_t k = 0;
        while (k < parts && strncmp(at, part[k], strlen(part[k])) != 0) k++;
        if (k < parts) at += strlen(part[k]);
        if (k == parts || (*at != ',' && *at != '\0'))
            die("--without \"%s\": agent, forecast, place, power, queue or rca belongs at \"%s\"", o->without, at);
        if (*at == ',') at++;
    }
}

static void add_parts(ctw_ctx *ctx, const options *o, ctw_twin *t, const inputs *in)
{
    without_check(o);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds && with(o, "power"); k++) add_power(ctx, t, &kinds[k]);
    if (with(o, "rca")) add_rca(ctx, t);
    if (with(o, "agent")) add_agents(ctx, t);
    if (with(o, "forecast")) add_forecast(ctx, t, in);
    ctw_params *place = params(ctx, "place", (const char *const[]){"time_limit_s", "0.25", NULL});
    ctw_params *queue = params(ctx, "queue", (const char *const[]){"policy", "guarded", NULL});
    if (with(o, "place")) need(ctw_twin_set_place(t, place), "place");
    if (with(o, "queue")) need(ctw_twin_set_queue(t, queue), "queue");
    ctw_params_unref(place);
    ctw_params_unref(queue);
}

/* ---- the day ---- */

static int32_t progress(void *user, uint64_t step, double share, double carbon_g)
{
    const char *who = user;
    (void)step;
    int width = 40, done = (int)(share * width + 0.5);
    fprintf(stderr, "\r%-10s [", who);
    for (int i = 0; i < width; i++) fputc(i < done ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f %%  %8.1f kg CO2", 100.0 * share, carbon_g / 1000.0);
    if (share > 0.99) fputc('\n', stderr);
    return 0;
}

void world_run(ctw_ctx *ctx, const options *o, const inputs *in, const fault_spec *faults, size_t n_faults,
               int cybertwin, outcome *out)
{
    static char name[2][10] = {"baseline", "cybertwin"};
    clock_t start = clock();
    ctw_twin *t = installation(ctx, o, in);
    double *predicted = cybertwin ? predict_lengths(ctx, in) : NULL;
    if (cybertwin) add_parts(ctx, o, t, in);
    add_requests(t, o, in, predicted);
    need(ctw_twin_add_jobs(t, in->job_id, in->job_region, in->arrival_s, in->cores, in->work_s, in->predicted_s,
                           in->deadline_s, in->membound, in->n_jobs),
         "jobs");
    add_faults(t, o, faults, n_faults);
    if (isatty(2)) need(ctw_twin_set_progress(t, progress, name[cybertwin]), "progress");
    need(ctw_twin_run(t, 86400.0 + DRAIN_S, NULL), name[cybertwin]);
    if (isatty(2)) (void)progress(name[cybertwin], 0, 1.0, 0.0);
    need(ctw_twin_report(t, &out->report), "report");
    out->cpu_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    ctw_twin_unref(t);
    free(predicted);
}
