/* shop.h: a small synthetic service graph that answers requests, for tests of the localiser: front calls cart and
 * list in turn, list calls store; any of them can be made slower. */
#ifndef CTW_SHOP_H
#define CTW_SHOP_H

#include <cybertwin/cybertwin.h>

enum { SHOP_SERVICES = 4 };
extern const char *const shop_service[SHOP_SERVICES];

/* A window of `traces` requests; slow[] multiplies each service's own time (NULL: all 1). Times differ from
 * request to request by a fixed pseudo-random sequence that starts at `seed`. */
ctw_status shop_window(ctw_ctx *ctx, uint32_t seed, int traces, const double *slow, ctw_calls **out);
/* Adds one such request to a table. */
ctw_status shop_request(ctw_spans *s, int64_t trace, uint32_t *seed, const double *slow);

#endif
