/* place_cases.h: small placement problems drawn from a seed, for the tests and the fuzzer: all attributes the
 * header knows, sizes from nothing to a few dozen. */
#ifndef CTW_TEST_PLACE_CASES_H
#define CTW_TEST_PLACE_CASES_H

#include <cybertwin/place.h>

typedef struct place_case {
    uint64_t seed;
    int64_t nodes, jobs, slots, regions;                                         /* at most 16, 64, 48, 4 */
    int32_t services, caps, spread, startup, types, throughput, sticky, reserve; /* which attributes occur */
    int32_t racks, on_site, scenarios; /* power caps of racks; supply and storage; so many of carbon, CVaR if even */
    const char *mode;                  /* NULL: auto */
    int64_t rounds, nodes_most;        /* options max_rounds and max_nodes; 0: the default */
} place_case;

/* What fuzz_place_verify makes of its eight bytes. */
place_case place_case_from_bytes(const uint8_t *data);
/* A filled problem, or NULL when it could not be built (only under allocation failure; *status then says why). */
ctw_place *place_case_build(ctw_ctx *ctx, const place_case *c, ctw_status *status);

#endif
