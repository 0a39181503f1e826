/* blame.h: whose trouble a slow call is. A call looks slow to its caller when the callee is slow, but also when the
 * caller itself cannot keep up with the answers: then everything the caller asks for looks slow, and the same
 * callees look fine to others. */
#ifndef CTW_RCA_BLAME_H
#define CTW_RCA_BLAME_H

#include "rca/features.h"

/* Fills lx_in, lx_out and blame of rows[m] for each member m of the window. CTW_E_NOMEM. */
ctw_status ctw_rca__blame(ctw_ctx *ctx, const ctw_rca__window *w, const ctw_rca__reference *ref,
                          const ctw_rca__names *names, ctw_rca__row *rows);

#endif
