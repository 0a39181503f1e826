/* footprint.c: the two products of footprint.h, with every factor checked: a missing factor of a thousand is the
 * usual error in carbon accounts. */
#include <cybertwin/footprint.h>

#include "base/check.h"

static const double joule_per_kwh = 3.6e6, seconds_per_year = 365.25 * 86400.0;

static double operational(double joule, double g_per_kwh, double pue)
{
    return joule / joule_per_kwh * pue * g_per_kwh;
}

ctw_status ctw_footprint_operational(double watts, double seconds, double g_per_kwh, double pue, double *grams)
{
    static const char *fn = "ctw_footprint_operational";
    CTW_TRY(ctw_base__need(grams, fn, "grams"));
    CTW_TRY(ctw_base__in(watts, 0.0, 1e12, fn, "watts"));
    CTW_TRY(ctw_base__in(seconds, 0.0, 1e12, fn, "seconds"));
    CTW_TRY(ctw_base__in(g_per_kwh, 0.0, 1e6, fn, "g_per_kwh"));
    CTW_TRY(ctw_base__in(pue, 1.0, 100.0, fn, "pue"));
    *grams = operational(watts * seconds, g_per_kwh, pue);
    return CTW_OK;
}

ctw_status ctw_footprint_embodied(double total_kg, double lifetime_years, double utilisation, double share,
                                  double seconds, double *grams)
{
    static const char *fn = "ctw_footprint_embodied";
    CTW_TRY(ctw_base__need(grams, fn, "grams"));
    CTW_TRY(ctw_base__in(total_kg, 0.0, 1e12, fn, "total_kg"));
    CTW_TRY(ctw_base__in(lifetime_years, 1e-3, 1e3, fn, "lifetime_years"));
    CTW_TRY(ctw_base__in(utilisation, 1e-6, 1.0, fn, "utilisation"));
    CTW_TRY(ctw_base__in(share, 0.0, 1.0, fn, "share"));
    CTW_TRY(ctw_base__in(seconds, 0.0, 1e12, fn, "seconds"));
    *grams = 1e3 * total_kg * share * seconds / (lifetime_years * seconds_per_year * utilisation);
    return CTW_OK;
}

ctw_status ctw_footprint_embodied_share(double total_kg, double lifetime_years, double mean_watts, double g_per_kwh,
                                        double pue, double *share)
{
    static const char *fn = "ctw_footprint_embodied_share";
    double use;
    CTW_TRY(ctw_base__need(share, fn, "share"));
    CTW_TRY(ctw_base__in(total_kg, 0.0, 1e12, fn, "total_kg"));
    CTW_TRY(ctw_base__in(lifetime_years, 1e-3, 1e3, fn, "lifetime_years"));
    CTW_TRY(ctw_footprint_operational(mean_watts, lifetime_years * seconds_per_year, g_per_kwh, pue, &use));
    if (!(1e3 * total_kg + use > 0.0)) return ctw_base__fail(CTW_E_SINGULAR, "%s: neither part emits anything", fn);
    *share = 1e3 * total_kg / (1e3 * total_kg + use);
    return CTW_OK;
}
