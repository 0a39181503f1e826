/* backend_nvml.c: NVIDIA accelerators through libnvidia-ml, opened at run time: the library must run on machines
 * without it. Units there: MHz, milliwatt, millijoule. */
#include "power/backend_internal.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OK = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, CLOCK_GRAPHICS = 0 };

/* dlsym gives an object pointer; copying the bytes is how POSIX has it become a function pointer. */
static void entry(void *library, const char *name, void *out)
{
    void *found = dlsym(library, name);
    memcpy(out, &found, sizeof found);
}

static void load(ctw_backend__nvml *v)
{
    entry(v->library, "nvmlInit_v2", &v->init);
    entry(v->library, "nvmlShutdown", &v->shutdown);
    entry(v->library, "nvmlDeviceGetCount_v2", &v->count);
    entry(v->library, "nvmlDeviceGetHandleByIndex_v2", &v->handle);
    entry(v->library, "nvmlDeviceGetName", &v->name);
    entry(v->library, "nvmlDeviceGetPowerUsage", &v->power);
    entry(v->library, "nvmlDeviceGetTotalEnergyConsumption", &v->energy);
    entry(v->library, "nvmlDeviceGetPowerManagementLimit", &v->get_limit);
    entry(v->library, "nvmlDeviceSetPowerManagementLimit", &v->set_limit);
    entry(v->library, "nvmlDeviceGetPowerManagementLimitConstraints", &v->limit_range);
    entry(v->library, "nvmlDeviceSetGpuLockedClocks", &v->lock_clocks);
    entry(v->library, "nvmlDeviceResetGpuLockedClocks", &v->reset_clocks);
    entry(v->library, "nvmlDeviceGetClockInfo", &v->clock);
    entry(v->library, "nvmlDeviceGetMaxClockInfo", &v->max_clock);
}

static void add_device(ctw_backend *b, unsigned i)
{
    ctw_backend__nvml *v = &b->nvml;
    char name[64] = "accelerator", full[96];
    void *device;
    unsigned most;
    if (v->handle(i, &device) != OK) return;
    if (v->name && v->name(device, name, sizeof name) != OK) memcpy(name, "accelerator", 12);
    name[sizeof name - 1] = '\0';
    snprintf(full, sizeof full, "nvidia%u %.70s", i, name);
    ctw_backend__domain *d = ctw_backend__add(b, CTW_BACKEND_NVML, full);
    if (!d) return;
    d->device = device;
    if (v->power || v->energy) d->can |= CTW_BACKEND_READS;
    if (v->lock_clocks && v->reset_clocks && v->clock) d->can |= CTW_BACKEND_SETS_MHZ;
    if (v->get_limit && v->set_limit) d->can |= CTW_BACKEND_SETS_CAP;
    if (v->max_clock && v->max_clock(device, CLOCK_GRAPHICS, &most) == OK) d->max_mhz = most;
}

void ctw_backend__find_nvml(ctw_backend *b, const char *library)
{
    ctw_backend__nvml *v = &b->nvml;
    unsigned n = 0;
    if (!*library) return;
    v->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!v->library) return;
    load(v);
    if (!v->init || !v->shutdown || !v->count || !v->handle || v->init() != OK) {
        dlclose(v->library);
        memset(v, 0, sizeof *v);
        return;
    }
    if (v->count(&n) != OK) n = 0;
    for (unsigned i = 0; i < n; i++) add_device(b, i);
}

void ctw_backend__close_nvml(ctw_backend *b)
{
    if (!b->nvml.library) return;
    b->nvml.shutdown();
    dlclose(b->nvml.library);
    memset(&b->nvml, 0, sizeof b->nvml);
}

static ctw_status failed(int code, const ctw_backend__domain *d, const char *doing, const char *fn)
{
    if (code == NO_PERMISSION)
        return ctw_base__fail(CTW_E_IO, "%s: no permission to %s of %s (root is needed)", fn, doing, d->name);
    if (code == NOT_SUPPORTED)
        return ctw_base__fail(CTW_E_UNSUPPORTED, "%s: %s does not support to %s", fn, d->name, doing);
    return ctw_base__fail(CTW_E_BACKEND, "%s: cannot %s of %s: NVML error %d", fn, doing, d->name, code);
}

/* The energy counter where there is one (its mean has no gaps), else the driver's own average. */
ctw_status ctw_backend__nvml_read(ctw_backend *b, ctw_backend__domain *d, double now_s, double *watts, int32_t *valid,
                                  const char *fn)
{
    unsigned long long mj;
    unsigned mw;
    int code = b->nvml.energy ? b->nvml.energy(d->device, &mj) : NOT_SUPPORTED;
    if (code == OK) return ctw_backend__count(b, &d->counter, (double)mj / 1e3, now_s, watts, valid, fn);
    if (code != NOT_SUPPORTED || !b->nvml.power) return failed(code, d, "read the energy", fn);
    code = b->nvml.power(d->device, &mw);
    if (code != OK) return failed(code, d, "read the power", fn);
    *watts = (double)mw / 1e3;
    *valid = 1;
    return CTW_OK;
}

ctw_status ctw_backend__nvml_set_mhz(ctw_backend *b, ctw_backend__domain *d, double mhz, double *now, const char *fn)
{
    unsigned clock = (unsigned)lrint(mhz), is;
    int code = b->nvml.lock_clocks(d->device, clock, clock);
    if (code != OK) return failed(code, d, "lock the clocks", fn);
    d->changed_mhz = 1;
    code = b->nvml.clock(d->device, CLOCK_GRAPHICS, &is);
    if (code != OK) return failed(code, d, "read the clock", fn);
    *now = is;
    return CTW_OK;
}

ctw_status ctw_backend__nvml_set_cap(ctw_backend *b, ctw_backend__domain *d, double watts, double *now, const char *fn)
{
    unsigned low, high, mw;
    if (b->nvml.limit_range && b->nvml.limit_range(d->device, &low, &high) == OK &&
        !(watts * 1e3 >= low && watts * 1e3 <= high))
        return ctw_base__fail(CTW_E_RANGE, "%s: watts is %g, %s allows %g to %g", fn, watts, d->name, low / 1e3,
                              high / 1e3);
    int code = b->nvml.get_limit(d->device, &mw);
    if (code != OK) return failed(code, d, "read the power limit", fn);
    if (!d->changed_cap) d->found_cap = mw / 1e3;
    code = b->nvml.set_limit(d->device, (unsigned)lrint(1e3 * watts));
    if (code != OK) return failed(code, d, "set the power limit", fn);
    d->changed_cap = 1;
    code = b->nvml.get_limit(d->device, &mw);
    if (code != OK) return failed(code, d, "read the power limit", fn);
    *now = mw / 1e3;
    return CTW_OK;
}

ctw_status ctw_backend__nvml_restore(ctw_backend *b, ctw_backend__domain *d, const char *fn)
{
    int code = d->changed_mhz ? b->nvml.reset_clocks(d->device) : OK;
    if (code != OK) return failed(code, d, "reset the clocks", fn);
    d->changed_mhz = 0;
    code = d->changed_cap ? b->nvml.set_limit(d->device, (unsigned)lrint(1e3 * d->found_cap)) : OK;
    if (code != OK) return failed(code, d, "set the power limit", fn);
    d->changed_cap = 0;
    return CTW_OK;
}
