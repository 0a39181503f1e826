/**
 * @file backend.h
 * Real sensors and actuators: cpufreq policies, powercap (RAPL) zones, hwmon power
 * inputs, NVIDIA accelerators. Nothing is linked for it: files are read below a
 * root directory, and the NVIDIA library is opened at run time when it is there.
 *
 * Whatever is not known is said to be unknown, never 0 W. Whatever was changed is
 * put back by restore and by the last unref.
 */
#ifndef CYBERTWIN_BACKEND_H
#define CYBERTWIN_BACKEND_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The sensors and actuators of this machine. Options: kind "backend". Threads: one at a time (CTW_E_BUSY). */
typedef struct ctw_backend ctw_backend;

/** What a domain is. */
enum {
    CTW_BACKEND_CPUFREQ = 1, /**< a cpufreq policy: frequency of some processors */
    CTW_BACKEND_RAPL = 2,    /**< a powercap zone: energy counter, perhaps a power limit */
    CTW_BACKEND_HWMON = 3,   /**< a hwmon power input: a sensor only */
    CTW_BACKEND_NVML = 4     /**< an NVIDIA accelerator: energy or power, clocks, power limit */
};

/** What a domain can do (bits of the capabilities). */
enum {
    CTW_BACKEND_READS = 1,    /**< ctw_backend_read gives watts */
    CTW_BACKEND_SETS_MHZ = 2, /**< ctw_backend_set_mhz */
    CTW_BACKEND_SETS_CAP = 4  /**< ctw_backend_set_cap */
};

/**
 * Looks for everything below the option root and for the option nvml; nothing is
 * written yet. A machine without any is CTW_OK with count 0. Files that exist but may not
 * be read still make a domain, whose read then says so. CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_backend_open(ctw_ctx *ctx, const ctw_params *params, ctw_backend **out);
/** One more owner; returns b. */
CTW_API ctw_backend *ctw_backend_ref(ctw_backend *b);
/** One owner less; the last one restores what was changed and closes. */
CTW_API void ctw_backend_unref(ctw_backend *b);

/** Number of domains; 0 for NULL. */
CTW_API uint64_t ctw_backend_count(const ctw_backend *b);
/** Kind, name (borrowed, as long as b) and capabilities of domain i; any out pointer may be NULL. */
CTW_API ctw_status ctw_backend_info(const ctw_backend *b, uint64_t i, int32_t *kind, const char **name, int32_t *can);
/** Frequency bounds of domain i in MHz as the driver states them. CTW_E_UNSUPPORTED where it has none. */
CTW_API ctw_status ctw_backend_range(const ctw_backend *b, uint64_t i, double *min_mhz, double *max_mhz);

/**
 * Mean power since the last reading (counters) or now (power inputs), at the host's
 * time now_s. `*valid` 0 and `*watts` NaN: not known yet, because a counter needs
 * two readings at least the option min_window_s apart; because it jumped (more than the
 * option max_watts) or ran backwards without a wrap-around; the next reading starts
 * anew. CTW_E_IO: permission (the text says which file and why); CTW_E_BACKEND: the
 * sensor vanished or failed; CTW_E_UNSUPPORTED: the domain has no sensor;
 * CTW_E_RANGE: time ran backwards.
 */
CTW_API ctw_status ctw_backend_read(ctw_backend *b, uint64_t i, double now_s, double *watts, int32_t *valid);

/**
 * Asks for a frequency; `*delivered` (may be NULL) is what the domain reports
 * afterwards, which hardware may make lower. cpufreq: exact under the "userspace"
 * governor, else a lowered ceiling; the floor is moved first where the ceiling would
 * fall below it. NVML: locked clocks. CTW_E_RANGE outside the bounds, CTW_E_IO without permission.
 */
CTW_API ctw_status ctw_backend_set_mhz(ctw_backend *b, uint64_t i, double mhz, double *delivered);
/** Asks for a power limit in watts; `*delivered` (may be NULL) is what the domain then reports. Errors as above. */
CTW_API ctw_status ctw_backend_set_cap(ctw_backend *b, uint64_t i, double watts, double *delivered);
/** Puts everything back as it was found; tries all and returns the first failure. */
CTW_API ctw_status ctw_backend_restore(ctw_backend *b);

#ifdef __cplusplus
}
#endif
#endif
