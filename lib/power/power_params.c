/* power_params.c: options of the module's handles: the one place where names, bounds and defaults stand. */
#include "power/power_params.h"

static const ctw_base__option power_options[] = {
    CTW_OPT_F64("idle_watts", 0.0, 0.0, 1e9, "power at utilisation 0 and top frequency, W; 0: unknown"),
    CTW_OPT_F64("tdp_watts", 0.0, 0.0, 1e9, "power at utilisation 1 and top frequency, W; 0: unknown"),
    CTW_OPT_F64("exponent", 2.4, 1.0, 4.0,
                "dynamic power goes with frequency to this power when neither voltages nor measurements say better"),
    CTW_OPT_F64("overlap", 1.0, 1.0, 16.0,
                "p of the norm that joins memory and core time when none was measured; 1: no overlap"),
    CTW_OPT_F64("time_tolerance", 0.002, 0.0, 0.1,
                "part by which choose lets a predicted slowdown exceed its limit: models of few points know no finer"),
    CTW_OPT_F64("recal_memory", 200.0, 2.0, 1e6, "readings that ctw_power_update remembers"),
    CTW_OPT_F64("drift_limit", 20.0, 1.0, 1e6,
                "cumulative sum of relative error against the fit, in units of its own, that means drift"),
    CTW_OPT_STR("objective", "busy", "busy|net",
                "energy that choose minimises: busy (watts x time) or net (watts above idle x time)"),
};

const ctw_base__kind ctw_power__kind = {"power", power_options, sizeof power_options / sizeof *power_options};

static const ctw_base__option governor_options[] = {
    CTW_OPT_F64("late_budget", 0.0046, 0.0, 1.0,
                "share of requests that may be late beyond those that would be late at the top frequency"),
    CTW_OPT_I64("window", 4096, 64, 1048576,
                "completed requests kept; in judging rules, one so many completions ago counts 1/e"),
    CTW_OPT_I64("tune_every", 32, 0, 1000000000, "completions between two choices of the rule; 0: only on request"),
    CTW_OPT_F64("lag_s", 0.0, 0.0, 60.0, "time until a changed frequency takes effect, s"),
    CTW_OPT_F64("switch_joule", 0.0, 0.0, 1e6, "energy that each change of the frequency costs, J"),
    CTW_OPT_I64("capacity", 65536, 1, 16777216, "most requests that may wait at once"),
};

const ctw_base__kind ctw_governor__kind = {"governor", governor_options,
                                           sizeof governor_options / sizeof *governor_options};

static const ctw_base__option shapes_options[] = {
    CTW_OPT_I64("neighbours", 8, 1, 1000, "similar machines that are averaged"),
};

const ctw_base__kind ctw_shapes__kind = {"shapes", shapes_options, sizeof shapes_options / sizeof *shapes_options};

static const ctw_base__option meter_options[] = {
    CTW_OPT_STR("form", "powers", "powers|linear", "terms of each counter: z, z^2, z^3 and its root, or z alone"),
    CTW_OPT_F64("gain", 0.05, 0.0, 1.0, "share of a new reading's error that the online correction takes up"),
    CTW_OPT_F64("drift_limit", 20.0, 1.0, 1e6,
                "cumulative sum of relative error, in calibration errors, that means drift"),
};

const ctw_base__kind ctw_meter__kind = {"meter", meter_options, sizeof meter_options / sizeof *meter_options};

static const ctw_base__option limit_options[] = {
    CTW_OPT_I64("trials", 3, 1, 256, "limits that may be tried, the highest included"),
};

static const ctw_base__option cluster_options[] = {
    CTW_OPT_F64("max_load", 0.7, 0.01, 1.0, "load that an awake server should have at most"),
    CTW_OPT_F64("window_s", 120.0, 1e-3, 1e9, "time over which mean and spread of the load are taken, s"),
    CTW_OPT_F64("deviations", 2.0, 0.0, 10.0, "standard deviations of the load kept free above its mean"),
    CTW_OPT_F64("patience", 1.0, 0.0, 100.0,
                "times the time that pays for one waking which a spare server idles before it sleeps"),
};

const ctw_base__kind ctw_cluster__kind = {"cluster", cluster_options, sizeof cluster_options / sizeof *cluster_options};

static const ctw_base__option pool_options[] = {
    CTW_OPT_F64("late_budget", 0.0046, 0.0, 1.0,
                "share of requests that may be late beyond those late with all servers awake at the top frequency"),
    CTW_OPT_I64("window", 4096, 64, 1048576, "completed requests kept for replay"),
    CTW_OPT_I64("tune_every", 1024, 0, 1000000000, "completions between two choices of the rule; 0: only on request"),
    CTW_OPT_F64("lag_s", 0.0, 0.0, 60.0, "time until a changed frequency takes effect, s"),
    CTW_OPT_F64("switch_joule", 0.0, 0.0, 1e6, "energy that each change of the frequency costs a server, J"),
    CTW_OPT_I64("capacity", 65536, 1, 16777216, "most requests that may be here at once"),
    CTW_OPT_F64("every_s", 5.0, 1e-3, 1e6, "time between two looks at who sleeps, s"),
    CTW_OPT_F64("window_s", 120.0, 1e-3, 1e9, "time over which mean and spread of the load are taken, s"),
    CTW_OPT_F64("deviations", 2.0, 0.0, 10.0, "standard deviations of the load kept free above its mean"),
    CTW_OPT_F64("patience", 1.0, 0.0, 100.0,
                "times the time that pays for one waking which a spare server idles before it sleeps"),
};

const ctw_base__kind ctw_pool__kind = {"pool", pool_options, sizeof pool_options / sizeof *pool_options};

const ctw_base__kind ctw_limit__kind = {"limit", limit_options, sizeof limit_options / sizeof *limit_options};

static const ctw_base__option rack_options[] = {
    CTW_OPT_F64("fairness", 2.0, 0.0, 16.0,
                "exponent a of the benefit -(s^a - 1)/a; 0: -log s, large: no one far behind"),
    CTW_OPT_F64("gain", 0.5, 0.0, 1.0, "share of a reading's error that a machine's correction takes up at once"),
    CTW_OPT_F64("margin_sd", 2.5, 0.0, 10.0, "standard deviations of the total's error kept free under the budget"),
    CTW_OPT_F64("margin_least", 0.005, 0.0, 0.5, "share of the budget kept free at least"),
};

const ctw_base__kind ctw_rack__kind = {"rack", rack_options, sizeof rack_options / sizeof *rack_options};

static const ctw_base__option backend_options[] = {
    CTW_OPT_STR("root", "", NULL, "directory that stands for / when looking for sys/...; empty: the real root"),
    CTW_OPT_STR("nvml", "libnvidia-ml.so.1", NULL, "NVIDIA's library to open at run time; empty: none"),
    CTW_OPT_F64("min_window_s", 0.1, 1e-3, 3600.0, "shortest time between two readings of an energy counter, s"),
    CTW_OPT_F64("max_watts", 20000.0, 1.0, 1e9, "power above which a reading is not believed, W"),
    CTW_OPT_BOOL("dry_run", 0, "check and answer, but change nothing"),
};

const ctw_base__kind ctw_backend__kind = {"backend", backend_options, sizeof backend_options / sizeof *backend_options};
