/* place_verify.c: Bytes choose a small problem and a tier: whatever comes, the plan passes the verifier or the status
 * is one that ctw_place_solve documents. */
#include "../support/place_cases.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const modes[] = {"auto", "greedy", "exact", "decompose"};
    if (size < 8) return 0;
    place_case c = {.seed = data[0] + 256u * data[1],
                    .nodes = data[2] % 17,
                    .jobs = data[3] % 65,
                    .slots = 1 + data[4] % 48,
                    .regions = 1 + data[5] % 4};
    c.services = data[6] & 1;
    c.caps = data[6] >> 1 & 1;
    c.spread = data[6] >> 2 & 1;
    c.startup = data[6] >> 3 & 1;
    c.types = data[6] >> 4 & 1;
    c.throughput = data[6] >> 5 & 1;
    c.mode = modes[data[7] & 3];
    ctw_ctx *ctx;
    ctw_status s;
    ctw_solution *plan = NULL;
    if (ctw_ctx_new(NULL, NULL, &ctx)) return 0;
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) abort();
    s = ctw_place_solve(p, 0.02, NULL, &plan);
    if (s != CTW_OK) abort();
    ctw_solution_unref(plan);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
    return 0;
}
