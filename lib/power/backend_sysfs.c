/* backend_sysfs.c: the kernel's own interfaces: cpufreq policies, powercap zones, hwmon inputs. Units there: kHz,
 * microjoule, microwatt. */
#include "power/backend_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 128 };

static ctw_status number(const ctw_backend__domain *d, const char *file, double *out, const char *fn)
{
    char path[CTW_SYSFS_PATH];
    if (!ctw_sysfs__join(path, d->dir, file)) return ctw_base__fail(CTW_E_BACKEND, "%s: path too long", fn);
    return ctw_sysfs__read_number(path, out, fn);
}

static ctw_status put(const ctw_backend__domain *d, const char *file, double value, const char *fn)
{
    char path[CTW_SYSFS_PATH];
    if (!ctw_sysfs__join(path, d->dir, file)) return ctw_base__fail(CTW_E_BACKEND, "%s: path too long", fn);
    return ctw_sysfs__write_number(path, value, fn);
}

static int has(const char *dir, const char *file)
{
    char path[CTW_SYSFS_PATH];
    return ctw_sysfs__join(path, dir, file) && ctw_sysfs__exists(path);
}

/* ---- cpufreq ---- */

void ctw_backend__find_cpufreq(ctw_backend *b, const char *root)
{
    static const char *fn = "ctw_backend_open";
    char dir[CTW_SYSFS_PATH], names[MOST_NAMES][64], governor[32] = "", path[CTW_SYSFS_PATH];
    if (!ctw_sysfs__join(dir, root, "sys/devices/system/cpu/cpufreq")) return;
    size_t n = ctw_sysfs__list(dir, "policy", names, MOST_NAMES);
    for (size_t i = 0; i < n; i++) {
        ctw_backend__domain *d = ctw_backend__add(b, CTW_BACKEND_CPUFREQ, names[i]);
        if (!d || !ctw_sysfs__join(d->dir, dir, names[i])) return;
        double low, high;
        if (number(d, "cpuinfo_min_freq", &low, fn) == CTW_OK && number(d, "cpuinfo_max_freq", &high, fn) == CTW_OK) {
            d->min_mhz = low / 1e3;
            d->max_mhz = high / 1e3;
        }
        if (has(d->dir, "scaling_max_freq") && d->max_mhz > 0.0) d->can |= CTW_BACKEND_SETS_MHZ;
        d->exact = ctw_sysfs__join(path, d->dir, "scaling_governor") &&
                   ctw_sysfs__read_text(path, governor, sizeof governor, fn) == CTW_OK &&
                   strcmp(governor, "userspace") == 0 && has(d->dir, "scaling_setspeed");
    }
}

static ctw_status remember_cpufreq(ctw_backend__domain *d, const char *fn)
{
    if (d->changed_mhz) return CTW_OK;
    CTW_TRY(number(d, "scaling_min_freq", &d->found_floor, fn));
    CTW_TRY(number(d, "scaling_max_freq", &d->found_ceiling, fn));
    return d->exact ? number(d, "scaling_setspeed", &d->found_speed, fn) : CTW_OK;
}

/* The kernel refuses a ceiling below the floor, and a floor above the ceiling: the one that moves away goes first. */
static ctw_status set_window(ctw_backend__domain *d, double floor, double ceiling, const char *fn)
{
    double now;
    CTW_TRY(number(d, "scaling_max_freq", &now, fn));
    if (floor > now) {
        CTW_TRY(put(d, "scaling_max_freq", ceiling, fn));
        return put(d, "scaling_min_freq", floor, fn);
    }
    CTW_TRY(put(d, "scaling_min_freq", floor, fn));
    return put(d, "scaling_max_freq", ceiling, fn);
}

ctw_status ctw_backend__cpufreq_set(ctw_backend__domain *d, double mhz, const char *fn)
{
    double khz = 1e3 * mhz;
    CTW_TRY(remember_cpufreq(d, fn));
    d->changed_mhz = 1;
    if (d->exact) return put(d, "scaling_setspeed", khz, fn);
    return set_window(d, fmin(d->found_floor, khz), khz, fn);
}

ctw_status ctw_backend__cpufreq_now(const ctw_backend__domain *d, double *mhz, const char *fn)
{
    double khz;
    CTW_TRY(number(d, "scaling_cur_freq", &khz, fn));
    *mhz = khz / 1e3;
    return CTW_OK;
}

ctw_status ctw_backend__cpufreq_restore(ctw_backend__domain *d, const char *fn)
{
    ctw_status s = set_window(d, d->found_floor, d->found_ceiling, fn);
    if (s == CTW_OK && d->exact) s = put(d, "scaling_setspeed", d->found_speed, fn);
    if (s == CTW_OK) d->changed_mhz = 0;
    return s;
}

/* ---- powercap ---- */

static void add_zone(ctw_backend *b, const char *dir, const char *zone)
{
    char path[CTW_SYSFS_PATH], name[32] = "", full[96];
    ctw_backend__domain *d = ctw_backend__add(b, CTW_BACKEND_RAPL, zone);
    if (!d || !ctw_sysfs__join(d->dir, dir, zone)) return;
    if (ctw_sysfs__join(path, d->dir, "name") &&
        ctw_sysfs__read_text(path, name, sizeof name, "ctw_backend_open") == CTW_OK) {
        snprintf(full, sizeof full, "%.60s %.30s", zone, name);
        memcpy(d->name, full, sizeof full);
    }
    if (has(d->dir, "energy_uj")) d->can |= CTW_BACKEND_READS;
    if (has(d->dir, "constraint_0_power_limit_uw")) d->can |= CTW_BACKEND_SETS_CAP;
    double range;
    if (number(d, "max_energy_range_uj", &range, "ctw_backend_open") == CTW_OK) d->counter.wraps_at = range / 1e6;
}

void ctw_backend__find_rapl(ctw_backend *b, const char *root)
{
    char dir[CTW_SYSFS_PATH], names[MOST_NAMES][64];
    if (!ctw_sysfs__join(dir, root, "sys/class/powercap")) return;
    size_t n = ctw_sysfs__list(dir, "intel-rapl:", names, MOST_NAMES);
    for (size_t i = 0; i < n; i++) add_zone(b, dir, names[i]);
}

ctw_status ctw_backend__rapl_read(ctw_backend *b, ctw_backend__domain *d, double now_s, double *watts, int32_t *valid,
                                  const char *fn)
{
    double uj;
    CTW_TRY(number(d, "energy_uj", &uj, fn));
    return ctw_backend__count(b, &d->counter, uj / 1e6, now_s, watts, valid, fn);
}

ctw_status ctw_backend__rapl_limit(const ctw_backend__domain *d, double *watts, const char *fn)
{
    double uw;
    CTW_TRY(number(d, "constraint_0_power_limit_uw", &uw, fn));
    *watts = uw / 1e6;
    return CTW_OK;
}

ctw_status ctw_backend__rapl_set(ctw_backend__domain *d, double watts, const char *fn)
{
    double most;
    /* 0 means that the driver does not know. */
    if (number(d, "constraint_0_max_power_uw", &most, fn) == CTW_OK && most > 0.0 && watts > most / 1e6)
        return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g, %s allows at most %g", fn, watts, d->name, most / 1e6);
    if (!d->changed_cap) CTW_TRY(ctw_backend__rapl_limit(d, &d->found_cap, fn));
    d->changed_cap = 1;
    return put(d, "constraint_0_power_limit_uw", 1e6 * watts, fn);
}

/* ---- hwmon ---- */

static void add_inputs(ctw_backend *b, const char *dir, const char *chip)
{
    static const char *fn = "ctw_backend_open";
    char at[CTW_SYSFS_PATH], files[16][64], path[CTW_SYSFS_PATH], name[32] = "hwmon";
    if (!ctw_sysfs__join(at, dir, chip)) return;
    if (ctw_sysfs__join(path, at, "name")) (void)ctw_sysfs__read_text(path, name, sizeof name, fn);
    size_t n = ctw_sysfs__list(at, "power", files, 16);
    for (size_t k = 0; k < n; k++) {
        const char *end = strchr(files[k], '_');
        if (!end || (strcmp(end, "_input") != 0 && strcmp(end, "_average") != 0)) continue;
        char full[96];
        snprintf(full, sizeof full, "%.20s %.20s %.40s", chip, name, files[k]);
        ctw_backend__domain *d = ctw_backend__add(b, CTW_BACKEND_HWMON, full);
        if (!d) return;
        memcpy(d->dir, at, sizeof at);
        memcpy(d->file, files[k], sizeof d->file);
        d->can = CTW_BACKEND_READS;
    }
}

void ctw_backend__find_hwmon(ctw_backend *b, const char *root)
{
    char dir[CTW_SYSFS_PATH], names[MOST_NAMES][64];
    if (!ctw_sysfs__join(dir, root, "sys/class/hwmon")) return;
    size_t n = ctw_sysfs__list(dir, "hwmon", names, MOST_NAMES);
    for (size_t i = 0; i < n; i++) add_inputs(b, dir, names[i]);
}

ctw_status ctw_backend__hwmon_read(ctw_backend__domain *d, double *watts, int32_t *valid, const char *fn)
{
    double uw;
    CTW_TRY(number(d, d->file, &uw, fn));
    *watts = uw / 1e6;
    *valid = 1;
    return CTW_OK;
}
