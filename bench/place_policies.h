/* place_policies.h: instances with the choice of slots taken away. */
#ifndef CTW_BENCH_PLACE_POLICIES_H
#define CTW_BENCH_PLACE_POLICIES_H

#include "place_data.h"

/* Columns not changed are shared with `d`; the others live until the process ends. */
void place_policy_asap(const place_data *d, place_data *out);
void place_policy_lowest(const place_data *d, place_data *out);

#endif
