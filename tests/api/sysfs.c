/* Sensors and actuators below the real root: the program runs under umockdev-run with the machine described in
 * tests/golden/power/machine.umockdev, whose preloaded library answers for /sys with directories and links as the
 * kernel has them. Without umockdev it says that it is skipped. */
#include "test.h"
#include <cybertwin/backend.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ctw_ctx *ctx;

#define CPU  "/sys/devices/system/cpu/cpufreq/policy0/"
#define ZONE "/sys/class/powercap/intel-rapl:0/"

static void put(const char *file, const char *text)
{
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static double get(const char *file)
{
    char text[64];
    FILE *f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return atof(text);
}

/* The default root and no accelerators. */
static ctw_backend *open_real(const char *key, const char *value)
{
    ctw_params *opt;
    ctw_backend *b;
    CTW_OKAY(ctw_params_new(ctx, "backend", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "nvml", ""));
    if (key) CTW_OKAY(ctw_params_set_text(opt, key, value));
    CTW_OKAY(ctw_backend_open(ctx, opt, &b));
    ctw_params_unref(opt);
    return b;
}

static uint64_t domain(const ctw_backend *b, const char *begins)
{
    const char *name;
    for (uint64_t i = 0; i < ctw_backend_count(b); i++) {
        CTW_OKAY(ctw_backend_info(b, i, NULL, &name, NULL));
        if (strncmp(name, begins, strlen(begins)) == 0) return i;
    }
    ck_abort_msg("no domain %s", begins);
    return 0;
}

START_TEST(finds_and_reads)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_backend *b = open_real(NULL, NULL);
    double low, high, w;
    int32_t valid;
    ck_assert(ctw_backend_count(b) == 4);
    CTW_OKAY(ctw_backend_range(b, domain(b, "policy0"), &low, &high));
    ck_assert(low == 800 && high == 3000);
    CTW_OKAY(ctw_backend_read(b, domain(b, "hwmon0 power_meter"), 0, &w, &valid));
    ck_assert(valid && w == 231);
    uint64_t zone = domain(b, "intel-rapl:0 package-0"), core = domain(b, "intel-rapl:0:0 core");
    CTW_OKAY(ctw_backend_read(b, zone, 0, &w, &valid));
    ck_assert(!valid && isnan(w)); /* the first reading primes */
    CTW_OKAY(ctw_backend_read(b, core, 0, &w, &valid));
    put(ZONE "energy_uj", "101000000\n");
    CTW_OKAY(ctw_backend_read(b, zone, 1, &w, &valid));
    ck_assert(valid && fabs(w - 100) < 1e-9);
    put(ZONE "energy_uj", "262143328850\n"); /* a jump to the end is not believed, the step around it is */
    CTW_OKAY(ctw_backend_read(b, zone, 2, &w, &valid));
    ck_assert(!valid && isnan(w));
    put(ZONE "energy_uj", "50000000\n");
    CTW_OKAY(ctw_backend_read(b, zone, 3, &w, &valid));
    ck_assert(valid && fabs(w - 50) < 1e-9);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(sets_and_restores)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_backend *b = open_real(NULL, NULL);
    double got;
    uint64_t cpu = domain(b, "policy0"), zone = domain(b, "intel-rapl:0 package-0");
    put(CPU "scaling_cur_freq", "990000\n");
    CTW_OKAY(ctw_backend_set_mhz(b, cpu, 1000, &got));
    ck_assert(got == 990); /* delivered, not ordered */
    ck_assert(get(CPU "scaling_max_freq") == 1e6 && get(CPU "scaling_min_freq") == 1e6);
    CTW_OKAY(ctw_backend_set_mhz(b, cpu, 2500, NULL));
    ck_assert(get(CPU "scaling_max_freq") == 2.5e6 && get(CPU "scaling_min_freq") == 1.2e6);
    CTW_OKAY(ctw_backend_set_cap(b, zone, 120, &got)); /* a greatest power of 0 is unknown, not forbidden */
    ck_assert(got == 120 && get(ZONE "constraint_0_power_limit_uw") == 120e6);
    CTW_FAILS(ctw_backend_set_cap(b, domain(b, "intel-rapl:0:0 core"), 20, NULL), CTW_E_UNSUPPORTED, "power limit");
    ctw_backend_unref(b);
    ck_assert(get(CPU "scaling_max_freq") == 3e6 && get(CPU "scaling_min_freq") == 1.2e6);
    ck_assert(get(ZONE "constraint_0_power_limit_uw") == 150e6);
    b = open_real("dry_run", "1");
    CTW_OKAY(ctw_backend_set_mhz(b, cpu, 1000, &got));
    CTW_OKAY(ctw_backend_set_cap(b, zone, 90, &got));
    ck_assert(get(CPU "scaling_max_freq") == 3e6 && get(ZONE "constraint_0_power_limit_uw") == 150e6);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

/* As an ordinary user since Linux 5.10: a typed error that names the file, and never 0 W. */
START_TEST(permission)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_backend *b = open_real(NULL, NULL);
    double w = 7;
    int32_t valid = 1;
    uint64_t zone = domain(b, "intel-rapl:0 package-0"), cpu = domain(b, "policy0");
    char path[512];
    const char *const files[] = {ZONE "energy_uj", ZONE "constraint_0_power_limit_uw", CPU "scaling_max_freq",
                                 CPU "scaling_min_freq"};
    for (int i = 0; i < 4; i++) {
        char real[512];
        snprintf(path, sizeof path, "%s%s", getenv("UMOCKDEV_DIR"), files[i]);
        ck_assert_ptr_nonnull(realpath(path, real));
        ck_assert(chmod(real, i ? 0444 : 0) == 0);
    }
    int was_root = geteuid() == 0;
    if (was_root) ck_assert(chmod(getenv("UMOCKDEV_DIR"), 0755) == 0 && seteuid(65534) == 0);
    CTW_FAILS(ctw_backend_read(b, zone, 1, &w, &valid), CTW_E_IO, "energy_uj");
    ck_assert(isnan(w) && !valid);
    CTW_FAILS(ctw_backend_set_cap(b, zone, 100, NULL), CTW_E_IO, "no permission");
    CTW_FAILS(ctw_backend_set_mhz(b, cpu, 1000, NULL), CTW_E_IO, "no permission");
    if (was_root) ck_assert(seteuid(0) == 0);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(vanished)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_backend *b = open_real(NULL, NULL);
    double w;
    int32_t valid;
    char path[512];
    snprintf(path, sizeof path, "%s/sys/devices/platform/acpi_power_meter/hwmon/hwmon0/power1_average",
             getenv("UMOCKDEV_DIR"));
    ck_assert(unlink(path) == 0);
    CTW_FAILS(ctw_backend_read(b, domain(b, "hwmon0"), 1, &w, &valid), CTW_E_BACKEND, "vanished");
    ck_assert(isnan(w) && !valid);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"finds_and_reads", finds_and_reads},
        {"sets_and_restores", sets_and_restores},
        {"permission", permission},
        {"vanished", vanished}, /* last: what it removes does not come back */
    };
    if (!getenv("UMOCKDEV_DIR")) {
        puts("1..0 # SKIP needs umockdev-run (package umockdev), and no sanitizer that must be loaded first");
        return 0;
    }
    return ctw_test_main("api-sysfs", cases, sizeof cases / sizeof *cases, 20);
}
