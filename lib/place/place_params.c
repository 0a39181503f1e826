/* place_params.c: every option of a placement problem, with its default, bounds and manual text. */
#include "place/place_params.h"

static const ctw_base__option options[] = {
    CTW_OPT_STR("mode", "auto", "auto|exact|greedy|decompose|bottomup",
                "tier: auto (what size and deadline allow), exact (class-aggregated branch and bound), greedy (no "
                "search, no bound), decompose (prices), bottomup (a binary per unit, server and slot; tiny problems)"),
    CTW_OPT_F64("slot_s", 3600, 1, 604800, "length of a slot in seconds"),
    CTW_OPT_F64("time_limit_s", 10, 1e-3, 1e6, "deadline of a solve called with deadline_s <= 0, in seconds"),
    CTW_OPT_F64("mip_gap", 1e-4, 0, 1, "relative gap at which a search may stop"),
    CTW_OPT_F64("throughput_min", 0, 0, 1, "fraction of all batch job-slots that must run within the horizon"),
    CTW_OPT_STR("reserve", "none", "none|server|rack",
                "what may be lost in any slot with the services still fitting on the other servers that are on (see "
                "ctw_place_solve); spare servers are kept on for it"),
    CTW_OPT_F64(
        "max_migrations", 1, 0, 1,
        "moves of running units between servers, as a fraction of all placements; below 1 the plan is packed so "
        "that units stay where they run"),
    CTW_OPT_F64("max_age_s", 1e9, 0, 1e9,
                "age of the forecast (ctw_place_set_forecast_age) beyond which jobs run as early as they can"),
    CTW_OPT_I64("max_vars", 2000000, 1, 100000000, "variables beyond which no integer model is built"),
    CTW_OPT_I64("max_nodes", 1000000, 1, 1000000000, "branch-and-bound nodes after which a search stops"),
    CTW_OPT_I64(
        "max_rounds", 0, 0, 1000000000,
        "rounds of each search around a plan; 0: as many as the deadline allows, a few hundred without one. With "
        "rounds and nodes limited and time to spare, an answer does not depend on the clock"),
};

const ctw_base__kind ctw_place__kind = {"place", options, sizeof options / sizeof *options};

void ctw_place__read_options(const ctw_params *params, ctw_place__opts *opt)
{
    const ctw_base__kind *k = &ctw_place__kind;
    opt->slot_s = ctw_base__opt_f64(params, k, "slot_s");
    opt->time_limit_s = ctw_base__opt_f64(params, k, "time_limit_s");
    opt->mip_gap = ctw_base__opt_f64(params, k, "mip_gap");
    opt->throughput_min = ctw_base__opt_f64(params, k, "throughput_min");
    opt->max_migrations = ctw_base__opt_f64(params, k, "max_migrations");
    opt->max_age_s = ctw_base__opt_f64(params, k, "max_age_s");
    opt->max_vars = ctw_base__opt_i64(params, k, "max_vars");
    opt->max_nodes = ctw_base__opt_i64(params, k, "max_nodes");
    opt->max_rounds = ctw_base__opt_i64(params, k, "max_rounds");
    opt->mode = (ctw_place__mode)ctw_base__opt_choice(params, k, "mode");
    opt->reserve = (ctw_place__reserve)ctw_base__opt_choice(params, k, "reserve");
}
