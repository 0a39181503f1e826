/* test.h: what every test program shares. A program defines its cases with START_TEST, lists them in a
 * ctw_test_case array and calls ctw_test_main. Output is TAP (meson counts the cases). */
#ifndef CTW_TEST_H
#define CTW_TEST_H

#include <check.h>
#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_test_case {
    const char *name;
    const TTest *test;
} ctw_test_case;

/* A name that starts with "long_" tags a case as long: one whose paths through the library shorter cases walk too, so
 * that CI spares valgrind and TSan it (CK_EXCLUDE_TAGS=long). `cases` cannot be static: START_TEST defines a variable.
 * Runs the cases (time limit of each: `seconds` before the environment's multiplier); the exit code for main. */
int ctw_test_main(const char *suite, const ctw_test_case *cases, size_t n, double seconds);

/* The call must succeed / must fail with exactly this status and a message that holds `text` (NULL: any, not empty). */
#define CTW_OKAY(call)                ctw_test_okay((call), #call, __FILE__, __LINE__)
#define CTW_FAILS(call, status, text) ctw_test_fails((call), (status), (text), #call, __FILE__, __LINE__)
void ctw_test_okay(ctw_status s, const char *call, const char *file, int line);
void ctw_test_fails(ctw_status s, ctw_status want, const char *text, const char *call, const char *file, int line);

/* ../shared/data/<name> seen from the source tree, NULL when it is not there (the test then passes as skipped). */
const char *ctw_test_data(const char *name);
/* Path of tests/golden/<name>. */
const char *ctw_test_golden(const char *name);
/* A fresh path in a temporary directory of this process, removed at exit. */
const char *ctw_test_tmp(const char *name);

/* ---- allocation failure ---- */

/* One whole life of a handle: build, use, free what it built. Returns the first failing status. */
typedef ctw_status (*ctw_oom_scenario)(ctw_ctx *ctx, void *user);

/* Runs the scenario with the 1st, 2nd, ... allocation failing, once and from then on, until a run needs no
 * more allocations: each run must end with CTW_OK or CTW_E_NOMEM and with nothing live. `step` > 1 samples
 * every step-th allocation of long scenarios. Returns the number of allocations of a clean run. */
size_t ctw_oom_sweep(ctw_oom_scenario scenario, void *user, size_t step);

/* A counting allocator for leak checks: pass ctw_count_alloc and &counter to ctw_ctx_new. */
typedef struct ctw_alloc_counter {
    uint64_t calls, live_blocks, live_bytes, peak_bytes;
    uint64_t fail_at; /* the n-th allocating call fails; 0 never */
    int lasting;      /* ... and all after it */
} ctw_alloc_counter;
void *ctw_count_alloc(void *user, void *ptr, uint64_t old_size, uint64_t new_size);

#endif
