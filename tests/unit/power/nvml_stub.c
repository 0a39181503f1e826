/* nvml_stub.c: stands for libnvidia-ml in the tests: two devices; the second has no energy counter and refuses to
 * change anything. State lies in exported variables that the test sets. */
#include <string.h>

typedef struct device {
    unsigned limit_mw, locked, clock;
    unsigned long long mj;
} device;

device ctw_stub_device[2] = {{300000, 0, 1410, 0}, {250000, 0, 1230, 0}};
int ctw_stub_inits, ctw_stub_lost;

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned *n);
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **out);
int nvmlDeviceGetName(void *d, char *name, unsigned cap);
int nvmlDeviceGetPowerUsage(void *d, unsigned *mw);
int nvmlDeviceGetTotalEnergyConsumption(void *d, unsigned long long *mj);
int nvmlDeviceGetPowerManagementLimit(void *d, unsigned *mw);
int nvmlDeviceSetPowerManagementLimit(void *d, unsigned mw);
int nvmlDeviceGetPowerManagementLimitConstraints(void *d, unsigned *low, unsigned *high);
int nvmlDeviceSetGpuLockedClocks(void *d, unsigned low, unsigned high);
int nvmlDeviceResetGpuLockedClocks(void *d);
int nvmlDeviceGetClockInfo(void *d, int type, unsigned *mhz);
int nvmlDeviceGetMaxClockInfo(void *d, int type, unsigned *mhz);

int nvmlInit_v2(void)
{
    ctw_stub_inits++;
    return 0;
}

int nvmlShutdown(void)
{
    ctw_stub_inits--;
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned *n)
{
    *n = 2;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **out)
{
    *out = &ctw_stub_device[i];
    return 0;
}

int nvmlDeviceGetName(void *d, char *name, unsigned cap)
{
    strncpy(name, d == ctw_stub_device ? "Stub A" : "Stub B", cap);
    return 0;
}

int nvmlDeviceGetPowerUsage(void *d, unsigned *mw)
{
    *mw = d == ctw_stub_device ? 1 : 123456;
    return ctw_stub_lost ? 15 : 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void *d, unsigned long long *mj)
{
    if (ctw_stub_lost) return 15;
    if (d != ctw_stub_device) return 3;
    *mj = ctw_stub_device[0].mj;
    return 0;
}

int nvmlDeviceGetPowerManagementLimit(void *d, unsigned *mw)
{
    *mw = ((device *)d)->limit_mw;
    return 0;
}

int nvmlDeviceSetPowerManagementLimit(void *d, unsigned mw)
{
    if (d != ctw_stub_device) return 4;
    ((device *)d)->limit_mw = mw;
    return 0;
}

int nvmlDeviceGetPowerManagementLimitConstraints(void *d, unsigned *low, unsigned *high)
{
    (void)d;
    *low = 100000;
    *high = 300000;
    return 0;
}

int nvmlDeviceSetGpuLockedClocks(void *d, unsigned low, unsigned high)
{
    if (d != ctw_stub_device || low != high) return 4;
    ((device *)d)->locked = 1;
    ((device *)d)->clock = high - 15; /* hardware gives the next lower step */
    return 0;
}

int nvmlDeviceResetGpuLockedClocks(void *d)
{
    ((device *)d)->locked = 0;
    ((device *)d)->clock = 1410;
    return 0;
}

int nvmlDeviceGetClockInfo(void *d, int type, unsigned *mhz)
{
    (void)type;
    *mhz = ((device *)d)->clock;
    return 0;
}

int nvmlDeviceGetMaxClockInfo(void *d, int type, unsigned *mhz)
{
    (void)d;
    (void)type;
    *mhz = 1410;
    return 0;
}
