/* backend_internal.h: domains, and what each kind of them does. */
#ifndef CTW_POWER_BACKEND_INTERNAL_H
#define CTW_POWER_BACKEND_INTERNAL_H

#include "base/handle.h"
#include "power/sysfs.h"
#include <cybertwin/backend.h>

#define CTW_BACKEND_MAGIC CTW_FOUR('B', 'K', 'N', 'D')
#define CTW_BACKEND_MOST  256

/* An energy counter turned into power. */
typedef struct ctw_backend__counter {
    int primed, has_watts;
    double joule, at_s, watts; /* last accepted reading and what it gave */
    double wraps_at;           /* J; 0: does not wrap */
} ctw_backend__counter;

typedef struct ctw_backend__domain {
    int32_t kind, can;
    char name[96];
    char dir[CTW_SYSFS_PATH], file[64]; /* sysfs: directory; hwmon: its input */
    void *device;                       /* NVML */
    ctw_backend__counter counter;
    double min_mhz, max_mhz; /* 0: unknown */
    int exact;               /* cpufreq with a settable speed */
    int changed_mhz, changed_cap;
    double found_floor, found_ceiling, found_speed, found_cap; /* before the first change */
} ctw_backend__domain;

/* Entry points of libnvidia-ml; all NULL when it is not there. */
typedef struct ctw_backend__nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *);
    int (*handle)(unsigned, void **);
    int (*name)(void *, char *, unsigned);
    int (*power)(void *, unsigned *);
    int (*energy)(void *, unsigned long long *);
    int (*get_limit)(void *, unsigned *);
    int (*set_limit)(void *, unsigned);
    int (*limit_range)(void *, unsigned *, unsigned *);
    int (*lock_clocks)(void *, unsigned, unsigned);
    int (*reset_clocks)(void *);
    int (*clock)(void *, int, unsigned *);
    int (*max_clock)(void *, int, unsigned *);
} ctw_backend__nvml;

struct ctw_backend {
    ctw_base__handle h;
    double min_window_s, max_watts;
    int dry_run;
    size_t n;
    ctw_backend__domain *domain; /* CTW_BACKEND_MOST */
    ctw_backend__nvml nvml;
};

/* A new zeroed domain; NULL when the list is full. */
ctw_backend__domain *ctw_backend__add(ctw_backend *b, int32_t kind, const char *name);
/* One more counter reading: power into *watts when valid. */
ctw_status ctw_backend__count(const ctw_backend *b, ctw_backend__counter *c, double joule, double now_s, double *watts,
                              int32_t *valid, const char *fn);

/* ---- sysfs kinds ---- */
void ctw_backend__find_cpufreq(ctw_backend *b, const char *root);
void ctw_backend__find_rapl(ctw_backend *b, const char *root);
void ctw_backend__find_hwmon(ctw_backend *b, const char *root);
ctw_status ctw_backend__rapl_read(ctw_backend *b, ctw_backend__domain *d, double now_s, double *watts, int32_t *valid,
                                  const char *fn);
ctw_status ctw_backend__hwmon_read(ctw_backend__domain *d, double *watts, int32_t *valid, const char *fn);
ctw_status ctw_backend__cpufreq_set(ctw_backend__domain *d, double mhz, const char *fn);
ctw_status ctw_backend__cpufreq_now(const ctw_backend__domain *d, double *mhz, const char *fn);
ctw_status ctw_backend__cpufreq_restore(ctw_backend__domain *d, const char *fn);
ctw_status ctw_backend__rapl_set(ctw_backend__domain *d, double watts, const char *fn);
ctw_status ctw_backend__rapl_limit(const ctw_backend__domain *d, double *watts, const char *fn);

/* ---- NVML ---- */
void ctw_backend__find_nvml(ctw_backend *b, const char *library);
void ctw_backend__close_nvml(ctw_backend *b);
ctw_status ctw_backend__nvml_read(ctw_backend *b, ctw_backend__domain *d, double now_s, double *watts, int32_t *valid,
                                  const char *fn);
ctw_status ctw_backend__nvml_set_mhz(ctw_backend *b, ctw_backend__domain *d, double mhz, double *now, const char *fn);
ctw_status ctw_backend__nvml_set_cap(ctw_backend *b, ctw_backend__domain *d, double watts, double *now, const char *fn);
ctw_status ctw_backend__nvml_restore(ctw_backend *b, ctw_backend__domain *d, const char *fn);

#endif
