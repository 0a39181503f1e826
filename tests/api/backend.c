/* Sensors and actuators on a made-up sysfs and a stub of NVIDIA's library: permission, wrap-around, priming, jumps,
 * vanished files, units, order of writes, what was delivered, restoring, dry run. */
#include "test.h"
#include <cybertwin/backend.h>
#include <cybertwin/footprint.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static ctw_ctx *ctx;
static char root[256];

static void make_dirs(const char *path)
{
    char part[512];
    for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
        (void)mkdir(part, 0755);
    }
}

static void put(const char *file, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, file);
    make_dirs(path);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static const char *get(const char *file)
{
    static char text[64];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, file);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

#define CPU  "sys/devices/system/cpu/cpufreq/policy0/"
#define ZONE "sys/class/powercap/intel-rapl:0/"

static void fake_machine(void)
{
    snprintf(root, sizeof root, "%s", ctw_test_tmp("root"));
    put(CPU "cpuinfo_min_freq", "800000\n");
    put(CPU "cpuinfo_max_freq", "3000000\n");
    put(CPU "scaling_min_freq", "1200000\n");
    put(CPU "scaling_max_freq", "3000000\n");
    put(CPU "scaling_cur_freq", "1700000\n");
    put(CPU "scaling_governor", "performance\n");
    put(ZONE "name", "package-0\n");
    put(ZONE "energy_uj", "1000000\n");
    put(ZONE "max_energy_range_uj", "262143328850\n");
    put(ZONE "constraint_0_power_limit_uw", "150000000\n");
    put(ZONE "constraint_0_max_power_uw", "200000000\n");
    put("sys/class/powercap/intel-rapl:0:0/name", "core\n");
    put("sys/class/hwmon/hwmon3/name", "acpi_power\n");
    put("sys/class/hwmon/hwmon3/power1_average", "231000000\n");
    put("sys/class/hwmon/hwmon3/power1_cap", "1\n");
}

static ctw_backend *open_with(const char *key, const char *value, const char *nvml)
{
    ctw_params *opt;
    ctw_backend *b;
    CTW_OKAY(ctw_params_new(ctx, "backend", &opt));
    CTW_OKAY(ctw_params_set_str(opt, "root", root));
    CTW_OKAY(ctw_params_set_str(opt, "nvml", nvml));
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

START_TEST(finds)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    ctw_backend *b = open_with(NULL, NULL, "");
    double low, high, w;
    int32_t kind, can, valid;
    ck_assert(ctw_backend_count(b) == 4 && ctw_backend_count(NULL) == 0);
    CTW_OKAY(ctw_backend_info(b, domain(b, "policy0"), &kind, NULL, &can));
    ck_assert(kind == CTW_BACKEND_CPUFREQ && can == CTW_BACKEND_SETS_MHZ);
    CTW_OKAY(ctw_backend_range(b, 0, &low, &high));
    ck_assert(low == 800 && high == 3000);
    uint64_t zone = domain(b, "intel-rapl:0 package-0"), core = domain(b, "intel-rapl:0:0 core");
    CTW_OKAY(ctw_backend_info(b, zone, NULL, NULL, &can));
    ck_assert(can == (CTW_BACKEND_READS | CTW_BACKEND_SETS_CAP));
    CTW_FAILS(ctw_backend_range(b, zone, &low, &high), CTW_E_UNSUPPORTED, "package-0");
    CTW_FAILS(ctw_backend_read(b, core, 0, &w, &valid), CTW_E_UNSUPPORTED, "no sensor");
    CTW_FAILS(ctw_backend_set_cap(b, core, 10, NULL), CTW_E_UNSUPPORTED, "no power limit");
    CTW_FAILS(ctw_backend_set_mhz(b, zone, 1000, NULL), CTW_E_UNSUPPORTED, "frequency");
    CTW_OKAY(ctw_backend_read(b, domain(b, "hwmon3"), 0, &w, &valid));
    ck_assert(valid && w == 231);
    CTW_FAILS(ctw_backend_info(b, 9, NULL, NULL, NULL), CTW_E_RANGE, "i is 9");
    ctw_backend_unref(ctw_backend_ref(b));
    ctw_backend_unref(b);
    ctw_backend_unref(NULL);
    CTW_FAILS(ctw_backend_open(ctx, NULL, NULL), CTW_E_ARG, "out");
    ctw_ctx_unref(ctx);
}
END_TEST

static int32_t read_zone(ctw_backend *b, double now, const char *uj, double *watts)
{
    int32_t valid;
    put(ZONE "energy_uj", uj);
    CTW_OKAY(ctw_backend_read(b, domain(b, "intel-rapl:0 p"), now, watts, &valid));
    return valid;
}

START_TEST(counts_energy)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    ctw_backend *b = open_with("max_watts", "1000", "");
    double w;
    /* The first reading only primes: unknown, not 0 W. */
    ck_assert(read_zone(b, 10, "262143000000\n", &w) == 0 && isnan(w));
    ck_assert(read_zone(b, 10.01, "262143000001\n", &w) == 0 && isnan(w)); /* too short a window */
    ck_assert(read_zone(b, 11, "262143100000\n", &w) == 1);
    ck_assert_double_eq_tol(w, 0.1, 1e-9);
    ck_assert(read_zone(b, 11.01, "262143100001\n", &w) == 1 && fabs(w - 0.1) < 1e-9);
    /* Around the end of the counter: 228850 to the end and 99771150 after it in one second. */
    ck_assert(read_zone(b, 12, "99771150\n", &w) == 1);
    ck_assert_double_eq_tol(w, 100, 1e-6);
    /* A jump of 53 kW is not believed, and the next reading starts from it. */
    ck_assert(read_zone(b, 13, "53230000000\n", &w) == 0 && isnan(w));
    ck_assert(read_zone(b, 14, "53280000000\n", &w) == 1);
    ck_assert_double_eq_tol(w, 50, 1e-6);
    int32_t valid;
    CTW_FAILS(ctw_backend_read(b, domain(b, "intel-rapl:0 p"), 13, &w, &valid), CTW_E_RANGE, "now_s");
    put(ZONE "energy_uj", "rubbish\n");
    CTW_FAILS(ctw_backend_read(b, domain(b, "intel-rapl:0 p"), 15, &w, &valid), CTW_E_BACKEND, "rubbish");
    char path[512];
    snprintf(path, sizeof path, "%s/" ZONE "energy_uj", root);
    ck_assert(unlink(path) == 0);
    CTW_FAILS(ctw_backend_read(b, domain(b, "intel-rapl:0 p"), 15, &w, &valid), CTW_E_BACKEND, "vanished");
    ck_assert(isnan(w) && !valid);
    CTW_FAILS(ctw_backend_read(b, 1, NAN, &w, &valid), CTW_E_NONFINITE, "now_s");
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

/* A counter whose end nobody states: backwards is not a wrap-around but unknown, and the next reading starts anew. */
START_TEST(counter_backwards)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    char path[512];
    snprintf(path, sizeof path, "%s/" ZONE "max_energy_range_uj", root);
    ck_assert(unlink(path) == 0);
    ctw_backend *b = open_with(NULL, NULL, "");
    double w;
    ck_assert(read_zone(b, 0, "900000000\n", &w) == 0);
    ck_assert(read_zone(b, 1, "950000000\n", &w) == 1 && w == 50);
    ck_assert(read_zone(b, 2, "1000000\n", &w) == 0 && isnan(w));
    ck_assert(read_zone(b, 3, "41000000\n", &w) == 1 && w == 40);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(permission)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    ctw_backend *b = open_with(NULL, NULL, "");
    double w;
    int32_t valid;
    char path[512];
    uint64_t zone = domain(b, "intel-rapl:0 p");
    snprintf(path, sizeof path, "%s/" ZONE "energy_uj", root);
    ck_assert(chmod(path, 0000) == 0);
    snprintf(path, sizeof path, "%s/" ZONE "constraint_0_power_limit_uw", root);
    ck_assert(chmod(path, 0444) == 0);
    int was_root = geteuid() == 0;
    if (was_root) ck_assert(seteuid(65534) == 0);
    ctw_status s = ctw_backend_read(b, zone, 1, &w, &valid);
    ck_assert(s == CTW_E_IO || s == CTW_E_BACKEND);
    if (s == CTW_E_IO) ck_assert(strstr(ctw_error_message(), "permission") != NULL);
    ck_assert(isnan(w) && !valid);
    s = ctw_backend_set_cap(b, zone, 100, NULL);
    ck_assert(s == CTW_E_IO || s == CTW_E_BACKEND);
    if (was_root) ck_assert(seteuid(0) == 0);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Which of two files was written first: 1 or 2 (0: none). */
static int first_written(int fd, int one)
{
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n = read(fd, buf, sizeof buf);
    for (char *p = buf; p < buf + (n > 0 ? n : 0);
         p += sizeof(struct inotify_event) + ((struct inotify_event *)(void *)p)->len)
        return ((struct inotify_event *)(void *)p)->wd == one ? 1 : 2;
    return 0;
}

static int watch(int *min_wd)
{
    char path[512];
    int fd = inotify_init1(IN_NONBLOCK);
    snprintf(path, sizeof path, "%s/" CPU "scaling_min_freq", root);
    *min_wd = inotify_add_watch(fd, path, IN_CLOSE_WRITE);
    snprintf(path, sizeof path, "%s/" CPU "scaling_max_freq", root);
    (void)inotify_add_watch(fd, path, IN_CLOSE_WRITE);
    return fd;
}

START_TEST(sets_frequency)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    ctw_backend *b = open_with(NULL, NULL, "");
    double got;
    int min_wd, fd = watch(&min_wd);
    put(CPU "scaling_cur_freq", "990000\n");
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 1000, &got));
    ck_assert(got == 990); /* what was delivered, not what was asked */
    ck_assert(atof(get(CPU "scaling_min_freq")) == 1e6 && atof(get(CPU "scaling_max_freq")) == 1e6);
    if (fd >= 0) ck_assert(first_written(fd, min_wd) == 1);
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 2500, NULL));
    ck_assert(atof(get(CPU "scaling_max_freq")) == 2.5e6 && atof(get(CPU "scaling_min_freq")) == 1.2e6);
    if (fd >= 0) ck_assert(first_written(fd, min_wd) == 2); /* the floor of 1200 was above the ceiling of 1000 */
    CTW_FAILS(ctw_backend_set_mhz(b, 0, 5000, NULL), CTW_E_RANGE, "mhz");
    CTW_FAILS(ctw_backend_set_mhz(b, 0, 100, NULL), CTW_E_RANGE, "mhz");
    CTW_OKAY(ctw_backend_restore(b));
    ck_assert(atof(get(CPU "scaling_max_freq")) == 3e6 && atof(get(CPU "scaling_min_freq")) == 1.2e6);
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 900, NULL));
    CTW_OKAY(ctw_backend_set_cap(b, domain(b, "intel-rapl:0 p"), 120, &got));
    ck_assert(got == 120 && atof(get(ZONE "constraint_0_power_limit_uw")) == 120e6);
    CTW_FAILS(ctw_backend_set_cap(b, domain(b, "intel-rapl:0 p"), 250, NULL), CTW_E_RANGE, "at most 200");
    ctw_backend_unref(b); /* puts everything back */
    ck_assert(atof(get(CPU "scaling_max_freq")) == 3e6 && atof(get(CPU "scaling_min_freq")) == 1.2e6);
    ck_assert(atof(get(ZONE "constraint_0_power_limit_uw")) == 150e6);
    if (fd >= 0) close(fd);
    /* Under the userspace governor the speed itself is set. */
    put(CPU "scaling_governor", "userspace\n");
    put(CPU "scaling_setspeed", "1700000\n");
    b = open_with(NULL, NULL, "");
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 1500, NULL));
    ck_assert(atof(get(CPU "scaling_setspeed")) == 1.5e6);
    ctw_backend_unref(b);
    ck_assert(atof(get(CPU "scaling_setspeed")) == 1.7e6);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(dry_run)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    fake_machine();
    ctw_backend *b = open_with("dry_run", "1", "");
    double got;
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 1000, &got));
    ck_assert(got == 1000 && atof(get(CPU "scaling_max_freq")) == 3e6);
    CTW_OKAY(ctw_backend_set_cap(b, domain(b, "intel-rapl:0 p"), 120, &got));
    ck_assert(got == 120 && atof(get(ZONE "constraint_0_power_limit_uw")) == 150e6);
    CTW_OKAY(ctw_backend_restore(b));
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

typedef struct stub_device {
    unsigned limit_mw, locked, clock;
    unsigned long long mj;
} stub_device;

static const char *stub_path(void)
{
    static char path[512];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    ck_assert(n > 0);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash : path, "/unit/power/libnvml-stub.so");
    return path;
}

START_TEST(accelerators)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    snprintf(root, sizeof root, "%s", ctw_test_tmp("nothing-here"));
    void *library = dlopen(stub_path(), RTLD_NOW);
    if (!library) { /* run under an emulator or from another folder */
        ctw_ctx_unref(ctx);
        return;
    }
    stub_device *device = dlsym(library, "ctw_stub_device");
    int *inits = dlsym(library, "ctw_stub_inits"), *lost = dlsym(library, "ctw_stub_lost");
    ctw_backend *b = open_with(NULL, NULL, stub_path());
    double w, got;
    int32_t valid, can;
    ck_assert(ctw_backend_count(b) == 2 && *inits == 1);
    CTW_OKAY(ctw_backend_info(b, domain(b, "nvidia0 Stub A"), NULL, NULL, &can));
    ck_assert(can == 7);
    CTW_OKAY(ctw_backend_read(b, 0, 0, &w, &valid));
    ck_assert(!valid);
    device[0].mj += 250000;
    CTW_OKAY(ctw_backend_read(b, 0, 1, &w, &valid));
    ck_assert(valid && w == 250);
    CTW_OKAY(ctw_backend_read(b, 1, 1, &w, &valid));
    ck_assert(valid && fabs(w - 123.456) < 1e-9);
    CTW_OKAY(ctw_backend_set_mhz(b, 0, 1200, &got));
    ck_assert(got == 1185 && device[0].locked);
    CTW_FAILS(ctw_backend_set_mhz(b, 1, 1200, NULL), CTW_E_IO, "permission");
    CTW_OKAY(ctw_backend_set_cap(b, 0, 200, &got));
    ck_assert(got == 200 && device[0].limit_mw == 200000);
    CTW_FAILS(ctw_backend_set_cap(b, 0, 50, NULL), CTW_E_RANGE, "100 to 300");
    CTW_FAILS(ctw_backend_set_cap(b, 1, 200, NULL), CTW_E_IO, "permission");
    *lost = 1;
    CTW_FAILS(ctw_backend_read(b, 0, 2, &w, &valid), CTW_E_BACKEND, "NVML error 15");
    *lost = 0;
    ctw_backend_unref(b);
    ck_assert(!device[0].locked && device[0].limit_mw == 300000 && *inits == 0);
    dlclose(library);
    /* Not there: simply no such domains. */
    b = open_with(NULL, NULL, "no-such-library.so");
    ck_assert(ctw_backend_count(b) == 0);
    ctw_backend_unref(b);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(footprints)
{
    double g, share;
    CTW_OKAY(ctw_footprint_operational(1000, 3600, 400, 1.5, &g));
    ck_assert_double_eq_tol(g, 600, 1e-9);
    CTW_OKAY(ctw_footprint_embodied(1000, 4, 0.5, 0.25, 365.25 * 86400, &g));
    ck_assert_double_eq_tol(g, 1e6 / 4 / 0.5 * 0.25, 1e-6);
    CTW_OKAY(ctw_footprint_embodied_share(1000, 4, 100, 200, 1.0, &share));
    ck_assert_double_eq_tol(share, 1e6 / (1e6 + 0.1 * 4 * 8766 * 200), 1e-9);
    /* The guide's server; and over a whole life of requests the embodied part is the machine's, however they are cut.
     */
    CTW_OKAY(ctw_footprint_embodied_share(1500, 4, 230, 288, 1.2, &share));
    ck_assert_double_eq_tol(share, 0.35, 0.002);
    CTW_OKAY(ctw_footprint_embodied(1500, 4, 0.3, 1.0, 0.3 * 4 * 365.25 * 86400 / 1e6, &g));
    ck_assert_double_eq_tol(1e6 * g, 1500e3, 1e-3);
    CTW_FAILS(ctw_footprint_embodied_share(0, 4, 0, 200, 1.0, &share), CTW_E_SINGULAR, NULL);
    CTW_FAILS(ctw_footprint_operational(-1, 1, 1, 1, &g), CTW_E_RANGE, "watts");
    CTW_FAILS(ctw_footprint_operational(1, 1, 1, 0.9, &g), CTW_E_RANGE, "pue");
    CTW_FAILS(ctw_footprint_operational(NAN, 1, 1, 1, &g), CTW_E_NONFINITE, "watts");
    CTW_FAILS(ctw_footprint_embodied(1, 1, 0, 1, 1, &g), CTW_E_RANGE, "utilisation");
    CTW_FAILS(ctw_footprint_embodied(1, 0, 1, 1, 1, &g), CTW_E_RANGE, "lifetime_years");
    CTW_FAILS(ctw_footprint_embodied(1, 1, 1, 1, 1, NULL), CTW_E_ARG, "grams");
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"finds", finds},
        {"counts_energy", counts_energy},
        {"counter_backwards", counter_backwards},
        {"permission", permission},
        {"sets_frequency", sets_frequency},
        {"dry_run", dry_run},
        {"accelerators", accelerators},
        {"footprints", footprints},
    };
    return ctw_test_main("api-backend", cases, sizeof cases / sizeof *cases, 20);
}
