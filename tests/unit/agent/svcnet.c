/* The two forms of the bench's world of services are one world: formulas against every request simulated. */
#include "../../../bench/svcnet.h"
#include "test.h"
#include <math.h>
#include <string.h>

static double load_trace[64];

/* n requests at a steady load with replicas for `use`; both forms. */
static void both(const char *name, double lambda, double ca2, double use, double n, svcnet *formula, svcnet *events)
{
    double visits[SVC_NODES];
    svcnet w = {.trace = load_trace, .load = lambda, .power = 1};
    ck_assert(svcnet_design(name, &w.d));
    w.d.ca2 = ca2;
    w.d.off_s = 0;
    w.d.dt = 1;
    svcnet_visits(&w.d, visits);
    svcnet_start(&w, 0, 5);
    for (size_t j = 0; j < w.d.n; j++)
        w.ready[j] = (int64_t)ceil(lambda * visits[j] * svcnet_service_s(&w, j, 0) / use);
    memset(w.backlog, 0, sizeof w.backlog);
    *formula = *events = w;
    formula->lambda = events->lambda = lambda;
    svcnet_analytic(formula);
    events->events = svcnet_events_new();
    ck_assert_ptr_nonnull(events->events);
    svcnet_events_start(events->events, 6);
    events->d.dt = 3000 / lambda; /* warm up */
    svcnet_events_step(events);
    events->d.dt = n / lambda;
    svcnet_events_step(events);
    svcnet_events_free(events->events);
}

START_TEST(forms_agree)
{
    static const char *const names[] = {"chain", "diamond", "fan", "shop"};
    static const double use[] = {.5, .7, .8};
    for (size_t i = 0; i < 64; i++) load_trace[i] = 1;
    for (int t = 0; t < 4; t++)
        for (int u = 0; u < 3; u++)
            for (int v = u == 2; v < 2; v++) { /* busy and few replicas: simulating it takes too long for a test */
                svcnet f, e;
                both(names[t], v ? 150 : 60, v ? 2 : 1, use[u], u == 0 ? 15000 : 40000, &f, &e);
                ck_assert_msg(fabs(f.mean_s / e.mean_s - 1) < .05, "%s use %g ca2 %d: mean %g, simulated %g", names[t],
                              use[u], v ? 2 : 1, f.mean_s, e.mean_s);
                ck_assert_msg(fabs(f.p99_s / e.p99_s - 1) < .15, "%s use %g: p99 %g, simulated %g", names[t], use[u],
                              f.p99_s, e.p99_s);
                for (size_t j = 0; j < f.d.n; j++) {
                    ck_assert_double_eq_tol(f.seen[j].util, e.seen[j].util, .03);
                    ck_assert_double_eq_tol(f.seen[j].lambda / e.seen[j].lambda, 1, .04);
                }
            }
}
END_TEST

/* Overload, contention and a cap move both forms alike; replicas arrive when their delay is over. */
START_TEST(shocks_and_delays)
{
    for (size_t i = 0; i < 64; i++) load_trace[i] = 1;
    for (int form = 0; form < 2; form++) {
        svcnet w = {.trace = load_trace, .load = 300, .power = 1};
        int64_t want[SVC_NODES] = {2, 3, 3};
        ck_assert(svcnet_design("chain", &w.d));
        w.d.off_s = 0;
        w.events = form ? svcnet_events_new() : NULL;
        svcnet_start(&w, 0, 3);
        double calm = w.mean_s, fresh = svcnet_service_s(&w, 1, 0);
        ck_assert(w.violation < .02);
        for (int i = 0; i < 4; i++) svcnet_step(&w, want);
        ck_assert_msg(w.violation > .9 && w.mean_s > 10 * calm, "form %d: %g %g", form, w.violation, w.mean_s);
        double queue = w.backlog[0];
        ck_assert(queue > 50);
        want[0] = want[1] = want[2] = 30;
        svcnet_step(&w, want);
        ck_assert(w.ready[0] == 2 && svcnet_replicas(&w, 0) == 30);
        svcnet_step(&w, want);
        ck_assert(w.ready[0] == 30);
        for (int i = 0; i < 12; i++) svcnet_step(&w, want);
        ck_assert_msg(w.mean_s < 2 * calm, "form %d: %g", form, w.mean_s);
        w.taken[1][SVC_CPU] = .5;
        w.power = .8;
        ck_assert(svcnet_service_s(&w, 1, 0) > fresh + .011);
        w.limit[1][SVC_CPU] = .999; /* a guarantee stands against the injector, not against the cap */
        ck_assert(svcnet_service_s(&w, 1, 0) < fresh + .01 && svcnet_service_s(&w, 1, 0) > fresh);
        svcnet_events_free(w.events);
    }
}
END_TEST

/* The same seed gives the same world, another seed another one. */
START_TEST(reproducible)
{
    double seen[3] = {0, 0, 0};
    for (size_t i = 0; i < 64; i++) load_trace[i] = 1 + .3 * sin((double)i);
    for (int k = 0; k < 3; k++) {
        svcnet w = {.trace = load_trace, .load = 60, .power = 1, .events = svcnet_events_new()};
        int64_t want[SVC_NODES] = {4, 4, 4, 4};
        ck_assert(svcnet_design("diamond", &w.d));
        svcnet_start(&w, 0, k == 2 ? 8 : 7);
        for (int i = 0; i < 40; i++) {
            svcnet_step(&w, want);
            seen[k] += w.mean_s + w.p99_s;
        }
        svcnet_events_free(w.events);
    }
    ck_assert(seen[0] == seen[1] && seen[0] != seen[2]);
}
END_TEST

int main(void)
{
    ctw_test_case cases[] = {
        {"forms_agree", forms_agree},
        {"shocks_and_delays", shocks_and_delays},
        {"reproducible", reproducible},
    };
    return ctw_test_main("unit-agent-svcnet", cases, sizeof cases / sizeof *cases, 60);
}
