/* small_day.c: see small_day.h. Every number is derived from its index, so that a test can rely on it. */
#include "small_day.h"
#include <math.h>
#include <stddef.h>

#define HISTORY 960

static double wobble(int i)
{
    return (double)((i * 7919 + 13) % 101) / 101.0 - 0.5;
}

void small_day_signal(double *out, int hours, double mean)
{
    for (int i = 0; i < hours; i++)
        out[i] = mean * (1.0 + 0.3 * cos(2.0 * 3.141592653589793 * (i - 3) / 24.0) + 0.05 * wobble(i));
}

#define TRY(call)                    \
    do {                             \
        ctw_status s_ = (call);      \
        if (s_ != CTW_OK) return s_; \
    } while (0)

static ctw_status installation(ctw_twin *t)
{
    static const double level[] = {0.5, 0.75, 1.0};
    static const int64_t id[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, region[] = {0, 0, 0, 0, 0, 1, 1, 1, 0, 0},
                         klass[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, llm[] = {8, 9};
    double ci[48], rate[48];
    small_day_signal(ci, 48, 300.0);
    TRY(ctw_twin_add_region(t, 0, ci, 48, 3600.0));
    small_day_signal(ci, 48, 150.0);
    TRY(ctw_twin_add_region(t, 1, ci, 48, 3600.0));
    TRY(ctw_twin_add_class(t, 0, 16.0, 80.0, 300.0, 2.2, level, 3));
    TRY(ctw_twin_add_class(t, 1, 1.0, 60.0, 380.0, 2.0, level, 3));
    TRY(ctw_twin_add_servers(t, id, region, klass, 10));
    for (int i = 0; i < 48; i++) rate[i] = 200.0 + 50.0 * sin(i / 3.0);
    TRY(ctw_twin_add_service(t, 0, 0, 2, 3, 4.0, 0.02, 0.2, 0.1, rate, 48, 1800.0));
    TRY(ctw_twin_add_service(t, 1, 1, 2, 2, 4.0, 0.02, 0.3, 0.1, rate, 48, 1800.0));
    return ctw_twin_set_llm(t, llm, 2, 0.5, 0.05, 0.6, 20.0, 4.0);
}

static ctw_status work(ctw_twin *t)
{
    enum { JOBS = 40, REQUESTS = 300 };
    int64_t id[JOBS], region[JOBS];
    double at[REQUESTS], cores[JOBS], work_s[JOBS], predicted[REQUESTS], deadline[JOBS], membound[JOBS],
        tokens[REQUESTS];
    for (int i = 0; i < JOBS; i++) {
        id[i] = 100 + i;
        region[i] = i % 3 == 0;
        at[i] = 900.0 * i;
        cores[i] = 1.0 + i % 4;
        work_s[i] = 1200.0 + 300.0 * (i % 7);
        predicted[i] = work_s[i] * (1.0 + 0.2 * wobble(i));
        deadline[i] = at[i] + 3.0 * work_s[i] + 3600.0 * (1 + i % 5);
        membound[i] = 0.1 * (i % 5);
    }
    TRY(ctw_twin_add_jobs(t, id, region, at, cores, work_s, predicted, deadline, membound, JOBS));
    for (int i = 0; i < REQUESTS; i++) {
        at[i] = 120.0 * i + 40.0 * (i % 3);
        tokens[i] = 20.0 + 37.0 * (i % 11);
        predicted[i] = tokens[i] * (1.0 + 0.4 * wobble(i));
    }
    return ctw_twin_add_requests(t, at, tokens, predicted, REQUESTS);
}

static ctw_status add_forecast(ctw_ctx *ctx, ctw_twin *t, int64_t region, const double *history)
{
    ctw_forecast *f = NULL;
    ctw_params *p = NULL;
    ctw_status s = ctw_params_new(ctx, "forecast", &p);
    if (s == CTW_OK) s = ctw_params_set_str(p, "model", "profile");
    if (s == CTW_OK) s = ctw_forecast_new(ctx, p, &f);
    if (s == CTW_OK) s = ctw_forecast_fit(f, history, HISTORY, 1, NULL, 0, 0, NULL);
    if (s == CTW_OK) s = ctw_twin_set_forecast(t, region, f);
    ctw_forecast_unref(f);
    ctw_params_unref(p);
    ctw_params *w = NULL;
    if (s == CTW_OK) s = ctw_params_new(ctx, "watch", &w);
    if (s == CTW_OK) s = ctw_params_set_f64(w, "suspect", 0.7);
    if (s == CTW_OK) s = ctw_params_set_f64(w, "limit", 1.4);
    if (s == CTW_OK) s = ctw_params_set_f64(w, "level", 0.01);
    if (s == CTW_OK) s = ctw_twin_set_guard(t, region, NULL, w, history, HISTORY);
    ctw_params_unref(w);
    return s;
}

static ctw_status add_parts(ctw_ctx *ctx, ctw_twin *t)
{
    static const double mhz[] = {1000.0, 1500.0, 2000.0};
    static double history[HISTORY];
    ctw_params *p = NULL, *q = NULL, *l = NULL;
    ctw_power *power = NULL;
    small_day_signal(history, HISTORY, 300.0);
    TRY(add_forecast(ctx, t, 0, history));
    small_day_signal(history, HISTORY, 150.0);
    TRY(add_forecast(ctx, t, 1, history));
    ctw_status s = ctw_params_new(ctx, "power", &p);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "idle_watts", 80.0);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "tdp_watts", 300.0);
    if (s == CTW_OK) s = ctw_params_set_str(p, "objective", "net");
    if (s == CTW_OK) s = ctw_power_new(ctx, p, &power);
    if (s == CTW_OK) s = ctw_power_set_points(power, mhz, NULL, 3);
    if (s == CTW_OK) s = ctw_twin_set_power(t, 0, power);
    if (s == CTW_OK) s = ctw_twin_set_power(t, 1, power);
    if (s == CTW_OK) s = ctw_params_new(ctx, "place", &l);
    if (s == CTW_OK) s = ctw_params_set_str(l, "mode", "greedy");
    if (s == CTW_OK) s = ctw_twin_set_place(t, l);
    if (s == CTW_OK) s = ctw_params_new(ctx, "queue", &q);
    if (s == CTW_OK) s = ctw_twin_set_queue(t, q);
    ctw_power_unref(power);
    ctw_params_unref(p);
    ctw_params_unref(l);
    ctw_params_unref(q);
    return s;
}

ctw_status small_day_agent(ctw_ctx *ctx, double epsilon, ctw_agent **out)
{
    static const double lo[] = {0.0, 0.5, 0.0, 0.0}, hi[] = {1.0, 2.0, 2.0, 1.0};
    ctw_params *p = NULL, *q = NULL;
    ctw_features *map = NULL;
    ctw_agent *a = NULL;
    ctw_status s = ctw_params_new(ctx, "features", &p);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "dims", CTW_TWIN_AGENT_DIMS);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "bins", 4);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "tilings", 2);
    if (s == CTW_OK) s = ctw_features_new(ctx, p, &map);
    if (s == CTW_OK) s = ctw_features_set_ranges(map, lo, hi, NULL, CTW_TWIN_AGENT_DIMS);
    if (s == CTW_OK) s = ctw_params_new(ctx, "agent", &q);
    if (s == CTW_OK) s = ctw_params_set_str(q, "form", "linear");
    if (s == CTW_OK) s = ctw_params_set_i64(q, "actions", CTW_TWIN_AGENT_ACTIONS);
    if (s == CTW_OK) s = ctw_params_set_f64(q, "epsilon", epsilon);
    if (s == CTW_OK) s = ctw_agent_new(ctx, q, &a);
    if (s == CTW_OK) s = ctw_agent_set_features(a, map);
    ctw_params_unref(p);
    ctw_params_unref(q);
    ctw_features_unref(map);
    if (s == CTW_OK)
        *out = a;
    else
        ctw_agent_unref(a);
    return s;
}

static ctw_status add_agent(ctw_ctx *ctx, ctw_twin *t)
{
    ctw_agent *a = NULL;
    TRY(small_day_agent(ctx, 0.2, &a));
    ctw_status s = ctw_twin_set_agent(t, 0, a);
    ctw_agent_unref(a);
    return s;
}

static ctw_status add_rca(ctw_ctx *ctx, ctw_twin *t)
{
    ctw_twin *rehearsal = NULL;
    ctw_rca *m = NULL;
    ctw_calls *window = NULL;
    ctw_status s = ctw_rca_new(ctx, NULL, &m);
    if (s == CTW_OK) s = ctw_twin_clone(t, &rehearsal);
    if (s == CTW_OK) s = ctw_calls_new(ctx, NULL, &window);
    for (int i = 0; s == CTW_OK && i < 6; i++) {
        s = ctw_twin_run(rehearsal, 3600.0 * (i + 1), NULL);
        if (s == CTW_OK) s = ctw_calls_clear(window);
        if (s == CTW_OK) s = ctw_twin_sample_calls(rehearsal, window);
        if (s == CTW_OK) s = ctw_rca_learn(m, window, NULL);
    }
    if (s == CTW_OK) s = ctw_twin_set_rca(t, m);
    ctw_calls_unref(window);
    ctw_twin_unref(rehearsal);
    ctw_rca_unref(m);
    return s;
}

static ctw_status build(ctw_ctx *ctx, int what, ctw_twin *t)
{
    TRY(installation(t));
    if (what & DAY_PARTS) TRY(add_parts(ctx, t));
    if (what & DAY_PARTS) TRY(add_agent(ctx, t));
    if (what & DAY_RCA) TRY(add_rca(ctx, t));
    TRY(work(t));
    if (!(what & DAY_FAULTS)) return CTW_OK;
    TRY(ctw_twin_add_fault(t, CTW_FAULT_SERVER_LOSS, 1, 7200.0, 10800.0, 0.0));
    TRY(ctw_twin_add_fault(t, CTW_FAULT_SERVER_LOSS, 8, 9000.0, 9030.0, 0.0));
    TRY(ctw_twin_add_fault(t, CTW_FAULT_SLOWDOWN, 2, 14400.0, 21600.0, 0.3));
    return ctw_twin_add_fault(t, CTW_FAULT_SENSOR_STUCK, 0, 25200.0, 36000.0, 0.0);
}

ctw_status small_day(ctw_ctx *ctx, int what, ctw_twin **out)
{
    ctw_params *p = NULL;
    *out = NULL;
    ctw_status s = ctw_params_new(ctx, "twin", &p);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "slot_s", 300.0);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "day_s", 43200.0);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "rca_traces", 40);
    if (s == CTW_OK) s = ctw_twin_new(ctx, p, out);
    ctw_params_unref(p);
    if (s == CTW_OK) s = build(ctx, what, *out);
    if (s != CTW_OK) {
        ctw_twin_unref(*out);
        *out = NULL;
    }
    return s;
}
