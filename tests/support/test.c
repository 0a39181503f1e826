/* test.c: runner, checks, data and temporary paths, and the allocator that fails on request. */
#include "test.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ctw_test_main(const char *suite, const ctw_test_case *cases, size_t n, double seconds)
{
    Suite *s = suite_create(suite);
    for (size_t i = 0; i < n; i++) {
        TCase *tc = tcase_create(cases[i].name);
        tcase_set_timeout(tc, seconds);
        if (!strncmp(cases[i].name, "long_", 5)) tcase_set_tags(tc, "long");
        tcase_add_test(tc, cases[i].test);
        suite_add_tcase(s, tc);
    }
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void ctw_test_okay(ctw_status s, const char *call, const char *file, int line)
{
    if (s != CTW_OK) ck_abort_msg("%s:%d: %s gave %s: %s", file, line, call, ctw_status_name(s), ctw_error_message());
}

void ctw_test_fails(ctw_status s, ctw_status want, const char *text, const char *call, const char *file, int line)
{
    if (s != want)
        ck_abort_msg("%s:%d: %s gave %s (%s), expected %s", file, line, call, ctw_status_name(s), ctw_error_message(),
                     ctw_status_name(want));
    if (text ? !strstr(ctw_error_message(), text) : !*ctw_error_message())
        ck_abort_msg("%s:%d: %s: the message \"%s\" lacks \"%s\"", file, line, call, ctw_error_message(),
                     text ? text : "any text");
}

const char *ctw_test_data(const char *name)
{
    static char path[8][4096];
    static unsigned next;
    const char *root = getenv("CTW_TEST_DATA");
    if (!root) root = CTW_SOURCE_ROOT "/../shared/data";
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", root, name);
    return access(p, R_OK) == 0 ? p : NULL;
}

const char *ctw_test_golden(const char *name)
{
    static char path[8][4096];
    static unsigned next;
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/tests/golden/%s", CTW_SOURCE_ROOT, name);
    return p;
}

static char tmp_dir[64];
static pid_t tmp_owner;

static void remove_tmp(void)
{
    if (getpid() != tmp_owner) return;
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", tmp_dir);
    if (system(cmd)) perror("rm");
}

const char *ctw_test_tmp(const char *name)
{
    static char path[8][256];
    static unsigned next;
    if (tmp_owner != getpid()) {
        strcpy(tmp_dir, "/tmp/ctw-test-XXXXXX");
        if (!mkdtemp(tmp_dir)) ck_abort_msg("mkdtemp failed");
        tmp_owner = getpid();
        atexit(remove_tmp);
    }
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", tmp_dir, name);
    return p;
}

void *ctw_count_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size)
{
    ctw_alloc_counter *c = user;
    if (new_size == 0) {
        if (ptr) c->live_blocks--, c->live_bytes -= old_size;
        free(ptr);
        return NULL;
    }
    c->calls++;
    if (c->fail_at && (c->calls == c->fail_at || (c->lasting && c->calls > c->fail_at))) return NULL;
    void *p = realloc(ptr, new_size);
    if (!p) return NULL;
    if (!ptr) c->live_blocks++;
    c->live_bytes += new_size - (ptr ? old_size : 0);
    if (c->live_bytes > c->peak_bytes) c->peak_bytes = c->live_bytes;
    return p;
}

static ctw_status one_life(ctw_oom_scenario scenario, void *user, ctw_alloc_counter *c)
{
    ctw_ctx *ctx;
    ctw_status s = ctw_ctx_new(ctw_count_alloc, c, &ctx);
    if (s == CTW_OK) s = scenario(ctx, user);
    ctw_ctx_unref(ctx);
    return s;
}

size_t ctw_oom_sweep(ctw_oom_scenario scenario, void *user, size_t step)
{
    ctw_alloc_counter clean = {0};
    ctw_status s = one_life(scenario, user, &clean);
    if (s != CTW_OK) ck_abort_msg("the clean run gave %s: %s", ctw_status_name(s), ctw_error_message());
    if (clean.live_blocks) ck_abort_msg("the clean run leaks %llu blocks", (unsigned long long)clean.live_blocks);
    for (uint64_t n = 1; n <= clean.calls; n += step)
        for (int lasting = 0; lasting <= 1; lasting++) {
            ctw_alloc_counter c = {.fail_at = n, .lasting = lasting};
            s = one_life(scenario, user, &c);
            if (s != CTW_OK && s != CTW_E_NOMEM)
                ck_abort_msg("allocation %llu failing (%s) gave %s: %s", (unsigned long long)n,
                             lasting ? "and all after" : "once", ctw_status_name(s), ctw_error_message());
            if (s == CTW_OK && lasting && c.calls >= n) /* a search bounded by time may need fewer */
                ck_abort_msg("allocation %llu and all after failed, yet the run succeeded", (unsigned long long)n);
            if (c.live_blocks)
                ck_abort_msg("allocation %llu failing (%s) leaks %llu blocks", (unsigned long long)n,
                             lasting ? "and all after" : "once", (unsigned long long)c.live_blocks);
        }
    return (size_t)clean.calls;
}
