/* kinds.c: the one place that knows the option table of every module, so that ctw_params_new can find a
 * kind by name while base stays below all modules. Add a line here for a new kind of handle. */
#include "agent/agent_params.h"
#include "base/params.h"
#include "forecast/forecast_params.h"
#include "guard/guard_params.h"
#include "place/place_params.h"
#include "power/power_params.h"
#include "queue/queue_params.h"
#include "rca/rca_params.h"
#include "svm/svm_params.h"
#include "twin/twin_params.h"

/* clang-format off: one line a kind */
const ctw_base__kind *const ctw_base__kinds[] = {
    &ctw_agent__kind,    &ctw_backend__kind,  &ctw_bandit__kind,  &ctw_calls__kind,    &ctw_campaign__kind,
    &ctw_cluster__kind,  &ctw_detector__kind, &ctw_dual__kind,    &ctw_features__kind, &ctw_forecast__kind,
    &ctw_governor__kind, &ctw_guard__kind,    &ctw_lengths__kind, &ctw_limit__kind,    &ctw_meter__kind,
    &ctw_online__kind,   &ctw_ope__kind,      &ctw_place__kind,   &ctw_policy__kind,   &ctw_power__kind,
    &ctw_queue__kind,    &ctw_rack__kind,     &ctw_rca__kind,     &ctw_serving__kind,  &ctw_shapes__kind,
    &ctw_exec__kind,     &ctw_spans__kind,    &ctw_svm__kind,     &ctw_twin__kind,     &ctw_watch__kind,
    &ctw_prior__kind,    &ctw_pool__kind,
};
/* clang-format on */
const size_t ctw_base__kind_count = sizeof ctw_base__kinds / sizeof *ctw_base__kinds;
