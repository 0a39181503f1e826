/**
 * @file footprint.h
 * Carbon of a request: what its energy caused, and its share of what making the
 * machine caused.
 *
 *     operational g = W x s / 3.6e6 x PUE x g/kWh
 *     embodied g    = total g x s / lifetime s / utilisation x share of the machine
 *
 * (the amortisation of the Software Carbon Intensity specification, ISO/IEC
 * 21031:2024, with idle time charged to those who use the machine). Pure
 * functions: free to call from any thread.
 */
#ifndef CYBERTWIN_FOOTPRINT_H
#define CYBERTWIN_FOOTPRINT_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Grams of CO2e for work that drew `watts` for `seconds` at `g_per_kwh`, in a
 * building of power usage effectiveness `pue` (>= 1). All >= 0; CTW_E_RANGE names
 * what is not, CTW_E_NONFINITE for NaN and infinity.
 */
CTW_API ctw_status ctw_footprint_operational(double watts, double seconds, double g_per_kwh, double pue, double *grams);
/**
 * Grams of CO2e of making the machine that fall to `seconds` of use of the part
 * `share` (0..1] of it, when it embodies `total_kg`, lives `lifetime_years` and is
 * used the part `utilisation` (0..1] of that time.
 */
CTW_API ctw_status ctw_footprint_embodied(double total_kg, double lifetime_years, double utilisation, double share,
                                          double seconds, double *grams);
/**
 * Share of embodied in all carbon of a machine that draws `mean_watts` on average
 * over its life: 0..1. CTW_E_SINGULAR when both parts are 0.
 */
CTW_API ctw_status ctw_footprint_embodied_share(double total_kg, double lifetime_years, double mean_watts,
                                                double g_per_kwh, double pue, double *share);

#ifdef __cplusplus
}
#endif
#endif
