/* main.c: a host in C, compiled as C99 and as C++, against the installed library only: forecast -> place -> queue on a
 * small synthetic day. Every consumer of this folder prints these lines, and they must be equal. */
#include <cybertwin/cybertwin.h>
#include <stdio.h>

enum { HISTORY = 720, SLOTS = 24, NODES = 4, JOBS = 6 };

static int fail(const char *what, ctw_status s)
{
    fprintf(stderr, "%s: %s: %s\n", what, ctw_status_name(s), ctw_error_message());
    return 1;
}

/* Carbon intensity with a daily valley at 13 h and a weekly ripple, in whole numbers: the same in any language. */
static double history(int hour)
{
    int h = hour % 24, d = hour / 24 % 7;
    return 420.0 - (double)((h - 13) * (h - 13)) + 3.0 * d;
}

static ctw_status forecast(ctw_ctx *ctx, double *mean)
{
    double series[HISTORY];
    ctw_forecast *f;
    ctw_status s;
    int i;
    for (i = 0; i < HISTORY; i++) series[i] = history(i);
    s = ctw_forecast_new(ctx, NULL, &f);
    if (s == CTW_OK) s = ctw_forecast_fit(f, series, HISTORY, 1, NULL, 0, 0, NULL);
    if (s == CTW_OK) s = ctw_forecast_predict(f, SLOTS, 0.9, NULL, 0, mean, NULL, NULL);
    ctw_forecast_unref(f);
    return s;
}

static ctw_status place(ctw_ctx *ctx, const double *mean, double *carbon_g, int64_t *slot)
{
    int64_t node_id[NODES], job_id[JOBS], release[JOBS], deadline[JOBS], duration[JOBS];
    double capacity[NODES], idle_w[NODES], w_per_unit[NODES], demand[JOBS];
    ctw_place *p;
    ctw_solution *sol = NULL;
    ctw_report *r = NULL;
    ctw_status s;
    int i;
    for (i = 0; i < NODES; i++) {
        node_id[i] = 100 + i;
        capacity[i] = 8;
        idle_w[i] = 100;
        w_per_unit[i] = 10;
    }
    for (i = 0; i < JOBS; i++) {
        job_id[i] = i;
        demand[i] = 2 + i % 3;
        release[i] = i;
        deadline[i] = SLOTS;
        duration[i] = 2;
    }
    s = ctw_place_new(ctx, NULL, &p);
    if (s == CTW_OK) s = ctw_place_set_nodes(p, node_id, NODES, capacity, 1, 1);
    if (s == CTW_OK) s = ctw_place_set_node_power(p, idle_w, w_per_unit, NODES, 1);
    if (s == CTW_OK) s = ctw_place_set_jobs(p, job_id, JOBS, demand, 1, 1, release, deadline, duration);
    if (s == CTW_OK) s = ctw_place_set_carbon(p, mean, 1, SLOTS, SLOTS);
    if (s == CTW_OK) s = ctw_place_solve(p, 5.0, NULL, &sol);
    if (s == CTW_OK) s = ctw_place_verify(p, sol);
    if (s == CTW_OK) s = ctw_solution_assignment(sol, NULL, slot, JOBS);
    if (s == CTW_OK) s = ctw_solution_report(sol, &r);
    if (s == CTW_OK) s = ctw_report_get_f64(r, "carbon_g", carbon_g);
    ctw_report_unref(r);
    ctw_solution_unref(sol);
    ctw_place_unref(p);
    return s;
}

static ctw_status queue(ctw_ctx *ctx, const int64_t *slot, int64_t *order)
{
    ctw_queue *q;
    ctw_status s = ctw_queue_new(ctx, NULL, &q);
    int i;
    for (i = 0; s == CTW_OK && i < JOBS; i++) s = ctw_queue_push(q, i, 10.0 * (double)slot[i], 1.0, (double)i);
    for (i = 0; s == CTW_OK && i < JOBS; i++) s = ctw_queue_pop(q, 100.0, &order[i]);
    ctw_queue_unref(q);
    return s;
}

int main(void)
{
    double mean[SLOTS], carbon_g = 0;
    int64_t slot[JOBS], order[JOBS];
    ctw_ctx *ctx;
    int i;
    ctw_status s = ctw_ctx_new(NULL, NULL, &ctx);
    if (s != CTW_OK) return fail("context", s);
    if ((s = forecast(ctx, mean)) != CTW_OK) return fail("forecast", s);
    if ((s = place(ctx, mean, &carbon_g, slot)) != CTW_OK) return fail("place", s);
    if ((s = queue(ctx, slot, order)) != CTW_OK) return fail("queue", s);
    printf("forecast %.3f %.3f %.3f\n", mean[0], mean[12], mean[23]);
    printf("carbon %.3f\n", carbon_g);
    printf("slots");
    for (i = 0; i < JOBS; i++) printf(" %d", (int)slot[i]);
    printf("\norder");
    for (i = 0; i < JOBS; i++) printf(" %d", (int)order[i]);
    printf("\n");
    ctw_ctx_unref(ctx);
    return 0;
}
