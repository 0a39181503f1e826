/* Every allocation of new, set_points, fit, save and load may fail. */
#include "test.h"
#include <cybertwin/backend.h>
#include <cybertwin/cluster.h>
#include <cybertwin/governor.h>
#include <cybertwin/limit.h>
#include <cybertwin/meter.h>
#include <cybertwin/partition.h>
#include <cybertwin/phases.h>
#include <cybertwin/pool.h>
#include <cybertwin/power.h>
#include <cybertwin/rack.h>
#include <cybertwin/sensitivity.h>
#include <cybertwin/shapes.h>
#include <math.h>

static unsigned char saved[65536];

static ctw_status use(ctw_ctx *ctx, ctw_power *p)
{
    static const double mhz[] = {1000, 1500, 2000, 2000, 2000}, volt[] = {0.8, 0.9, 1.0, 1.0, 1.0};
    static const double util[] = {1, 1, 1, 0.5, 0}, w[] = {150, 200, 300, 200, 100}, t[] = {1.5, 1.2, 1, NAN, NAN};
    unsigned char buf[16384];
    uint64_t need = 0;
    ctw_power *q = NULL;
    ctw_status s = ctw_power_set_points(p, mhz, volt, 3);
    if (s == CTW_OK) s = ctw_power_fit(p, mhz, util, w, t, 5, NULL);
    if (s == CTW_OK) s = ctw_power_save_mem(p, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_power_load_mem(ctx, buf, need, &q);
    ctw_power_unref(q);
    return s;
}

static ctw_status life(ctw_ctx *ctx, void *user)
{
    ctw_power *p = NULL;
    (void)user;
    ctw_status s = ctw_power_new(ctx, NULL, &p);
    if (s == CTW_OK) s = use(ctx, p);
    ctw_power_unref(p);
    return s;
}

static ctw_status govern(ctw_ctx *ctx, void *user)
{
    static const double mhz[] = {1000, 2000}, slow[] = {1.8, 1.0}, w[] = {100, 200};
    ctw_governor *g = NULL, *again = NULL;
    ctw_report *r = NULL;
    uint64_t need = 0;
    (void)user;
    ctw_status s = ctw_governor_new(ctx, NULL, &g);
    if (s == CTW_OK) s = ctw_governor_set_table(g, mhz, slow, w, NULL, 2);
    for (int i = 0; s == CTW_OK && i < 40; i++) s = ctw_governor_arrive(g, i, i, 0.5, i + 2);
    for (int i = 0; s == CTW_OK && i < 40; i++) s = ctw_governor_complete(g, i, 40 + i, NAN);
    if (s == CTW_OK) s = ctw_governor_tune(g, NULL);
    if (s == CTW_OK) s = ctw_governor_report(g, &r);
    if (s == CTW_OK) s = ctw_governor_save_mem(g, saved, sizeof saved, &need);
    if (s == CTW_OK) s = ctw_governor_load_mem(ctx, saved, need, &again);
    ctw_report_unref(r);
    ctw_governor_unref(again);
    ctw_governor_unref(g);
    return s;
}

static ctw_status remember(ctw_ctx *ctx, void *user)
{
    static const double u[] = {0, 0.5, 1}, w[] = {100, 220, 300}, f = 1.0;
    ctw_shapes *m = NULL, *again = NULL;
    ctw_power *p = NULL;
    uint64_t need = 0;
    (void)user;
    ctw_status s = ctw_shapes_new(ctx, NULL, &m);
    for (int i = 0; s == CTW_OK && i < 5; i++) s = ctw_shapes_add(m, &f, 1, u, w, 3);
    if (s == CTW_OK) s = ctw_power_new(ctx, NULL, &p);
    if (s == CTW_OK) s = ctw_power_set_shapes(p, m, &f, 1);
    if (s == CTW_OK) s = ctw_power_fit(p, NULL, u, w, NULL, 3, NULL);
    if (s == CTW_OK) s = ctw_shapes_save_mem(m, saved, sizeof saved, &need);
    if (s == CTW_OK) s = ctw_shapes_load_mem(ctx, saved, need, &again);
    ctw_shapes_unref(again);
    ctw_shapes_unref(m);
    ctw_power_unref(p);
    return s;
}

static ctw_status measure(ctw_ctx *ctx, void *user)
{
    static const double x[] = {1, 2, 3}, w[] = {10, 20, 30}, share[] = {0.1, 0.5, 0.9}, clock[] = {0.5};
    static const double slow[] = {1.9, 1.5, 1.1}, watts[] = {100, 200};
    unsigned char buf[4096];
    uint64_t need = 0;
    ctw_meter *m = NULL, *again = NULL;
    ctw_sensitivity *t = NULL, *t2 = NULL;
    ctw_limit *l = NULL, *l2 = NULL;
    (void)user;
    ctw_status s = ctw_meter_new(ctx, NULL, &m);
    if (s == CTW_OK) s = ctw_meter_fit(m, x, 3, 1, 1, w, NULL);
    if (s == CTW_OK) s = ctw_meter_save_mem(m, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_meter_load_mem(ctx, buf, need, &again);
    ctw_meter_unref(again);
    if (s == CTW_OK) s = ctw_sensitivity_new(ctx, &t);
    if (s == CTW_OK) s = ctw_sensitivity_fit(t, share, 3, 1, clock, slow, 1, NULL, NULL, NULL);
    if (s == CTW_OK) s = ctw_sensitivity_save_mem(t, saved, sizeof saved, &need);
    if (s == CTW_OK) s = ctw_sensitivity_load_mem(ctx, saved, need, &t2);
    if (s == CTW_OK) s = ctw_limit_new(ctx, NULL, watts, 2, 1.05, &l);
    if (s == CTW_OK) s = ctw_limit_save_mem(l, saved, sizeof saved, &need);
    if (s == CTW_OK) s = ctw_limit_load_mem(ctx, saved, need, &l2);
    ctw_meter_unref(m);
    ctw_sensitivity_unref(t);
    ctw_sensitivity_unref(t2);
    ctw_limit_unref(l);
    ctw_limit_unref(l2);
    return s;
}

static ctw_status share_out(ctw_ctx *ctx, void *user)
{
    static const uint64_t first[] = {0, 2, 3};
    static const double w[] = {1, 2, 3}, slow[] = {2, 1, 1};
    ctw_rack *f = NULL, *again = NULL;
    uint64_t n, need = 0;
    (void)user;
    ctw_status s = ctw_rack_new(ctx, NULL, &f);
    if (s == CTW_OK) s = ctw_rack_set_machines(f, 2, first, w, slow, NULL, NULL);
    if (s == CTW_OK) s = ctw_rack_set_machines(f, 1, first, w, slow, NULL, NULL);
    if (s == CTW_OK) s = ctw_rack_set_feeds(f, 1, w, NULL, first);
    if (s == CTW_OK) s = ctw_rack_set_feeds(f, 1, w, NULL, first);
    if (s == CTW_OK) s = ctw_rack_plan(ctx, w, 1, 3, 3, 10, 0.1, 10, NULL, &n, NULL);
    if (s == CTW_OK) s = ctw_rack_save_mem(f, saved, sizeof saved, &need);
    if (s == CTW_OK) s = ctw_rack_load_mem(ctx, saved, need, &again);
    ctw_rack_unref(again);
    ctw_rack_unref(f);
    return s;
}

static ctw_status look(ctw_ctx *ctx, void *user)
{
    ctw_params *opt = NULL;
    ctw_backend *b = NULL;
    (void)user;
    ctw_status s = ctw_params_new(ctx, "backend", &opt);
    if (s == CTW_OK) s = ctw_params_set_str(opt, "root", "no/such/root");
    if (s == CTW_OK) s = ctw_params_set_str(opt, "nvml", "");
    if (s == CTW_OK) s = ctw_backend_open(ctx, opt, &b);
    ctw_params_unref(opt);
    ctw_backend_unref(b);
    return s;
}

static ctw_status place(ctw_ctx *ctx, void *user)
{
    static const double load[] = {0.2, 0.3}, gb[] = {1, 2};
    int64_t device[2];
    uint64_t n;
    (void)user;
    return ctw_partition_consolidate(ctx, load, gb, load, 2, 4, 2, 1, CTW_PARTITION_ALIKE, &n, device);
}

static ctw_status sleep_and_phases(ctw_ctx *ctx, void *user)
{
    static const double idle[] = {100, 90}, low[] = {5, 5}, s[] = {10, 10}, j[] = {100, 100}, work[] = {1, 2};
    static const double mhz[] = {1000, 2000, 2000}, mem[] = {800, 800, 400}, w[] = {100, 200, 180}, t[] = {1.5, 1, 1.2};
    ctw_cluster *c = NULL, *c2 = NULL;
    ctw_report *r = NULL;
    ctw_power *p = NULL, *again = NULL;
    double f[2];
    uint64_t need;
    (void)user;
    ctw_status st = ctw_cluster_new(ctx, NULL, &c);
    if (st == CTW_OK) st = ctw_cluster_set_servers(c, 2, NULL, idle, low, s, j);
    if (st == CTW_OK) st = ctw_cluster_set_servers(c, 2, NULL, idle, low, s, j);
    if (st == CTW_OK) st = ctw_cluster_update(c, 0, 0.5, NULL, NULL);
    if (st == CTW_OK) st = ctw_cluster_report(c, &r);
    if (st == CTW_OK) st = ctw_cluster_save_mem(c, saved, sizeof saved, &need);
    if (st == CTW_OK) st = ctw_cluster_load_mem(ctx, saved, need, &c2);
    if (st == CTW_OK) st = ctw_power_new(ctx, NULL, &p);
    if (st == CTW_OK) st = ctw_power_fit_memory(p, mhz, mem, NULL, w, t, 3, NULL);
    if (st == CTW_OK) st = ctw_power_update(p, 2000, 1, 210);
    if (st == CTW_OK) st = ctw_power_save_mem(p, saved, sizeof saved, &need);
    if (st == CTW_OK) st = ctw_power_load_mem(ctx, saved, need, &again);
    const ctw_power *both[2] = {p, again};
    if (st == CTW_OK) st = ctw_phases_choose(ctx, both, NULL, work, 2, 1.2, INFINITY, f, NULL, NULL);
    ctw_report_unref(r);
    ctw_cluster_unref(c);
    ctw_cluster_unref(c2);
    ctw_power_unref(p);
    ctw_power_unref(again);
    return st;
}

static ctw_status pool(ctw_ctx *ctx, void *user)
{
    static const double mhz[] = {1000, 2000}, slow[] = {2, 1}, w[] = {100, 300}, low[] = {50, 60};
    ctw_pool *p = NULL;
    ctw_report *r = NULL;
    (void)user;
    ctw_status s = ctw_pool_new(ctx, NULL, &p);
    for (uint64_t n = 2; s == CTW_OK && n < 4; n++) s = ctw_pool_set_servers(p, n, 5, 1, 100, mhz, slow, w, low, 2);
    for (int i = 0; s == CTW_OK && i < 40; i++) s = ctw_pool_arrive(p, i, i, 0.5, i + 2);
    for (int i = 0; s == CTW_OK && i < 40; i++) s = ctw_pool_complete(p, i, 40 + i, NAN);
    if (s == CTW_OK) s = ctw_pool_tune(p, NULL);
    if (s == CTW_OK) s = ctw_pool_decide(p, 80, NULL, NULL, NULL);
    if (s == CTW_OK) s = ctw_pool_report(p, &r);
    ctw_report_unref(r);
    ctw_pool_unref(p);
    return s;
}

START_TEST(sweep)
{
    ck_assert(ctw_oom_sweep(life, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(govern, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(remember, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(measure, NULL, 1) > 3);
    ck_assert(ctw_oom_sweep(look, NULL, 1) > 3);
    ck_assert(ctw_oom_sweep(place, NULL, 1) >= 3);
    ck_assert(ctw_oom_sweep(pool, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(share_out, NULL, 1) > 5);
    ck_assert(ctw_oom_sweep(sleep_and_phases, NULL, 1) > 10);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"sweep", sweep}};
    return ctw_test_main("oom-power", cases, 1, 60);
}
