/* place_verify.c: Bytes choose a small problem and a tier: whatever comes, the plan passes the verifier or the status
 * is one that ctw_place_solve documents. */
#include "../support/place_cases.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8) return 0;
    place_case c = place_case_from_bytes(data);
    c.rounds = 30; /* counts, not the clock, end the search: a finding comes back */
    c.nodes_most = 20;
    ctw_ctx *ctx;
    ctw_status s;
    ctw_solution *plan = NULL;
    if (ctw_ctx_new(NULL, NULL, &ctx)) return 0;
    ctw_place *p = place_case_build(ctx, &c, &s);
    if (!p) abort();
    s = ctw_place_solve(p, 0, NULL, &plan);
    if (s != CTW_OK) abort();
    ctw_solution_unref(plan);
    ctw_place_unref(p);
    ctw_ctx_unref(ctx);
    return 0;
}
